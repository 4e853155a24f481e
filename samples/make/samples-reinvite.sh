# shellcheck shell=bash
# Samples of a call whose audio is moved to other ports by a re-INVITE of the dialer.

# audio_to_port PORT LEAST MOST: RTP from the webphone that arrives at this port of the dialer
audio_to_port()
{
    local n
    n=$(count dialer "udp and src host $phone_public and dst port $1 and udp[8] & 0xc0 == 0x80")
    ((n >= $2 && n <= $3)) || die "$n RTP packets at the dialer's port $1, not $2 to $3"
}

make_reinvite-moves()
{
    begin
    baresip_phone "$(honest)"
    asterisk_like_dialer -m 4 sip:dialer1@example.net sip:agent1@example.net stun.example.net:3478 8
    end
    audio_to_port 16384 180 220
    audio_to_port 16386 180 220
    rtp dialer $dialer $phone_public 380 420
    keep dialer reinvite-moves
}

make_reinvite-lost()
{
    begin
    baresip_phone "$(honest)"
    asterisk_like_dialer -m 4 -p sip:dialer1@example.net sip:agent1@example.net stun.example.net:3478 12
    end
    audio_to_port 16384 180 220
    audio_to_port 16386 0 0
    rtp phone $phone $dialer 350 420
    rtp dialer $dialer $phone_public 580 620
    keep dialer reinvite-lost
}
