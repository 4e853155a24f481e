/* One session as text: what failed, each direction, why, what to do, and what was advertised. */
#include "out/text_private.h"

enum { WHY_SHOWN = 8, FRAMES_SHOWN = 3, CANDIDATES_SHOWN = 12, CALL_ID = 32, LABEL_MAX = 40, BODY = 9 };

/* ---- who, when ---- */

static const char *loud_kind(const struct session_finding *f)
{
    const char *loud = "AUDIO"; /* where no direction tells */

    for (size_t i = 0; i < f->directions_n; i++) {
        const struct direction_finding *d = &f->direction[i];

        if (d->verdict != DIR_NOT_RECEIVED && d->verdict != DIR_NOT_SENT)
            continue;
        if (d->kind == SDP_AUDIO)
            return "AUDIO";
        loud = d->kind == SDP_VIDEO ? "VIDEO" : "MEDIA";
    }
    return loud;
}

static void put_failure(const struct text *t, const struct session_finding *f, struct strbuf *b)
{
    struct strbuf words = { 0 };

    if (f->verdict == VERDICT_SETUP_FAILED)
        strbuf_add(&words, "SETUP FAILED");
    else
        strbuf_fmt(&words, "NO %s%s", loud_kind(f), f->verdict == VERDICT_ONE_WAY ? " one way" : "");
    text_ink(t, b, INK_FAILED, strbuf_str(&words));
    strbuf_done(&words);
}

static void put_parties(const struct text *t, struct session_finding *f, struct strbuf *b)
{
    text_ink(t, b, INK_BOLD, party_name(f->call, CALLER, f));
    strbuf_add(b, " -> ");
    text_ink(t, b, INK_BOLD, party_name(f->call, CALLEE, f));
}

static void put_call_id(const struct session_finding *f, const char *label, struct strbuf *b)
{
    char one[ADDR_TEXT], other[ADDR_TEXT];

    if (f->call->kind == SESSION_RTP) {
        strbuf_fmt(b, "RTP alone, %s and %s", addr_text(&f->call->sdps->media->addr, one),
                   addr_text(&f->call->sdps->next->media->addr, other));
        return;
    }
    if (f->call->kind != SESSION_SIP) {
        strbuf_add(b, "no signalling seen");
        return;
    }
    strbuf_add(b, label);
    if (*f->call->call_id)
        text_shortened(b, f->call->call_id, CALL_ID);
    else
        strbuf_add(b, "(none)");
}

/* When it began and how long it lasted, from the answer where there was one. */
static void put_time(const struct text *t, const struct session_finding *f, struct strbuf *b)
{
    int64_t from = f->answered.frame ? f->answered.ns : f->started.ns;

    text_clock(t, b, f->started.ns);
    strbuf_add(b, ", ");
    text_duration(b, (f->ended.frame ? f->ended.ns : t->r->report->now_ns) - from);
    if (!f->ended.frame)
        strbuf_add(b, " until the capture ends");
}

static void headline(struct text *t, struct session_finding *f)
{
    struct strbuf b = { 0 };

    put_failure(t, f, &b);
    strbuf_add(&b, "   ");
    put_parties(t, f, &b);
    strbuf_add(&b, "   ");
    put_call_id(f, "Call-ID" HARD_BLANK, &b);
    strbuf_add(&b, "   ");
    put_time(t, f, &b);
    text_paragraph(t, "", 0, strbuf_str(&b));
    strbuf_done(&b);
}

/* ---- directions ---- */

static void put_places(const struct place *p, size_t n, struct strbuf *b)
{
    char buf[ADDR_TEXT];

    for (size_t i = 0; i < n && i < 2; i++)
        strbuf_fmt(b, "%s%s", i ? " and " : "", addr_text(&p[i].addr, buf));
    if (n > 2)
        strbuf_fmt(b, " and %zu more", n - 2);
}

