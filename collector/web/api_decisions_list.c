/* The decisions of persons about meters, newest first; pages as in api_lists.c. */
#include "collector/web/context.h"
#include "collector/web/paging.h"

#include "collector/ledger/decided_list.h"

#include <stdio.h>

static json_t *text_json(struct db_stmt *row, int column)
{
    struct span text = db_text(row, column);
    json_t *json = db_is_null(row, column) ? json_null() : json_stringn(text.at, text.len);
    return json != NULL ? json : json_string("(not UTF-8)");
}

static json_t *int_json(struct db_stmt *row, int column)
{
    return db_is_null(row, column) ? json_null() : json_integer(db_int(row, column));
}

static void add_content(json_t *item, struct db_stmt *row)
{
    static const struct {
        enum ruling_kind kind;
        int column;
        const char *name;
    } numbers[] = {{RULING_RESET, DECIDED_END, "end"}, {RULING_RESET, DECIDED_START, "start"},
        {RULING_REPLACED, DECIDED_END, "end"}, {RULING_REPLACED, DECIDED_START, "start"},
        {RULING_REPLACED, DECIDED_MODULUS, "modulus"}, {RULING_REPLACED, DECIDED_RESOLUTION, "resolution"},
        {RULING_REPLACED, DECIDED_MAX_RATE, "max_rate"}, {RULING_ENERGY, DECIDED_ENERGY, "energy"},
        {RULING_READING, DECIDED_COUNT, "register"}, {RULING_OUTLIER, DECIDED_READINGS, "readings"},
        {RULING_WITHDRAWAL, DECIDED_WITHDRAWS, "undo"}};
    enum ruling_kind kind = (enum ruling_kind)db_int(row, DECIDED_KIND);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        if (numbers[i].kind == kind)
            json_object_set_new(item, numbers[i].name, int_json(row, numbers[i].column));
    if (kind == RULING_REPLACED) {
        json_object_set_new(item, "ratio",
            json_sprintf("%lld/%lld", (long long)db_int(row, DECIDED_P), (long long)db_int(row, DECIDED_Q)));
        json_object_set_new(item, "serial", text_json(row, DECIDED_SERIAL));
    }
    if (kind == RULING_ENERGY)
        json_object_set_new(item, "forced", json_boolean(db_int(row, DECIDED_FORCED) != 0));
}

static json_t *item_json(const struct web_context *context, struct db_stmt *row)
{
    char meter[ID_MAX + 1];
    struct span name = db_text(row, DECIDED_METER);
    snprintf(
        meter, sizeof meter, "%.*s", (int)(name.len < sizeof meter ? name.len : sizeof meter - 1), name.at);
    const struct park_meter *m = park_meter_find(context->options->park, meter);
    const char *site = m != NULL ? m->building->site_id : NULL;
    json_t *item = json_pack("{s:I, s:s, s:s, s:s, s:o, s:o}", "id", (json_int_t)db_int(row, DECIDED_ID),
        "meter", meter, "kind", decided_kind_name((enum ruling_kind)db_int(row, DECIDED_KIND)), "state",
        decided_list_state(row, m), "from", context_time(context, site, db_int(row, DECIDED_FROM)), "until",
        context_time(context, site, db_int(row, DECIDED_UNTIL)));
    add_content(item, row);
    json_object_set_new(item, "time", context_time(context, site, db_int(row, DECIDED_TIME)));
    json_object_set_new(item, "token", int_json(row, DECIDED_TOKEN));
    json_object_set_new(item, "who", text_json(row, DECIDED_WHO));
    json_object_set_new(item, "why", text_json(row, DECIDED_WHY));
    json_object_set_new(item, "undone_by", int_json(row, DECIDED_WITHDRAWN_BY));
    return item;
}

struct web_answer handle_decisions(struct web_context *context, const struct web_request *request)
{
    int64_t last = 0;
    struct paging paging;
    struct web_answer answer;
    struct error err;
    bool has_row = true;
    if (!paging_read(request, &paging, &answer))
        return answer;
    if (!context_open_db(context, &err))
        return context_give_up_db(context, &err);
    json_t *items = json_array();
    struct db_stmt *row = decided_list(context->db, 0, INT64_MIN, INT64_MAX, paging.before, paging.limit);
    enum status status;
    while ((status = db_step(row, &has_row, &err)) == ST_OK && has_row) {
        last = db_int(row, DECIDED_ID);
        json_array_append_new(items, item_json(context, row));
    }
    if (status == ST_OK)
        return paging_answer("decisions", items, paging_next(&paging, items, last));
    json_decref(items);
    return context_give_up_db(context, &err);
}
