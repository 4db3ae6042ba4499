/*
 * That a person has taken note of an alarm, from the request to the row: refused in one sentence, or one transaction with its
 * entry in the log of changes. Who was told of it is told no more until it is over. Core thread, between two turns.
 */
#pragma once

#include "collector/alarm/rows.h"

struct alarming {
    int64_t alarm;
    int64_t token;
    int64_t seen_news;      /* `news` of the alarm as it was seen; ALARM_NEVER = not said */
    const char *who, *note; /* borrowed */
};

/* ST_INVALID: refused, with why; it leaves everything as it was. Any other failure is that of a turn. *ret is the caller's to
 * release. */
enum status alarming_run(
    struct db *db, int64_t now_ms, const struct alarming *request, struct alarm *ret, struct error *err);
