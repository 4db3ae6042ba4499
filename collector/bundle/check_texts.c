#include "collector/bundle/checker.h"
#include "lib/mem.h"
#include "lib/rfc3339.h"

#include <stdlib.h>
#include <string.h>

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

static enum status each_row(struct checker *c, const char *name, const char *heading,
    enum status (*take)(struct checker *c, const struct csv *csv, struct error *err), struct error *err)
{
    struct csv csv;
    bool has_row = true;
    enum status status = checker_open(c, &csv, name, heading, err);
    while (status == ST_OK && (status = csv_next(&csv, &has_row, err)) == ST_OK && has_row)
        status = take(c, &csv, err);
    csv_close(&csv);
    return status;
}

/* What the database refuses (the same number twice) is a mistake of the part. */
static enum status refuse_row(const struct csv *csv, enum status status, struct error *err)
{
    return status == ST_INVALID ? csv_refuse(csv, "what is here is here already, or cannot be", err) : status;
}

static enum status take_meter(struct checker *c, const struct csv *csv, struct error *err)
{
    int64_t number;
    if (!csv_read_int(csv, 0, &number) || number < 1 || number >= INT64_C(1) << 30 || csv_is_none(csv, 1))
        return csv_refuse(csv, "no meter", err);
    return refuse_row(csv, refold_add_meter(&c->refold, number, csv_read_text(csv, 1), err), err);
}

static enum status find_number(struct checker *c, struct span id, int64_t *ret, struct error *err)
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
    enum status status = find_number(c, csv_read_text(csv, 1), &meter, err);
    if (status != ST_OK)
        return status;
    if (!csv_read_int(csv, 0, &number) || number < 1 || meter == 0 || csv_is_none(csv, 2))
        return csv_refuse(csv, "no point of a meter of meters.csv", err);
    return refuse_row(csv, refold_add_point(&c->refold, number, meter, csv_read_text(csv, 2), 0, err), err);
}

/* ---- decisions ---- */

static bool read_kind(struct span text, enum ruling_kind *ret)
{
    for (int kind = RULING_WITHDRAWAL; kind <= RULING_READING; kind++)
        if (span_is(text, decided_kind_name((enum ruling_kind)kind))) {
            *ret = (enum ruling_kind)kind;
            return true;
        }
    return false;
}

static bool read_times(struct span text, int64_t **ret, size_t *ret_count)
{
    char *copy = mem_strndup(text.at, text.len), *rest = NULL;
    size_t capacity = 0;
    bool is_good = true;
    *ret = NULL;
    *ret_count = 0;
    for (char *one = strtok_r(copy, " ", &rest); one != NULL && is_good; one = strtok_r(NULL, " ", &rest)) {
        MEM_GROW(*ret, *ret_count, capacity);
        is_good = rfc3339_parse(one, &(*ret)[*ret_count]) &&
                  (*ret_count == 0 || (*ret)[*ret_count - 1] < (*ret)[*ret_count]);
        ++*ret_count;
    }
    free(copy);
    return is_good;
}

static bool read_ruling(const struct csv *csv, struct decided *d)
{
    struct ruling *r = &d->ruling;
    int64_t forced;
    return csv_read_time(csv, 3, &r->from_ms) && csv_read_time(csv, 4, &r->until_ms) &&
           r->from_ms <= r->until_ms && csv_read_some(csv, 5, &r->end) &&
           csv_read_some(csv, 6, &r->next.start) && csv_read_some(csv, 7, &r->next.modulus) &&
           csv_read_some(csv, 8, &r->next.resolution) && csv_read_some(csv, 9, &r->next.max_rate) &&
           csv_read_some(csv, 10, &r->next.p) && csv_read_some(csv, 11, &r->next.q) &&
           csv_read_some(csv, 13, &r->energy) && csv_read_some(csv, 14, &r->count) &&
           csv_read_some(csv, 16, &d->withdraws) && csv_read_int(csv, 17, &forced) &&
           csv_read_time(csv, 18, &d->time_ms) && !csv_is_none(csv, 20);
}

/* What the fold reckons with must be what the ledger can: a segment as a person's would be checked. */
static bool is_sound(const struct ruling *r)
{
    if (r->kind != RULING_RESET && r->kind != RULING_REPLACED)
        return r->energy >= 0 && r->energy <= SEGMENT_COUNT_MAX && r->count >= -SEGMENT_COUNT_MAX &&
               r->count <= SEGMENT_COUNT_MAX;
    struct segment next = r->next;
    next.from_ms = r->from_ms;
    next.until_ms = INT64_MAX;
    next.has_start = true;
    return segment_problem(&next) == NULL && r->end >= -SEGMENT_COUNT_MAX && r->end <= SEGMENT_COUNT_MAX;
}

/* With its own number, so that those that undo others still name them. */
static enum status set_number(struct checker *c, int64_t number, struct error *err)
{
    struct db_stmt *set = db_keep(c->refold.db,
        "INSERT OR REPLACE INTO sqlite_sequence(rowid, name, seq) VALUES((SELECT rowid FROM"
        " sqlite_sequence WHERE name = 'ledger_decision'), 'ledger_decision', ?1)");
    db_bind_int(set, 1, number - 1);
    return db_run(set, err);
}

