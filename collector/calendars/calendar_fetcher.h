/*
 * Reads calendars of bookings (calendar_source.h) on threads of its own, each at its period, and hands over what became
 * of them. The core never waits for it: a result is kept for each calendar, and what is new is added to it, so that there
 * is never more than one a calendar however long nobody asks.
 *
 * One that does not answer costs the others nothing: URLs that failed last time, or were never asked, are tried by all
 * threads but one; that one is for those that answered, and for files.
 */
#pragma once

#include "collector/calendars/calendar_source.h"
#include "lib/clock.h"

struct calendar_fetcher;

struct calendar_fetcher_options {
    struct calendar_source **sources; /* borrowed; outlive the fetcher */
    size_t count;
    int threads; /* 2 and more */
    const struct clock *clock;
    void *user_data;
    void (*on_result)(
        void *user_data); /* on a thread of the fetcher: a result waits; must only wake the core */
};

/* What became of a calendar since its last result was taken. In this order: it was read; it was the same. */
struct calendar_result {
    size_t source; /* index */
    bool has_reading;
    struct ical_reading reading;
    int64_t read_ms, same_ms; /* UTC; 0 = it was not */
    int64_t tried_ms;
    char problem[512]; /* of the last attempt; "" = it succeeded */
};

struct calendar_fetcher *calendar_fetcher_create(const struct calendar_fetcher_options *options);
void calendar_fetcher_start(struct calendar_fetcher *f);
/* False when nothing is new; never blocks. The caller releases with calendar_result_release. */
bool calendar_fetcher_take(struct calendar_fetcher *f, struct calendar_result *ret);
void calendar_result_release(struct calendar_result *r);
/* Never blocks: what is under way ends soon, and the threads with it. The sources stay cancelled. */
void calendar_fetcher_cancel(struct calendar_fetcher *f);
/* Cancelled, and all threads are about to be gone: calendar_fetcher_stop will not wait. */
bool calendar_fetcher_is_over(struct calendar_fetcher *f);
void calendar_fetcher_stop(struct calendar_fetcher *f);    /* cancels, and waits for the threads */
void calendar_fetcher_destroy(struct calendar_fetcher *f); /* accepts NULL; stopped */
