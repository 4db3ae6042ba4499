/*
 * What the report's bench reports on: meters in trees of fifty, on one site, with a tariff; two years of quarter hours; as a
 * park of that size has it, monthly readings by hand of a fifth of the meters for five years, twenty-three closed months,
 * with adjusting entries of a tenth of the meters in each, and a baseline of temperature.
 */
#pragma once

#include "lib/status.h"

#include <stdint.h>

#define BENCH_TREE 50
#define BENCH_YEAR_QUARTERS INT64_C(35040) /* of 2025, and of 2026 */

struct bench {
    const char *folder;
    int64_t meters;
    char *database, *park, *tariffs; /* files */
};

/* Wh that the i-th quarter hour since 2025 of a meter used; the first of each tree has all of it, and some more. */
int64_t bench_used(const struct bench *b, int64_t meter, int64_t i);
/* Both files. A failure ends the program. */
void bench_write_park(const struct bench *b);
/* The database. */
enum status bench_fill(const struct bench *b, struct error *err);
