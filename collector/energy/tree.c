#include "collector/energy/tree.h"

#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>

const char *const tree_bys[] = {"building", "tenant", "meter", "item", "carrier", NULL};
const char *const tree_kinds[] = {"group", "meter", "virtual", "gap", NULL};

/* ---- who is in a group ---- */

static bool has_register(const struct park_meter *meter)
{
    return meter->segments.count > 0;
}

static const char *key_of(
    enum tree_by by, int carrier, const char *building, const char *tenant, const char *item)
{
    switch (by) {
    case TREE_BUILDING:
        return building;
    case TREE_TENANT:
        return tenant;
    case TREE_ITEM:
        return item;
    case TREE_CARRIER:
    case TREE_METER:
        return park_carriers[carrier];
    }
    abort();
}

static const char *key_of_meter(enum tree_by by, const struct park_meter *m)
{
    return key_of(by, m->carrier, m->building_id, m->tenant_id, m->item);
}

static const char *key_of_virtual(enum tree_by by, const struct park_virtual *v)
{
    return key_of(by, v->carrier, v->building_id, v->tenant_id, v->item);
}

/* NULL: there is none yet. */
static struct tree_row *find(const struct tree *tree, const char *id, int carrier)
{
    for (size_t i = 0; i < tree->count; i++)
        if (tree->rows[i].carrier == carrier && strcmp(tree->rows[i].id, id) == 0)
            return &tree->rows[i];
    return NULL;
}

static struct tree_row *add_row(struct tree *tree, struct tree_row row)
{
    MEM_GROW(tree->rows, tree->count, tree->capacity);
    tree->rows[tree->count] = row;
    return &tree->rows[tree->count++];
}

static struct tree_row *group(struct tree *tree, const char *id, int carrier)
{
    struct tree_row *row = find(tree, id, carrier);
    return row != NULL ? row
                       : add_row(tree, (struct tree_row){.kind = TREE_GROUP, .id = id, .carrier = carrier});
}

static void add_part(struct tree_row *row, const struct park_term *terms, size_t count)
{
    MEM_GROW(row->parts, row->part_count, row->part_capacity);
    row->parts[row->part_count++] = (struct tree_part){terms, count};
}

static struct park_term *add_term(struct tree *tree, const struct park_meter *meter, int sign)
{
    tree->terms[tree->term_count] = (struct park_term){meter, sign};
    return &tree->terms[tree->term_count++];
}

/* The next meter above that has a register. */
static const struct park_meter *upstream(const struct park_meter *meter)
{
    do
        meter = meter->parent;
    while (meter != NULL && !has_register(meter));
    return meter;
}

static bool is_topmost(enum tree_by by, const struct park_meter *meter)
{
    const char *key = key_of_meter(by, meter);
    for (const struct park_meter *up = upstream(meter); up != NULL; up = upstream(up)) {
        const char *other = key_of_meter(by, up);
        if (other != NULL && strcmp(other, key) == 0)
            return false;
    }
    return true;
}

static bool is_at_or_below(const struct park_meter *meter, const struct park_meter *other)
{
    while (meter != NULL && meter != other)
        meter = meter->parent;
    return meter != NULL;
}

static bool is_related(const struct tree_part *part, const struct park_virtual *v)
{
    for (size_t i = 0; i < part->count; i++)
        for (size_t k = 0; k < v->term_count; k++)
            if (is_at_or_below(part->terms[i].meter, v->terms[k].meter) ||
                is_at_or_below(v->terms[k].meter, part->terms[i].meter))
                return true;
    return false;
}

static void add_virtual(struct tree_row *row, const struct park_virtual *v)
{
    for (size_t i = 0; i < row->part_count; i++)
        if (is_related(&row->parts[i], v)) {
            MEM_GROW(row->left_out, row->left_out_count, row->left_out_capacity);
            row->left_out[row->left_out_count++] = v;
            return;
        }
    add_part(row, v->terms, v->term_count);
}

/* ---- rows ---- */

static void add_groups(
    struct tree *tree, const struct park *park, const struct park_site *site, enum tree_by by)
{
    CONF_EACH (struct park_meter, meter, park->meters) {
        const char *key = key_of_meter(by, meter);
        if (meter->building->site == site && key != NULL && has_register(meter) && is_topmost(by, meter))
            add_part(group(tree, key, meter->carrier), add_term(tree, meter, 1), 1);
    }
    CONF_EACH (struct park_virtual, v, park->virtual_meters) {
        const char *key = key_of_virtual(by, v);
        if (v->building->site == site && key != NULL)
            add_virtual(group(tree, key, v->carrier), v);
    }
}

static void add_gap(struct tree *tree, const struct park *park, const struct park_meter *parent)
{
    struct park_term *terms = add_term(tree, parent, 1);
    size_t count = 1;
    CONF_EACH (struct park_meter, meter, park->meters)
        if (has_register(meter) && upstream(meter) == parent) {
            add_term(tree, meter, -1);
            count++;
        }
    if (count == 1) { /* nothing behind it is metered */
        tree->term_count--;
        return;
    }
    struct tree_row *row = add_row(tree,
        (struct tree_row){.kind = TREE_GAP, .id = parent->id, .carrier = parent->carrier, .meter = parent});
    add_part(row, terms, count);
}

