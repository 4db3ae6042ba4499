/* Settings files, whatever program's: written to a folder of the fuzzer's own, loaded, and what the loader
 * says is held against what it promises. */
#pragma once

#include "lib/conf.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>
#include <unistd.h>

/* libconfig forgets the text of a string in which, or after which, a file cannot be parsed. Such a file ends the
 * program. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libconfig.so\n";
}

static char settings_folder[64], settings_path[80];

/* A register map that a device of the input may name. */
static const char settings_map[] = "points = ({ name = \"energy\"; kind = \"register\"; address = 0; type = "
                                   "\"u32\"; scale = \"10\"; unit = \"Wh\"; });\n";

static inline void settings_write(const char *path, const void *data, size_t size)
{
    FILE *file = fopen(path, "w");
    LAW(file != NULL && fwrite(data, 1, size, file) == size && fclose(file) == 0, "%s cannot be written",
        path);
}

static inline void settings_remove(void)
{
    char map[80];
    snprintf(map, sizeof map, "%s/map.cfg", settings_folder);
    unlink(map);
    unlink(settings_path);
    rmdir(settings_folder);
}

/* The path of a file that holds the input. */
static inline const char *settings_file(const uint8_t *data, size_t size)
{
    if (settings_folder[0] == '\0') {
        /* In memory where that can be had: a disk would be most of the time. */
        snprintf(settings_folder, sizeof settings_folder, "%s/parkmon-fuzz-XXXXXX",
            access("/dev/shm", W_OK) == 0 ? "/dev/shm" : P_tmpdir);
        LAW(mkdtemp(settings_folder) != NULL, "no folder");
        snprintf(settings_path, sizeof settings_path, "%s/map.cfg", settings_folder);
        settings_write(settings_path, settings_map, sizeof settings_map - 1);
        snprintf(settings_path, sizeof settings_path, "%s/it.cfg", settings_folder);
        atexit(settings_remove);
    }
    settings_write(settings_path, data, size);
    return settings_path;
}

/* Each problem is one line that people can read and that begins with a file; as many as are counted. True
 * where there is none. */
static inline bool settings_are_sound(const struct conf *c)
{
    char *text = NULL;
    size_t len, count = 0;
    FILE *out = open_memstream(&text, &len);
    conf_print_problems(c, out);
    fclose(out);
    for (char *line = text, *end; *line != '\0'; line = end + 1, count++) {
        end = strchr(line, '\n');
        LAW(end != NULL, "a problem without an end: %s", line);
        *end = '\0';
        LAW(strncmp(line, settings_folder, strlen(settings_folder)) == 0, "a problem of no file: %s", line);
        LAW(text_is_utf8(span_of(line)) && !text_has_control(span_of(line)),
            "a problem that people cannot read");
    }
    LAW(count == conf_problem_count(c) ||
            (conf_problem_count(c) == CONF_PROBLEMS_MAX && count == CONF_PROBLEMS_MAX + 1),
        "%zu problems are counted, %zu told", conf_problem_count(c), count);
    free(text);
    return conf_problem_count(c) == 0;
}
