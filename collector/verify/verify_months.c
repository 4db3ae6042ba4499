#include "collector/verify/verify_private.h"

#include "lib/calendar.h"

#include <stdio.h>
#include <stdlib.h>

static enum status verify_open_chunk(struct verify *v, struct db_stmt *s, struct error *err)
{
    bool is_sound = true;
    int64_t id = db_int(s, 0), month = db_int(s, 3);
    buf_reset(&v->text);
    enum status status = verify_add_chunk(v, s, &is_sound, err);
    if (status == ST_OK && !is_sound) {
        char name[CALENDAR_MONTH_SIZE];
        calendar_month_format(month, name);
        verify_differs(v, "%s, not sealed yet: chunk %lld is damaged", name, (long long)id);
    }
    return status;
}

static void tell_open_month(struct verify *v, int64_t month, int64_t readings)
{
    char name[CALENDAR_MONTH_SIZE];
    if (month < 0)
        return;
    calendar_month_format(month, name);
    progress_end(&v->progress);
    printf("%s: not sealed yet, %lld readings\n", name, (long long)readings);
    verify_note_month(v, month);
}

enum status verify_open(struct verify *v, struct error *err)
{
    struct db_stmt *s = db_keep(v->db, "SELECT id, hash, readings, month, seal FROM archive a"
                                       " WHERE month >= ? AND month < ? AND (seal IS NULL OR seal NOT IN"
                                       " (SELECT number FROM seal)) ORDER BY month, id");
    int64_t month = -1, readings = 0;
    bool has_row;
    enum status status;
    db_bind_int(s, 1, v->from);
    db_bind_int(s, 2, v->to);
    while ((status = db_step(s, &has_row, err)) == ST_OK && has_row && !v->has_difference) {
        if (!db_is_null(s, 4)) {
            verify_differs(v, "the chain is broken: seal %lld is missing", (long long)db_int(s, 4));
            break;
        }
        if (db_int(s, 3) != month) {
            tell_open_month(v, month, readings);
            month = db_int(s, 3);
            readings = 0;
        }
        readings += db_int(s, 2);
        if ((status = verify_open_chunk(v, s, err)) != ST_OK)
            break;
    }
    db_reset(s);
    if (status == ST_OK && !v->has_difference)
        tell_open_month(v, month, readings);
    return status;
}

static int by_month(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void tell_gap(struct verify *v, int64_t from, int64_t to)
{
    char first[CALENDAR_MONTH_SIZE], last[CALENDAR_MONTH_SIZE];
    if (from >= to)
        return;
    calendar_month_format(from, first);
    calendar_month_format(to - 1, last);
    progress_end(&v->progress);
    if (from == to - 1)
        printf("%s: no evidence\n", first);
    else
        printf("%s to %s: no evidence\n", first, last);
}

void verify_tell_gaps(struct verify *v, bool has_period)
{
    if (v->month_count > 0)
        qsort(v->months, v->month_count, sizeof *v->months, by_month);
    int64_t next = has_period ? v->from : v->month_count > 0 ? v->months[0] : 0;
    for (size_t i = 0; i < v->month_count; i++) {
        tell_gap(v, next, v->months[i]);
        next = v->months[i] + 1;
    }
    if (has_period)
        tell_gap(v, next, v->to);
}
