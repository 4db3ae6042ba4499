/* What a person says of closing a month, as a JSON object: of POST /api/v1/closings, and of the control socket. Pure. */
#pragma once

#include "collector/close_month.h"
#include "lib/json.h"

/* Texts are borrowed of the object; `overrides` has room for CLOSE_MONTH_OVERRIDES_MAX. Who, and whether it is a preview, are not in it.
 * ST_INVALID: a member is unknown, missing, or of another type. */
enum status close_json_read(
    const json_t *object, struct close_month *ret, struct closing_override *overrides, struct error *err);
/* The object of a request; the caller's reference. */
json_t *close_json_write(const struct close_month *request);
