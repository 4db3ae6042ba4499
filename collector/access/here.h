/* What commands of a person at this machine need to change what is in "<database>.access". */
#pragma once

#include "lib/db.h"

#include <sys/types.h>

/* tokens_open, in turn: another command, or the collector, writes for a few milliseconds. Waits some seconds at most, then
 * ST_UNREACHABLE. */
enum status access_open_in_turn(const char *database, struct db **ret, struct error *err);
/* For the log of changes: "user anna". The caller frees it. */
char *access_user_name(void);
/* Of another user of this machine. */
char *access_name_of(uid_t user);
