/* The decisions of persons about meters, newest first; pages as in api_lists.c. */
#include "collector/web/context.h"

#include "collector/ledger/decided.h"
#include "collector/ledger/event.h"

#include <assert.h>
#include <stdio.h>

#define LIMIT_DEFAULT 100
#define LIMIT_MAX 1000

enum {
    ID,
    METER,
    KIND,
    FROM,
    UNTIL,
    END,
    START,
    MODULUS,
    RESOLUTION,
    MAX_RATE,
    P,
    Q,
    SERIAL,
    ENERGY,
    COUNT,
    FORCED,
    WITHDRAWS,
    TIME,
    TOKEN,
    WHO,
    WHY,
    WITHDRAWN_BY,
    IS_STATED,
    READINGS
};

static_assert(EVENT_STATED == 11, "as in the query");
static const char query[] =
    "SELECT d.id, m.name, d.kind, d.from_ms, d.until_ms, d.end_count, d.start_count, d.modulus, "
    "d.resolution, d.max_rate,"
    "  d.p, d.q, d.serial, d.energy, d.count, d.forced, d.withdraws, d.time_ms, d.token, d.who, d.why,"
    "  (SELECT id FROM ledger_decision WHERE withdraws = d.id),"
    "  EXISTS(SELECT 1 FROM ledger_event e WHERE e.meter = d.meter AND e.from_ms = d.from_ms AND e.kind = 11"
    "    AND e.until_ms = d.until_ms AND e.state = 0),"
    "  (SELECT count(*) FROM ledger_decision_time t WHERE t.decision = d.id)"
    " FROM ledger_decision d JOIN ledger_meter m ON m.id = d.meter WHERE d.id < ?1 ORDER BY d.id DESC LIMIT "
    "?2";

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

/* Has a segment of the park file the instant inside? Where it logs the replacement itself, the decision has no object. */
static bool is_inside(const struct park_meter *m, int64_t time_ms)
{
    if (m != NULL)
        CONF_EACH (struct park_segment, segment, m->segments)
            if (segment->from_ms < time_ms && time_ms < segment->until_ms)
                return true;
    return false;
}

static const char *state_of(struct db_stmt *row, const struct park_meter *m)
{
    enum ruling_kind kind = (enum ruling_kind)db_int(row, KIND);
    if (kind == RULING_WITHDRAWAL)
        return "done";
    if (!db_is_null(row, WITHDRAWN_BY))
        return "undone";
    bool is_idle = m == NULL || (kind == RULING_ENERGY && db_int(row, IS_STATED) == 0) ||
                   ((kind == RULING_RESET || kind == RULING_REPLACED) && !is_inside(m, db_int(row, FROM)));
    return is_idle ? "without_object" : "in_force";
}

static void add_content(json_t *item, struct db_stmt *row)
{
    static const struct {
        enum ruling_kind kind;
        int column;
        const char *name;
    } numbers[] = {{RULING_RESET, END, "end"}, {RULING_RESET, START, "start"}, {RULING_REPLACED, END, "end"},
        {RULING_REPLACED, START, "start"}, {RULING_REPLACED, MODULUS, "modulus"},
        {RULING_REPLACED, RESOLUTION, "resolution"}, {RULING_REPLACED, MAX_RATE, "max_rate"},
        {RULING_ENERGY, ENERGY, "energy"}, {RULING_READING, COUNT, "register"},
        {RULING_OUTLIER, READINGS, "readings"}, {RULING_WITHDRAWAL, WITHDRAWS, "undo"}};
    enum ruling_kind kind = (enum ruling_kind)db_int(row, KIND);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        if (numbers[i].kind == kind)
            json_object_set_new(item, numbers[i].name, int_json(row, numbers[i].column));
    if (kind == RULING_REPLACED) {
        json_object_set_new(
            item, "ratio", json_sprintf("%lld/%lld", (long long)db_int(row, P), (long long)db_int(row, Q)));
        json_object_set_new(item, "serial", text_json(row, SERIAL));
    }
    if (kind == RULING_ENERGY)
        json_object_set_new(item, "forced", json_boolean(db_int(row, FORCED) != 0));
}

static json_t *item_json(const struct web_context *context, struct db_stmt *row)
{
    char meter[ID_MAX + 1];
    struct span name = db_text(row, METER);
    snprintf(
        meter, sizeof meter, "%.*s", (int)(name.len < sizeof meter ? name.len : sizeof meter - 1), name.at);
    const struct park_meter *m = park_meter_find(context->options->park, meter);
    const char *site = m != NULL ? m->building->site_id : NULL;
    json_t *item = json_pack("{s:I, s:s, s:s, s:s, s:o, s:o}", "id", (json_int_t)db_int(row, ID), "meter",
        meter, "kind", decided_kind_name((enum ruling_kind)db_int(row, KIND)), "state", state_of(row, m),
        "from", context_time(context, site, db_int(row, FROM)), "until",
        context_time(context, site, db_int(row, UNTIL)));
    add_content(item, row);
    json_object_set_new(item, "time", context_time(context, site, db_int(row, TIME)));
    json_object_set_new(item, "token", int_json(row, TOKEN));
    json_object_set_new(item, "who", text_json(row, WHO));
    json_object_set_new(item, "why", text_json(row, WHY));
    json_object_set_new(item, "undone_by", int_json(row, WITHDRAWN_BY));
    return item;
}

static struct web_answer fail(struct web_context *context, json_t *items, const struct error *err)
{
    json_decref(items);
    context_close_db(context);
    struct web_answer answer = answer_error(503, "database_unavailable", "%s", err->text);
    answer.retry_after_s = 5;
    return answer;
}

struct web_answer handle_decisions(struct web_context *context, const struct web_request *request)
{
    int64_t limit, before, last = 0;
    struct web_answer answer;
    struct error err;
    bool has_row = true;
    if (!request_int(request, "limit", 1, LIMIT_MAX, LIMIT_DEFAULT, &limit, &answer) ||
        !request_int(request, "before", 1, INT64_MAX, INT64_MAX, &before, &answer))
        return answer;
    json_t *items = json_array();
    if (!context_open_db(context, &err))
        return fail(context, items, &err);
    struct db_stmt *row = db_keep(context->db, query);
    db_bind_int(row, 1, before);
    db_bind_int(row, 2, limit);
    enum status status;
    while ((status = db_step(row, &has_row, &err)) == ST_OK && has_row) {
        last = db_int(row, ID);
        json_array_append_new(items, item_json(context, row));
    }
    if (status != ST_OK)
        return fail(context, items, &err);
    bool is_more = json_array_size(items) == (size_t)limit;
    return answer_json(200, json_pack("{s:o, s:o}", "decisions", items, "next_before",
                                is_more ? json_integer(last) : json_null()));
}
