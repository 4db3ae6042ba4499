/* Which differences are of the past: the rules of difference.h, as a table by where a key stands. */
#include "collector/model/difference_private.h"

#include "collector/model/validity.h"
#include "lib/buf.h"
#include "lib/calendar.h"
#include "lib/mem.h"
#include "lib/number.h"
#include "lib/rfc3339.h"

#include <stdlib.h>
#include <string.h>

/* ---- looking things up ---- */

/* The path up to the n-th name in brackets: of "meters[a].segments[b].ct" 1 gives "meters[a]". The caller frees it. */
static char *entry_of(const char *path, int n)
{
    const char *at = path;
    while (n-- > 0 && at != NULL) {
        at = strchr(at, ']');
        at = at != NULL ? at + 1 : NULL;
    }
    return at != NULL ? mem_strndup(path, (size_t)(at - path)) : mem_strdup(path);
}

/* NULL = not there. */
static const char *value_of(const struct facts *f, const char *entry, const char *key)
{
    char *path = mem_printf("%s.%s", entry, key);
    const struct fact *fact = facts_find(f, path);
    free(path);
    return fact != NULL ? fact->value : NULL;
}

static int64_t time_of(const struct facts *f, const char *entry, const char *key, int64_t absent)
{
    const char *text = value_of(f, entry, key);
    int64_t time_ms = absent;
    return text != NULL && rfc3339_parse(text, &time_ms) ? time_ms : absent;
}

static bool parse_day(const char *text, size_t length, int64_t *ret)
{
    char time[] = "2026-01-01T00:00:00Z";
    int64_t time_ms;
    if (length != 10)
        return false;
    memcpy(time, text, 10);
    if (!rfc3339_parse(time, &time_ms))
        return false;
    *ret = time_ms / CALENDAR_DAY_MS;
    return true;
}

/* For which days a row counts; for all where that cannot be read. */
static struct validity days_of(const struct facts *f, const char *entry)
{
    const char *year = value_of(f, entry, "year"), *from = value_of(f, entry, "from"),
               *through = value_of(f, entry, "through");
    struct validity days = {INT64_MIN, INT64_MAX};
    int64_t number;
    if (year != NULL && number_parse_int64(year, strlen(year), &number))
        return validity_of_year(number);
    if (from != NULL && parse_day(from, strlen(from), &number))
        days.from_day = number;
    if (through != NULL && parse_day(through, strlen(through), &number))
        days.until_day = number + 1;
    return days;
}

/* Whether an entry of `list` below `entry` satisfies `holds`. */
static bool any_entry(const struct facts *f, const char *entry, const char *list,
    const struct difference_now *now,
    bool (*holds)(const struct facts *f, const char *entry, const struct difference_now *now))
{
    char *prefix = mem_printf("%s%s%s[", entry, entry[0] != '\0' ? "." : "", list);
    size_t length = strlen(prefix);
    bool is_found = false;
    for (size_t i = facts_from(f, prefix); !is_found && i < f->count; i++) {
        const char *path = f->items[i].path;
        if (strncmp(path, prefix, length) != 0)
            break;
        if (strchr(path + length, ']') == path + strlen(path) - 1)
            is_found = holds(f, path, now);
    }
    free(prefix);
    return is_found;
}

static int64_t past_end(const struct difference_now *now)
{
    return now->now_ms - DIFFERENCE_GRACE_MS;
}

/* From when on something may be entered late: what was booked of a closed month changes by a decision alone. */
static int64_t late_from_ms(const struct difference_now *now)
{
    int64_t from_ms = now->now_ms - DIFFERENCE_LATE_MS;
    return from_ms > now->closed_ms ? from_ms : now->closed_ms;
}

static bool has_begun(const struct facts *f, const char *segment, const struct difference_now *now)
{
    return time_of(f, segment, "from", INT64_MIN) < past_end(now);
}

static bool is_there(const struct facts *f, const char *entry, const struct difference_now *now)
{
    (void)now;
    return facts_find(f, entry) != NULL;
}

static bool row_has_begun(const struct facts *f, const char *row, const struct difference_now *now)
{
    return days_of(f, row).from_day <= now->day;
}

static bool has_figures(struct validity days, const struct difference_now *now)
{
    return days.from_day <= now->day && now->figures_ms < now->now_ms && days.until_day > now->figures_day;
}

