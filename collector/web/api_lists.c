/* Lists from the database: a query and what its rows say. */
#include "collector/web/context.h"
#include "collector/web/paging.h"

#include "collector/ledger/event.h"
#include "lib/hash.h"
#include "lib/text.h"

#include <assert.h>
#include <stdio.h>

/* Rows that one request looks at: the listener's thread must not be held up. */
#define SCAN_MAX 20000
#define CONTENT_SHOWN_MAX 1024

static json_t *int_or_null(struct db_stmt *s, int column)
{
    return db_is_null(s, column) ? json_null() : json_integer(db_int(s, column));
}

static json_t *epoch_or_null(struct db_stmt *s, int column)
{
    if (db_is_null(s, column))
        return json_null();
    char text[EPOCH_TEXT_SIZE];
    epoch_format((uint64_t)db_int(s, column), text);
    return json_string(text);
}

static json_t *text_json(struct span s)
{
    json_t *json = json_stringn(s.at, s.len);
    return json ? json : json_string("(not UTF-8)");
}

/* What was refused may be anything: shown as text where it is text, else as hex, its beginning at least. */
static void set_content(json_t *item, struct span content)
{
    struct span shown = {content.at, content.len < CONTENT_SHOWN_MAX ? content.len : CONTENT_SHOWN_MAX};
    json_object_set_new(item, "bytes", json_integer((json_int_t)content.len));
    if (text_is_utf8(content)) {
        while (
            shown.len < content.len && shown.len > 0 && ((unsigned char)shown.at[shown.len] & 0xc0) == 0x80)
            shown.len--;
        json_object_set_new(item, "content", text_json(shown));
        return;
    }
    char hex[CONTENT_SHOWN_MAX + 1];
    size_t len = shown.len < CONTENT_SHOWN_MAX / 2 ? shown.len : CONTENT_SHOWN_MAX / 2;
    for (size_t i = 0; i < len; i++)
        snprintf(hex + 2 * i, 3, "%02x", (unsigned char)shown.at[i]);
    json_object_set_new(item, "content_hex", json_stringn(hex, 2 * len));
}

static const char *gateway_site(const struct web_context *c, const char *id)
{
    const struct park_gateway *gateway = park_gateway_find(c->options->park, id);
    return gateway ? park_stand_at(gateway, c->clock->wall_ms())->site_id : NULL;
}

/* The text of a short column, such as a gateway, as a C string. */
static const char *copy_text(struct db_stmt *s, int column, char *text, size_t size)
{
    struct span value = db_text(s, column);
    snprintf(text, size, "%.*s", (int)(value.len < size ? value.len : size - 1), value.at);
    return text;
}

static json_t *text_or_null(struct db_stmt *s, int column)
{
    return db_is_null(s, column) ? json_null() : text_json(db_text(s, column));
}

/* ---- what a row says; NULL = it is passed over ---- */

static json_t *loss_json(const struct web_context *c, struct db_stmt *row)
{
    char gateway[ID_MAX + 1];
    const char *site = gateway_site(c, copy_text(row, 1, gateway, sizeof gateway));
    return json_pack("{s:I, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "id", (json_int_t)db_int(row, 0),
        "gateway", gateway, "epoch", epoch_or_null(row, 2), "first_seq", int_or_null(row, 3), "last_seq",
        int_or_null(row, 4), "readings", int_or_null(row, 5), "from", context_time(c, site, db_int(row, 6)),
        "to", context_time(c, site, db_int(row, 7)), "reason", text_json(db_text(row, 8)), "recorded",
        context_time(c, site, db_int(row, 9)));
}

static json_t *refused_json(const struct web_context *c, struct db_stmt *row)
{
    char gateway[ID_MAX + 1];
    const char *site = gateway_site(c, copy_text(row, 1, gateway, sizeof gateway));
    json_t *item =
        json_pack("{s:I, s:s, s:o, s:o, s:o, s:o, s:o}", "id", (json_int_t)db_int(row, 0), "gateway", gateway,
            "epoch", epoch_or_null(row, 2), "seq", int_or_null(row, 3), "line", int_or_null(row, 4), "reason",
            text_json(db_text(row, 5)), "recorded", context_time(c, site, db_int(row, 6)));
    set_content(item, db_text(row, 7));
    return item;
}

