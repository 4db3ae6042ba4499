/* Cutting: uncut readings, oldest first, become numbered batches. */
#include "agent/deliver/spool_private.h"
#include "agent/deliver/window.h"
#include "lib/id.h"

#include <string.h>

/* Room for the header line, whose `first` and `prev` are set at each publish. */
#define HEADER_MAX 256
#define BUMP_MAX_MS 10 /* as queue.c does where readings are put */
/* On a full disk: batches that a small file has room for. */
#define FULL_DISK_BODY_MIN 16384

struct cutting {
    struct buf body;
    int64_t last_id; /* of the readings in it */
    int64_t oldest_ms;
    int64_t lines;
    bool is_clock_right;
    int64_t wall_ms, mono_ms; /* now */
};

static void look_at_clock(const struct spool *s, struct cutting *c)
{
    c->is_clock_right = s->clock->is_synchronised();
    c->mono_ms = s->clock->mono_ms();
    c->wall_ms = s->clock->wall_ms();
}

/* A reading that was taken while the clock was wrong, on this run of the machine, gets its time now that the
 * clock is right. Others keep theirs; but where one follows a time that was given so, it stays behind it. */
static bool stamp(const struct spool *s, const struct cutting *c, int64_t last_ms, int64_t boot,
    int64_t mono_ms, struct reading *r)
{
    int64_t time_ms = c->wall_ms - (c->mono_ms - mono_ms);
    bool is_stamped = r->quality == QUALITY_CLOCK && c->is_clock_right && boot != 0 && boot == s->boot &&
                      mono_ms <= c->mono_ms && time_ms > 0;
    if (is_stamped) {
        r->time_ms = time_ms;
        r->quality = QUALITY_GOOD;
    }
    bool is_bumped = r->quality == QUALITY_GOOD && last_ms != 0 && r->time_ms <= last_ms &&
                     r->time_ms > last_ms - BUMP_MAX_MS;
    if (is_bumped)
        r->time_ms = last_ms + 1;
    return is_stamped || is_bumped;
}

/* *ret_stamped: where its time must be remembered, NULL = nowhere. */
static void read_row(
    const struct spool *s, const struct cutting *c, struct reading *ret, int64_t **ret_stamped)
{
    struct db_stmt *row = s->uncut;
    *ret = (struct reading){.kind = (enum reading_kind)db_int(row, 2),
        .quality = (enum reading_quality)db_int(row, 3),
        .point = db_text(row, 1),
        .time_ms = db_int(row, 4)};
    if (ret->kind == READING_REGISTER)
        ret->count = db_int(row, 5);
    else if (ret->kind == READING_GAUGE)
        ret->value = db_double(row, 5);
    else
        ret->text = db_text(row, 5);
    int64_t *last_ms = &s->stamped_ms[db_int(row, 6)];
    *ret_stamped = stamp(s, c, *last_ms, db_int(row, 7), db_int(row, 8), ret) ? last_ms : NULL;
}

/* Takes readings from the front until the batch is full. Readings stay in the tables; `forget` follows in the
 * same transaction. */
static enum status fill(struct spool *s, size_t payload_max, struct cutting *ret, struct error *err)
{
    size_t body_max = payload_max > HEADER_MAX ? payload_max - HEADER_MAX : 0;
    look_at_clock(s, ret);
    db_bind_int(s->uncut, 1, BATCH_LINES_MAX);
    bool has_row;
    enum status status;
    while ((status = db_step(s->uncut, &has_row, err)) == ST_OK && has_row) {
        struct reading r;
        int64_t *stamped_ms;
        read_row(s, ret, &r, &stamped_ms);
        size_t before = ret->body.len;
        struct error why;
        if (batch_write_reading(&ret->body, &r, &why) != ST_OK) {
            /* Readings are checked before they are put: this is not what was written. */
            s->is_suspect = true;
            status = error_set(err, ST_STORAGE, "the spool is damaged: reading %lld of point %.*s: %s",
                (long long)db_int(s->uncut, 0), (int)r.point.len, r.point.at, why.text);
            break;
        }
        if (ret->body.len > body_max) {
            if (ret->lines == 0)
                status = error_set(err, ST_INVALID,
                    "the broker takes messages of at most %zu bytes, too few for a single reading",
                    payload_max);
            ret->body.len = before;
            break;
        }
        if (ret->lines++ == 0)
            ret->oldest_ms = r.time_ms;
        ret->last_id = db_int(s->uncut, 0);
        if (stamped_ms != NULL)
            *stamped_ms = r.time_ms;
    }
    db_reset(s->uncut);
    return status;
}

