/* What the command `decide` prints, and its way through the running collector (control.h). */
#pragma once

#include "collector/control.h"
#include "collector/deciding.h"

/* What a decision changes, in lines for a person. */
void decide_print(const struct deciding *d, const struct deciding_effect *e, struct buf *text);

/* For struct control_command; `user_data` is the struct core, the body an object as POST /api/v1/decisions and
 * /api/v1/readings take it, with its kind. */
enum status decide_control_run(
    void *user_data, const struct control_request *request, struct buf *text, struct error *err);
