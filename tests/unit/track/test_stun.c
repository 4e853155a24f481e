/* stun.c: what STUN servers said (RFC 8489, RFC 3489). */
#include "messages.h"

TestSuite(stun_fact, .init = setup, .fini = teardown);

#define SOCKET "192.0.2.10:10000"
#define OTHER  "192.0.2.10:10002"
#define GOOGLE "74.125.250.129:19302"
#define TELNYX "203.0.113.78:3478"
#define MAPPED "198.51.100.77:40000"

static struct stun_tx *latest_of(const char *socket)
{
    struct socket *s = socket_at(socket);

    return s ? track_tx_at(t, s->asked) : NULL;
}

static struct stun_server *server(const char *text)
{
    struct addr a = addr_of(text);

    return track_find_server(t, &a);
}

static enum stun_role asks(const char *socket, const char *whom, uint8_t id)
{
    return stun_between(socket, whom, stun_of(STUN_REQUEST, id));
}

Test(stun_fact, question_and_answer)
{
    struct stun_msg answer = stun_answer(1, MAPPED);
    struct stun_tx *x;

    answer.software = SPAN("Testserver 1");
    cr_assert_null(server(GOOGLE));
    cr_assert_eq(asks(SOCKET, GOOGLE, 1), STUN_OF_SERVER);
    x = latest_of(SOCKET);
    cr_assert_not_null(x);
    cr_assert_eq(x->answer.frame, 0);
    cr_assert_not(x->success);
    wait_ms(30);
    cr_assert_eq(stun_between(GOOGLE, SOCKET, answer), STUN_OF_SERVER);
    cr_assert_eq(x->answer.frame, 2);
    cr_assert_eq(x->requests.n, 1);
    cr_assert_eq(x->requests.first.frame, 1);
    cr_assert(x->success && !x->mapped_differs && !x->classic && x->error == 0);
    cr_assert(addr_is(&x->mapped, MAPPED));
    cr_assert_eq(x->method, STUN_BINDING);
    cr_assert_eq(track_server_at(t, x->server), server(GOOGLE));
    cr_assert_str_eq(server(GOOGLE)->software, "Testserver 1");
    cr_assert_eq(server(GOOGLE)->requests, 1);
    cr_assert_eq(server(GOOGLE)->responses, 1);
    cr_assert_eq(server(GOOGLE)->errors, 0);
    cr_assert_eq(server(GOOGLE)->rtts, 1);
    cr_assert_eq(server(GOOGLE)->rtt_us[0], 30000);
    cr_assert(flow_between(SOCKET, GOOGLE)->contains & FLOW_STUN_SERVER);
    cr_assert(flow_between(GOOGLE, SOCKET)->contains & FLOW_STUN_SERVER);
}

Test(stun_fact, the_claimed_address_knows_who_claimed_it)
{
    struct socket *claimed;

    asks(SOCKET, GOOGLE, 1);
    stun_between(GOOGLE, SOCKET, stun_answer(1, MAPPED));
    asks(OTHER, TELNYX, 2);
    stun_between(TELNYX, OTHER, stun_answer(2, MAPPED));
    claimed = socket_at(MAPPED);
    cr_assert_not_null(claimed);
    cr_assert_eq(track_tx_at(t, claimed->claimed), latest_of(OTHER), "newest first");
    cr_assert_eq(track_tx_at(t, latest_of(OTHER)->next_claimed), latest_of(SOCKET));
    cr_assert_eq(latest_of(SOCKET)->next_claimed, POOL_NONE);
}

Test(stun_fact, a_retransmission_is_the_same_question)
{
    asks(SOCKET, GOOGLE, 1);
    wait_ms(500);
    cr_assert_eq(asks(SOCKET, GOOGLE, 1), STUN_OF_SERVER);
    wait_ms(20);
    stun_between(GOOGLE, SOCKET, stun_answer(1, MAPPED));
    cr_assert_eq(t->stun_txs.live, 1);
    cr_assert_eq(latest_of(SOCKET)->requests.n, 2);
    cr_assert_eq(latest_of(SOCKET)->requests.first.frame, 1);
    cr_assert_eq(server(GOOGLE)->requests, 1);
    cr_assert_eq(server(GOOGLE)->retransmissions, 1);
    cr_assert_eq(server(GOOGLE)->asked.n, 1);
    cr_assert_eq(server(GOOGLE)->rtt_us[0], 20000, "since the latest");
}

Test(stun_fact, a_second_answer_does_not_count)
{
    asks(SOCKET, GOOGLE, 1);
    asks(SOCKET, GOOGLE, 1);
    stun_between(GOOGLE, SOCKET, stun_answer(1, MAPPED));
    cr_assert_eq(stun_between(GOOGLE, SOCKET, stun_answer(1, "198.51.100.78:1")), STUN_OF_SERVER);
    cr_assert_eq(server(GOOGLE)->responses, 1);
    cr_assert(addr_is(&latest_of(SOCKET)->mapped, MAPPED));
    cr_assert_eq(latest_of(SOCKET)->answer.frame, 3);
    cr_assert_null(socket_at("198.51.100.78:1"));
}