/* "556 packets to 198.51.100.20:20648", or that there were none. */
static void put_packets(const struct direction_finding *d, struct strbuf *b)
{
    bool few = d->verdict == DIR_NOT_RECEIVED && d->received;

    if (d->received) {
        text_count(b, d->received, "packet", NULL);
        strbuf_add(b, " arrived from ");
        put_places(d->received_from, d->received_from_n, b);
    } else if (d->sent) {
        text_count(b, d->sent, "packet", NULL);
        strbuf_add(b, " to ");
        put_places(d->sent_to, d->sent_to_n, b);
    } else {
        strbuf_add(b, d->received_seen ? "nothing arrived" : d->sent_seen ? "nothing was sent" : "no packet is seen here");
    }
    if (d->expected_packets && (few || !(d->received || d->sent))) {
        strbuf_add(b, " (about ");
        text_count(b, d->expected_packets, "packet", NULL);
        strbuf_add(b, " expected)");
    }
}

static void put_outcome(const struct direction_finding *d, struct strbuf *b)
{
    static const char *const words[DIRECTIONS_N] = {
        [DIR_RECEIVED] = ", received: ",         [DIR_NOT_RECEIVED] = ", not received: ",          [DIR_NOT_SENT] = ": ",
        [DIR_NOT_EXPECTED] = ", not expected: ", [DIR_UNKNOWN] = ", not known whether received: ",
    };
    const char *word = words[d->verdict];

    if (d->verdict == DIR_RECEIVED && d->received)
        return; /* "arrived" says it */
    if (d->verdict == DIR_NOT_RECEIVED && !d->received && !d->sent) {
        if (strcmp(d->why, "nothing arrived") == 0)
            return;
        word = ": ";
    } else if (d->verdict == DIR_RECEIVED && d->weak) {
        word = ", received as far as is seen here: ";
    } else if (d->verdict == DIR_NOT_RECEIVED && d->received) {
        word = d->stopped.frame ? "; " : "; for a part of the call ";
    }
    strbuf_add(b, word);
    strbuf_add(b, d->why);
}

#define TOLD_LOSS_PERCENT 1.0
#define TOLD_MOS          3.6 /* below it, "some users dissatisfied" ends and "many" begins (G.109) */

/* ", 3.2 % lost, jitter 14 ms, MOS 3.4": only where it tells something. */
static void put_quality(const struct text *t, const struct direction_finding *d, struct strbuf *b)
{
    if (d->has_quality && (d->loss_percent >= TOLD_LOSS_PERCENT || (d->mos > 0 && d->mos < TOLD_MOS))) {
        strbuf_fmt(b, ", %.1f" HARD_BLANK "%% lost", d->loss_percent);
        if (d->jitter_ms >= 0)
            strbuf_fmt(b, ", jitter %.0f" HARD_BLANK "ms", d->jitter_ms);
        if (d->mos > 0)
            strbuf_fmt(b, ", MOS" HARD_BLANK "%.1f", d->mos);
        if (d->quality.by_rtcp)
            strbuf_add(b, " (RTCP)");
    }
    if (d->stopped.frame && !d->resumed.frame) {
        strbuf_add(b, " (frame" HARD_BLANK);
        out_frame(t->r, d->stopped.frame, b);
        strbuf_add(b, ")");
    }
}

static bool several_media(const struct session_finding *f)
{
    for (size_t i = 1; i < f->directions_n; i++)
        if (f->direction[i].media != f->direction[0].media)
            return true;
    return false;
}

static void put_label(struct session_finding *f, const struct direction_finding *d, struct strbuf *b)
{
    strbuf_fmt(b, "  %s -> %s", party_name(f->call, d->from, f), party_name(f->call, d->to, f));
    if (several_media(f))
        strbuf_fmt(b, " %s", sdp_kind_name(d->kind));
}

static bool worth_telling(const struct direction_finding *d)
{
    return d->verdict != DIR_NOT_EXPECTED || d->sent || d->received;
}

