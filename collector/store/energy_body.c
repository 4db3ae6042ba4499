#include "collector/store/energy_body.h"

#include "collector/ledger/latest.h"
#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>

#define NO_ROW 255

struct energy_reader {
    struct db *db;
    const struct park *park;
    struct energy_lines *lines;
    int64_t *amounts;
    uint8_t *qualities;
    size_t capacity;
};

struct energy_reader *energy_reader_create(struct db *db)
{
    struct energy_reader *r = mem_zalloc(sizeof *r);
    r->db = db;
    return r;
}

void energy_reader_use(struct energy_reader *r, const struct park *park, const struct rates *rates)
{
    energy_lines_destroy(r->lines);
    r->park = park;
    r->lines = energy_lines_create(park, rates);
}

void energy_reader_destroy(struct energy_reader *r)
{
    if (r == NULL)
        return;
    energy_lines_destroy(r->lines);
    free(r->amounts);
    free(r->qualities);
    free(r);
}

/* ---- the books ---- */

/* *ret is 0 where they do not have the meter. */
static enum status find_meter(struct db *db, const char *name, int64_t *ret, struct error *err)
{
    struct db_stmt *find = db_keep(db, "SELECT id FROM ledger_meter WHERE name = ?1");
    db_bind_text(find, 1, span_of(name));
    bool has_row;
    enum status status = db_step(find, &has_row, err);
    *ret = status == ST_OK && has_row ? db_int(find, 0) : 0;
    db_reset(find);
    return status;
}

/* The first row of a time; INT64_MAX = there is none. */
static enum status find_first(
    struct db *db, int64_t meter, int64_t from_ms, int64_t until_ms, int64_t *ret, struct error *err)
{
    struct db_stmt *find = db_keep(
        db, "SELECT min(start_ms) FROM ledger_quarter WHERE meter = ?1 AND start_ms >= ?2 AND start_ms < ?3");
    db_bind_int(find, 1, meter);
    db_bind_int(find, 2, from_ms);
    db_bind_int(find, 3, until_ms);
    bool has_row;
    enum status status = db_step(find, &has_row, err);
    *ret = status == ST_OK && !db_is_null(find, 0) ? db_int(find, 0) : INT64_MAX;
    db_reset(find);
    return status;
}

enum status energy_body_extent(
    struct db *db, int64_t *ret_from_ms, int64_t *ret_until_ms, bool *ret_is_found, struct error *err)
{
    struct db_stmt *find = db_keep(db,
        "SELECT min(first), max(last) FROM (SELECT"
        "  (SELECT min(start_ms) FROM ledger_quarter WHERE meter = m.id) AS first,"
        "  (SELECT max(start_ms) FROM ledger_quarter WHERE meter = m.id) AS last FROM ledger_meter m)");
    bool has_row;
    enum status status = db_step(find, &has_row, err);
    *ret_is_found = status == ST_OK && !db_is_null(find, 0);
    if (*ret_is_found) {
        *ret_from_ms = db_int(find, 0);
        *ret_until_ms = db_int(find, 1) + BOUNDARY_MS;
    }
    db_reset(find);
    return status;
}

/* ---- bodies ---- */

static void make_room(struct energy_reader *r, size_t count)
{
    if (count > r->capacity) {
        free(r->amounts);
        free(r->qualities);
        r->amounts = mem_alloc(count * sizeof *r->amounts);
        r->qualities = mem_alloc(count);
        r->capacity = count;
    }
    memset(r->qualities, NO_ROW, count);
}

/* Its quarter hours of a time; those that have no row have no line. */
static enum status add_meter(struct energy_reader *r, const struct park_meter *meter, int64_t id,
    int64_t from_ms, int64_t until_ms, struct body *body, struct error *err)
{
    size_t count = (size_t)((until_ms - from_ms) / BOUNDARY_MS);
    make_room(r, count);
    enum status status = latest_read(r->db, id, from_ms, until_ms, r->amounts, r->qualities, err);
    for (size_t i = 0; i < count && status == ST_OK; i++) {
        struct quarter quarter = {.start_ms = from_ms + (int64_t)i * BOUNDARY_MS,
            .quality = (enum quality)r->qualities[i],
            .amount = r->amounts[i]};
        if (r->qualities[i] == NO_ROW)
            continue;
        body_begin_line(body, 0, 0);
        status = energy_line_write(r->lines, &body->text, meter, &quarter, err);
        hour_list_add(&body->hours, SPAN("energy"), quarter.start_ms / HOUR_MS);
    }
    return status;
}

enum status energy_body_span(struct energy_reader *r, const struct repost *span, size_t lines_max,
    struct body *ret, int64_t *ret_done_ms, struct error *err)
{
    const struct park_meter *meter = r->park != NULL ? park_meter_find(r->park, span->meter) : NULL;
    int64_t id = 0, first_ms = INT64_MAX;
    body_reset(ret, 0);
    enum status status = meter != NULL ? find_meter(r->db, span->meter, &id, err) : ST_OK;
    if (status == ST_OK && id != 0)
        status = find_first(r->db, id, span->from_ms, span->until_ms, &first_ms, err);
    *ret_done_ms = span->until_ms;
    if (first_ms < span->until_ms && span->until_ms - first_ms > (int64_t)lines_max * BOUNDARY_MS)
        *ret_done_ms = first_ms + (int64_t)lines_max * BOUNDARY_MS;
    if (status == ST_OK && first_ms < span->until_ms)
        status = add_meter(r, meter, id, first_ms, *ret_done_ms, ret, err);
    body_add_clearing(ret, SPAN("energy"), SPAN("meter"), span_of(span->meter), span->from_ms, *ret_done_ms);
    return status;
}

static bool is_at_site(const struct park_meter *meter, const char *site, int64_t from_ms, int64_t until_ms)
{
    for (int64_t at_ms = from_ms; at_ms < until_ms;) {
        struct park_tags tags = park_tags_at(meter, at_ms);
        if (tags.building != NULL && strcmp(tags.building->site_id, site) == 0)
            return true;
        at_ms = tags.until_ms > at_ms ? tags.until_ms : until_ms;
    }
    return false;
}

enum status energy_body_meters(struct energy_reader *r, struct energy_meters *meters, size_t lines_max,
    struct body *ret, bool *ret_is_last, struct error *err)
{
    const struct park_meter *all = r->park != NULL ? r->park->meters.items : NULL;
    size_t count = all != NULL ? r->park->meters.count : 0;
    enum status status = ST_OK;
    body_reset(ret, 0);
    for (; meters->at < count && ret->count < lines_max && status == ST_OK; meters->at++) {
        const struct park_meter *meter = &all[meters->at];
        int64_t id = 0;
        if (meters->site != NULL && !is_at_site(meter, meters->site, meters->from_ms, meters->until_ms))
            continue;
        size_t before = ret->count;
        status = find_meter(r->db, meter->id, &id, err);
        if (status == ST_OK && id != 0)
            status = add_meter(r, meter, id, meters->from_ms, meters->until_ms, ret, err);
        if (ret->count > before)
            body_add_clearing(
                ret, SPAN("energy"), SPAN("meter"), span_of(meter->id), meters->from_ms, meters->until_ms);
    }
    *ret_is_last = meters->at >= count;
    return status;
}
