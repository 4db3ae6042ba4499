#include "lib/db.h"

#include "lib/file.h"
#include "lib/mem.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define BUSY_TIMEOUT_MS 5000
#define CACHE_KIB 512
#define SCRATCH_KIB (64 * 1024)
#define PAGES_MAX INT64_C(4294967294) /* SQLite's own limit */

struct db {
    sqlite3 *sqlite;
    char *path;
    struct db_lock lock; /* of a writer */
    bool is_open;
    bool is_corrupt;
    bool is_in_transaction; /* as the caller sees it; SQLite may have rolled back already */
    enum status broken_by;  /* why the transaction was rolled back before its end */
    int64_t page_bytes;
    int64_t format;     /* its user_version, where the reader asked whose it is */
    int64_t used_bytes; /* the last answer of db_used_bytes */
    int64_t file_bytes; /* and of db_file_bytes */
    struct db_stmt *statements;
    struct db_stmt *page_count;
    struct db_stmt *free_count;
};

struct db_stmt {
    struct db *db;
    sqlite3_stmt *sqlite; /* NULL: could not be prepared */
    int failure;          /* why not */
    const char *kept_as;  /* the literal that db_keep was called with */
    struct db_stmt *next;
};

static enum status status_of(int code)
{
    switch (code & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return ST_OK;
    case SQLITE_FULL:
        return ST_FULL;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return ST_TIMEOUT;
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
    case SQLITE_TOOBIG:
        return ST_INVALID;
    default:
        return ST_STORAGE;
    }
}

/* After a full disk or an I/O error SQLite may or may not have ended the transaction by itself. It always
 * ends here, so that the contract holds, and is_in_transaction stays set, so that what the caller still does
 * in it is refused. */
static void end_broken_transaction(struct db *db)
{
    if (sqlite3_get_autocommit(db->sqlite) == 0)
        sqlite3_exec(db->sqlite, "ROLLBACK", NULL, NULL, NULL);
}

/* No room for the log's index, which is made before anything is written. Elsewhere SQLite says SQLITE_FULL by
 * itself, and after a sync that failed, for whatever reason, nothing can be trusted. */
static bool has_no_room_for_index(struct db *db, int code)
{
    int cause = sqlite3_system_errno(db->sqlite);
    return code == SQLITE_IOERR_SHMSIZE && (cause == ENOSPC || cause == EDQUOT);
}

static enum status fail(struct db *db, int code, struct error *err)
{
    enum status status = has_no_room_for_index(db, code) ? ST_FULL : status_of(code);
    bool is_unsound = (code & 0xff) == SQLITE_NOTADB || (code & 0xff) == SQLITE_CORRUPT;
    db->is_corrupt = db->is_corrupt || is_unsound;
    if (is_unsound && !db->is_open)
        return error_set(
            err, ST_INVALID, "%s is not a sound database (%s)", db->path, sqlite3_errmsg(db->sqlite));
    int cause = sqlite3_system_errno(db->sqlite);
    bool has_cause = (code & 0xff) == SQLITE_IOERR || (code & 0xff) == SQLITE_CANTOPEN;
    if (has_cause && cause != 0)
        error_set(err, status, "%s: %s (%s)", db->path, sqlite3_errmsg(db->sqlite), strerror(cause));
    else
        error_set(err, status, "%s: %s", db->path, sqlite3_errmsg(db->sqlite));
    if (status == ST_FULL || status == ST_STORAGE) {
        db->broken_by = status;
        end_broken_transaction(db);
    }
    return status;
}

/* Without this, statements after a failed one would commit themselves, one by one. */
static enum status refuse_in_broken_transaction(struct db *db, struct error *err)
{
    if (db->is_in_transaction && sqlite3_get_autocommit(db->sqlite) != 0)
        return error_set(
            err, db->broken_by, "%s: the transaction was rolled back after an earlier failure", db->path);
    return ST_OK;
}