static void directions(struct text *t, struct session_finding *f)
{
    struct strbuf label = { 0 }, b = { 0 };
    size_t indent = 0;

    for (size_t i = 0; i < f->directions_n; i++) {
        size_t wide;

        strbuf_clear(&label);
        put_label(f, &f->direction[i], &label);
        wide = text_columns(strbuf_str(&label)) + 2;
        indent = worth_telling(&f->direction[i]) && wide > indent && wide <= LABEL_MAX ? wide : indent;
    }
    for (size_t i = 0; i < f->directions_n; i++) {
        if (!worth_telling(&f->direction[i]))
            continue;
        strbuf_clear(&label);
        strbuf_clear(&b);
        put_label(f, &f->direction[i], &label);
        put_packets(&f->direction[i], &b);
        put_outcome(&f->direction[i], &b);
        put_quality(t, &f->direction[i], &b);
        text_paragraph(t, strbuf_str(&label), indent, strbuf_str(&b));
    }
    strbuf_done(&label);
    strbuf_done(&b);
}

/* ---- why ---- */

static const char *const kinds[] = { "dtls", "mapping", "passage", "sdp", "check", "icmp", "rtcp", "media" };
enum { KINDS = sizeof kinds / sizeof *kinds, RANK_NOTE = KINDS + 1, RANKS };

/* What a server was asked and said is the reason itself where that is why media is missing, and else the way to it. */
static bool is_reason(const struct session_finding *f, const struct evidence *e)
{
    bool asked = f->cause == CAUSE_TURN_FAILED || f->cause == CAUSE_STUN_ERROR || f->cause == CAUSE_STUN_UNANSWERED;

    return asked && strcmp(e->kind, "stun") == 0;
}

/* How much a kind of evidence tells a reader; what is not listed comes before the notes. */
static unsigned rank(const struct session_finding *f, const struct evidence *e)
{
    unsigned i = 0;

    if (is_reason(f, e))
        return 0;
    while (i < KINDS && strcmp(e->kind, kinds[i]) != 0)
        i++;
    return i < KINDS ? i : strcmp(e->kind, "note") == 0 ? RANK_NOTE : KINDS;
}

static bool told_before(const struct session_finding *f, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(f->evidence[i].text, f->evidence[n].text) == 0)
            return true;
    return false;
}

/* The most telling sentences, each once. */
static void choose(const struct session_finding *f, bool chosen[EVIDENCE_KEPT])
{
    size_t left = WHY_SHOWN;

    for (unsigned r = 0; r < RANKS; r++)
        for (size_t i = 0; i < f->evidence_n && left; i++)
            if (rank(f, &f->evidence[i]) == r && !told_before(f, i)) {
                chosen[i] = true;
                left--;
            }
}

/* "frame 9", "frames 15, 30 and 44": all that say the same. */
static void put_frames(const struct text *t, const struct session_finding *f, size_t first, struct strbuf *b)
{
    size_t same[EVIDENCE_KEPT], n = 0;

    for (size_t i = first; i < f->evidence_n; i++)
        if (f->evidence[i].at.frame && strcmp(f->evidence[i].text, f->evidence[first].text) == 0)
            same[n++] = i;
    strbuf_add(b, n > 1 ? "frames" HARD_BLANK : "frame" HARD_BLANK);
    for (size_t i = 0; i < n && i < FRAMES_SHOWN; i++) {
        strbuf_add(b, i == 0 ? "" : i + 1 == n ? " and " : ", ");
        out_frame(t->r, f->evidence[same[i]].at.frame, b);
    }
    if (n > FRAMES_SHOWN)
        strbuf_fmt(b, " and %zu more", n - FRAMES_SHOWN);
}

/* The sentence with its frame in brackets at the end; brackets that already end it take it up. */
static void put_sentence(const struct text *t, const struct session_finding *f, size_t i, struct strbuf *b)
{
    struct span s = span_str(f->evidence[i].text);
    bool stop = s.n && s.p[s.n - 1] == '.', bracket = stop && s.n > 1 && s.p[s.n - 2] == ')';

    if (!f->evidence[i].at.frame) {
        strbuf_span(b, s);
        return;
    }
    strbuf_span(b, span_part(s, 0, s.n - (bracket ? 2 : stop ? 1 : 0)));
    strbuf_add(b, bracket ? ", " : " (");
    put_frames(t, f, i, b);
    strbuf_add(b, stop ? ")." : ")");
}

