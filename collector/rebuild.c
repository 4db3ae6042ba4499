/*
 * How an hour is rewritten beside a collector that goes on posting:
 *
 *   1. A snapshot of the journal is taken; what it holds of the hour is counted, and the store is asked for how
 *      much it has. Where that is more, deleting would lose what we could not write again: the hour is left.
 *   2. The hour is deleted in the store, and written from that same snapshot: what is pruned meanwhile is in it.
 *   3. A later snapshot is taken, and batches that were journalled since the first are written too. Whatever the
 *      collector posted before the delete was journalled before it, so it is in one of the two; what it posts
 *      after the delete stays, and writing it twice changes nothing.
 *
 * What is deleted is noted first, until it is written whole: killed in between, the hour lacks readings until the
 * collector, or the next run, finds the note (collector/store/unfinished.h).
 */
#include "collector/rebuild.h"

#include "collector/rebuild_energy.h"
#include "collector/schema.h"
#include "collector/store/period.h"
#include "collector/store/post.h"
#include "collector/store/unfinished.h"
#include "lib/clock.h"
#include "lib/file.h"
#include "lib/mem.h"
#include "lib/program.h"
#include "lib/progress.h"
#include "lib/thread.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SLICE_LINES 5000
#define PAUSE_FIRST_MS 500
#define PAUSE_MAX_MS 30000
#define LOOK_MS 200 /* between looks whether to end */

struct rebuild {
    const struct rebuild_options *options;
    char *password;
    struct db *db;
    struct body_reader *reader;
    struct energy_reader *energy;
    struct poster poster;
    struct progress progress;
    struct body body;
    struct body_hour batches;
    struct unfinished unfinished;
    int64_t pause_ms;
    int64_t written, hours, left, not_held;
    int64_t held; /* readings of the hour at hand in the journal */
};

static const char *name_hour(int64_t hour, char text[static CLOCK_TEXT_SIZE])
{
    clock_format_utc(hour * HOUR_MS, text);
    memcpy(text + 16, "Z", 2); /* to the minute */
    return text;
}

/* ---- the store ---- */

/* What was deleted must be written: it is tried until a person ends it. */
static bool pause_for_store(void *user_data, enum store_health health, int64_t asked_ms, const char *text)
{
    (void)health;
    struct rebuild *r = user_data;
    r->pause_ms = r->pause_ms == 0                 ? PAUSE_FIRST_MS
                  : 2 * r->pause_ms < PAUSE_MAX_MS ? 2 * r->pause_ms
                                                   : PAUSE_MAX_MS;
    int64_t wait_ms = asked_ms > r->pause_ms ? asked_ms : r->pause_ms;
    progress_end(&r->progress);
    fprintf(stderr, "park-collector: the store: %s; next try in %.1f s\n", text, (double)wait_ms / 1000);
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t never;
    thread_cond_init(&never);
    pthread_mutex_lock(&lock);
    int64_t until = clock_system.mono_ms() + wait_ms, now;
    while ((now = clock_system.mono_ms()) < until && !program_is_asked_to_end())
        thread_wait_until(&never, &lock, until < now + LOOK_MS ? until : now + LOOK_MS);
    pthread_mutex_unlock(&lock);
    pthread_cond_destroy(&never);
    return !program_is_asked_to_end();
}

static void store_took_it(void *user_data)
{
    ((struct rebuild *)user_data)->pause_ms = 0;
}

static enum status refused_by_store(const struct answer *answer, const char *what, struct error *err)
{
    return error_set(err, ST_UNREACHABLE, "the store: %s: %s", what, answer->text);
}

static enum status prepare_store(struct rebuild *r, struct error *err)
{
    struct answer answer = influx_prepare(r->poster.influx);
    r->poster.is_prepared = answer.action == ANSWER_ACCEPTED;
    return r->poster.is_prepared ? ST_OK : refused_by_store(&answer, "is not ready", err);
}

static enum status count_in_store(
    struct rebuild *r, enum reading_kind kind, int64_t hour, int64_t *ret, struct error *err)
{
    struct answer answer = influx_count(r->poster.influx, INFLUX_RAW_POLICY, reading_kind_name(kind), "value",
        hour * HOUR_MS, (hour + 1) * HOUR_MS, ret);
    return answer.action == ANSWER_ACCEPTED ? ST_OK : refused_by_store(&answer, "cannot count", err);
}

/* ---- the journal ---- */

static enum status begin_snapshot(struct rebuild *r, int64_t *ret_newest, struct error *err)
{
    enum status status = db_exec(r->db, "BEGIN", err);
    if (status != ST_OK)
        return status;
    struct db_stmt *newest = db_keep(r->db, "SELECT coalesce(max(id), 0) FROM journal");
    bool has_row;
    status = db_step(newest, &has_row, err);
    if (status == ST_OK)
        *ret_newest = db_int(newest, 0);
    db_reset(newest);
    return status;
}

