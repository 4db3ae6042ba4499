/* Lists from the database, newest first. A page is asked for by `limit`, the next one by `before`, the last
 * id seen. */
#include "collector/web/context.h"

#include "collector/ledger/event.h"
#include "lib/hash.h"
#include "lib/text.h"

#include <assert.h>
#include <stdio.h>

#define LIMIT_DEFAULT 100
#define LIMIT_MAX 1000
/* Rows that one request looks at: the listener's thread must not be held up. */
#define SCAN_MAX 20000
#define CONTENT_SHOWN_MAX 1024

struct page {
    int64_t limit, before;
    struct db_stmt *rows;
};

/* Each takes `before` as ?1 and a limit of rows as ?2. */
static const char *const queries[WEB_LISTS] = {
    [WEB_LOSSES] =
        "SELECT id, gateway, epoch, first_seq, last_seq, readings, from_ms, to_ms, reason, recorded_ms"
        " FROM loss WHERE id < ?1 ORDER BY id DESC LIMIT ?2",
    [WEB_QUARANTINE] = "SELECT id, gateway, epoch, seq, line, reason, recorded_ms, content"
                       " FROM quarantine WHERE id < ?1 ORDER BY id DESC LIMIT ?2",
    [WEB_UNMAPPED] = "SELECT point.id, gateway.name, point.name, point.kind, point.time_ms, point.arrived_ms"
                     " FROM point JOIN gateway ON gateway.id = point.gateway"
                     " WHERE point.id < ?1 ORDER BY point.id DESC LIMIT ?2",
    /* By the index of those that are open; its kinds are those of event.h. */
    [WEB_EXCEPTIONS] =
        "SELECT e.from_ms, e.until_ms, e.kind, e.opened_ms, m.name"
        " FROM ledger_event e INDEXED BY ledger_event_open JOIN ledger_meter m ON m.id = e.meter"
        " WHERE e.state = 0 AND e.kind BETWEEN 5 AND 7 AND e.from_ms < ?1"
        " ORDER BY e.from_ms DESC, m.name LIMIT ?2",
    [WEB_VERSIONS] = "SELECT number, accepted_ms, hash, park_name, factors_name, tariffs_name, who, why"
                     " FROM model_version WHERE number < ?1 ORDER BY number DESC LIMIT ?2",
};

static_assert(
    EVENT_EXCEPTION == 5 && EVENT_LIMIT == 6 && EVENT_CONFIRM == 7, "as in the query and the index");
static const char *const exception_kinds[] = {
    [EVENT_EXCEPTION] = "open_exception", [EVENT_LIMIT] = "limit", [EVENT_CONFIRM] = "confirm_meter"};

/* `scan`: rows to look at, 0 = as many as are asked for. False: *ret is the answer. */
static bool page_open(struct web_context *c, const struct web_request *request, enum web_list list,
    int64_t scan, struct page *page, struct web_answer *ret)
{
    if (!request_int(request, "limit", 1, LIMIT_MAX, LIMIT_DEFAULT, &page->limit, ret) ||
        !request_int(request, "before", 1, INT64_MAX, INT64_MAX, &page->before, ret))
        return false;
    struct error err;
    if (!context_open_db(c, &err)) {
        *ret = answer_error(503, "database_unavailable", "%s", err.text);
        ret->retry_after_s = 5;
        return false;
    }
    if (!c->lists[list])
        c->lists[list] = db_prepare(c->db, queries[list]);
    page->rows = c->lists[list];
    db_bind_int(page->rows, 1, page->before);
    db_bind_int(page->rows, 2, scan ? scan : page->limit);
    return true;
}

/* After a failure the connection is given up: the next request opens another, perhaps on a restored file. */
static struct web_answer page_failed(struct web_context *c, json_t *items, const struct error *err)
{
    json_decref(items);
    context_close_db(c);
    return answer_error(503, "database_unavailable", "%s", err->text);
}

