/*
 * Wall time of a place: offsets from the system's tzdata for several zones at once, which the C library's
 * process-wide TZ cannot give. Immutable after creation: any thread. Source: RFC 8536 (TZif), POSIX TZ for
 * the time after the last listed change.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Whether `name` ("Asia/Shanghai") is a zone file below TZDIR, or /usr/share/zoneinfo; never a path that
 * leaves that folder. */
bool zone_is_known(const char *name);

struct zone;

/* Reads <TZDIR or /usr/share/zoneinfo>/<name>. A zone that is missing or malformed, and NULL, is UTC. */
struct zone *zone_create(const char *name);
void zone_destroy(struct zone *zone); /* accepts NULL */

/* Seconds east of UTC at an instant. A NULL zone is UTC. */
int32_t zone_offset_s(const struct zone *zone, int64_t time_ms);

/* RFC 3339 with milliseconds and offset: 2026-10-01T16:00:00.123+08:00; Z for a NULL zone. NUL-terminated. */
#define ZONE_TIME_SIZE 40
void zone_format_time(const struct zone *zone, int64_t time_ms, char text[static ZONE_TIME_SIZE]);
