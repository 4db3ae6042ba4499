/* The laws D1 to D3 for one batch: by example, and for every small combination by what must hold of the sets
 * behind the numbers. */
#include "collector/intake/mark.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>

static void test_each_case_of_the_contract(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        int64_t seq, first, prev_seq; /* prev_seq -1: no prev */
        struct mark_known known;
        enum mark_verdict verdict;
        int64_t mark, gap_first, gap_last; /* gap_first 0: none */
        bool is_history, is_unknown;
        int64_t epoch_mark, prev_mark;
    } cases[] = {
        {"a new spool's first batch", 1, 1, -1, {0}, MARK_ACCEPT, 0, 0, 0, false, false, -1, -1},
        {"the next one", 5, 1, -1, {true, true, 4, false, 0}, MARK_ACCEPT, 4, 0, 0, false, false, -1, -1},
        {"it again", 4, 1, -1, {true, true, 4, false, 0}, MARK_DUPLICATE, 4, 0, 0, false, false, -1, -1},
        {"an old one", 1, 1, -1, {true, true, 4, false, 0}, MARK_DUPLICATE, 4, 0, 0, false, false, -1, -1},
        {"one too far ahead", 6, 1, -1, {true, true, 4, false, 0}, MARK_REFUSE, 4, 0, 0, false, false, -1,
            -1},
        {"the lowest that is held is the one needed", 6, 5, -1, {true, true, 4, false, 0}, MARK_REFUSE, 4, 0,
            0, false, false, -1, -1},
        {"history was dropped", 8, 8, -1, {true, true, 4, false, 0}, MARK_ACCEPT, 7, 5, 7, false, false, 7,
            -1},
        {"dropped, and still not the next", 9, 8, -1, {true, true, 4, false, 0}, MARK_REFUSE, 7, 5, 7, false,
            false, 7, -1},
        {"a gateway that ran before we did", 8, 8, -1, {0}, MARK_ACCEPT, 7, 1, 7, true, true, 7, -1},
        {"the same, but not its lowest", 9, 8, -1, {0}, MARK_REFUSE, 7, 0, 0, false, false, -1, -1},
        {"a line that is not known, of a gateway that is", 8, 8, -1, {true, false, 0, false, 0}, MARK_ACCEPT,
            7, 1, 7, false, true, 7, -1},
        {"a new spool of a gateway that is known: its former one is gone", 1, 1, -1,
            {true, false, 0, false, 0}, MARK_ACCEPT, 0, 0, 0, false, true, 0, -1},
        {"the same, but not its first", 2, 1, -1, {true, false, 0, false, 0}, MARK_REFUSE, 0, 0, 0, false,
            false, -1, -1},
        {"a new epoch after an acknowledged one", 5, 1, 4, {true, false, 0, true, 4}, MARK_ACCEPT, 4, 0, 0,
            false, false, -1, -1},
        {"a new epoch after one that is not", 5, 1, 4, {true, false, 0, true, 2}, MARK_REFUSE, 2, 0, 0, false,
            false, -1, -1},
        {"a spool from an image: we are ahead of it", 5, 1, 4, {true, false, 0, true, 9}, MARK_ACCEPT, 4, 0,
            0, false, false, -1, -1},
        {"a new epoch whose line is not known", 5, 5, 4, {true, false, 0, false, 0}, MARK_ACCEPT, 4, 1, 4,
            false, true, 4, -1},
        {"dropped inside the epoch before", 9, 6, 8, {true, false, 0, true, 2}, MARK_REFUSE, 5, 3, 5, false,
            false, -1, 5},
        {"dropped to the end of the epoch before", 9, 9, 8, {true, false, 0, true, 2}, MARK_ACCEPT, 8, 3, 8,
            false, false, 8, 8},
        {"dropped beyond the epoch before", 12, 11, 8, {true, false, 0, true, 2}, MARK_REFUSE, 10, 3, 10,
            false, false, 10, 8},
        {"a spool from an image that gave up history: the mark of the epoch before does not fall", 7, 6, 4,
            {true, false, 0, true, 9}, MARK_REFUSE, 5, 5, 5, false, false, 5, -1},
        {"the epoch's own mark counts, not that of the one before", 9, 1, 4, {true, true, 8, true, 2},
            MARK_ACCEPT, 8, 0, 0, false, false, -1, -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct batch_header header = {.epoch = 2,
            .seq = cases[i].seq,
            .first = cases[i].first,
            .has_prev = cases[i].prev_seq >= 0,
            .prev_epoch = 1,
            .prev_seq = cases[i].prev_seq >= 0 ? cases[i].prev_seq : 0};
        struct mark_decision d = mark_decide(&header, &cases[i].known);
        bool is_right =
            d.verdict == cases[i].verdict && d.mark == cases[i].mark &&
            d.has_gap == (cases[i].gap_first > 0 || cases[i].is_unknown) &&
            (!d.has_gap || (d.gap_first == cases[i].gap_first && d.gap_last == cases[i].gap_last)) &&
            d.is_history == cases[i].is_history && d.is_unknown_content == cases[i].is_unknown &&
            d.epoch_mark == cases[i].epoch_mark && d.prev_mark == cases[i].prev_mark;
        if (!is_right)
            fail_msg("%s: verdict %d mark %lld gap %lld-%lld marks %lld %lld", cases[i].what, (int)d.verdict,
                (long long)d.mark, (long long)d.gap_first, (long long)d.gap_last, (long long)d.epoch_mark,
                (long long)d.prev_mark);
    }
}

