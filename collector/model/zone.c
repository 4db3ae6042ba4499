#include "collector/model/zone.h"

#include "lib/clock.h"
#include "lib/file.h"
#include "lib/mem.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FILE_MAX (256 * 1024)
#define HEADER_SIZE 44
#define DAY_S 86400

/* "M3.2.0/2": the week-th weekday of a month, at a local time. */
struct rule {
    int month, week, weekday;
    int32_t at_s;
};

struct zone {
    int64_t *changes_s; /* UTC, ascending */
    int32_t *offsets_s; /* from that change on */
    size_t change_count;
    int32_t first_offset_s;
    /* After the last change: */
    int32_t standard_s, summer_s;
    bool has_summer;
    struct rule summer_begin, summer_end;
};

/* ---- the file ---- */

/* Parts of letters, digits, '_', '+' and '-' between single slashes: without dots there is no way out of the
 * folder. */
static bool is_zone_name(const char *name)
{
    bool is_part_begun = false;
    for (; *name != '\0'; name++) {
        if (*name == '/' && !is_part_begun)
            return false;
        if (*name != '/' && !isalnum((unsigned char)*name) && strchr("_+-", *name) == NULL)
            return false;
        is_part_begun = *name != '/';
    }
    return is_part_begun;
}

static char *zone_path(const char *name)
{
    const char *folder = getenv("TZDIR");
    return mem_printf("%s/%s", folder && *folder ? folder : "/usr/share/zoneinfo", name);
}

bool zone_is_known(const char *name)
{
    if (!is_zone_name(name))
        return false;
    char *path = zone_path(name);
    FILE *file = fopen(path, "re");
    free(path);
    if (!file)
        return false;
    char magic[4]; /* RFC 8536; a folder opens as well, but cannot be read */
    bool is_zone = fread(magic, 1, sizeof magic, file) == sizeof magic && memcmp(magic, "TZif", 4) == 0;
    fclose(file);
    return is_zone;
}

static uint32_t big32(const char *p)
{
    const unsigned char *u = (const unsigned char *)p;
    return (uint32_t)u[0] << 24 | (uint32_t)u[1] << 16 | (uint32_t)u[2] << 8 | u[3];
}

static int64_t big64(const char *p)
{
    return (int64_t)((uint64_t)big32(p) << 32 | big32(p + 4));
}

/* ---- the footer: POSIX TZ ---- */

/* [+-]hh[:mm[:ss]] */
static bool take_time(const char **p, int32_t *ret_s)
{
    int sign = **p == '-' ? -1 : 1;
    if (**p == '-' || **p == '+')
        (*p)++;
    int32_t parts[3] = {0, 0, 0};
    for (int i = 0; i < 3; i++) {
        if (**p < '0' || **p > '9')
            return false;
        char *end;
        long value = strtol(*p, &end, 10);
        if (value > 167)
            return false;
        parts[i] = (int32_t)value;
        *p = end;
        if (**p != ':')
            break;
        (*p)++;
    }
    *ret_s = sign * (parts[0] * 3600 + parts[1] * 60 + parts[2]);
    return true;
}

static bool take_name(const char **p)
{
    const char *start = *p;
    if (**p == '<') {
        const char *end = strchr(*p, '>');
        if (!end)
            return false;
        *p = end + 1;
        return true;
    }
    while ((**p >= 'A' && **p <= 'Z') || (**p >= 'a' && **p <= 'z'))
        (*p)++;
    return *p - start >= 3;
}

static bool take_rule(const char **p, struct rule *ret)
{
    int used = 0;
    if (sscanf(*p, ",M%2d.%1d.%1d%n", &ret->month, &ret->week, &ret->weekday, &used) != 3)
        return false;
    if (ret->month < 1 || ret->month > 12 || ret->week < 1 || ret->week > 5 || ret->weekday < 0 ||
        ret->weekday > 6)
        return false;
    *p += used;
    ret->at_s = 2 * 3600;
    if (**p != '/')
        return true;
    (*p)++;
    return take_time(p, &ret->at_s);
}

/* "CST-8", "CET-1CEST,M3.5.0,M10.5.0/3". POSIX counts offsets west of Greenwich. */
static void read_footer(struct zone *z, const char *p)
{
    int32_t west_s;
    if (!take_name(&p) || !take_time(&p, &west_s))
        return;
    z->standard_s = -west_s;
    if (*p == '\0' || *p == '\n' || !take_name(&p))
        return;
    z->summer_s = z->standard_s + 3600;
    if (*p != ',' && take_time(&p, &west_s))
        z->summer_s = -west_s;
    z->has_summer = take_rule(&p, &z->summer_begin) && take_rule(&p, &z->summer_end);
}

/* UTC seconds at which a rule falls due in a year, for wall time that is `offset_s` east. */
static int64_t rule_time_s(const struct rule *rule, int year, int32_t offset_s)
{
    struct tm first = {.tm_year = year, .tm_mon = rule->month - 1, .tm_mday = 1};
    struct tm next = {.tm_year = year, .tm_mon = rule->month, .tm_mday = 1};
    int64_t month_s = timegm(&first), month_end_s = timegm(&next);
    int64_t day_s =
        month_s + (int64_t)((rule->weekday - first.tm_wday + 7) % 7 + 7 * (rule->week - 1)) * DAY_S;
    if (day_s >= month_end_s) /* week 5 means the last one */
        day_s -= 7 * DAY_S;
    return day_s + rule->at_s - offset_s;
}

