/* The spool's limit, that of the disk beneath it, and what is given up at them. */
#include "agent/deliver/spool_private.h"
#include "agent/deliver/window.h"
#include "lib/mem.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#define FREE_AT_ONCE 8
#define GIVE_UP_AT_ONCE 256
#define WORKING_BYTES (1024 * 1024) /* with less a spool cannot do much */
#define GROW_MIN_BYTES (32 * 1024)
#define LEFT_BYTES (64 * 1024)  /* of a disk that is full: others need some, too */
#define EMPTY_BYTES (64 * 1024) /* what a spool takes that holds nothing, about */
/* Kept free of readings, so that a whole window can always be cut: a batch takes more room than its readings.
 */
#define HEADROOM_MIN_BYTES (WINDOW_BYTES + WINDOW_BYTES / 2)

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t spool_limit(const struct spool *s)
{
    return smaller(s->limit_bytes, s->disk_limit_bytes);
}

static int64_t allowed_bytes(const struct spool *s)
{
    int64_t limit = spool_limit(s);
    int64_t headroom = limit / 10 > HEADROOM_MIN_BYTES ? limit / 10 : HEADROOM_MIN_BYTES;
    /* A small disk has to do with smaller windows. */
    return s->disk_limit_bytes < s->limit_bytes ? limit - smaller(headroom, limit / 3) : limit - headroom;
}

void spool_note_loss(struct spool *s, int64_t count, int64_t from_ms, int64_t to_ms)
{
    struct spool_memory *now = &s->now;
    if (now->dropped == 0 || from_ms < now->dropped_from_ms)
        now->dropped_from_ms = from_ms;
    if (now->dropped == 0 || to_ms > now->dropped_to_ms)
        now->dropped_to_ms = to_ms;
    now->dropped += count;
    s->is_saved = false;
}

static void note_dropped(struct spool *s, int64_t count, int64_t from_ms, int64_t to_ms)
{
    spool_note_loss(s, count, from_ms, to_ms);
    s->now.state.uncut -= count;
    s->now.state.dropped_readings += count;
}

static enum status give_up_oldest(
    struct spool *s, struct db_stmt *find, struct db_stmt *forget, bool *ret_is_given_up, struct error *err)
{
    bool has_row;
    db_bind_int(find, 1, GIVE_UP_AT_ONCE);
    enum status status = db_step(find, &has_row, err);
    if (status != ST_OK)
        return status;
    int64_t count = db_int(find, 0), from_ms = db_int(find, 1), to_ms = db_int(find, 2),
            last_id = db_int(find, 3);
    db_reset(find);
    *ret_is_given_up = count > 0;
    if (count == 0)
        return ST_OK;
    db_bind_int(forget, 1, last_id);
    if ((status = db_run(forget, err)) == ST_OK)
        note_dropped(s, count, from_ms, to_ms);
    return status;
}

/* The lowest batch, not acknowledged: `first` rises, and names it. What it said of others it would take with it
 * unsaid. Was it received all the same, and only the answer lost, then the collector hears of those twice. */
static enum status give_up_batch(struct spool *s, bool *ret_is_given_up, struct error *err)
{
    struct db_stmt *lowest = s->lowest_batch;
    enum status status = db_step(lowest, ret_is_given_up, err);
    if (status != ST_OK || !*ret_is_given_up)
        return status;
    int64_t seq = db_int(lowest, 0), dropped = db_int(lowest, 1), from_ms = db_int(lowest, 2),
            to_ms = db_int(lowest, 3);
    db_reset(lowest);
    db_bind_int(s->drop_batch, 1, seq);
    if ((status = db_run(s->drop_batch, err)) == ST_OK) {
        if (dropped > 0)
            spool_note_loss(s, dropped, from_ms, to_ms);
        s->now.state.mark = seq;
        s->now.state.dropped_batches++;
        s->is_saved = false;
    }
    return status;
}

static enum status give_up(struct spool *s, bool *ret_is_given_up, struct error *err)
{
    s->now.state.is_dropping = true;
    enum status status = give_up_oldest(s, s->oldest_gauges, s->forget_gauges, ret_is_given_up, err);
    if (status == ST_OK && !*ret_is_given_up)
        status = give_up_oldest(s, s->oldest_records, s->forget_records, ret_is_given_up, err);
    if (status == ST_OK && !*ret_is_given_up)
        status = give_up_batch(s, ret_is_given_up, err);
    return status;
}

static enum status free_acknowledged(struct spool *s, bool *ret_is_freed, struct error *err)
{
    db_bind_int(s->free_old, 1, s->now.state.mark);
    db_bind_int(s->free_old, 2, FREE_AT_ONCE);
    enum status status = db_run(s->free_old, err);
    *ret_is_freed = status == ST_OK && db_changes(s->db) > 0;
    return status;
}