Test(stun_fact, an_error)
{
    struct stun_msg error = stun_of(STUN_ERROR, 1);

    error.error = 500;
    asks(SOCKET, GOOGLE, 1);
    cr_assert_eq(stun_between(GOOGLE, SOCKET, error), STUN_OF_SERVER);
    cr_assert_eq(latest_of(SOCKET)->error, 500);
    cr_assert_eq(latest_of(SOCKET)->answer.frame, 2);
    cr_assert_not(latest_of(SOCKET)->success);
    cr_assert_eq(server(GOOGLE)->errors, 1);
    cr_assert_eq(server(GOOGLE)->responses, 1);
}

Test(stun_fact, an_answer_without_its_question)
{
    cr_assert_eq(stun_between(GOOGLE, SOCKET, stun_answer(1, MAPPED)), STUN_OF_NOBODY);
    cr_assert_eq(t->stun_unmatched, 1);
    cr_assert_null(server(GOOGLE), "who answers what nobody asked is no server");
    asks(SOCKET, GOOGLE, 2);
    cr_assert_eq(stun_between(GOOGLE, SOCKET, stun_answer(3, MAPPED)), STUN_OF_NOBODY, "another transaction");
    cr_assert_eq(stun_between(GOOGLE, OTHER, stun_answer(2, MAPPED)), STUN_OF_NOBODY, "to another socket");
    cr_assert_eq(t->stun_unmatched, 3);
    cr_assert_null(socket_at(MAPPED));
}

/* Clients do not check it, so what such an answer says is used. */
Test(stun_fact, an_answer_from_another_address)
{
    asks(SOCKET, GOOGLE, 1);
    cr_assert_eq(stun_between("203.0.113.66:1", SOCKET, stun_answer(1, MAPPED)), STUN_OF_SERVER);
    cr_assert_eq(track_server_at(t, latest_of(SOCKET)->server), server(GOOGLE));
}

Test(stun_fact, two_sockets_with_one_transaction_id)
{
    asks(SOCKET, GOOGLE, 1);
    asks(OTHER, GOOGLE, 1);
    cr_assert_eq(t->stun_txs.live, 2);
    cr_assert_eq(server(GOOGLE)->retransmissions, 0);
    stun_between(GOOGLE, OTHER, stun_answer(1, MAPPED));
    cr_assert_eq(latest_of(SOCKET)->answer.frame, 0);
    cr_assert_eq(latest_of(OTHER)->answer.frame, 3);
}

/* An answer that is laid at the wrong server's door would be a wrong accusation. */
Test(stun_fact, one_transaction_id_to_two_servers)
{
    const struct stun_tx *google, *telnyx;

    asks(SOCKET, GOOGLE, 1);
    asks(SOCKET, TELNYX, 1);
    cr_assert_eq(t->stun_txs.live, 2, "no retransmission: it went elsewhere");
    cr_assert_eq(server(GOOGLE)->retransmissions, 0);
    stun_between(TELNYX, SOCKET, stun_answer(1, MAPPED));
    telnyx = latest_of(SOCKET);
    google = track_tx_at(t, telnyx->next_asked);
    cr_assert_eq(telnyx->answer.frame, 3);
    cr_assert_eq(google->answer.frame, 0, "Google said nothing");
}

Test(stun_fact, all_that_a_socket_and_its_host_asked)
{
    struct stun_tx *first, *second, *third;

    asks(SOCKET, GOOGLE, 1);
    first = latest_of(SOCKET);
    asks(OTHER, GOOGLE, 2);
    second = latest_of(OTHER);
    asks(SOCKET, TELNYX, 3);
    third = latest_of(SOCKET);
    cr_assert_eq(track_tx_at(t, third->next_asked), first, "of the socket, newest first");
    cr_assert_eq(first->next_asked, POOL_NONE);
    cr_assert_eq(track_tx_at(t, socket_at("192.0.2.10:0")->latest_of_host), third, "of the host");
    cr_assert_eq(track_tx_at(t, third->older_of_host), second);
    cr_assert_eq(track_tx_at(t, second->older_of_host), first);
    cr_assert_eq(first->older_of_host, POOL_NONE);
    cr_assert_eq(track_tx_at(t, first->newer_of_host), second);
    cr_assert_eq(third->newer_of_host, POOL_NONE);
}

/* ---- RFC 3489 ---- */

static struct stun_msg classic_of(enum stun_class cls, uint8_t first, uint8_t last)
{
    return (struct stun_msg){ .cls = cls, .method = STUN_BINDING, .classic = true, .tid = { first, [15] = last } };
}

