/* A zip file that a stranger gave, as it lies on the disk. */
#include "lib/mem.h"
#include "lib/zip.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* What was read, written again, is read as the same. */
static void check(struct zip *z)
{
    struct buf text = {0}, again = {0};
    struct error err = {""};
    int fd = memfd_create("again", 0), other = dup(fd);
    struct zip_writer w = {.file = fdopen(other, "w")};
    size_t count = 0;
    for (; count < zip_count(z); count++) {
        buf_reset(&text);
        if (zip_read(z, count, &text, &err) != ST_OK)
            break;
        LAW(text.len <= ZIP_PART_MAX, "a part that is too large");
        LAW(zip_add(&w, zip_name(z, count), (struct span){text.data != NULL ? text.data : "", text.len},
                &err) == ST_OK,
            "what was read cannot be written: %s", err.text);
    }
    LAW(zip_end(&w, &err) == ST_OK && fclose(w.file) == 0, "cannot be written: %s", err.text);
    char *path = mem_printf("/proc/self/fd/%d", fd);
    struct zip *second;
    LAW(zip_open(path, &second, &err) == ST_OK && zip_count(second) == count,
        "what was written is refused: %s", err.text);
    for (size_t i = 0; i < count; i++) {
        buf_reset(&text);
        buf_reset(&again);
        LAW(zip_read(z, i, &text, &err) == ST_OK && zip_read(second, i, &again, &err) == ST_OK,
            "read once only: %s", err.text);
        LAW(text.len == again.len && (text.len == 0 || memcmp(text.data, again.data, text.len) == 0) &&
                strcmp(zip_name(z, i), zip_name(second, i)) == 0,
            "a part is read back as another");
    }
    zip_close(second);
    zip_release_writer(&w);
    close(fd);
    free(path);
    buf_release(&text);
    buf_release(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int fd = memfd_create("zip", 0);
    char *path = mem_printf("/proc/self/fd/%d", fd);
    struct zip *z;
    struct error err = {""};
    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    if (zip_open(path, &z, &err) == ST_OK) {
        check(z);
        zip_close(z);
    } else {
        LAW(err.text[0] != '\0', "refused without a reason");
    }
    free(path);
    close(fd);
    return 0;
}
