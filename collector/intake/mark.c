#include "collector/intake/mark.h"

static int64_t lower(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* D3, where the line to this epoch is not known: it is taken up at `first`. Only the batch `first` itself
 * tells what lies before it, because it may be of an older epoch that is known here (a collector restored
 * from a backup); any other is refused and leaves no trace. */
static struct mark_decision decide_unknown(const struct batch_header *header, const struct mark_known *known)
{
    struct mark_decision d = {
        .verdict = MARK_REFUSE, .mark = header->first - 1, .epoch_mark = MARK_NONE, .prev_mark = MARK_NONE};
    if (header->seq > header->first)
        return d;
    d.verdict = MARK_ACCEPT;
    if (d.mark == 0 && !known->has_gateway)
        return d;
    /* A known gateway that begins at 1 has a new spool: what its former one still held nobody knows. */
    d.has_gap = true;
    d.gap_first = d.mark > 0 ? 1 : 0;
    d.gap_last = d.mark;
    d.is_history = !known->has_gateway;
    d.is_unknown_content = true;
    d.epoch_mark = d.mark;
    return d;
}

/* The gap up to `first` - 1 may end inside the previous epoch: the gateway goes on with that one's batches,
 * which must find the mark moved. */
static void settle_gap(
    const struct batch_header *header, const struct mark_known *known, struct mark_decision *d)
{
    d->has_gap = true;
    d->gap_first = d->mark + 1;
    d->gap_last = d->mark = header->first - 1;
    if (known->has_epoch) {
        d->epoch_mark = d->mark;
        return;
    }
    int64_t prev_mark = lower(d->mark, header->prev_seq);
    if (prev_mark > known->prev_mark)
        d->prev_mark = prev_mark;
    if (d->mark >= header->prev_seq)
        d->epoch_mark = d->mark;
}

struct mark_decision mark_decide(const struct batch_header *header, const struct mark_known *known)
{
    bool is_continued = header->has_prev && known->has_prev;
    if (!known->has_epoch && !is_continued)
        return decide_unknown(header, known);
    struct mark_decision d = {.epoch_mark = MARK_NONE, .prev_mark = MARK_NONE};
    d.mark = known->has_epoch ? known->epoch_mark : lower(known->prev_mark, header->prev_seq);
    if (header->seq <= d.mark) {
        d.verdict = MARK_DUPLICATE;
        return d;
    }
    if (header->first > d.mark + 1)
        settle_gap(header, known, &d);
    d.verdict = header->seq == d.mark + 1 ? MARK_ACCEPT : MARK_REFUSE;
    return d;
}
