/*
 * A disk that fails: an SQLite file system in front of the real one, which counts the operations that write and lets
 * the n-th of them fail. For programs that include SQLite themselves; every database that is opened after
 * faulty_disk_register is on it.
 */
#pragma once

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

enum fault {
    FAULT_ONCE,     /* the n-th operation */
    FAULT_FOR_EVER, /* and every later one */
    FAULT_FULL,     /* of these those that need room */
};

/* What is done to a database (even) or to its write-ahead log (odd). */
enum faulty_kind { FAULTY_WRITE = 0, FAULTY_TRUNCATE = 2, FAULTY_SYNC = 4, FAULTY_KINDS = 6 };
#define FAULTY_OPERATIONS_MAX 16384

static struct faulty_disk {
    sqlite3_vfs *real;
    enum fault fault;
    int64_t operations, fails_at; /* the n-th; 0 = never */
    int64_t failures;
    int64_t unsynced_log;                           /* writes to a write-ahead log since it was last synced */
    unsigned char kinds[FAULTY_OPERATIONS_MAX + 1]; /* of the n-th operation, as it was last */
    int64_t failed_kinds[FAULTY_KINDS];
} faulty_disk;

struct faulty_file {
    sqlite3_file base;
    sqlite3_file *real; /* behind this struct */
    bool is_log;
};

/* SQLITE_OK, or how this operation fails. */
static int faulty_operate(const sqlite3_file *file, enum faulty_kind what, int code)
{
    struct faulty_disk *d = &faulty_disk;
    int kind = (int)what + ((const struct faulty_file *)file)->is_log;
    if (++d->operations <= FAULTY_OPERATIONS_MAX)
        d->kinds[d->operations] = (unsigned char)kind;
    /* A full disk fails writes only; an fsync that it fails is an I/O error. */
    if (d->fault == FAULT_FULL && code != SQLITE_IOERR_WRITE)
        return SQLITE_OK;
    bool is_lasting = d->fault == FAULT_FOR_EVER || d->fault == FAULT_FULL;
    bool has_failed =
        d->fails_at != 0 && (d->operations == d->fails_at || (is_lasting && d->operations > d->fails_at));
    if (!has_failed)
        return SQLITE_OK;
    d->failures++;
    d->failed_kinds[kind]++;
    return d->fault == FAULT_FULL ? SQLITE_FULL : code;
}

static sqlite3_file *faulty_real_of(sqlite3_file *file)
{
    return ((struct faulty_file *)file)->real;
}

static int faulty_close_file(sqlite3_file *file)
{
    return faulty_real_of(file)->pMethods->xClose(faulty_real_of(file));
}

static int faulty_read_file(sqlite3_file *file, void *to, int len, sqlite3_int64 at)
{
    return faulty_real_of(file)->pMethods->xRead(faulty_real_of(file), to, len, at);
}

static int faulty_write_file(sqlite3_file *file, const void *from, int len, sqlite3_int64 at)
{
    int code = faulty_operate(file, FAULTY_WRITE, SQLITE_IOERR_WRITE);
    faulty_disk.unsynced_log += ((struct faulty_file *)file)->is_log;
    if (code != SQLITE_OK && len > 1) /* torn: half of it is there */
        faulty_real_of(file)->pMethods->xWrite(faulty_real_of(file), from, len / 2, at);
    return code != SQLITE_OK ? code
                             : faulty_real_of(file)->pMethods->xWrite(faulty_real_of(file), from, len, at);
}

static int faulty_truncate_file(sqlite3_file *file, sqlite3_int64 size)
{
    int code = faulty_operate(file, FAULTY_TRUNCATE, SQLITE_IOERR_TRUNCATE);
    return code != SQLITE_OK ? code : faulty_real_of(file)->pMethods->xTruncate(faulty_real_of(file), size);
}

/* Nothing here loses power: to sync is counted, and takes no time. */
static int faulty_sync_file(sqlite3_file *file, int flags)
{
    (void)flags;
    int code = faulty_operate(file, FAULTY_SYNC, SQLITE_IOERR_FSYNC);
    if (code == SQLITE_OK && ((struct faulty_file *)file)->is_log)
        faulty_disk.unsynced_log = 0;
    return code;
}

