/* Months of sites that are closed: closed, previewed and listed. collector/close_month.h has what is refused. */
#include "collector/web/context.h"
#include "collector/web/paging.h"

#include "collector/close_json.h"
#include "collector/energy/unit.h"

#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>

static json_t *amount_json(int carrier, int64_t amount)
{
    char text[DECIMAL_TEXT_SIZE];
    if (carrier < 0)
        return json_null();
    energy_format(carrier, amount, text);
    return json_string(text);
}

static json_t *month_json(int64_t month)
{
    char text[PERIODS_TEXT_SIZE];
    periods_format((struct period){PERIODS_MONTH, month}, text);
    return json_string(text);
}

/* `count`: the same in base units, also of a meter whose carrier the park model does not tell any more. */
static json_t *row_json(const struct close_month_row *row)
{
    const struct amount *parts = &row->booked.parts;
    return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:I, s:I, s:I}", "meter", row->meter, "carrier",
        row->carrier < 0 ? json_null() : json_string(park_carriers[row->carrier]), "unit",
        row->carrier < 0 ? json_null() : json_string(energy_unit(row->carrier).name), "period",
        month_json(row->month), "amount",
        row->booked.is_whole ? amount_json(row->carrier, parts->sum.known) : json_null(), "known",
        amount_json(row->carrier, parts->sum.known), "known_count", (json_int_t)parts->sum.known, "unknown_s",
        (json_int_t)parts->sum.unknown_s, "waiting_s", (json_int_t)parts->waiting_s);
}

static json_t *rows_json(const struct close_month_row *rows, size_t count)
{
    json_t *items = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(items, row_json(&rows[i]));
    return items;
}

static json_t *reasons_json(const struct close_month_result *r)
{
    json_t *items = json_array();
    for (size_t i = 0; i < r->reasons.count; i++) {
        const struct closing_reason *reason = &r->reasons.items[i];
        char name[CLOSING_NAME_SIZE], text[CLOSING_TEXT_SIZE];
        closing_reason_name(reason, name);
        closing_reason_text(reason, text);
        json_array_append_new(items, json_pack("{s:s, s:s, s:o, s:I}", "reason", name, "what", text, "figure",
                                         reason->is_known ? json_integer(reason->figure) : json_null(),
                                         "limit", (json_int_t)reason->limit));
    }
    return items;
}

static json_t *seal_json(const struct hash *seal)
{
    char text[HASH_TEXT_SIZE];
    hash_format(seal, text);
    return json_string(text);
}

static struct web_answer answer_result(
    const struct web_context *context, const struct close_month *request, const struct close_month_result *r)
{
    return answer_json(request->is_preview ? 200 : 201,
        json_pack("{s:o, s:o, s:b, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "closing",
            r->id != 0 ? json_integer(r->id) : json_null(), "seal",
            r->id != 0 ? seal_json(&r->seal) : json_null(), "preview", (int)request->is_preview, "site",
            request->site, "period", month_json(r->period.number), "from",
            context_time(context, request->site, r->span.begin_ms), "until",
            context_time(context, request->site, r->span.end_ms), "refusal",
            r->refusal != NULL ? json_string(r->refusal) : json_null(), "reasons", reasons_json(r), "meters",
            rows_json(r->rows, r->row_count), "entries", rows_json(r->entries, r->entry_count)));
}

/* ---- the request ---- */

static struct web_answer close_it(struct web_context *context, const struct close_month *request)
{
    const struct web_options *options = context->options;
    struct close_month_result result;
    struct error err;
    if (options->close_month == NULL)
        return answer_later("not_now", "there is nobody who closes");
    enum status status = options->close_month(options->user_data, request, &result, &err);
    if (status != ST_OK)
        return answer_undone(status, &err);
    struct web_answer answer = answer_result(context, request, &result);
    close_month_result_release(&result);
    return answer;
}

