/* Where words, numbers and the names of attributes end. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "dissectors/sdp.h"

static struct sdp out;
static struct faults why;

static enum dis dissect(const char *text)
{
    struct rd r = rd_init(span_str(text), strlen(text));

    memset(&why, 0, sizeof why);
    return sdp_dissect(&r, &out, &why);
}

/* Behind a session part and an m= line with nothing wrong. */
static void dissect_attributes(const char *lines)
{
    static char text[1024]; /* the spans in `out` point into it */
    int n = snprintf(text, sizeof text,
                     "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
                     "m=audio 1000 RTP/AVP 0\r\n%s",
                     lines);

    cr_assert(n > 0 && (size_t)n < sizeof text);
    cr_assert_eq(dissect(text), DIS_OK);
}

static bool only_fault(enum fault_id id)
{
    return why.n == 1 && why.v[0].id == id;
}

Test(sdp_names, a_version_is_all_of_its_word)
{
    cr_assert_eq(dissect("v=0\r\no=- 1 7x IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\n"), DIS_OK);
    cr_assert(out.version == 0 && only_fault(FAULT_SDP_FIELD));
    cr_assert_eq(dissect("v=0\r\no=-  1  00000000000000000000000007 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\n"), DIS_OK);
    cr_assert(out.version == 7 && why.n == 0);
}

/* 0x1a is a colon but for the bit that tells small letters from capital ones. */
Test(sdp_names, an_attribute_without_a_name)
{
    dissect_attributes("a=\x1ax\r\n");
    cr_assert_eq(why.n, 0);
    dissect_attributes("a=:x\r\n");
    cr_assert(only_fault(FAULT_SDP_FIELD));
    dissect_attributes("a=\r\n");
    cr_assert(only_fault(FAULT_SDP_FIELD));
}

Test(sdp_names, names_that_only_begin_alike_are_others)
{
    dissect_attributes("a=rtcpx:9\r\na=mi:1\r\na=midi:2\r\na=ptime :20\r\na=sendrecvx\r\na=Rtcp-mux\r\n");
    cr_assert_eq(why.n, 0);
    cr_assert(out.media[0].rtcp.port == 0 && !out.media[0].mid.n && out.media[0].ptime_ms == 0);
    cr_assert(!out.media[0].has_dir && !out.media[0].rtcp_mux);
}

/* What is missing of a section is told of its last line, whatever empty ones follow. */
Test(sdp_names, where_a_fault_is)
{
    static const char text[] = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\nm=audio 1000 RTP/AVP 0\r\n\r\n\r\n";

    cr_assert_eq(dissect(text), DIS_OK);
    cr_assert(only_fault(FAULT_SDP_FIELD));
    cr_assert_eq(why.v[0].at, (size_t)(strstr(text, "m=") - text));
}