static json_t *unmapped_json(const struct web_context *c, struct db_stmt *row)
{
    char gateway[ID_MAX + 1], point[POINT_MAX + 1];
    copy_text(row, 1, gateway, sizeof gateway);
    copy_text(row, 2, point, sizeof point);
    struct park_place place = park_place(c->options->park, gateway, point, c->clock->wall_ms());
    if (place.role != ROLE_UNMAPPED)
        return NULL;
    return json_pack("{s:I, s:s, s:s, s:s, s:s?, s:s?, s:o, s:o}", "id", (json_int_t)db_int(row, 0),
        "gateway", gateway, "point", point, "kind", reading_kind_name((enum reading_kind)db_int(row, 3)),
        "site", place.site, "building", place.building, "time", context_time(c, place.site, db_int(row, 4)),
        "arrived", context_time(c, place.site, db_int(row, 5)));
}

static json_t *version_json(const struct web_context *c, struct db_stmt *row)
{
    struct hash hash;
    char text[HASH_TEXT_SIZE] = "";
    if (hash_read(db_text(row, 2), &hash))
        hash_format(&hash, text);
    return json_pack("{s:I, s:o, s:s, s:o, s:o, s:o, s:o, s:o}", "number", (json_int_t)db_int(row, 0),
        "accepted", context_time(c, NULL, db_int(row, 1)), "hash", text, "park", text_or_null(row, 3),
        "factors", text_or_null(row, 4), "tariffs", text_or_null(row, 5), "who", text_or_null(row, 6), "why",
        text_or_null(row, 7));
}

/* ---- the lists ---- */

struct list {
    const char *name;
    const char *query; /* takes `before` as ?1 and a limit of rows as ?2; first column: what `before` is */
    json_t *(*item)(const struct web_context *context, struct db_stmt *row); /* NULL = by its own handler */
    int64_t scan; /* rows to look at; 0 = as many as are asked for */
};

static const struct list lists[WEB_LISTS] = {
    [WEB_LOSSES] = {"losses",
        "SELECT id, gateway, epoch, first_seq, last_seq, readings, from_ms, to_ms, reason, recorded_ms"
        " FROM loss WHERE id < ?1 ORDER BY id DESC LIMIT ?2",
        loss_json, 0},
    [WEB_QUARANTINE] = {"quarantine",
        "SELECT id, gateway, epoch, seq, line, reason, recorded_ms, content"
        " FROM quarantine WHERE id < ?1 ORDER BY id DESC LIMIT ?2",
        refused_json, 0},
    /* Whether a point is mapped is the park model's to say, so more rows are looked at than are shown. */
    [WEB_UNMAPPED] = {"points",
        "SELECT point.id, gateway.name, point.name, point.kind, point.time_ms, point.arrived_ms"
        " FROM point JOIN gateway ON gateway.id = point.gateway"
        " WHERE point.id < ?1 ORDER BY point.id DESC LIMIT ?2",
        unmapped_json, SCAN_MAX},
    /* By the index of those that are open; its kinds are those of event.h. */
    [WEB_EXCEPTIONS] = {"exceptions",
        "SELECT e.from_ms, e.until_ms, e.kind, e.opened_ms, m.name"
        " FROM ledger_event e INDEXED BY ledger_event_open JOIN ledger_meter m ON m.id = e.meter"
        " WHERE e.state = 0 AND e.kind BETWEEN 5 AND 7 AND e.from_ms < ?1"
        " ORDER BY e.from_ms DESC, m.name LIMIT ?2",
        NULL, SCAN_MAX},
    [WEB_VERSIONS] = {"versions",
        "SELECT number, accepted_ms, hash, park_name, factors_name, tariffs_name, who, why"
        " FROM model_version WHERE number < ?1 ORDER BY number DESC LIMIT ?2",
        version_json, 0},
};

/* NULL: *ret is the answer. */
static struct db_stmt *begin(
    struct web_context *c, enum web_list which, const struct paging *paging, struct web_answer *ret)
{
    struct error err;
    if (!context_open_db(c, &err)) {
        *ret = context_give_up_db(c, &err);
        return NULL;
    }
    if (!c->lists[which])
        c->lists[which] = db_prepare(c->db, lists[which].query);
    db_bind_int(c->lists[which], 1, paging->before);
    db_bind_int(c->lists[which], 2, lists[which].scan != 0 ? lists[which].scan : paging->limit);
    return c->lists[which];
}

