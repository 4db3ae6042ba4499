/* What asks for somebody's eyes, in numbers: for the overview and the wall. */
#include "collector/alarm/rows.h"
#include "collector/instrument/outage.h"
#include "collector/web/context.h"

static json_t *instruments_json(const struct board *board)
{
    json_int_t counts[AVAILABILITY_STATUSES] = {0};
    for (size_t i = 0; i < board->count; i++)
        counts[board->items[i].answer.status]++;
    json_t *json = json_object();
    for (int i = 0; i < AVAILABILITY_STATUSES; i++)
        json_object_set_new(json, availability_statuses[i], json_integer(counts[i]));
    return json;
}

static enum status outages_json(struct db *db, int64_t now_ms, json_t **ret, struct error *err)
{
    struct outage_list standing = {0};
    json_int_t now = 0;
    enum status status = outage_standing(db, now_ms, &standing, err);
    for (size_t i = 0; i < standing.count; i++)
        now += standing.items[i].from_ms <= now_ms;
    if (status == ST_OK)
        *ret = json_pack("{s:I, s:I}", "now", now, "ahead", (json_int_t)standing.count - now);
    outage_list_release(&standing);
    return status;
}

static enum status alarms_json(struct db *db, const struct snapshot *shown, json_t **ret, struct error *err)
{
    struct alarm_counts counts;
    enum status status = alarm_count(db, &counts, err);
    if (status == ST_OK)
        *ret = json_pack("{s:I, s:b, s:I, s:I, s:I, s:I, s:I, s:I}", "rules",
            (json_int_t)shown->counters.alarm_rules, "off", snapshot_alarms_are_off(shown), "standing",
            (json_int_t)counts.standing, "unacked", (json_int_t)counts.unacked, "unacked_critical",
            (json_int_t)counts.unacked_critical, "critical", (json_int_t)counts.by_severity[ALARM_CRITICAL],
            "warning", (json_int_t)counts.by_severity[ALARM_WARNING], "info",
            (json_int_t)counts.by_severity[ALARM_INFO]);
    return status;
}

static struct web_answer summary_of(
    struct web_context *context, const struct board *board, const struct snapshot *shown)
{
    struct web_answer answer;
    struct context_books books;
    struct error err;
    json_t *outages = NULL, *alarms = NULL;
    if (context_is_old(context, board, &answer))
        return answer;
    if (!context_books(context, &books) ||
        outages_json(context->db, board->made_ms, &outages, &err) != ST_OK ||
        alarms_json(context->db, shown, &alarms, &err) != ST_OK) {
        json_decref(outages);
        context_close_db(context);
        return answer_error(503, "database_unavailable", "the database cannot be read now");
    }
    return answer_json(
        200, json_pack("{s:o, s:o, s:o, s:o, s:I}", "as_of", context_time(context, NULL, board->made_ms),
                 "instruments", instruments_json(board), "outages", outages, "alarms", alarms,
                 "open_exceptions", (json_int_t)books.open_exceptions));
}

struct web_answer handle_summary(struct web_context *context, const struct web_request *request)
{
    (void)request;
    struct web_answer answer;
    const struct board *board = context_board(context, &answer);
    if (board == NULL)
        return answer;
    const struct snapshot *shown = context_snapshot(context, &answer);
    if (shown != NULL) {
        answer = summary_of(context, board, shown);
        snapshot_put(shown);
    }
    board_put(board);
    return answer;
}
