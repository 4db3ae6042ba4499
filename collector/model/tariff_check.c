/* What the tables of tariff_keys.c cannot see. Strings are NULL where the table already complained. */
#include "collector/model/tariff_private.h"

#include "lib/buf.h"
#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>

/* ---- holidays ---- */

/* "2026-05-01" or "2026-02-15/2026-02-23". */
static bool read_days(
    struct conf *c, const struct tariff_holiday *holiday, const char *text, struct validity *ret)
{
    const char *slash = strchr(text, '/');
    char *first = mem_strndup(text, slash != NULL ? (size_t)(slash - text) : strlen(text));
    int64_t from_day, last_day;
    bool is_good = validity_read_day(c, &holiday->where, "days", first, &from_day);
    last_day = from_day;
    if (is_good && slash != NULL)
        is_good = validity_read_day(c, &holiday->where, "days", slash + 1, &last_day);
    free(first);
    if (is_good && last_day < from_day) {
        conf_problem(c, &holiday->where, "days", "\"%s\" ends before it begins; expected first/last", text);
        is_good = false;
    }
    *ret = is_good ? (struct validity){from_day, last_day + 1} : (struct validity){0, 0};
    return is_good;
}

void tariff_holiday_check(struct conf *c, struct tariff_holiday *holiday)
{
    source_check(c, &holiday->where, holiday->document, holiday->confidence);
    char *const *texts = holiday->days.items;
    holiday->spans = conf_alloc(c, holiday->days.count * sizeof *holiday->spans);
    for (size_t i = 0; i < holiday->days.count; i++) {
        struct validity span;
        if (!read_days(c, holiday, texts[i], &span))
            continue;
        for (size_t j = 0; j < holiday->span_count; j++) {
            if (validity_overlaps(span, holiday->spans[j])) {
                conf_problem(c, &holiday->where, "days",
                    "\"%s\" has days that are listed already; expected each once", texts[i]);
                break;
            }
        }
        holiday->spans[holiday->span_count++] = span;
    }
}

/* ---- schedules ---- */

static void check_months(struct conf *c, const struct tariff_schedule *schedule)
{
    unsigned seen = 0;
    bool is_known = schedule->seasons.count > 0;
    CONF_EACH (const struct tariff_season, season, schedule->seasons) {
        is_known = is_known && season->months != 0;
        for (int month = 1; month <= 12; month++)
            if (season->months & seen & (1U << month))
                conf_problem(c, &season->where, "months",
                    "month %d is in an earlier season too; expected each month in one", month);
        seen |= season->months;
    }
    struct buf missing = {0};
    for (int month = 1; month <= 12; month++)
        if (!(seen & (1U << month)))
            buf_printf(&missing, "%s%d", missing.len > 0 ? ", " : "", month);
    if (is_known && missing.len > 0)
        conf_problem(c, &schedule->where, "seasons",
            "leave month %s without bands; expected each month in one", missing.data);
    buf_release(&missing);
}

void tariff_schedule_check(struct conf *c, struct tariff_schedule *schedule)
{
    source_check(c, &schedule->where, schedule->document, schedule->confidence);
    schedule->validity = validity_read(c, &schedule->where, schedule->from, schedule->through);
    check_months(c, schedule);
    CONF_EACH (struct tariff_exception, exception, schedule->exceptions)
        tariff_hours_read(c, &exception->where, &exception->hours, false);
}

static const struct tariff_holiday *find_holiday(const struct tariffs *tariffs, const char *id)
{
    CONF_EACH (const struct tariff_holiday, holiday, tariffs->holidays)
        if (holiday->id != NULL && strcmp(holiday->id, id) == 0)
            return holiday;
    return NULL;
}

static void resolve_exception(
    struct conf *c, const struct tariffs *tariffs, struct tariff_exception *exception)
{
    char *const *ids = exception->on.items;
    exception->holidays = conf_alloc(c, exception->on.count * sizeof(struct tariff_holiday *));
    for (size_t i = 0; i < exception->on.count; i++) {
        exception->holidays[i] = find_holiday(tariffs, ids[i]);
        if (exception->holidays[i] == NULL)
            conf_problem(
                c, &exception->where, "on", "unknown holiday \"%s\"; expected an id of holidays", ids[i]);
    }
}

static bool share_a_day(const struct tariff_holiday *a, const struct tariff_holiday *b)
{
    for (size_t i = 0; a != NULL && b != NULL && i < a->span_count; i++)
        for (size_t j = 0; j < b->span_count; j++)
            if (validity_overlaps(a->spans[i], b->spans[j]))
                return true;
    return false;
}

static bool exceptions_collide(const struct tariff_exception *a, const struct tariff_exception *b)
{
    for (size_t i = 0; i < a->on.count; i++)
        for (size_t j = 0; j < b->on.count; j++)
            if (share_a_day(a->holidays[i], b->holidays[j]))
                return true;
    return false;
}

static void check_exceptions(
    struct conf *c, const struct tariffs *tariffs, const struct tariff_schedule *schedule)
{
    CONF_EACH (struct tariff_exception, exception, schedule->exceptions) {
        resolve_exception(c, tariffs, exception);
        CONF_EACH (const struct tariff_exception, before, schedule->exceptions) {
            if (before == exception)
                break;
            if (exceptions_collide(before, exception)) {
                conf_problem(c, &exception->where, "on",
                    "has a day of %s too; expected one exception for each day", before->where.path);
                break;
            }
        }
    }
}

