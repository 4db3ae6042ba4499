/* A total of the report: the meters that are added and those that are taken off, by stretch. */
#include "collector/report/drill.h"

#include "collector/report/figures.h"
#include "collector/report/signs.h"
#include "collector/report/tables_private.h"
#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>

static const char *const kinds[] = {
    [PART_SITE] = "site", [PART_BUILDING] = "building", [PART_TENANT] = "tenant", [PART_ITEM] = "item", NULL};

const char *drill_part_id(const struct part *part)
{
    switch (part->kind) {
    case PART_SITE:
        return part->site->id;
    case PART_BUILDING:
        return part->building->id;
    case PART_TENANT:
        return part->tenant != NULL ? part->tenant->id : NULL;
    case PART_ITEM:
        return part->item;
    case PART_METER:
    case PART_GAP:
        break;
    }
    return part->meter->id;
}

void drill_link_part(struct table *table, const struct part *part)
{
    if (part->kind == PART_METER || part->kind == PART_GAP) {
        tables_link(table, part->kind == PART_GAP ? "gap" : "meter", part->meter->id);
        return;
    }
    char *path = mem_printf("total/%s/%s", park_carriers[part->carrier], kinds[part->kind]);
    if (drill_part_id(part) != NULL) {
        tables_link(table, path, drill_part_id(part));
        free(path);
    } else {
        table_link(table, path);
    }
}

/* Which word stands at the begin of *path, which moves behind it and its slash; to NULL where it has none. -1 = none of
 * these. */
static int take_word(const char **path, const char *const *words)
{
    size_t length = strcspn(*path, "/");
    for (int i = 0; words[i] != NULL; i++)
        if (strlen(words[i]) == length && memcmp(words[i], *path, length) == 0) {
            *path = (*path)[length] == '/' ? *path + length + 1 : NULL;
            return i;
        }
    return -1;
}

/* The figure of that name alone, as the report lists it. NULL = it has none. */
static struct report_figure *find_figure(struct report_carrier *carrier, const char *path)
{
    int kind = take_word(&path, kinds);
    if (kind < 0)
        return NULL;
    REPORT_EACH(figure, carrier, (enum part_kind)kind)
    {
        const char *id = drill_part_id(&figure->part);
        if (id == path || (id != NULL && path != NULL && strcmp(id, path) == 0))
            return carrier->figures + (figure - carrier->figures);
    }
    return NULL;
}

struct adding {
    const struct drill *d;
    struct signs signs;
    struct series sum;
    struct table *terms;
    bool is_difference;
};

static enum status add_meter(struct adding *a, const struct park_meter *meter, struct error *err)
{
    struct series series;
    int64_t number;
    enum status status = drill_series(a->d, meter, a->d->span, &series, &number, err);
    for (size_t k = 0; k < a->signs.stretches.count && status == ST_OK;) {
        int sign = signs_in(&a->signs, k)[0];
        struct periods_span span = signs_run(&a->signs, &k);
        if (sign == 0)
            continue;
        a->is_difference = a->is_difference || sign < 0;
        part_series_add(&a->sum, &series, span, sign);
        drill_add_term(a->d, a->terms, &(struct park_term){meter, sign}, &series, span);
    }
    series_release(&series);
    return status;
}

/* Of the figure alone, in `carrier`. */
static enum status add_figure(
    const struct drill *d, const struct report_carrier *carrier, struct tables *tables, struct error *err)
{
    const struct part *part = &carrier->figures[0].part;
    const char *name = tables_part_name(tables, part);
    struct table *about = drill_about(d, drill_part_id(part), name, d->span, tables);
    drill_about_text(about, "drill_rule", words_of(d->language, "drill_adds"));
    drill_begin_total(tables);
    struct adding a = {.d = d, .terms = drill_begin_parts(tables)};
    signs_init(&a.signs, carrier, d->park, d->span, PART_KINDS);
    part_series_init(&a.sum, d->span);
    enum status status = ST_OK;
    CONF_EACH (const struct park_meter, meter, d->park->meters)
        if (status == ST_OK && signs_look_at(&a.signs, meter))
            status = add_meter(&a, meter, err);
    if (a.is_difference)
        part_series_forget(&a.sum);
    struct amount amount;
    amounts_of(&a.sum, &(struct steps){.spans = &a.sum.span, .count = 1}, &amount);
    drill_add_total(&tables->items[tables->count - 2], carrier->carrier, &amount);
    drill_add_sum(d, a.terms, DRILL_PARTS_BLANKS, carrier->carrier, &amount, a.terms->count);
    series_release(&a.sum);
    signs_release(&a.signs);
    return status;
}

enum status drill_part(
    const struct drill *d, const char *path, struct tables *ret, bool *ret_is_found, struct error *err)
{
    struct report report = {.park = d->park, .site = d->site, .axis = {.span = d->span}};
    struct report_carrier all = {.carrier = take_word(&path, park_carriers)};
    enum status status = ST_OK;
    *ret_is_found = false;
    if (all.carrier < 0 || path == NULL)
        return ST_OK;
    part_cut(d->park, d->span, &report.stretches);
    if (figures_are_there(&report, all.carrier))
        figures_list(&report, &all);
    struct report_figure *figure = find_figure(&all, path);
    ret->language = d->language;
    *ret_is_found = figure != NULL;
    if (figure != NULL)
        status = add_figure(
            d, &(struct report_carrier){.carrier = all.carrier, .figures = figure, .count = 1}, ret, err);
    free(all.figures);
    steps_release(&report.stretches);
    return status;
}
