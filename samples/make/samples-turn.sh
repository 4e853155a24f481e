# shellcheck shell=bash
# Samples of one call through coturn's relay, the only way there is: what the server refuses, and what becomes of the relay.

sparse='--every 0.1' # ten packets a second, as in a pause (DTX): these are about the relay, and small

# relay_begins COTURN-OPTION...
relay_begins()
{
    begin websocket
    block_media_to_dialer
    start_turn "$@"
}

relay_call() # SECONDS [DIALER-OPTIONS]
{
    webrtc_call "$1" "$sparse --turn turn.example.net:3478 ${2:-}" "$sparse"
}

# turn_call SECONDS DIALER-OPTIONS COTURN-OPTION...: the call of turn-relay
turn_call()
{
    relay_begins "${@:3}"
    relay_call "$1" "$2"
    end
}

flowed() { outcome dialer 'ice completed dtls connected sent [1-9][0-9]+ received [1-9][0-9]+'; }

never_connected() { outcome dialer 'ice (checking|failed) dtls new sent 0 received 0'; }

said() # TEXT: by the dialer's agent
{
    grep -q "$1" "$tmp/webrtc-dialer.log" || die "the dialer's agent never said \"$1\""
}

# The server has no port left for another relay.
make_turn-no-capacity()
{
    relay_begins --min-port=50000 --max-port=50000
    webrtc_agent turn --turn "$turn:3478" --hold 60 nobody
    wait_for held webrtc-turn
    relay_call 14
    end
    never_connected
    said 508
    keep dialer turn-no-capacity
}

# A relay is given, and its rules forbid the webphone as a peer.
make_turn-forbidden()
{
    turn_call 14 '' --denied-peer-ip=$phone_public
    never_connected
    keep dialer turn-forbidden
}

# Another server is to be asked, and is not.
make_turn-elsewhere()
{
    turn_call 14 '' --alternate-server=192.0.2.61:3478
    never_connected
    keep dialer turn-elsewhere
}

# The nonce goes stale every few seconds, and the relay is refreshed as often: nothing is lost.
make_turn-stale-nonce()
{
    turn_call 14 '--turn-lifetime 6' --stale-nonce=3 --max-allocate-lifetime=6
    flowed
    keep dialer turn-stale-nonce
}

make_turn-expires()
{
    turn_call 16 '--turn-lifetime 6 --turn-fault forget' --max-allocate-lifetime=6
    flowed
    keep dialer turn-expires
}

make_turn-given-back()
{
    turn_call 16 '--turn-fault give-back --turn-fault-after 6'
    flowed
    keep dialer turn-given-back
}

make_turn-wrong-user()
{
    turn_call 20 '--turn-lifetime 8 --turn-fault change-user --turn-fault-after 5' --max-allocate-lifetime=8 --user=another:secret
    flowed
    keep dialer turn-wrong-user
}

make_turn-allocate-again()
{
    turn_call 8 '--turn-fault allocate-again --turn-fault-after 4'
    flowed
    said 437
    keep dialer turn-allocate-again
}

make_turn-server-dies()
{
    local server
    relay_begins
    server=$started
    (sleep 8 && kill "$server") &
    relay_call 18
    end
    flowed
    keep dialer turn-server-dies
}

make_turn-tcp()
{
    turn_call 8 '--turn-transport tcp'
    flowed
    keep dialer turn-tcp
}

make_turn-tcp-refused()
{
    relay_begins --user-quota=1
    webrtc_agent turn --turn "$turn:3478" --hold 60 nobody
    wait_for held webrtc-turn
    relay_call 14 '--turn-transport tcp'
    end
    never_connected
    said 486
    keep dialer turn-tcp-refused
}

# A client without a call that asks for all that coturn refuses, one after the other.
make_turn-errors()
{
    begin
    start_turn --user=another:secret --user-quota=1 --denied-peer-ip=192.0.2.99 --no-tcp-relay
    in_space dialer timeout "$longest" /usr/bin/python3 "$here/turn-errors.py" $turn:3478 >"$tmp/turn-errors.log"
    end
    keep dialer turn-errors
}
