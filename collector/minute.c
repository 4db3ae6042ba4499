#include "collector/minute.h"

#include "collector/store/outbox.h"
#include "lib/line.h"

#define MINUTE_MS 60000

void minute_init(struct minute *m, const struct park *park, int64_t now_ms)
{
    *m = (struct minute){.park = park, .written = now_ms / MINUTE_MS};
}

void minute_reset(struct minute *m)
{
    m->written = 0;
}

/* `g` is NULL for a gateway that was never heard. */
static enum status write_gateway(const struct minute *m, struct db *db, const char *name,
    const struct known_gateway *g, const struct presence *presence, int64_t now_ms, struct error *err)
{
    const struct presence_gateway *p = presence_find(presence, name);
    const struct park_gateway *placed = park_gateway_find(m->park, name);
    struct line_tag tags[] = {{SPAN("gateway"), span_of(name)},
        {SPAN("site"), placed != NULL ? span_of(park_stand_at(placed, now_ms)->site_id) : SPAN("")}};
    struct line_field fields[4] = {{SPAN("lost"), {.type = LINE_INT, .i = g != NULL ? g->lost : 0}}};
    size_t count = 1;
    /* What is not known is absent, never 0. */
    if (presence_is_known(presence, p, now_ms))
        fields[count++] =
            (struct line_field){SPAN("online"), {.type = LINE_INT, .i = presence_is_online(p, now_ms)}};
    if (g != NULL && g->newest_ms > 0) {
        int64_t lag_ms = now_ms > g->newest_ms ? now_ms - g->newest_ms : 0;
        fields[count++] =
            (struct line_field){SPAN("lag_s"), {.type = LINE_FLOAT, .f = (double)lag_ms / 1000}};
    }
    if (p != NULL && p->has_spooled)
        fields[count++] = (struct line_field){SPAN("spooled"), {.type = LINE_INT, .i = p->spooled_batches}};
    struct buf line = {0}, series = {0};
    int64_t time_ms = now_ms / MINUTE_MS * MINUTE_MS;
    enum status status = line_write(&line, SPAN("gateway"), tags, 2, fields, count, time_ms, err);
    buf_printf(&series, "gateway,%s", name);
    if (status == ST_OK)
        status = outbox_put(
            db, (struct span){series.data, series.len}, time_ms, (struct span){line.data, line.len}, err);
    buf_release(&series);
    buf_release(&line);
    return status;
}

enum status minute_write(struct minute *m, struct db *db, const struct known *known,
    const struct presence *presence, int64_t now_ms, bool *ret_is_changed, struct error *err)
{
    int64_t minute = now_ms / MINUTE_MS;
    if (minute == m->written)
        return ST_OK;
    enum status status = ST_OK;
    size_t at = 0;
    for (struct known_gateway *g; status == ST_OK && (g = name_map_next(&known->gateways, &at)) != NULL;)
        status = write_gateway(m, db, g->name, g, presence, now_ms, err);
    CONF_EACH (struct park_gateway, g, m->park->gateways)
        if (status == ST_OK && known_gateway_find(known, span_of(g->id)) == NULL)
            status = write_gateway(m, db, g->id, NULL, presence, now_ms, err);
    if (status == ST_OK) {
        m->written = minute;
        *ret_is_changed = true;
    }
    return status;
}