static bool row_has_figures(const struct facts *f, const char *row, const struct difference_now *now)
{
    return has_figures(days_of(f, row), now);
}

static const char *last_key(const char *path)
{
    const char *dot = strrchr(path, '.'), *bracket = strrchr(path, ']');
    return dot == NULL || (bracket != NULL && bracket > dot) ? "" : dot + 1;
}

static enum difference_weight past_if(bool is_past)
{
    return is_past ? DIFFERENCE_PAST : DIFFERENCE_FREE;
}

/* ---- rules ---- */

static enum difference_weight weigh_free(const struct difference_case *c)
{
    (void)c;
    return DIFFERENCE_FREE;
}

/* An entry that comes, the outermost one that does. */
static bool is_new_entry(const struct difference_case *c)
{
    return c->old == NULL && last_key(c->path)[0] == '\0';
}

/* An entry that comes adds; nothing was said of it before. */
static enum difference_weight weigh_strictly(const struct difference_case *c)
{
    return past_if(!is_new_entry(c));
}

/* What is new changes the figures that there are from `from_ms` on. */
static enum difference_weight weigh_new(const struct difference_now *now, int64_t from_ms)
{
    int64_t since_ms = from_ms > now->figures_ms ? from_ms : now->figures_ms;
    if (since_ms >= past_end(now))
        return DIFFERENCE_FREE;
    return since_ms >= late_from_ms(now) ? DIFFERENCE_LATE : DIFFERENCE_PAST;
}

static enum difference_weight weigh_new_segment(
    const struct facts *f, const char *segment, const struct difference_now *now)
{
    if (time_of(f, segment, "until", INT64_MAX) <= now->figures_ms)
        return DIFFERENCE_FREE;
    return weigh_new(now, time_of(f, segment, "from", INT64_MIN));
}

static bool is_new_and_past(const struct facts *f, const char *segment, const struct difference_now *now)
{
    return weigh_new_segment(f, segment, now) == DIFFERENCE_PAST;
}

static bool is_new_and_late(const struct facts *f, const char *segment, const struct difference_now *now)
{
    return weigh_new_segment(f, segment, now) == DIFFERENCE_LATE;
}

static enum difference_weight weigh_new_meter(const struct difference_case *c)
{
    if (any_entry(c->after, c->path, "segments", c->now, is_new_and_past))
        return DIFFERENCE_PAST;
    return any_entry(c->after, c->path, "segments", c->now, is_new_and_late) ? DIFFERENCE_LATE
                                                                             : DIFFERENCE_FREE;
}

/* One that comes may count at once in the groups of its tags (tree.h), and has no date. */
static enum difference_weight weigh_virtual(const struct difference_case *c)
{
    return c->old == NULL ? weigh_new(c->now, INT64_MIN) : DIFFERENCE_PAST;
}

static enum difference_weight weigh_meter(const struct difference_case *c)
{
    char *meter = entry_of(c->path, 1);
    bool is_new = facts_find(c->before, meter) == NULL,
         is_past = any_entry(c->before, meter, "segments", c->now, has_begun);
    free(meter);
    return is_new ? weigh_new_meter(c) : past_if(is_past);
}

/* What a row of `changes` says counts from its time on. */
static enum difference_weight weigh_stand(const struct difference_case *c)
{
    char *row = entry_of(c->path, 2);
    const struct facts *f = c->old != NULL || facts_find(c->before, row) != NULL ? c->before : c->after;
    bool is_past = has_begun(f, row, c->now);
    free(row);
    return past_if(is_past);
}

static enum difference_weight weigh_change(const struct difference_case *c)
{
    return weigh_meter(c) == DIFFERENCE_PAST ? weigh_stand(c) : DIFFERENCE_FREE;
}

static bool is_newest(const struct facts *f, const char *segment)
{
    char *meter = entry_of(segment, 1);
    char *prefix = mem_printf("%s.segments[", meter);
    bool is_newest = true;
    for (size_t i = facts_from(f, prefix);
         i < f->count && strncmp(f->items[i].path, prefix, strlen(prefix)) == 0; i++) {
        char *other = entry_of(f->items[i].path, 2);
        is_newest =
            is_newest && time_of(f, other, "from", INT64_MAX) <= time_of(f, segment, "from", INT64_MIN);
        free(other);
    }
    free(prefix);
    free(meter);
    return is_newest;
}

