/*
 * `--replay`: dated readings from a CSV file into the same spool, batches and acknowledgements as live ones.
 * Each row is point,value,time: a point of the settings, its value in base units, and the time in
 * milliseconds since 1970 UTC or as RFC 3339. A first row "point,value,time" is a heading; empty rows and
 * those that begin with '#' are comments.
 */
#pragma once

#include "agent/deliver/deliver.h"

struct replay_point {
    const char *name;
    enum reading_kind kind;
    uint32_t index; /* what readings call it: its place in deliver_options.points */
};

/* By name, as the functions below expect them. */
void replay_sort_points(struct replay_point *points, size_t count);

/* Reads one row; ST_INVALID says what is wrong and what is expected. reading.text points into `line`, which
 * is changed. */
enum status replay_parse(char *line, const struct replay_point *points, size_t count,
    struct spool_reading *ret, struct error *err);

/* Reads the file twice: first every row is checked, then all are put. On ST_INVALID a line for every mistake
 * (of the first 1000) with file and line stands on stderr, and nothing was put. Shows progress on a terminal.
 * Returns when everything is acknowledged, or with ST_TIMEOUT when `should_stop` says so: what was put stays
 * in the spool, and the same file may be replayed again. */
enum status replay_file(const char *path, const struct replay_point *points, size_t count,
    struct deliver *deliver, const struct clock *clock, bool (*should_stop)(void), struct error *err);
