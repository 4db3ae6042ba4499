#include "collector/accept.h"

#include "collector/energy/booked.h"
#include "collector/ledger/meters.h"
#include "collector/ledger/rows.h"
#include "lib/log.h"
#include "lib/mem.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define LOGGED_MAX 200 /* differences; of a park that was written anew nobody reads more */

struct model *acceptance_load(const struct collector_settings *settings)
{
    struct model *m = model_load((const char *const[MODEL_FILES]){[MODEL_PARK] = settings->park,
        [MODEL_FACTORS] = settings->factors,
        [MODEL_TARIFFS] = settings->tariffs});
    meters_check(m->park);
    return m;
}

/* What was booked is taken off where it was booked, and with its meter or site nobody could (CONTRIBUTING.md, K9). */
static enum status find_gone(struct db *db, const struct park *park, char **ret, struct error *err)
{
    struct db_stmt *next = db_keep(db,
        "SELECT name, 1 FROM ledger_meter WHERE EXISTS(SELECT 1 FROM closing_meter WHERE meter = id)"
        " UNION ALL SELECT DISTINCT site, 0 FROM closing");
    bool has_row;
    enum status status;
    while ((status = db_step(next, &has_row, err)) == ST_OK && has_row && *ret == NULL) {
        struct span text = db_text(next, 0);
        char *id = mem_strndup(text.at, text.len);
        bool is_meter = db_int(next, 1) != 0;
        if (is_meter ? park_meter_find(park, id) == NULL : park_site_find(park, id) == NULL)
            *ret = mem_printf("%s[%s]", is_meter ? "meters" : "sites", id);
        free(id);
    }
    db_reset(next);
    return status;
}

static enum status judge_differences(
    struct db *db, const char *database_path, int64_t now_ms, struct acceptance *a, struct error *err)
{
    const struct model *m = a->model;
    int64_t figures_ms;
    enum status status = rows_begin(db, &figures_ms, err);
    if (status != ST_OK)
        return status;
    struct difference_now now = model_now(m, now_ms, figures_ms),
                          old_now = model_now(a->base_model, now_ms, figures_ms);
    if (old_now.day > now.day)
        now.day = old_now.day;
    if (old_now.figures_day < now.figures_day)
        now.figures_day = old_now.figures_day;
    if ((status = booked_until(db, NULL, &now.closed_ms, err)) != ST_OK)
        return status;
    a->has_closed = now.closed_ms != INT64_MIN;
    differences_find(&a->base_model->facts, &m->facts, &now, &a->differences);
    if ((status = find_gone(db, m->park, &a->gone, err)) != ST_OK)
        return status;
    a->verdict = a->gone != NULL ? VERDICT_REFUSED : VERDICT_LAWFUL;
    if (a->gone != NULL || a->differences.past == 0)
        return ST_OK;
    a->step = (struct decision_step){a->base.number, a->base.hash, m->hash};
    status = decisions_find(database_path, &a->step, &a->decision, err);
    a->verdict = a->decision.id != 0 ? VERDICT_DECIDED : VERDICT_REFUSED;
    return status;
}

enum status acceptance_judge(struct db *db, const char *database_path, const struct model *m, int64_t now_ms,
    struct acceptance *ret, struct error *err)
{
    *ret = (struct acceptance){.verdict = VERDICT_FIRST};
    enum status status = version_newest(db, &ret->base, err);
    if (status != ST_OK)
        return status;
    ret->model = model_get(m);
    if (ret->base.number == 0)
        return ST_OK;
    ret->base_model = version_model(&ret->base);
    if (hash_is_equal(&ret->base_model->hash, &m->hash)) {
        ret->verdict = VERDICT_SAME;
        return ST_OK;
    }
    status = judge_differences(db, database_path, now_ms, ret, err);
    if (status != ST_OK)
        acceptance_release(ret);
    return status;
}

void acceptance_release(struct acceptance *a)
{
    differences_release(&a->differences);
    decision_release(&a->decision);
    free(a->gone);
    model_put(a->base_model);
    model_put(a->model);
    version_release(&a->base);
    *a = (struct acceptance){0};
}