static enum status exec(struct db *db, const char *sql, struct error *err)
{
    int code = sqlite3_exec(db->sqlite, sql, NULL, NULL, NULL);
    return code == SQLITE_OK ? ST_OK : fail(db, code, err);
}

/* ---- opening and closing ---- */

/* Not opened before the lock file is ours: to close it takes away what SQLite locked elsewhere in this process. */
static enum status lock_database(const char *path, int flags, struct db_lock *lock, struct error *err)
{
    lock->database_fd = open(path, flags | O_CLOEXEC | O_NONBLOCK, 0640);
    if (lock->database_fd < 0 || flock(lock->database_fd, LOCK_EX | LOCK_NB) == 0)
        return ST_OK; /* what is wrong with the path, who reads or replaces it will say */
    return errno == EWOULDBLOCK ? error_set(err, ST_UNREACHABLE, "%s is in use by another process", path)
                                : error_set(err, ST_STORAGE, "cannot lock %s: %s", path, strerror(errno));
}

static enum status lock_with(const char *path, int flags, struct db_lock *ret, struct error *err)
{
    struct db_lock lock = {-1, -1};
    char *real = file_real_path(path), *name = mem_printf("%s.lock", real);
    enum status status = file_lock(name, &lock.name_fd, err);
    if (status == ST_UNREACHABLE)
        error_set(err, status, "%s is in use by another process", path);
    if (status == ST_OK)
        status = lock_database(path, flags, &lock, err);
    if (status == ST_OK)
        *ret = lock;
    else
        db_unlock(&lock);
    free(name);
    free(real);
    return status;
}

enum status db_lock(const char *path, struct db_lock *ret, struct error *err)
{
    return lock_with(path, O_RDONLY, ret, err);
}

/* The lock file stays: removing it would let two processes lock two different files. */
void db_unlock(struct db_lock *lock)
{
    if (lock->database_fd >= 0)
        close(lock->database_fd);
    if (lock->name_fd >= 0)
        close(lock->name_fd);
    *lock = (struct db_lock){-1, -1};
}