enum status spool_make_room(struct spool *s, int64_t need_bytes, struct error *err)
{
    int64_t allowed = allowed_bytes(s);
    while (db_used_bytes(s->db) > allowed - need_bytes) {
        bool is_freed;
        enum status status = free_acknowledged(s, &is_freed, err);
        if (status == ST_OK && !is_freed && s->may_drop)
            status = give_up(s, &is_freed, err);
        if (status != ST_OK)
            return status;
        if (!is_freed) {
            s->is_refused = true;
            return s->disk_limit_bytes >= s->limit_bytes
                       ? error_set(err, ST_FULL,
                             "the spool is at its limit of %lld MiB with nothing acknowledged to free",
                             (long long)(s->limit_bytes >> 20))
                       : error_set(err, ST_FULL,
                             "the disk is full, and the spool's %lld KiB hold nothing that could be freed",
                             (long long)(s->disk_limit_bytes >> 10));
        }
    }
    return ST_OK;
}

/* What is acknowledged is freed when its room is needed: only the rest counts. That must be farther from the limit
 * than any commit makes room for, or it would be over and begin again with every one of them. */
void spool_note_room(struct spool *s)
{
    int64_t allowed = allowed_bytes(s), batch_bytes = 0;
    if (!s->now.state.is_dropping)
        return;
    db_bind_int(s->sizes, 1, 0);
    if (spool_query_int(s->sizes, 0, &batch_bytes, NULL) != ST_OK)
        return;
    int64_t needed = db_used_bytes(s->db) - (batch_bytes - s->now.state.unacknowledged_bytes);
    int64_t margin = spool_limit(s) / 8 + (allowed > EMPTY_BYTES ? (allowed - EMPTY_BYTES) / 4 : 0);
    if (needed <= allowed - margin)
        s->now.state.is_dropping = false;
}

/* ---- the disk ---- */

static int64_t disk_room_bytes(const struct spool *s)
{
    struct statvfs disk;
    return statvfs(s->path, &disk) == 0 ? (int64_t)disk.f_bavail * (int64_t)disk.f_frsize : 0;
}

static int64_t file_bytes(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 ? (int64_t)info.st_size : 0;
}

/* What lies in the file, not in the log. */
static int64_t lying_bytes(const struct spool *s)
{
    return file_bytes(s->path);
}

static int64_t log_bytes(const struct spool *s)
{
    char *path = mem_printf("%s-wal", s->path);
    int64_t bytes = file_bytes(path);
    free(path);
    return bytes;
}

static int64_t free_bytes(const struct spool *s)
{
    return lying_bytes(s) - db_used_bytes(s->db);
}

/* How much larger the file may become, so that a young spool, too, has room to work in. All that is written to
 * get there lies in the log first: the log is then as long as it needs to be later on. */
static int64_t growth_bytes(const struct spool *s)
{
    int64_t room = disk_room_bytes(s) - LEFT_BYTES;
    int64_t half = (room + log_bytes(s) - free_bytes(s)) / 2;
    int64_t wanted = smaller(WORKING_BYTES, s->limit_bytes) - lying_bytes(s);
    return smaller(wanted, smaller(half, room));
}

/* Pages that are written, and free again at once. */
static void grow_file(struct spool *s)
{
    int64_t bytes = growth_bytes(s);
    if (bytes < GROW_MIN_BYTES)
        return;
    db_limit_bytes(s->db, s->limit_bytes);
    for (bool is_grown = false; !is_grown && bytes >= GROW_MIN_BYTES; bytes /= 2) {
        db_bind_int(s->grow, 1, free_bytes(s) + bytes);
        is_grown = db_run(s->grow, NULL) == ST_OK && db_checkpoint(s->db, NULL) == ST_OK;
    }
    if (db_run(s->shrink, NULL) == ST_OK)
        db_checkpoint(s->db, NULL);
}

static void limit_to_disk(struct spool *s)
{
    /* What the log holds gets its room in the file first; then the log is written over where it lies, and as
     * long as the file does not grow no new room is needed. */
    db_checkpoint(s->db, NULL);
    grow_file(s);
    s->now.state.is_disk_full = true;
    s->disk_limit_bytes = lying_bytes(s);
    db_limit_bytes(s->db, spool_limit(s));
}

bool spool_meet_full_disk(struct spool *s)
{
    if (s->is_refused)
        return false;
    reserve_give_up(&s->reserve);
    limit_to_disk(s);
    return true;
}

void spool_look_at_disk(struct spool *s)
{
    enum status status = reserve_take(&s->reserve, NULL);
    bool is_limited = s->now.state.is_disk_full && growth_bytes(s) < GROW_MIN_BYTES;
    if (status == ST_FULL && !is_limited)
        limit_to_disk(s);
    if (status != ST_OK || !s->now.state.is_disk_full)
        return;
    s->now.state.is_disk_full = false;
    s->disk_limit_bytes = INT64_MAX;
    db_limit_bytes(s->db, s->limit_bytes);
}

void spool_keep_log_short(struct spool *s)
{
    /* Where it fails the log grows, and the next commit hears of it. */
    if (s->now.state.is_disk_full)
        db_checkpoint(s->db, NULL);
}
