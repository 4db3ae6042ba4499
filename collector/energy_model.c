#include "collector/energy_model.h"

#include "collector/energy_line.h"
#include "collector/model/version.h"
#include "collector/store/energy_body.h"
#include "collector/store/repost.h"
#include "lib/log.h"
#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>

/* from >= until: empty. */
struct hull {
    int64_t from_ms, until_ms;
};

static const struct hull nothing = {INT64_MAX, INT64_MIN};

/* Both models, and what was worked out of them. */
struct pair {
    const struct model *before, *now;
    struct energy_lines *lines_before, *lines_now;
    struct hull books; /* what they hold */
    struct rated {
        const struct park_site *before, *now;
        int carrier;
        struct hull hull;
    } * rated;
    size_t count, capacity;
};

static void widen(struct hull *hull, int64_t from_ms, int64_t until_ms)
{
    hull->from_ms = from_ms < hull->from_ms ? from_ms : hull->from_ms;
    hull->until_ms = until_ms > hull->until_ms ? until_ms : hull->until_ms;
}

static bool is_same_text(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* ---- factors and prices ---- */

static bool is_same_value(struct decimal a, struct decimal b)
{
    return a.value == b.value && a.scale == b.scale;
}

static bool is_same_day(const struct energy_day *a, const struct energy_day *b)
{
    bool is_same = a->span.begin_ms == b->span.begin_ms && a->span.end_ms == b->span.end_ms &&
                   (a->tariff == NULL) == (b->tariff == NULL);
    for (size_t i = 0; i < ENERGY_FACTORS && is_same; i++)
        is_same = a->factors[i] == NULL || b->factors[i] == NULL
                      ? a->factors[i] == b->factors[i]
                      : is_same_value(a->factors[i]->value, b->factors[i]->value);
    if (!is_same || a->tariff == NULL)
        return is_same;
    for (size_t i = 0; i < TARIFF_BANDS && is_same; i++)
        is_same = is_same_value(a->prices.prices->price[i], b->prices.prices->price[i]);
    return is_same && memcmp(a->prices.band, b->prices.band, sizeof a->prices.band) == 0;
}

static struct hull compare_days(
    struct pair *p, const struct park_site *before, const struct park_site *now, int carrier)
{
    struct hull hull = nothing;
    for (int64_t at_ms = p->books.from_ms; at_ms < p->books.until_ms;) {
        const struct energy_day *a = energy_lines_day(p->lines_before, before, carrier, at_ms);
        const struct energy_day *b = energy_lines_day(p->lines_now, now, carrier, at_ms);
        int64_t end_ms = a->span.end_ms < b->span.end_ms ? a->span.end_ms : b->span.end_ms;
        if (!is_same_day(a, b))
            widen(&hull, at_ms, end_ms);
        at_ms = end_ms;
    }
    return hull;
}

/* Worked out once: there are few sites. */
static struct hull find_rated(
    struct pair *p, const struct park_site *before, const struct park_site *now, int carrier)
{
    for (size_t i = 0; i < p->count; i++)
        if (p->rated[i].before == before && p->rated[i].now == now && p->rated[i].carrier == carrier)
            return p->rated[i].hull;
    MEM_GROW(p->rated, p->count, p->capacity);
    p->rated[p->count++] = (struct rated){before, now, carrier, compare_days(p, before, now, carrier)};
    return p->rated[p->count - 1].hull;
}

/* ---- a meter ---- */

static const struct park_site *site_of(const struct park_tags *tags)
{
    return tags->building != NULL ? tags->building->site : NULL;
}

static bool is_same_place(const struct park_tags *a, const struct park_tags *b)
{
    return is_same_text(a->building_id, b->building_id) && is_same_text(a->tenant_id, b->tenant_id) &&
           is_same_text(a->item, b->item) && site_of(a) != NULL && site_of(b) != NULL &&
           strcmp(site_of(a)->id, site_of(b)->id) == 0;
}

static struct hull compare_meters(
    struct pair *p, const struct park_meter *before, const struct park_meter *now)
{
    struct hull hull = nothing;
    if (before == NULL || before->carrier != now->carrier)
        return p->books;
    for (int64_t at_ms = p->books.from_ms, next_ms; at_ms < p->books.until_ms; at_ms = next_ms) {
        struct park_tags a = park_tags_at(before, at_ms), b = park_tags_at(now, at_ms);
        next_ms = a.until_ms < b.until_ms ? a.until_ms : b.until_ms;
        if (next_ms <= at_ms || next_ms > p->books.until_ms)
            next_ms = p->books.until_ms;
        if (!is_same_place(&a, &b)) {
            widen(&hull, at_ms, next_ms);
            continue;
        }
        struct hull rated = find_rated(p, site_of(&a), site_of(&b), now->carrier);
        int64_t from_ms = rated.from_ms > at_ms ? rated.from_ms : at_ms;
        int64_t until_ms = rated.until_ms < next_ms ? rated.until_ms : next_ms;
        if (from_ms < until_ms)
            widen(&hull, from_ms, until_ms);
    }
    return hull;
}

static enum status add_changed(struct db *db, struct pair *p, struct error *err)
{
    enum status status = ST_OK;
    CONF_EACH (const struct park_meter, meter, p->before->park->meters)
        if (status == ST_OK && park_meter_find(p->now->park, meter->id) == NULL)
            status = repost_add(db, span_of(meter->id), REPOST_BEGIN_MS, REPOST_END_MS, err);
    CONF_EACH (const struct park_meter, meter, p->now->park->meters) {
        struct hull hull = compare_meters(p, park_meter_find(p->before->park, meter->id), meter);
        if (status == ST_OK)
            status = repost_add(db, span_of(meter->id), hull.from_ms, hull.until_ms, err);
    }
    return status;
}

enum status energy_model_repost(
    struct db *db, const struct model *before, const struct model *now, struct error *err)
{
    struct pair p = {.before = before, .now = now};
    bool is_found;
    enum status status = energy_body_extent(db, &p.books.from_ms, &p.books.until_ms, &is_found, err);
    if (status != ST_OK || !is_found)
        return status;
    p.lines_before = energy_lines_create(before->park, &before->rates);
    p.lines_now = energy_lines_create(now->park, &now->rates);
    status = add_changed(db, &p, err);
    energy_lines_destroy(p.lines_before);
    energy_lines_destroy(p.lines_now);
    free(p.rated);
    return status;
}

/* ---- versions ---- */

static enum status read_numbers(struct db *db, int64_t *ret_posted, int64_t *ret_newest, struct error *err)
{
    struct db_stmt *read = db_keep(db, "SELECT position FROM cursor WHERE name = 'energy'");
    bool has_row;
    enum status status = db_step(read, &has_row, err);
    *ret_posted = status == ST_OK && has_row ? db_int(read, 0) : 0;
    db_reset(read);
    return status == ST_OK ? version_newest_number(db, ret_newest, err) : status;
}

/* One that is damaged tells nothing: then all of it is. */
static enum status repost_since(struct db *db, int64_t posted, const struct model *now, struct error *err)
{
    struct version version;
    struct error why;
    enum status status = version_read(db, posted, &version, &why);
    if (status == ST_INVALID) {
        log_warn("energy", "%s; all energy is posted again", why.text);
        return repost_add_all(db, err);
    }
    if (status != ST_OK)
        return error_set(err, status, "%s", why.text);
    struct model *before = version_model(&version);
    status = energy_model_repost(db, before, now, err);
    model_put(before);
    version_release(&version);
    return status;
}

enum status energy_model_follow(
    struct db *db, const struct model *now, bool *ret_is_changed, struct error *err)
{
    int64_t posted, newest;
    enum status status = read_numbers(db, &posted, &newest, err);
    if (status != ST_OK || posted == newest)
        return status;
    *ret_is_changed = true;
    if (posted != 0)
        status = repost_since(db, posted, now, err);
    struct db_stmt *move = db_keep(db, "UPDATE cursor SET position = ?1 WHERE name = 'energy'");
    db_bind_int(move, 1, newest);
    return status == ST_OK ? db_run(move, err) : status;
}
