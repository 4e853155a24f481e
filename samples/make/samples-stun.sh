# shellcheck shell=bash
# Samples of one call between two WebRTC agents that ask a STUN server which does not lie and is of no use.

# Both are refused, so that both have private addresses alone.
make_stun-error()
{
    local stun=stun.l.google.com:19302
    begin websocket
    start_liar --error "${STUN_ERROR:-420}"
    webrtc_call 10 "$sparse" "$sparse"
    end
    never_connected
    keep dialer stun-error
}

# Two calls: nobody is answered in the first seconds, and everybody afterwards.
make_stun-late()
{
    local stun=stun.l.google.com:19302
    begin websocket
    start_liar --silent-for 14
    webrtc_call 10 "$sparse" "$sparse"
    never_connected
    webrtc_call 8 "$sparse" "$sparse"
    end
    flowed
    keep dialer stun-late
}