static void end_snapshot(struct rebuild *r)
{
    db_exec(r->db, "COMMIT", NULL);
}

/* Reads on from where r->batches stands; posts where `is_posted`. Counts lines (without those refused). */
static enum status read_rest(struct rebuild *r, bool is_posted, int64_t *count, struct error *err)
{
    enum status status = ST_OK;
    struct tally tally = {0};
    while (status == ST_OK && r->batches.at < r->batches.count) {
        status = body_read_hour(r->reader, &r->batches, SLICE_LINES, &r->body, err);
        if (status == ST_OK && is_posted && !poster_deliver(&r->poster, INFLUX_RAW_POLICY, &r->body, &tally))
            status = error_set(err, ST_TIMEOUT, "stopped");
        *count += (int64_t)(r->body.count - r->body.rejects.count);
    }
    return status;
}

static enum status write_again(
    struct rebuild *r, enum reading_kind kind, int64_t hour, int64_t newest, int64_t *ret, struct error *err)
{
    *ret = 0;
    r->batches.at = 0;
    enum status status = read_rest(r, true, ret, err);
    end_snapshot(r);
    if (status != ST_OK)
        return status;
    /* What was journalled since. */
    status = body_open_hour(r->reader, kind, hour, INT64_MAX, &r->batches, err);
    while (r->batches.at < r->batches.count && r->batches.journals[r->batches.at] <= newest)
        r->batches.at++;
    return status == ST_OK ? read_rest(r, true, ret, err) : status;
}

/* ---- an hour of a measurement ---- */

static enum status replace(
    struct rebuild *r, enum reading_kind kind, int64_t hour, int64_t newest, struct error *err)
{
    char name[CLOCK_TEXT_SIZE];
    struct hour noted = {.hour = hour};
    snprintf(noted.measurement, sizeof noted.measurement, "%s", reading_kind_name(kind));
    enum status status = unfinished_add(&r->unfinished, &noted, err);
    if (status == ST_OK) {
        struct answer answer =
            influx_delete(r->poster.influx, reading_kind_name(kind), hour * HOUR_MS, (hour + 1) * HOUR_MS);
        if (answer.action != ANSWER_ACCEPTED)
            status = refused_by_store(&answer, "cannot delete", err);
    }
    if (status != ST_OK) {
        end_snapshot(r);
        return status;
    }
    int64_t written = 0, found = 0;
    status = write_again(r, kind, hour, newest, &written, err);
    if (status == ST_OK)
        status = count_in_store(r, kind, hour, &found, err);
    if (status != ST_OK)
        return error_prefix(err, status,
            "%s of the hour of %s is deleted but not written whole; run this again, or leave it to the "
            "collector, which makes it whole once it is over",
            reading_kind_name(kind), name_hour(hour, name));
    if (found < written)
        return error_set(err, ST_PROTOCOL,
            "%s of the hour of %s: %lld readings were written and the store holds %lld; run this again",
            reading_kind_name(kind), name_hour(hour, name), (long long)written, (long long)found);
    r->written += written;
    return unfinished_remove(&r->unfinished, &noted, err);
}

static enum status rebuild_kind(struct rebuild *r, enum reading_kind kind, int64_t hour, struct error *err)
{
    int64_t newest = 0, held = 0, found = 0;
    char name[CLOCK_TEXT_SIZE];
    enum status status = begin_snapshot(r, &newest, err);
    if (status == ST_OK)
        status = body_open_hour(r->reader, kind, hour, newest, &r->batches, err);
    if (status == ST_OK)
        status = read_rest(r, false, &held, err);
    r->held += held;
    if (status == ST_OK)
        status = count_in_store(r, kind, hour, &found, err);
    if (status == ST_OK && found > held && !r->options->drops_unknown) {
        progress_end(&r->progress);
        fprintf(stderr,
            "park-collector: %s of the hour of %s is left as it is: the store holds %lld readings, the "
            "journal "
            "%lld; --drop-unknown deletes what the journal does not hold\n",
            reading_kind_name(kind), name_hour(hour, name), (long long)found, (long long)held);
        r->left++;
    } else if (status == ST_OK && (held > 0 || found > 0)) {
        return replace(r, kind, hour, newest, err); /* ends the snapshot */
    }
    end_snapshot(r);
    return status;
}

/* ---- the period ---- */

struct span_of_hours {
    int64_t from, to;
};

