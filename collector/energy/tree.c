#include "collector/energy/tree.h"

#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>

const char *const tree_bys[] = {"building", "tenant", "meter", "item", "carrier", NULL};
const char *const tree_kinds[] = {"group", "meter", "virtual", "gap", "part", NULL};

/* ---- who is in a group ---- */

/* What is drawn: the tree of a site while no meter's tags change. */
struct drawing {
    struct tree *tree;
    const struct park *park;
    const struct park_site *site;
    enum tree_by by;
    struct periods_span span;
    const struct park_meter *
        *ups; /* of meters with a register, by their place in the park, those above them; NULL = none */
};

static struct park_tags tags_of(const struct drawing *d, const struct park_meter *meter)
{
    return park_tags_at(meter, d->span.begin_ms);
}

static bool is_of_site(const struct drawing *d, const struct park_meter *meter)
{
    return tags_of(d, meter).building->site == d->site;
}

/* A register of it is installed. */
static bool has_register(const struct drawing *d, const struct park_meter *meter)
{
    return park_is_installed(meter, d->span.begin_ms);
}

static bool counts(const struct drawing *d, const struct park_meter *meter)
{
    return has_register(d, meter) && meter->export_of == NULL && is_of_site(d, meter);
}

/* The meter, and with the other sign what flows back through it. */
static void add_terms(
    const struct drawing *d, const struct park_meter *meter, int sign, struct park_term *terms, size_t *count)
{
    terms[(*count)++] = (struct park_term){meter, sign};
    CONF_EACH (const struct park_meter, other, d->park->meters)
        if (other->export_of == meter && has_register(d, other))
            terms[(*count)++] = (struct park_term){other, -sign};
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

static const char *key_of_meter(const struct drawing *d, const struct park_meter *m)
{
    struct park_tags tags = tags_of(d, m);
    return key_of(d->by, m->carrier, tags.building_id, tags.tenant_id, tags.item);
}

static const char *key_of_virtual(const struct drawing *d, const struct park_virtual *v)
{
    return key_of(d->by, v->carrier, v->building_id, v->tenant_id, v->item);
}

/* The next meter above that has a register. */
static const struct park_meter *upstream(const struct drawing *d, const struct park_meter *meter)
{
    do
        meter = tags_of(d, meter).parent;
    while (meter != NULL && !has_register(d, meter));
    return meter;
}

static bool is_topmost(const struct drawing *d, const struct park_meter *meter)
{
    const char *key = key_of_meter(d, meter);
    for (const struct park_meter *up = upstream(d, meter); up != NULL; up = upstream(d, up)) {
        const char *other = key_of_meter(d, up);
        if (other != NULL && strcmp(other, key) == 0)
            return false;
    }
    return true;
}

static bool is_at_or_below(
    const struct drawing *d, const struct park_meter *meter, const struct park_meter *other)
{
    while (meter != NULL && meter != other)
        meter = tags_of(d, meter).parent;
    return meter != NULL;
}

static bool is_related(const struct drawing *d, const struct tree_part *part, const struct park_virtual *v)
{
    for (size_t i = 0; i < part->count; i++)
        for (size_t k = 0; k < v->term_count; k++)
            if (is_at_or_below(d, part->terms[i].meter, v->terms[k].meter) ||
                is_at_or_below(d, v->terms[k].meter, part->terms[i].meter))
                return true;
    return false;
}

/* ---- rows ---- */

/* The row of that kind, id and carrier; a new one where there is none yet. */
static struct tree_row *find_row(
    struct tree *tree, enum tree_kind kind, const char *id, int carrier, const struct park_meter *meter)
{
    for (size_t i = 0; i < tree->count; i++)
        if (tree->rows[i].kind == kind && tree->rows[i].carrier == carrier &&
            strcmp(tree->rows[i].id, id) == 0)
            return &tree->rows[i];
    MEM_GROW(tree->rows, tree->count, tree->capacity);
    tree->rows[tree->count] = (struct tree_row){.kind = kind, .id = id, .carrier = carrier, .meter = meter};
    return &tree->rows[tree->count++];
}

static bool is_same(const struct tree_part *part, const struct park_term *terms, size_t count)
{
    bool is_same = part->count == count;
    for (size_t i = 0; is_same && i < count; i++)
        is_same = part->terms[i].meter == terms[i].meter && part->terms[i].sign == terms[i].sign;
    return is_same;
}

void tree_row_add(struct tree_row *row, struct periods_span span, const struct park_term *terms, size_t count)
{
    for (size_t i = 0; i < row->part_count; i++)
        if (row->parts[i].span.end_ms == span.begin_ms && is_same(&row->parts[i], terms, count)) {
            row->parts[i].span.end_ms = span.end_ms;
            return;
        }
    MEM_GROW(row->parts, row->part_count, row->part_capacity);
    struct park_term *own = mem_alloc(count * sizeof *own);
    memcpy(own, terms, count * sizeof *own);
    row->parts[row->part_count++] = (struct tree_part){own, count, span};
}

static void add_part(
    const struct drawing *d, struct tree_row *row, const struct park_term *terms, size_t count)
{
    tree_row_add(row, d->span, terms, count);
}

static void leave_out(struct tree_row *row, const struct park_virtual *v)
{
    for (size_t i = 0; i < row->left_out_count; i++)
        if (row->left_out[i] == v)
            return;
    MEM_GROW(row->left_out, row->left_out_count, row->left_out_capacity);
    row->left_out[row->left_out_count++] = v;
}

static void add_virtual(const struct drawing *d, struct tree_row *row, const struct park_virtual *v)
{
    for (size_t i = 0; i < row->part_count; i++)
        if (row->parts[i].span.end_ms == d->span.end_ms && is_related(d, &row->parts[i], v)) {
            leave_out(row, v);
            return;
        }
    add_part(d, row, v->terms, v->term_count);
}

static void draw_groups(const struct drawing *d, struct park_term *terms)
{
    CONF_EACH (const struct park_meter, meter, d->park->meters) {
        const char *key = key_of_meter(d, meter);
        if (counts(d, meter) && key != NULL && is_topmost(d, meter)) {
            size_t count = 0;
            add_terms(d, meter, 1, terms, &count);
            add_part(d, find_row(d->tree, TREE_GROUP, key, meter->carrier, NULL), terms, count);
        }
    }
    CONF_EACH (const struct park_virtual, v, d->park->virtual_meters) {
        const char *key = key_of_virtual(d, v);
        if (v->building->site == d->site && key != NULL)
            add_virtual(d, find_row(d->tree, TREE_GROUP, key, v->carrier, NULL), v);
    }
}

static void draw_gap(const struct drawing *d, const struct park_meter *parent, struct park_term *terms)
{
    size_t count = 0, own;
    const struct park_meter *meters = d->park->meters.items;
    add_terms(d, parent, 1, terms, &count);
    own = count;
    for (size_t i = 0; i < d->park->meters.count; i++)
        if (d->ups[i] == parent)
            add_terms(d, &meters[i], -1, terms, &count);
    if (count > own) /* else nothing behind it is metered */
        add_part(d, find_row(d->tree, TREE_GAP, parent->id, parent->carrier, parent), terms, count);
}

static void draw_meters(const struct drawing *d, struct park_term *terms)
{
    CONF_EACH (const struct park_meter, meter, d->park->meters)
        if (meter->segments.count > 0 && is_of_site(d, meter))
            add_part(d, find_row(d->tree, TREE_REAL, meter->id, meter->carrier, meter),
                &(struct park_term){meter, 1}, 1);
    CONF_EACH (const struct park_virtual, v, d->park->virtual_meters)
        if (v->building->site == d->site)
            add_part(d, find_row(d->tree, TREE_VIRTUAL, v->id, v->carrier, NULL), v->terms, v->term_count);
    size_t i = 0;
    CONF_EACH (const struct park_meter, meter, d->park->meters)
        d->ups[i++] = has_register(d, meter) ? upstream(d, meter) : NULL;
    CONF_EACH (const struct park_meter, meter, d->park->meters)
        if (counts(d, meter))
            draw_gap(d, meter, terms);
}

void tree_init(struct tree *tree, const struct park *park, const struct park_site *site, enum tree_by by,
    struct periods_span span)
{
    struct drawing d = {tree, park, site, by, {span.begin_ms, span.begin_ms},
        mem_alloc((park->meters.count + 1) * sizeof *d.ups)};
    struct park_term *terms = mem_alloc((park->meters.count + 1) * sizeof *terms);
    *tree = (struct tree){0};
    do {
        int64_t next_ms = park_next_change_ms(park, d.span.begin_ms);
        d.span.end_ms = next_ms < span.end_ms ? next_ms : span.end_ms;
        if (by == TREE_METER)
            draw_meters(&d, terms);
        else
            draw_groups(&d, terms);
        d.span.begin_ms = d.span.end_ms;
    } while (d.span.begin_ms < span.end_ms);
    free(terms);
    free(d.ups);
}

static void release_row(struct tree_row *row)
{
    for (size_t k = 0; k < row->part_count; k++)
        free(row->parts[k].terms);
    free(row->parts);
    free(row->left_out);
}

void tree_keep(struct tree *tree, const char *id)
{
    size_t kept = 0;
    for (size_t i = 0; i < tree->count; i++)
        if (tree->rows[i].id != NULL && strcmp(tree->rows[i].id, id) == 0)
            tree->rows[kept++] = tree->rows[i];
        else
            release_row(&tree->rows[i]);
    tree->count = kept;
}

void tree_release(struct tree *tree)
{
    for (size_t i = 0; i < tree->count; i++)
        release_row(&tree->rows[i]);
    free(tree->rows);
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

enum status tree_read(
    struct db *db, const struct tree_part *part, int64_t now_ms, struct series *ret, struct error *err)
{
    enum status status = read_meter(db, part->terms[0].meter, part->span, now_ms, ret, err);
    if (part->count == 1 && part->terms[0].sign > 0)
        return status;
    __int128 *sums = mem_zalloc((ret->count + 1) * sizeof *sums);
    combine(ret, part->terms[0].sign, true, sums, ret);
    for (size_t i = 1; i < part->count && status == ST_OK; i++) {
        struct series one;
        status = read_meter(db, part->terms[i].meter, part->span, now_ms, &one, err);
        combine(&one, part->terms[i].sign, false, sums, ret);
        series_release(&one);
    }
    finish(part, sums, ret);
    free(sums);
    return status;
}

/* Adds what of the series lies in each step. */
static void add_steps(const struct series *series, const struct steps *steps, struct amount *to)
{
    for (size_t k = 0; k < steps->count; k++) {
        struct periods_span span = steps->spans[k];
        struct amount amount;
        if (span.begin_ms < series->span.begin_ms)
            span.begin_ms = series->span.begin_ms;
        if (span.end_ms > series->span.end_ms)
            span.end_ms = series->span.end_ms;
        if (span.begin_ms >= span.end_ms)
            continue;
        amounts_of(series, &(struct steps){.spans = &span, .count = 1}, &amount);
        amount_add(&to[k], &amount);
    }
}

enum status tree_amounts(struct db *db, const struct tree_row *row, const struct steps *steps, int64_t now_ms,
    struct amount *ret, struct error *err)
{
    enum status status = ST_OK;
    memset(ret, 0, steps->count * sizeof *ret);
    for (size_t i = 0; i < row->part_count && status == ST_OK; i++) {
        struct series series;
        status = tree_read(db, &row->parts[i], now_ms, &series, err);
        add_steps(&series, steps, ret);
        series_release(&series);
    }
    return status;
}

enum status tree_parent_amounts(struct db *db, const struct tree_row *gap, const struct steps *steps,
    int64_t now_ms, struct amount *ret, struct error *err)
{
    struct tree_row parent = *gap;
    parent.parts = mem_alloc((gap->part_count + 1) * sizeof *parent.parts);
    for (size_t i = 0; i < gap->part_count; i++)
        parent.parts[i] = (struct tree_part){gap->parts[i].terms, 1, gap->parts[i].span};
    enum status status = tree_amounts(db, &parent, steps, now_ms, ret, err);
    free(parent.parts);
    return status;
}
