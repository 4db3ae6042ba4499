/* Gives every file of a folder to the target, in order of their names; fails where there is none. */
#include "tests/fuzz/fuzz.h"

#include "lib/file.h"
#include "lib/mem.h"

#include <dirent.h>
#include <string.h>

#define FILE_MAX (16 * 1024 * 1024)

const char *fuzz_file = "";

static int is_shown(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static void give(const char *path)
{
    char *text;
    size_t len;
    struct error err;
    if (file_read(path, FILE_MAX, &text, &len, &err) != ST_OK) {
        fprintf(stderr, "%s\n", err.text);
        exit(1);
    }
    /* A copy of its own size, so that the sanitizer sees each byte that is read beyond it. */
    uint8_t *data = mem_alloc(len);
    memcpy(data, text, len);
    free(text);
    fuzz_file = path;
    LLVMFuzzerTestOneInput(data, len);
    free(data);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
        return 64;
    }
    struct dirent **entries;
    int count = scandir(argv[1], &entries, is_shown, alphasort);
    if (count < 0)
        perror(argv[1]);
    for (int i = 0; i < count; i++) {
        char *path = mem_printf("%s/%s", argv[1], entries[i]->d_name);
        give(path);
        free(path);
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
    printf("%d files given\n", count);
    return count > 0 ? 0 : 1;
}
