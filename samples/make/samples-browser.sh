# shellcheck shell=bash
# Samples of a call between two browsers: Chromium, with JsSIP as its SIP (browser-agent.js).

# JSSIP: JsSIP in one file, if it is there already.
need_browser()
{
    command -v chromium >/dev/null || die "this is missing: apt-get install --no-install-recommends chromium"
    if [[ -z ${JSSIP:-} ]]; then
        command -v npm >/dev/null || die "npm is missing, which JsSIP comes from"
        npm install --silent --no-audit --no-fund --prefix "$tmp/npm" jssip@3 esbuild || die "JsSIP does not come from npm"
        "$tmp/npm/node_modules/.bin/esbuild" "$tmp/npm/node_modules/jssip/lib/JsSIP.js" --bundle --format=iife --global-name=JsSIP \
            --log-level=error --outfile="$tmp/jssip.js"
    else
        cp "$JSSIP" "$tmp/jssip.js"
    fi
    cp "$here"/browser-agent.{html,js} "$tmp"
}

# browser SPACE QUERY: opens the page in an empty profile; the names of its maker are not looked up.
browser()
{
    local quiet="MAP *.googleapis.com ~NOTFOUND, MAP accounts.google.com ~NOTFOUND, MAP clients*.google.com ~NOTFOUND"
    start "$1" "browser-$1" env HOME="$tmp" SSLKEYLOGFILE="$tmp/$1.keys" chromium --headless --no-sandbox --disable-gpu --disable-quic \
        --no-first-run --disable-background-networking --disable-component-update --disable-sync --use-fake-device-for-media-stream \
        --use-fake-ui-for-media-stream --autoplay-policy=no-user-gesture-required --ignore-certificate-errors \
        --host-resolver-rules="$quiet" --enable-logging=stderr --user-data-dir="$tmp/profile-$1" "file://$tmp/browser-agent.html?$2"
}

# What the page said in the console; at most half a minute is waited for it.
browser_says() # SPACE PATTERN
{
    local i
    for ((i = 0; i < 300; i++)); do
        grep -qE "CONSOLE.*\"$2\"" "$tmp/browser-$1.log" 2>/dev/null && return
        sleep 0.1
    done
    die "the $1's browser never said \"$2\": $(grep CONSOLE "$tmp/browser-$1.log" | tail -n 3)"
}

# Segments as they go over a wire: the ClientHello, with its post-quantum key share, takes two.
no_offload()
{
    ip -n rtpw-dialer link set eth0 gso_max_segs 1
    ip -n rtpw-inet link set dialers gso_max_segs 1
    ip -n rtpw-inet link set relays gso_max_segs 1
    ip -n rtpw-turn link set eth0 gso_max_segs 1
}

# TURN over TLS, at port 443 as where a firewall leaves nothing else alone.
start_secure_turn()
{
    certificate turn turn.example.net
    start turn turn turnserver --no-cli --no-dtls -n --listening-ip=$turn --relay-ip=$turn --tls-listening-port=443 \
        --cert="$tmp/turn.pem" --pkey="$tmp/turn.key" --lt-cred-mech --realm=example.net --user=webrtc:secret \
        --log-file=stdout --pidfile="$tmp/turn2.pid" --userdb="$tmp/turndb2"
}

# Both ask the server that lies, and a relay inside TLS saves the call.
make_browser()
{
    local servers="stun=stun:stun.l.google.com:19302&turn=turns:turn.example.net:443?transport=tcp"
    need_browser
    begin secure_websocket
    no_offload
    start_liar
    start_secure_turn
    browser phone "user=agent1&$servers"
    browser_says phone registered
    browser dialer "user=dialer1&call=agent1&seconds=5&$servers"
    browser_says dialer 'ice connected dtls connected sent [1-9][0-9]{2} received [1-9][0-9]{2}'
    browser_says dialer 'ended .*'
    end
    browser_says dialer 'pair relay tls .* relay .*'
    keep dialer browser
    keep_keys browser
}