static void why(struct text *t, const struct session_finding *f)
{
    bool chosen[EVIDENCE_KEPT] = { false };
    const char *lead = "  Why";

    choose(f, chosen);
    for (unsigned notes = 0; notes < 2; notes++)
        for (size_t i = 0; i < f->evidence_n; i++) {
            struct strbuf b = { 0 };

            if (!chosen[i] || (rank(f, &f->evidence[i]) == RANK_NOTE) != notes)
                continue;
            put_sentence(t, f, i, &b);
            text_paragraph(t, lead, BODY, strbuf_str(&b));
            strbuf_done(&b);
            lead = "";
        }
}

/* ---- the cause and what to do ---- */

static const struct {
    const char *words, *with_server; /* in front of the server's name; NULL: the same */
    const char *aside;
} causes[CAUSES_N] = {
    [CAUSE_NONE] = { "not known", NULL, "" },
    [CAUSE_BAD_CANDIDATE] = { "bad candidate", "bad candidate from STUN server", "what supplied it is outside this capture" },
    [CAUSE_STUN_UNANSWERED] = { "STUN server does not answer", "no answer from STUN server", "" },
    [CAUSE_STUN_ERROR] = { "STUN server answers with an error", "an error from STUN server", "" },
    [CAUSE_SYMMETRIC_NAT] = { "symmetric NAT", NULL, "no STUN server is to blame" },
    [CAUSE_PRIVATE_ADDRESS] = { "private address", NULL, "no STUN server is to blame" },
    [CAUSE_PATH_BLOCKED] = { "path blocked", NULL, "no STUN server is to blame" },
    [CAUSE_PORT_UNREACHABLE] = { "port unreachable", NULL, "no STUN server is to blame" },
    [CAUSE_PEER_GONE] = { "the other party is gone", NULL, "no STUN server is to blame" },
    [CAUSE_TURN_FAILED] = { "TURN relay failed", "relay failed at TURN server", "" },
    [CAUSE_DTLS_FAILED] = { "DTLS failed", NULL, "no STUN server is to blame" },
    [CAUSE_UNADVERTISED_DESTINATION] = { "media at an address that was not advertised", NULL, "" },
    [CAUSE_MUTED] = { "muted", NULL, "" },
    [CAUSE_UNKNOWN] = { "not known", NULL, "" },
};

void text_cause_words(struct strbuf *b, enum cause c)
{
    strbuf_add(b, (unsigned)c < CAUSES_N ? causes[c].words : "not known");
}

static void cause(struct text *t, const struct session_finding *f)
{
    bool named = f->server != POOL_NONE && causes[f->cause].with_server;
    struct strbuf b = { 0 };

    strbuf_add(&b, named ? causes[f->cause].with_server : causes[f->cause].words);
    if (named) {
        strbuf_add(&b, " ");
        report_server_text(t->r->report, f->server, &b);
    } else if (*causes[f->cause].aside) {
        strbuf_fmt(&b, " (%s)", causes[f->cause].aside);
    }
    if (f->confidence != CONFIDENCE_NONE)
        strbuf_fmt(&b, ", %s", confidence_word(f->confidence));
    text_paragraph(t, "  Cause", BODY, strbuf_str(&b));
    strbuf_done(&b);
}

static void remedy(struct text *t, const struct session_finding *f)
{
    const char *what = session_remedy(f);
    bool told = t->remedy_told[f->cause] == what;

    if (*what)
        text_paragraph(t, "  Do", BODY, told ? "As said above." : what);
    t->remedy_told[f->cause] = what;
}

/* ---- candidates ---- */

/* Its name, or its address where the capture tells none. */
static const char *server_name(const struct text *t, uint32_t server, struct strbuf *b)
{
    const struct report *r = t->r->report;
    char buf[ADDR_TEXT];

    if (server != POOL_NONE && r->server[server].name)
        strbuf_safe(b, span_str(r->server[server].name->name), 64);
    else if (server != POOL_NONE)
        strbuf_add(b, addr_text(&r->server[server].addr, buf));
    return strbuf_str(b);
}

static void candidate_row(const struct text *t, struct session_finding *f, const struct candidate_finding *c,
                          struct text_table *x)
{
    struct strbuf b = { 0 };
    char buf[ADDR_TEXT];

