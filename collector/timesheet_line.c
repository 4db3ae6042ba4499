#include "collector/timesheet_line.h"

#include "collector/energy/series.h"
#include "collector/instrument/hours_facts.h"
#include "collector/store/outbox.h"

#include <string.h>

#define QUARTER_MS PERIODS_QUARTER_HOUR_MS
#define FIELDS_MAX (HOURS_PARTS + 1)

static const char *const fields_of[] = {[HOURS_BROKEN] = "broken_s",
    [HOURS_PLANNED] = "planned_outage_s",
    [HOURS_TRAINING] = "training_s",
    [HOURS_INTERNAL] = "internal_s",
    [HOURS_EXTERNAL] = "external_s",
    [HOURS_UNATTRIBUTED] = "unattributed_s",
    [HOURS_UNKNOWN] = "unknown_s",
    [HOURS_IDLE] = "idle_s",
    [HOURS_NO_SHOW] = "no_show_s",
    [HOURS_RESERVED] = "reserved_s",
    [HOURS_CLOSED] = "closed_s",
    [HOURS_FREE] = "free_s"};

/* No tag may end in a backslash: one that does is left out, like one that is not given. */
static struct span tag_of(const char *text)
{
    size_t len = text != NULL ? strlen(text) : 0;
    return len > 0 && text[len - 1] != '\\' ? span_of(text) : SPAN("");
}

static enum status write_line(const struct park_instrument *n, const int64_t *part_ms, bool is_known,
    int64_t wh, int64_t time_ms, struct buf *out, struct error *err)
{
    const struct line_tag tags[] = {{SPAN("building"), tag_of(n->building_id)},
        {SPAN("category"), tag_of(n->category_id)}, {SPAN("instrument"), span_of(n->id)},
        {SPAN("site"), tag_of(n->building->site_id)}};
    struct line_field fields[FIELDS_MAX];
    size_t count = 0;
    for (int part = 0; part < HOURS_PARTS; part++)
        fields[count++] = (struct line_field){
            span_of(fields_of[part]), {.type = LINE_FLOAT, .f = (double)part_ms[part] / 1000}};
    if (is_known)
        fields[count++] = (struct line_field){SPAN("energy"), {.type = LINE_FLOAT, .f = (double)wh / 1000}};
    return line_write(
        out, SPAN("instrument"), tags, sizeof tags / sizeof tags[0], fields, count, time_ms, err);
}

static enum status is_there(
    struct db *db, struct span series, int64_t time_ms, struct span line, bool *ret, struct error *err)
{
    struct db_stmt *find = db_keep(db, "SELECT line FROM outbox WHERE series = ?1 AND time_ms = ?2");
    bool has_row;
    db_bind_text(find, 1, series);
    db_bind_int(find, 2, time_ms);
    enum status status = db_step(find, &has_row, err);
    struct span there = status == ST_OK && has_row ? db_text(find, 0) : (struct span){0};
    *ret = there.len == line.len && memcmp(there.at, line.at, line.len) == 0;
    db_reset(find);
    return status;
}

/* What the store may have of the quarter hour goes first: it may have energy, or another tag. */
static enum status put(struct db *db, const struct park_instrument *n, int64_t time_ms,
    const struct buf *line, bool *ret_is_changed, struct error *err)
{
    struct buf series = {0};
    bool is_same;
    buf_printf(&series, "instrument,instrument=%s", n->id);
    struct span name = {series.data, series.len}, text = {line->data, line->len};
    enum status status = is_there(db, name, time_ms, text, &is_same, err);
    if (status == ST_OK && !is_same) {
        *ret_is_changed = true;
        status = outbox_put_over(db, name, time_ms, QUARTER_MS, text, err);
    }
    buf_release(&series);
    return status;
}

static enum status read_energy(
    struct db *db, const struct park_meter *meter, int64_t now_ms, struct series *series, struct error *err)
{
    struct periods_span span = series->span;
    struct series_due due = {0, 0, now_ms};
    int64_t id = 0;
    enum status status = ST_OK;
    if (meter != NULL) {
        due = series_due(meter, now_ms);
        status = series_meter(db, meter->id, &id, err);
    }
    series_init(series, span, &due);
    return status == ST_OK && id != 0 ? series_read(db, id, series, err) : status;
}

enum status timesheet_lines_put(struct db *db, const struct park_instrument *instrument,
    const struct zone *zone, int64_t from_ms, int64_t until_ms, int64_t now_ms, bool *ret_is_changed,
    struct error *err)
{
    struct hours_book book;
    enum status status = hours_facts_read(db, instrument, zone, from_ms, until_ms, now_ms, &book, err);
    if (status != ST_OK)
        return status;
    struct hours divided;
    struct series energy = {.span = {from_ms, until_ms}};
    struct buf line = {0};
    hours_divide(&book.facts, &divided);
    status = read_energy(db, instrument->meter, now_ms, &energy, err);
    size_t row = 0;
    for (size_t i = 0; i < energy.count && status == ST_OK; i++) {
        int64_t begin_ms = from_ms + (int64_t)i * QUARTER_MS, end_ms = begin_ms + QUARTER_MS;
        int64_t part_ms[HOURS_PARTS] = {0};
        for (; row < divided.count && divided.rows[row].from_ms < end_ms; row++) {
            const struct hours_row *r = &divided.rows[row];
            int64_t a_ms = r->from_ms > begin_ms ? r->from_ms : begin_ms;
            part_ms[r->part] += (r->until_ms < end_ms ? r->until_ms : end_ms) - a_ms;
            if (r->until_ms > end_ms)
                break;
        }
        buf_reset(&line);
        bool is_known = instrument->meter != NULL && series_is_known((enum series_state)energy.states[i]);
        status = write_line(instrument, part_ms, is_known, energy.amounts[i], begin_ms, &line, err);
        if (status == ST_OK)
            status = put(db, instrument, begin_ms, &line, ret_is_changed, err);
    }
    buf_release(&line);
    series_release(&energy);
    hours_release(&divided);
    hours_book_release(&book);
    return status;
}

enum status timesheet_lines_widen(struct db *db, const struct park_instrument *instrument,
    const struct zone *zone, int64_t now_ms, int64_t *from_ms, int64_t *until_ms, struct error *err)
{
    struct hours_book book;
    int64_t begin_ms = *from_ms, end_ms = *until_ms, grace_ms = instrument->grace_ms;
    enum status status =
        hours_facts_read(db, instrument, zone, begin_ms - grace_ms, end_ms, now_ms, &book, err);
    if (status != ST_OK)
        return status;
    for (size_t i = 0; i < book.facts.session_count; i++) {
        const struct hours_span *span = &book.facts.sessions[i].span;
        if (span->from_ms >= end_ms || span->until_ms <= begin_ms)
            continue;
        *from_ms = span->from_ms < *from_ms ? span->from_ms : *from_ms;
        *until_ms = span->until_ms > *until_ms ? span->until_ms : *until_ms;
    }
    for (size_t i = 0; i < book.facts.bookings.count; i++) {
        const struct hours_span *span = &book.facts.bookings.items[i];
        /* Of a short one it is known only after its end that nobody came. */
        if (span->until_ms <= begin_ms && span->from_ms + grace_ms <= begin_ms)
            continue;
        *from_ms = span->from_ms < *from_ms ? span->from_ms : *from_ms;
        *until_ms = span->until_ms > *until_ms ? span->until_ms : *until_ms;
    }
    hours_book_release(&book);
    return ST_OK;
}
