/* What is to be reckoned anew: spans of time of a feed, by the day of UTC in which they begin. */
#include "collector/spaces_private.h"

#include "lib/mem.h"

static int64_t day_of(int64_t time_ms)
{
    return time_ms / SPACES_DAY_MS - (time_ms % SPACES_DAY_MS < 0);
}

void spaces_make_due(struct spaces_feed *f, int64_t from_ms, int64_t until_ms)
{
    int64_t day = day_of(from_ms);
    for (size_t i = f->due_count; i > 0; i--) {
        struct span_due *d = &f->dues[i - 1];
        if (d->day == day) {
            d->from_ms = from_ms < d->from_ms ? from_ms : d->from_ms;
            d->until_ms = until_ms > d->until_ms ? until_ms : d->until_ms;
            return;
        }
    }
    MEM_GROW(f->dues, f->due_count, f->due_capacity);
    f->dues[f->due_count++] = (struct span_due){day, from_ms, until_ms};
}

void spaces_make_days_due(struct spaces_feed *f, int64_t from_ms, int64_t until_ms)
{
    for (int64_t at_ms = from_ms; at_ms <= until_ms; at_ms = (day_of(at_ms) + 1) * SPACES_DAY_MS) {
        int64_t end_ms = (day_of(at_ms) + 1) * SPACES_DAY_MS - 1;
        spaces_make_due(f, at_ms, end_ms < until_ms ? end_ms : until_ms);
    }
}

/* Two times that are far apart are reckoned by themselves: nothing is known between them. What is too late stays. */
static void make_both_due(struct spaces_feed *f, int64_t a_ms, int64_t b_ms)
{
    int64_t first_ms = f->newest_ms - SPACES_LATE_MS;
    if (b_ms - a_ms <= SPACES_DAY_MS || b_ms - a_ms <= f->gap_ms) {
        spaces_make_due(f, a_ms > first_ms ? a_ms : first_ms, b_ms);
        return;
    }
    if (a_ms >= first_ms)
        spaces_make_due(f, a_ms, a_ms);
    spaces_make_due(f, b_ms, b_ms);
}

void spaces_touch(struct spaces_feed *f, int64_t time_ms, int64_t before_ms, int64_t after_ms)
{
    int64_t newest_ms = f->newest_ms;
    f->newest_ms = time_ms > newest_ms ? time_ms : newest_ms;
    spaces_make_due(f, time_ms, time_ms);
    if (before_ms != INT64_MIN)
        make_both_due(f, before_ms, time_ms);
    if (after_ms != INT64_MAX)
        make_both_due(f, time_ms, after_ms);
    if (newest_ms != INT64_MIN && newest_ms < time_ms)
        make_both_due(f, newest_ms, time_ms);
}

enum status spaces_keep_due(struct db *db, struct spaces_feed *f, struct error *err)
{
    struct db_stmt *keep =
        db_keep(db, "INSERT INTO space_dirty VALUES(?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE SET"
                    " from_ms = min(from_ms, excluded.from_ms), until_ms = max(until_ms, excluded.until_ms)");
    enum status status = ST_OK;
    for (size_t i = 0; i < f->due_count && status == ST_OK; i++) {
        db_bind_int(keep, 1, f->source);
        db_bind_int(keep, 2, f->dues[i].day);
        db_bind_int(keep, 3, f->dues[i].from_ms);
        db_bind_int(keep, 4, f->dues[i].until_ms);
        status = db_run(keep, err);
    }
    f->due_count = 0;
    return status;
}

static enum status take_kept(struct db *db, struct spaces_feed *f, struct error *err)
{
    struct db_stmt *rows =
        db_keep(db, "DELETE FROM space_dirty WHERE source = ?1 RETURNING from_ms, until_ms");
    bool has_row;
    enum status status;
    db_bind_int(rows, 1, f->source);
    while ((status = db_step(rows, &has_row, err)) == ST_OK && has_row)
        spaces_make_due(f, db_int(rows, 0), db_int(rows, 1));
    db_reset(rows);
    return status;
}

static enum status reckon(
    struct db *db, const struct spaces_feed *f, const struct span_due *d, struct error *err)
{
    return f->sensor != NULL ? reckon_sensor(db, &f->reckoned, d->from_ms, d->until_ms, err)
                             : reckon_doors(db, &f->doors, d->from_ms, d->until_ms, err);
}

enum status spaces_reckon(
    struct spaces *s, const struct clock *clock, bool *ret_is_changed, struct error *err)
{
    struct db *db = s->follower.db;
    int64_t until_mono_ms = clock->mono_ms() + SPACES_STEP_MS;
    bool had_more = s->has_more, is_over = false;
    enum status status = ST_OK;
    s->has_more = false;
    for (size_t i = 0; i < s->feed_count && status == ST_OK; i++) {
        struct spaces_feed *f = &s->feeds[i];
        if (had_more)
            status = take_kept(db, f, err);
        while (f->due_count > 0 && status == ST_OK && !is_over) {
            struct span_due d = f->dues[--f->due_count];
            *ret_is_changed = true;
            status = reckon(db, f, &d, err);
            is_over = clock->mono_ms() >= until_mono_ms;
        }
        if (status == ST_OK && f->due_count > 0) {
            s->has_more = true;
            status = spaces_keep_due(db, f, err);
        }
    }
    return status;
}
