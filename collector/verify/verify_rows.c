#include "collector/ledger/latest.h"
#include "collector/ledger/rows.h"
#include "collector/verify/verify_ledger.h"
#include "lib/clock.h"
#include "lib/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY 96
#define NO_ROW 0xff
#define NUMBERS_MAX 10000000 /* of decisions: more are not gone through one by one */

enum status verify_folded(struct verify_ledger *l, const struct meters_item *item, struct error *err)
{
    struct db_stmt *find = db_keep(l->v->db, "SELECT hash FROM ledger_folded WHERE meter = ?1");
    struct hash hash;
    bool has_row;
    db_bind_int(find, 1, item->books.id);
    enum status status = db_step(find, &has_row, err);
    if (status == ST_OK && has_row &&
        !(hash_read(db_text(find, 0), &hash) && hash_is_equal(&hash, &item->books.hash)))
        verify_differs(l->v,
            "meter %s: its books were folded with other segments or decisions than those in force, or by "
            "another version of this program; a start of the collector folds them again",
            item->park->id);
    db_reset(find);
    return status;
}

/* Numbers that a restore left out, by the log of changes (collector/backup/handover.h): how many of them there are up to `last`,
 * each once. */
static enum status count_left_out(
    struct db *db, const char *plural, int64_t last, int64_t *ret, struct error *err)
{
    struct db_stmt *next = db_keep(db, "SELECT object FROM change_log WHERE action = 'restore'");
    bool *is_out = mem_zalloc((size_t)last + 1);
    bool has_row;
    enum status status;
    *ret = 0;
    while ((status = db_step(next, &has_row, err)) == ST_OK && has_row) {
        struct span text = db_text(next, 0);
        char *object = mem_strndup(text.at, text.len), word[16];
        long long from, to;
        if (sscanf(object, "%15s %lld to %lld", word, &from, &to) == 3 && strcmp(word, plural) == 0)
            for (int64_t i = from < 1 ? 1 : from; i <= to && i <= last; i++) {
                *ret += !is_out[i];
                is_out[i] = true;
            }
        free(object);
    }
    db_reset(next);
    free(is_out);
    return status;
}

/* A number is given once, and no row is ever deleted: where one is missing that no restore left out, it was taken away. */
static enum status check_numbers(
    struct verify_ledger *l, const char *sql, const char *plural, struct error *err)
{
    struct db_stmt *find = db_keep(l->v->db, sql);
    bool has_row;
    int64_t given = 0, there = 0, last = 0, out = 0;
    enum status status = db_step(find, &has_row, err);
    if (status == ST_OK) {
        given = db_int(find, 0);
        there = db_int(find, 1);
        last = db_int(find, 2);
    }
    db_reset(find);
    if (status == ST_OK && given <= NUMBERS_MAX)
        status = count_left_out(l->v->db, plural, given, &out, err);
    if (status == ST_OK && (given - out != there || last > given))
        verify_differs(
            l->v, "%s: %lld were taken, %lld are there", plural, (long long)(given - out), (long long)there);
    return status;
}

enum status verify_decisions(struct verify_ledger *l, struct error *err)
{
    enum status status = check_numbers(l,
        "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'ledger_decision'), 0),"
        "  count(*), coalesce(max(id), 0) FROM ledger_decision",
        "decisions", err);
    return status != ST_OK
               ? status
               : check_numbers(l,
                     "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'closing'), 0),"
                     "  count(*), coalesce(max(id), 0) FROM closing",
                     "closings", err);
}

/* ---- a day ---- */

struct day {
    int64_t amounts[DAY];
    uint8_t qualities[DAY]; /* NO_ROW: not decided */
    struct boundary boundaries[DAY];
};

static enum status read_quarters(
    enum status (*read)(struct db *db, int64_t meter, int64_t from_ms, int64_t until_ms, int64_t *amounts,
        uint8_t *qualities, struct error *err),
    struct db *db, int64_t meter, int64_t from_ms, struct day *ret, struct error *err)
{
    memset(ret->amounts, 0, sizeof ret->amounts);
    memset(ret->qualities, NO_ROW, sizeof ret->qualities);
    return read(db, meter, from_ms, from_ms + DAY * BOUNDARY_MS, ret->amounts, ret->qualities, err);
}