int64_t acceptance_number(const struct acceptance *a)
{
    return a->base.number + (a->verdict != VERDICT_SAME);
}

enum status acceptance_record(const struct acceptance *a, struct db *db, int64_t now_ms, struct error *err)
{
    assert(a->verdict != VERDICT_REFUSED);
    if (a->verdict == VERDICT_SAME)
        return ST_OK;
    enum status status = db_begin(db, err);
    if (status != ST_OK)
        return status;
    status = version_add(db, acceptance_number(a), now_ms, a->model, a->decision.who, a->decision.why, err);
    if (status == ST_OK)
        return db_commit(db, err);
    db_rollback(db);
    return status;
}

/* How many things (a meter, a row of factors) the differences are of. */
static size_t count_places(const struct differences *d)
{
    size_t count = 0;
    size_t before_length = 0;
    const char *before = NULL;
    for (size_t i = 0; i < d->count; i++) {
        const char *path = d->items[i].path, *end = strchr(path, ']');
        size_t length = end != NULL ? (size_t)(end - path) + 1 : strlen(path);
        if (before == NULL || length != before_length || strncmp(path, before, length) != 0)
            count++;
        before = path;
        before_length = length;
    }
    return count;
}

static void log_differences(const struct acceptance *a)
{
    const struct differences *d = &a->differences;
    size_t logged = 0;
    for (size_t i = 0; i < d->count && logged < LOGGED_MAX; i++) {
        if (a->verdict == VERDICT_REFUSED && d->items[i].weight != DIFFERENCE_PAST)
            continue;
        char *text =
            a->verdict == VERDICT_DECIDED ? difference_text(&d->items[i]) : difference_sentence(&d->items[i]);
        if (a->verdict == VERDICT_REFUSED)
            log_error("model", "%s", text);
        else if (d->items[i].weight != DIFFERENCE_FREE)
            log_warn("model", "%s", text);
        else
            log_info("model", "%s", text);
        free(text);
        logged++;
    }
    size_t count = a->verdict == VERDICT_REFUSED ? d->past : d->count;
    if (count > logged)
        log_info("model", "and %zu more; `park-collector --check --diff` says them all", count - logged);
}

void acceptance_log(const struct acceptance *a)
{
    const struct differences *d = &a->differences;
    long long number = (long long)acceptance_number(a);
    log_differences(a);
    switch (a->verdict) {
    case VERDICT_FIRST:
        log_info("model", "version 1 of the park model: the first");
        break;
    case VERDICT_SAME:
        log_info("model", "version %lld of the park model, unchanged", number);
        break;
    case VERDICT_LAWFUL:
        log_info("model", "version %lld of the park model: %zu changes in %zu places, none of the past%s",
            number, d->count, count_places(d), d->late > 0 ? " but what is entered late" : "");
        break;
    case VERDICT_DECIDED:
        log_warn("model",
            "version %lld of the park model: %zu changes in %zu places, %zu of the past, decided by %s: %s",
            number, d->count, count_places(d), d->past, a->decision.who, a->decision.why);
        break;
    case VERDICT_REFUSED: /* acceptance_refusal */
        break;
    }
}

const char *acceptance_closed_note(const struct acceptance *a)
{
    return a->has_closed
               ? "; what is booked of closed months stays, and energy that becomes another there is "
                 "booked as adjusting entries in the month that is open"
               : "";
}

enum status acceptance_refusal(const struct acceptance *a, struct error *err)
{
    if (a->verdict != VERDICT_REFUSED)
        return ST_OK;
    if (a->gone != NULL)
        return error_set(err, ST_INVALID,
            "%s is booked in a closed month and not in the park model any more, which no decision allows: "
            "version "
            "%lld stays; expected it to stay there, a meter with a segment that ends (`until`)",
            a->gone, (long long)a->base.number);
    return error_set(err, ST_INVALID,
        "the park model would change the past in %zu of %zu changes, and nobody decided that: version %lld "
        "stays; expected "
        "the past unchanged, or a decision: `park-collector decide model --config FILE --why TEXT` allows "
        "exactly these files; then start or reload the collector%s",
        a->differences.past, a->differences.count, (long long)a->base.number, acceptance_closed_note(a));
}
