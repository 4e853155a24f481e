# shellcheck shell=bash
# The servers on the internet.

start_dns()
{
    start inet dns dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv --no-hosts --bind-interfaces --log-facility=- \
        --listen-address=$resolver --local-ttl=300 --pid-file= --user=root --host-record=sip.example.net,$proxy \
        --host-record=stun.example.net,$honest --host-record=stun.l.google.com,$liar
    wait_for started dns
}

start_proxy()
{
    cat >"$tmp/kamailio.cfg" <<EOF
#!KAMAILIO
log_stderror=yes
auto_aliases=no
alias="example.net"
alias="sip.example.net"
listen=udp:$proxy:5060
disable_tcp=yes
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

start_stun()
{
    start inet coturn turnserver --stun-only --no-cli --no-tls --no-dtls --no-tcp -n --listening-ip=$honest --listening-port=3478 \
        --log-file=stdout --pidfile="$tmp/turn.pid" --userdb="$tmp/turndb"
}

start_liar()
{
    start inet liar "$tmp/lying-stun" $liar 19302 --lie-ip $lie
}