/* ---- prices ---- */

void tariff_prices_check(struct conf *c, struct tariff_prices *prices, const struct tariff *tariff)
{
    source_check(c, &prices->where, prices->document, prices->confidence);
    prices->validity = validity_read(c, &prices->where, prices->from, prices->through);
    for (int band = 0; band < TARIFF_BANDS; band++) {
        const char *text = prices->written[band];
        if (text != NULL && !decimal_parse(text, &prices->price[band]))
            conf_problem(c, &prices->where, tariff_bands[band],
                "\"%s\" is not a price; expected a decimal of at most %d decimals, such as \"0.6500\"", text,
                DECIMAL_SCALE_MAX);
    }
    if (prices->unit != NULL && tariff->carrier >= 0 &&
        strcmp(prices->unit, tariff_unit(tariff->carrier)) != 0)
        conf_problem(c, &prices->where, "unit", "\"%s\" does not fit %s; expected %s", prices->unit,
            park_carriers[tariff->carrier], tariff_unit(tariff->carrier));
}

static bool uses(const struct tariff_hours *hours, int band)
{
    return memchr(hours->band, band, sizeof hours->band) != NULL;
}

static bool schedule_uses(const struct tariff_schedule *schedule, int band)
{
    CONF_EACH (const struct tariff_season, season, schedule->seasons)
        if (uses(&season->hours, band))
            return true;
    CONF_EACH (const struct tariff_exception, exception, schedule->exceptions)
        if (uses(&exception->hours, band))
            return true;
    return false;
}

/* Each band that a schedule uses while the prices count has one. */
static void check_prices(struct conf *c, const struct tariff *tariff, const struct tariff_prices *prices)
{
    for (int band = 0; band < TARIFF_BANDS; band++) {
        if (prices->written[band] != NULL)
            continue;
        CONF_EACH (const struct tariff_schedule, schedule, tariff->schedules) {
            if (validity_overlaps(prices->validity, schedule->validity) && schedule_uses(schedule, band)) {
                conf_problem(c, &prices->where, tariff_bands[band],
                    "is missing, but %s has hours of it; expected its price", schedule->where.path);
                break;
            }
        }
    }
}

void tariff_check(struct conf *c, const struct tariff *tariff)
{
    struct validity_row *rows =
        mem_alloc((tariff->schedules.count + tariff->prices.count + 1) * sizeof *rows);
    size_t count = 0;
    CONF_EACH (const struct tariff_schedule, schedule, tariff->schedules)
        rows[count++] = (struct validity_row){&schedule->where, schedule->validity};
    validity_check(c, rows, count, "a schedule");
    count = 0;
    CONF_EACH (const struct tariff_prices, prices, tariff->prices) {
        rows[count++] = (struct validity_row){&prices->where, prices->validity};
        check_prices(c, tariff, prices);
    }
    validity_check(c, rows, count, "prices");
    free(rows);
}

/* ---- the whole file ---- */

static void check_ids(struct conf *c, const struct tariffs *tariffs)
{
    CONF_EACH (const struct tariff_holiday, holiday, tariffs->holidays) {
        const struct tariff_holiday *first = holiday->id != NULL ? find_holiday(tariffs, holiday->id) : NULL;
        if (first != NULL && first != holiday)
            conf_problem(c, &holiday->where, "id",
                "\"%s\" is already the id of %s; expected an id of its own", holiday->id, first->where.path);
    }
    CONF_EACH (const struct tariff, tariff, tariffs->tariffs) {
        CONF_EACH (const struct tariff, before, tariffs->tariffs) {
            if (before == tariff)
                break;
            if (tariff->id != NULL && before->id != NULL && strcmp(before->id, tariff->id) == 0)
                conf_problem(c, &tariff->where, "id",
                    "\"%s\" is already the id of %s; expected an id of its own", tariff->id,
                    before->where.path);
        }
    }
}

/* A site pays by one tariff for each carrier. */
static void check_payers(struct conf *c, const struct tariffs *tariffs, const struct tariff *tariff)
{
    char *const *sites = tariff->sites.items;
    for (size_t i = 0; i < tariff->sites.count && tariff->carrier >= 0; i++) {
        const struct tariff *first = tariffs_find(tariffs, sites[i], tariff->carrier);
        if (first != tariff)
            conf_problem(c, &tariff->where, "sites", "%s pays by %s already for %s; expected one tariff",
                sites[i], first->where.path, park_carriers[tariff->carrier]);
    }
}

void tariffs_check(struct conf *c, struct tariffs *tariffs)
{
    check_ids(c, tariffs);
    CONF_EACH (const struct tariff, tariff, tariffs->tariffs) {
        check_payers(c, tariffs, tariff);
        CONF_EACH (const struct tariff_schedule, schedule, tariff->schedules)
            check_exceptions(c, tariffs, schedule);
    }
}

void tariffs_check_sites(struct tariffs *tariffs, const struct park *park)
{
    CONF_EACH (const struct tariff, tariff, tariffs->tariffs) {
        char *const *sites = tariff->sites.items;
        for (size_t i = 0; i < tariff->sites.count; i++) {
            if (park_site_find(park, sites[i]) == NULL)
                conf_problem(tariffs->conf, &tariff->where, "sites",
                    "unknown site \"%s\"; expected ids of sites of the park model", sites[i]);
        }
    }
}