struct web_answer handle_close(struct web_context *context, const struct web_request *request)
{
    struct close_month act = {.who = request->caller->token.name, .token = request->caller->token.id};
    struct closing_override *overrides = mem_alloc(CLOSE_MONTH_OVERRIDES_MAX * sizeof *overrides);
    struct web_answer answer;
    int64_t is_preview;
    struct error err;
    if (request_int(request, "preview", 0, 1, 0, &is_preview, &answer)) {
        act.is_preview = is_preview != 0;
        answer = close_json_read(request->json, &act, overrides, &err) == ST_OK
                     ? close_it(context, &act)
                     : answer_error(400, "bad_closing", "%s", err.text);
    }
    free(overrides);
    return answer;
}

/* ---- the list ---- */

static json_t *text_json(struct db_stmt *row, int column)
{
    struct span text = db_text(row, column);
    return json_stringn(text.at, text.len);
}

static enum status overrides_json(struct db *db, int64_t closing, json_t *items, struct error *err)
{
    struct db_stmt *next = db_keep(
        db, "SELECT name, what, figure, bound, why FROM closing_override WHERE closing = ?1 ORDER BY name");
    bool has_row;
    enum status status;
    db_bind_int(next, 1, closing);
    while ((status = db_step(next, &has_row, err)) == ST_OK && has_row)
        json_array_append_new(items,
            json_pack("{s:o, s:o, s:o, s:I, s:o}", "reason", text_json(next, 0), "what", text_json(next, 1),
                "figure", db_is_null(next, 2) ? json_null() : json_integer(db_int(next, 2)), "limit",
                (json_int_t)db_int(next, 3), "why", text_json(next, 4)));
    db_reset(next);
    return status;
}

static enum status add_closing(
    const struct web_context *context, struct db_stmt *row, json_t *items, struct error *err)
{
    char *site = mem_strndup(db_text(row, 1).at, db_text(row, 1).len);
    json_t *overrides = json_array();
    struct hash seal;
    bool has_seal = hash_read(db_text(row, 11), &seal);
    enum status status = overrides_json(context->db, db_int(row, 0), overrides, err);
    json_array_append_new(items,
        json_pack("{s:I, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:I, s:o, s:o}", "id",
            (json_int_t)db_int(row, 0), "site", site, "period", month_json(db_int(row, 2)), "from",
            context_time(context, site, db_int(row, 3)), "until", context_time(context, site, db_int(row, 4)),
            "closed", context_time(context, site, db_int(row, 5)), "token",
            db_is_null(row, 6) ? json_null() : json_integer(db_int(row, 6)), "who", text_json(row, 7), "why",
            text_json(row, 8), "model", (json_int_t)db_int(row, 9), "journal", (json_int_t)db_int(row, 10),
            "seal", has_seal ? seal_json(&seal) : json_null(), "overrides", overrides));
    free(site);
    return status;
}

struct web_answer handle_closings(struct web_context *context, const struct web_request *request)
{
    int64_t last = 0;
    struct paging paging;
    struct web_answer answer;
    struct error err;
    bool has_row;
    if (!paging_read(request, &paging, &answer))
        return answer;
    if (!context_open_db(context, &err))
        return context_give_up_db(context, &err);
    json_t *items = json_array();
    struct db_stmt *row = db_keep(context->db,
        "SELECT id, site, month, from_ms, until_ms, closed_ms, token, who, why, model, journal,"
        " (SELECT hash FROM closing_seal WHERE closing = id) FROM closing WHERE id < ?1 ORDER BY id DESC "
        "LIMIT ?2");
    db_bind_int(row, 1, paging.before);
    db_bind_int(row, 2, paging.limit);
    enum status status;
    while ((status = db_step(row, &has_row, &err)) == ST_OK && has_row) {
        last = db_int(row, 0);
        if ((status = add_closing(context, row, items, &err)) != ST_OK)
            break;
    }
    db_reset(row);
    if (status != ST_OK) {
        json_decref(items);
        return context_give_up_db(context, &err);
    }
    return paging_answer("closings", items, paging_next(&paging, items, last));
}
