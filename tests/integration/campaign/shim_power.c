/*
 * Power loss: SQLite's default VFS while shim_control.holds_writes. What is written to a database, a write-ahead
 * log or a journal stays in this process's memory until the file is synced, so SIGKILL loses what was not; of
 * each write a drawn share of sectors goes through at once, so that any subset may survive. Readers of this
 * process see what was written. A file's size follows the same rule. Not played: the loss of directory entries,
 * and of the -shm file, which is memory.
 *
 * At a regular end all is written through: the machine goes on.
 */
#include "shim.h"

#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECTOR 512
#define BUCKETS 4096
#define RUN_BYTES 65536
#define HELD_TYPES (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL)

struct sector {
    sqlite3_int64 number;
    int dirty_from, dirty_to; /* of `data`, which is whole; the rest is what the file has */
    struct sector *next;
    unsigned char data[SECTOR];
};

/* One for each inode, shared by all connections. */
struct held {
    dev_t device;
    ino_t inode;
    char *path;
    int users;
    sqlite3_int64 size;       /* as the process sees it */
    sqlite3_int64 real_limit; /* the real file counts only so far: it was cut off, and that is not synced */
    struct sector *sectors[BUCKETS];
    int sector_count;
    struct held *next;
};

struct file {
    sqlite3_file base;
    struct held *held; /* NULL = passed on */
    sqlite3_file *real;
};

static sqlite3_vfs *real_vfs;
static sqlite3_vfs our_vfs;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct held *all_held;
static unsigned draw_state;

static struct file *file_of(sqlite3_file *file)
{
    return (struct file *)file;
}

static const sqlite3_io_methods *real_methods(sqlite3_file *file)
{
    return file_of(file)->real->pMethods;
}

static bool is_drawn_through(void)
{
    return (unsigned)rand_r(&draw_state) % 100 < shim_control()->through_percent;
}

/* ---- what is held ---- */

static struct held *find_inode(const struct stat *status)
{
    struct held *h = all_held;
    while (h != NULL && (h->device != status->st_dev || h->inode != status->st_ino))
        h = h->next;
    return h;
}

static struct sector *find_sector(const struct held *h, sqlite3_int64 number)
{
    struct sector *s = h->sectors[number % BUCKETS];
    while (s != NULL && s->number != number)
        s = s->next;
    return s;
}

static void drop_sectors(struct held *h, sqlite3_int64 from)
{
    for (int i = 0; i < BUCKETS && h->sector_count > 0; i++) {
        struct sector **at = &h->sectors[i];
        while (*at != NULL) {
            struct sector *s = *at;
            if (s->number < from) {
                at = &s->next;
                continue;
            }
            *at = s->next;
            free(s);
            h->sector_count--;
        }
    }
}

static void forget(struct held *h)
{
    struct held **at = &all_held;
    while (*at != h)
        at = &(*at)->next;
    *at = h->next;
    drop_sectors(h, 0);
    free(h->path);
    free(h);
}

static bool is_clean(const struct held *h)
{
    return h->sector_count == 0 && h->real_limit == INT64_MAX;
}

/* What the real file holds of this range, zeros where it has nothing that counts. */
static int read_real(struct file *f, void *data, int size, sqlite3_int64 offset)
{
    memset(data, 0, (size_t)size);
    sqlite3_int64 left = f->held->real_limit - offset;
    if (left <= 0)
        return SQLITE_OK;
    int code = f->real->pMethods->xRead(f->real, data, left < size ? (int)left : size, offset);
    return code == SQLITE_IOERR_SHORT_READ ? SQLITE_OK : code;
}

static int hold(struct file *f, const unsigned char *data, int from, int to, sqlite3_int64 number)
{
    struct held *h = f->held;
    struct sector *s = find_sector(h, number);
    if (s == NULL) {
        s = calloc(1, sizeof *s);
        if (s == NULL)
            return SQLITE_NOMEM;
        int code = read_real(f, s->data, SECTOR, number * SECTOR);
        if (code != SQLITE_OK) {
            free(s);
            return code;
        }
        s->number = number;
        s->dirty_from = from;
        s->dirty_to = to;
        s->next = h->sectors[number % BUCKETS];
        h->sectors[number % BUCKETS] = s;
        h->sector_count++;
    }
    memcpy(s->data + from, data, (size_t)(to - from));
    s->dirty_from = from < s->dirty_from ? from : s->dirty_from;
    s->dirty_to = to > s->dirty_to ? to : s->dirty_to;
    return is_drawn_through() ? f->real->pMethods->xWrite(f->real, data, to - from, number * SECTOR + from)
                              : SQLITE_OK;
}