    table_cell(x, party_name(f->call, c->party, f));
    table_cell(x, c->type);
    if (*c->host) {
        strbuf_safe(&b, span_str(c->host), 48);
        strbuf_fmt(&b, ":%u", c->addr.port);
    } else {
        strbuf_add(&b, addr_text(&c->addr, buf));
    }
    if (c->tcp)
        strbuf_add(&b, " tcp");
    table_take(x, &b);
    table_cell(x, c->has_base ? addr_text(&c->base, buf) : "");
    server_name(t, c->server, &b);
    table_take(x, &b);
    if (c->checks_sent) {
        text_number(&b, c->checks_answered);
        strbuf_add(&b, " of ");
        text_number(&b, c->checks_sent);
    }
    table_take(x, &b);
    table_number(x, c->rtp_packets);
    strbuf_fmt(&b, "%s%s", candidate_status_word(c->status), c->wrong ? ", wrong" : "");
    table_take(x, &b);
}

/* What was advertised for RTP (component 1) against where it flowed; RTCP's candidates are in the JSON. */
static void candidates(struct text *t, struct session_finding *f)
{
    static const struct text_column columns[] = {
        { .title = "party" },
        { .title = "type" },
        { .title = "address" },
        { .title = "base", .zero_hides = true, .drop = 1 },
        { .title = "STUN server", .zero_hides = true, .drop = 2 },
        { .title = "checks ok", .right = true, .zero_hides = true },
        { .title = "RTP", .right = true },
        { .title = "status" },
    };
    struct text_table x;
    size_t more = 0;
    struct strbuf b = { 0 };

    table_begin(&x, columns, sizeof columns / sizeof *columns);
    for (size_t i = 0; i < f->candidates_n; i++) {
        if (f->candidate[i].component > 1)
            continue;
        if (x.cells < CANDIDATES_SHOWN * x.columns)
            candidate_row(t, f, &f->candidate[i], &x);
        else
            more++;
    }
    table_print(t, &x, 2);
    if (more) {
        strbuf_add(&b, "and ");
        text_count(&b, more, "more", "more");
        text_paragraph(t, "", 2, strbuf_str(&b));
    }
    strbuf_done(&b);
}

/* ---- whole ---- */

void text_session(struct text *t, struct session_finding *f)
{
    text_line_empty(t);
    headline(t, f);
    directions(t, f);
    text_path(t);
    why(t, f);
    cause(t, f);
    remedy(t, f);
    candidates(t, f);
}

/* What does not fit goes, but never the Call-ID: by it the rest is found. */
void text_session_table(struct text_table *x)
{
    static const struct text_column columns[] = {
        { .title = "more that failed" }, { .title = "call" },  { .title = "Call-ID" },
        { .title = "when", .drop = 1 },  { .title = "cause" }, { .title = "STUN server", .zero_hides = true, .drop = 2 },
    };

    table_begin(x, columns, sizeof columns / sizeof *columns);
}

void text_session_row(const struct text *t, struct session_finding *f, struct text_table *x)
{
    struct strbuf b = { 0 };

    put_failure(t, f, &b);
    table_take(x, &b);
    put_parties(t, f, &b);
    table_take(x, &b);
    put_call_id(f, "", &b);
    table_take(x, &b);
    text_clock(t, &b, f->started.ns);
    table_take(x, &b);
    text_cause_words(&b, f->cause);
    if (f->confidence != CONFIDENCE_NONE)
        strbuf_fmt(&b, ", %s", confidence_word(f->confidence));
    table_take(x, &b);
    server_name(t, f->server, &b);
    table_take(x, &b);
}

void text_session_warnings(struct text *t, struct session_finding *f)
{
    struct strbuf lead = { 0 }, b = { 0 };

    text_ink(t, &lead, INK_WARNING, "WARNING");
    for (size_t i = 0; i < f->warnings_n; i++) {
        strbuf_clear(&b);
        put_parties(t, f, &b);
        strbuf_add(&b, ", ");
        put_call_id(f, "Call-ID" HARD_BLANK, &b);
        strbuf_fmt(&b, ": %s", f->warning[i].text);
        text_paragraph(t, strbuf_str(&lead), BODY, strbuf_str(&b));
    }
    strbuf_done(&lead);
    strbuf_done(&b);
}
