#include "collector/instrument/ical_zone.h"

#include "collector/instrument/windows_zone.h"
#include "lib/mem.h"
#include "lib/text.h"

#include <stdlib.h>
#include <string.h>

#define NAME_SIZE 128
#define ZONES_MAX 64     /* further names are unknown */
#define ONSETS_MAX 20000 /* of one VTIMEZONE */
#define STEPS 2000000
#define DAY_S INT64_C(86400)
#define YEAR_S (366 * DAY_S)

struct onset {
    int64_t time_s; /* UTC */
    int32_t before_s, after_s;
};

struct ical_zone {
    char name[NAME_SIZE];
    bool is_site, is_utc;
    const struct zone *system; /* NULL = not known, unless it is_site or is_utc */
    struct zone *owned;
    struct onset *onsets; /* of the file; ascending */
    size_t onset_count, onset_capacity;
    bool is_unread; /* the file has one of this name that cannot be read */
};

struct ical_zones {
    struct ical_zone *items[ZONES_MAX];
    size_t count;
    struct ical_zone *floating;
    struct ical_zone utc, unknown;
    struct ical_zone site;
    int64_t begin_s, end_s;
    int64_t steps;
};

/* ---- the file's ---- */

/* What a STANDARD or DAYLIGHT says. */
struct observance {
    bool has_start, has_before, has_after, is_bad;
    struct ical_time start;
    int32_t before_s, after_s;
    struct ical_rule rules[4];
    int rule_count;
    int64_t dates[64];
    int date_count;
};

static void read_dates(struct observance *o, const struct ical_line *line)
{
    struct span rest = line->value, part;
    struct ical_time time;
    while (ical_next_part(&rest, ',', &part)) {
        if (o->date_count == 64 || !ical_time_read(part, &time)) {
            o->is_bad = true;
            return;
        }
        /* A UTC one is meant as the onset itself. */
        o->dates[o->date_count++] = time.local_s + (time.is_utc ? o->before_s : 0);
    }
}

static void read_observance_line(struct observance *o, const struct ical_line *line)
{
    if (ical_is(line->name, "DTSTART"))
        o->has_start = ical_time_read(line->value, &o->start) && !o->start.is_utc;
    else if (ical_is(line->name, "TZOFFSETFROM"))
        o->has_before = ical_offset_read(line->value, &o->before_s);
    else if (ical_is(line->name, "TZOFFSETTO"))
        o->has_after = ical_offset_read(line->value, &o->after_s);
    else if (ical_is(line->name, "RRULE")) {
        if (o->rule_count == 4 || !ical_rule_read(line->value, &o->rules[o->rule_count++]))
            o->is_bad = true;
    } else if (ical_is(line->name, "RDATE"))
        read_dates(o, line);
}

static void add_onset(struct ical_zone *z, const struct observance *o, int64_t local_s)
{
    if (z->onset_count >= ONSETS_MAX)
        return;
    MEM_GROW(z->onsets, z->onset_count, z->onset_capacity);
    z->onsets[z->onset_count++] = (struct onset){local_s - o->before_s, o->before_s, o->after_s};
}

static void add_rule(
    struct ical_zones *zones, struct ical_zone *z, const struct observance *o, const struct ical_rule *rule)
{
    int64_t to_s = zones->end_s + YEAR_S, from_s = zones->begin_s - 2 * YEAR_S, until_s = INT64_MAX, ignored;
    if (rule->has_until) {
        until_s = rule->until.local_s + (rule->until.is_utc ? o->before_s : 0);
        if (rule->until.is_date)
            until_s += DAY_S - 1;
    }
    if (until_s < to_s)
        to_s = until_s + 1;
    if (from_s > to_s - 2 * YEAR_S)
        from_s = to_s - 2 * YEAR_S;
    struct recur_times times = {0};
    if (!recur_expand(
            &rule->recur, o->start.local_s, from_s, to_s, &zones->steps, ONSETS_MAX, &times, &ignored))
        z->is_unread = true;
    for (size_t i = 0; i < times.count; i++)
        add_onset(z, o, times.items[i]);
    free(times.items);
}

static void add_observance(struct ical_zones *zones, struct ical_zone *z, const struct observance *o)
{
    if (o->is_bad || !o->has_start || !o->has_before || !o->has_after) {
        z->is_unread = true;
        return;
    }
    add_onset(z, o, o->start.local_s);
    for (int i = 0; i < o->date_count; i++)
        add_onset(z, o, o->dates[i]);
    for (int i = 0; i < o->rule_count; i++)
        add_rule(zones, z, o, &o->rules[i]);
}

static int by_time(const void *a, const void *b)
{
    const struct onset *x = a, *y = b;
    return (x->time_s > y->time_s) - (x->time_s < y->time_s);
}

static int32_t onset_offset_s(const struct ical_zone *z, int64_t time_s)
{
    size_t low = 0, high = z->onset_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (z->onsets[middle].time_s <= time_s)
            low = middle + 1;
        else
            high = middle;
    }
    return low == 0 ? z->onsets[0].before_s : z->onsets[low - 1].after_s;
}

/* ---- names ---- */

static void copy_name(struct span name, char text[static NAME_SIZE])
{
    size_t len = name.len < NAME_SIZE - 1 ? name.len : NAME_SIZE - 1;
    memcpy(text, name.at, len);
    text[len] = '\0';
}

/* "/vendor/20070227_1/Europe/Berlin" is Europe/Berlin: the longest end that is a zone. */
static const char *system_name(const char *name)
{
    for (const char *at = name; at != NULL; at = strchr(at, '/')) {
        at += *at == '/';
        if (zone_is_known(at))
            return at;
    }
    const char *windows = windows_zone(name);
    return windows != NULL && zone_is_known(windows) ? windows : NULL;
}