Test(stun_fact, classic_is_matched_by_all_16_bytes)
{
    struct stun_msg answer = classic_of(STUN_SUCCESS, 7, 9);

    answer.has_mapped = true;
    answer.mapped = addr_of(MAPPED);
    cr_assert_eq(stun_between(SOCKET, GOOGLE, classic_of(STUN_REQUEST, 7, 9)), STUN_OF_SERVER);
    cr_assert(latest_of(SOCKET)->classic);
    answer.tid[0] = 8; /* where the cookie would stand */
    cr_assert_eq(stun_between(GOOGLE, SOCKET, answer), STUN_OF_NOBODY);
    answer.tid[0] = 7;
    answer.tid[15] = 8;
    cr_assert_eq(stun_between(GOOGLE, SOCKET, answer), STUN_OF_NOBODY);
    answer.tid[15] = 9;
    cr_assert_eq(stun_between(GOOGLE, SOCKET, answer), STUN_OF_SERVER);
    cr_assert(addr_is(&latest_of(SOCKET)->mapped, MAPPED), "MAPPED-ADDRESS is all there is");
    cr_assert_not(latest_of(SOCKET)->mapped_differs);
}

Test(stun_fact, a_classic_indication_is_nobodys)
{
    cr_assert_eq(stun_between(SOCKET, GOOGLE, classic_of(STUN_INDICATION, 7, 9)), STUN_OF_NOBODY);
    cr_assert_eq(stun_between(SOCKET, GOOGLE, stun_of(STUN_INDICATION, 1)), STUN_OF_SERVER, "with a cookie: a keep-alive");
    cr_assert_null(server(GOOGLE), "an indication asks nothing");
}

Test(stun_fact, mapped_and_xor_mapped_disagree)
{
    struct stun_msg answer = stun_answer(1, MAPPED);

    answer.has_mapped = true;
    answer.mapped = addr_of("198.51.100.77:40001");
    asks(SOCKET, GOOGLE, 1);
    stun_between(GOOGLE, SOCKET, answer);
    cr_assert(latest_of(SOCKET)->mapped_differs);
    cr_assert(addr_is(&latest_of(SOCKET)->mapped, MAPPED));
    cr_assert(addr_is(&latest_of(SOCKET)->more->plain, "198.51.100.77:40001"));
}

Test(stun_fact, an_answer_without_an_address)
{
    asks(SOCKET, GOOGLE, 1);
    stun_between(GOOGLE, SOCKET, stun_of(STUN_SUCCESS, 1));
    cr_assert(latest_of(SOCKET)->success);
    cr_assert(addr_is_none(&latest_of(SOCKET)->mapped));
    cr_assert_eq(latest_of(SOCKET)->next_claimed, POOL_NONE);
}

/* ---- TURN ---- */

Test(stun_fact, an_allocation)
{
    struct stun_msg allocate = stun_of(STUN_REQUEST, 1), granted = stun_answer(1, MAPPED);

    allocate.method = granted.method = STUN_ALLOCATE;
    allocate.username = SPAN("agent1");
    granted.has_relayed = true;
    granted.relayed = addr_of("203.0.113.78:49152");
    cr_assert_eq(stun_between(SOCKET, TELNYX, allocate), STUN_OF_SERVER, "a USERNAME makes a check of a Binding request only");
    cr_assert_eq(stun_between(TELNYX, SOCKET, granted), STUN_OF_SERVER);
    cr_assert_eq(latest_of(SOCKET)->method, STUN_ALLOCATE);
    cr_assert(addr_is(&latest_of(SOCKET)->more->relayed, "203.0.113.78:49152"));
    cr_assert(addr_is(&latest_of(SOCKET)->mapped, MAPPED));
}

/* ---- caps ---- */

Test(stun_fact, servers_beyond_the_cap_are_refused_and_told)
{
    t->servers.cap = 1;
    asks(SOCKET, GOOGLE, 1);
    asks(SOCKET, TELNYX, 2);
    cr_assert_null(server(TELNYX));
    cr_assert_eq(t->stun_txs.live, 1);
    cr_assert_eq(faults.count[FAULT_STUN_TABLE_FULL], 1);
    asks(SOCKET, GOOGLE, 3);
    cr_assert_eq(server(GOOGLE)->requests, 2);
}

Test(stun_fact, transactions_beyond_the_cap_are_refused_and_told)
{
    t->stun_txs.cap = 2;
    for (uint8_t id = 1; id <= 5; id++)
        asks(SOCKET, GOOGLE, id);
    cr_assert_eq(t->stun_txs.live, 2);
    cr_assert_eq(faults.count[FAULT_STUN_TABLE_FULL], 3);
    cr_assert_eq(stun_between(GOOGLE, SOCKET, stun_answer(1, MAPPED)), STUN_OF_SERVER);
    cr_assert_eq(stun_between(GOOGLE, SOCKET, stun_answer(5, MAPPED)), STUN_OF_NOBODY);
}

Test(stun_fact, round_trips_beyond_the_kept)
{
    for (uint8_t id = 0; id < 100; id++) {
        asks(SOCKET, GOOGLE, id);
        wait_ms(1);
        stun_between(GOOGLE, SOCKET, stun_answer(id, MAPPED));
    }
    cr_assert_eq(server(GOOGLE)->responses, 100);
    cr_assert_eq(server(GOOGLE)->rtts, 64);
}