/* The hours of which the journal holds anything. */
static enum status find_held(struct rebuild *r, struct span_of_hours *ret, struct error *err)
{
    struct db_stmt *s = db_keep(r->db, "SELECT min(from_ms), max(to_ms) FROM journal_span");
    bool has_row;
    enum status status = db_step(s, &has_row, err);
    if (status != ST_OK)
        return status;
    if (db_is_null(s, 0))
        status =
            error_set(err, ST_INVALID, "the journal holds no readings: there is nothing to rebuild from");
    else
        *ret = (struct span_of_hours){db_int(s, 0) / HOUR_MS, db_int(s, 1) / HOUR_MS + 1};
    db_reset(s);
    return status;
}

static enum status is_rebuildable(struct rebuild *r, int64_t hour, bool *ret, struct error *err)
{
    int64_t retention_ms = influx_raw_kept_days(r->poster.influx) * 24 * HOUR_MS;
    if (retention_ms > 0 && (hour - 1) * HOUR_MS < clock_system.wall_ms() - retention_ms) {
        *ret = false; /* the store would not take it */
        return ST_OK;
    }
    return body_hour_is_held(r->reader, hour, ret, err);
}

static enum status refuse(struct rebuild *r, const struct span_of_hours *held, struct error *err)
{
    char from[CLOCK_TEXT_SIZE], to[CLOCK_TEXT_SIZE];
    int64_t first = held->from;
    bool is_whole = false;
    enum status status = ST_OK;
    /* From the newest hour back to the newest that is not whole. */
    for (int64_t hour = held->to - 1; hour >= held->from && status == ST_OK; hour--) {
        status = is_rebuildable(r, hour, &is_whole, err);
        if (status == ST_OK && !is_whole) {
            first = hour + 1;
            break;
        }
    }
    if (status != ST_OK)
        return status;
    if (first >= held->to)
        return error_set(err, ST_INVALID, "nothing is held whole: there is nothing to rebuild from");
    return error_set(err, ST_INVALID,
        "%s is not held whole: its evidence was pruned, is beyond raw_retention, or was never here; what is "
        "held "
        "is from %s to %s; nothing was deleted",
        r->options->period, name_hour(first, from), name_hour(held->to, to));
}

/* *ret: the hour after this one; where this one was empty, and no period is asked for, the next of which the
 * journal may hold anything: one reading with a time far from all others leaves no hours in between to look at. */
static enum status find_next(struct rebuild *r, int64_t hour, bool is_empty, int64_t *ret, struct error *err)
{
    *ret = hour + 1;
    if (!is_empty || r->options->period != NULL)
        return ST_OK;
    struct db_stmt *s =
        db_keep(r->db, "SELECT coalesce(min(max(from_ms, ?1)), ?1) FROM journal_span WHERE to_ms >= ?1");
    db_bind_int(s, 1, *ret * HOUR_MS);
    bool has_row;
    enum status status = db_step(s, &has_row, err);
    if (status == ST_OK)
        *ret = db_int(s, 0) / HOUR_MS;
    db_reset(s);
    return status;
}

static enum status rebuild_hour(struct rebuild *r, int64_t hour, int64_t *ret_next, struct error *err)
{
    bool is_held;
    enum status status = is_rebuildable(r, hour, &is_held, err);
    r->held = 0;
    r->not_held += status == ST_OK && !is_held;
    for (int kind = READING_REGISTER; kind <= READING_STATE && is_held && status == ST_OK; kind++)
        status = rebuild_kind(r, (enum reading_kind)kind, hour, err);
    return status == ST_OK ? find_next(r, hour, is_held && r->held == 0, ret_next, err) : status;
}

static enum status check_period(struct rebuild *r, const struct span_of_hours *period,
    const struct span_of_hours *held, struct error *err)
{
    enum status status = ST_OK;
    bool is_held = period->from < held->to && period->to > held->from;
    for (int64_t hour = period->from; hour < period->to && is_held && status == ST_OK; hour++)
        status = is_rebuildable(r, hour, &is_held, err);
    return status == ST_OK && !is_held ? refuse(r, held, err) : status;
}

static enum status rebuild_period(struct rebuild *r, struct error *err)
{
    struct span_of_hours held, period;
    enum status status = find_held(r, &held, err);
    if (status != ST_OK)
        return status;
    period = held;
    status = prepare_store(r, err); /* which tells how long it keeps what is written */
    if (status == ST_OK && r->options->period != NULL) {
        period_parse(r->options->period, &period.from, &period.to); /* the caller checked it */
        status = check_period(r, &period, &held, err);
    }
    if (status != ST_OK)
        return status;
    progress_begin(&r->progress);
    for (int64_t hour = period.from, next = hour; hour < period.to && status == ST_OK; hour = next) {
        progress_show(&r->progress, "rebuilt %lld of %lld hours, %lld readings",
            (long long)(hour - period.from), (long long)(period.to - period.from), (long long)r->written);
        status = program_is_asked_to_end() ? error_set(err, ST_TIMEOUT, "stopped")
                                           : rebuild_hour(r, hour, &next, err);
        r->hours += status == ST_OK;
    }
    progress_end(&r->progress);
    printf("%lld hours, %lld readings written again", (long long)(r->hours - r->not_held),
        (long long)r->written);
    if (r->not_held > 0)
        printf(
            "; %lld hours of which evidence was pruned, or that are beyond raw_retention, left as they are",
            (long long)r->not_held);
    puts("");
    return status;
}

