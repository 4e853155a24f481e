/* The part of sdp.c that reads how the RTP of an m-line is told apart: formats' roles, SSRCs, header extensions. */
#ifndef RW_DISSECTORS_SDP_RTP_H
#define RW_DISSECTORS_SDP_RTP_H

#include "dissectors/sdp_parse.h"

enum sdp_rtp { SDP_RTP_FINE, SDP_RTP_BROKEN, SDP_RTP_FULL /* more than are kept */ };

/* Reads the value of one attribute of `m`. */
enum sdp_rtp sdp_rtp_fmtp(struct sdp_media *m, struct sdp_rest *value);
enum sdp_rtp sdp_rtp_extmap(struct sdp_media *m, struct sdp_rest *value);
enum sdp_rtp sdp_rtp_ssrc(struct sdp_media *m, struct sdp_rest *value);
enum sdp_rtp sdp_rtp_ssrc_group(struct sdp_media *m, struct sdp_rest *value);
enum sdp_role sdp_rtp_role(struct span encoding);

#endif
