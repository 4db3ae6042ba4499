/*
 * SQLite behind a small face: STRICT tables, `user_version` migrations, WAL with synchronous=FULL, every
 * result checked. A connection belongs to one thread. ST_FULL: the disk or a limit is full and the
 * transaction was rolled back; what is still done in it, up to db_commit or db_rollback, fails with ST_FULL.
 * ST_STORAGE: an I/O error, the same, and the caller must not trust memory or go on. ST_INVALID: a
 * constraint. ST_TIMEOUT: a lock.
 */
#pragma once

#include "lib/line.h"
#include "lib/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct db;
struct db_stmt;

/* A list of scripts; script i brings a database from user_version i to i + 1, in one transaction. A database
 * newer than the list is refused (ST_INVALID). */
struct db_schema {
    const char *const *scripts;
    int count;
};

/* Opens or creates for writing, migrates, and holds the lock of db_lock for the life of the connection: a second
 * writer gets ST_UNREACHABLE "in use by another process". A file that is not a sound database is ST_INVALID. New
 * files are open to their owner and group only. */
enum status db_open(const char *path, const struct db_schema *schema, struct db **ret, struct error *err);
/* The same for a file that says whose it is: `application_id` is written into a new one, and a database with
 * another or none is ST_INVALID, unchanged. 0 = any. */
enum status db_open_own(
    const char *path, int application_id, const struct db_schema *schema, struct db **ret, struct error *err);
/* One of nobody else, for what is worked out and thrown away: in memory, and what goes beyond 64 MiB of it in a temporary
 * file without a name. */
enum status db_open_scratch(const struct db_schema *schema, struct db **ret, struct error *err);
/* Read-only; sees committed state; never blocks the writer. */
enum status db_open_reader(const char *path, struct db **ret, struct error *err);
/* The same for a file that must be ours: another application's, none's, and one of a format newer than
 * `version_max` is ST_INVALID. db_format: which format it has, 0 unless it was opened so. */
enum status db_open_reader_own(
    const char *path, int application_id, int version_max, struct db **ret, struct error *err);
int64_t db_format(const struct db *db);
/*
 * One writer for a database, by whatever link it is named: the lock file stands beside what the links lead to ("<real
 * path>.lock"; it holds also while the database is replaced), and the database itself is locked as well, which has
 * one lock under all its names. Both by flock(2), which on a local disk is apart from SQLite's own locks; where a file
 * system takes it for the same (NFS) or refuses it, db_open fails and says that it is locked.
 */
struct db_lock {
    int name_fd, database_fd; /* -1: none */
};
/* The lock of db_open alone, for what replaces the file as a whole: ST_UNREACHABLE where it is in use. There may be
 * no database. */
enum status db_lock(const char *path, struct db_lock *ret, struct error *err);
void db_unlock(struct db_lock *lock); /* again does nothing */
/* Is this whole file a sound database of ours, of a format that this program knows? ST_INVALID says why not.
 * Reads all of it; nobody may be writing to it. */
enum status db_check(const char *path, int application_id, int version_max, struct error *err);
/* The same, but reads no more than whose it is. */
enum status db_check_owner(const char *path, int application_id, int version_max, struct error *err);
/* Told after each slice of db_copy; false = stop. */
typedef bool db_on_slice(void *user_data, int64_t done_bytes, int64_t all_bytes);
/*
 * Copies what the database `from` holds at this instant to the new file `to` (open to its owner and group only),
 * and syncs it. `is_at_rest`: nobody has `from` open, and its folder may be read-only. Otherwise its writer goes
 * on undisturbed: the copy reads one snapshot, in slices; only the write-ahead log cannot be folded in meanwhile
 * and grows by what is written. Stopped: ST_TIMEOUT. After a failure a part of `to` may be there.
 */
enum status db_copy(const char *from, bool is_at_rest, const char *to, db_on_slice *on_slice, void *user_data,
    struct error *err);
/* In the place of a reader, a copy of what it sees now, as db_open_scratch has it: for long work, which would otherwise hold up
 * the write-ahead log of a writer until its end. The file is let go. After a failure *db is as it was. */
enum status db_work_on_copy(struct db **db, db_on_slice *on_slice, void *user_data, struct error *err);
void db_close(struct db *db); /* accepts NULL; finalises every statement made by db_prepare */

enum status db_exec(struct db *db, const char *sql, struct error *err);
enum status db_begin(struct db *db, struct error *err);  /* BEGIN IMMEDIATE */
enum status db_commit(struct db *db, struct error *err); /* on failure the transaction is rolled back */
void db_rollback(struct db *db);

/* The statement lives as long as `db`. SQL is ours: a mistake in it aborts. */
struct db_stmt *db_prepare(struct db *db, const char *sql);
/* The same statement at every call with the same string literal: prepared once, for SQL that stands where it
 * is used. */
struct db_stmt *db_keep(struct db *db, const char *sql);
/* Frees a statement of db_prepare before its database is closed. */
void db_finish(struct db_stmt *s);
/* Parameters are numbered from 1. Text and blobs are borrowed until db_reset or the end; a value
 * stays bound until another one is. */
void db_bind_int(struct db_stmt *s, int index, int64_t value);
void db_bind_double(struct db_stmt *s, int index, double value);
void db_bind_text(struct db_stmt *s, int index, struct span text);
void db_bind_blob(struct db_stmt *s, int index, struct span bytes);
void db_bind_null(struct db_stmt *s, int index);
/* Runs to the next row; *ret_has_row is false at the end (the statement is then reset). */
enum status db_step(struct db_stmt *s, bool *ret_has_row, struct error *err);
/* Runs a statement that gives no rows, and resets it. */
enum status db_run(struct db_stmt *s, struct error *err);
void db_reset(struct db_stmt *s);
/* Columns are numbered from 0. Spans are valid until the next step or reset. */
int64_t db_int(struct db_stmt *s, int column);
double db_double(struct db_stmt *s, int column);
struct span db_text(struct db_stmt *s, int column); /* also for blobs; NULL is empty */
bool db_is_null(struct db_stmt *s, int column);

int64_t db_last_id(struct db *db);
int64_t db_changes(struct db *db);
/* Has this connection met damage of the file? */
bool db_is_corrupt(const struct db *db);
/* Bytes in use (pages without the free list), and a hard limit for the file (0 = none): beyond it writes give
 * ST_FULL. */
int64_t db_used_bytes(struct db *db);
void db_limit_bytes(struct db *db, int64_t limit);
/* The file's size with all that is committed; what the write-ahead log still holds of it needs its room yet.
 */
int64_t db_file_bytes(struct db *db);
/* Takes what the write-ahead log holds into the file, so that the log begins anew where it lies: what is
 * committed next then needs no new room on the disk. Not within a transaction. ST_FULL: no room for all of it.
 */
enum status db_checkpoint(struct db *db, struct error *err);
/* The page cache of this connection; 512 KiB unless told. */
void db_cache_kib(struct db *db, int kib);
/* Gives up to `pages` free pages at the file's end back to the file system (at the next checkpoint). May be
 * part of a transaction. Does nothing while at most a tenth of the file is free: what is deleted today is
 * used again tomorrow. */
enum status db_vacuum_some(struct db *db, int pages, struct error *err);
