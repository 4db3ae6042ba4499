/*
 * iCalendar (RFC 5545): content lines, and the values of times, durations and rules. libical reads rules, and only
 * lib/ical.c sees it. It takes "PP1D" for a duration and the 30th of February for a day: those are read here, so that
 * what is no such value is known to be none. Pure; nothing is kept that was not asked for. Texts are borrowed.
 */
#pragma once

#include "lib/line.h"
#include "lib/recur.h"

struct ical_line {
    int number;        /* of the text's line in which it begins, from 1 */
    bool is_malformed; /* a name, but no value after it: `value` is what follows the name */
    struct span name, parameters, value;
};

/* Content lines of a text, folded ones joined. */
struct ical_lines {
    char *text; /* unfolded; the spans of `items` point into it */
    struct ical_line *items;
    size_t count, capacity;
};
/* Those whose names are in `wanted` (ends with NULL), at most `max`: false where there are more, and `ret` has nothing
 * to release then. */
bool ical_lines_read(struct span text, const char *const *wanted, size_t max, struct ical_lines *ret);
void ical_lines_release(struct ical_lines *lines);

/* Without regard to case. */
bool ical_is(struct span s, const char *text);
/* A parameter's value, without its quotes; false where it is not there. Where it has no value, or several, it is empty. */
bool ical_parameter(const struct ical_line *line, const char *name, struct span *ret);
/* Takes the next part of a list off the front of `rest`; false at its end. */
bool ical_next_part(struct span *rest, char separator, struct span *ret_part);

/* A date or a time, as a wall clock shows it: seconds since 1970 of that clock. A leap second is the one before it. */
struct ical_time {
    bool is_date, is_utc;
    int64_t local_s;
};
/* The whole text is "20261129", "20261129T080000" or "20261129T080000Z", of a day that there is, in 1601 to 9999. */
bool ical_time_read(struct span text, struct ical_time *ret);
/* "+0800", "-033000": seconds east of UTC, within a day. */
bool ical_offset_read(struct span text, int32_t *ret_s);

/* RFC 5545, 3.3.6: days are of the calendar, the rest is exact. Not negative, and at most 10 years. */
struct ical_duration {
    int64_t days, exact_s;
};
bool ical_duration_read(struct span text, struct ical_duration *ret);

struct ical_rule {
    struct recur recur;
    bool has_until;
    struct ical_time until; /* included */
};
/* False where it is none, or none that can be told: parts that are unknown or twice, both COUNT and UNTIL, a frequency
 * below a day, what 3.3.10 forbids beside that frequency. */
bool ical_rule_read(struct span text, struct ical_rule *ret);

/* ---- writing ---- */

/* One content line, folded at 75 octets, never within a character, with CR LF. `value` as it stands. */
void ical_write(struct buf *out, const char *name, const char *value);
/* The same for a TEXT (3.3.11), escaped. */
void ical_write_text(struct buf *out, const char *name, const char *text);
void ical_write_time(struct buf *out, const char *name, int64_t time_ms); /* UTC, without fractions */