#define SEQS 7

/* What is settled of the line to the batch's epoch, by the words of D3: a set, not a number. */
static void fill_durable(bool durable[SEQS + 1], const struct batch_header *h, const struct mark_known *known)
{
    for (int64_t n = 1; n <= SEQS; n++) {
        bool is_of_prev = h->has_prev && n <= h->prev_seq;
        if (known->has_epoch)
            durable[n] = n <= known->epoch_mark;
        else
            durable[n] = is_of_prev && known->has_prev && n <= known->prev_mark;
    }
}

static void check(const struct batch_header *h, const struct mark_known *known)
{
    bool durable[SEQS + 1] = {false}, settled[SEQS + 1] = {false};
    fill_durable(durable, h, known);
    bool is_line_known = known->has_epoch || (h->has_prev && known->has_prev);
    struct mark_decision d = mark_decide(h, known);

    /* D2 */
    assert_int_equal(d.verdict == MARK_DUPLICATE, durable[h->seq]);
    for (int64_t n = 1; n <= SEQS; n++) {
        bool is_gap = d.has_gap && n >= d.gap_first && n <= d.gap_last;
        /* Only what is neither durable nor held by the agent is recorded as gone. */
        assert_false(is_gap && (durable[n] || n >= h->first));
        settled[n] = durable[n] || is_gap || (d.verdict == MARK_ACCEPT && n == h->seq);
    }
    /* D1: what is acknowledged is settled, and nothing above it is. A refusal on an unknown line asks for
     * what the agent holds. */
    int64_t answer = d.verdict == MARK_ACCEPT ? h->seq : d.mark;
    bool is_asking = d.verdict == MARK_REFUSE && !is_line_known;
    for (int64_t n = 1; n <= SEQS && !is_asking; n++)
        assert_int_equal(settled[n], n <= answer);
    /* What is asked for can be had; what comes next is taken. */
    if (d.verdict == MARK_REFUSE) {
        assert_true(d.mark + 1 >= h->first && d.mark + 1 < h->seq);
    } else if (d.verdict == MARK_ACCEPT) {
        assert_int_equal(d.mark + 1, h->seq);
    }
    /* The marks that the gap moved claim nothing beyond it, and the same batch would not record it again. */
    assert_true(d.epoch_mark <= d.mark && d.prev_mark <= d.mark);
    if (d.has_gap) {
        struct mark_known after = *known;
        if (d.epoch_mark != MARK_NONE) {
            after.has_epoch = true;
            after.epoch_mark = d.epoch_mark;
        }
        if (d.prev_mark != MARK_NONE)
            after.prev_mark = d.prev_mark;
        struct mark_decision again = mark_decide(h, &after);
        assert_false(again.has_gap);
        assert_int_equal(again.verdict, d.verdict);
        assert_int_equal(again.mark, d.mark);
        /* ... nor would a batch of the epoch before that the agent still holds. */
        if (h->has_prev && after.has_prev && h->first <= h->prev_seq) {
            struct batch_header older = {.epoch = h->prev_epoch, .seq = h->first, .first = h->first};
            struct mark_known its = {.has_gateway = true, .has_epoch = true, .epoch_mark = after.prev_mark};
            d = mark_decide(&older, &its);
            assert_false(d.has_gap);
            assert_int_equal(d.verdict, MARK_ACCEPT);
        }
    }
}

static void test_every_small_combination_keeps_the_laws(void **state)
{
    (void)state;
    int count = 0;
    for (int64_t seq = 1; seq < SEQS; seq++)
        for (int64_t first = 1; first <= seq; first++)
            for (int64_t prev_seq = -1; prev_seq < seq; prev_seq++)
                for (int64_t epoch_mark = -1; epoch_mark < SEQS; epoch_mark++)
                    for (int64_t prev_mark = -1; prev_mark < SEQS; prev_mark++) {
                        struct batch_header h = {.epoch = 2,
                            .seq = seq,
                            .first = first,
                            .has_prev = prev_seq >= 0,
                            .prev_epoch = 1,
                            .prev_seq = prev_seq >= 0 ? prev_seq : 0};
                        /* An epoch's own mark is never inside the epoch before (see settle_gap); a mark is
                         * never below what it goes on from. */
                        if ((prev_mark >= 0 && prev_seq < 0) || (epoch_mark >= 0 && epoch_mark < prev_seq))
                            continue;
                        struct mark_known known = {.has_gateway = epoch_mark >= 0 || prev_mark >= 0,
                            .has_epoch = epoch_mark >= 0,
                            .epoch_mark = epoch_mark >= 0 ? epoch_mark : 0,
                            .has_prev = prev_mark >= 0,
                            .prev_mark = prev_mark >= 0 ? prev_mark : 0};
                        check(&h, &known);
                        count++;
                    }
    assert_true(count > 3000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_case_of_the_contract),
        cmocka_unit_test(test_every_small_combination_keeps_the_laws),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
