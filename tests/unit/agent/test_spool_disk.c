/* agent/deliver/spool on a disk that is full: a small file system, where the test may mount one. */
#include "agent/deliver/window.h"
#include "tests/unit/agent/spool_fixture.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <unistd.h>

static char disk[96], filler[128];

static bool mount_disk(void)
{
    umount2(disk, MNT_DETACH); /* where the test before failed */
    bool is_mounted = mount("none", disk, "tmpfs", 0, "size=6m") == 0;
    if (!is_mounted)
        print_message("a small disk needs leave to mount one; tests/integration has it\n");
    return is_mounted;
}

static void add_until(
    struct spool *s, bool (*is_met)(const struct spool_state *), int64_t *next, int64_t *added)
{
    struct spool_state now = state_of(s);
    for (int i = 0; !is_met(&now) && i < 3000; i++, now = state_of(s)) {
        struct spool_reading many[200];
        for (int k = 0; k < 200; k++)
            many[k] = count_at(*next + k);
        struct error err;
        if (spool_add(s, many, 200, &err) != ST_OK)
            fail_msg("%s", err.text);
        *next += 200;
        *added += 200;
    }
    assert_true(is_met(&now));
}

static bool is_disk_full(const struct spool_state *now)
{
    return now->is_disk_full;
}

static bool is_disk_good(const struct spool_state *now)
{
    return !now->is_disk_full;
}

static bool is_dropping(const struct spool_state *now)
{
    return now->dropped_readings > 0;
}

/* Somebody else takes all that is left. */
static void fill_disk(void)
{
    static char bytes[4096];
    int fd = open(filler, O_WRONLY | O_CREAT | O_APPEND, 0600);
    while (write(fd, bytes, sizeof bytes) > 0)
        ;
    close(fd);
}

/* All that was added is seen in batches, or said to be given up. */
static void send_all(struct spool *s, int64_t added)
{
    int64_t seen_readings = 0, said = 0, dropped = state_of(s).dropped_readings;
    for (int64_t seq = state_of(s).first; state_of(s).uncut > 0 || seq <= state_of(s).last; seq++) {
        if (seq > state_of(s).last)
            cut(s, WINDOW_BATCHES);
        struct seen seen = look(s, seq);
        seen_readings += seen.lines;
        said += seen.header.dropped;
        free(seen.body);
        spool_set_mark(s, seq);
    }
    assert_int_equal(said, dropped);
    assert_int_equal(seen_readings + said, added);
}

static void run_on_full_disk(bool is_filled_again)
{
    char *path = mem_printf("%s/a.spool", disk), *reserve = mem_printf("%s.reserve", path);
    struct spool *s = open_spool(path);
    int64_t next = 1, added = 0;
    add(s, next, 20000);
    next += 20000, added += 20000;
    assert_int_equal(access(reserve, F_OK), 0);
    fill_disk();
    add_until(s, is_disk_full, &next, &added);
    assert_int_not_equal(access(reserve, F_OK), 0);
    if (is_filled_again) /* and takes what the reserve has set free */
        fill_disk();
    add_until(s, is_dropping, &next, &added);
    for (int i = 0; i < 50; i++) { /* it goes on so */
        add(s, next, next + 199);
        next += 200, added += 200;
    }
    assert_true(state_of(s).is_disk_full);
    if (is_filled_again)
        send_all(s, added); /* the disk stays full: all can be sent */
    unlink(filler);
    int64_t before = added;
    add_until(s, is_disk_good, &next, &added);
    assert_int_equal(access(reserve, F_OK), 0);
    if (!is_filled_again)
        send_all(s, added);
    else
        assert_true(added >= before);
    spool_close(s);
    free(path);
    free(reserve);
}

static void with_small_disk(bool is_filled_again)
{
    if (!mount_disk())
        return;
    run_on_full_disk(is_filled_again);
    umount(disk);
}

static void test_a_full_disk_is_its_limit_until_there_is_room(void **state)
{
    (void)state;
    with_small_disk(false);
}

static void test_it_goes_on_when_the_reserve_is_taken_by_others(void **state)
{
    (void)state;
    with_small_disk(true);
}

static int64_t free_kib(void)
{
    struct statvfs info;
    assert_int_equal(statvfs(disk, &info), 0);
    return (int64_t)(info.f_bavail * info.f_frsize) >> 10;
}

static void fill_but(int64_t left_kib)
{
    int fd = open(filler, O_WRONLY | O_CREAT, 0600);
    assert_int_equal(posix_fallocate(fd, 0, (free_kib() - left_kib) << 10), 0);
    close(fd);
    assert_true(free_kib() <= left_kib && free_kib() >= left_kib - 8);
}

static int64_t add_until_dropping(struct spool *s, int64_t next)
{
    for (; state_of(s).dropped_readings == 0; next += 20) {
        add(s, next, next + 19);
        assert_true(next < 100000);
    }
    return next;
}

