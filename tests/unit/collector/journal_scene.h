/* What tests of those who follow the journal have in common: the time, a journal, and the park that is used with it. */
#pragma once

#include "lib/clock.h"
#include "tests/unit/collector/fake_journal.h"
#include "tests/unit/random.h"

#include <stdbool.h>

#define BEGIN_MS INT64_C(1767225600000) /* 2026-01-01 */

/* Each look at the clock takes so long. */
static int64_t mono_ms = 1000, tick_ms, wall = BEGIN_MS;

static inline int64_t mono(void)
{
    return mono_ms += tick_ms;
}

static inline int64_t wall_ms(void)
{
    return wall;
}

static inline bool is_synchronised(void)
{
    return true;
}

static const struct clock ticking = {.wall_ms = wall_ms, .mono_ms = mono, .is_synchronised = is_synchronised};

static inline void must(enum status status, const struct error *err)
{
    if (status != ST_OK)
        fail_msg("%s", err->text);
}

/* Time stands still at BEGIN_MS until the test moves it. */
static inline void open_journal(struct fake_journal *journal)
{
    struct error err = {""};
    tick_ms = 0;
    wall = BEGIN_MS;
    fake_journal_open(journal);
    must(db_exec(journal->db, "PRAGMA synchronous = OFF", &err), &err);
}

/* Takes the place of *park (NULL: there is none). */
static inline void use_park(struct fake_journal *journal, struct park **park, const char *text)
{
    park_destroy(*park);
    *park = fake_park_of(journal, text);
}

/* Ends the transaction; false: it is rolled back, as by a commit that failed. */
static inline void end_transaction(struct fake_journal *journal, bool commits)
{
    struct error err = {""};
    if (commits)
        must(db_commit(journal->db, &err), &err);
    else
        db_rollback(journal->db);
}
