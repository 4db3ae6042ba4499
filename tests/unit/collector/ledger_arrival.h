/* Readings that arrive in any order, folded as a collector folds them: a snapshot after each fold, thrown away when
 * an event spoils it (collector/ledger/unwrap.h), and gone back to when a reading is late. */
#pragma once

#include "tests/unit/ledger_book.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct arrival {
    struct book book;
    struct unwrap *snapshots; /* in order of their last reading; the first is of none */
    size_t kept, capacity;
    int refolds; /* how often a reading was late */
};

static inline void arrival_keep(struct arrival *a)
{
    MEM_GROW(a->snapshots, a->kept, a->capacity);
    a->snapshots[a->kept++] = a->book.unwrap;
}

static inline void arrival_init(struct arrival *a, const struct book *like)
{
    memset(a, 0, sizeof *a);
    book_init(&a->book, like->segments, like->max_gap_ms);
    book_period(&a->book, like->from_ms, like->until_ms);
    arrival_keep(a);
}

static inline void arrival_release(struct arrival *a)
{
    free(a->snapshots);
    book_release(&a->book);
}

static inline void arrival_fold(struct arrival *a)
{
    a->book.told_from_ms = INT64_MAX;
    book_fold(&a->book);
    while (a->book.told_from_ms < unwrap_reach_ms(&a->snapshots[a->kept - 1]))
        a->kept--;
    arrival_keep(a);
}

/* Several at once: what a batch brings. */
static inline void arrival_take(struct arrival *a, const struct unwrap_reading *readings, size_t count)
{
    int64_t first_ms = INT64_MAX;
    for (size_t i = 0; i < count; i++) {
        assert_true(book_insert(&a->book, readings[i]));
        if (readings[i].time_ms < first_ms)
            first_ms = readings[i].time_ms;
    }
    if (first_ms <= a->book.unwrap.last_ms) {
        a->refolds++;
        while (a->snapshots[a->kept - 1].last_ms >= first_ms)
            a->kept--;
        book_restore(&a->book, &a->snapshots[a->kept - 1]);
    }
    arrival_fold(a);
}

static inline bool arrival_has_span(const struct book *b, const struct book_span *span)
{
    for (size_t i = 0; i < b->span_count; i++)
        if (b->spans[i].kind == span->kind && b->spans[i].from_ms == span->from_ms &&
            b->spans[i].until_ms == span->until_ms)
            return true;
    return false;
}

/* Two books of the same readings say the same. */
static inline void arrival_assert_same(const struct book *a, const struct book *b, const char *how, size_t at)
{
    const char *differs = NULL;
    assert_int_equal(a->count, b->count);
    assert_int_equal(a->boundary_count, b->boundary_count);
    if (memcmp(&a->unwrap, &b->unwrap, sizeof a->unwrap) != 0)
        differs = "the state";
    for (size_t i = 0; i < a->boundary_count; i++)
        if (a->boundaries[i].energy != b->boundaries[i].energy ||
            a->boundaries[i].quality != b->boundaries[i].quality ||
            a->boundaries[i].baseline_ms != b->boundaries[i].baseline_ms)
            differs = "a boundary";
    for (size_t i = 0; i < a->count; i++)
        if (a->verdicts[i] != b->verdicts[i])
            differs = "a verdict";
    for (size_t i = 0; i < a->span_count; i++)
        if (!arrival_has_span(b, &a->spans[i]))
            differs = "a span";
    if (a->span_count != b->span_count)
        differs = "the number of spans";
    if (differs != NULL)
        fail_msg("%s, %zu: %s differs", how, at, differs);
}

/* Stored as bytes after each reading, restored into another struct, and gone on with. */
static inline void arrival_check_stored(const struct book *whole)
{
    struct arrival a;
    arrival_init(&a, whole);
    for (size_t i = 0; i < whole->count; i++) {
        arrival_take(&a, &whole->readings[i], 1);
        struct unwrap *u = &a.book.unwrap;
        unsigned char stored[sizeof *u] = {0};
        memcpy(stored, u, unwrap_size(u));
        memset(u, 0xa5, sizeof *u);
        memcpy(u, stored, sizeof *u);
    }
    assert_int_equal(a.refolds, 0);
    arrival_assert_same(whole, &a.book, "stored and restored at each reading", 0);
    arrival_release(&a);
}

/* All but one come in order, then that one. */
static inline void arrival_check_late(const struct book *whole, size_t late)
{
    struct arrival a;
    arrival_init(&a, whole);
    for (size_t i = 0; i < whole->count; i++)
        if (i != late)
            arrival_take(&a, &whole->readings[i], 1);
    arrival_take(&a, &whole->readings[late], 1);
    arrival_assert_same(whole, &a.book, "with a late reading", late);
    arrival_release(&a);
}
