/* What the spool's own files share: the connection, its statements, and the copy of what is on disk. */
#pragma once

#include "agent/deliver/spool.h"
#include "lib/db.h"
#include "lib/reserve.h"

/* What changes with a transaction: taken back as a whole when it fails. */
struct spool_memory {
    struct spool_state state;
    uint64_t run_epoch; /* of this start; drawn when its first batch is cut, 0 before */
    int64_t next_id;    /* of an uncut reading; ids tell the order in which readings were added */
    int64_t dropped, dropped_from_ms, dropped_to_ms; /* given up uncut; the next batch cut says so */
};

struct spool {
    struct db *db;
    char *path;
    const struct clock *clock;
    int64_t limit_bytes;
    int64_t disk_limit_bytes; /* while the disk is full: what it has given so far; else INT64_MAX */
    struct reserve reserve;
    bool may_drop;
    bool is_refused; /* for want of room in the spool, not on the disk */
    bool is_suspect; /* the disk failed */
    struct spool_memory now;
    bool is_saved; /* the row of table `spool` says what `now` says */
    const char *const *points;
    size_t point_count;
    int64_t *point_ids;   /* by the caller's index */
    int64_t boot;         /* of this run of the machine, in table `boot`; 0 = unknown */
    int64_t *stamped_ms;  /* newest time by point id, of those that got it when they were cut */
    struct error warning; /* what was wrong with the file found at the start; "" = nothing */
    struct db_stmt *add_gauge, *add_record, *add_note, *uncut, *forget_gauges, *forget_records, *cut, *read,
        *free_old, *save, *new_epoch, *grow_epoch, *prev_epoch, *find_epoch, *first, *sizes, *oldest_uncut,
        *oldest_cut, *last_id, *oldest_gauges, *oldest_records, *lowest_batch, *drop_batch, *grow, *shrink;
};

/* The truth is on disk; `now` is its copy, refreshed after every transaction. */
enum status spool_refresh(struct spool *s, struct error *err);
enum status spool_query_int(struct db_stmt *stmt, int64_t fallback, int64_t *ret, struct error *err);

/* ---- spool_open.c ---- */

extern const struct db_schema spool_schema;
#define SPOOL_APPLICATION_ID 0x7061726b /* "park" */

/* ---- spool_damage.c ---- */

/* Is a file that cannot be opened a spool of this version or an earlier one, as far as its first bytes tell? */
bool spool_header_is_ours(const char *path);
/* Renames the damaged file, and puts a new spool in its place that will say what is lost. Nobody has it open. */
enum status spool_set_aside(const struct spool_options *options, const struct error *why,
    struct error *ret_warning, struct error *err);
/* To be called before a spool is opened. */
void spool_finish_setting_aside(const char *path);

/* ---- spool_room.c: limits, and what is given up at them ---- */

/* Bytes that the whole file may take now. */
int64_t spool_limit(const struct spool *s);
/* Frees until `need_bytes` more fit: acknowledged batches, then (where the spool may give up) uncut gauges, the
 * oldest uncut readings, whole batches. ST_FULL where that does not suffice. Part of a transaction. */
enum status spool_make_room(struct spool *s, int64_t need_bytes, struct error *err);
/* Is giving up over? When a commit or an acknowledgement changed what is held. */
void spool_note_room(struct spool *s);
/* After ST_FULL: true when the transaction is worth another try, within the room that the disk has given. */
bool spool_meet_full_disk(struct spool *s);
/* Before and after a transaction: is the disk still full? */
void spool_look_at_disk(struct spool *s);
void spool_keep_log_short(struct spool *s);

/* ---- spool_cut.c ---- */

enum status spool_cut_batches(struct spool *s, int64_t batches, size_t payload_max, struct error *err);