static void add_meters(struct tree *tree, const struct park *park, const struct park_site *site)
{
    CONF_EACH (struct park_meter, meter, park->meters)
        if (meter->building->site == site && has_register(meter)) {
            struct tree_row *row = add_row(
                tree, (struct tree_row){
                          .kind = TREE_REAL, .id = meter->id, .carrier = meter->carrier, .meter = meter});
            add_part(row, add_term(tree, meter, 1), 1);
        }
    CONF_EACH (struct park_virtual, v, park->virtual_meters)
        if (v->building->site == site)
            add_part(
                add_row(tree, (struct tree_row){.kind = TREE_VIRTUAL, .id = v->id, .carrier = v->carrier}),
                v->terms, v->term_count);
    CONF_EACH (struct park_meter, meter, park->meters)
        if (meter->building->site == site && has_register(meter))
            add_gap(tree, park, meter);
}

void tree_init(struct tree *tree, const struct park *park, const struct park_site *site, enum tree_by by)
{
    /* Of each meter at most: itself, as a parent, as a child. */
    *tree = (struct tree){.terms = mem_zalloc((3 * park->meters.count + 1) * sizeof *tree->terms)};
    if (by == TREE_METER)
        add_meters(tree, park, site);
    else
        add_groups(tree, park, site, by);
}

void tree_release(struct tree *tree)
{
    for (size_t i = 0; i < tree->count; i++) {
        free(tree->rows[i].parts);
        free(tree->rows[i].left_out);
    }
    free(tree->rows);
    free(tree->terms);
    *tree = (struct tree){0};
}

/* ---- amounts ---- */

/* What comes of two quarter hours' states where both are needed: the worse; but who is absent beside others is missing. */
static enum series_state both(enum series_state a, enum series_state b)
{
    if (a == b)
        return a;
    if (a == SERIES_ABSENT)
        return b > SERIES_UNKNOWN ? b : SERIES_UNKNOWN;
    if (b == SERIES_ABSENT)
        return a > SERIES_UNKNOWN ? a : SERIES_UNKNOWN;
    return a > b ? a : b;
}

static enum status read_meter(struct db *db, const struct park_meter *meter, struct periods_span span,
    int64_t now_ms, struct series *ret, struct error *err)
{
    struct series_due due = series_due(meter, now_ms);
    int64_t id = 0;
    series_init(ret, span, &due);
    enum status status = series_meter(db, meter->id, &id, err);
    return status == ST_OK && id != 0 ? series_read(db, id, ret, err) : status;
}

static void combine(const struct series *one, int sign, bool is_first, __int128 *sums, struct series *to)
{
    for (size_t i = 0; i < to->count; i++) {
        sums[i] += sign * (__int128)one->amounts[i];
        enum series_state state = (enum series_state)one->states[i];
        to->states[i] = (uint8_t)(is_first ? state : both((enum series_state)to->states[i], state));
    }
}

static void finish(const struct tree_part *part, const __int128 *sums, struct series *to)
{
    bool is_difference = false;
    for (size_t i = 0; i < part->count; i++)
        is_difference = is_difference || part->terms[i].sign < 0;
    for (size_t i = 0; i < to->count; i++) {
        bool is_whole = series_is_known((enum series_state)to->states[i]);
        to->amounts[i] = (int64_t)sums[i];
        if (!is_whole && is_difference)
            to->amounts[i] = 0;
        else if (to->amounts[i] != sums[i]) {
            to->amounts[i] = 0;
            to->states[i] = is_whole ? SERIES_UNKNOWN : to->states[i];
        }
    }
}

enum status tree_read(struct db *db, const struct tree_part *part, struct periods_span span, int64_t now_ms,
    struct series *ret, struct error *err)
{
    enum status status = read_meter(db, part->terms[0].meter, span, now_ms, ret, err);
    if (part->count == 1 && part->terms[0].sign > 0)
        return status;
    __int128 *sums = mem_zalloc((ret->count + 1) * sizeof *sums);
    combine(ret, part->terms[0].sign, true, sums, ret);
    for (size_t i = 1; i < part->count && status == ST_OK; i++) {
        struct series one;
        status = read_meter(db, part->terms[i].meter, span, now_ms, &one, err);
        combine(&one, part->terms[i].sign, false, sums, ret);
        series_release(&one);
    }
    finish(part, sums, ret);
    free(sums);
    return status;
}

enum status tree_amounts(struct db *db, const struct tree_row *row, struct periods_span span,
    const struct steps *steps, int64_t now_ms, struct amount *ret, struct error *err)
{
    struct amount *amounts = mem_zalloc((steps->count + 1) * sizeof *amounts);
    enum status status = ST_OK;
    memset(ret, 0, steps->count * sizeof *ret);
    for (size_t i = 0; i < row->part_count && status == ST_OK; i++) {
        struct series series;
        status = tree_read(db, &row->parts[i], span, now_ms, &series, err);
        amounts_of(&series, steps, amounts);
        for (size_t k = 0; k < steps->count; k++)
            amount_add(&ret[k], &amounts[k]);
        series_release(&series);
    }
    free(amounts);
    return status;
}
