#include <criterion/criterion.h>

#include "out/syslog_private.h"

enum { MESSAGES = 4, BYTES = 100 };
#define HOLD SECONDS(2)

static struct syslog_queue queue;

static void begin(void)
{
    cr_assert(syslog_queue_init(&queue, MESSAGES, BYTES));
}

static void end(void)
{
    syslog_queue_done(&queue);
}

TestSuite(syslog_queue, .init = begin, .fini = end);

static bool add(const char *text, uint32_t sequence)
{
    return syslog_queue_add(&queue, span_str(text), sequence);
}

static uint32_t next(void)
{
    const struct syslog_entry *e = syslog_queue_next(&queue);

    return e ? e->sequence : 0;
}

static void leave(int64_t now_ns, uint64_t end_of_it)
{
    cr_assert_neq(next(), 0);
    syslog_queue_left(&queue, now_ns, end_of_it);
}

Test(syslog_queue, messages_leave_in_order_and_are_held)
{
    cr_assert(add("one", 1));
    cr_assert(add("two", 2));
    cr_assert_eq(next(), 1);
    leave(0, 0);
    cr_assert_eq(next(), 2);
    leave(0, 0);
    cr_assert_eq(next(), 0);
    cr_assert_eq(queue.n, 2);
    syslog_queue_confirm(&queue, UINT64_MAX, HOLD - 1, HOLD);
    cr_assert_eq(queue.n, 2);
    syslog_queue_confirm(&queue, UINT64_MAX, HOLD, HOLD);
    cr_assert_eq(queue.n, 0);
    cr_assert_eq(queue.bytes, 0);
    cr_assert_eq(queue.left, 2);
}

Test(syslog_queue, what_the_other_end_has_not_is_held_longer)
{
    add("one", 1);
    add("two", 2);
    leave(0, 10);
    leave(0, 20);
    syslog_queue_confirm(&queue, 19, SECONDS(60), HOLD);
    cr_assert_eq(queue.n, 1);
    cr_assert_eq(queue.v[0]->sequence, 2);
    syslog_queue_confirm(&queue, 20, SECONDS(60), HOLD);
    cr_assert_eq(queue.n, 0);
}

Test(syslog_queue, after_a_break_all_that_is_held_goes_again)
{
    add("one", 1);
    add("two", 2);
    add("three", 3);
    leave(0, 10);
    leave(SECONDS(1), 20);
    syslog_queue_confirm(&queue, 20, HOLD, HOLD);
    syslog_queue_again(&queue);
    cr_assert_eq(next(), 2, "the first one was sure");
    leave(SECONDS(5), 10);
    cr_assert_eq(next(), 3);
    leave(SECONDS(5), 20);
    cr_assert_eq(queue.left, 3);
    cr_assert_eq(queue.again, 1);
    cr_assert_eq(queue.lost, 0);
}

Test(syslog_queue, the_clock_set_back_holds_nothing_for_ever)
{
    add("one", 1);
    leave(SECONDS(3600), 0);
    syslog_queue_confirm(&queue, UINT64_MAX, 0, HOLD);
    cr_assert_eq(queue.n, 0);
}

Test(syslog_queue, when_full_the_oldest_that_waits_is_dropped_and_counted)
{
    for (uint32_t i = 1; i <= MESSAGES + 3; i++)
        cr_assert(add("x", i));
    cr_assert_eq(queue.n, MESSAGES);
    cr_assert_eq(next(), 4);
    cr_assert_eq(queue.lost, 3);
    cr_assert_eq(queue.untold, 3);
    cr_assert_eq(queue.untold_seq, 3);
}

Test(syslog_queue, bytes_are_bounded_too)
{
    static char text[61];

    memset(text, 'x', sizeof text - 1);
    cr_assert(add(text, 1));
    cr_assert(add(text, 2));
    cr_assert_eq(queue.n, 1);
    cr_assert_eq(next(), 2);
    cr_assert_eq(queue.bytes, 60);
    cr_assert_eq(queue.lost, 1);
}

Test(syslog_queue, what_is_acknowledged_makes_room_without_a_loss)
{
    for (uint32_t i = 1; i <= MESSAGES; i++)
        add("x", i);
    leave(0, 10);
    leave(0, 20);
    syslog_queue_confirm(&queue, 10, 0, HOLD);
    cr_assert_eq(queue.n, MESSAGES, "held, for the time is not over");
    cr_assert(add("x", 5));
    cr_assert_eq(queue.lost, 0);
    cr_assert_eq(queue.v[0]->sequence, 2);
    cr_assert(add("x", 6));
    cr_assert_eq(queue.lost, 1, "2 is on its way, so 3 goes");
    cr_assert_eq(queue.untold_seq, 3);
    cr_assert_eq(queue.v[0]->sequence, 2);
}

