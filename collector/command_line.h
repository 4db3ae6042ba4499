/*
 * What the commands of park-collector that write have in common: how they read their options, say what is wrong, and get
 * at the settings. Main thread, of a program that is nothing else.
 */
#pragma once

#include "collector/settings.h"
#include "lib/status.h"

#include <stdbool.h>
#include <stddef.h>

struct command_option {
    const char *name;   /* without "--" */
    const char **place; /* its value; of a flag "true"; NULL before */
    bool is_flag;
};
#define COMMAND_OPTIONS_MAX 32

/* -1: they are read, each at most once, and optind is at what is no option; or "help" was read, and no more. Else
 * the exit code. */
int command_line_read(
    int argc, char **argv, const char *usage, const struct command_option *options, size_t count);
/* These say what is wrong, and return the exit code. */
int command_line_refuse(const char *usage, const char *why, const char *what);
int command_line_complain(const struct error *err, int code);
/* EXIT_OK where nothing is. */
int command_line_end(enum status status, const struct error *err);
/* A text for people: of 1 to `max` bytes of UTF-8, not blank, without control characters. */
bool command_line_is_text(const char *text, size_t max);
/* Who does it, for the log of changes: the user of this machine, and before him the name that was given (NULL = none).
 * The caller frees it. */
char *command_line_who(const char *name);
/* With the settings of that file, or EXIT_CONFIG with its mistakes. */
int command_line_perform(const char *config,
    int (*perform)(const struct collector_settings *settings, void *context), void *context);
