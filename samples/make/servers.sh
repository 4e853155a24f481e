# shellcheck shell=bash
# The servers on the internet.

start_dns()
{
    start inet dns dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv --no-hosts --bind-interfaces --log-facility=- \
        --listen-address=$resolver --local-ttl=300 --pid-file= --user=root --host-record=sip.example.net,$proxy \
        --host-record=stun.example.net,$honest --host-record=stun.l.google.com,$liar \
        --host-record=turn.example.net,$turn
    wait_for started dns
}

websocket_config()
{
    cat <<EOF
tcp_children=1
tcp_accept_no_cl=yes
listen=tcp:$proxy:80
loadmodule "xhttp.so"
loadmodule "websocket.so"
event_route[xhttp:request] {
    if (\$hdr(Upgrade) =~ "websocket") ws_handle_handshake();
    else xhttp_reply("404", "Not Found", "", "");
}
EOF
}

certificate() # NAME HOST: NAME.key and NAME.pem
{
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$2" -days 365 -keyout "$tmp/$1.key" \
        -out "$tmp/$1.pem" 2>/dev/null || die "no certificate for $2"
    chmod 644 "$tmp/$1.key" # servers that run as others read it
}

# The same over TLS, at port 443.
secure_websocket_config()
{
    certificate proxy sip.example.net
    cat <<EOF
enable_tls=yes
loadmodule "tls.so"
modparam("tls", "tls_method", "TLSv1.2+")
modparam("tls", "private_key", "$tmp/proxy.key")
modparam("tls", "certificate", "$tmp/proxy.pem")
listen=tls:$proxy:443
EOF
    websocket_config
}

start_proxy() # [websocket | secure_websocket]: and SIP over WebSocket at port 80, or 443 as well
{
    local transport=disable_tcp=yes
    [[ $# -eq 0 ]] || transport="$("$1_config")"
    cat >"$tmp/kamailio.cfg" <<EOF
#!KAMAILIO
log_stderror=yes
auto_aliases=no
alias="example.net"
alias="sip.example.net"
listen=udp:$proxy:5060
children=1
mpath="$kamailio_modules"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "siputils.so"
loadmodule "nathelper.so"
$transport
modparam("nathelper|registrar", "received_avp", "\$avp(received)")
request_route {
    force_rport();
    if (\$rm == "REGISTER") {
        fix_nated_register();
        save("location");
        exit;
    }
    if (has_totag()) {
        if (loose_route()) {
            handle_ruri_alias();
            t_relay();
        }
        exit;
    }
    if (\$rm == "CANCEL") {
        t_relay();
        exit;
    }
    set_contact_alias();
    record_route();
    if (\$rU =~ "^1800") {
        \$du = "sip:$carrier:5060";
        t_relay();
        exit;
    }
    if (!lookup("location")) {
        sl_send_reply("404", "Not Found");
        exit;
    }
    t_relay();
}
onreply_route {
    if (\$ct != \$null) set_contact_alias();
}
EOF
    start inet kamailio kamailio -DD -E -f "$tmp/kamailio.cfg" -m 32 -M 4 -Y "$tmp" -w "$tmp"
    wait_for 'init_mod_usrloc\|listening\|udp:' kamailio
}

start_turn() # OPTION...: coturn as a TURN server, with the account webrtc
{
    start turn turn turnserver --no-cli --no-tls --no-dtls -n --listening-ip=$turn --relay-ip=$turn --listening-port=3478 \
        --lt-cred-mech --realm=example.net --user=webrtc:secret --log-file=stdout --pidfile="$tmp/turn2.pid" --userdb="$tmp/turndb2" "$@"
}

start_stun()
{
    start inet coturn turnserver --stun-only --no-cli --no-tls --no-dtls --no-tcp -n --listening-ip=$honest --listening-port=3478 \
        --log-file=stdout --pidfile="$tmp/turn.pid" --userdb="$tmp/turndb"
}

start_liar() # [OPTION...]: by default it lies
{
    [[ $# -gt 0 ]] || set -- --lie-ip $lie
    start inet liar "$tmp/lying-stun" $liar 19302 "$@"
}
