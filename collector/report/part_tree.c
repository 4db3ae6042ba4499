#include "collector/report/part_tree.h"

#include "collector/report/drill.h"
#include "collector/report/figures.h"
#include "lib/mem.h"

#include <assert.h>
#include <stdlib.h>

static const enum part_kind kinds[] = {
    [TREE_BUILDING] = PART_BUILDING,
    [TREE_TENANT] = PART_TENANT,
    [TREE_ITEM] = PART_ITEM,
    [TREE_CARRIER] = PART_SITE,
};

static void add_stretch(struct tree_row *row, const struct park *park, const struct part *part,
    struct periods_span stretch, struct park_term *terms)
{
    size_t count = 0;
    CONF_EACH (const struct park_meter, meter, park->meters) {
        int sign = meter->carrier == part->carrier ? part_sign(part, meter, stretch.begin_ms) : 0;
        if (sign != 0)
            terms[count++] = (struct park_term){meter, sign};
    }
    if (count > 0)
        tree_row_add(row, stretch, terms, count);
}

static void add_row(
    struct tree *tree, const struct report *report, const struct part *part, struct park_term *terms)
{
    const char *id = part->kind == PART_SITE ? park_carriers[part->carrier] : drill_part_id(part);
    MEM_GROW(tree->rows, tree->count, tree->capacity);
    struct tree_row *row = &tree->rows[tree->count++];
    *row = (struct tree_row){.kind = TREE_PART, .id = id, .carrier = part->carrier};
    for (size_t k = 0; k < report->stretches.count; k++)
        add_stretch(row, report->park, part, report->stretches.spans[k], terms);
}

/* `has_id`: those with an id, or the one without. */
static void add_rows(struct tree *tree, const struct report *report, const struct report_carrier *parts,
    enum part_kind kind, bool has_id, struct park_term *terms)
{
    REPORT_EACH(figure, parts, kind)
    if ((drill_part_id(&figure->part) != NULL) == has_id)
        add_row(tree, report, &figure->part, terms);
}

static void add_carrier(
    struct tree *tree, const struct report *report, int carrier, enum part_kind kind, struct park_term *terms)
{
    struct report_carrier parts = {.carrier = carrier};
    figures_list(report, &parts);
    add_rows(tree, report, &parts, kind, true, terms);
    add_rows(tree, report, &parts, kind, false, terms);
    free(parts.figures);
}

void part_tree_init(struct tree *tree, const struct park *park, const struct park_site *site, enum tree_by by,
    struct periods_span span)
{
    assert(by != TREE_METER);
    struct report report = {.park = park, .site = site, .axis = {.span = span}};
    struct park_term *terms = mem_alloc((park->meters.count + 1) * sizeof *terms);
    *tree = (struct tree){0};
    part_cut(park, span, &report.stretches);
    for (int carrier = 0; carrier < FACTOR_CARRIERS; carrier++)
        if (figures_are_there(&report, carrier))
            add_carrier(tree, &report, carrier, kinds[by], terms);
    steps_release(&report.stretches);
    free(terms);
}

bool part_tree_takes_off(const struct tree_row *row)
{
    for (size_t i = 0; i < row->part_count; i++)
        for (size_t k = 0; k < row->parts[i].count; k++)
            if (row->parts[i].terms[k].sign < 0 && row->parts[i].terms[k].meter->export_of == NULL)
                return true;
    return false;
}
