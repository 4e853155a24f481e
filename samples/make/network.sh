# shellcheck shell=bash
# The namespaces, the links between them, and the NATs.

link() # SPACE IF ADDR SPACE IF ADDR
{
    ip link add "$2" netns "rtpw-$1" type veth peer name "$5" netns "rtpw-$4"
    ip -n "rtpw-$1" addr add "$3" dev "$2"
    ip -n "rtpw-$4" addr add "$6" dev "$5"
    ip -n "rtpw-$1" link set "$2" up
    ip -n "rtpw-$4" link set "$5" up
}

build_network()
{
    local s
    for s in "${spaces[@]}"; do
        ip netns add "$s"
        ip -n "$s" link set lo up
        ip netns exec "$s" sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1 net.ipv4.ip_forward=1
    done
    link dialer eth0 $dialer/24 dnat lan 10.20.0.1/24
    link phone eth0 $phone/24 wnat lan 192.168.7.1/24
    link dnat wan $dialer_public/32 inet dialers 203.0.113.1/24
    link wnat wan $phone_public/32 inet phones 198.51.100.1/24
    link carrier eth0 $carrier/32 inet carriers 192.0.2.65/26
    link turn eth0 $turn/32 inet relays 192.0.2.57/29
    ip -n rtpw-dialer route add default via 10.20.0.1
    ip -n rtpw-phone route add default via 192.168.7.1
    ip -n rtpw-dnat route add default via 203.0.113.1 dev wan onlink
    ip -n rtpw-wnat route add default via 198.51.100.1 dev wan onlink
    ip -n rtpw-carrier route add default via 192.0.2.65 dev eth0 onlink
    ip -n rtpw-turn route add default via 192.0.2.57 dev eth0 onlink
    for s in $proxy $resolver $honest $liar; do ip -n rtpw-inet addr add "$s/32" dev lo; done
    # Private addresses and the lie lead nowhere, and silently, as on most of the internet.
    for s in 10.0.0.0/8 192.168.0.0/16 $lie; do ip -n rtpw-inet route add blackhole "$s"; done
    for s in rtpw-dialer rtpw-phone; do
        mkdir -p /etc/netns/$s
        echo "nameserver $resolver" >/etc/netns/$s/resolv.conf
    done
}

# The dialer's NAT, as on EC2: one public address for one host, every port, and (here) no security group.
dialer_nat()
{
    in_space dnat nft -f - <<EOF
table ip nat {
    chain in  { type nat hook prerouting priority dstnat; iifname wan ip daddr $dialer_public dnat to $dialer; }
    chain out { type nat hook postrouting priority srcnat; oifname wan ip saddr $dialer snat to $dialer_public; }
}
EOF
}

# The webphone's NAT masquerades, and lets in what comes for a media port whoever sent it (a "full cone").
phone_nat()
{
    in_space wnat nft -f - <<EOF
table ip nat {
    chain in  { type nat hook prerouting priority dstnat; iifname wan udp dport 20000-20999 dnat to $phone; }
    chain out { type nat hook postrouting priority srcnat; oifname wan masquerade; }
}
table ip filter {
    chain input { type filter hook input priority filter; iifname wan ct state new drop; }
}
EOF
}

# Another phone behind the webphone's NAT, with ports of its own that the NAT lets in: 192.168.72.20, ports 22000 to 22999.
add_phone() # 2 or 3
{
    link "phone$1" eth0 "192.168.7$1.20/24" wnat "lan$1" "192.168.7$1.1/24"
    ip -n "rtpw-phone$1" route add default via "192.168.7$1.1"
    in_space wnat nft add rule ip nat in iifname wan udp dport "2${1}000-2${1}999" dnat to "192.168.7$1.20"
}

# A stateless list, as a network ACL: SIP, DNS and STUN servers may answer; media may not come in.
block_media_to_dialer()
{
    in_space dnat nft -f - <<EOF
table ip acl {
    chain in { type filter hook prerouting priority raw; iifname wan udp sport != { 53, 3478, 5060, 19302 } counter drop; }
}
EOF
}

# A tunnel between the two offices' private networks: ICE's host candidates work there, and no NAT touches them.
private_link()
{
    link dnat vpn 10.99.0.1/30 wnat vpn 10.99.0.2/30
    ip -n rtpw-dnat route add 192.168.7.0/24 via 10.99.0.2
    ip -n rtpw-wnat route add 10.20.0.0/24 via 10.99.0.1
}
