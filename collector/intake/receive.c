#include "collector/intake/receive.h"

#include "collector/intake/journal.h"
#include "collector/intake/mark.h"
#include "lib/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What one batch is while it is applied. */
struct work {
    struct receive *r;
    const struct inbox_message *message;
    struct known_gateway *gateway;
    const struct batch_header *header;
    struct span body;
    struct line_reading {
        bool is_valid;
        struct reading reading;
    } parsed[BATCH_LINES_MAX];
    bool is_out[BATCH_LINES_MAX]; /* lines that do not enter the series */
    int64_t lines, readings;
    int64_t from_ms, to_ms;
    struct late late;
};

static enum status quarantine(struct receive *r, const struct inbox_message *m,
    const struct batch_header *header, int64_t line, const char *reason, struct span content,
    struct error *err)
{
    struct quarantine_entry entry = {.gateway = m->gateway,
        .header = header,
        .line = line,
        .reason = reason,
        .content = content,
        .recorded_ms = m->received_ms};
    struct known_gateway *g = known_gateway_find(r->known, span_of(m->gateway));
    if (g != NULL)
        g->quarantined_ms = m->received_ms;
    bool is_kept = false;
    enum status status = ST_OK;
    if (r->is_quarantine_full)
        r->unoffered++;
    else
        status = journal_quarantine(r->db, &entry, &is_kept, err);
    r->is_quarantine_full = !is_kept;
    r->counters.quarantined++;
    r->counters.quarantine_omitted += !is_kept;
    if (!r->trouble.is_quarantined)
        snprintf(r->trouble.quarantined, sizeof r->trouble.quarantined, "%s", reason);
    r->trouble.is_quarantined = true;
    return status;
}

static enum status put_out(
    struct work *w, int64_t line, const char *reason, struct span content, struct error *err)
{
    w->is_out[line] = true;
    return quarantine(w->r, w->message, w->header, line, reason, content, err);
}

static void widen(struct work *w, int64_t time_ms)
{
    if (w->readings++ == 0 || time_ms < w->from_ms)
        w->from_ms = time_ms;
    if (w->readings == 1 || time_ms > w->to_ms)
        w->to_ms = time_ms;
}

static enum status take_line(struct work *w, struct span text, int64_t line, struct error *err)
{
    if (text.len == 0 || text.at[0] == '#') {
        w->is_out[line] = true;
        return ST_OK;
    }
    struct error why;
    if (!w->parsed[line].is_valid) {
        batch_read_reading(text, &(struct reading){0}, &why);
        return put_out(w, line, why.text, text, err);
    }
    struct reading reading = w->parsed[line].reading;
    if (reading.time_ms > w->message->received_ms + RECEIVE_AHEAD_MAX_MS)
        return put_out(w, line, "more than 5 min ahead of the collector's clock", text, err);
    struct known_point *point = known_point_get(w->r->known, w->gateway, reading.point);
    if (point == NULL)
        return put_out(w, line, "the gateway has more points than the limit", text, err);
    if (reading.time_ms > point->time_ms)
        known_point_update(w->r->known, point, &reading, w->message->received_ms);
    else
        late_add(&w->late, &reading, line, text);
    widen(w, reading.time_ms);
    return ST_OK;
}

static void parse(struct work *w)
{
    struct span body = w->body, line;
    for (struct line_reading *p = w->parsed; batch_next_line(&body, &line); p++)
        p->is_valid =
            line.len > 0 && line.at[0] != '#' && batch_read_reading(line, &p->reading, NULL) == ST_OK;
}

/* Readings that may be journalled already: not newer than what their point has. Changes nothing, so that it
 * may be left and begun again. */
static void collect_late(const struct work *w, struct late *ret)
{
    struct span body = w->body, line;
    for (int64_t number = 0; batch_next_line(&body, &line); number++) {
        const struct line_reading *p = &w->parsed[number];
        if (!p->is_valid || p->reading.time_ms > w->gateway->newest_ms)
            continue;
        const struct known_point *point = known_point_find(w->r->known, w->gateway, p->reading.point);
        if (point != NULL && p->reading.time_ms <= point->time_ms)
            late_add(ret, &p->reading, number, line);
    }
}

static enum status search_late(struct work *w, bool *ret_is_done, struct error *err)
{
    struct receive *r = w->r;
    if (r->search->count == 0)
        collect_late(w, r->search);
    return late_search(r->search, r->db, w->gateway->id, r->search_bytes, ret_is_done, err);
}

static enum status settle_late(struct work *w, struct error *err)
{
    late_decide(&w->late, w->r->search, w->body, w->is_out);
    enum status status = ST_OK;
    for (size_t i = 0; i < w->late.count && status == ST_OK; i++) {
        const struct late_reading *late = &w->late.items[i];
        if (late->verdict == LATE_NEW)
            continue;
        w->readings--;
        w->is_out[late->line] = true;
        if (late->verdict == LATE_DUPLICATE)
            w->r->counters.duplicate_readings++;
        else
            status = put_out(w, late->line,
                "another value of this point and time is journalled; the first one counts", late->text, err);
    }
    return status;
}

