/* Below /api/v1/instruments: one instrument, and its busy times as a calendar. */
#include "collector/instrument/ahead.h"
#include "collector/instrument/board_json.h"
#include "collector/instrument/ical_feed.h"
#include "collector/web/context.h"

#include "lib/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MINUTE_MS INT64_C(60000)
#define DAY_MS INT64_C(86400000)
#define FEED_REFRESH_MIN 15
#define FEED_AHEAD_MS (400 * DAY_MS)
#define FEED_KEEP "public, max-age=60"

const struct board *context_instrument(struct web_context *context, const struct web_request *request,
    const struct board_item **ret_item, struct web_answer *ret)
{
    const struct board *board = context_board(context, ret);
    *ret_item = board != NULL ? board_find(board, request->id) : NULL;
    if (board == NULL || *ret_item != NULL)
        return board;
    board_put(board);
    *ret = answer_error(404, "unknown_instrument", "no instrument has the id \"%.40s\"", request->id);
    return NULL;
}

struct web_answer handle_instrument(struct web_context *context, const struct web_request *request)
{
    struct web_answer answer;
    const struct board_item *item;
    const struct board *board = context_instrument(context, request, &item, &answer);
    if (board == NULL)
        return answer;
    if (!context_is_old(context, board, &answer)) {
        answer = answer_json(200, board_json(item));
        answer_keep(&answer, WEB_KEEP_NOW);
    }
    board_put(board);
    return answer;
}

/* ---- as a calendar ---- */

struct web_answer refuse_private(const struct board_item *item)
{
    return answer_error(
        404, "not_shared", "%s is not shared: when it is in use is not told", item->instrument->id);
}

/* What a calendar's program shows; by enum page_language. */
static const struct {
    const char *busy, *without_names, *known_as_of, *never_read, *no_calendar;
} words[] = {
    [PAGE_EN] = {"Busy", "Busy times, without names.", "Bookings as they were known at",
        "Bookings were never read.", "No calendar of bookings is known here."},
    [PAGE_ZH] = {"占用", "仅占用时段，不含姓名。", "预约情况截至", "预约日历尚未读到。",
        "此处没有预约日历。"},
};

/* Of what nobody knows when it ends: as far as a free time is looked for, by whole days, so that the text stays the same for
 * one. */
static int64_t end_of(const struct board_outage *o, int64_t now_ms)
{
    return o->until_ms != AVAILABILITY_NONE ? o->until_ms
                                            : (now_ms + AVAILABILITY_AHEAD_MS) / DAY_MS * DAY_MS;
}

static void add_busy(const struct board_item *item, struct busy_list *ret)
{
    int64_t now_ms = item->answer.as_of_ms;
    struct busy limits = {INT64_MIN, now_ms + FEED_AHEAD_MS};
    ahead_taken(item, limits.begin_ms, limits.end_ms, ret);
    for (size_t i = 0; i < item->outage_count; i++)
        if (!item->outages[i].is_problem)
            busy_list_add(ret, item->outages[i].from_ms, end_of(&item->outages[i], now_ms), limits);
    busy_list_merge(ret);
}

static char *feed_note(const struct board_item *item, enum page_language language)
{
    struct buf note = {0};
    char time[ZONE_TIME_SIZE];
    const struct availability_source *calendar = &item->calendar;
    buf_printf(&note, "%s ", words[language].without_names);
    if (!calendar->is_configured || calendar->last_ms == AVAILABILITY_NONE) {
        buf_add_str(
            &note, calendar->is_configured ? words[language].never_read : words[language].no_calendar);
    } else {
        zone_format_time(item->zone, calendar->last_ms, time);
        buf_printf(&note, "%s %.10s %.5s", words[language].known_as_of, time, time + 11);
    }
    return buf_take(&note);
}

static struct web_answer feed_of(const struct board_item *item, enum page_language language)
{
    const struct park_instrument *i = item->instrument;
    const char *name = language == PAGE_ZH || i->name_en == NULL ? i->name : i->name_en;
    struct busy_list spans = {0};
    char *note = feed_note(item, language);
    add_busy(item, &spans);
    struct ical_feed feed = {.instrument = i->id,
        .domain = i->building->site->id,
        .name = name != NULL ? name : i->id,
        .busy = words[language].busy,
        .note = note,
        .refresh_min = FEED_REFRESH_MIN,
        .spans = &spans};
    struct buf text = {0};
    /* The tag is of all but the time at which it is written: that alone is no change. */
    char tag[WEB_ETAG_SIZE];
    ical_feed_write(&text, &feed);
    answer_tag(text.data, text.len, tag);
    buf_reset(&text);
    feed.as_of_ms = item->answer.as_of_ms / MINUTE_MS * MINUTE_MS;
    ical_feed_write(&text, &feed);
    size_t len = text.len;
    struct web_answer answer = answer_text(200, "text/calendar; charset=utf-8", buf_take(&text), len);
    answer.cache_control = FEED_KEEP;
    snprintf(answer.etag, sizeof answer.etag, "W/%.20s", tag);
    busy_list_release(&spans);
    free(note);
    return answer;
}

struct web_answer handle_instrument_feed(struct web_context *context, const struct web_request *request)
{
    struct web_answer answer;
    const char *asked = request_param(request, "lang");
    enum page_language language = page_choose_language(asked, NULL);
    if (asked != NULL && strcmp(asked, page_language_name(language)) != 0)
        return answer_error(400, "bad_parameter", "lang: unknown value \"%.40s\"; expected en or zh", asked);
    const struct board_item *item;
    const struct board *board = context_instrument(context, request, &item, &answer);
    if (board == NULL)
        return answer;
    answer = item->answer.status != AVAILABILITY_NOT_SHARED ? feed_of(item, language) : refuse_private(item);
    board_put(board);
    return answer;
}
