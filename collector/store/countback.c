#include "collector/store/countback.h"

#include "collector/store/repost_rows.h"
#include "collector/store/rounds.h"
#include "collector/store/unfinished.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SWEEP_MS 2000   /* between looks for what is due; longer than a result takes to be recorded */
#define PUT_OFF_MS 5000 /* late readings that never end put it off so long, then what is due gets its turn */
#define CLOSED_MS 60000 /* an hour is counted so long after its end: most of what is late is in by then */
#define RETRY_MS 30000  /* after a count that was not answered */
#define TOLD_MS 600000  /* between looks at hours that differed: a person may have mended them */
#define TOLD_MAX 20
#define ROUND_MS 60000
#define ROUND_SHARE 200 /* and so many times as long as counting the last one took */
#define RECOUNT_HOURS (366 * 24)
#define UNFINISHED_MS 60000                   /* between looks for what a rebuild left */
#define REASON_MS (INT64_C(7) * 24 * HOUR_MS) /* so long it is a reason of readiness */

/* What is counted: raw measurements by their value, derived ones by a field that each of their rows has. */
static const struct measure {
    const char *name, *policy, *field;
    int kind; /* enum reading_kind, or: */
#define KIND_OUTBOX (-1)
#define KIND_BOOKS (-2)
} measures[] = {
    {"register", INFLUX_RAW_POLICY, "value", READING_REGISTER},
    {"gauge", INFLUX_RAW_POLICY, "value", READING_GAUGE},
    {"state", INFLUX_RAW_POLICY, "value", READING_STATE},
    {"gateway", NULL, "lost", KIND_OUTBOX},
    {"occupancy", NULL, "observed_s", KIND_OUTBOX},
    {"energy", NULL, "quality", KIND_BOOKS},
    {"instrument", NULL, "free_s", KIND_OUTBOX},
};

enum phase { PHASE_IDLE, PHASE_COUNT, PHASE_ASK, PHASE_POST };

struct countback {
    struct countback_options options;
    enum phase phase;
    /* The hour at hand; also, while idle, the last that was looked at: what is due is gone through in order, so
     * that a verdict is recorded before the same hour is met again. */
    struct hour at;
    int64_t touched, counted; /* as in the table */
    const struct measure *measure;
    int64_t until; /* journal id up to which all was posted when the count began */
    struct body_hour batches;
    int64_t sent_position;
    struct energy_meters meters;
    struct body body;
    int64_t expected;
    int64_t refused; /* lines that the store refused: it may have taken them since (rebuild) */
    bool is_posted_again;
    int64_t due_mono_ms, told_due_mono_ms;
    int64_t put_off_mono_ms; /* since when late readings put it off; 0 = they do not */
    struct rounds rounds;
    bool is_round;       /* the hour at hand is not due */
    bool is_all_suspect; /* the rounds met an hour that is empty: others may be too */
    bool has_lost_energy;
    int64_t round_due_mono_ms, round_begun_mono_ms;
    struct hour_list handed; /* what a rebuild left, on its way to the table */
    int64_t unfinished_due_mono_ms;
    int unanswered; /* counts, since one was answered */
    struct complaint complaint, lacking, mended;
    struct hour_count_list verdicts;
    struct reject_list rejects;
    struct hour_list wanting;   /* must become due */
    struct store_status status; /* only the fields of hours */
};

struct countback *countback_create(const struct countback_options *options)
{
    struct countback *c = mem_zalloc(sizeof *c);
    c->options = *options;
    if (c->options.round_ms == 0)
        c->options.round_ms = ROUND_MS;
    c->round_due_mono_ms = clock_system.mono_ms() + c->options.round_ms;
    c->at.hour = -1;
    return c;
}

void countback_destroy(struct countback *c)
{
    if (!c)
        return;
    body_hour_release(&c->batches);
    body_release(&c->body);
    reject_list_release(&c->rejects);
    hour_list_release(&c->wanting);
    hour_list_release(&c->handed);
    free(c->verdicts.items);
    free(c);
}

int64_t countback_due_mono_ms(const struct countback *c)
{
    return c->due_mono_ms;
}

