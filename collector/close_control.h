/* What the command `close` prints, and its way through the running collector (control.h). */
#pragma once

#include "collector/close_month.h"
#include "collector/control.h"

/* What is booked, and what stands against it, in lines for a person. */
void close_print(const struct close_month_result *r, struct buf *text);

/* For struct control_command; `user_data` is the struct core, the body an object as POST /api/v1/closings takes it. */
enum status close_control_run(
    void *user_data, const struct control_request *request, struct buf *text, struct error *err);
