/* What lib/conf*.c share. */
#pragma once

#include "lib/conf.h"

#include <libconfig.h>
#include <stdarg.h>

struct conf_problem_line {
    const char *file;
    int line;           /* 0 = the file as a whole */
    const char *place;  /* path and key; NULL where it is no key's */
    bool is_of_reading; /* told by the tables, not by a check */
    size_t order;
    char *text;
};

struct conf {
    char *text; /* of the first file, as it was read; NULL = it could not be */
    size_t text_len;
    config_t **files; /* kept: conf_problem looks up lines in them */
    size_t file_count, file_capacity;
    void **blocks;
    size_t block_count, block_capacity;
    struct conf_problem_line *problems;
    size_t problem_count, problem_capacity;
    size_t problems_untold; /* beyond CONF_PROBLEMS_MAX */
    bool has_scan_problems; /* only then the marks of lib/conf_scan.h mean something */
};

/* A string of the struct conf. */
char *conf_strdup(struct conf *c, const char *text);

/* conf_problem for what the tables say about a key. */
void conf_refuse(struct conf *c, const struct conf_where *where, const char *key, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* A problem whose text says its own path; line 0 = the file as a whole. `file` must live as long as `c`. */
void conf_problem_at(struct conf *c, const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Whether this value stands for one that lib/conf_scan.c could not read, and told. */
bool conf_is_reported(const struct conf *c, const config_setting_t *setting);
/* Reads the setting of a plain key (not a group or list) into `object`; false where it was refused:
 * it then has its fallback, if any. */
bool conf_read_value(struct conf *c, const struct conf_where *where, const struct conf_key *key,
    config_setting_t *setting, void *object);
/* Stores the fallback of a key that is absent or was refused. */
void conf_use_fallback(
    struct conf *c, const struct conf_where *where, const struct conf_key *key, void *object);
