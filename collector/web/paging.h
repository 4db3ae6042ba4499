/* Lists that are answered a page at a time, newest first: `limit` of them, and those before the last id that was seen. */
#pragma once

#include "collector/web/router.h"

#define PAGING_MAX 1000

struct paging {
    int64_t limit, before;
};

/* False: *ret_answer is the 400 that says which is wrong. */
bool paging_read(const struct web_request *request, struct paging *ret, struct web_answer *ret_answer);
/* Which of things that begin and end are asked for: `state`, all where it is absent. False: *ret_answer is the 400. */
enum paging_state { PAGING_ALL, PAGING_STANDING, PAGING_OVER };
bool paging_read_state(
    const struct web_request *request, enum paging_state *ret, struct web_answer *ret_answer);
/* {name: items, "next_before"}, of which `last` is the last; 0 = there are no more. Takes the reference to `items`. */
struct web_answer paging_answer(const char *name, json_t *items, int64_t last);
/* `last` where there are as many as were asked for; else 0. */
int64_t paging_next(const struct paging *paging, const json_t *items, int64_t last);
