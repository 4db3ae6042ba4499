/*
 * From readings and counts to the quarter hours of a space (collector/space/tables.h): what may have changed is reckoned
 * anew, so that in the end each row says what all readings and counts say, in whatever order they came. Within the core's
 * transaction.
 *
 * After the last reading of a point nothing is known; the corrected series is known between two anchors when a door was
 * heard at or after the second.
 */
#pragma once

#include "collector/space/passages.h"
#include "collector/space/rows.h"
#include "collector/space/sample.h"

/* The doors of a space. */
struct reckon_doors {
    const char *space;
    const struct zone *zone;
    int reset_min; /* below 0: none */
    const struct door_points *doors;
    size_t count;
    int64_t live, corrected; /* of space_source */
};

/* Readings or counts came between these times (both included). */
enum status reckon_doors(
    struct db *db, const struct reckon_doors *d, int64_t from_ms, int64_t until_ms, struct error *err);

struct reckon_sensor {
    int64_t point, source;
    bool is_count;
    int64_t limit; /* else: above it somebody is there; in thousandths of what it tells */
    int64_t hold_ms, gap_ms;
};
enum status reckon_sensor(
    struct db *db, const struct reckon_sensor *s, int64_t from_ms, int64_t until_ms, struct error *err);
