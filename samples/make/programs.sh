# shellcheck shell=bash
# Programs that run in a namespace, bounded in time, and their end.

in_space() { ip netns exec "rtpw-$1" "${@:2}"; }

# start SPACE LOG COMMAND...: in the background, never longer than $longest; its pid is in $started.
start()
{
    ip netns exec "rtpw-$1" timeout -k 2 "$longest" "${@:3}" </dev/null >"$tmp/$2.log" 2>&1 &
    started=$!
    pids+=("$started")
}

stop() # PID: and waits for its end
{
    kill "$1" 2>/dev/null || true
    wait "$1" 2>/dev/null || true
}

wait_for() # TEXT LOG: at most five seconds
{
    local i
    for ((i = 0; i < 50; i++)); do
        grep -q -- "$1" "$tmp/$2.log" 2>/dev/null && return
        sleep 0.1
    done
    tail -n 20 "$tmp/$2.log" >&2 || true
    die "\"$1\" never came in $2.log"
}

tear_down()
{
    local i
    for ((i = ${#pids[@]} - 1; i >= 0; i--)); do stop "${pids[i]}"; done
    pids=()
    for i in "${spaces[@]}"; do
        if ip netns pids "$i" >/dev/null 2>&1; then ip netns del "$i" || true; fi
    done
    rm -rf /etc/netns/rtpw-dialer /etc/netns/rtpw-phone
    rmdir /etc/netns 2>/dev/null || true
}

clean_up()
{
    tear_down
    [[ -z ${KEEP:-} || -z $tmp ]] || { mkdir -p "$KEEP" && cp -r "$tmp/." "$KEEP/"; }
    [[ -z $tmp ]] || rm -rf "$tmp"
}
