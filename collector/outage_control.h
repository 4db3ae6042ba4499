/* Outages through the control socket of a running collector: {"act": "close", "id": 5, "outage": {...}}, the object as
 * collector/outage_json.h has it; the id is 0 to open one. */
#pragma once

#include "collector/control.h"
#include "collector/outaging.h"

/* What the command prints. */
void outage_print(const struct outage *o, int64_t now_ms, struct buf *text);
/* Of struct control_command; `user_data` is the core. */
enum status outage_control_run(
    void *user_data, const struct control_request *request, struct buf *text, struct error *err);
