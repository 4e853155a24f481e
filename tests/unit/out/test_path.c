/* text_path.c, json_path.c: two calls that are legs of one path, as they are told. */
#include <stdlib.h>

#include "out/out.h"
#include "support/pbx.h"

static char *told;

static void close_all(void)
{
    free(told);
    pbx_close();
}

TestSuite(path, .init = pbx_open, .fini = close_all);

static bool as_text(const struct out_report *r, FILE *to)
{
    return out_text(r, &(struct text_style){ .width = 1000 }, to);
}

static void tell(bool (*write)(const struct out_report *r, FILE *to))
{
    struct capture_input input = { .path = "pbx.pcap" };
    const struct capture_input *inputs[] = { &input };
    struct out_report r = { .report = &pbx.report, .faults = &pbx.s->faults, .inputs = inputs, .inputs_n = 1, .version = "0" };
    FILE *to = tmpfile();
    long n;

    cr_assert_not_null(to);
    pbx_judge();
    cr_assert(write(&r, to));
    n = ftell(to);
    told = calloc((size_t)n + 1, 1);
    cr_assert_not_null(told);
    rewind(to);
    cr_assert_eq(fread(told, 1, (size_t)n, to), (size_t)n);
    fclose(to);
}

static void says(const char *text)
{
    cr_expect(strstr(told, text) != NULL, "lacks: %s\n%s", text, told);
}

static void says_not(const char *text)
{
    cr_expect(strstr(told, text) == NULL, "says: %s\n%s", text, told);
}

/* What the PBX sends to the carrier is not heard there. */
static void carrier_is_deaf(void)
{
    voice_of(AGENT_RTP, PBX_IN, 1);
    voice_of(PBX_OUT, CARRIER_RTP, 2);
    voice_of(CARRIER_RTP, PBX_OUT, 3);
    voice_of(PBX_IN, AGENT_RTP, 4);
    story_report(pbx.s, CARRIER ":50001", PBX ":12001", 3, 0);
    story_pass(pbx.s, 20000);
}

Test(path, text_of_one_leg_that_failed)
{
    both_legs();
    carrier_is_deaf();
    tell(as_text);
    says("  Path   dialer -> " PBX " -> agent: The audio of dialer is lost between " PBX " and agent.\n"
         "         Legs: leg-1@agent (ok) and leg-2@pbx (one_way by X-Call-ID, frame 5).\n");
}

Test(path, text_of_calls_that_are_not_linked)
{
    agent_calls(NULL, NULL);
    pbx_calls_carrier(NULL, NULL);
    carrier_is_deaf();
    tell(as_text);
    says("NO AUDIO one way");
    says_not("  Path");
}

/* The other call that failed began between the two legs, and is told after them. */
Test(path, text_of_two_legs_that_failed)
{
    const char *first, *second, *between;

    agent_calls(NULL, NULL);
    pbx_call("between@agent", AGENT ":5062", PBX_SIP, NULL, NULL);
    story_up(pbx.s, SAYS(AGENT ":41000"), SAYS(PBX ":11000"));
    voice_of(PBX ":11000", AGENT ":41000", 5);
    pbx_calls_carrier("X-Call-ID", LEG_IN);
    voice_of(PBX_OUT, CARRIER_RTP, 2);
    voice_of(PBX_IN, AGENT_RTP, 4);
    story_pass(pbx.s, 20000);
    tell(as_text);
    first = strstr(told, "Call-ID leg-1@agent");
    second = strstr(told, "Call-ID leg-2@pbx");
    between = strstr(told, "Call-ID between@agent");
    cr_assert(first && second && between, "%s", told);
    cr_expect(first < second && second < between, "%s", told);
    says("  Path   As said above.\n");
}

Test(path, json_of_one_leg_that_failed)
{
    both_legs();
    carrier_is_deaf();
    tell(out_json);
    says("\"linked\":[{\"id\":\"leg-2@pbx\",\"by\":\"header\",\"header\":\"X-Call-ID\",\"frame\":\"5\"}],"
         "\"path\":{\"from\":\"dialer\",\"to\":\"agent\",\"legs\":[\"leg-1@agent\",\"leg-2@pbx\"],"
         "\"lost\":[{\"direction\":\"forward\",\"where\":\"leg\",\"leg\":\"leg-2@pbx\","
         "\"text\":\"The audio of dialer is lost between " PBX " and agent.\"}]}");
    says("\"linked\":[{\"id\":\"leg-1@agent\",");
}

Test(path, json_of_calls_that_are_not_linked)
{
    agent_calls(NULL, NULL);
    pbx_calls_carrier(NULL, NULL);
    tell(out_json);
    says("\"linked\":[],\"path\":null");
    says_not("\"by\"");
}

Test(path, what_came_from_the_network_is_made_safe)
{
    pbx_call("leg-1\x1b[2J", AGENT_SIP, PBX_SIP, NULL, NULL);
    story_up(pbx.s, SAYS(AGENT_RTP), SAYS(PBX_IN));
    pbx_calls_carrier("X-Call-ID", "leg-1\x1b[2J");
    carrier_is_deaf();
    tell(as_text);
    says("leg-1\\x1b[2J (ok)");
    says_not("\x1b");
    report_done(&pbx.report);
    free(told);
    tell(out_json);
    says("\"legs\":[\"leg-1\\\\x1b[2J\",");
}