static const struct measure *find_measure(const char *name)
{
    for (size_t i = 0; i < sizeof measures / sizeof measures[0]; i++)
        if (strcmp(measures[i].name, name) == 0)
            return &measures[i];
    return NULL;
}

static const char *name_hour(const struct hour *hour, char text[static CLOCK_TEXT_SIZE])
{
    clock_format_utc(hour->hour * HOUR_MS, text);
    memcpy(text + 16, "Z", 2); /* to the minute */
    return text;
}

/* ---- verdicts ---- */

/* The hour at hand is left; what is due is gone through from the first again. */
static void end_round(struct countback *c)
{
    int64_t now = clock_system.mono_ms(), rest_ms = ROUND_SHARE * (now - c->round_begun_mono_ms);
    c->round_due_mono_ms = now + (rest_ms > c->options.round_ms ? rest_ms : c->options.round_ms);
    c->is_round = false;
    c->phase = PHASE_IDLE;
    c->at = (struct hour){.hour = -1};
}

static void judge(struct countback *c, const struct hour_count *count)
{
    if (c->is_round) {
        end_round(c);
        return;
    }
    MEM_GROW(c->verdicts.items, c->verdicts.count, c->verdicts.capacity);
    c->verdicts.items[c->verdicts.count++] = *count;
    c->phase = PHASE_IDLE;
}

/* It cannot be judged now, and stays as due as it was. */
static void leave(struct countback *c)
{
    if (c->is_round)
        end_round(c);
    c->phase = PHASE_IDLE;
}

static void give_up(struct countback *c)
{
    judge(c, &(struct hour_count){.hour = c->at, .touched = c->touched, .outcome = HOUR_GIVEN_UP});
}

/* Of rows that are derived those counted before are gone, and how many they were is not known for ever; others were
 * posted, and their results are on the way: the store may hold more than what is here. */
static bool is_as_expected(const struct countback *c, int64_t found)
{
    if (c->measure->kind != KIND_OUTBOX)
        return found >= c->expected && found <= c->expected + c->refused;
    return found >= c->expected && found >= c->counted;
}

/* At least so many of what was derived. */
static int64_t wanted(const struct countback *c)
{
    return c->measure->kind == KIND_OUTBOX && c->counted > c->expected ? c->counted : c->expected;
}

static void compare(struct countback *c, int64_t found)
{
    char text[CLOCK_TEXT_SIZE];
    struct hour_count count = {.hour = c->at, .touched = c->touched, .expected = wanted(c), .found = found};
    if (c->is_round) {
        if (!is_as_expected(c, found))
            hour_list_add(&c->wanting, span_of(c->at.measurement), c->at.hour);
        c->is_all_suspect = found == 0 && c->expected > 0;
        end_round(c);
    } else if (is_as_expected(c, found)) {
        count.expected = found;
        c->status.hours_counted++;
        c->status.hours_mended += c->is_posted_again;
        if (c->is_posted_again)
            complain(&c->mended, clock_system.mono_ms(), LOG_LEVEL_WARN, "store",
                "%s of the hour of %s: posted again, the store holds all %lld now", c->at.measurement,
                name_hour(&c->at, text), (long long)found);
        judge(c, &count);
    } else if (!c->is_posted_again) {
        complain(&c->lacking, clock_system.mono_ms(), LOG_LEVEL_WARN, "store",
            "%s of the hour of %s: the store holds %lld instead of %lld; everything is posted again",
            c->at.measurement, name_hour(&c->at, text), (long long)found, (long long)wanted(c));
        c->is_posted_again = true;
        c->expected = c->refused = 0;
        c->batches.at = 0;
        c->sent_position = 0;
        c->meters.at = 0;
        c->phase = PHASE_POST;
    } else {
        log_error("store",
            "%s of the hour of %s: the store holds %lld instead of %lld, also after posting again; look for "
            "who "
            "else writes there or deletes, or whether this database was restored from a backup",
            c->at.measurement, name_hour(&c->at, text), (long long)found, (long long)wanted(c));
        count.outcome = HOUR_DIFFERENT;
        judge(c, &count);
    }
}

/* ---- an hour ---- */

static bool is_of_books(const struct countback *c)
{
    return c->measure->kind == KIND_BOOKS;
}

