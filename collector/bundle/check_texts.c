#include "collector/bundle/checker.h"
#include "lib/clock.h"
#include "lib/cursor.h"
#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>

#define TEXT_MAX ((size_t)16 << 20) /* as a settings file may have */

/* ---- the park model ---- */

static enum status load_model(struct checker *c, const char *const names[MODEL_FILES], struct error *err)
{
    char *texts[MODEL_FILES] = {NULL};
    struct span spans[MODEL_FILES] = {{NULL, 0}};
    enum status status = ST_OK;
    for (int i = 0; i < MODEL_FILES && status == ST_OK; i++) {
        if (!checker_has(c, bundle_model_parts[i]))
            continue;
        status = checker_read(c, bundle_model_parts[i], err);
        if (status == ST_OK && c->part.len > TEXT_MAX)
            status = error_set(err, ST_INVALID, "%s has more than 16 MiB", bundle_model_parts[i]);
        spans[i].len = c->part.len;
        spans[i].at = texts[i] = mem_strndup(c->part.data != NULL ? c->part.data : "", c->part.len);
    }
    if (status == ST_OK && texts[MODEL_PARK] == NULL)
        status = error_set(err, ST_INVALID, "model/park.cfg is missing");
    if (status == ST_OK) {
        c->model = model_load_texts(names, spans);
        meters_check(c->model->park);
        if (model_problem_count(c->model) > 0) {
            model_print_problems(c->model, stderr);
            status = error_set(err, ST_INVALID,
                "its park model has mistakes for this program (%s); it was written by %s", PARKMON_VERSION,
                c->manifest.about.program);
        }
    }
    for (int i = 0; i < MODEL_FILES; i++)
        free(texts[i]);
    return status;
}

static enum status note_model(struct checker *c, const struct csv *csv, struct error *err)
{
    int64_t number, accepted_ms;
    char hash[HASH_TEXT_SIZE];
    if (!csv_read_int(csv, 0, &number) || number < 1 || !csv_read_time(csv, 1, &accepted_ms))
        return csv_refuse(csv, "no version of a park model", err);
    hash_format(&c->model->hash, hash);
    if (!span_is(csv_read_text(csv, 2), hash))
        checker_differs(c, "the park model: version %lld was accepted with the hash %s, what is here has %s",
            (long long)number, csv_read_text(csv, 2).at, hash);
    enum status status = version_add(c->refold.db, number, accepted_ms, c->model,
        csv_is_none(csv, 6) ? NULL : csv_read_text(csv, 6).at,
        csv_is_none(csv, 7) ? NULL : csv_read_text(csv, 7).at, err);
    return status == ST_OK ? accepted_read(c->refold.db, &c->accepted, err) : status;
}

static enum status read_model(struct checker *c, struct error *err)
{
    struct csv csv;
    bool has_row = false;
    enum status status = checker_open(c, &csv, "model.csv", BUNDLE_MODEL, err);
    if (status == ST_OK)
        status = csv_next(&csv, &has_row, err);
    if (status == ST_OK && !has_row)
        status = csv_refuse(&csv, "no park model", err);
    if (status == ST_OK) {
        const char *names[MODEL_FILES];
        for (int i = 0; i < MODEL_FILES; i++)
            names[i] = csv_read_text(&csv, 3 + (size_t)i).at;
        status = load_model(c, names, err);
    }
    if (status == ST_OK)
        status = note_model(c, &csv, err);
    csv_close(&csv);
    return status;
}

/* ---- meters and points ---- */

enum status checker_refuse_row(const struct csv *csv, enum status status, struct error *err)
{
    return status == ST_INVALID ? csv_refuse(csv, "what is here is here already, or cannot be", err) : status;
}

static enum status take_meter(struct checker *c, const struct csv *csv, struct error *err)
{
    int64_t number;
    if (!csv_read_int(csv, 0, &number) || number < 1 || number >= INT64_C(1) << 30 || csv_is_none(csv, 1))
        return csv_refuse(csv, "no meter", err);
    return checker_refuse_row(csv, refold_add_meter(&c->refold, number, csv_read_text(csv, 1), err), err);
}