/* A segment that was open, ended some days ago with its register. */
static bool is_late_end(const struct difference_case *c, const char *segment)
{
    return time_of(c->before, segment, "until", INT64_MAX) >= past_end(c->now) &&
           value_of(c->before, segment, "end") == NULL && value_of(c->after, segment, "end") != NULL &&
           time_of(c->after, segment, "until", INT64_MIN) >= late_from_ms(c->now);
}

/* The next device, some days ago with its register. */
static bool is_late_begin(const struct difference_case *c, const char *segment)
{
    return value_of(c->after, segment, "start") != NULL && is_newest(c->after, segment) &&
           time_of(c->after, segment, "from", INT64_MIN) >= late_from_ms(c->now);
}

static enum difference_weight weigh_end(const struct difference_case *c, const char *segment)
{
    int64_t old_ms = time_of(c->before, segment, "until", INT64_MAX),
            new_ms = time_of(c->after, segment, "until", INT64_MAX);
    if ((old_ms < new_ms ? old_ms : new_ms) >= past_end(c->now))
        return DIFFERENCE_FREE;
    return is_late_end(c, segment) ? DIFFERENCE_LATE : DIFFERENCE_PAST;
}

static bool had_segments(const struct difference_case *c)
{
    char *meter = entry_of(c->path, 1);
    bool had = any_entry(c->before, meter, "segments", c->now, is_there);
    free(meter);
    return had;
}

static enum difference_weight weigh_segment(const struct difference_case *c)
{
    char *segment = entry_of(c->path, 2);
    const char *key = last_key(c->path);
    enum difference_weight weight;
    if (key[0] != '\0' && (strcmp(key, "until") == 0 || strcmp(key, "end") == 0))
        weight = weigh_end(c, segment);
    else if (is_new_entry(c) && !had_segments(c))
        weight = weigh_new_segment(c->after, segment, c->now);
    else if (is_new_entry(c) && has_begun(c->after, segment, c->now))
        weight = is_late_begin(c, segment) ? DIFFERENCE_LATE : DIFFERENCE_PAST;
    else
        weight = past_if(c->old != NULL || key[0] != '\0' ? has_begun(c->before, segment, c->now) : false);
    free(segment);
    return weight;
}

/* What goes by days, and is new with rows of which `has_figures` is told. */
static enum difference_weight weigh_new_rows(const struct difference_case *c, bool has_figures)
{
    return has_figures ? weigh_new(c->now, INT64_MIN) : DIFFERENCE_FREE;
}

/* Rows of factors, prices and schedules, and what is below them. */
static enum difference_weight weigh_row_at(const struct difference_case *c, int depth)
{
    char *row = entry_of(c->path, depth);
    if (facts_find(c->before, row) == NULL) {
        free(row);
        return weigh_new_rows(c, row_has_figures(c->after, c->path, c->now));
    }
    bool is_past = row_has_begun(c->before, row, c->now);
    if (is_past && facts_find(c->after, row) != NULL && strcmp(last_key(c->path), "through") == 0) {
        int64_t old_day = days_of(c->before, row).until_day, new_day = days_of(c->after, row).until_day;
        is_past = (old_day < new_day ? old_day : new_day) <= c->now->day;
    }
    free(row);
    return past_if(is_past);
}

static enum difference_weight weigh_factor(const struct difference_case *c)
{
    return weigh_row_at(c, 1);
}

static enum difference_weight weigh_tariff_row(const struct difference_case *c)
{
    return weigh_row_at(c, 2);
}

static enum difference_weight weigh_tariff(const struct difference_case *c)
{
    if (is_new_entry(c)) /* its lists are told of by themselves where it was there */
        return weigh_new_rows(c, any_entry(c->after, c->path, "prices", c->now, row_has_figures));
    char *tariff = entry_of(c->path, 1);
    bool is_past = any_entry(c->before, tariff, "schedules", c->now, row_has_begun) ||
                   any_entry(c->before, tariff, "prices", c->now, row_has_begun);
    free(tariff);
    return past_if(is_past);
}

