/* agent/deliver/spool on a disk that is full: a small file system, where the test may mount one. */
#include "agent/deliver/window.h"
#include "tests/unit/agent/spool_fixture.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

static char disk[96], filler[128];

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
    if (mount("none", disk, "tmpfs", 0, "size=6m") != 0) {
        print_message("a small disk needs leave to mount one; tests/integration has it\n");
        return;
    }
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
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