enum status checker_number(struct checker *c, struct span id, int64_t *ret, struct error *err)
{
    struct db_stmt *find = db_keep(c->refold.db, "SELECT id FROM ledger_meter WHERE name = ?1");
    bool has_row;
    db_bind_text(find, 1, id);
    enum status status = db_step(find, &has_row, err);
    *ret = status == ST_OK && has_row ? db_int(find, 0) : 0;
    db_reset(find);
    return status;
}

static enum status take_point(struct checker *c, const struct csv *csv, struct error *err)
{
    int64_t number, meter;
    enum status status = checker_number(c, csv_read_text(csv, 1), &meter, err);
    if (status != ST_OK)
        return status;
    if (!csv_read_int(csv, 0, &number) || number < 1 || meter == 0 || csv_is_none(csv, 2))
        return csv_refuse(csv, "no point of a meter of meters.csv", err);
    return checker_refuse_row(
        csv, refold_add_point(&c->refold, number, meter, csv_read_text(csv, 2), 0, err), err);
}

/* ---- all of it ---- */

/* What had arrived was over: nobody reckons before it, and nobody beyond the period. */
static enum status check_reckoned(const struct bundle_subject *s, struct error *err)
{
    int64_t end_ms = s->span.end_ms;
    if (s->reckoned_ms <= end_ms && s->reckoned_ms >= (s->as_of_ms < end_ms ? s->as_of_ms : end_ms))
        return ST_OK;
    char reckoned[CLOCK_TEXT_SIZE], end[CLOCK_TEXT_SIZE];
    clock_format_utc(s->reckoned_ms, reckoned);
    clock_format_utc(end_ms, end);
    return error_set(err, ST_INVALID,
        "manifest.txt: reckoned %s cannot be; expected no time after the period's end, %s, and none before "
        "as_of or that end",
        reckoned, end);
}

static enum status find_subject(struct checker *c, struct error *err)
{
    struct bundle_subject *s = &c->subject;
    const struct bundle_about *about = &c->manifest.about;
    *s = (struct bundle_subject){.db = c->refold.db,
        .accepted = &c->accepted,
        .site = park_site_find(c->accepted.model->park, about->site),
        .as_of_ms = about->as_of_ms,
        .reckoned_ms = about->reckoned_ms};
    if (s->site == NULL || !periods_parse(about->period, &s->period))
        return error_set(err, ST_INVALID, "manifest.txt: no site of the park model, or no period");
    struct zone *zone = zone_create(s->site->zone);
    s->span = periods_span(zone, s->period);
    zone_destroy(zone);
    return check_reckoned(s, err);
}

/* The report says as of when it is: of the newest batch, which the books have. */
static enum status note_as_of(struct checker *c, struct error *err)
{
    struct db_stmt *add =
        db_keep(c->refold.db, "INSERT INTO journal(gateway, epoch, seq, received_ms, lines, payload)"
                              " VALUES(0, 0, 0, ?1, 0, x'')");
    if (c->manifest.about.as_of_ms == 0)
        return ST_OK;
    db_bind_int(add, 1, c->manifest.about.as_of_ms);
    enum status status = db_run(add, err);
    return status == ST_OK ? cursor_move(c->refold.db, "ledger", db_last_id(c->refold.db), err) : status;
}

enum status checker_prepare(struct checker *c, struct error *err)
{
    enum status status = refold_open(&c->refold, err);
    if (status == ST_OK)
        status = read_model(c, err);
    if (status == ST_OK)
        status = find_subject(c, err);
    if (status == ST_OK)
        status = checker_each_row(c, "meters.csv", BUNDLE_METERS, take_meter, err);
    if (status == ST_OK)
        status = checker_each_row(c, "points.csv", BUNDLE_POINTS, take_point, err);
    if (status == ST_OK)
        status = checker_each_row(c, "decisions.csv", BUNDLE_DECISIONS, checker_take_decision, err);
    if (status == ST_OK)
        status = checker_check_decisions(c, err);
    if (status == ST_OK)
        status = refold_use(&c->refold, c->accepted.model->park, err);
    if (status == ST_OK)
        status = note_as_of(c, err);
    if (status == ST_OK)
        status = checker_closings(c, err);
    return status;
}