/* "2026-05-01, 2026-02-15/2026-02-23": whether one that has begun stands in `days` and not in `others`. */
static bool has_own_day(const char *days, const char *others, int64_t today)
{
    const char *at = days;
    while (at != NULL && *at != '\0') {
        size_t length = strcspn(at, ",");
        char *one = mem_strndup(at, length);
        int64_t day;
        bool has_begun = !parse_day(one, strcspn(one, "/"), &day) || day <= today;
        bool is_shared = false;
        for (const char *found = others; has_begun && found != NULL && (found = strstr(found, one)) != NULL;
             found++)
            is_shared =
                is_shared || ((found == others || found[-1] == ' ') && strchr(",", found[length]) != NULL);
        free(one);
        if (has_begun && !is_shared)
            return true;
        at += length;
        at += strspn(at, ", ");
    }
    return false;
}

/* Whether some date in `days` begins with the `length` bytes at `text`. */
static bool has_date_like(const char *days, const char *text, size_t length)
{
    const char *at = days;
    while (at != NULL && *at != '\0' && strncmp(at, text, length) != 0) {
        at += strcspn(at, ",");
        at += strspn(at, ", ");
    }
    return at != NULL && *at != '\0';
}

/* Whether the dates of a year of which there are figures are given in `days`, and not in `others` (tariff_day: then no
 * day of it is known): by the first day of each, as there. */
static bool has_own_year(const char *days, const char *others, const struct difference_now *now)
{
    const char *at = days;
    while (at != NULL && *at != '\0') {
        int64_t day, year;
        if (parse_day(at, strcspn(at, ",/"), &day) && number_parse_int64(at, 4, &year) &&
            has_figures(validity_of_year(year), now) && !has_date_like(others, at, strlen("2026-")))
            return true;
        at += strcspn(at, ",");
        at += strspn(at, ", ");
    }
    return false;
}

static enum difference_weight weigh_holiday(const struct difference_case *c)
{
    char *holiday = entry_of(c->path, 1);
    const char *before = value_of(c->before, holiday, "days"), *after = value_of(c->after, holiday, "days");
    bool is_past, is_of_year = false;
    if (strcmp(last_key(c->path), "days") == 0) {
        is_past = has_own_day(before, after, c->now->day) || has_own_day(after, before, c->now->day);
        is_of_year = has_own_year(before, after, c->now) || has_own_year(after, before, c->now);
    } else {
        is_past = before != NULL && has_own_day(before, NULL, c->now->day);
    }
    free(holiday);
    return is_past ? DIFFERENCE_PAST : weigh_new_rows(c, is_of_year);
}

/* What a report said of it counts from its reporting period on: before that day nothing was published. */
static enum difference_weight weigh_baseline(const struct difference_case *c)
{
    char *baseline = entry_of(c->path, 1);
    const char *reporting = value_of(c->before, baseline, "reporting");
    int64_t day = INT64_MIN;
    bool is_past =
        facts_find(c->before, baseline) != NULL &&
        (reporting == NULL || !parse_day(reporting, strlen(reporting), &day) || day <= c->now->day);
    free(baseline);
    return past_if(is_past);
}

/* What no hour that was counted depends on, and what counts from when it is accepted on: points and thresholds, since
 * what was seen by others stays. By the rest (caps, opening hours, whose it is) statements of months that are over would
 * say something else. */
static enum difference_weight weigh_instrument(const struct difference_case *c)
{
    static const char *const free_keys[] = {"name", "name_en", "space", "model", "owner", "owner_en",
        "contact", "location", "location_en", "booking_url", "terms", "terms_en", "training", "training_en",
        "charges", "charges_en", "shared", "minimum_slot", "power", "power_period", "off_w", "standby_w",
        "exit_w", "enter_w", "enter_s", "exit_s", "off_means", "session", "calendar", "requires", "uses",
        "cooldown"};
    for (size_t i = 0; i < sizeof free_keys / sizeof free_keys[0]; i++)
        if (strcmp(last_key(c->path), free_keys[i]) == 0)
            return DIFFERENCE_FREE;
    return weigh_strictly(c);
}

#define OR_FRESH "`from` of at most a week ago, in no closed month"
#define OR_BASELINE "a baseline of its own, beside it"
#define OR_SEGMENT "a new segment from now on"
#define OR_CHANGE "a row of `changes` that says from when on"
#define OR_LATER "a row from now on"
#define OR_ROW "a row of its own from a later day on"

