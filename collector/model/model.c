#include "collector/model/model.h"

#include "collector/model/periods.h"
#include "lib/mem.h"

#include <stdatomic.h>
#include <stdlib.h>

/* The count lies behind the public struct, so that readers see only values. */
struct held_model {
    struct model value;
    atomic_int references;
};

static struct held_model *held(const struct model *m)
{
    return (struct held_model *)(uintptr_t)m;
}

static struct model *conclude(struct held_model *h)
{
    struct model *m = &h->value;
    facts_add(&m->facts, &park_section, m->park);
    if (m->rates.factors != NULL)
        facts_add(&m->facts, &factors_section, m->rates.factors);
    if (m->rates.tariffs != NULL)
        facts_add(&m->facts, &tariffs_section, m->rates.tariffs);
    facts_sort(&m->facts);
    m->hash = facts_hash(&m->facts);
    return m;
}

static struct held_model *create(const char *const names[MODEL_FILES])
{
    struct held_model *h = mem_zalloc(sizeof *h);
    h->references = 1;
    for (int i = 0; i < MODEL_FILES; i++)
        h->value.names[i] = mem_strdup(names[i]);
    return h;
}

struct model *model_load(const char *const paths[MODEL_FILES])
{
    struct held_model *h = create(paths);
    h->value.park = park_load(paths[MODEL_PARK]);
    rates_init(&h->value.rates, paths[MODEL_FACTORS], paths[MODEL_TARIFFS], h->value.park);
    return conclude(h);
}

struct model *model_load_texts(const char *const names[MODEL_FILES], const struct span texts[MODEL_FILES])
{
    struct held_model *h = create(names);
    h->value.park = park_load_text(names[MODEL_PARK], texts[MODEL_PARK]);
    if (texts[MODEL_FACTORS].at != NULL)
        h->value.rates.factors = factors_load_text(names[MODEL_FACTORS], texts[MODEL_FACTORS]);
    if (texts[MODEL_TARIFFS].at != NULL)
        h->value.rates.tariffs = tariffs_load_text(names[MODEL_TARIFFS], texts[MODEL_TARIFFS]);
    return conclude(h);
}

size_t model_problem_count(const struct model *m)
{
    return conf_problem_count(m->park->conf) + rates_problem_count(&m->rates);
}

void model_print_problems(const struct model *m, FILE *out)
{
    conf_print_problems(m->park->conf, out);
    rates_print_problems(&m->rates, out);
}

struct span model_text(const struct model *m, enum model_file file)
{
    switch (file) {
    case MODEL_PARK:
        return conf_text(m->park->conf);
    case MODEL_FACTORS:
        return m->rates.factors != NULL ? conf_text(m->rates.factors->conf) : (struct span){NULL, 0};
    case MODEL_TARIFFS:
        return m->rates.tariffs != NULL ? conf_text(m->rates.tariffs->conf) : (struct span){NULL, 0};
    }
    return (struct span){NULL, 0};
}

static int64_t day_of(const struct zone *zone, int64_t time_ms)
{
    return periods_of(zone, PERIODS_DAY, time_ms).number;
}

struct difference_now model_now(const struct model *m, int64_t now_ms, int64_t figures_ms)
{
    /* Where there are no figures no day has any; the calendar does not reach that far. */
    int64_t begin_ms = figures_ms < now_ms ? figures_ms : now_ms;
    struct difference_now now = {.now_ms = now_ms,
        .closed_ms = INT64_MIN,
        .figures_ms = figures_ms,
        .day = day_of(NULL, now_ms),
        .figures_day = day_of(NULL, begin_ms)};
    bool is_first = true;
    CONF_EACH (const struct park_site, site, m->park->sites) {
        struct zone *zone = zone_create(site->zone);
        int64_t day = day_of(zone, now_ms), figures_day = day_of(zone, begin_ms);
        if (is_first || day > now.day)
            now.day = day;
        if (is_first || figures_day < now.figures_day)
            now.figures_day = figures_day;
        is_first = false;
        zone_destroy(zone);
    }
    return now;
}

const struct model *model_get(const struct model *m)
{
    atomic_fetch_add(&held(m)->references, 1);
    return m;
}

void model_put(const struct model *m)
{
    if (m == NULL || atomic_fetch_sub(&held(m)->references, 1) > 1)
        return;
    struct held_model *h = held(m);
    facts_release(&h->value.facts);
    rates_release(&h->value.rates);
    park_destroy(h->value.park);
    for (int i = 0; i < MODEL_FILES; i++)
        free(h->value.names[i]);
    free(h);
}