/* What the books have of the period. */
static enum status rebuild_energy(struct rebuild *r, struct error *err)
{
    int64_t from_ms, until_ms, from, to;
    bool is_held;
    enum status status = energy_body_extent(r->db, &from_ms, &until_ms, &is_held, err);
    if (status == ST_OK && r->options->is_energy)
        status = prepare_store(r, err);
    if (status != ST_OK)
        return status;
    struct rebuild_energy e = {.db = r->db,
        .reader = r->energy,
        .poster = &r->poster,
        .unfinished = &r->unfinished,
        .progress = &r->progress,
        .site = r->options->site,
        .from_hour = is_held ? from_ms / HOUR_MS : 0,
        .to_hour = is_held ? (until_ms + HOUR_MS - 1) / HOUR_MS : 0,
        .drops_unknown = r->options->drops_unknown};
    if (r->options->period != NULL && period_parse(r->options->period, &from, &to)) {
        e.from_hour = from > e.from_hour ? from : e.from_hour;
        e.to_hour = to < e.to_hour ? to : e.to_hour;
    }
    if (e.from_hour >= e.to_hour)
        return r->options->is_energy ? error_set(err, ST_INVALID,
                                           "the books hold no energy%s%s: there is nothing to rebuild from; "
                                           "nothing was deleted",
                                           r->options->period != NULL ? " of " : "",
                                           r->options->period != NULL ? r->options->period : "")
                                     : ST_OK;
    status = rebuild_energy_run(&e, err);
    printf("energy: %lld quarter hours written again\n", (long long)e.written);
    return status;
}

static enum status open_all(struct rebuild *r, struct error *err)
{
    const struct store_settings *store = &r->options->settings->store;
    enum status status = ST_OK;
    if (store->password_file != NULL)
        status = file_read_secret(store->password_file, &r->password, err);
    if (status == ST_OK)
        status = collector_open_reader(r->options->settings->database.path, &r->db, err);
    if (status == ST_OK)
        status = unfinished_open(&r->unfinished, r->options->settings->database.path, err);
    if (status != ST_OK)
        return status;
    r->reader = body_reader_create(r->db, r->options->model->park);
    r->energy = energy_reader_create(r->db);
    energy_reader_use(r->energy, r->options->model->park, &r->options->model->rates);
    r->poster = (struct poster){.influx = influx_create(&(struct influx_options){.url = store->url,
                                    .database = store->database,
                                    .user = store->user,
                                    .password = r->password,
                                    .raw_retention_days = store->raw_retention_days,
                                    .timeout_ms = (int)store->timeout_ms}),
        .lines = SLICE_LINES,
        .user_data = r,
        .pause = pause_for_store,
        .succeeded = store_took_it};
    return ST_OK;
}

int rebuild_run(const struct rebuild_options *options)
{
    int64_t from, to;
    if (options->period != NULL && !period_parse(options->period, &from, &to)) {
        fprintf(stderr, "park-collector: --period %s is no period; %s\n", options->period, PERIOD_EXPECTED);
        return EXIT_USAGE;
    }
    if (options->site != NULL && park_site_find(options->model->park, options->site) == NULL) {
        fprintf(
            stderr, "park-collector: --site %s is none; expected a site of the park model\n", options->site);
        return EXIT_USAGE;
    }
    /* What the store refused once it may take now: a person may have mended it. */
    struct rebuild r = {.options = options, .batches.takes_refused = true};
    struct error err;
    enum status status = open_all(&r, &err);
    if (status == ST_OK && !options->is_energy)
        status = rebuild_period(&r, &err);
    if (status == ST_OK)
        status = rebuild_energy(&r, &err);
    if (status != ST_OK)
        fprintf(stderr, "park-collector: %s\n", err.text);
    body_hour_release(&r.batches);
    body_release(&r.body);
    body_reader_destroy(r.reader);
    energy_reader_destroy(r.energy);
    influx_destroy(r.poster.influx);
    db_close(r.db);
    unfinished_close(&r.unfinished);
    free(r.password);
    return status == ST_OK && r.left > 0 ? EXIT_UNAVAILABLE : program_exit_code(status);
}