/* The first that fits counts: `shape` is the path without the names in brackets, and a * at its end is anything. */
static const struct rule {
    const char *shape;
    enum difference_weight (*weigh)(const struct difference_case *c);
    const char *expected; /* of what changes or comes */
} rules[] = {
    {"sites[].name", weigh_free, ""},
    {"sites[].name_en", weigh_free, ""},
    {"buildings[].name", weigh_free, ""},
    {"buildings[].name_en", weigh_free, ""},
    {"gateways[].name", weigh_free, ""},
    {"gateways[].name_en", weigh_free, ""},
    {"meters[].name", weigh_free, ""},
    {"meters[].name_en", weigh_free, ""},
    {"meters[].power", weigh_free, ""},
    {"virtual_meters[].name", weigh_free, ""},
    {"virtual_meters[].name_en", weigh_free, ""},
    {"virtual_meters[]", weigh_virtual, ""},
    {"baselines[].name", weigh_free, ""},
    {"baselines[].name_en", weigh_free, ""},
    {"tariffs[].name", weigh_free, ""},
    {"tariffs[].name_en", weigh_free, ""},
    {"holidays[].name", weigh_free, ""},
    {"holidays[].name_en", weigh_free, ""},
    {"factors[].note", weigh_free, ""},
    {"tariffs[].schedules[].note", weigh_free, ""},
    {"tariffs[].prices[].note", weigh_free, ""},
    /* What goes is named by nothing any more, or the file would be refused; and what named it is told itself. */
    {"sites[]", weigh_free, ""},
    {"buildings[]", weigh_free, ""},
    {"tenants[]*", weigh_free, ""},
    {"spaces[]*", weigh_free, ""},
    {"resources[]*", weigh_free, ""},
    {"calendars[]*", weigh_free, ""},
    {"categories[]*", weigh_free, ""},
    {"instruments[]*", weigh_instrument, ""},
    {"meters[].segments[]*", weigh_segment, OR_SEGMENT},
    {"meters[].changes[]*", weigh_change, OR_LATER},
    {"meters[].building", weigh_meter, OR_CHANGE},
    {"meters[].tenant", weigh_meter, OR_CHANGE},
    {"meters[].parent", weigh_meter, OR_CHANGE},
    {"meters[].item", weigh_meter, OR_CHANGE},
    {"gateways[].changes[]*", weigh_stand, OR_LATER},
    {"gateways[].site", weigh_strictly, OR_CHANGE},
    {"gateways[].building", weigh_strictly, OR_CHANGE},
    {"meters[]", weigh_meter, OR_FRESH},
    {"meters[]*", weigh_meter, ""},
    {"baselines[]*", weigh_baseline, OR_BASELINE},
    {"factors[]*", weigh_factor, OR_ROW},
    {"tariffs[].schedules[]*", weigh_tariff_row, OR_ROW},
    {"tariffs[].prices[]*", weigh_tariff_row, OR_ROW},
    {"tariffs[]", weigh_tariff, OR_ROW},
    {"tariffs[]*", weigh_tariff, ""},
    {"holidays[]*", weigh_holiday, ""},
    {"*", weigh_strictly, ""},
};

static char *shape_of(const char *path)
{
    struct buf out = {0};
    bool is_name = false;
    for (const char *at = path; *at != '\0'; at++) {
        is_name = is_name && *at != ']';
        if (!is_name)
            buf_add_char(&out, *at);
        is_name = is_name || *at == '[';
    }
    return buf_take(&out);
}

static bool fits(const char *pattern, const char *shape)
{
    size_t length = strlen(pattern);
    bool is_open = length > 0 && pattern[length - 1] == '*';
    return is_open ? strncmp(shape, pattern, length - 1) == 0 : strcmp(shape, pattern) == 0;
}

enum difference_weight difference_weigh(const struct difference_case *c, const char **ret_expected)
{
    char *shape = shape_of(c->path);
    const struct rule *rule = rules;
    while (!fits(rule->shape, shape))
        rule++;
    free(shape);
    *ret_expected = c->new != NULL ? rule->expected : "";
    return rule->weigh(c);
}
