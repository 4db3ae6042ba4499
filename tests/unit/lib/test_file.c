#include "lib/file.h"
#include "lib/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/parkmon-test-file-XXXXXX";
static char path[64];

static int make_folder(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(path, sizeof path, "%s/file", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

static int remove_file(void **state)
{
    (void)state;
    unlink(path);
    return 0;
}

static void write_file(const char *text, size_t len, mode_t mode)
{
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    assert_int_equal(fwrite(text, 1, len, out), len);
    assert_int_equal(fclose(out), 0);
    assert_int_equal(chmod(path, mode), 0);
}

static void assert_refused(enum status status, const struct error *err, const char *what)
{
    assert_int_equal(status, ST_INVALID);
    char *expected = mem_printf("%s: %s", path, what);
    assert_string_equal(err->text, expected);
    free(expected);
}

static void test_a_secret_is_the_first_line_without_its_end(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *secret;
    } cases[] = {{"s3 cret", "s3 cret"}, {"s\n", "s"}, {"s\r\nmore\n", "s"}, {" s \n\n", " s "}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *secret;
        write_file(cases[i].text, strlen(cases[i].text), 0640);
        assert_int_equal(file_read_secret(path, &secret, NULL), ST_OK);
        assert_string_equal(secret, cases[i].secret);
        free(secret);
    }
}

static void test_a_secret_that_cannot_be_one_is_named_with_its_mistake(void **state)
{
    (void)state;
    char *secret, *long_text = mem_alloc(FILE_SECRET_MAX + 1);
    struct error err;
    memset(long_text, 'x', FILE_SECRET_MAX + 1);
    assert_refused(file_read_secret(path, &secret, &err), &err, "No such file or directory");
    write_file("", 0, 0600);
    assert_refused(file_read_secret(path, &secret, &err), &err, "empty first line");
    write_file("\nsecret\n", 8, 0600);
    assert_refused(file_read_secret(path, &secret, &err), &err, "empty first line");
    write_file("a\0b", 3, 0600);
    assert_refused(file_read_secret(path, &secret, &err), &err, "holds a NUL byte");
    write_file(long_text, FILE_SECRET_MAX + 1, 0600);
    assert_refused(file_read_secret(path, &secret, &err), &err, "larger than 4096 bytes");
    write_file("secret\n", 7, 0644);
    assert_refused(
        file_read_secret(path, &secret, &err), &err, "open to every user of this machine (mode 644)");
    write_file(long_text, FILE_SECRET_MAX, 0600);
    assert_int_equal(file_read_secret(path, &secret, &err), ST_OK);
    assert_int_equal(strlen(secret), FILE_SECRET_MAX);
    free(secret);
    free(long_text);
}

static void test_a_file_is_read_whole_up_to_its_limit(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 4094, 4095, 4096, 4097, 8191, 8192, 100000};
    char *text = mem_alloc(100000);
    for (size_t i = 0; i < 100000; i++)
        text[i] = (char)(i % 251);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char *read;
        size_t len;
        struct error err;
        write_file(text, sizes[i], 0644);
        for (size_t more = 0; more < 2; more++) {
            assert_int_equal(file_read(path, sizes[i] + more * 50000, &read, &len, &err), ST_OK);
            assert_int_equal(len, sizes[i]);
            assert_memory_equal(read, text, len);
            assert_int_equal(read[len], '\0');
            free(read);
        }
        if (sizes[i] == 0)
            continue;
        char what[48];
        snprintf(what, sizeof what, "larger than %zu bytes", sizes[i] - 1);
        assert_refused(file_read(path, sizes[i] - 1, &read, NULL, &err), &err, what);
    }
    free(text);
}

static void test_what_is_not_a_file_is_refused_and_not_waited_for(void **state)
{
    (void)state;
    char *text;
    struct error err;
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_refused(file_read(path, 10, &text, NULL, &err), &err, "not a regular file");
    assert_refused(file_read_secret(path, &text, &err), &err, "not a regular file");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_refused(file_read(path, 10, &text, NULL, &err), &err, "not a regular file");
    assert_int_equal(rmdir(path), 0);
}

static void assert_holds(const char *expected, size_t expected_len)
{
    char *text;
    size_t len;
    struct error err;
    assert_int_equal(file_read(path, 100000, &text, &len, &err), ST_OK);
    assert_int_equal(len, expected_len);
    assert_memory_equal(text, expected, len);
    free(text);
}

static void test_a_file_is_replaced_whole_or_not_at_all(void **state)
{
    (void)state;
    static const char large[100000] = "x";
    struct error err;
    struct stat about;
    char *part = mem_printf("%s.part", path);
    write_file("old", 3, 0644);
    assert_int_equal(symlink("/nowhere", part), 0); /* what a crash, or somebody, left there */
    assert_int_equal(file_replace(path, large, sizeof large, &err), ST_OK);
    assert_holds(large, sizeof large);
    assert_int_equal(stat(path, &about), 0);
    assert_int_equal(about.st_mode & 07777, 0600);
    assert_int_equal(file_replace(path, "", 0, &err), ST_OK);
    assert_holds("", 0);
    assert_int_equal(file_replace(path, "new", 3, &err), ST_OK);

    struct rlimit before, small;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = (struct rlimit){50000, before.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    enum status status = file_replace(path, large, sizeof large, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_DFL);
    assert_int_equal(status, ST_STORAGE);
    assert_ptr_equal(strstr(err.text, path), err.text);
    assert_holds("new", 3);
    assert_int_equal(access(part, F_OK), -1);
    free(part);
    assert_int_equal(file_replace("/nowhere/x", "", 0, &err), ST_STORAGE);
}

static void test_a_path_is_taken_from_the_folder_of_the_file_that_names_it(void **state)
{
    (void)state;
    static const struct {
        const char *base, *path, *result;
    } cases[] = {{"/etc/park/agent.cfg", "secret", "/etc/park/secret"}, {"agent.cfg", "secret", "secret"},
        {"/agent.cfg", "secret", "/secret"}, {"a/agent.cfg", "../b/c", "a/../b/c"},
        {"/etc/x.cfg", "/run/s", "/run/s"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *result = file_beside(cases[i].base, cases[i].path);
        assert_string_equal(result, cases[i].result);
        free(result);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_a_secret_is_the_first_line_without_its_end, remove_file),
        cmocka_unit_test_teardown(test_a_secret_that_cannot_be_one_is_named_with_its_mistake, remove_file),
        cmocka_unit_test_teardown(test_a_file_is_read_whole_up_to_its_limit, remove_file),
        cmocka_unit_test_teardown(test_what_is_not_a_file_is_refused_and_not_waited_for, remove_file),
        cmocka_unit_test_teardown(test_a_file_is_replaced_whole_or_not_at_all, remove_file),
        cmocka_unit_test(test_a_path_is_taken_from_the_folder_of_the_file_that_names_it),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
