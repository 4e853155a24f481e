# shellcheck shell=bash
# Samples of one call between two baresips.

honest() { printf ';stunserver="%s";medianat=%s' "$honest_stun" "${1:-stun}"; }

lied_to() { printf ';stunserver="%s";medianat=%s' "$lying_stun" "${1:-stun}"; }

make_healthy-nat()
{
    begin
    baresip_phone "$(honest)"
    baresip_dialer "$(honest)"
    call 8
    end
    rtp dialer $dialer $phone_public 350 450
    rtp dialer $phone_public $dialer 350 450
    keep dialer healthy-nat
}

make_incident()
{
    begin
    start_liar
    baresip_phone "$(honest)"
    baresip_dialer "$(lied_to)"
    call 11
    end
    rtp dialer $dialer $phone_public 500 600
    rtp dialer $phone_public $dialer 0 0
    rtp phone $phone $lie 500 600
    keep dialer incident
}

make_incident-rfc3489()
{
    begin
    start_liar
    baresip_phone "$(honest)"
    asterisk_like_dialer sip:dialer1@example.net sip:agent1@example.net stun.l.google.com:19302 11
    end
    rtp dialer $dialer $phone_public 500 600
    rtp dialer $phone_public $dialer 0 0
    rtp phone $phone $lie 500 600
    keep dialer incident-rfc3489
}

make_ice-recovers()
{
    begin
    private_link
    start_liar
    baresip_phone "$(honest ice)"
    baresip_dialer "$(lied_to ice)"
    call 8
    end
    rtp dialer $dialer $phone 300 450
    rtp dialer $phone $dialer 250 450
    keep dialer ice-recovers
}

make_firewall()
{
    begin
    block_media_to_dialer
    baresip_phone "$(honest)"
    baresip_dialer "$(honest)"
    call 11
    end
    rtp dialer $dialer $phone_public 500 600
    rtp dialer $phone_public $dialer 0 0
    rtp phone $phone $dialer_public 500 600
    keep dialer firewall
}

make_hold()
{
    begin
    baresip_phone "$(honest)"
    baresip_dialer "$(honest)"
    command_to dialer "/dial sip:agent1@example.net"
    wait_for 'Call established' baresip-dialer
    sleep 3
    command_to dialer /hold
    sleep 3
    command_to dialer /resume
    sleep 6
    command_to dialer /hangup
    end
    rtp dialer $dialer $phone_public 400 500
    rtp dialer $phone_public $dialer 400 500
    keep dialer hold
}

make_private-address()
{
    begin
    baresip_phone
    baresip_dialer "$(honest)"
    call 8
    end
    rtp dialer $dialer $phone 350 450
    rtp dialer $phone_public $dialer 350 450
    rtp phone $dialer_public $phone 0 0
    keep dialer private-address
}

make_webphone-lie()
{
    begin
    start_liar
    baresip_phone "$(lied_to)"
    baresip_dialer "$(honest)"
    call 8
    end
    rtp dialer $dialer $lie 350 450
    rtp dialer $phone_public $dialer 350 450
    rtp phone $dialer_public $phone 0 0
    keep dialer webphone-lie
    keep phone webphone-lie-client
}

make_webphone-lie-client() { make_webphone-lie; } # one call, two captures

make_ice-lie()
{
    begin
    start_liar
    baresip_phone "$(lied_to ice)"
    baresip_dialer "$(lied_to ice)"
    command_to dialer "/dial sip:agent1@example.net"
    sleep 14 # the checks to both candidates of both components run out
    command_to dialer /hangup
    end
    rtp dialer $dialer $lie 0 0
    rtp dialer $dialer $phone 0 0
    rtp phone $phone $lie 0 0
    keep dialer ice-lie
}
