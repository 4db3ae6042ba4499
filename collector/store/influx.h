/*
 * The calls of the InfluxDB 1.x API that Parkmon makes: prepare (database and retention policy) and write.
 * One thread, but for influx_cancel. Source: InfluxDB 1.x "API reference".
 */
#pragma once

#include "collector/store/answer.h"

struct influx;

#define INFLUX_RAW_POLICY "raw"

struct influx_options {
    const char *url, *database;
    const char *user, *password; /* NULL = none */
    int64_t raw_retention_days;  /* 0 = for ever */
    int timeout_ms;
};

/* Copies what it needs. */
struct influx *influx_create(const struct influx_options *options);
void influx_destroy(struct influx *influx); /* accepts NULL */

/* Creates the database and the policy INFLUX_RAW_POLICY where they are missing, and gives the policy its
 * duration where it has another. Rights to look are enough where all is as it should be. ANSWER_ACCEPTED,
 * ANSWER_CONFIGURATION or ANSWER_BACK_OFF. Blocks. */
struct answer influx_prepare(struct influx *influx);
/* How long the store keeps raw readings, in days, as far as is known: the setting, or, where the policy could not
 * be given it, what the policy has. 0 = for ever. */
int64_t influx_raw_kept_days(const struct influx *influx);
/* True once after influx_prepare had to make the database or the policy INFLUX_RAW_POLICY: the raw readings that were
 * there, if there were any, are gone. */
bool influx_take_made(struct influx *influx);
/* Writes lines with times in milliseconds; `policy` NULL = the database's default. Blocks. */
struct answer influx_write(struct influx *influx, const char *policy, struct span lines);
/* How many points with this field the store holds of a measurement in [from_ms, to_ms). ANSWER_ACCEPTED: *ret is
 * set; else nothing can be said now. Blocks. */
struct answer influx_count(struct influx *influx, const char *policy, const char *measurement,
    const char *field, int64_t from_ms, int64_t to_ms, int64_t *ret);
/* Deletes the points of a measurement in [from_ms, to_ms), in every retention policy. ANSWER_ACCEPTED, or not done.
 * Blocks. */
struct answer influx_delete(struct influx *influx, const char *measurement, int64_t from_ms, int64_t to_ms);
/* The same of those points alone that have one of `count` values of a tag. */
struct answer influx_delete_tagged(struct influx *influx, const char *measurement, const char *tag,
    const char *const *values, size_t count, int64_t from_ms, int64_t to_ms);
/* Makes a blocked call of another thread return soon, and every later one. */
void influx_cancel(struct influx *influx);
