#include "collector/intake/mark.h"

/* D3: where the line to this epoch is known, its mark is; else the line is taken up at `first`. */
static int64_t mark_before(const struct batch_header *header, const struct mark_known *known, bool *ret_is_known)
{
    *ret_is_known = true;
    if (known->has_epoch)
        return known->epoch_mark;
    if (header->has_prev && known->has_prev)
        return known->prev_mark < header->prev_seq ? known->prev_mark : header->prev_seq;
    *ret_is_known = false;
    return header->first - 1;
}

struct mark_decision mark_decide(const struct batch_header *header, const struct mark_known *known)
{
    struct mark_decision d = {0};
    bool is_known;
    d.mark = mark_before(header, known, &is_known);
    if (header->seq <= d.mark) {
        d.verdict = MARK_DUPLICATE;
        return d;
    }
    if (!is_known && header->first > 1) {
        d.has_gap = true;
        d.gap_first = 1;
        d.gap_last = header->first - 1;
        d.is_history = !known->has_gateway;
        d.is_unknown_content = true;
    } else if (is_known && header->first > d.mark + 1) {
        d.has_gap = true;
        d.gap_first = d.mark + 1;
        d.gap_last = header->first - 1;
        d.mark = header->first - 1;
    }
    d.verdict = header->seq == d.mark + 1 ? MARK_ACCEPT : MARK_REFUSE;
    return d;
}
