#include "collector/report/metered.h"

#include "lib/mem.h"

#include <string.h>

/* The amount of a meter that has a figure; NULL = it has none. */
static const struct amount *amount_of(const struct report *report, const struct park_meter *meter)
{
    for (size_t k = 0; k < report->carrier_count; k++) {
        if (report->carriers[k].carrier != meter->carrier)
            continue;
        REPORT_EACH(figure, &report->carriers[k], PART_METER)
        if (figure->part.meter == meter)
            return &figure->amount;
    }
    return NULL;
}

static enum status read_part(struct db *db, const struct report *report, const struct tree_part *part,
    struct amount *ret, struct error *err)
{
    struct periods_span span = part->span;
    bool is_whole = span.begin_ms == report->axis.span.begin_ms && span.end_ms == report->axis.span.end_ms;
    const struct amount *known = part->count == 1 && part->terms[0].sign > 0 && is_whole
                                     ? amount_of(report, part->terms[0].meter)
                                     : NULL;
    if (known != NULL) {
        *ret = *known;
        return ST_OK;
    }
    struct series series;
    enum status status = tree_read(db, part, report->now_ms, &series, err);
    amounts_of(&series, &(struct steps){.spans = &span, .count = 1}, ret);
    series_release(&series);
    return status;
}

static enum status read_row(
    struct db *db, struct report *report, enum tree_by by, const struct tree_row *row, struct error *err)
{
    struct report_metered metered = {.by = by,
        .is_virtual = row->kind == TREE_VIRTUAL,
        .carrier = row->carrier,
        .id = row->id,
        .left_out_count = row->left_out_count};
    enum status status = ST_OK;
    for (size_t i = 0; i < row->part_count && status == ST_OK; i++) {
        struct amount amount;
        status = read_part(db, report, &row->parts[i], &amount, err);
        amount_add(&metered.amount, &amount);
    }
    MEM_GROW(report->metered, report->metered_count, report->metered_capacity);
    report->metered[report->metered_count++] = metered;
    return status;
}

enum status metered_read(struct db *db, struct report *report, struct error *err)
{
    static const enum tree_by bys[] = {TREE_CARRIER, TREE_BUILDING, TREE_TENANT, TREE_ITEM, TREE_METER};
    enum status status = ST_OK;
    for (size_t k = 0; k < sizeof bys / sizeof bys[0] && status == ST_OK; k++) {
        struct tree tree;
        tree_init(&tree, report->park, report->site, bys[k], report->axis.span);
        for (size_t i = 0; i < tree.count && status == ST_OK; i++)
            if (bys[k] != TREE_METER || tree.rows[i].kind == TREE_VIRTUAL)
                status = read_row(db, report, bys[k], &tree.rows[i], err);
        tree_release(&tree);
    }
    return status;
}
