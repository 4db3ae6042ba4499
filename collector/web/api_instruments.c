/* /api/v1/instruments: which instruments there are, which of them can be had now, and when several can be had together. */
#include "collector/instrument/ahead.h"
#include "collector/instrument/board_json.h"
#include "collector/web/context.h"
#include "lib/number.h"

#include <string.h>

#define LIMIT_DEFAULT 100
#define LIMIT_MAX 500
#define IDS_MAX 16
#define MINUTE_MS INT64_C(60000)
#define LENGTH_EXPECTED "minutes, hours or days, such as 90m, 2h or 1d, of at most 14 days"

/* What is asked for. */
struct query {
    const struct board *board;
    struct search_wish wish;
    bool is_now;       /* only what is available now */
    int64_t length_ms; /* 0 = not said */
    int64_t limit;
    size_t begin; /* the first instrument of the park that is looked at */
    const struct board_item *ids[IDS_MAX];
    size_t id_count; /* 0 = not said */
};

static bool refuse(struct web_answer *ret, const char *name, const char *text, const char *expected)
{
    *ret =
        answer_error(400, "bad_parameter", "%s: unknown value \"%.40s\"; expected %s", name, text, expected);
    return false;
}

/* ---- reading a query ---- */

static bool read_length(const struct web_request *request, struct query *q, struct web_answer *ret)
{
    static const struct {
        char unit;
        int64_t ms;
    } units[] = {{'m', MINUTE_MS}, {'h', 60 * MINUTE_MS}, {'d', 1440 * MINUTE_MS}};
    const char *text = request_param(request, "length");
    if (text == NULL)
        return true;
    size_t len = strlen(text);
    int64_t count;
    for (size_t i = 0; i < sizeof units / sizeof units[0] && len > 1; i++)
        if (text[len - 1] == units[i].unit && number_parse_int64(text, len - 1, &count) && count > 0 &&
            count <= AVAILABILITY_AHEAD_MS / units[i].ms) {
            q->length_ms = count * units[i].ms;
            return true;
        }
    return refuse(ret, "length", text, LENGTH_EXPECTED);
}

static bool read_now(const struct web_request *request, struct query *q, struct web_answer *ret)
{
    const char *text = request_param(request, "available");
    q->is_now = text != NULL;
    return text == NULL || strcmp(text, "now") == 0 || refuse(ret, "available", text, "now");
}

/* One of the ids in a list of the park; `ret` stays NULL where it is not given. */
#define READ_ID(type, name, list, field)                                       \
    do {                                                                       \
        const char *text = request_param(request, name);                       \
        CONF_EACH (const struct type, item, list)                              \
            if (text != NULL && strcmp(item->id, text) == 0)                   \
                field = item;                                                  \
        if (text != NULL && field == NULL)                                     \
            return refuse(ret, name, text, "the id of one in the park model"); \
    } while (0)

static bool read_wish(const struct web_request *request, struct query *q, struct web_answer *ret)
{
    const struct park *park = q->board->model->park;
    READ_ID(park_category, "category", park->categories, q->wish.category);
    READ_ID(park_building, "building", park->buildings, q->wish.building);
    READ_ID(park_site, "site", park->sites, q->wish.site);
    search_wish_type(&q->wish, request_param(request, "q"), request_param(request, "model"),
        request_param(request, "organisation"));
    return true;
}

static bool read_page(const struct web_request *request, struct query *q, struct web_answer *ret)
{
    const char *after = request_param(request, "after");
    if (!request_int(request, "limit", 1, LIMIT_MAX, LIMIT_DEFAULT, &q->limit, ret))
        return false;
    const struct board_item *last = after != NULL ? board_find(q->board, after) : NULL;
    if (after != NULL && last == NULL)
        return refuse(ret, "after", after, "the id of an instrument");
    q->begin = last != NULL ? (size_t)(last - q->board->items) + 1 : 0;
    return true;
}

static bool add_id(struct query *q, const char *text, size_t len, struct web_answer *ret)
{
    char id[WEB_ID_SIZE];
    snprintf(id, sizeof id, "%.*s", (int)(len < sizeof id ? len : sizeof id - 1), text);
    const struct board_item *item = len < sizeof id ? board_find(q->board, id) : NULL;
    for (size_t i = 0; i < q->id_count; i++)
        if (q->ids[i] == item)
            item = NULL;
    if (item == NULL)
        return refuse(ret, "ids", id, "ids of instruments, each once, with commas between them");
    if (q->id_count == IDS_MAX) {
        *ret = answer_error(400, "too_much", "ids: more than %d instruments", IDS_MAX);
        return false;
    }
    q->ids[q->id_count++] = item;
    return true;
}

