/*
 * Who reads the calendars of the park model in use: the sources and the fetcher (calendar_fetcher.h) of it, made anew with
 * each model that names others, and those of before until their threads have ended. Used by the core's thread, which waits
 * for none of them.
 */
#pragma once

#include "collector/calendars/calendar_fetcher.h"
#include "collector/model/park.h"
#include "lib/hash.h"

#define CALENDAR_TIMEOUT_MS 30000
#define CALENDAR_THREADS_MAX 8

struct calendar_rounds;

/* A digest of what a calendar is read from: its file, or its URL and user; whose password it is makes no other of it. False: the
 * secret with its URL cannot be read. */
bool calendar_rounds_source(const struct park_calendar *c, struct hash *ret);

/* Whether this user can read the secrets that calendars name, and they are what they should be: problems of park->conf. */
void calendar_rounds_check(const struct park *park);

/* Borrows. `on_result`: on a thread of a fetcher; must only wake the core. */
struct calendar_rounds *calendar_rounds_create(
    const struct clock *clock, void (*on_result)(void *user_data), void *user_data);
/* From now on the calendars of this park, of which nothing is kept after the call. Where they are those of before nothing
 * changes, nor in what is in their secrets; else each is read at once. One that cannot be read at all (its secret is missing) gives one result that says so,
 * and is tried again with the next model. */
void calendar_rounds_use(struct calendar_rounds *rounds, const struct park *park);
/* False when nothing is new. `ret_id` gets the calendar's id, which lasts until the next calendar_rounds_use. The caller
 * releases with calendar_result_release. */
bool calendar_rounds_take(struct calendar_rounds *rounds, const char **ret_id, struct calendar_result *ret);
/* Ends all threads, and waits for them. Accepts NULL. */
void calendar_rounds_destroy(struct calendar_rounds *rounds);