static struct web_answer page_answer(const struct page *page, const char *name, json_t *items, int64_t next)
{
    db_reset(page->rows);
    return answer_json(
        200, json_pack("{s:o, s:o}", name, items, "next_before", next ? json_integer(next) : json_null()));
}

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

struct web_answer handle_losses(struct web_context *context, const struct web_request *request)
{
    struct page page;
    struct web_answer answer;
    if (!page_open(context, request, WEB_LOSSES, 0, &page, &answer))
        return answer;
    json_t *items = json_array();
    int64_t last = 0;
    struct error err;
    for (;;) {
        bool has_row;
        if (db_step(page.rows, &has_row, &err) != ST_OK)
            return page_failed(context, items, &err);
        if (!has_row)
            break;
        last = db_int(page.rows, 0);
        char gateway[ID_MAX + 1];
        const char *site = gateway_site(context, copy_text(page.rows, 1, gateway, sizeof gateway));
        json_array_append_new(items,
            json_pack("{s:I, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "id", (json_int_t)last, "gateway",
                gateway, "epoch", epoch_or_null(page.rows, 2), "first_seq", int_or_null(page.rows, 3),
                "last_seq", int_or_null(page.rows, 4), "readings", int_or_null(page.rows, 5), "from",
                context_time(context, site, db_int(page.rows, 6)), "to",
                context_time(context, site, db_int(page.rows, 7)), "reason", text_json(db_text(page.rows, 8)),
                "recorded", context_time(context, site, db_int(page.rows, 9))));
    }
    return page_answer(&page, "losses", items, json_array_size(items) == (size_t)page.limit ? last : 0);
}

struct web_answer handle_quarantine(struct web_context *context, const struct web_request *request)
{
    struct page page;
    struct web_answer answer;
    if (!page_open(context, request, WEB_QUARANTINE, 0, &page, &answer))
        return answer;
    json_t *items = json_array();
    int64_t last = 0;
    struct error err;
    for (;;) {
        bool has_row;
        if (db_step(page.rows, &has_row, &err) != ST_OK)
            return page_failed(context, items, &err);
        if (!has_row)
            break;
        last = db_int(page.rows, 0);
        char gateway[ID_MAX + 1];
        const char *site = gateway_site(context, copy_text(page.rows, 1, gateway, sizeof gateway));
        json_t *item = json_pack("{s:I, s:s, s:o, s:o, s:o, s:o, s:o}", "id", (json_int_t)last, "gateway",
            gateway, "epoch", epoch_or_null(page.rows, 2), "seq", int_or_null(page.rows, 3), "line",
            int_or_null(page.rows, 4), "reason", text_json(db_text(page.rows, 5)), "recorded",
            context_time(context, site, db_int(page.rows, 6)));
        set_content(item, db_text(page.rows, 7));
        json_array_append_new(items, item);
    }
    return page_answer(&page, "quarantine", items, json_array_size(items) == (size_t)page.limit ? last : 0);
}

struct web_answer handle_unmapped(struct web_context *context, const struct web_request *request)
{
    struct page page;
    struct web_answer answer;
    /* Whether a point is mapped is the park model's to say, so more rows are looked at than are shown. */
    if (!page_open(context, request, WEB_UNMAPPED, SCAN_MAX, &page, &answer))
        return answer;
    json_t *items = json_array();
    int64_t last = 0, now_ms = context->clock->wall_ms(), rows = 0;
    struct error err;
    while (json_array_size(items) < (size_t)page.limit) {
        bool has_row;
        if (db_step(page.rows, &has_row, &err) != ST_OK)
            return page_failed(context, items, &err);
        if (!has_row)
            break;
        rows++;
        last = db_int(page.rows, 0);
        char gateway[ID_MAX + 1], point[POINT_MAX + 1];
        copy_text(page.rows, 1, gateway, sizeof gateway);
        copy_text(page.rows, 2, point, sizeof point);
        struct park_place place = park_place(context->options->park, gateway, point, now_ms);
        if (place.role != ROLE_UNMAPPED)
            continue;
        json_array_append_new(items,
            json_pack("{s:I, s:s, s:s, s:s, s:s?, s:s?, s:o, s:o}", "id", (json_int_t)last, "gateway",
                gateway, "point", point, "kind", reading_kind_name((enum reading_kind)db_int(page.rows, 3)),
                "site", place.site, "building", place.building, "time",
                context_time(context, place.site, db_int(page.rows, 4)), "arrived",
                context_time(context, place.site, db_int(page.rows, 5))));
    }
    bool is_more = json_array_size(items) == (size_t)page.limit || rows == SCAN_MAX;
    return page_answer(&page, "points", items, is_more ? last : 0);
}