/* Does the store lack derived rows for good reason? Some are to be posted again, or wait in the outbox (they were
 * written while the hour was counted). */
static enum status is_behind(struct countback *c, bool *ret, struct error *err)
{
    struct repost due = {0};
    bool is_waiting = false;
    enum status status = is_of_books(c) ? repost_next(c->options.db, &due, err)
                                        : repost_rows_wait(c->options.db, &c->at, &is_waiting, err);
    *ret = due.id != 0 || is_waiting;
    if (status != ST_OK || *ret)
        return status;
    struct db_stmt *waits =
        db_keep(c->options.db, "SELECT 1 FROM outbox WHERE sent_ms IS NULL AND time_ms >= ?1 AND time_ms < ?2"
                               " AND series >= ?3 || ',' AND series < ?3 || '-' LIMIT 1");
    db_bind_int(waits, 1, c->at.hour * HOUR_MS);
    db_bind_int(waits, 2, (c->at.hour + 1) * HOUR_MS);
    db_bind_text(waits, 3, span_of(c->at.measurement));
    status = db_step(waits, ret, err);
    db_reset(waits);
    return status;
}

static enum status begin_of_books(struct countback *c, struct error *err)
{
    struct repost due;
    c->meters =
        (struct energy_meters){.from_ms = c->at.hour * HOUR_MS, .until_ms = (c->at.hour + 1) * HOUR_MS};
    enum status status = repost_next(c->options.db, &due, err);
    if (status != ST_OK)
        return status;
    if (c->options.energy == NULL)
        give_up(c);
    else if (due.id != 0)
        leave(c);
    else
        c->phase = PHASE_COUNT;
    return ST_OK;
}

static enum status begin(struct countback *c, int64_t settled, int64_t now_ms, struct error *err)
{
    c->measure = find_measure(c->at.measurement);
    c->until = settled;
    c->expected = c->refused = c->sent_position = 0;
    c->is_posted_again = false;
    int64_t retention_ms = influx_raw_kept_days(c->options.poster->influx) * 24 * HOUR_MS;
    bool is_raw = c->measure != NULL && c->measure->kind >= 0;
    if (c->measure != NULL && is_of_books(c))
        return begin_of_books(c, err);
    /* An hour of grace: while it is counted its first minutes must not expire. */
    bool is_beyond = is_raw && retention_ms > 0 && (c->at.hour - 1) * HOUR_MS < now_ms - retention_ms;
    bool is_held = true;
    enum status status = is_raw ? body_hour_is_held(c->options.reader, c->at.hour, &is_held, err) : ST_OK;
    if (status == ST_OK && (c->measure == NULL || is_beyond || !is_held)) {
        give_up(c);
        return ST_OK;
    }
    bool is_waiting = false;
    if (status == ST_OK && !is_raw)
        status = repost_rows_wait(c->options.db, &c->at, &is_waiting, err);
    if (status == ST_OK && is_waiting) {
        leave(c);
        return ST_OK;
    }
    if (status == ST_OK && is_raw)
        status = body_open_hour(
            c->options.reader, (enum reading_kind)c->measure->kind, c->at.hour, settled, &c->batches, err);
    if (status == ST_OK)
        c->phase = PHASE_COUNT;
    return status;
}

/* The next lines of the hour at hand; *ret_is_last. */
static enum status read_slice(struct countback *c, bool *ret_is_last, struct error *err)
{
    if (c->measure->kind >= 0) {
        enum status status =
            body_read_hour(c->options.reader, &c->batches, c->options.slice_lines, &c->body, err);
        *ret_is_last = c->batches.at == c->batches.count;
        return status;
    }
    if (is_of_books(c))
        return energy_body_meters(
            c->options.energy, &c->meters, c->options.slice_lines, &c->body, ret_is_last, err);
    enum status status = body_read_sent(c->options.reader, span_of(c->at.measurement), c->at.hour,
        c->sent_position, c->options.slice_lines, &c->body, err);
    c->sent_position = c->body.position;
    *ret_is_last = c->body.count < c->options.slice_lines;
    return status;
}

