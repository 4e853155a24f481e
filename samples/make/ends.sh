# shellcheck shell=bash
# The two ends of a call: baresip, the dialer in the style of Asterisk, and a carrier played by SIPp.

# baresip_at SPACE ADDR USER PORTS ACCOUNT-OPTIONS: starts it and waits for its registration.
baresip_at()
{
    local dir=$tmp/baresip-$1
    mkdir -p "$dir"
    cat >"$dir/config" <<EOF
poll_method epoll
sip_listen $2:5060
audio_player aubridge,nowhere
audio_source ausine,440
audio_alert aubridge,nowhere
ausrc_srate 48000
ausrc_channels 2
rtp_ports $4
rtcp_mux no
dns_server $resolver:53
statmode_default off
cons_listen $2:5555
module_path $baresip_modules
module g711.so
module g726.so
module ausine.so
module aubridge.so
module stun.so
module ice.so
module cons.so
module_tmp account.so
module_app menu.so
EOF
    echo "<sip:$3@example.net>;auth_pass=none;outbound=\"sip:sip.example.net:5060\";regint=600;answermode=auto$5" \
        >"$dir/accounts"
    start "$1" "baresip-$1" stdbuf -oL baresip -4 -f "$dir"
    wait_for '200 OK' "baresip-$1"
}

baresip_dialer() { baresip_at dialer $dialer dialer1 10000-10999 ";audio_codecs=pcmu${1:-}"; }

baresip_phone() { baresip_at phone $phone agent1 20000-20999 ";audio_codecs=pcmu${1:-}"; }

command_to() # SPACE COMMAND: over baresip's UDP console
{
    # shellcheck disable=SC2016 # the inner shell expands it
    in_space "$1" bash -c 'printf "%s\n" "$1" >"/dev/udp/$2/5555"' command_to "$2" "${!1}"
}

call() # SECONDS
{
    command_to dialer "/dial sip:agent1@example.net"
    wait_for 'Call established' baresip-dialer
    sleep "$1"
    command_to dialer /hangup
}

asterisk_like_dialer() # ARGUMENT...: at the dialer, through the proxy
{
    in_space dialer timeout "$longest" "$tmp/asterisk-like-dialer" $dialer sip.example.net:5060 "$@"
}
