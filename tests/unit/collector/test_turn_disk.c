/* collector/turn on a small file system of its own, where the test may mount one. */
#include "tests/unit/collector/turn_fixture.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

static char *disk;

/* Somebody else takes all that is left, to the last block. */
static void fill_disk(const char *filler)
{
    static char bytes[4096];
    int fd = open(filler, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    while (write(fd, bytes, sizeof bytes) > 0)
        ;
    close(fd);
}

static void start(struct turn_scene *s)
{
    struct error err;
    if (turn_open(&s->turn, &s->settings, s->park, &turn_clock, &err) != ST_OK)
        fail_msg("%s", err.text);
}

/* What it holds for that is enough to begin, and it takes batches when there is room. Started again, it leaves what the
 * reserve held to what must be deleted and settled. */
static void start_on_full_disk(struct turn_scene *s, const char *filler)
{
    struct turn *t = &s->turn;
    start(s);
    turn_give(
        t, "gw-a", "#park1 epoch=000000000000000a seq=1 first=1\nregister,point=p value=1i 1764000000000\n");
    turn_once(t);
    assert_int_equal(turn_mark(t, "gw-a"), 1);
    assert_true(t->reserve.is_held);
    turn_close(t);
    fill_disk(filler);
    static const char second[] =
        "#park1 epoch=000000000000000a seq=2 first=2\nregister,point=p value=2i 1764000001000\n";
    for (int starts = 0; starts < 3; starts++) {
        if (starts > 0)
            turn_close(t);
        start(s);
        assert_int_equal(turn_mark(t, "gw-a"), 1);
        assert_false(t->reserve.is_held);
        turn_give(t, "gw-a", second);
        turn_once(t);
        turn_now_mono_ms += 2000;
        turn_give(t, "gw-a", second);
        turn_once(t);
        assert_int_equal(turn_mark(t, "gw-a"), 1);
        assert_false(t->show.is_accepting);
        assert_string_equal(t->show.reason, "the disk is full");
    }
    assert_int_equal(t->acks.count, 0);
    unlink(filler);
    turn_now_mono_ms += 2000;
    turn_once(t);
    /* What was discarded meanwhile is asked for. */
    assert_int_equal(t->acks.count, 1);
    assert_true(t->acks.items[0].is_refusal_due);
    assert_int_equal(t->acks.items[0].ack.seq, 1);
    turn_give(t, "gw-a", second);
    turn_once(t);
    assert_true(t->reserve.is_held);
    assert_int_equal(turn_mark(t, "gw-a"), 2);
    turn_close(t);
}

static void test_it_starts_on_a_disk_that_is_full_to_the_last_block(void **state)
{
    (void)state;
    struct turn_scene s;
    turn_scene_open(&s);
    turn_close(&s.turn);
    disk = mem_printf("%s/disk", s.files.folder);
    char *filler = mem_printf("%s/filler", disk), *path = mem_printf("%s/db", disk);
    s.settings.database.path = path;
    assert_int_equal(mkdir(disk, 0700), 0);
    if (mount("none", disk, "tmpfs", 0, "size=24m") == 0)
        start_on_full_disk(&s, filler);
    else
        print_message("a small disk needs leave to mount one; tests/integration has it\n");
    umount(disk);
    rmdir(disk);
    park_destroy(s.park);
    fake_journal_close(&s.files);
    free(filler);
    free(path);
}

static int forget_disk(void **state)
{
    (void)state;
    umount2(disk, MNT_DETACH); /* where the test failed */
    free(disk);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_starts_on_a_disk_that_is_full_to_the_last_block),
    };
    return cmocka_run_group_tests(tests, NULL, forget_disk);
}
