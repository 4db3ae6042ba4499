/* /api/v1/instruments/{id}/timeline: what an instrument's time was, and is ahead, as everybody may see it. */
#include "collector/instrument/board_json.h"
#include "collector/instrument/hours_facts.h"
#include "collector/instrument/timeline.h"
#include "collector/model/periods.h"
#include "collector/web/context.h"
#include "lib/rfc3339.h"

#define DAY_MS INT64_C(86400000)
#define DAYS_MAX 62
#define KEEP "public, max-age=10"
#define TIME_EXPECTED                                                                                   \
    "expected a time with its offset, such as 2026-10-01T00:00:00Z (a + is written %%2B), or a day or " \
    "month of "                                                                                         \
    "the site, such as 2026-10-05, for its begin"

static bool read_time(const struct web_request *request, const char *name, const struct zone *zone,
    int64_t fallback_ms, int64_t *ret_ms, struct web_answer *ret)
{
    const char *text = request_param(request, name);
    struct period period;
    *ret_ms = fallback_ms;
    if (text == NULL)
        return true;
    if (periods_parse(text, &period)) {
        *ret_ms = periods_span(zone, period).begin_ms;
        return true;
    }
    if (rfc3339_parse(text, ret_ms))
        return true;
    *ret = answer_error(400, "bad_parameter", "%s: \"%.40s\" is not a time; " TIME_EXPECTED, name, text);
    return false;
}

/* By default from the begin of the day on, and as far as a free time is looked for. */
static bool read_span(const struct web_request *request, const struct board_item *item, struct busy *ret,
    struct web_answer *ret_answer)
{
    int64_t now_ms = item->answer.as_of_ms, end_ms = now_ms + AVAILABILITY_AHEAD_MS;
    int64_t local_ms = now_ms + zone_offset_s(item->zone, now_ms) * INT64_C(1000);
    if (!read_time(request, "from", item->zone, now_ms - local_ms % DAY_MS, &ret->begin_ms, ret_answer) ||
        !read_time(request, "until", item->zone, end_ms, &ret->end_ms, ret_answer))
        return false;
    if (ret->end_ms <= ret->begin_ms)
        *ret_answer =
            answer_error(400, "bad_parameter", "until: is not later than from; expected a later time");
    else if (ret->end_ms > end_ms)
        *ret_answer =
            answer_error(400, "too_much", "until: is more than 14 days ahead; nothing is foretold beyond");
    else if (ret->end_ms - ret->begin_ms > DAYS_MAX * DAY_MS)
        *ret_answer = answer_error(
            400, "too_much", "until: is more than %d days after from; expected at most so many", DAYS_MAX);
    else
        return true;
    return false;
}

/* As of one commit. */
static enum status read_past(
    struct db *db, const struct board_item *item, struct busy span, struct hours *ret, struct error *err)
{
    struct hours_book book;
    struct error ignored;
    enum status status = db_exec(db, "BEGIN", err);
    if (status != ST_OK)
        return status;
    status = hours_facts_read(
        db, item->instrument, item->zone, span.begin_ms, span.end_ms, item->answer.as_of_ms, &book, err);
    enum status ended = db_exec(db, "COMMIT", status == ST_OK ? err : &ignored);
    if (status != ST_OK)
        return status;
    if (ended == ST_OK)
        hours_divide(&book.facts, ret);
    hours_book_release(&book);
    return ended;
}

static enum status make(struct web_context *context, const struct board_item *item, struct busy span,
    struct timeline *ret, struct error *err)
{
    int64_t now_ms = item->answer.as_of_ms;
    if (span.begin_ms < now_ms) {
        struct busy past = {span.begin_ms, span.end_ms < now_ms ? span.end_ms : now_ms};
        struct hours hours = {0};
        enum status status = context_open_db(context, err) ? ST_OK : ST_STORAGE;
        if (status == ST_OK)
            status = read_past(context->db, item, past, &hours, err);
        if (status != ST_OK)
            return status;
        timeline_add_past(ret, &hours, item);
        hours_release(&hours);
    }
    if (span.end_ms > now_ms)
        timeline_add_ahead(ret, item, span.begin_ms > now_ms ? span.begin_ms : now_ms, span.end_ms);
    return ST_OK;
}

static struct web_answer answer_timeline(
    const struct board_item *item, struct busy span, const struct timeline *t)
{
    json_t *spans = json_array();
    for (size_t i = 0; i < t->count; i++)
        json_array_append_new(spans,
            json_pack("{s:o, s:o, s:s}", "from", board_json_time(item, t->items[i].from_ms), "until",
                board_json_time(item, t->items[i].until_ms), "state", timeline_states[t->items[i].state]));
    struct web_answer answer = answer_json(
        200, json_pack("{s:s, s:o, s:o, s:o, s:o}", "instrument", item->instrument->id, "as_of",
                 board_json_time(item, item->answer.as_of_ms), "from", board_json_time(item, span.begin_ms),
                 "until", board_json_time(item, span.end_ms), "spans", spans));
    answer_keep(&answer, KEEP);
    return answer;
}

struct web_answer handle_timeline(struct web_context *context, const struct web_request *request)
{
    struct web_answer answer;
    const struct board_item *item;
    struct busy span;
    const struct board *board = context_instrument(context, request, &item, &answer);
    if (board == NULL)
        return answer;
    if (item->answer.status == AVAILABILITY_NOT_SHARED) {
        answer = refuse_private(item);
    } else if (read_span(request, item, &span, &answer)) {
        struct timeline timeline = {0};
        struct error err;
        if (make(context, item, span, &timeline, &err) == ST_OK) {
            answer = answer_timeline(item, span, &timeline);
        } else {
            answer = context_give_up_db(context, &err);
        }
        timeline_release(&timeline);
    }
    board_put(board);
    return answer;
}