static enum status count_slice(struct countback *c, struct error *err)
{
    bool is_last;
    enum status status = read_slice(c, &is_last, err);
    if (status != ST_OK)
        return status;
    c->expected += (int64_t)c->body.count;
    c->refused += c->body.refused;
    if (is_last)
        c->phase = PHASE_ASK;
    return ST_OK;
}

static enum status post_slice(struct countback *c, struct error *err)
{
    bool is_last;
    enum status status = read_slice(c, &is_last, err);
    if (status != ST_OK)
        return status;
    struct tally tally = {0};
    if (!poster_clear(c->options.poster, &c->body) ||
        !poster_deliver(c->options.poster, c->measure->policy, &c->body, &tally))
        return ST_OK; /* stopping */
    c->expected += (int64_t)(c->body.count - c->body.rejects.count);
    c->refused += c->body.refused;
    reject_list_move(&c->rejects, &c->body.rejects);
    if (is_last)
        c->phase = PHASE_ASK;
    return ST_OK;
}

/* One that is not answered may be the store's moment, or our end; the second is said. */
static bool ask(struct countback *c, const struct measure *measure, int64_t hour, int64_t *ret)
{
    struct answer answer = influx_count(c->options.poster->influx, measure->policy, measure->name,
        measure->field, hour * HOUR_MS, (hour + 1) * HOUR_MS, ret);
    int64_t now_mono_ms = clock_system.mono_ms();
    if (answer.action == ANSWER_ACCEPTED) {
        c->unanswered = 0;
        c->status.uncounted_since_ms = 0;
        complaint_clear(&c->complaint, now_mono_ms, "store", "what the store holds can be counted again");
        return true;
    }
    if (c->unanswered++ == 0)
        c->status.uncounted_since_ms = clock_system.wall_ms();
    else
        complain(&c->complaint, now_mono_ms, LOG_LEVEL_WARN, "store",
            "what the store holds cannot be counted: %s; hours that are over wait for it, next try in %d s",
            answer.text, RETRY_MS / 1000);
    snprintf(c->status.uncounted, sizeof c->status.uncounted, "%s", answer.text);
    return false;
}

/* Where the store differs the evidence must still be whole: it may have been pruned while it was counted. */
static enum status ask_and_compare(struct countback *c, struct error *err)
{
    int64_t found;
    if (ask(c, c->measure, c->at.hour, &found)) {
        bool is_held = true;
        enum status status = ST_OK;
        bool is_late = false;
        if (c->measure->kind >= 0 && !is_as_expected(c, found))
            status = body_hour_is_held(c->options.reader, c->at.hour, &is_held, err);
        if (c->measure->kind < 0 && !is_as_expected(c, found))
            status = is_behind(c, &is_late, err);
        if (status == ST_OK && is_late)
            leave(c);
        else if (status == ST_OK && is_held)
            compare(c, found);
        else if (status == ST_OK)
            give_up(c);
        return status;
    }
    c->due_mono_ms = clock_system.mono_ms() + RETRY_MS;
    if (c->is_round) {
        end_round(c);
        return ST_OK;
    }
    c->phase = PHASE_IDLE;
    c->at.hour--; /* to be met again */
    return ST_OK;
}

/* ---- what is due ---- */

static enum status find_due(struct countback *c, int64_t closed, bool *ret_is_found, struct error *err)
{
    struct db_stmt *due =
        db_keep(c->options.db, "SELECT measurement, hour, touched, coalesce(counted, 0) FROM hour"
                               " WHERE touched > 0 AND hour < ?1 AND (hour, measurement) > (?2, ?3) ORDER BY "
                               "hour, measurement LIMIT 1");
    db_bind_int(due, 1, closed);
    db_bind_int(due, 2, c->at.hour);
    db_bind_text(due, 3, span_of(c->at.measurement));
    struct hour found = {.hour = -1};
    enum status status = db_step(due, ret_is_found, err);
    if (status == ST_OK && *ret_is_found) {
        struct span name = db_text(due, 0);
        snprintf(found.measurement, sizeof found.measurement, "%.*s", (int)name.len, name.at);
        found.hour = db_int(due, 1);
        c->touched = db_int(due, 2);
        c->counted = db_int(due, 3);
    }
    db_reset(due);
    if (status == ST_OK)
        c->at = found; /* at the end: from the first again, next time */
    return status;
}

