/* What a person says of an outage, as a JSON object: of POST /api/v1/outages and below, of the form, of the command, and of the
 * control socket. Pure. */
#pragma once

#include "collector/instrument/outage.h"
#include "lib/json.h"

/* ret->act and ret->id are set by the caller; the rest is read, but for who. Texts are borrowed of the object. ST_INVALID: a member
 * is unknown for that act, missing, or of another type. */
enum status outage_json_read(const json_t *object, struct outage_request *ret, struct error *err);
/* A name of outage_acts. */
bool outage_act_parse(const char *name, enum outage_act *ret);
