/*
 * Is the collector healthy, and if not, why: judged in one place for /readyz, the page, the metrics and alarms.
 * *Failing* means that readings that arrive are not acknowledged, of one gateway or all, or that the core thread has not begun, or
 * hangs; *degraded* that something needs a look while they are, also where none can arrive: without a broker agents keep them.
 * Pure.
 */
#pragma once

#include "collector/live/overview.h"
#include "collector/store/store.h"
#include "lib/buf.h"
#include "lib/json.h"

/* The core thread turns many times a second; silent for this long it hangs. */
#define HEALTH_HEARTBEAT_MS (30 * 1000)

enum health_level { HEALTH_READY, HEALTH_DEGRADED, HEALTH_FAILING };
const char *health_name(enum health_level level); /* ready, degraded, failing */

struct health_input {
    const struct overview *overview;  /* NULL = nothing published yet */
    const struct store_status *store; /* NULL = no store */
    int64_t heartbeat_age_ms;
};

/* The level, and *ret_reasons: [{"code", "message", "detail"}]; empty when ready. The caller owns it. */
enum health_level health_judge(const struct health_input *input, json_t **ret_reasons);
/* The same of the collector alone, for its alarms: without what is of gateways, which have kinds of their own, and without receivers,
 * whom nobody can tell that they are deaf. Codes alone, by commas. Of the overview it looks at `snapshot` and `now_ms` only. */
enum health_level health_judge_collector(const struct health_input *input, struct buf *codes);