static bool read_ids(const struct web_request *request, struct query *q, struct web_answer *ret)
{
    const char *text = request_param(request, "ids");
    if (text == NULL)
        return true;
    for (size_t i = 0; i < request->param_count; i++)
        if (strcmp(request->params[i].name, "ids") != 0 && strcmp(request->params[i].name, "length") != 0) {
            *ret = answer_error(400, "bad_parameter", "%.40s: does not go with ids; only length does",
                request->params[i].name);
            return false;
        }
    for (const char *at = text;; at += strcspn(at, ",") + 1) {
        if (!add_id(q, at, strcspn(at, ","), ret))
            return false;
        if (at[strcspn(at, ",")] == '\0')
            return true;
    }
}

static bool read_query(const struct web_request *request, struct query *q, struct web_answer *ret)
{
    if (!read_length(request, q, ret) || !read_now(request, q, ret) || !read_ids(request, q, ret) ||
        !read_wish(request, q, ret) || !read_page(request, q, ret))
        return false;
    if (q->length_ms > 0 && !q->is_now && q->id_count == 0) {
        *ret = answer_error(
            400, "bad_parameter", "length: goes with ids, for a time common to them, or with available=now");
        return false;
    }
    return true;
}

/* ---- answering ---- */

static bool is_available(const struct board_item *item, int64_t length_ms)
{
    const struct availability *a = &item->answer;
    return a->status >= AVAILABILITY_SHORT &&
           (a->free_until_ms == AVAILABILITY_NONE || a->free_until_ms - a->as_of_ms >= length_ms);
}

/* {"instruments", "count", "next"}: those that fit, of which there are `count` in all, a page of them, and the last id of it
 * where more follow. */
static void add_found(struct web_context *context, const struct query *q, json_t *json)
{
    const struct search *search = context_search(context, q->board);
    json_t *list = json_array();
    const char *last = NULL;
    bool is_more = false;
    json_int_t count = 0;
    for (size_t i = 0; i < q->board->count; i++) {
        const struct board_item *item = &q->board->items[i];
        if (!search_is_match(search, i, &q->wish) || (q->is_now && !is_available(item, q->length_ms)))
            continue;
        count++;
        if (i < q->begin)
            continue;
        is_more = json_array_size(list) == (size_t)q->limit;
        if (!is_more) {
            json_array_append_new(list, board_json(item));
            last = item->instrument->id;
        }
    }
    json_object_set_new(json, "instruments", list);
    json_object_set_new(json, "count", json_integer(count));
    json_object_set_new(json, "next", is_more ? json_string(last) : json_null());
}

static json_t *slot_json(const struct query *q)
{
    struct ahead_slot slot = ahead_find(q->ids, q->id_count, q->length_ms);
    int64_t end_ms = q->board->made_ms + AVAILABILITY_AHEAD_MS;
    bool is_found = slot.found == AHEAD_SLOT;
    const struct board_item *first = q->ids[0];
    return json_pack("{s:s, s:I, s:o, s:o, s:o, s:s?}", "found", ahead_founds[slot.found], "length_s",
        (json_int_t)(slot.length_ms / 1000), "begin",
        board_json_time(first, is_found ? slot.begin_ms : AVAILABILITY_NONE), "free_until",
        board_json_time(first, is_found ? slot.until_ms : AVAILABILITY_NONE), "searched_until",
        board_json_time(first, end_ms), "of", slot.of != NULL ? slot.of->instrument->id : NULL);
}

static void add_ids(const struct query *q, json_t *json)
{
    json_t *list = json_array();
    for (size_t i = 0; i < q->id_count; i++)
        json_array_append_new(list, board_json(q->ids[i]));
    json_object_set_new(json, "instruments", list);
    json_object_set_new(json, "count", json_integer((json_int_t)q->id_count));
    json_object_set_new(json, "next", json_null());
    if (q->length_ms > 0)
        json_object_set_new(json, "slot", slot_json(q));
}

static struct web_answer answer_query(struct web_context *context, const struct query *q)
{
    json_t *json = json_pack("{s:o}", "as_of", context_time(context, NULL, q->board->made_ms));
    if (q->id_count > 0)
        add_ids(q, json);
    else
        add_found(context, q, json);
    struct web_answer answer = answer_json(200, json);
    answer_keep(&answer, WEB_KEEP_NOW);
    return answer;
}

struct web_answer handle_instruments(struct web_context *context, const struct web_request *request)
{
    struct web_answer answer;
    struct query q = {.board = context_board(context, &answer)};
    if (q.board == NULL)
        return answer;
    if (!context_is_old(context, q.board, &answer) && read_query(request, &q, &answer))
        answer = answer_query(context, &q);
    search_wish_release(&q.wish);
    board_put(q.board);
    return answer;
}
