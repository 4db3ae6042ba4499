#include "collector/web/paging.h"

#define LIMIT_DEFAULT 100

bool paging_read(const struct web_request *request, struct paging *ret, struct web_answer *ret_answer)
{
    return request_int(request, "limit", 1, PAGING_MAX, LIMIT_DEFAULT, &ret->limit, ret_answer) &&
           request_int(request, "before", 1, INT64_MAX, INT64_MAX, &ret->before, ret_answer);
}

bool paging_read_state(
    const struct web_request *request, enum paging_state *ret, struct web_answer *ret_answer)
{
    static const char *const states[] = {"all", "standing", "over", NULL};
    int state;
    if (!request_word(request, "state", states, 0, &state, ret_answer))
        return false;
    *ret = (enum paging_state)state;
    return true;
}

int64_t paging_next(const struct paging *paging, const json_t *items, int64_t last)
{
    return json_array_size(items) == (size_t)paging->limit ? last : 0;
}

struct web_answer paging_answer(const char *name, json_t *items, int64_t last)
{
    return answer_json(200,
        json_pack("{s:o, s:o}", name, items, "next_before", last != 0 ? json_integer(last) : json_null()));
}