static int by_number(const void *a, const void *b)
{
    const struct sector *const *p = a, *const *q = b;
    return ((*p)->number > (*q)->number) - ((*p)->number < (*q)->number);
}

/* Writes all sectors by `put`, neighbours together. */
static int write_through(struct held *h, int (*put)(void *to, const void *, int, sqlite3_int64), void *to)
{
    struct sector **sorted = malloc((size_t)(h->sector_count + 1) * sizeof *sorted);
    unsigned char *run = malloc(RUN_BYTES);
    int count = 0, code = SQLITE_OK, length = 0;
    sqlite3_int64 begin = 0;
    if (sorted == NULL || run == NULL)
        abort();
    for (int i = 0; i < BUCKETS; i++)
        for (struct sector *s = h->sectors[i]; s != NULL; s = s->next)
            sorted[count++] = s;
    qsort(sorted, (size_t)count, sizeof *sorted, by_number);
    for (int i = 0; i < count && code == SQLITE_OK; i++) {
        const struct sector *s = sorted[i];
        sqlite3_int64 at = s->number * SECTOR + s->dirty_from;
        int size = s->dirty_to - s->dirty_from;
        if (size == 0)
            continue;
        if (length > 0 && (begin + length != at || length + size > RUN_BYTES)) {
            code = put(to, run, length, begin);
            length = 0;
        }
        if (length == 0)
            begin = at;
        memcpy(run + length, s->data + s->dirty_from, (size_t)size);
        length += size;
    }
    if (code == SQLITE_OK && length > 0)
        code = put(to, run, length, begin);
    free(sorted);
    free(run);
    return code;
}

static int put_by_file(void *to, const void *data, int size, sqlite3_int64 offset)
{
    sqlite3_file *real = to;
    return real->pMethods->xWrite(real, data, size, offset);
}

static int put_by_descriptor(void *to, const void *data, int size, sqlite3_int64 offset)
{
    return pwrite(*(int *)to, data, (size_t)size, offset) == size ? SQLITE_OK : SQLITE_IOERR_WRITE;
}

/* ---- a file's methods ---- */

static int our_close(sqlite3_file *file)
{
    struct file *f = file_of(file);
    pthread_mutex_lock(&lock);
    /* What is not synced is held beyond the close: only a sync makes it last. */
    if (f->held != NULL && --f->held->users == 0 && is_clean(f->held))
        forget(f->held);
    pthread_mutex_unlock(&lock);
    return f->real->pMethods->xClose(f->real);
}

static int our_read(sqlite3_file *file, void *data, int size, sqlite3_int64 offset)
{
    struct file *f = file_of(file);
    struct held *h = f->held;
    if (h == NULL)
        return f->real->pMethods->xRead(f->real, data, size, offset);
    pthread_mutex_lock(&lock);
    int code = read_real(f, data, size, offset);
    if (code == SQLITE_OK && h->sector_count > 0) {
        for (sqlite3_int64 number = offset / SECTOR; number * SECTOR < offset + size; number++) {
            const struct sector *s = find_sector(h, number);
            if (s == NULL)
                continue;
            sqlite3_int64 begin = number * SECTOR > offset ? number * SECTOR : offset;
            sqlite3_int64 end = (number + 1) * SECTOR < offset + size ? (number + 1) * SECTOR : offset + size;
            memcpy((unsigned char *)data + (begin - offset), s->data + (begin - number * SECTOR),
                (size_t)(end - begin));
        }
    }
    if (code == SQLITE_OK && offset + size > h->size) {
        sqlite3_int64 whole = h->size > offset ? h->size - offset : 0;
        memset((unsigned char *)data + whole, 0, (size_t)(size - whole));
        code = SQLITE_IOERR_SHORT_READ;
    }
    pthread_mutex_unlock(&lock);
    return code;
}