static json_t *text_or_null(struct db_stmt *s, int column)
{
    return db_is_null(s, column) ? json_null() : text_json(db_text(s, column));
}

struct web_answer handle_versions(struct web_context *context, const struct web_request *request)
{
    struct page page;
    struct web_answer answer;
    if (!page_open(context, request, WEB_VERSIONS, 0, &page, &answer))
        return answer;
    json_t *items = json_array();
    int64_t last = 0;
    struct error err;
    for (;;) {
        bool has_row;
        if (db_step(page.rows, &has_row, &err) != ST_OK)
            return page_failed(context, items, &err);
        if (!has_row)
            break;
        last = db_int(page.rows, 0);
        struct hash hash;
        char text[HASH_TEXT_SIZE] = "";
        if (hash_read(db_text(page.rows, 2), &hash))
            hash_format(&hash, text);
        json_array_append_new(
            items, json_pack("{s:I, s:o, s:s, s:o, s:o, s:o, s:o, s:o}", "number", (json_int_t)last,
                       "accepted", context_time(context, NULL, db_int(page.rows, 1)), "hash", text, "park",
                       text_or_null(page.rows, 3), "factors", text_or_null(page.rows, 4), "tariffs",
                       text_or_null(page.rows, 5), "who", text_or_null(page.rows, 6), "why",
                       text_or_null(page.rows, 7)));
    }
    return page_answer(&page, "versions", items, json_array_size(items) == (size_t)page.limit ? last : 0);
}

/* `before` is a time here. Several may begin at the same, so a page ends where the next one begins at another. */
struct web_answer handle_exceptions(struct web_context *context, const struct web_request *request)
{
    struct page page;
    struct web_answer answer;
    if (!page_open(context, request, WEB_EXCEPTIONS, SCAN_MAX, &page, &answer))
        return answer;
    json_t *items = json_array();
    int64_t last_ms = 0, next_ms = 0;
    struct error err;
    for (;;) {
        bool has_row;
        if (db_step(page.rows, &has_row, &err) != ST_OK)
            return page_failed(context, items, &err);
        if (!has_row)
            break;
        int64_t from_ms = db_int(page.rows, 0);
        if (json_array_size(items) >= (size_t)page.limit && from_ms != last_ms) {
            next_ms = last_ms;
            break;
        }
        last_ms = from_ms;
        char meter[ID_MAX + 1];
        const struct park_meter *m =
            park_meter_find(context->options->park, copy_text(page.rows, 4, meter, sizeof meter));
        struct park_tags tags = m != NULL ? park_tags_at(m, from_ms) : (struct park_tags){0};
        const char *site = m != NULL ? tags.building->site_id : NULL;
        json_array_append_new(
            items, json_pack("{s:s, s:s, s:s?, s:s?, s:o, s:o, s:o}", "meter", meter, "kind",
                       exception_kinds[db_int(page.rows, 2)], "site", site, "building", tags.building_id,
                       "from", context_time(context, site, from_ms), "until",
                       context_time(context, site, db_int(page.rows, 1)), "opened",
                       context_time(context, site, db_int(page.rows, 3))));
    }
    return page_answer(&page, "exceptions", items, next_ms);
}