static enum status count_status(struct countback *c, int64_t closed, int64_t now_ms, struct error *err)
{
    struct db_stmt *due = db_keep(c->options.db, "SELECT count(*) FROM hour WHERE touched > 0 AND hour < ?");
    struct db_stmt *told = db_keep(c->options.db,
        "SELECT count(*) OVER (), measurement, hour, expected, found FROM hour WHERE told_ms > ? ORDER BY "
        "told_ms DESC LIMIT 1");
    bool has_row;
    db_bind_int(due, 1, closed);
    enum status status = db_step(due, &has_row, err);
    if (status != ST_OK)
        return status;
    c->status.hours_due = db_int(due, 0);
    db_reset(due);
    db_bind_int(told, 1, now_ms - REASON_MS);
    if ((status = db_step(told, &has_row, err)) != ST_OK)
        return status;
    c->status.hours_different = has_row ? db_int(told, 0) : 0;
    c->status.different[0] = '\0';
    if (has_row) {
        char text[CLOCK_TEXT_SIZE];
        struct span name = db_text(told, 1);
        struct hour hour = {.hour = db_int(told, 2)};
        snprintf(c->status.different, sizeof c->status.different, "%.*s, %s: %lld / %lld", (int)name.len,
            name.at, name_hour(&hour, text), (long long)db_int(told, 4), (long long)db_int(told, 3));
    }
    db_reset(told);
    return ST_OK;
}

/* Hours that differed are asked for again: what they should hold is known. */
static enum status look_at_told(struct countback *c, struct error *err)
{
    struct db_stmt *told = db_keep(c->options.db, "SELECT measurement, hour, expected FROM hour WHERE "
                                                  "told_ms IS NOT NULL AND touched = 0 ORDER BY told_ms "
                                                  "DESC LIMIT ?");
    struct hour_count all[TOLD_MAX];
    size_t count = 0;
    bool has_row;
    enum status status;
    db_bind_int(told, 1, TOLD_MAX);
    while ((status = db_step(told, &has_row, err)) == ST_OK && has_row) {
        struct span name = db_text(told, 0);
        struct hour_count *t = &all[count++];
        *t = (struct hour_count){
            .hour = {.hour = db_int(told, 1)}, .outcome = HOUR_EQUAL, .expected = db_int(told, 2)};
        snprintf(t->hour.measurement, sizeof t->hour.measurement, "%.*s", (int)name.len, name.at);
    }
    for (size_t i = 0; i < count && status == ST_OK; i++) {
        const struct measure *measure = find_measure(all[i].hour.measurement);
        char text[CLOCK_TEXT_SIZE];
        if (measure == NULL)
            continue;
        if (!ask(c, measure, all[i].hour.hour, &all[i].found))
            break;
        bool is_well =
            measure->kind == KIND_OUTBOX ? all[i].found >= all[i].expected : all[i].found == all[i].expected;
        if (!is_well)
            continue;
        log_info("store", "%s of the hour of %s: the store holds all %lld now", all[i].hour.measurement,
            name_hour(&all[i].hour, text), (long long)all[i].found);
        judge(c, &all[i]);
    }
    return status;
}

/* ---- what is not due, and what a rebuild left ---- */

/* Is it worth a count now? Not where it is due anyway, or known to differ; and of what was derived only where it is
 * known how much there was. */
static enum status look_up(struct countback *c, bool *ret_is_wanted, struct error *err)
{
    struct db_stmt *row =
        db_keep(c->options.db, "SELECT touched > 0 OR told_ms IS NOT NULL, coalesce(counted, 0)"
                               " FROM hour WHERE measurement = ? AND hour = ?");
    db_bind_text(row, 1, span_of(c->at.measurement));
    db_bind_int(row, 2, c->at.hour);
    bool has_row;
    enum status status = db_step(row, &has_row, err);
    c->touched = 0;
    c->counted = has_row ? db_int(row, 1) : 0;
    *ret_is_wanted = status == ST_OK && !(has_row && db_int(row, 0) != 0) &&
                     (find_measure(c->at.measurement)->kind != KIND_OUTBOX || c->counted > 0);
    db_reset(row);
    return status;
}

