/*
 * What a calendar's wall times mean in UTC. A name is a zone of tzdata ("Asia/Shanghai", also at the end of a path, as
 * some programs write it), a name of Microsoft's (windows_zone.h), or what a VTIMEZONE of the file says. Zones of the
 * system are read by collector/model/zone.h: libical's own agree with it (design, 12), but are process-wide, and cannot
 * say that a name is unknown. Where the system and the file's VTIMEZONE differ, a time is what either says; where a
 * name means nothing, it is any time that some place on Earth could mean. Pure but for tzdata.
 *
 * A time that comes twice is the first, one that is left out counts by the offset before (RFC 5545, 3.3.5).
 */
#pragma once

#include "collector/model/zone.h"
#include "lib/ical.h"

#define ICAL_ZONE_EAST_S (14 * 3600) /* of the places of tzdata, east and west of UTC */
#define ICAL_ZONE_WEST_S (12 * 3600)

/* The instants that a time can mean; one where both are the same. */
struct instant {
    int64_t earliest_ms, latest_ms;
};

enum ical_zone_doubt {
    ICAL_ZONE_CERTAIN,
    ICAL_ZONE_UNKNOWN, /* no such name, and no VTIMEZONE that can be read */
    ICAL_ZONE_DIFFERS, /* the file's VTIMEZONE says another offset than the system */
};

struct ical_zones;

/* `site` (borrowed; NULL = UTC) is meant by a time without a zone, where the file has no X-WR-TIMEZONE that is known. Rules
 * of the file's zones are expanded from `begin_ms` - 2 years to `end_ms` + 1 year. `lines` is borrowed. */
struct ical_zones *ical_zones_create(
    const struct ical_lines *lines, const struct zone *site, int64_t begin_ms, int64_t end_ms);
void ical_zones_destroy(struct ical_zones *zones); /* accepts NULL */

struct ical_zone;
/* The zone of a line: UTC, its TZID, or that of a time without one. Never NULL; owned by `zones`. */
const struct ical_zone *ical_zone_of(
    struct ical_zones *zones, const struct ical_line *line, const struct ical_time *time);
struct instant ical_zone_instant(
    const struct ical_zone *zone, int64_t local_s, enum ical_zone_doubt *ret_doubt);
