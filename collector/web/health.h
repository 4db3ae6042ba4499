/*
 * Is the collector healthy, and if not, why: judged in one place for /readyz, the page and the metrics.
 * *Failing* means that readings are not being taken; *degraded* that something needs a look while they are.
 * Pure.
 */
#pragma once

#include "collector/live/overview.h"
#include "collector/store/store.h"
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