static enum status begin_round(struct countback *c, int64_t settled, int64_t closed, int64_t now_ms,
    bool *ret_has_worked, struct error *err)
{
    bool is_wanted;
    c->round_begun_mono_ms = clock_system.mono_ms();
    enum status status = rounds_next(
        &c->rounds, c->options.db, closed, sizeof measures / sizeof measures[0], ret_has_worked, err);
    if (status != ST_OK || !*ret_has_worked) {
        end_round(c);
        return status;
    }
    c->at = (struct hour){.hour = c->rounds.hour};
    snprintf(c->at.measurement, sizeof c->at.measurement, "%s", measures[c->rounds.measure].name);
    c->is_round = true;
    status = look_up(c, &is_wanted, err);
    if (status == ST_OK && is_wanted)
        return begin(c, settled, now_ms, err);
    end_round(c);
    return status;
}

static enum status are_due(struct countback *c, bool *ret, struct error *err)
{
    struct db_stmt *row =
        db_keep(c->options.db, "SELECT touched > 0 FROM hour WHERE measurement = ? AND hour = ?");
    enum status status = ST_OK;
    *ret = true;
    for (size_t i = 0; i < c->handed.count && *ret && status == ST_OK; i++) {
        db_bind_text(row, 1, span_of(c->handed.items[i].measurement));
        db_bind_int(row, 2, c->handed.items[i].hour);
        bool has_row;
        status = db_step(row, &has_row, err);
        *ret = status == ST_OK && has_row && db_int(row, 0) != 0;
        db_reset(row);
    }
    return status;
}

/* They are forgotten when the table has them, and not before. */
static enum status look_for_unfinished(struct countback *c, int64_t now_mono_ms, struct error *err)
{
    if (c->handed.count > 0) {
        bool is_done;
        enum status status = are_due(c, &is_done, err);
        if (status == ST_OK && is_done) {
            unfinished_forget(c->options.database_path, &c->handed);
            hour_list_release(&c->handed);
        }
        return status;
    }
    if (now_mono_ms < c->unfinished_due_mono_ms)
        return ST_OK;
    c->unfinished_due_mono_ms = now_mono_ms + UNFINISHED_MS;
    if (!unfinished_look(c->options.database_path, &c->handed))
        return ST_OK;
    for (size_t i = 0; i < c->handed.count; i++) {
        const struct hour *hour = &c->handed.items[i];
        char text[CLOCK_TEXT_SIZE];
        log_warn("store",
            "%s of the hour of %s: a rebuild left it unfinished; once it is over it is counted and made "
            "whole",
            hour->measurement, name_hour(hour, text));
        hour_list_add(&c->wanting, span_of(hour->measurement), hour->hour);
    }
    return ST_OK;
}

static void want_hours(struct countback *c, int64_t from, int64_t to)
{
    for (int64_t hour = from; hour <= to; hour++)
        for (size_t i = 0; i < sizeof measures / sizeof measures[0]; i++)
            if (measures[i].kind >= 0)
                hour_list_add(&c->wanting, span_of(measures[i].name), hour);
}

enum status countback_recount(struct countback *c, int64_t now_ms, struct error *err)
{
    struct db_stmt *spans = db_keep(c->options.db,
        "SELECT width_ms, bucket, min(from_ms), max(to_ms) FROM journal_span GROUP BY width_ms, bucket");
    int64_t newest = now_ms / HOUR_MS, oldest = newest - RECOUNT_HOURS;
    bool has_row;
    enum status status;
    while ((status = db_step(spans, &has_row, err)) == ST_OK && has_row) {
        int64_t width_ms = db_int(spans, 0), begin = db_int(spans, 1) * (width_ms / HOUR_MS);
        int64_t from = db_int(spans, 2) / HOUR_MS, to = db_int(spans, 3) / HOUR_MS;
        from = from > begin ? from : begin;
        from = from > oldest ? from : oldest;
        to = to < begin + width_ms / HOUR_MS - 1 ? to : begin + width_ms / HOUR_MS - 1;
        want_hours(c, from, to < newest ? to : newest);
    }
    c->has_lost_energy = true;
    return status;
}

