# shellcheck shell=bash
# Samples of a transfer: an agent asks the dialer to call a second agent instead (REFER), and leaves.

readonly quiet=";audio_codecs=G726-16" # small packets: three directions at a time are a lot for a sample

start_transfer_ends() # ACCOUNT-OPTIONS of the dialer
{
    add_phone 2
    baresip_at phone "$phone" agent1 20000-20999 "$quiet$(honest)"
    baresip_at phone2 192.168.72.20 agent2 22000-22999 "$quiet$(honest)"
    baresip_at dialer "$dialer" dialer1 10000-10999 "$quiet$1"
    command_to dialer "/dial sip:agent1@example.net"
    wait_for 'Call established' baresip-dialer
    sleep 4
}

# baresip's agent closes its sockets when it is told that the transfer went well, without a BYE; the dialer's goes on sending there.
transfer() # SECONDS that the second call lasts
{
    command_to phone "/transfer sip:agent2@example.net"
    wait_for 'Call established: sip:agent2' baresip-dialer
    sleep "$1"
    command_to dialer /hangup
}

# leg DIRECTION PORTS LEAST MOST: RTP at the dialer that goes to (dst) or comes from (src) an agent, by the agent's ports
leg()
{
    local n
    n=$(count dialer "udp and $1 host $phone_public and $1 portrange $2 and udp[8] & 0xc0 == 0x80 and udp[4:2] == 60")
    ((n >= $3 && n <= $4)) || die "$n RTP packets at the dialer, $1 the agent's ports $2, not $3 to $4"
}

make_transfer()
{
    begin
    start_transfer_ends "$(honest)"
    transfer 7
    end
    leg src 20000-20999 180 240
    leg dst 20000-20999 500 640
    leg src 22000-22999 330 400
    leg dst 22000-22999 330 400
    keep dialer transfer
}

# The dialer's STUN server begins to lie while the first call lasts.
make_transfer-lie()
{
    local was_honest
    begin
    start_liar --silent-for 0
    was_honest=$started
    start_transfer_ends "$(lied_to)"
    stop "$was_honest"
    start_liar
    sleep 0.3
    transfer 8
    end
    leg src 20000-20999 180 240
    leg src 22000-22999 0 0
    leg dst 22000-22999 380 450
    keep dialer transfer-lie
}
