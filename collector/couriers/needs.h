/* What receivers of alarms name on this machine: files with secrets or certificates, and a program that takes mail. */
#pragma once

#include "collector/alarm/rule.h"

/* Whether this user can read these, and they are what they should be: problems of rules->conf. */
void needs_check(struct alarm_rules *rules);
/* The same of one of its receivers. */
void needs_check_of(struct alarm_rules *rules, const struct alarm_receiver *r);
/* The same as lines of the log: at a start nothing of it is a reason not to begin, and it is tried anew at each attempt. */
void needs_log(const struct alarm_rules *rules);
