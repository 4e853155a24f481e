# shellcheck shell=bash
# Captures: begin and end, and whether they hold what a page says.

capture() # SPACE FILE
{
    start "$1" "tcpdump-$2" tcpdump -i eth0 -n -U --immediate-mode -Z root -w "$tmp/$2.pcap" ip
    wait_for 'listening on' "tcpdump-$2"
    captures+=("$started")
}

# A fresh network with its servers, and a capture that begins before either end has said a word.
begin() # [websocket | secure_websocket]
{
    tear_down
    captures=()
    build_network
    dialer_nat
    phone_nat
    start_dns
    start_proxy "$@"
    start_stun
    capture dialer dialer
    capture phone phone
}

# The captures end before the programs do, so that no de-registration is in them.
end()
{
    local pid
    sleep 0.5
    for pid in "${captures[@]}"; do stop "$pid"; done
    tear_down
}

count() # FILE FILTER...
{
    tcpdump -n -r "$tmp/$1.pcap" "${@:2}" 2>/dev/null | wc -l
}

# keep FILE NAME [MOST]: the capture becomes the sample NAME, of at most so many bytes.
keep()
{
    local size
    ! grep -q '^[1-9][0-9]* packets dropped by kernel' "$tmp/tcpdump-$1.log" || die "$2: the capture lost packets"
    size=$(stat -c %s "$tmp/$1.pcap")
    ((size < ${3:-300000})) || die "$2: $size bytes is too much for a sample"
    cp "$tmp/$1.pcap" "$here/$2.pcap"
    say "$2.pcap: $size bytes"
}

# rtp FILE FROM TO LEAST MOST: a sample is only kept if the media did what its page says.
rtp()
{
    local n
    n=$(count "$1" "udp and src host $2 and dst host $3 and udp[8] & 0xc0 == 0x80 and udp[4:2] == 180")
    ((n >= $4 && n <= $5)) || die "$n RTP packets from $2 to $3 in the $1's capture, not $4 to $5"
}