static int our_write(sqlite3_file *file, const void *data, int size, sqlite3_int64 offset)
{
    struct file *f = file_of(file);
    if (f->held == NULL)
        return f->real->pMethods->xWrite(f->real, data, size, offset);
    int code = SQLITE_OK;
    pthread_mutex_lock(&lock);
    for (sqlite3_int64 at = offset; at < offset + size && code == SQLITE_OK;) {
        sqlite3_int64 number = at / SECTOR, end = (number + 1) * SECTOR;
        end = end < offset + size ? end : offset + size;
        code = hold(f, (const unsigned char *)data + (at - offset), (int)(at - number * SECTOR),
            (int)(end - number * SECTOR), number);
        at = end;
    }
    if (code == SQLITE_OK && offset + size > f->held->size)
        f->held->size = offset + size;
    pthread_mutex_unlock(&lock);
    return code;
}

static int our_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    struct file *f = file_of(file);
    struct held *h = f->held;
    if (h == NULL)
        return f->real->pMethods->xTruncate(f->real, size);
    int code = SQLITE_OK;
    pthread_mutex_lock(&lock);
    drop_sectors(h, (size + SECTOR - 1) / SECTOR);
    struct sector *last = find_sector(h, size / SECTOR);
    if (last != NULL) {
        int kept = (int)(size % SECTOR);
        memset(last->data + kept, 0, (size_t)(SECTOR - kept));
        last->dirty_to = last->dirty_to < kept ? last->dirty_to : kept;
        last->dirty_from = last->dirty_from < last->dirty_to ? last->dirty_from : last->dirty_to;
    }
    if (size < h->real_limit)
        h->real_limit = size;
    h->size = size;
    if (is_drawn_through())
        code = f->real->pMethods->xTruncate(f->real, size);
    pthread_mutex_unlock(&lock);
    return code;
}

static int our_sync(sqlite3_file *file, int flags)
{
    struct file *f = file_of(file);
    struct held *h = f->held;
    if (h == NULL)
        return f->real->pMethods->xSync(f->real, flags);
    pthread_mutex_lock(&lock);
    if (!is_clean(h))
        __atomic_fetch_add(&shim_control()->dropped_syncs, 1, __ATOMIC_RELAXED);
    int code = SQLITE_OK;
    sqlite3_int64 size = 0;
    /* What lay behind the cut must not come back where the file grew again over it. */
    if (h->real_limit != INT64_MAX && (code = f->real->pMethods->xFileSize(f->real, &size)) == SQLITE_OK &&
        size > h->real_limit)
        code = f->real->pMethods->xTruncate(f->real, h->real_limit);
    if (code == SQLITE_OK)
        code = write_through(h, put_by_file, f->real);
    if (code == SQLITE_OK)
        code = f->real->pMethods->xSync(f->real, flags);
    if (code == SQLITE_OK) {
        drop_sectors(h, 0);
        h->real_limit = INT64_MAX;
    }
    pthread_mutex_unlock(&lock);
    return code;
}

static int our_size(sqlite3_file *file, sqlite3_int64 *ret)
{
    struct file *f = file_of(file);
    if (f->held == NULL)
        return f->real->pMethods->xFileSize(f->real, ret);
    pthread_mutex_lock(&lock);
    *ret = f->held->size;
    pthread_mutex_unlock(&lock);
    return SQLITE_OK;
}

static int our_lock(sqlite3_file *file, int level)
{
    return real_methods(file)->xLock(file_of(file)->real, level);
}

static int our_unlock(sqlite3_file *file, int level)
{
    return real_methods(file)->xUnlock(file_of(file)->real, level);
}

static int our_check_lock(sqlite3_file *file, int *ret)
{
    return real_methods(file)->xCheckReservedLock(file_of(file)->real, ret);
}

static int our_control(sqlite3_file *file, int operation, void *argument)
{
    return real_methods(file)->xFileControl(file_of(file)->real, operation, argument);
}

static int our_sector_size(sqlite3_file *file)
{
    return real_methods(file)->xSectorSize(file_of(file)->real);
}

