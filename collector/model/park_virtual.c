/* What virtual meters come to: signed meters, each once. */
#include "collector/model/park_private.h"

#include "lib/buf.h"
#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>

enum progress { TO_DO, BEGUN, DONE, WRONG /* told; whatever names it is not looked at further */ };

struct expansion {
    struct conf *c;
    struct park *park;
    enum progress *progress; /* by place in the list */
    const struct park_virtual **way;
    size_t depth;
};

static enum progress *progress_of(const struct expansion *e, const struct park_virtual *v)
{
    return &e->progress[v - (const struct park_virtual *)e->park->virtual_meters.items];
}

static void complain_circle(const struct expansion *e, const struct park_virtual *v)
{
    struct buf way = {0};
    size_t from = e->depth;
    while (from > 0 && e->way[from - 1] != v)
        from--;
    for (size_t i = from > 0 ? from - 1 : 0; i < e->depth; i++) {
        buf_printf(&way, "%s -> ", e->way[i]->id);
        *progress_of(e, e->way[i]) = WRONG;
    }
    conf_problem(
        e->c, &v->where, NULL, "goes round in a circle (%s%s); expected meters in the end", way.data, v->id);
    buf_release(&way);
}

static bool refuse(struct expansion *e, const struct park_virtual *v)
{
    *progress_of(e, v) = WRONG;
    return false;
}

/* False: it does not fit, and that is told. */
static bool add_term(
    struct expansion *e, struct park_virtual *v, const char *key, const struct park_meter *meter, int sign)
{
    const struct park_meter *first = v->term_count > 0 ? v->terms[0].meter : meter;
    for (size_t i = 0; i < v->term_count; i++)
        if (v->terms[i].meter == meter) {
            conf_problem(
                e->c, &v->where, key, "counts \"%s\" a second time; expected each meter once", meter->id);
            return refuse(e, v);
        }
    if (meter->segments.count == 0) {
        conf_problem(
            e->c, &v->where, key, "\"%s\" has no register; expected meters with segments", meter->id);
        return refuse(e, v);
    }
    if (meter->carrier >= 0 && first->carrier >= 0 && meter->carrier != first->carrier) {
        conf_problem(e->c, &v->where, key, "\"%s\" measures %s, \"%s\" %s; expected meters of one carrier",
            meter->id, park_carriers[meter->carrier], first->id, park_carriers[first->carrier]);
        return refuse(e, v);
    }
    if (meter->building && v->building && meter->building->site != v->building->site) {
        conf_problem(e->c, &v->where, key, "\"%s\" is on another site; expected meters of site %s", meter->id,
            v->building->site_id);
        return refuse(e, v);
    }
    if (v->term_count % 8 == 0)
        v->terms = mem_realloc(v->terms, (v->term_count + 8) * sizeof *v->terms);
    v->terms[v->term_count++] = (struct park_term){meter, sign};
    v->carrier = first->carrier;
    return true;
}

static bool expand(struct expansion *e, struct park_virtual *v);

static bool add_member(struct expansion *e, struct park_virtual *v, const char *key, const char *id, int sign)
{
    const struct park_meter *meter = park_meter_find(e->park, id);
    if (meter)
        return add_term(e, v, key, meter, sign);
    struct park_virtual *other = (struct park_virtual *)park_virtual_find(e->park, id);
    if (!other) {
        conf_problem(
            e->c, &v->where, key, "unknown meter \"%s\"; expected ids of meters or virtual meters", id);
        return refuse(e, v);
    }
    if (*progress_of(e, other) == BEGUN)
        complain_circle(e, other);
    if (*progress_of(e, other) == WRONG || !expand(e, other))
        return refuse(e, v);
    for (size_t i = 0; i < other->term_count; i++)
        if (!add_term(e, v, key, other->terms[i].meter, sign * other->terms[i].sign))
            return false;
    return true;
}

static bool add_members(
    struct expansion *e, struct park_virtual *v, const char *key, const struct conf_list *ids, int sign)
{
    bool is_good = true;
    for (size_t i = 0; i < ids->count; i++)
        is_good = add_member(e, v, key, ((char *const *)ids->items)[i], sign) && is_good;
    return is_good;
}

/* False: it is wrong, and that is told. */
static bool expand(struct expansion *e, struct park_virtual *v)
{
    if (*progress_of(e, v) == DONE)
        return true;
    *progress_of(e, v) = BEGUN;
    e->way[e->depth++] = v;
    if (v->plus.items != NULL && v->plus.count == 0) /* absent is told already */
        conf_problem(e->c, &v->where, "plus", "is empty; expected at least one meter");
    bool is_good = add_members(e, v, "plus", &v->plus, 1);
    is_good = add_members(e, v, "minus", &v->minus, -1) && is_good;
    e->depth--;
    *progress_of(e, v) = is_good ? DONE : WRONG;
    return is_good;
}

void park_check_virtual(struct conf *c, struct park *park)
{
    size_t count = park->virtual_meters.count;
    struct expansion e = {.c = c,
        .park = park,
        .progress = mem_zalloc((count + 1) * sizeof *e.progress),
        .way = mem_zalloc((count + 1) * sizeof *e.way)};
    CONF_EACH (struct park_virtual, v, park->virtual_meters) {
        v->carrier = -1;
        if (v->id && park_meter_find(park, v->id))
            conf_problem(c, &v->where, "id", "\"%s\" is already the id of %s; expected an id of its own",
                v->id, park_meter_find(park, v->id)->where.path);
        if (v->id && park_virtual_find(park, v->id) == v && *progress_of(&e, v) == TO_DO)
            expand(&e, v);
    }
    CONF_EACH (struct park_virtual, v, park->virtual_meters) { /* into memory that goes with the file */
        struct park_term *terms = v->terms;
        v->terms = conf_alloc(c, (v->term_count + 1) * sizeof *terms);
        if (v->term_count > 0)
            memcpy(v->terms, terms, v->term_count * sizeof *terms);
        free(terms);
    }
    free(e.progress);
    free(e.way);
}
