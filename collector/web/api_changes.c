/* The log of who changed what, newest first; pages as in api_lists.c. */
#include "collector/web/context.h"

#define LIMIT_DEFAULT 100
#define LIMIT_MAX 1000

struct list {
    const struct web_context *context;
    json_t *items;
    int64_t last;
};

static void add_item(void *user_data, const struct change *change)
{
    struct list *list = user_data;
    list->last = change->id;
    json_array_append_new(
        list->items, json_pack("{s:I, s:o, s:o, s:s, s:s, s:s, s:s?, s:s?, s:s?}", "id",
                         (json_int_t)change->id, "time", context_time(list->context, NULL, change->time_ms),
                         "token", change->token != 0 ? json_integer(change->token) : json_null(), "who",
                         change->who, "action", change->action, "object", change->object, "before",
                         change->before, "after", change->after, "note", change->note));
}

struct web_answer handle_changes(struct web_context *context, const struct web_request *request)
{
    int64_t limit, before;
    struct web_answer answer;
    struct db *db;
    struct error err;
    if (!request_int(request, "limit", 1, LIMIT_MAX, LIMIT_DEFAULT, &limit, &answer) ||
        !request_int(request, "before", 1, INT64_MAX, INT64_MAX, &before, &answer))
        return answer;
    struct list list = {.context = context, .items = json_array()};
    enum status status = guard_db(context->guard, &db, &err);
    if (status == ST_OK && db != NULL)
        status = changes_each(db, before, limit, add_item, &list, &err);
    if (status != ST_OK) {
        json_decref(list.items);
        answer = answer_error(503, "access_unavailable", "%s", err.text);
        answer.retry_after_s = 5;
        return answer;
    }
    bool is_more = json_array_size(list.items) == (size_t)limit;
    return answer_json(200, json_pack("{s:o, s:o}", "changes", list.items, "next_before",
                                is_more ? json_integer(list.last) : json_null()));
}