static struct web_answer answer_list(
    struct web_context *context, const struct web_request *request, enum web_list which)
{
    const struct list *list = &lists[which];
    struct paging paging;
    struct web_answer answer;
    struct error err;
    if (!paging_read(request, &paging, &answer))
        return answer;
    struct db_stmt *row = begin(context, which, &paging, &answer);
    if (row == NULL)
        return answer;
    json_t *items = json_array();
    int64_t last = 0, rows = 0;
    bool has_row = true;
    while (has_row && json_array_size(items) < (size_t)paging.limit) {
        if (db_step(row, &has_row, &err) != ST_OK) {
            json_decref(items);
            return context_give_up_db(context, &err);
        }
        json_t *item = has_row ? list->item(context, row) : NULL;
        if (item != NULL)
            json_array_append_new(items, item);
        last = has_row ? db_int(row, 0) : last;
        rows += has_row;
    }
    db_reset(row);
    return paging_answer(
        list->name, items, list->scan != 0 && rows == list->scan ? last : paging_next(&paging, items, last));
}

struct web_answer handle_losses(struct web_context *context, const struct web_request *request)
{
    return answer_list(context, request, WEB_LOSSES);
}

struct web_answer handle_quarantine(struct web_context *context, const struct web_request *request)
{
    return answer_list(context, request, WEB_QUARANTINE);
}

struct web_answer handle_unmapped(struct web_context *context, const struct web_request *request)
{
    return answer_list(context, request, WEB_UNMAPPED);
}

struct web_answer handle_versions(struct web_context *context, const struct web_request *request)
{
    return answer_list(context, request, WEB_VERSIONS);
}

/* ---- exceptions ---- */

static_assert(
    EVENT_EXCEPTION == 5 && EVENT_LIMIT == 6 && EVENT_CONFIRM == 7, "as in the query and the index");
static const char *const exception_kinds[] = {
    [EVENT_EXCEPTION] = "open_exception", [EVENT_LIMIT] = "limit", [EVENT_CONFIRM] = "confirm_meter"};

static json_t *exception_json(const struct web_context *c, struct db_stmt *row)
{
    char meter[ID_MAX + 1];
    int64_t from_ms = db_int(row, 0);
    const struct park_meter *m = park_meter_find(c->options->park, copy_text(row, 4, meter, sizeof meter));
    struct park_tags tags = m != NULL ? park_tags_at(m, from_ms) : (struct park_tags){0};
    const char *site = m != NULL ? tags.building->site_id : NULL;
    return json_pack("{s:s, s:s, s:s?, s:s?, s:o, s:o, s:o}", "meter", meter, "kind",
        exception_kinds[db_int(row, 2)], "site", site, "building", tags.building_id, "from",
        context_time(c, site, from_ms), "until", context_time(c, site, db_int(row, 1)), "opened",
        context_time(c, site, db_int(row, 3)));
}

/* `before` is a time here. Several may begin at the same, so a page ends where the next one begins at another. */
struct web_answer handle_exceptions(struct web_context *context, const struct web_request *request)
{
    struct paging paging;
    struct web_answer answer;
    struct error err;
    if (!paging_read(request, &paging, &answer))
        return answer;
    struct db_stmt *row = begin(context, WEB_EXCEPTIONS, &paging, &answer);
    if (row == NULL)
        return answer;
    json_t *items = json_array();
    int64_t last_ms = 0, next_ms = 0;
    for (;;) {
        bool has_row;
        if (db_step(row, &has_row, &err) != ST_OK) {
            json_decref(items);
            return context_give_up_db(context, &err);
        }
        if (!has_row)
            break;
        if (json_array_size(items) >= (size_t)paging.limit && db_int(row, 0) != last_ms) {
            next_ms = last_ms;
            break;
        }
        last_ms = db_int(row, 0);
        json_array_append_new(items, exception_json(context, row));
    }
    db_reset(row);
    return paging_answer("exceptions", items, next_ms);
}