static int faulty_file_size(sqlite3_file *file, sqlite3_int64 *ret)
{
    return faulty_real_of(file)->pMethods->xFileSize(faulty_real_of(file), ret);
}

static int faulty_lock_file(sqlite3_file *file, int level)
{
    return faulty_real_of(file)->pMethods->xLock(faulty_real_of(file), level);
}

static int faulty_unlock_file(sqlite3_file *file, int level)
{
    return faulty_real_of(file)->pMethods->xUnlock(faulty_real_of(file), level);
}

static int faulty_check_lock(sqlite3_file *file, int *ret)
{
    return faulty_real_of(file)->pMethods->xCheckReservedLock(faulty_real_of(file), ret);
}

static int faulty_control(sqlite3_file *file, int op, void *argument)
{
    return faulty_real_of(file)->pMethods->xFileControl(faulty_real_of(file), op, argument);
}

static int faulty_sector_size(sqlite3_file *file)
{
    return faulty_real_of(file)->pMethods->xSectorSize(faulty_real_of(file));
}

static int faulty_characteristics(sqlite3_file *file)
{
    return faulty_real_of(file)->pMethods->xDeviceCharacteristics(faulty_real_of(file));
}

static int faulty_shm_map(sqlite3_file *file, int page, int size, int is_extended, void volatile **ret)
{
    return faulty_real_of(file)->pMethods->xShmMap(faulty_real_of(file), page, size, is_extended, ret);
}

static int faulty_shm_lock(sqlite3_file *file, int offset, int count, int flags)
{
    return faulty_real_of(file)->pMethods->xShmLock(faulty_real_of(file), offset, count, flags);
}

static void faulty_shm_barrier(sqlite3_file *file)
{
    faulty_real_of(file)->pMethods->xShmBarrier(faulty_real_of(file));
}

static int faulty_shm_unmap(sqlite3_file *file, int is_deleted)
{
    return faulty_real_of(file)->pMethods->xShmUnmap(faulty_real_of(file), is_deleted);
}

static const sqlite3_io_methods faulty_methods = {.iVersion = 2,
    .xClose = faulty_close_file,
    .xRead = faulty_read_file,
    .xWrite = faulty_write_file,
    .xTruncate = faulty_truncate_file,
    .xSync = faulty_sync_file,
    .xFileSize = faulty_file_size,
    .xLock = faulty_lock_file,
    .xUnlock = faulty_unlock_file,
    .xCheckReservedLock = faulty_check_lock,
    .xFileControl = faulty_control,
    .xSectorSize = faulty_sector_size,
    .xDeviceCharacteristics = faulty_characteristics,
    .xShmMap = faulty_shm_map,
    .xShmLock = faulty_shm_lock,
    .xShmBarrier = faulty_shm_barrier,
    .xShmUnmap = faulty_shm_unmap};

static int faulty_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *ret_flags)
{
    (void)vfs;
    struct faulty_file *own = (struct faulty_file *)file;
    own->base.pMethods = NULL;
    own->real = (sqlite3_file *)(own + 1);
    own->is_log = (flags & SQLITE_OPEN_WAL) != 0;
    int code = faulty_disk.real->xOpen(faulty_disk.real, name, own->real, flags, ret_flags);
    if (code == SQLITE_OK)
        own->base.pMethods = &faulty_methods;
    return code;
}

static inline bool faulty_disk_register(void)
{
    static sqlite3_vfs faulty;
    faulty_disk.real = sqlite3_vfs_find(NULL);
    faulty = *faulty_disk.real;
    faulty.zName = "faulty";
    faulty.szOsFile = (int)sizeof(struct faulty_file) + faulty_disk.real->szOsFile;
    faulty.xOpen = faulty_open;
    faulty.pNext = NULL;
    return sqlite3_vfs_register(&faulty, 1) == SQLITE_OK;
}
