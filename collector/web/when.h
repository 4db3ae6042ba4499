/*
 * Times as a visitor reads them: what the clocks of the place show, to the minute, with the day where it is not today's
 * ("16:30", "tomorrow 08:00", "Tue 1 Dec 08:00"). Words are the pages' texts. Pure.
 */
#pragma once

#include "collector/model/zone.h"
#include "lib/buf.h"
#include "lib/json.h"

struct when {
    const struct zone *zone; /* NULL = UTC */
    int64_t now_ms;          /* against which today is today */
    const json_t *texts;     /* of the page's language; NULL = none */
};

/* Never better than it is: what ends is told by the minute in which it does, what begins by the one from which on it has. */
enum when_edge { WHEN_ENDS, WHEN_BEGINS };

/* <time data-of="NAME" datetime="RFC 3339, to the millisecond">16:30</time>: which of the answer's times it is, as the API
 * calls it. */
void when_add(struct buf *out, const struct when *w, const char *name, int64_t time_ms, enum when_edge edge);
/* The same with seconds and without the day. */
void when_add_second(struct buf *out, const struct when *w, const char *name, int64_t time_ms);
/* "08:00", of which the day is said already; the end of it is 24:00. `day` is that of when_day. */
void when_add_clock(struct buf *out, const struct when *w, int64_t day, int64_t time_ms, enum when_edge edge);
/* "today", "tomorrow", "Tue 1 Dec" */
void when_add_day(struct buf *out, const struct when *w, int64_t time_ms);
/* Which day it is there, as a number that grows by one from day to day; and when it begins. */
int64_t when_day(const struct zone *zone, int64_t time_ms);
int64_t when_day_begin_ms(const struct zone *zone, int64_t day);
