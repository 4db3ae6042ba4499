/*
 * What a person does with an outage (collector/instrument/outage.h has the rules), from the request to the row: refused in one
 * sentence, or one transaction with its entry in the log of changes. Core thread, between two turns; or a command, while no
 * collector runs.
 */
#pragma once

#include "collector/instrument/outage.h"

struct outaging {
    struct outage_request request;
    int64_t token; /* 0 = a person at this machine's command line */
};

struct outaging_result {
    struct outage outage; /* as it is now */
};
void outaging_result_release(struct outaging_result *r);

/* To close an outage of a resource ends what its point told as well: who has that in memory (collector/watch.h) reads it again.
 * ST_INVALID: refused, with why; it leaves everything as it was. Any other failure is that of a turn. */
enum status outaging_run(struct db *db, const struct park *park, int64_t now_ms,
    const struct outaging *request, struct outaging_result *ret, struct error *err);

/* "broken instrument xrd, from 2026-10-01T08:00:00.000Z until -, fault: the tube is dead": for the log and the command; the
 * caller frees it. */
char *outaging_text(const struct outage *o);
