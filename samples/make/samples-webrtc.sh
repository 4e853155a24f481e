# shellcheck shell=bash
# Samples of one call between two WebRTC agents, with SIP over WebSocket in the clear.

# An agent that registers; with --call among its arguments it calls as soon as it has.
webrtc_agent() # SPACE ARGUMENT...
{
    start "$1" "webrtc-$1" /usr/bin/python3 "$here/webrtc-agent.py" sip.example.net "${@:2}"
}

# The key log of the dialer's agent becomes that of the sample.
keep_keys() # NAME
{
    grep -v '^#' "$tmp/dialer.keys" >"$here/$1.keys"
    rm "$tmp/dialer.keys"
}

# A call from the dialer to the webphone; both have a STUN server, and further options of their own.
webrtc_call() # SECONDS [DIALER-OPTIONS [PHONE-OPTIONS]]
{
    local dialers phones stun=${stun:-stun.example.net:3478}
    read -ra dialers <<<"${2:-}"
    read -ra phones <<<"${3:-}"
    webrtc_agent phone agent1 --stun "$stun" "${phones[@]}"
    wait_for registered webrtc-phone
    webrtc_agent dialer dialer1 --stun "$stun" --call agent1 --seconds "$1" "${dialers[@]}"
    wait "$started" || die "the dialer's agent failed: $(tail -n 3 "$tmp/webrtc-dialer.log")"
}

# outcome SPACE PATTERN: what the agent there said of its call at its end
outcome()
{
    grep -qE "^$2\$" "$tmp/webrtc-$1.log" || die "the $1's agent says: $(tail -n 1 "$tmp/webrtc-$1.log")"
}

make_webrtc()
{
    begin websocket
    webrtc_call 8 --video --video
    end
    outcome dialer 'ice completed dtls connected sent [1-9][0-9]{2} received [1-9][0-9]{2}'
    outcome phone 'ice completed dtls connected sent [1-9][0-9]{2} received [1-9][0-9]{2}'
    keep dialer webrtc
}

# The same over TLS 1.2, without a picture.
make_wss()
{
    begin secure_websocket
    webrtc_call 6 "--tls 1.2 --keys $tmp/dialer.keys" "--tls 1.2"
    end
    outcome dialer 'ice completed dtls connected sent [1-9][0-9]{2} received [1-9][0-9]{2}'
    outcome phone 'ice completed dtls connected sent [1-9][0-9]{2} received [1-9][0-9]{2}'
    keep dialer wss
    keep_keys wss
}

# Over TLS 1.3, and both ask the server that lies.
make_wss-lie()
{
    local stun=stun.l.google.com:19302
    begin secure_websocket
    start_liar
    webrtc_call 10 "--tls 1.3 --keys $tmp/dialer.keys" "--tls 1.3"
    end
    outcome dialer 'ice (checking|failed) dtls new sent 0 received 0'
    keep dialer wss-lie
    keep_keys wss-lie
}

# The answers of the dialer's handshake never arrive: a middlebox that drops DTLS handshake records (type 22, RFC 6347 §4.1).
block_dtls_from_dialer()
{
    in_space dnat nft -f - <<EOF2
table ip middlebox {
    chain out { type filter hook forward priority filter; iifname lan meta l4proto udp @th,64,8 22 counter drop; }
}
EOF2
}

make_dtls-failed()
{
    begin websocket
    block_dtls_from_dialer
    webrtc_call 12
    end
    outcome dialer 'ice completed dtls connecting sent 0 received 0'
    outcome phone 'ice completed dtls connecting sent 0 received 0'
    keep dialer dtls-failed
}

# No direct way: only the relay's packets get to the dialer.
make_turn-relay()
{
    begin websocket
    block_media_to_dialer
    start_turn
    webrtc_call 8 "--turn turn.example.net:3478"
    end
    outcome dialer 'ice completed dtls connected sent [1-9][0-9]{2} received [1-9][0-9]{2}'
    outcome phone 'ice completed dtls connected sent [1-9][0-9]{2} received [1-9][0-9]{2}'
    keep dialer turn-relay
}

# The same, but another call of this account has used up what it may have of the relay.
make_turn-refused()
{
    begin websocket
    block_media_to_dialer
    start_turn --user-quota=1
    webrtc_agent turn --turn "$turn:3478" --hold 60 nobody
    wait_for held webrtc-turn
    webrtc_call 14 "--turn turn.example.net:3478"
    end
    outcome dialer 'ice (checking|failed) dtls new sent 0 received 0'
    grep -q '486' "$tmp/webrtc-dialer.log" || die "the allocation was not refused with 486"
    keep dialer turn-refused
}

# The same, but the dialer's password is out of date.
make_turn-unauthorized()
{
    begin websocket
    block_media_to_dialer
    start_turn
    webrtc_call 14 "--turn turn.example.net:3478 --turn-password expired"
    end
    outcome dialer 'ice (checking|failed) dtls new sent 0 received 0'
    grep -q '401' "$tmp/webrtc-dialer.log" || die "the allocation was not refused with 401"
    keep dialer turn-unauthorized
}
