/*
 * Hours that a rebuild has deleted in the store and not written whole again: a list in a file beside the database
 * ("<database>.rebuild"), so that one that is killed or fails leaves no hole that nobody knows of. The next rebuild
 * or the collector makes them whole. The file is locked while a rebuild runs, and never removed.
 */
#pragma once

#include "collector/store/hours.h"
#include "lib/status.h"

#include <stdbool.h>

struct unfinished {
    char *path;
    int fd;
    struct hour_list hours;
};

/* For the rebuild that begins, with what an earlier one left. ST_UNREACHABLE: another one runs. ST_STORAGE: nothing
 * can be noted here. */
enum status unfinished_open(struct unfinished *u, const char *database, struct error *err);
void unfinished_close(
    struct unfinished *u); /* accepts one that could not be opened; what is left stays noted */
/* On disk when it returns ST_OK. */
enum status unfinished_add(struct unfinished *u, const struct hour *hour, struct error *err);
enum status unfinished_remove(struct unfinished *u, const struct hour *hour, struct error *err);
/* The same for hours that follow one another, half-open. */
enum status unfinished_add_span(
    struct unfinished *u, struct span measurement, int64_t from, int64_t to, struct error *err);
enum status unfinished_remove_span(
    struct unfinished *u, struct span measurement, int64_t from, int64_t to, struct error *err);

/* For the collector: adds what a rebuild left that runs no more. False: nothing, or one runs. */
bool unfinished_look(const char *database, struct hour_list *ret);
/* It has made sure of these: they are forgotten, where nothing was noted since. */
void unfinished_forget(const char *database, const struct hour_list *hours);