static const char *say_quarter(const struct day *day, size_t i, char text[static 64])
{
    if (day->qualities[i] == NO_ROW)
        return "nothing";
    if (day->qualities[i] >= QUALITY_UNKNOWN)
        return "unknown";
    snprintf(text, 64, "%" PRId64 " %s", day->amounts[i], quality_names[day->qualities[i]]);
    return text;
}

static const char *say_boundary(const struct boundary *b, char text[static 128])
{
    char baseline[CLOCK_TEXT_SIZE];
    if ((unsigned)b->quality >= QUALITY_UNKNOWN)
        return "nothing";
    clock_format_utc(b->baseline_ms, baseline);
    snprintf(text, 128, "U = %" PRId64 " %s%s, counted since %s", b->energy, quality_names[b->quality],
        b->is_stated ? " and stated" : "", baseline);
    return text;
}

/* What was decided once and is no longer is unknown, and stays (CONTRIBUTING.md, E8). */
static bool is_same_quarter(const struct day *books, const struct day *evidence, size_t i)
{
    if (evidence->qualities[i] == NO_ROW)
        return books->qualities[i] == NO_ROW || books->qualities[i] == QUALITY_UNKNOWN;
    return books->qualities[i] == evidence->qualities[i] && books->amounts[i] == evidence->amounts[i];
}

static bool is_same_boundary(const struct boundary *a, const struct boundary *b)
{
    return a->quality == b->quality &&
           (a->quality == QUALITY_UNKNOWN ||
               (a->energy == b->energy && a->baseline_ms == b->baseline_ms && a->is_stated == b->is_stated));
}

static void compare_quarters(struct verify_ledger *l, const struct meters_item *item, int64_t from_ms,
    const struct day *books, const struct day *evidence, const struct day *cached)
{
    for (size_t i = 0; i < DAY; i++) {
        int64_t start_ms = from_ms + (int64_t)i * BOUNDARY_MS;
        char when[CLOCK_TEXT_SIZE], says[64], gives[64];
        if (start_ms < l->v->from_ms || start_ms >= l->v->until_ms)
            continue;
        clock_format_utc(start_ms, when);
        l->v->quarters += books->qualities[i] != NO_ROW;
        if (!is_same_quarter(books, evidence, i))
            verify_differs(l->v, "meter %s, quarter hour %s: the books say %s, the evidence gives %s",
                item->park->id, when, say_quarter(books, i, says), say_quarter(evidence, i, gives));
        if (cached->qualities[i] != books->qualities[i] || cached->amounts[i] != books->amounts[i])
            verify_differs(l->v, "meter %s, quarter hour %s: the day's row says %s, the books say %s",
                item->park->id, when, say_quarter(cached, i, gives), say_quarter(books, i, says));
    }
}

static void compare_boundaries(struct verify_ledger *l, const struct meters_item *item,
    const struct day *books, const struct day *evidence)
{
    for (size_t i = 0; i < DAY; i++) {
        const struct boundary *b = &books->boundaries[i], *e = &evidence->boundaries[i];
        char when[CLOCK_TEXT_SIZE], says[128], gives[128];
        if (b->time_ms < l->v->from_ms || b->time_ms > l->v->until_ms || is_same_boundary(b, e))
            continue;
        clock_format_utc(b->time_ms, when);
        verify_differs(l->v, "meter %s, boundary %s: the books say %s, the evidence gives %s", item->park->id,
            when, say_boundary(b, says), say_boundary(e, gives));
    }
}

static enum status verify_day(
    struct verify_ledger *l, const struct meters_item *item, int64_t from_ms, struct error *err)
{
    struct day books, evidence, cached;
    int64_t meter = item->books.id;
    enum status status = read_quarters(latest_read_rows, l->v->db, meter, from_ms, &books, err);
    if (status == ST_OK)
        status = read_quarters(latest_read, l->v->db, meter, from_ms, &cached, err);
    if (status == ST_OK)
        status = read_quarters(latest_read_rows, l->refold.db, meter, from_ms, &evidence, err);
    if (status == ST_OK)
        status = rows_boundaries(l->v->db, meter, from_ms, DAY, books.boundaries, err);
    if (status == ST_OK)
        status = rows_boundaries(l->refold.db, meter, from_ms, DAY, evidence.boundaries, err);
    if (status != ST_OK)
        return status;
    compare_quarters(l, item, from_ms, &books, &evidence, &cached);
    compare_boundaries(l, item, &books, &evidence);
    return ST_OK;
}

