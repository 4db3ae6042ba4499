/* lib/reserve: space that is really held, given up, and taken again. */
#include "lib/mem.h"
#include "lib/reserve.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define BYTES (1 << 20)

static char folder[] = "/tmp/parkmon-test-reserve-XXXXXX";
static char beside[64], path[96];

static int64_t held_bytes(void)
{
    struct stat info;
    return stat(path, &info) == 0 ? (int64_t)info.st_blocks * 512 : 0;
}

static void test_it_holds_its_bytes_on_the_disk_and_gives_them_back(void **state)
{
    (void)state;
    struct reserve r;
    struct error err;
    reserve_init(&r, beside, BYTES);
    assert_false(r.is_held);
    assert_false(reserve_give_up(&r));
    assert_int_equal(reserve_take(&r, &err), ST_OK);
    assert_true(r.is_held);
    assert_true(held_bytes() >= BYTES);
    assert_int_equal(reserve_take(&r, &err), ST_OK);
    assert_true(reserve_give_up(&r));
    assert_int_equal(held_bytes(), 0);
    assert_false(reserve_give_up(&r));
    reserve_release(&r);
    reserve_release(&r);
}

static void test_the_next_start_finds_it(void **state)
{
    (void)state;
    struct reserve r;
    struct error err;
    reserve_init(&r, beside, BYTES);
    assert_int_equal(reserve_take(&r, &err), ST_OK);
    reserve_release(&r);
    reserve_init(&r, beside, BYTES);
    assert_true(r.is_held);
    reserve_release(&r);
    reserve_init(&r, beside, 2 * BYTES); /* of another size it is no reserve, but becomes one */
    assert_false(r.is_held);
    assert_int_equal(reserve_take(&r, &err), ST_OK);
    assert_true(held_bytes() >= 2 * BYTES);
    reserve_give_up(&r);
    reserve_release(&r);
}

static void test_a_file_with_holes_holds_nothing(void **state)
{
    (void)state;
    int fd = open(path, O_RDWR | O_CREAT, 0600);
    assert_int_equal(ftruncate(fd, BYTES), 0);
    close(fd);
    struct reserve r;
    struct error err;
    reserve_init(&r, beside, BYTES);
    assert_false(r.is_held);
    assert_int_equal(reserve_take(&r, &err), ST_OK);
    assert_true(held_bytes() >= BYTES);
    reserve_give_up(&r);
    reserve_release(&r);
}

static void test_what_cannot_be_held_leaves_nothing(void **state)
{
    (void)state;
    struct reserve r;
    struct error err = {""};
    reserve_init(&r, "/none/a.spool", BYTES);
    assert_int_equal(reserve_take(&r, &err), ST_STORAGE);
    assert_non_null(strstr(err.text, "/none/a.spool.reserve: No such file"));
    reserve_release(&r);

    pid_t child = fork();
    if (child == 0) { /* its files may not grow so far */
        signal(SIGXFSZ, SIG_IGN);
        struct rlimit small = {4096, 4096};
        reserve_init(&r, beside, BYTES);
        bool is_good = setrlimit(RLIMIT_FSIZE, &small) == 0 && reserve_take(&r, &err) == ST_FULL &&
                       !r.is_held && access(path, F_OK) != 0;
        reserve_release(&r);
        _exit(is_good ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_it_is_not_taken_from_the_last_room_of_a_disk(void **state)
{
    (void)state;
    char disk[96], file[112];
    snprintf(disk, sizeof disk, "%s/disk", folder);
    snprintf(file, sizeof file, "%s/a", disk);
    assert_int_equal(mkdir(disk, 0700), 0);
    if (mount("none", disk, "tmpfs", 0, "size=1536k") != 0) {
        print_message("a small disk needs leave to mount one; tests/integration has it\n");
        rmdir(disk);
        return;
    }
    close(open(file, O_WRONLY | O_CREAT, 0600));
    struct reserve r;
    struct error err = {""};
    reserve_init(&r, file, BYTES);
    assert_int_equal(reserve_take(&r, &err), ST_FULL);
    assert_non_null(strstr(err.text, "No space left"));
    assert_int_not_equal(access(r.path, F_OK), 0);
    assert_int_equal(mount("none", disk, "tmpfs", MS_REMOUNT, "size=3m"), 0);
    assert_int_equal(reserve_take(&r, &err), ST_OK);
    reserve_release(&r);
    umount(disk);
    rmdir(disk);
}

static int set_up(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL)
        return 1;
    snprintf(beside, sizeof beside, "%s/a.db", folder);
    snprintf(path, sizeof path, "%s.reserve", beside);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_holds_its_bytes_on_the_disk_and_gives_them_back),
        cmocka_unit_test(test_the_next_start_finds_it),
        cmocka_unit_test(test_a_file_with_holes_holds_nothing),
        cmocka_unit_test(test_what_cannot_be_held_leaves_nothing),
        cmocka_unit_test(test_it_is_not_taken_from_the_last_room_of_a_disk),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