static enum status take_decision(struct checker *c, const struct csv *csv, struct error *err)
{
    struct decided d = {.who = "", .why = ""};
    int64_t number, *times = NULL;
    enum status status = find_number(c, csv_read_text(csv, 1), &d.meter, err);
    if (status != ST_OK)
        return status;
    bool is_good = csv_read_int(csv, 0, &number) && number > 0 && d.meter != 0 &&
                   read_kind(csv_read_text(csv, 2), &d.ruling.kind) && read_ruling(csv, &d) &&
                   read_times(csv_read_text(csv, 15), &times, &d.ruling.time_count) && is_sound(&d.ruling);
    d.ruling.times = times;
    if (!is_good)
        status = csv_refuse(csv, "no decision", err);
    if (status == ST_OK)
        status = set_number(c, number, err);
    if (status == ST_OK)
        status = refuse_row(csv, decided_add(c->refold.db, &d, err), err);
    if (status == ST_OK && d.ruling.id != number)
        status = csv_refuse(csv, "decisions are not in the order of their numbers", err);
    free(times);
    return status;
}

/* The fold counts on it: two decisions in force of one meter have nothing in common (E11). */
static enum status check_decisions(struct checker *c, struct error *err)
{
    struct decided_set set;
    enum status status = decided_load(c->refold.db, 0, &set, err);
    if (status != ST_OK)
        return status;
    for (size_t i = 0; i < set.count && status == ST_OK; i++)
        for (size_t k = 0; k < i && status == ST_OK; k++)
            if (set.meters[i] == set.meters[k] && ruling_touches(&set.items[i], &set.items[k]))
                status = error_set(err, ST_INVALID, "decisions.csv: %lld and %lld are about the same",
                    (long long)set.items[k].id, (long long)set.items[i].id);
    decided_release(&set);
    return status;
}

/* ---- published quarter hours ---- */

size_t checker_meter(const struct checker *c, struct span id)
{
    size_t i = 0;
    while (i < c->refold.meters.count && !span_is(id, c->refold.meters.items[i].park->id))
        i++;
    return i;
}

static bool read_quality(struct span text, uint8_t *ret)
{
    for (uint8_t i = 0; bundle_qualities[i] != NULL; i++)
        if (span_is(text, bundle_qualities[i])) {
            *ret = i;
            return true;
        }
    return false;
}

/* In order of meters and time, each once, so that each can be held against what is folded. */
static enum status take_quarter(struct checker *c, const struct csv *csv, struct error *err)
{
    struct published q = {.meter = checker_meter(c, csv_read_text(csv, 0))};
    const struct published *last = c->quarter_count > 0 ? &c->quarters[c->quarter_count - 1] : NULL;
    bool is_good = q.meter < c->refold.meters.count && csv_read_time(csv, 1, &q.start_ms) &&
                   csv_read_some(csv, 2, &q.amount) && read_quality(csv_read_text(csv, 3), &q.quality) &&
                   csv_is_none(csv, 2) == (q.quality == QUALITY_UNKNOWN);
    bool is_next =
        last == NULL || q.meter > last->meter || (q.meter == last->meter && q.start_ms > last->start_ms);
    if (!is_good || !is_next || q.start_ms % PERIODS_QUARTER_HOUR_MS != 0 ||
        q.start_ms < c->subject.span.begin_ms || q.start_ms >= c->subject.span.end_ms)
        return csv_refuse(csv, "no quarter hour of the period, in the order of meters and time", err);
    MEM_GROW(c->quarters, c->quarter_count, c->quarter_capacity);
    c->quarters[c->quarter_count++] = q;
    return ST_OK;
}

/* ---- all of it ---- */

static enum status find_subject(struct checker *c, struct error *err)
{
    struct bundle_subject *s = &c->subject;
    const struct bundle_about *about = &c->manifest.about;
    *s = (struct bundle_subject){.db = c->refold.db,
        .accepted = &c->accepted,
        .site = accepted_site(c->accepted.model->park, about->site),
        .as_of_ms = about->as_of_ms};
    if (s->site == NULL || !periods_parse(about->period, &s->period))
        return error_set(err, ST_INVALID, "manifest.txt: no site of the park model, or no period");
    struct zone *zone = zone_create(s->site->zone);
    s->span = periods_span(zone, s->period);
    zone_destroy(zone);
    return ST_OK;
}

/* The report says as of when it is: of the newest batch. */
static enum status note_as_of(struct checker *c, struct error *err)
{
    struct db_stmt *add =
        db_keep(c->refold.db, "INSERT INTO journal(gateway, epoch, seq, received_ms, lines, payload)"
                              " VALUES(0, 0, 0, ?1, 0, x'')");
    db_bind_int(add, 1, c->manifest.about.as_of_ms);
    return c->manifest.about.as_of_ms != 0 ? db_run(add, err) : ST_OK;
}

enum status checker_prepare(struct checker *c, struct error *err)
{
    enum status status = refold_open(&c->refold, err);
    if (status == ST_OK)
        status = read_model(c, err);
    if (status == ST_OK)
        status = find_subject(c, err);
    if (status == ST_OK)
        status = note_as_of(c, err);
    if (status == ST_OK)
        status = each_row(c, "meters.csv", BUNDLE_METERS, take_meter, err);
    if (status == ST_OK)
        status = each_row(c, "points.csv", BUNDLE_POINTS, take_point, err);
    if (status == ST_OK)
        status = each_row(c, "decisions.csv", BUNDLE_DECISIONS, take_decision, err);
    if (status == ST_OK)
        status = check_decisions(c, err);
    if (status == ST_OK)
        status = refold_use(&c->refold, c->accepted.model->park, err);
    return status == ST_OK ? each_row(c, "quarters.csv", BUNDLE_QUARTERS, take_quarter, err) : status;
}