static enum status number_epoch(struct spool *s, int64_t seq, struct error *err)
{
    if (s->now.run_epoch != 0) {
        db_bind_int(s->grow_epoch, 1, seq);
        db_bind_int(s->grow_epoch, 2, (int64_t)s->now.run_epoch);
        return db_run(s->grow_epoch, err);
    }
    s->now.run_epoch = epoch_draw();
    db_bind_int(s->new_epoch, 1, (int64_t)s->now.run_epoch);
    db_bind_int(s->new_epoch, 2, seq);
    db_bind_int(s->new_epoch, 3, seq);
    return db_run(s->new_epoch, err);
}

/* The batch, with what was given up before it, for ever. */
static enum status insert_batch(struct spool *s, int64_t seq, const struct cutting *c, struct error *err)
{
    struct spool_memory *now = &s->now;
    db_bind_int(s->cut, 1, seq);
    db_bind_int(s->cut, 2, (int64_t)now->run_epoch);
    db_bind_int(s->cut, 3, c->oldest_ms);
    db_bind_blob(s->cut, 4, (struct span){c->body.data, c->body.len});
    db_bind_int(s->cut, 5, now->dropped);
    db_bind_int(s->cut, 6, now->dropped_from_ms);
    db_bind_int(s->cut, 7, now->dropped_to_ms);
    enum status status = db_run(s->cut, err);
    if (status != ST_OK)
        return status;
    now->dropped = now->dropped_from_ms = now->dropped_to_ms = 0;
    now->state.uncut -= c->lines;
    now->state.last = seq;
    now->state.epoch = now->run_epoch;
    s->is_saved = false;
    db_bind_int(s->forget_gauges, 1, c->last_id);
    db_bind_int(s->forget_records, 1, c->last_id);
    status = db_run(s->forget_gauges, err);
    return status == ST_OK ? db_run(s->forget_records, err) : status;
}

static enum status cut_one(struct spool *s, size_t payload_max, int64_t *ret_bytes, struct error *err)
{
    struct cutting cutting = {0};
    int64_t seq = s->now.state.last + 1;
    enum status status = fill(s, payload_max, &cutting, err);
    if (status == ST_OK && cutting.lines > 0 && (status = number_epoch(s, seq, err)) == ST_OK)
        status = insert_batch(s, seq, &cutting, err);
    *ret_bytes = status == ST_OK && cutting.lines > 0 ? (int64_t)cutting.body.len : 0;
    buf_release(&cutting.body);
    return status;
}

enum status spool_cut_batches(struct spool *s, int64_t batches, size_t payload_max, struct error *err)
{
    bool is_new_epoch = s->now.run_epoch == 0;
    if (is_new_epoch && s->now.state.mark < s->now.state.last)
        return ST_OK;
    if (s->now.state.is_disk_full) {
        size_t body_max = (size_t)spool_limit(s) / 16;
        if (body_max < FULL_DISK_BODY_MIN)
            body_max = FULL_DISK_BODY_MIN;
        payload_max = payload_max < body_max ? payload_max : body_max;
        batches = batches < 2 ? batches : 2;
    }
    enum status status = spool_make_room(s, 0, err);
    if (status == ST_FULL && s->is_refused) {
        s->is_refused = false;
        status = ST_OK; /* there is nothing to free, but the headroom is left */
    }
    int64_t out = s->now.state.unacknowledged_bytes;
    for (int64_t i = 0;
         status == ST_OK && i < batches && (out == 0 || out + (int64_t)payload_max <= WINDOW_BYTES); i++) {
        int64_t bytes;
        status = cut_one(s, payload_max, &bytes, err);
        if (status != ST_OK || bytes == 0)
            break;
        out += bytes;
    }
    return status;
}