/* The database may have been made anew behind our back. */
static enum status suspect_all(struct countback *c, int64_t now_ms, struct error *err)
{
    log_warn("store", "an hour that was all in the store is empty there: every hour is counted again, "
                      "and energy, occupancy and hours of instruments are posted again");
    c->is_all_suspect = false;
    return countback_recount(c, now_ms, err);
}

static enum status look(
    struct countback *c, int64_t settled, int64_t now_ms, bool *ret_has_worked, struct error *err)
{
    int64_t now_mono_ms = clock_system.mono_ms(), closed = (now_ms - CLOSED_MS) / HOUR_MS;
    *ret_has_worked = false;
    if (c->is_all_suspect)
        return suspect_all(c, now_ms, err);
    if (now_mono_ms < c->due_mono_ms)
        return ST_OK;
    bool is_found = false;
    c->is_round = false;
    enum status status = look_for_unfinished(c, now_mono_ms, err);
    if (status == ST_OK)
        status = find_due(c, closed, &is_found, err);
    if (status == ST_OK && is_found) {
        *ret_has_worked = true;
        return begin(c, settled, now_ms, err);
    }
    c->due_mono_ms = now_mono_ms + SWEEP_MS;
    c->put_off_mono_ms = 0;
    if (status == ST_OK && now_mono_ms >= c->told_due_mono_ms) {
        c->told_due_mono_ms = now_mono_ms + TOLD_MS;
        status = look_at_told(c, err);
    }
    if (status == ST_OK)
        status = count_status(c, closed, now_ms, err);
    if (status == ST_OK && now_mono_ms >= c->round_due_mono_ms)
        status = begin_round(c, settled, closed, now_ms, ret_has_worked, err);
    return status;
}

enum status countback_step(
    struct countback *c, int64_t settled, int64_t now_ms, bool *ret_has_worked, struct error *err)
{
    *ret_has_worked = true;
    switch (c->phase) {
    case PHASE_IDLE:
        return look(c, settled, now_ms, ret_has_worked, err);
    case PHASE_COUNT:
        return count_slice(c, err);
    case PHASE_ASK:
        return ask_and_compare(c, err);
    case PHASE_POST:
        return post_slice(c, err);
    }
    return ST_OK;
}

void countback_disturb(struct countback *c, const struct hour_list *hours, int64_t now_ms)
{
    int64_t closed = (now_ms - CLOSED_MS) / HOUR_MS, now_mono_ms = clock_system.mono_ms();
    for (size_t i = 0; i < hours->count; i++) {
        const struct hour *hour = &hours->items[i];
        if (hour->hour >= closed)
            continue;
        /* Old readings are coming in: counting now would mostly be for nothing. */
        if (c->put_off_mono_ms == 0)
            c->put_off_mono_ms = now_mono_ms;
        if (now_mono_ms < c->put_off_mono_ms + PUT_OFF_MS)
            c->due_mono_ms = now_mono_ms + SWEEP_MS;
        if (hour->hour != c->at.hour || strcmp(hour->measurement, c->at.measurement) != 0)
            continue;
        if (c->is_round)
            end_round(c);
        c->phase = PHASE_IDLE;
    }
}

void countback_take(
    struct countback *c, struct hour_count_list *list, struct reject_list *rejects, struct hour_list *touched)
{
    for (size_t i = 0; i < c->verdicts.count; i++) {
        MEM_GROW(list->items, list->count, list->capacity);
        list->items[list->count++] = c->verdicts.items[i];
    }
    c->verdicts.count = 0;
    reject_list_move(rejects, &c->rejects);
    hour_list_move(touched, &c->wanting);
}

bool countback_take_lost_energy(struct countback *c)
{
    bool has_lost = c->has_lost_energy;
    c->has_lost_energy = false;
    return has_lost;
}

void countback_status(const struct countback *c, struct store_status *status)
{
    status->hours_counted = c->status.hours_counted;
    status->hours_mended = c->status.hours_mended;
    status->hours_due = c->status.hours_due;
    status->hours_different = c->status.hours_different;
    memcpy(status->different, c->status.different, sizeof status->different);
    status->uncounted_since_ms = c->status.uncounted_since_ms;
    memcpy(status->uncounted, c->status.uncounted, sizeof status->uncounted);
}