static enum status write_journal(struct work *w, struct error *err)
{
    struct buf skipped = {0};
    for (int64_t i = 0; i < w->lines; i++)
        if (w->is_out[i])
            buf_printf(&skipped, "%s%lld", skipped.len ? "," : "", (long long)i);
    struct journal_batch batch = {.gateway = w->gateway->id,
        .header = w->header,
        .received_ms = w->message->received_ms,
        .lines = w->lines,
        .from_ms = w->readings > 0 ? w->from_ms : 1,
        .to_ms = w->readings > 0 ? w->to_ms : 0,
        .payload = {w->message->payload, w->message->len},
        .skipped = skipped.data};
    enum status status = journal_add(w->r->db, &batch, err);
    buf_release(&skipped);
    return status;
}

static int64_t count_lines(struct span body)
{
    int64_t lines = 0;
    struct span line;
    while (lines <= BATCH_LINES_MAX && batch_next_line(&body, &line))
        lines++;
    return lines;
}

static enum status record_loss(
    struct receive *r, struct known_gateway *g, const struct loss_entry *entry, struct error *err)
{
    enum status status = journal_loss(r->db, g->id, g->lost, entry, err);
    if (!entry->is_history) {
        r->counters.losses++;
        g->lost++;
        g->lost_ms = entry->recorded_ms;
        if (r->trouble.lost == NULL)
            r->trouble.lost = entry->reason;
    }
    return status;
}

static enum status take_lines(struct work *w, struct error *err)
{
    enum status status = ST_OK;
    struct span body = w->body, line;
    while (status == ST_OK && batch_next_line(&body, &line))
        status = take_line(w, line, w->lines++, err);
    if (status == ST_OK)
        status = settle_late(w, err);
    if (status == ST_OK)
        status = write_journal(w, err);
    w->r->counters.readings += w->readings;
    late_release(&w->late);
    return status;
}

static enum status apply(struct receive *r, const struct inbox_message *m, struct known_gateway *g,
    const struct batch_header *header, struct span body, bool *ret_is_done, struct error *err)
{
    struct work *w = mem_zalloc(sizeof *w);
    w->r = r;
    w->message = m;
    w->gateway = g;
    w->header = header;
    w->body = body;
    parse(w);
    enum status status = search_late(w, ret_is_done, err);
    if (status == ST_OK && *ret_is_done)
        status = take_lines(w, err);
    free(w);
    return status;
}

/* D4: a header that can be read, over a payload that breaks a limit. */
static enum status apply_broken(struct receive *r, const struct inbox_message *m, struct known_gateway *g,
    const struct batch_header *header, const char *reason, struct error *err)
{
    enum status status = quarantine(r, m, header, -1, reason, (struct span){m->payload, m->len}, err);
    struct loss_entry entry = {.gateway = g->name,
        .epoch = header->epoch,
        .first_seq = header->seq,
        .last_seq = header->seq,
        .reason = reason,
        .recorded_ms = m->received_ms};
    return status == ST_OK ? record_loss(r, g, &entry, err) : status;
}

static enum status record_gap(struct receive *r, const struct inbox_message *m, struct known_gateway *g,
    const struct batch_header *header, const struct mark_decision *d, struct error *err)
{
    struct loss_entry entry = {.gateway = g->name,
        .epoch = header->epoch,
        .first_seq = d->gap_first,
        .last_seq = d->gap_last,
        .reason = d->is_history ? "history not held: from before this gateway was first heard"
                  : d->gap_last == 0
                      ? "unknown content: the gateway began a new spool; what the one before still "
                        "held is not known"
                  : d->is_unknown_content ? "unknown content: the line before this epoch is not known here"
                                          : "given up by the gateway before they were acknowledged",
        .recorded_ms = m->received_ms,
        .is_history = d->is_history};
    enum status status = record_loss(r, g, &entry, err);
    if (status == ST_OK && d->prev_mark != MARK_NONE)
        status = known_mark_prev(r->db, g, header, d->prev_mark, err);
    if (status == ST_OK && d->epoch_mark != MARK_NONE)
        status = known_mark(r->db, g, header, d->epoch_mark, err);
    return status;
}

static enum status record_dropped(struct receive *r, const struct inbox_message *m, struct known_gateway *g,
    const struct batch_header *header, struct error *err)
{
    struct loss_entry entry = {.gateway = g->name,
        .epoch = header->epoch,
        .readings = header->dropped,
        .from_ms = header->dropped_from_ms,
        .to_ms = header->dropped_to_ms,
        .reason = "given up by the gateway before they were cut",
        .recorded_ms = m->received_ms};
    return record_loss(r, g, &entry, err);
}

/* What the quarantine has no room for is lost with its content, and therefore named as loss: D4 and D6 leave
 * no third. */
static enum status record_omitted(struct receive *r, const struct inbox_message *m, struct known_gateway *g,
    const struct batch_header *header, int64_t readings, struct error *err)
{
    struct loss_entry entry = {.gateway = g->name,
        .epoch = header->epoch,
        .first_seq = header->seq,
        .last_seq = header->seq,
        .readings = readings,
        .reason = "refused, and beyond what the quarantine holds",
        .recorded_ms = m->received_ms};
    return record_loss(r, g, &entry, err);
}

