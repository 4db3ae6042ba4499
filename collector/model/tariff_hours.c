/* Hours of bands, and months, as they are written. */
#include "collector/model/tariff_private.h"

#include "lib/buf.h"

#include <stdio.h>
#include <string.h>

#define QUARTER_MINUTES 15
#define DAY_MINUTES (24 * 60)
#define HOURS_EXPECTED "expected from-to within a day, such as \"08:00-11:00, 13:00-17:00\""

/* hh:mm, 00:00 to 24:00. */
static bool take_minutes(const char **text, int *ret)
{
    const char *t = *text;
    for (int i = 0; i < 5; i++)
        if (i == 2 ? t[i] != ':' : t[i] < '0' || t[i] > '9')
            return false;
    int minute = (t[3] - '0') * 10 + (t[4] - '0');
    *ret = ((t[0] - '0') * 10 + (t[1] - '0')) * 60 + minute;
    *text += 5;
    return minute < 60 && *ret <= DAY_MINUTES;
}

/* What follows one entry of a list: the end, or ", " and another. */
static bool take_comma(const char **text)
{
    if (**text == '\0')
        return true;
    if (**text != ',')
        return false;
    ++*text;
    while (**text == ' ')
        ++*text;
    return **text != '\0';
}

/* Puts from..to, in minutes, into the band; tells the first quarter hour that is in another already. */
static bool put(
    struct conf *c, const struct conf_where *where, struct tariff_hours *hours, int band, int from, int to)
{
    for (int i = from / QUARTER_MINUTES; i < to / QUARTER_MINUTES; i++) {
        if (hours->band[i] >= 0) {
            conf_problem(c, where, tariff_bands[band],
                "%02d:%02d-%02d:%02d overlaps %s, from %02d:%02d on; expected each quarter hour in one band",
                from / 60, from % 60, to / 60, to % 60, tariff_bands[hours->band[i]], i / 4,
                i % 4 * QUARTER_MINUTES);
            return false;
        }
        hours->band[i] = (int8_t)band;
    }
    return true;
}

static bool read_band(struct conf *c, const struct conf_where *where, struct tariff_hours *hours, int band)
{
    const char *key = tariff_bands[band], *text = hours->written[band];
    bool is_good = true;
    while (*text != '\0') {
        int from, to;
        const char *begin = text;
        if (!take_minutes(&text, &from) || *text++ != '-' || !take_minutes(&text, &to)) {
            conf_problem(c, where, key, "\"%s\" are not hours; " HOURS_EXPECTED, hours->written[band]);
            return false;
        }
        int length = (int)(text - begin);
        if (from % QUARTER_MINUTES != 0 || to % QUARTER_MINUTES != 0) {
            conf_problem(c, where, key,
                "%.*s begins or ends off the quarter hour; expected minutes 00, 15, 30 or 45", length, begin);
            is_good = false;
        } else if (from >= to) {
            conf_problem(c, where, key,
                "%.*s does not end after it begins; expected hours over midnight as two: 22:00-24:00, "
                "00:00-06:00",
                length, begin);
            is_good = false;
        } else if (!put(c, where, hours, band, from, to)) {
            is_good = false;
        }
        if (!take_comma(&text)) {
            conf_problem(c, where, key, "\"%s\" are not hours; " HOURS_EXPECTED, hours->written[band]);
            return false;
        }
    }
    return is_good;
}

/* Every hole of the day in one line. */
static bool tell_holes(struct conf *c, const struct conf_where *where, const struct tariff_hours *hours)
{
    struct buf holes = {0};
    for (int i = 0; i < TARIFF_QUARTERS; i++) {
        if (hours->band[i] >= 0)
            continue;
        int from = i;
        while (i < TARIFF_QUARTERS && hours->band[i] < 0)
            i++;
        buf_printf(&holes, "%s%02d:%02d-%02d:%02d", holes.len > 0 ? ", " : "", from / 4,
            from % 4 * QUARTER_MINUTES, i / 4, i % 4 * QUARTER_MINUTES);
    }
    bool has_holes = holes.len > 0;
    if (has_holes)
        conf_problem(
            c, where, NULL, "leaves %s without a band; expected bands from 00:00 to 24:00", holes.data);
    buf_release(&holes);
    return has_holes;
}

bool tariff_hours_read(
    struct conf *c, const struct conf_where *where, struct tariff_hours *hours, bool is_whole_day)
{
    memset(hours->band, -1, sizeof hours->band);
    bool is_good = true;
    for (int band = 0; band < TARIFF_BANDS; band++)
        if (hours->written[band] != NULL && !read_band(c, where, hours, band))
            is_good = false;
    return is_good && !(is_whole_day && tell_holes(c, where, hours));
}

static bool take_month(const char **text, int *ret)
{
    *ret = 0;
    int digits = 0;
    for (; **text >= '0' && **text <= '9' && digits < 2; ++*text, digits++)
        *ret = *ret * 10 + (**text - '0');
    return digits > 0 && *ret >= 1 && *ret <= 12;
}

void tariff_season_check(struct conf *c, struct tariff_season *season)
{
    tariff_hours_read(c, &season->where, &season->hours, true);
    const char *text = season->months_text;
    unsigned months = 0;
    while (text != NULL && *text != '\0') {
        int from, to;
        bool is_good = take_month(&text, &from);
        to = from;
        if (is_good && *text == '-') {
            text++;
            is_good = take_month(&text, &to) && from <= to;
        }
        if (!is_good || !take_comma(&text)) {
            conf_problem(c, &season->where, "months",
                "\"%s\" are not months; expected numbers 1 to 12 and ranges of them, such as \"2-6, 9-11\"",
                season->months_text);
            return;
        }
        for (int month = from; month <= to; month++)
            months |= 1U << month;
    }
    season->months = months;
}