/* A new spool with so little room on its disk that there is none for the reserve. */
static void run_young_spool(int64_t left_kib, int64_t expected_readings)
{
    fill_but(left_kib);
    char *path = mem_printf("%s/a.spool", disk);
    struct spool *s = open_spool(path);
    assert_true(state_of(s).is_disk_full);
    int64_t next = add_until_dropping(s, 1);
    if (next < expected_readings)
        fail_msg("with %lld KiB: %lld readings", (long long)left_kib, (long long)next);
    assert_true(free_kib() >= 32); /* others need some, too */
    fill_disk();                   /* and take it */
    for (int i = 0; i < 300; i++, next += 20) {
        add(s, next, next + 19);
        assert_true(state_of(s).is_dropping); /* not over and over */
    }
    send_all(s, next - 1);
    assert_false(state_of(s).is_dropping);
    unlink(filler);
    spool_close(s);
    free(path);
}

static void test_a_young_spool_uses_the_little_room_that_there_is(void **state)
{
    (void)state;
    static const int64_t cases[][2] = {{320, 1200}, {384, 2000}, {448, 3000}, {1000, 10000}, {3000, 20000}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0] && mount_disk(); i++) {
        run_young_spool(cases[i][0], cases[i][1]);
        umount(disk);
    }
}

static void test_what_the_disk_gives_later_is_used(void **state)
{
    (void)state;
    if (!mount_disk())
        return;
    fill_but(320);
    char *path = mem_printf("%s/a.spool", disk);
    struct spool *s = open_spool(path);
    int64_t next = add_until_dropping(s, 1), dropped = state_of(s).dropped_readings, small = file_bytes(path);
    assert_int_equal(truncate(filler, file_bytes(filler) - (800 << 10)), 0);
    for (int i = 0; i < 250; i++, next += 20)
        add(s, next, next + 19);
    assert_true(state_of(s).is_disk_full); /* there is no room for the reserve yet */
    assert_int_equal(state_of(s).dropped_readings, dropped);
    assert_true(file_bytes(path) > small + (200 << 10));
    send_all(s, next - 1);
    spool_close(s);
    free(path);
    umount(disk);
}

/* With nothing left at all: what it held for that is enough to open it again. */
static void test_it_is_opened_again_on_a_disk_that_is_full_to_the_last_block(void **state)
{
    (void)state;
    if (!mount_disk())
        return;
    char *path = mem_printf("%s/a.spool", disk);
    struct spool *s = open_spool(path);
    add(s, 1, 2000);
    spool_close(s);
    fill_disk();
    assert_int_equal(free_kib(), 0);
    s = open_spool(path);
    assert_true(state_of(s).is_disk_full);
    add(s, 2001, 4000);
    send_all(s, 4000);
    spool_close(s);
    free(path);
    umount(disk);
}

/* However little there is: it takes readings or refuses them, and the disk is never an error. */
static void test_where_there_is_next_to_no_room_it_refuses(void **state)
{
    (void)state;
    for (int64_t left_kib = 0; left_kib <= 240 && mount_disk(); left_kib += 24) {
        fill_but(left_kib);
        char *path = mem_printf("%s/a.spool", disk);
        struct spool *s = NULL;
        struct error err;
        enum status status = try_open(path, "gw-a", 64, &s, &err);
        for (int64_t next = 1; s != NULL && next < 2000; next += 20) {
            struct spool_reading many[20];
            for (int k = 0; k < 20; k++)
                many[k] = count_at(next + k);
            status = spool_commit(s, many, 20, 1, PAYLOAD_MAX, &err);
            if (status != ST_OK && status != ST_FULL)
                fail_msg("with %lld KiB: %s", (long long)left_kib, err.text);
        }
        if (status != ST_OK && status != ST_FULL)
            fail_msg("with %lld KiB: %s", (long long)left_kib, err.text);
        spool_close(s);
        free(path);
        umount(disk);
    }
}

static int set_up(void **state)
{
    may_drop = true;
    if (make_folder(state) != 0)
        return 1;
    snprintf(disk, sizeof disk, "%s/disk", folder);
    snprintf(filler, sizeof filler, "%s/filler", disk);
    return mkdir(disk, 0700);
}

static int tear_down(void **state)
{
    umount2(disk, MNT_DETACH); /* where a test failed */
    return remove_folder(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_full_disk_is_its_limit_until_there_is_room),
        cmocka_unit_test(test_it_goes_on_when_the_reserve_is_taken_by_others),
        cmocka_unit_test(test_a_young_spool_uses_the_little_room_that_there_is),
        cmocka_unit_test(test_what_the_disk_gives_later_is_used),
        cmocka_unit_test(test_it_is_opened_again_on_a_disk_that_is_full_to_the_last_block),
        cmocka_unit_test(test_where_there_is_next_to_no_room_it_refuses),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
