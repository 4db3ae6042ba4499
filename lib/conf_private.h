/* What lib/conf.c, lib/conf_value.c and lib/conf_help.c share. */
#pragma once

#include "lib/conf.h"

#include <libconfig.h>

struct conf_file;

/* Reads the setting of a plain key (not a group or list) into `object`, or reports why not. */
void conf_read_value(struct conf *c, const struct conf_where *where, const struct conf_key *key,
    config_setting_t *setting, void *object);
/* Stores the fallback of a key that is absent. */
void conf_use_fallback(struct conf *c, const struct conf_where *where, const struct conf_key *key, void *object);

/* A string of the struct conf. */
char *conf_strdup(struct conf *c, const char *text);
void conf_problem_at(struct conf *c, const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