static enum status query_int(struct db *db, const char *sql, int64_t *ret, struct error *err)
{
    sqlite3_stmt *s = NULL;
    int code = sqlite3_prepare_v2(db->sqlite, sql, -1, &s, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_step(s);
    enum status status = ST_OK;
    if (code == SQLITE_ROW)
        *ret = sqlite3_column_int64(s, 0);
    else
        status = fail(db, code, err);
    sqlite3_finalize(s);
    return status;
}

/* Another program's database, or one of ours with another purpose, must not get our tables. */
static enum status check_application(struct db *db, int application_id, struct error *err)
{
    int64_t application = 0, objects = 0;
    if (application_id == 0)
        return ST_OK;
    enum status status = query_int(db, "PRAGMA application_id", &application, err);
    if (status == ST_OK)
        status = query_int(db, "SELECT count(*) FROM sqlite_schema", &objects, err);
    if (status != ST_OK)
        return status;
    bool is_new = objects == 0 && application == 0;
    if (is_new || application == application_id)
        return ST_OK;
    return error_set(err, ST_INVALID, "%s is the database of something else", db->path);
}

static enum status check_version(struct db *db, int64_t version, int version_max, struct error *err)
{
    if (version >= 0 && version <= version_max)
        return ST_OK;
    return error_set(err, ST_INVALID,
        "%s was written by a newer version of this program (its format is %lld, ours %d)", db->path,
        (long long)version, version_max);
}

/* What is only read must be ours already. */
static enum status check_ours(struct db *db, int application_id, int version_max, struct error *err)
{
    int64_t application = 0;
    enum status status = query_int(db, "PRAGMA application_id", &application, err);
    if (status == ST_OK && application != application_id)
        status = error_set(err, ST_INVALID, "%s is the database of something else", db->path);
    if (status == ST_OK)
        status = query_int(db, "PRAGMA user_version", &db->format, err);
    if (status == ST_OK)
        status = check_version(db, db->format, version_max, err);
    return status;
}

static enum status migrate(
    struct db *db, int application_id, const struct db_schema *schema, struct error *err)
{
    int64_t version = 0;
    enum status status = query_int(db, "PRAGMA user_version", &version, err);
    if (status != ST_OK)
        return status;
    for (int i = (int)version; i < schema->count; i++) {
        char set_version[128];
        snprintf(set_version, sizeof set_version, "PRAGMA user_version = %d; PRAGMA application_id = %d",
            i + 1, application_id);
        if ((status = db_begin(db, err)) != ST_OK)
            return status;
        if ((status = exec(db, schema->scripts[i], err)) != ST_OK ||
            (status = exec(db, set_version, err)) != ST_OK) {
            db_rollback(db);
            return error_prefix(err, status, "bringing it to format %d", i + 1);
        }
        if ((status = db_commit(db, err)) != ST_OK)
            return status;
    }
    return ST_OK;
}

/* SQLite counts its memory under a lock that every allocation takes; nobody asks for the counts. */
static void start_sqlite(void)
{
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

/* `name` is the path, or a URI for it. */
static enum status open_sqlite_as(struct db *db, const char *name, int flags, struct error *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, start_sqlite);
    int code = sqlite3_open_v2(name, &db->sqlite, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
    if (db->sqlite == NULL)
        abort(); /* out of memory */
    if (code != SQLITE_OK)
        return fail(db, code, err);
    sqlite3_busy_timeout(db->sqlite, BUSY_TIMEOUT_MS);
    db_cache_kib(db, CACHE_KIB);
    /* The first statement that reads the file, and with it the whole schema. */
    int64_t tables;
    enum status status = query_int(db, "SELECT count(*) FROM sqlite_schema", &tables, err);
    if (status == ST_OK)
        status = query_int(db, "PRAGMA page_size", &db->page_bytes, err);
    return status;
}

static enum status open_sqlite(struct db *db, int flags, struct error *err)
{
    return open_sqlite_as(db, db->path, flags, err);
}

/* A file that nobody writes to. Without a log beside it SQLite need not, and where the folder is read-only
 * could not, make the files that it shares with writers. */
static enum status open_at_rest(struct db *db, struct error *err)
{
    char *log = mem_printf("%s-wal", db->path);
    bool has_log = access(log, F_OK) == 0;
    free(log);
    if (has_log)
        return open_sqlite(db, SQLITE_OPEN_READONLY, err);
    char *uri = mem_alloc(3 * strlen(db->path) + sizeof "file:?immutable=1"), *at = stpcpy(uri, "file:");
    for (const char *c = db->path; *c != '\0'; c++)
        at += strchr("%?#", *c) != NULL ? sprintf(at, "%%%02X", (unsigned)(unsigned char)*c)
                                        : sprintf(at, "%c", *c);
    strcpy(at, "?immutable=1");
    enum status status = open_sqlite_as(db, uri, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, err);
    free(uri);
    return status;
}

static enum status configure_writer(struct db *db, struct error *err)
{
    /* auto_vacuum only counts before the first page is written, which setting WAL does. */
    static const char settings[] =
        "PRAGMA auto_vacuum = INCREMENTAL;"
        "PRAGMA journal_mode = WAL;"
        "PRAGMA synchronous = FULL;"
        "PRAGMA journal_size_limit = 4194304;" /* what autocheckpoint writes at once */
        "PRAGMA secure_delete = OFF;"          /* Debian's default doubles our writes */
        "PRAGMA temp_store = MEMORY";
    enum status status = exec(db, settings, err);
    if (status != ST_OK)
        return status;
    int64_t is_wal = 0;
    status = query_int(db, "SELECT journal_mode = 'wal' FROM pragma_journal_mode", &is_wal, err);
    if (status == ST_OK && !is_wal)
        status =
            error_set(err, ST_STORAGE, "%s: this file system does not support a write-ahead log", db->path);
    return status;
}

static struct db *new_db(const char *path)
{
    struct db *db = mem_zalloc(sizeof *db);
    db->path = mem_strdup(path);
    db->lock = (struct db_lock){-1, -1};
    return db;
}

enum status db_open(const char *path, const struct db_schema *schema, struct db **ret, struct error *err)
{
    return db_open_own(path, 0, schema, ret, err);
}

enum status db_open_own(
    const char *path, int application_id, const struct db_schema *schema, struct db **ret, struct error *err)
{
    struct db *db = new_db(path);
    /* What people use and do is in these files: not for every user of the machine. The files beside it get the
     * same mode. */
    enum status status = lock_with(path, O_RDWR | O_CREAT, &db->lock, err);
    if (status == ST_OK)
        status = open_sqlite(db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, err);
    if (status == ST_OK)
        status = check_application(db, application_id, err);
    int64_t version = 0;
    if (status == ST_OK)
        status = query_int(db, "PRAGMA user_version", &version, err);
    if (status == ST_OK) /* before anything is written: what is refused stays as it is */
        status = check_version(db, version, schema->count, err);
    if (status == ST_OK)
        status = configure_writer(db, err);
    if (status == ST_OK)
        status = migrate(db, application_id, schema, err);
    if (status != ST_OK) {
        db_close(db);
        return status;
    }
    db->is_open = true;
    *ret = db;
    return ST_OK;
}

enum status db_open_scratch(const struct db_schema *schema, struct db **ret, struct error *err)
{
    struct db *db = new_db("what is worked out in a temporary database");
    enum status status = open_sqlite_as(db, "", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, err);
    db_cache_kib(db, SCRATCH_KIB);
    if (status == ST_OK)
        status = migrate(db, 0, schema, err);
    if (status != ST_OK) {
        db_close(db);
        return status;
    }
    db->is_open = true;
    *ret = db;
    return ST_OK;
}

enum status db_open_reader(const char *path, struct db **ret, struct error *err)
{
    struct db *db = new_db(path);
    enum status status = open_sqlite(db, SQLITE_OPEN_READONLY, err);
    if (status != ST_OK) {
        db_close(db);
        return status;
    }
    db->is_open = true;
    *ret = db;
    return ST_OK;
}

enum status db_open_reader_own(
    const char *path, int application_id, int version_max, struct db **ret, struct error *err)
{
    struct db *db;
    enum status status = db_open_reader(path, &db, err);
    if (status != ST_OK)
        return status;
    if ((status = check_ours(db, application_id, version_max, err)) != ST_OK) {
        db_close(db);
        return status;
    }
    *ret = db;
    return ST_OK;
}

int64_t db_format(const struct db *db)
{
    return db->format;
}

/* ---- whole files ---- */

#define SLICE_PAGES 256

static enum status check_sound(struct db *db, struct error *err)
{
    sqlite3_stmt *s = NULL;
    int code = sqlite3_prepare_v2(db->sqlite, "PRAGMA quick_check(1)", -1, &s, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_step(s);
    const char *answer = code == SQLITE_ROW ? (const char *)sqlite3_column_text(s, 0) : NULL;
    enum status status = ST_OK;
    if (answer == NULL)
        status = fail(db, code, err);
    else if (strcmp(answer, "ok") != 0)
        status = error_set(err, ST_INVALID, "%s is not a sound database (%s)", db->path, answer);
    sqlite3_finalize(s);
    return status;
}

enum status db_check_owner(const char *path, int application_id, int version_max, struct error *err)
{
    struct db *db = new_db(path);
    enum status status = open_at_rest(db, err);
    if (status == ST_OK)
        status = check_ours(db, application_id, version_max, err);
    db_close(db);
    return status;
}

enum status db_check(const char *path, int application_id, int version_max, struct error *err)
{
    struct db *db = new_db(path);
    enum status status = open_at_rest(db, err);
    if (status == ST_OK)
        status = check_ours(db, application_id, version_max, err);
    if (status == ST_OK)
        status = check_sound(db, err);
    db_close(db);
    return status;
}

/* While the source is in a transaction of its own, the copy sees one snapshot and never starts over. */
static enum status copy_slices(
    struct db *from, struct db *to, db_on_slice *on_slice, void *user_data, struct error *err)
{
    sqlite3_backup *backup = sqlite3_backup_init(to->sqlite, "main", from->sqlite, "main");
    if (backup == NULL)
        return fail(to, sqlite3_errcode(to->sqlite), err);
    enum status status = ST_OK;
    int code;
    while ((code = sqlite3_backup_step(backup, SLICE_PAGES)) == SQLITE_OK && status == ST_OK) {
        int64_t all = sqlite3_backup_pagecount(backup), left = sqlite3_backup_remaining(backup);
        if (!on_slice(user_data, (all - left) * from->page_bytes, all * from->page_bytes))
            status = error_set(err, ST_TIMEOUT, "%s: stopped before the copy was whole", from->path);
    }
    int finished = sqlite3_backup_finish(backup);
    if (status == ST_OK && code != SQLITE_DONE)
        status = fail(to, finished != SQLITE_OK ? finished : code, err);
    return status;
}

static enum status make_new(const char *path, int *ret_fd, struct error *err)
{
    *ret_fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
    return *ret_fd >= 0 ? ST_OK
                        : error_set(err, errno == ENOSPC ? ST_FULL : ST_STORAGE, "cannot create %s: %s", path,
                              strerror(errno));
}

enum status db_copy(const char *from_path, bool is_at_rest, const char *to_path, db_on_slice *on_slice,
    void *user_data, struct error *err)
{
    struct db *from = new_db(from_path), *to = new_db(to_path);
    int fd = -1;
    enum status status = is_at_rest ? open_at_rest(from, err) : open_sqlite(from, SQLITE_OPEN_READONLY, err);
    if (status == ST_OK)
        status = exec(from, "BEGIN; SELECT count(*) FROM sqlite_schema", err);
    if (status == ST_OK)
        status = make_new(to_path, &fd, err);
    if (status == ST_OK)
        status = open_sqlite(to, SQLITE_OPEN_READWRITE, err);
    if (status == ST_OK) /* the file counts only when it is whole and synced */
        status = exec(to, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF", err);
    if (status == ST_OK)
        status = copy_slices(from, to, on_slice, user_data, err);
    db_close(to);
    db_close(from);
    if (status == ST_OK && fsync(fd) != 0)
        status = error_set(err, ST_STORAGE, "cannot sync %s: %s", to_path, strerror(errno));
    if (fd >= 0)
        close(fd);
    return status;
}

enum status db_work_on_copy(struct db **db, db_on_slice *on_slice, void *user_data, struct error *err)
{
    struct db *from = *db, *copy = new_db(from->path);
    enum status status = open_sqlite_as(copy, "", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, err);
    if (status == ST_OK)
        status = exec(copy, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF", err);
    if (status == ST_OK)
        status = exec(from, "BEGIN; SELECT count(*) FROM sqlite_schema", err);
    bool has_begun = status == ST_OK;
    db_cache_kib(copy, SCRATCH_KIB);
    if (status == ST_OK)
        status = copy_slices(from, copy, on_slice, user_data, err);
    if (status == ST_FULL)
        error_set(err, status,
            "%s: no room for the copy that this works on, of the same size, in the folder of temporary files "
            "(SQLITE_TMPDIR names another)",
            from->path);
    if (has_begun)
        exec(from, "COMMIT", NULL);
    if (status != ST_OK) {
        db_close(copy);
        return status;
    }
    copy->format = from->format;
    copy->is_open = true;
    db_close(from);
    *db = copy;
    return ST_OK;
}

void db_close(struct db *db)
{
    if (db == NULL)
        return;
    while (db->statements != NULL) {
        struct db_stmt *s = db->statements;
        db->statements = s->next;
        sqlite3_finalize(s->sqlite);
        free(s);
    }
    int code = sqlite3_close(db->sqlite);
    assert(code == SQLITE_OK);
    db_unlock(&db->lock); /* after SQLite's own locks: see lock_database */
    free(db->path);
    free(db);
}

/* ---- transactions ---- */

enum status db_exec(struct db *db, const char *sql, struct error *err)
{
    enum status status = refuse_in_broken_transaction(db, err);
    return status == ST_OK ? exec(db, sql, err) : status;
}

enum status db_begin(struct db *db, struct error *err)
{
    assert(!db->is_in_transaction);
    enum status status = exec(db, "BEGIN IMMEDIATE", err);
    db->is_in_transaction = status == ST_OK;
    db->broken_by = ST_STORAGE;
    return status;
}

enum status db_commit(struct db *db, struct error *err)
{
    assert(db->is_in_transaction);
    enum status status = refuse_in_broken_transaction(db, err);
    if (status == ST_OK)
        status = exec(db, "COMMIT", err);
    if (status != ST_OK)
        db_rollback(db);
    db->is_in_transaction = false;
    return status;
}

void db_rollback(struct db *db)
{
    end_broken_transaction(db);
    db->is_in_transaction = false;
}

/* ---- statements ---- */

struct db_stmt *db_prepare(struct db *db, const char *sql)
{
    struct db_stmt *s = mem_zalloc(sizeof *s);
    s->db = db;
    s->failure = sqlite3_prepare_v3(db->sqlite, sql, -1, SQLITE_PREPARE_PERSISTENT, &s->sqlite, NULL);
    if ((s->failure & 0xff) == SQLITE_ERROR || (s->failure & 0xff) == SQLITE_MISUSE) {
        fprintf(stderr, "mistake in SQL: %s: %s\n", sqlite3_errmsg(db->sqlite), sql);
        abort();
    }
    /* A disk that fails is not a mistake in the SQL: the first step returns it. */
    s->next = db->statements;
    db->statements = s;
    return s;
}

struct db_stmt *db_keep(struct db *db, const char *sql)
{
    for (struct db_stmt *s = db->statements; s != NULL; s = s->next)
        if (s->kept_as == sql)
            return s;
    struct db_stmt *s = db_prepare(db, sql);
    s->kept_as = sql;
    return s;
}

void db_finish(struct db_stmt *s)
{
    for (struct db_stmt **at = &s->db->statements; *at != NULL; at = &(*at)->next) {
        if (*at == s) {
            *at = s->next;
            sqlite3_finalize(s->sqlite);
            free(s);
            return;
        }
    }
    assert(!"a statement of this database");
}

static void check_bind(const struct db_stmt *s, int code)
{
    /* A wrong index, or a statement that was not reset. */
    assert(code == SQLITE_OK || s->sqlite == NULL);
}

void db_bind_int(struct db_stmt *s, int index, int64_t value)
{
    check_bind(s, sqlite3_bind_int64(s->sqlite, index, value));
}

void db_bind_double(struct db_stmt *s, int index, double value)
{
    check_bind(s, sqlite3_bind_double(s->sqlite, index, value));
}

/* SQLite takes a NULL pointer for the value NULL; an empty span is an empty value. */
static const char *address_of(struct span bytes)
{
    return bytes.at != NULL ? bytes.at : "";
}

void db_bind_text(struct db_stmt *s, int index, struct span text)
{
    check_bind(
        s, sqlite3_bind_text64(s->sqlite, index, address_of(text), text.len, SQLITE_STATIC, SQLITE_UTF8));
}

void db_bind_blob(struct db_stmt *s, int index, struct span bytes)
{
    check_bind(s, sqlite3_bind_blob64(s->sqlite, index, address_of(bytes), bytes.len, SQLITE_STATIC));
}

void db_bind_null(struct db_stmt *s, int index)
{
    check_bind(s, sqlite3_bind_null(s->sqlite, index));
}

enum status db_step(struct db_stmt *s, bool *ret_has_row, struct error *err)
{
    struct db *db = s->db;
    *ret_has_row = false;
    if (s->sqlite == NULL)
        return error_set(err, status_of(s->failure), "%s: %s", db->path, sqlite3_errstr(s->failure));
    enum status status = refuse_in_broken_transaction(db, err);
    if (status != ST_OK)
        return status;
    int code = sqlite3_step(s->sqlite);
    if (code == SQLITE_ROW) {
        *ret_has_row = true;
        return ST_OK;
    }
    if (code != SQLITE_DONE)
        status = fail(db, code, err);
    sqlite3_reset(s->sqlite);
    return status;
}

enum status db_run(struct db_stmt *s, struct error *err)
{
    bool has_row;
    enum status status = db_step(s, &has_row, err);
    assert(!has_row);
    return status;
}

void db_reset(struct db_stmt *s)
{
    sqlite3_reset(s->sqlite);
}

int64_t db_int(struct db_stmt *s, int column)
{
    return sqlite3_column_int64(s->sqlite, column);
}

double db_double(struct db_stmt *s, int column)
{
    return sqlite3_column_double(s->sqlite, column);
}

struct span db_text(struct db_stmt *s, int column)
{
    struct span text = {sqlite3_column_blob(s->sqlite, column), 0};
    text.len = (size_t)sqlite3_column_bytes(s->sqlite, column);
    text.at = address_of(text);
    return text;
}

bool db_is_null(struct db_stmt *s, int column)
{
    return sqlite3_column_type(s->sqlite, column) == SQLITE_NULL;
}

int64_t db_last_id(struct db *db)
{
    return sqlite3_last_insert_rowid(db->sqlite);
}

int64_t db_changes(struct db *db)
{
    return sqlite3_changes64(db->sqlite);
}

bool db_is_corrupt(const struct db *db)
{
    return db->is_corrupt;
}

/* ---- sizes ---- */

static bool read_count(struct db_stmt **s, struct db *db, const char *sql, int64_t *ret)
{
    if (*s == NULL)
        *s = db_prepare(db, sql);
    bool has_row;
    if (db_step(*s, &has_row, NULL) != ST_OK || !has_row)
        return false;
    *ret = db_int(*s, 0);
    db_reset(*s);
    return true;
}

int64_t db_used_bytes(struct db *db)
{
    int64_t pages, free_pages;
    if (read_count(&db->page_count, db, "PRAGMA page_count", &pages) &&
        read_count(&db->free_count, db, "PRAGMA freelist_count", &free_pages))
        db->used_bytes = (pages - free_pages) * db->page_bytes;
    return db->used_bytes;
}

int64_t db_file_bytes(struct db *db)
{
    int64_t pages;
    if (read_count(&db->page_count, db, "PRAGMA page_count", &pages))
        db->file_bytes = pages * db->page_bytes;
    return db->file_bytes;
}

enum status db_checkpoint(struct db *db, struct error *err)
{
    int code = sqlite3_wal_checkpoint_v2(db->sqlite, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    return code == SQLITE_OK ? ST_OK : fail(db, code, err);
}

void db_limit_bytes(struct db *db, int64_t limit)
{
    int64_t pages = limit / db->page_bytes;
    char sql[64];
    snprintf(sql, sizeof sql, "PRAGMA max_page_count = %lld",
        (long long)(limit == 0 || pages > PAGES_MAX ? PAGES_MAX
                    : pages > 0                     ? pages
                                                    : 1));
    sqlite3_exec(db->sqlite, sql, NULL, NULL, NULL);
}

void db_cache_kib(struct db *db, int kib)
{
    char sql[64];
    snprintf(sql, sizeof sql, "PRAGMA cache_size = -%d", kib);
    sqlite3_exec(db->sqlite, sql, NULL, NULL, NULL);
}

enum status db_vacuum_some(struct db *db, int pages, struct error *err)
{
    int64_t all, free_pages;
    if (!read_count(&db->page_count, db, "PRAGMA page_count", &all) ||
        !read_count(&db->free_count, db, "PRAGMA freelist_count", &free_pages) || free_pages <= all / 10)
        return ST_OK;
    char sql[64];
    snprintf(sql, sizeof sql, "PRAGMA incremental_vacuum(%d)", pages);
    return db_exec(db, sql, err);
}