static struct mark_decision decide(const struct known_gateway *g, const struct batch_header *header)
{
    const struct known_epoch *epoch = known_epoch_find(g, header->epoch);
    const struct known_epoch *prev = header->has_prev ? known_epoch_find(g, header->prev_epoch) : NULL;
    struct mark_known known = {.has_gateway = g->epoch_count > 0,
        .has_epoch = epoch != NULL,
        .epoch_mark = epoch != NULL ? epoch->mark : 0,
        .has_prev = prev != NULL,
        .prev_mark = prev != NULL ? prev->mark : 0};
    return mark_decide(header, &known);
}

static enum status accept(struct receive *r, const struct inbox_message *m, struct known_gateway *g,
    const struct batch_header *header, struct span body, bool *ret_is_done, struct error *err)
{
    enum status status;
    *ret_is_done = true;
    int64_t omitted_before = r->counters.quarantine_omitted;
    if (m->len > BATCH_BYTES_MAX)
        status = apply_broken(r, m, g, header, "the batch is larger than 256 KiB", err);
    else if (count_lines(body) > BATCH_LINES_MAX)
        status = apply_broken(r, m, g, header, "the batch has more than 1000 lines", err);
    else
        status = apply(r, m, g, header, body, ret_is_done, err);
    if (status != ST_OK || !*ret_is_done)
        return status;
    int64_t omitted = r->counters.quarantine_omitted - omitted_before;
    if (r->unoffered > 0)
        status = journal_omit(r->db, span_of(m->gateway), r->unoffered, err);
    if (status == ST_OK && omitted > 0)
        status = record_omitted(r, m, g, header, omitted, err);
    if (status == ST_OK && header->dropped > 0)
        status = record_dropped(r, m, g, header, err);
    r->counters.batches++;
    g->untimely_ms = 0;
    return status == ST_OK ? known_mark(r->db, g, header, header->seq, err) : status;
}

static bool is_ahead(struct span body, int64_t now_ms)
{
    struct span line;
    while (batch_next_line(&body, &line)) {
        struct reading reading;
        if (line.len > 0 && line.at[0] != '#' && batch_read_reading(line, &reading, NULL) == ST_OK &&
            reading.time_ms > now_ms + RECEIVE_AHEAD_MAX_MS)
            return true;
    }
    return false;
}

/* Were what comes behind such a batch refused, its gateway would send all of it again every second. */
static bool waits_for_clock(const struct inbox_message *m, struct known_gateway *g, enum mark_verdict verdict,
    struct span body, bool *ret_is_untimely)
{
    bool is_whole = m->len <= BATCH_BYTES_MAX && count_lines(body) <= BATCH_LINES_MAX;
    if (verdict == MARK_ACCEPT && is_whole && is_ahead(body, m->received_ms))
        g->untimely_ms = m->received_ms, *ret_is_untimely = true;
    return *ret_is_untimely || (verdict == MARK_REFUSE && g->untimely_ms != 0);
}

enum status receive_batch(
    struct receive *r, const struct inbox_message *m, struct receive_answer *ret, struct error *err)
{
    *ret = (struct receive_answer){0};
    r->trouble = (struct receive_trouble){0};
    r->is_quarantine_full = false;
    r->unoffered = 0;
    struct span payload = {m->payload, m->len}, body;
    struct batch_header header;
    struct error why;
    struct known_gateway *g = known_gateway_find(r->known, span_of(m->gateway));
    if (g == NULL && r->known->gateways.count >= KNOWN_GATEWAYS_MAX) {
        ret->is_turned_away = true;
        return ST_OK;
    }
    if (batch_read_header(payload, &header, &body, &why) != ST_OK) {
        r->counters.unreadable++;
        r->trouble.is_unreadable = true;
        return quarantine(r, m, NULL, -1, why.text, payload, err);
    }
    enum status status = ST_OK;
    if (g == NULL)
        status = known_gateway_add(r->known, r->db, span_of(m->gateway), m->received_ms, &g, err);
    if (status != ST_OK)
        return status;
    struct mark_decision d = decide(g, &header);
    if (r->is_clock_doubtful && waits_for_clock(m, g, d.verdict, body, &ret->is_untimely))
        return ST_OK;
    if (d.has_gap)
        status = record_gap(r, m, g, &header, &d, err);
    bool is_done = true;
    if (status == ST_OK && d.verdict == MARK_ACCEPT)
        status = accept(r, m, g, &header, body, &is_done, err);
    if (d.verdict == MARK_DUPLICATE)
        r->counters.duplicate_batches++;
    if (d.verdict == MARK_REFUSE)
        r->counters.refused++;
    ret->is_unfinished = !is_done;
    ret->has_ack = is_done;
    ret->ack = (struct ack){.epoch = header.epoch,
        .seq = d.verdict == MARK_ACCEPT ? header.seq : d.mark,
        .is_refusal = d.verdict == MARK_REFUSE};
    return status;
}