Test(syslog_queue, when_all_is_on_its_way_the_new_one_is_lost)
{
    for (uint32_t i = 1; i <= MESSAGES; i++) {
        add("x", i);
        leave(0, 10 * i);
    }
    cr_assert_not(add("x", 9));
    cr_assert_eq(queue.lost, 1);
    cr_assert_eq(queue.untold_seq, 9);
    cr_assert_eq(queue.n, MESSAGES);
}

Test(syslog_queue, the_notice_stands_where_the_lost_ones_stood)
{
    for (uint32_t i = 1; i <= MESSAGES + 2; i++)
        add("x", i);
    cr_assert(syslog_queue_notice(&queue, SPAN("two lost")));
    cr_assert_eq(queue.untold, 0);
    cr_assert_eq(next(), 2, "with the number of the last one lost");
    leave(0, 10);
    cr_assert_eq(next(), 3);
}

Test(syslog_queue, there_is_room_for_a_notice_once_and_not_where_all_is_on_its_way)
{
    for (uint32_t i = 1; i <= MESSAGES + 1; i++)
        add("x", i);
    cr_assert(syslog_queue_notice(&queue, SPAN("lost")));
    cr_assert_eq(queue.n, MESSAGES + 1);
    syslog_queue_lose(&queue, 9);
    cr_assert_not(syslog_queue_can_tell(&queue));
    for (uint64_t i = 1; i <= MESSAGES + 1; i++)
        leave(0, i);
    cr_assert_not(syslog_queue_can_tell(&queue));
    syslog_queue_confirm(&queue, 1, SECONDS(9), HOLD);
    cr_assert_not(syslog_queue_notice(&queue, SPAN("lost")));
    syslog_queue_confirm(&queue, 2, SECONDS(9), HOLD);
    cr_assert(syslog_queue_notice(&queue, SPAN("lost")));
}

Test(syslog_queue, a_notice_that_is_dropped_is_told_again_and_its_messages_are_counted_once)
{
    for (uint32_t i = 1; i <= MESSAGES + 2; i++)
        add("x", i);
    cr_assert(syslog_queue_notice(&queue, SPAN("two lost")));
    cr_assert(add("x", 7)); /* the notice goes, and 3 */
    cr_assert_eq(queue.untold, 3);
    cr_assert_eq(queue.untold_seq, 3);
    cr_assert_eq(queue.lost, 3);
    cr_assert_eq(queue.n, MESSAGES);
}

Test(syslog_queue, nothing_vanishes_uncounted)
{
    uint32_t state = 1, added = 0, told = 0, gone = 0;

    for (uint32_t i = 1; i <= 20000; i++) {
        state = state * 1664525u + 1013904223u;
        switch (state >> 29) {
        case 0:
        case 1:
        case 2: syslog_queue_add(&queue, SPAN("0123456789"), ++added); break;
        case 3:
            if (syslog_queue_next(&queue)) {
                gone += !queue.v[queue.sent]->left_before && !queue.v[queue.sent]->stands_for;
                told += !queue.v[queue.sent]->left_before ? queue.v[queue.sent]->stands_for : 0;
                syslog_queue_left(&queue, i, i);
            }
            break;
        case 4: syslog_queue_confirm(&queue, i - (state >> 20) % 8, i, 0); break;
        case 5:
            if (queue.untold)
                syslog_queue_notice(&queue, SPAN("0123456789"));
            break;
        case 6:
            if ((state >> 24) % 8 == 0)
                syslog_queue_again(&queue);
            break;
        default: break;
        }
        cr_assert_leq(queue.n, MESSAGES + 1u);
        cr_assert_leq(queue.sent, queue.n);
    }
    for (size_t i = 0; i < queue.n; i++)
        if (!queue.v[i]->left_before) {
            gone += !queue.v[i]->stands_for;
            told += queue.v[i]->stands_for;
        }
    /* A message that had left and is dropped when it waits again is both; those can only add to what is told. */
    cr_assert_geq(gone + queue.lost, added);
    cr_assert_geq(told + queue.untold, queue.lost);
}