static struct ical_zone *find(struct ical_zones *zones, struct span name)
{
    char text[NAME_SIZE];
    copy_name(name, text);
    for (size_t i = 0; i < zones->count; i++)
        if (strcmp(zones->items[i]->name, text) == 0)
            return zones->items[i];
    if (zones->count == ZONES_MAX || name.len >= NAME_SIZE)
        return &zones->unknown;
    struct ical_zone *z = mem_zalloc(sizeof *z);
    memcpy(z->name, text, sizeof text);
    const char *known = system_name(text);
    if (known != NULL)
        z->system = z->owned = zone_create(known);
    zones->items[zones->count++] = z;
    return z;
}

/* Reads a VTIMEZONE that begins at `i`; returns its last line. */
static size_t read_vtimezone(struct ical_zones *zones, const struct ical_lines *lines, size_t i)
{
    struct span name = {0};
    size_t end = i;
    for (; end < lines->count; end++) {
        const struct ical_line *line = &lines->items[end];
        if (ical_is(line->name, "TZID"))
            name = line->value;
        if (ical_is(line->name, "END") && ical_is(line->value, "VTIMEZONE"))
            break;
    }
    if (name.len == 0)
        return end;
    struct ical_zone *z = find(zones, name);
    if (z == &zones->unknown || z->onset_count > 0)
        return end;
    struct observance o = {0};
    for (size_t j = i + 1; j < end; j++) {
        const struct ical_line *line = &lines->items[j];
        if (ical_is(line->name, "BEGIN"))
            o = (struct observance){0};
        else if (ical_is(line->name, "END"))
            add_observance(zones, z, &o);
        else
            read_observance_line(&o, line);
    }
    z->is_unread = z->is_unread || z->onset_count == 0;
    if (z->onset_count > 0)
        qsort(z->onsets, z->onset_count, sizeof *z->onsets, by_time);
    return end;
}

struct ical_zones *ical_zones_create(
    const struct ical_lines *lines, const struct zone *site, int64_t begin_ms, int64_t end_ms)
{
    struct ical_zones *zones = mem_zalloc(sizeof *zones);
    zones->begin_s = begin_ms / 1000;
    zones->end_s = end_ms / 1000;
    zones->steps = STEPS;
    zones->utc.is_utc = true;
    zones->site.is_site = true;
    zones->site.system = site;
    zones->floating = &zones->site;
    struct span own = {0};
    for (size_t i = 0; i < lines->count; i++) {
        const struct ical_line *line = &lines->items[i];
        if (ical_is(line->name, "BEGIN") && ical_is(line->value, "VTIMEZONE"))
            i = read_vtimezone(zones, lines, i);
        else if (ical_is(line->name, "X-WR-TIMEZONE") && own.len == 0)
            own = line->value;
    }
    if (own.len > 0) {
        struct ical_zone *z = find(zones, own);
        if (z->system != NULL || z->onset_count > 0)
            zones->floating = z;
    }
    return zones;
}

void ical_zones_destroy(struct ical_zones *zones)
{
    if (zones == NULL)
        return;
    for (size_t i = 0; i < zones->count; i++) {
        zone_destroy(zones->items[i]->owned);
        free(zones->items[i]->onsets);
        free(zones->items[i]);
    }
    free(zones);
}

const struct ical_zone *ical_zone_of(
    struct ical_zones *zones, const struct ical_line *line, const struct ical_time *time)
{
    struct span name;
    if (time->is_utc)
        return &zones->utc;
    if (ical_parameter(line, "TZID", &name))
        return find(zones, name);
    return zones->floating;
}

/* ---- wall time to UTC ---- */

static int32_t offset_s(const struct ical_zone *z, bool by_file, int64_t time_s)
{
    return by_file ? onset_offset_s(z, time_s) : zone_offset_s(z->system, time_s * 1000);
}

static int64_t to_utc_s(const struct ical_zone *z, bool by_file, int64_t local_s)
{
    int32_t before_s = offset_s(z, by_file, local_s - DAY_S), after_s = offset_s(z, by_file, local_s + DAY_S);
    if (offset_s(z, by_file, local_s - before_s) == before_s)
        return local_s - before_s;
    if (offset_s(z, by_file, local_s - after_s) == after_s)
        return local_s - after_s;
    return local_s - before_s;
}

struct instant ical_zone_instant(
    const struct ical_zone *zone, int64_t local_s, enum ical_zone_doubt *ret_doubt)
{
    *ret_doubt = ICAL_ZONE_CERTAIN;
    if (zone->is_utc)
        return (struct instant){local_s * 1000, local_s * 1000};
    bool has_system = zone->is_site || zone->system != NULL;
    bool has_file = zone->onset_count > 0 && !zone->is_unread;
    if (!has_system && !has_file) {
        *ret_doubt = ICAL_ZONE_UNKNOWN;
        return (struct instant){(local_s - ICAL_ZONE_EAST_S) * 1000, (local_s + ICAL_ZONE_WEST_S) * 1000};
    }
    int64_t by_system = has_system ? to_utc_s(zone, false, local_s) : 0;
    int64_t by_file = has_file ? to_utc_s(zone, true, local_s) : by_system;
    if (!has_system)
        by_system = by_file;
    if (by_system != by_file)
        *ret_doubt = ICAL_ZONE_DIFFERS;
    return by_system < by_file ? (struct instant){by_system * 1000, by_file * 1000}
                               : (struct instant){by_file * 1000, by_system * 1000};
}
