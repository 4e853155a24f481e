/*
 * The sets of characters of RFC 3261 §25.1 that values are split at. A table, and no comparisons while reading: tags and branches mix
 * digits and letters, and each change from one to the other would be a mispredicted jump.
 */
#include "sip_parse.h"

#define LWS(c)       ((c) == ' ' || (c) == '\t' || (c) == '\r' || (c) == '\n')
#define VALUE_END(c) (LWS(c) || (c) == ';' || (c) == ',')
#define HOST_END(c)  (VALUE_END(c) || (c) == ':')
#define ALPHANUM(c)  (((c) >= '0' && (c) <= '9') || ((c) >= 'A' && (c) <= 'Z') || ((c) >= 'a' && (c) <= 'z'))
#define MARK(c)                                                                                                                  \
    ((c) == '-' || (c) == '.' || (c) == '!' || (c) == '%' || (c) == '*' || (c) == '_' || (c) == '+' || (c) == '`' ||             \
     (c) == '\'' || (c) == '~')

#define CLASS(c)                                                                                                                 \
    ((ALPHANUM(c) || MARK(c) ? SIP_TOKEN : 0) | (LWS(c) ? SIP_LWS : 0) | (VALUE_END(c) ? SIP_VALUE_END : 0) |                    \
     (VALUE_END(c) || (c) == '"' ? SIP_PARAM_END : 0) | (HOST_END(c) ? SIP_HOST_END : 0) |                                       \
     (HOST_END(c) || (c) == '?' ? SIP_URI_HOST_END : 0) | ((c) == '<' || (c) == ':' ? SIP_NAME_END : 0) |                        \
     (LWS(c) || (c) == '>' ? SIP_ANGLE_END : 0))
#define FOUR(c)    CLASS(c), CLASS((c) + 1), CLASS((c) + 2), CLASS((c) + 3)
#define SIXTEEN(c) FOUR(c), FOUR((c) + 4), FOUR((c) + 8), FOUR((c) + 12)

const uint8_t sip_class[256] = {
    SIXTEEN(0x00), SIXTEEN(0x10), SIXTEEN(0x20), SIXTEEN(0x30), SIXTEEN(0x40), SIXTEEN(0x50), SIXTEEN(0x60), SIXTEEN(0x70),
};
