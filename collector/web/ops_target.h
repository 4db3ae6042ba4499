/* From what an alarm is of to the page that shows it. */
#pragma once

#include "collector/alarm/rule.h"
#include "collector/web/ops_page.h"

/* In the page's language; of a meter and a space the day of `time` (RFC 3339, "" = the newest day). NULL: there is none, because the
 * park has it no more, or it is the collector itself. The caller frees it. */
char *ops_target_address(
    const struct ops_page *p, enum alarm_target_kind kind, const char *id, const char *time);