/* ---- events ---- */

static int by_span(const struct event *a, const struct event *b)
{
    const int64_t x[] = {a->from_ms, a->kind, a->until_ms}, y[] = {b->from_ms, b->kind, b->until_ms};
    for (int i = 0; i < 3; i++)
        if (x[i] != y[i])
            return x[i] < y[i] ? -1 : 1;
    return 0;
}

static const char *kind_name(enum event_kind kind)
{
    switch (kind) {
    case EVENT_OUTLIERS:
        return "outliers";
    case EVENT_FROZEN:
        return "a frozen register";
    case EVENT_ROLLOVER:
        return "a rollover";
    case EVENT_EXCEPTION:
        return "an open exception";
    case EVENT_LIMIT:
        return "an exception of max_rate";
    case EVENT_CONFIRM:
        return "an exception \"confirm meter\"";
    case EVENT_OUTSIDE:
        return "a reading of no segment";
    case EVENT_QUARANTINED:
        return "a reading that the register cannot have";
    case EVENT_STATED:
        return "energy that was stated";
    case EVENT_STEP:
    case EVENT_BASELINE:
    case EVENT_WITHDRAWN:
        break;
    }
    return "an event of no kind";
}

static void tell_event(
    struct verify_ledger *l, const struct meters_item *item, const struct event *event, bool is_in_books)
{
    char from[CLOCK_TEXT_SIZE], until[CLOCK_TEXT_SIZE] = "no end";
    if (event->from_ms >= l->v->until_ms || (event->until_ms < l->v->from_ms))
        return;
    clock_format_utc(event->from_ms, from);
    if (event->until_ms != INT64_MAX)
        clock_format_utc(event->until_ms, until);
    verify_differs(l->v, "meter %s, from %s to %s: %s %s", item->park->id, from, until,
        kind_name(event->kind),
        is_in_books ? "is in the books, and the evidence gives none"
                    : "is not in the books, and the evidence gives it");
}

static enum status verify_events(struct verify_ledger *l, const struct meters_item *item, struct error *err)
{
    struct rows_events books = {0}, evidence = {0};
    enum status status = rows_events(l->v->db, item->books.id, &books, err);
    if (status == ST_OK)
        status = rows_events(l->refold.db, item->books.id, &evidence, err);
    for (size_t i = 0, k = 0; status == ST_OK && (i < books.count || k < evidence.count);) {
        int order = i == books.count      ? 1
                    : k == evidence.count ? -1
                                          : by_span(&books.items[i], &evidence.items[k]);
        if (order != 0)
            tell_event(l, item, order < 0 ? &books.items[i] : &evidence.items[k], order < 0);
        i += order <= 0;
        k += order >= 0;
    }
    rows_events_release(&books);
    rows_events_release(&evidence);
    return status;
}

enum status verify_rows(struct verify_ledger *l, const struct meters_item *item, struct error *err)
{
    int64_t from_ms, until_ms, first_ms, end_ms;
    bool has_rows, has_more;
    enum status status = rows_span(l->v->db, item->books.id, &from_ms, &until_ms, &has_rows, err);
    if (status == ST_OK)
        status = rows_span(l->refold.db, item->books.id, &first_ms, &end_ms, &has_more, err);
    if (status != ST_OK)
        return status;
    if (has_more) {
        from_ms = has_rows && from_ms < first_ms ? from_ms : first_ms;
        until_ms = has_rows && until_ms > end_ms ? until_ms : end_ms;
    }
    if (has_rows || has_more) {
        int64_t day_ms = from_ms - (from_ms % LATEST_DAY_MS + LATEST_DAY_MS) % LATEST_DAY_MS;
        for (; day_ms < until_ms && status == ST_OK; day_ms += LATEST_DAY_MS)
            if (day_ms <= l->v->until_ms && day_ms + LATEST_DAY_MS >= l->v->from_ms)
                status = verify_day(l, item, day_ms, err);
    }
    return status == ST_OK ? verify_events(l, item, err) : status;
}
