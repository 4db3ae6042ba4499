/*
 * Wall time of a place: offsets from the system's tzdata for several zones at once, which the C library's
 * process-wide TZ cannot give. Immutable after creation: any thread. Source: RFC 8536 (TZif), POSIX TZ for
 * the time after the last listed change.
 */
#pragma once

#include <stdint.h>

struct local_zone;

/* Reads <TZDIR or /usr/share/zoneinfo>/<name>. A zone that is missing or malformed, and NULL, is UTC. */
struct local_zone *local_zone_create(const char *name);
void local_zone_destroy(struct local_zone *zone); /* accepts NULL */

/* Seconds east of UTC at an instant. A NULL zone is UTC. */
int32_t local_zone_offset_s(const struct local_zone *zone, int64_t time_ms);

/* RFC 3339 with milliseconds and offset: 2026-10-01T16:00:00.123+08:00; Z for a NULL zone. NUL-terminated. */
#define LOCAL_TIME_SIZE 40
void local_time_format(const struct local_zone *zone, int64_t time_ms, char text[static LOCAL_TIME_SIZE]);
