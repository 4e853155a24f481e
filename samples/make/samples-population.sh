# shellcheck shell=bash
# A population: many calls of one dialer, of which those that asked one of its two STUN servers fail.

# Three agents behind one NAT, each with ports of its own that the NAT lets in.
start_agents()
{
    local i
    baresip_at phone "$phone" agent1 20000-20999 ";audio_codecs=G726-16$(honest)"
    for i in 2 3; do
        add_phone $i
        baresip_at phone$i 192.168.7$i.20 agent$i 2${i}000-2${i}999 ";audio_codecs=G726-16$(honest)"
    done
}

# A carrier's gateway with a public address: SIPp answers, and plays G.729 to where the SDP says.
start_carrier()
{
    head -c 6000 /dev/zero | tr '\0' U >"$tmp/voice.g729"
    cat >"$tmp/carrier.xml" <<EOF2
<?xml version="1.0" encoding="ISO-8859-1" ?>
<scenario name="carrier">
  <recv request="INVITE" rrs="true"/>
  <send><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_Record-Route:]
[last_From:]
[last_To:];tag=[pid]c[call_number]
[last_Call-ID:]
[last_CSeq:]
Contact: <sip:carrier@[local_ip]:[local_port]>
User-Agent: SIPp
Content-Type: application/sdp
Content-Length: [len]

v=0
o=- 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [media_ip]
t=0 0
m=audio [rtpstream_audio_port] RTP/AVP 18
a=rtpmap:18 G729/8000
a=ptime:20
]]></send>
  <recv request="ACK"/>
  <nop><action><exec rtp_stream="$tmp/voice.g729,-1,18,G729/8000"/></action></nop>
  <recv request="BYE"/>
  <send><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:]
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0

]]></send>
</scenario>
EOF2
    # A process for each call: SIPp 3.6 plays an rtp_stream in the first call only, unless calls overlap.
    start carrier sipp bash -c 'while sipp -sf "$1" -i "$2" -mi "$2" -p 5060 -nostdin -m 1; do :; done' carrier \
        "$tmp/carrier.xml" "$carrier"
}

# Every account calls every destination four times; one of the four asks the liar. One call at a time for each destination.
population_calls()
{
    local to round account stun n=0
    local destinations=(agent1 agent2 agent3 18005550142) codecs=(g726 g726 g726 g729)
    for ((round = 0; round < 16; round++)); do
        for to in 0 1 2 3; do
            account=$((round % 4))
            stun=stun.example.net:3478
            ((round / 4 != (to + account) % 4)) || stun=stun.l.google.com:19302
            echo "$((n++ * 1075)) -c ${codecs[to]} sip:dialer$((account + 1))@example.net sip:${destinations[to]}@example.net $stun 3"
        done
    done
}

# Of each call, by the dialer's port: RTP that leaves, and RTP that comes from there, which is none where the liar was asked.
check_population()
{
    tcpdump -n -r "$tmp/dialer.pcap" 'udp[8] & 0xc0 == 0x80 and not port 5060' 2>/dev/null |
        awk -v me="$dialer" '{ sub(":$", "", $5); split($3, a, "."); split($5, b, ".")
                 if (index($3, me ".") == 1) { out[a[5]]++; told[a[5]] = $5 }
                 else if ($3 == told[b[5]]) into[b[5]]++ }
             END { for (port = 16384; port < 16384 + 4 * 64; port += 4) print port, out[port] + 0, into[port] + 0 }' \
            >"$tmp/counts"
    paste -d' ' "$tmp/counts" "$tmp/calls" | awk '
        { lied = /stun.l.google.com/; if ($2 < 45 || (lied ? $3 != 0 : $3 < 45)) { print "bad: " $0; bad = 1 } n++ }
        END { exit bad || n != 64 }' >&2 || die "population: the media did not do what the page says"
}

make_population()
{
    begin
    start_liar
    start_agents
    start_carrier
    population_calls >"$tmp/calls"
    asterisk_like_dialer - <"$tmp/calls"
    end
    check_population
    keep dialer population 1500000
}
