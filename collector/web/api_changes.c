/* The log of who changed what, newest first; pages as in api_lists.c. There are two: of the tokens' database, and of the
 * collector's own; their ids sort by time together (collector/access/changes.h). */
#include "collector/web/context.h"
#include "collector/web/paging.h"

struct list {
    const struct web_context *context;
    json_t *items;
};

static void add_item(void *user_data, const struct change *change)
{
    struct list *list = user_data;
    json_array_append_new(
        list->items, json_pack("{s:I, s:o, s:o, s:s, s:s, s:s, s:s?, s:s?, s:s?}", "id",
                         (json_int_t)change->id, "time", context_time(list->context, NULL, change->time_ms),
                         "token", change->token != 0 ? json_integer(change->token) : json_null(), "who",
                         change->who, "action", change->action, "object", change->object, "before",
                         change->before, "after", change->after, "note", change->note));
}

static int64_t id_at(const json_t *items, size_t index)
{
    const json_t *item = json_array_get(items, index);
    return item != NULL ? json_integer_value(json_object_get(item, "id")) : INT64_MIN;
}

/* The newest `limit` of both, which it lets go. */
static json_t *merge(json_t *a, json_t *b, size_t limit)
{
    json_t *merged = json_array();
    for (size_t i = 0, k = 0;
         json_array_size(merged) < limit && (i < json_array_size(a) || k < json_array_size(b));)
        json_array_append(
            merged, id_at(a, i) > id_at(b, k) ? json_array_get(a, i++) : json_array_get(b, k++));
    json_decref(a);
    json_decref(b);
    return merged;
}

struct web_answer handle_changes(struct web_context *context, const struct web_request *request)
{
    struct paging paging;
    struct web_answer answer;
    struct error err;
    if (!paging_read(request, &paging, &answer))
        return answer;
    struct list tokens = {.context = context, .items = json_array()},
                own = {.context = context, .items = json_array()};
    enum status status = guard_changes(context->guard, paging.before, paging.limit, add_item, &tokens, &err);
    if (status == ST_OK && !context_open_db(context, &err))
        status = ST_STORAGE;
    if (status == ST_OK &&
        (status = changes_each(context->db, paging.before, paging.limit, add_item, &own, &err)) != ST_OK)
        context_close_db(context);
    if (status != ST_OK) {
        json_decref(tokens.items);
        json_decref(own.items);
        return answer_later("access_unavailable", err.text);
    }
    json_t *items = merge(tokens.items, own.items, (size_t)paging.limit);
    int64_t last = id_at(items, (size_t)paging.limit - 1);
    return paging_answer("changes", items, paging_next(&paging, items, last));
}