/* Of what a disk may promise only that bytes beside a write survive it. */
static int our_characteristics(sqlite3_file *file)
{
    return real_methods(file)->xDeviceCharacteristics(file_of(file)->real) & SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

static int our_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **ret)
{
    return real_methods(file)->xShmMap(file_of(file)->real, page, size, extend, ret);
}

static int our_shm_lock(sqlite3_file *file, int offset, int n, int flags)
{
    return real_methods(file)->xShmLock(file_of(file)->real, offset, n, flags);
}

static void our_shm_barrier(sqlite3_file *file)
{
    real_methods(file)->xShmBarrier(file_of(file)->real);
}

static int our_shm_unmap(sqlite3_file *file, int is_deleted)
{
    return real_methods(file)->xShmUnmap(file_of(file)->real, is_deleted);
}

/* Version 2: no memory-mapped reads, which would not see what is held. */
static const sqlite3_io_methods methods = {2, our_close, our_read, our_write, our_truncate, our_sync,
    our_size, our_lock, our_unlock, our_check_lock, our_control, our_sector_size, our_characteristics,
    our_shm_map, our_shm_lock, our_shm_barrier, our_shm_unmap, NULL, NULL};

/* ---- the VFS ---- */

static int attach(struct file *f, const char *path)
{
    struct stat status;
    if (stat(path, &status) != 0)
        return SQLITE_CANTOPEN;
    struct held *h = find_inode(&status);
    if (h == NULL) {
        h = calloc(1, sizeof *h);
        if (h == NULL)
            return SQLITE_NOMEM;
        h->device = status.st_dev;
        h->inode = status.st_ino;
        h->path = strdup(path);
        h->next = all_held;
        h->real_limit = INT64_MAX;
        all_held = h;
    }
    if (is_clean(h))
        h->size = status.st_size;
    h->users++;
    f->held = h;
    return SQLITE_OK;
}

static int our_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags, int *ret_flags)
{
    (void)vfs;
    struct file *f = file_of(file);
    f->held = NULL;
    f->base.pMethods = NULL;
    f->real = (sqlite3_file *)(f + 1);
    int code = real_vfs->xOpen(real_vfs, path, f->real, flags, ret_flags);
    if (f->real->pMethods == NULL)
        return code;
    f->base.pMethods = &methods;
    if (code == SQLITE_OK && path != NULL && (flags & HELD_TYPES) != 0) {
        pthread_mutex_lock(&lock);
        code = attach(f, path);
        pthread_mutex_unlock(&lock);
    }
    return code;
}

static int our_delete(sqlite3_vfs *vfs, const char *path, int syncs_folder)
{
    (void)vfs;
    struct stat status;
    pthread_mutex_lock(&lock);
    struct held *h = stat(path, &status) == 0 ? find_inode(&status) : NULL;
    if (h != NULL && h->users == 0)
        forget(h);
    pthread_mutex_unlock(&lock);
    return real_vfs->xDelete(real_vfs, path, syncs_folder);
}

__attribute__((constructor)) static void begin(void)
{
    volatile struct shim_control *control = shim_control();
    if (control == NULL || !control->holds_writes)
        return;
    real_vfs = sqlite3_vfs_find(NULL);
    if (real_vfs == NULL)
        abort();
    draw_state = control->seed;
    our_vfs = *real_vfs;
    our_vfs.zName = "campaign";
    our_vfs.szOsFile = (int)sizeof(struct file) + real_vfs->szOsFile;
    our_vfs.xOpen = our_open;
    our_vfs.xDelete = our_delete;
    if (sqlite3_vfs_register(&our_vfs, 1) != SQLITE_OK)
        abort();
}

__attribute__((destructor)) static void end(void)
{
    for (struct held *h = all_held; h != NULL; h = h->next) {
        struct stat status;
        int fd = is_clean(h) ? -1 : open(h->path, O_RDWR | O_CLOEXEC);
        if (fd < 0)
            continue;
        bool is_same = fstat(fd, &status) == 0 && status.st_ino == h->inode && status.st_dev == h->device;
        if (is_same && (h->real_limit >= status.st_size || ftruncate(fd, h->real_limit) == 0))
            write_through(h, put_by_descriptor, &fd);
        close(fd);
    }
}