static int32_t footer_offset_s(const struct zone *z, int64_t time_s)
{
    if (!z->has_summer)
        return z->standard_s;
    time_t local = (time_t)(time_s + z->standard_s);
    struct tm tm;
    gmtime_r(&local, &tm);
    int64_t begin_s = rule_time_s(&z->summer_begin, tm.tm_year, z->standard_s);
    int64_t end_s = rule_time_s(&z->summer_end, tm.tm_year, z->summer_s);
    bool is_summer =
        begin_s < end_s ? time_s >= begin_s && time_s < end_s : time_s >= begin_s || time_s < end_s;
    return is_summer ? z->summer_s : z->standard_s;
}

/* ---- the file ---- */

struct counts {
    size_t isut, isstd, leap, time, type, chars;
};

static bool read_header(const char *data, size_t len, struct counts *ret)
{
    if (len < HEADER_SIZE || memcmp(data, "TZif", 4) != 0)
        return false;
    *ret = (struct counts){big32(data + 20), big32(data + 24), big32(data + 28), big32(data + 32),
        big32(data + 36), big32(data + 40)};
    return ret->isut < FILE_MAX && ret->isstd < FILE_MAX && ret->leap < FILE_MAX && ret->time < FILE_MAX &&
           ret->type < FILE_MAX && ret->type > 0 && ret->chars < FILE_MAX;
}

static size_t body_size(const struct counts *c, size_t time_size)
{
    return c->time * (time_size + 1) + c->type * 6 + c->chars + c->leap * (time_size + 4) + c->isstd +
           c->isut;
}

static void read_zone(struct zone *z, const char *data, size_t len)
{
    struct counts c;
    if (!read_header(data, len, &c) || data[4] < '2')
        return;
    size_t skip = HEADER_SIZE + body_size(&c, 4); /* the 32-bit copy for old readers */
    if (skip > len || !read_header(data + skip, len - skip, &c))
        return;
    const char *body = data + skip + HEADER_SIZE;
    if (body_size(&c, 8) + 2 > len - skip - HEADER_SIZE)
        return;
    const char *kinds = body + c.time * 8, *types = kinds + c.time;
    z->changes_s = mem_alloc((c.time + 1) * sizeof *z->changes_s);
    z->offsets_s = mem_alloc((c.time + 1) * sizeof *z->offsets_s);
    for (size_t i = 0; i < c.time; i++) {
        size_t type = (unsigned char)kinds[i];
        if (type >= c.type)
            break;
        z->changes_s[i] = big64(body + i * 8);
        z->offsets_s[i] = (int32_t)big32(types + type * 6);
        z->change_count = i + 1;
    }
    z->first_offset_s = (int32_t)big32(types);
    z->standard_s = z->change_count ? z->offsets_s[z->change_count - 1] : z->first_offset_s;
    read_footer(z, body + body_size(&c, 8) + 1);
}

struct zone *zone_create(const char *name)
{
    struct zone *z = mem_zalloc(sizeof *z);
    if (!name || !zone_is_known(name))
        return z;
    char *path = zone_path(name);
    char *data;
    size_t len;
    struct error err;
    if (file_read(path, FILE_MAX, &data, &len, &err) == ST_OK) {
        read_zone(z, data, len);
        free(data);
    }
    free(path);
    return z;
}

void zone_destroy(struct zone *zone)
{
    if (!zone)
        return;
    free(zone->changes_s);
    free(zone->offsets_s);
    free(zone);
}

int32_t zone_offset_s(const struct zone *zone, int64_t time_ms)
{
    if (!zone)
        return 0;
    int64_t time_s = time_ms >= 0 ? time_ms / 1000 : -((999 - time_ms) / 1000);
    size_t low = 0, high = zone->change_count; /* the number of changes at or before the instant */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (zone->changes_s[middle] <= time_s)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == zone->change_count)
        return footer_offset_s(zone, time_s);
    return low == 0 ? zone->first_offset_s : zone->offsets_s[low - 1];
}

void zone_format_time(const struct zone *zone, int64_t time_ms, char text[static ZONE_TIME_SIZE])
{
    int32_t offset_s = zone_offset_s(zone, time_ms);
    char utc[CLOCK_TEXT_SIZE];
    clock_format_utc(time_ms + (int64_t)offset_s * 1000, utc);
    if (!zone) {
        snprintf(text, ZONE_TIME_SIZE, "%s", utc);
        return;
    }
    int minutes = abs(offset_s) / 60;
    snprintf(text, ZONE_TIME_SIZE, "%.*s%c%02d:%02d", (int)strlen(utc) - 1, utc, offset_s < 0 ? '-' : '+',
        minutes / 60 % 24, minutes % 60);
}
