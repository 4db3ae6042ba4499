/* Zip files: what comes back is what went in, the same parts are the same bytes, and no changed bit goes unnoticed but for
 * those behind the end of a part's last byte, which say nothing. */
#include "lib/zip.h"

#include "lib/file.h"
#include "lib/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct part {
    const char *name, *text;
} parts[] = {
    {"a.csv", "time,register\r\n1,2\r\n"}, {"readings/b-1.csv", ""}, {"manifest.txt", "x x x x x x x x x\n"}};
#define PARTS (sizeof parts / sizeof parts[0])

static char path[] = "/tmp/parkmon-test-zip-XXXXXX";

static int make_path(void **state)
{
    (void)state;
    int fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int remove_path(void **state)
{
    (void)state;
    return unlink(path);
}

static void write_all(void)
{
    struct zip_writer w = {.file = fopen(path, "w")};
    struct error err = {""};
    for (size_t i = 0; i < PARTS; i++)
        assert_int_equal(zip_add(&w, parts[i].name, span_of(parts[i].text), &err), ST_OK);
    assert_int_equal(zip_end(&w, &err), ST_OK);
    assert_int_equal(fclose(w.file), 0);
    zip_release_writer(&w);
}

static void put(const char *bytes, size_t length)
{
    FILE *file = fopen(path, "w");
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
}

/* False: it is refused, with a reason. */
static bool read_all(void)
{
    struct zip *z;
    struct error err = {""};
    struct buf text = {0};
    enum status status = zip_open(path, &z, &err);
    if (status != ST_OK) {
        assert_true(status == ST_INVALID && err.text[0] != '\0');
        return false;
    }
    for (size_t i = 0; i < zip_count(z) && status == ST_OK; i++) {
        buf_reset(&text);
        status = zip_read(z, i, &text, &err);
        if (status != ST_OK)
            break;
        assert_true(i < PARTS);
        assert_string_equal(zip_name(z, i), parts[i].name);
        assert_string_equal(text.data != NULL ? text.data : "", parts[i].text);
    }
    bool is_whole = status == ST_OK && zip_count(z) == PARTS;
    buf_release(&text);
    zip_close(z);
    return is_whole;
}

static void test_what_was_written_comes_back_and_is_the_same_bytes_each_time(void **state)
{
    (void)state;
    char *first, *again;
    size_t length, length_again;
    struct error err;
    write_all();
    assert_true(read_all());
    assert_int_equal(file_read(path, 1 << 20, &first, &length, &err), ST_OK);
    write_all();
    assert_int_equal(file_read(path, 1 << 20, &again, &length_again, &err), ST_OK);
    assert_int_equal(length, length_again);
    assert_memory_equal(first, again, length);
    free(first);
    free(again);
}

static void test_no_changed_bit_and_no_cut_goes_unnoticed(void **state)
{
    (void)state;
    char *bytes;
    size_t length;
    struct error err;
    write_all();
    assert_int_equal(file_read(path, 1 << 20, &bytes, &length, &err), ST_OK);
    size_t unnoticed = 0;
    for (size_t bit = 0; bit < 8 * length; bit++) {
        bytes[bit / 8] = (char)(bytes[bit / 8] ^ 1 << bit % 8);
        put(bytes, length);
        unnoticed += read_all(); /* what is read is the same even so */
        bytes[bit / 8] = (char)(bytes[bit / 8] ^ 1 << bit % 8);
    }
    assert_true(unnoticed <= 7 * PARTS);
    for (size_t cut = 0; cut < length; cut++) {
        put(bytes, cut);
        assert_false(read_all());
    }
    free(bytes);
}

static void test_a_part_that_is_too_large_is_refused(void **state)
{
    (void)state;
    struct zip_writer w = {.file = fopen(path, "w")};
    struct error err = {""};
    char one = 'x';
    assert_int_equal(zip_add(&w, "a", (struct span){&one, ZIP_PART_MAX + 1}, &err), ST_INVALID);
    assert_non_null(strstr(err.text, "more than a part may be"));
    assert_int_equal(w.count, 0);
    assert_int_equal(fclose(w.file), 0);
    zip_release_writer(&w);
}

/* A part "a" without a byte that says it takes this much of the file, which has it. */
static enum status open_padded(uint32_t packed, struct error *err)
{
    static const unsigned char head[] = {20, 0, 0, 0, 8, 0, 0, 0, 0x21, 0x5a, 0, 0, 0, 0};
    struct buf file = {0}, central = {0};
    struct zip *z = NULL;
    const unsigned char sizes[] = {
        (unsigned char)packed, (unsigned char)(packed >> 8), 0, 0, 0, 0, 0, 0, 1, 0, 0, 0};
    buf_add(&file, "PK\3\4", 4);
    buf_add(&file, head, sizeof head);
    buf_add(&file, sizes, sizeof sizes);
    buf_add(&file, "a", 1);
    for (uint32_t i = 0; i < packed; i++)
        buf_add_char(&file, '\0');
    const unsigned char begin[] = {(unsigned char)file.len, (unsigned char)(file.len >> 8), 0, 0};
    buf_add(&central, "PK\1\2\24", 6);
    buf_add(&central, head, sizeof head);
    buf_add(&central, sizes, sizeof sizes);
    buf_add(&central, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0a", 15);
    buf_add(&file, central.data, central.len);
    const unsigned char end[] = {'P', 'K', 5, 6, 0, 0, 0, 0, 1, 0, 1, 0, (unsigned char)central.len, 0, 0, 0};
    buf_add(&file, end, sizeof end);
    buf_add(&file, begin, sizeof begin);
    buf_add(&file, "\0", 2);
    put(file.data, file.len);
    enum status status = zip_open(path, &z, err);
    zip_close(z);
    buf_release(&file);
    buf_release(&central);
    return status;
}

/* Else a file of 4 GiB with a part of nothing takes as much memory. */
static void test_a_part_takes_no_more_of_the_file_than_it_can_have_when_packed(void **state)
{
    (void)state;
    struct error err = {""};
    assert_int_equal(open_padded(64, &err), ST_OK);
    assert_int_equal(open_padded(65, &err), ST_INVALID);
    assert_non_null(strstr(err.text, "a directory that is damaged"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_was_written_comes_back_and_is_the_same_bytes_each_time),
        cmocka_unit_test(test_no_changed_bit_and_no_cut_goes_unnoticed),
        cmocka_unit_test(test_a_part_that_is_too_large_is_refused),
        cmocka_unit_test(test_a_part_takes_no_more_of_the_file_than_it_can_have_when_packed),
    };
    return cmocka_run_group_tests(tests, make_path, remove_path);
}
