#include "collector/energy/closing.h"

#include "collector/energy/balance.h"
#include "collector/energy/unit.h"
#include "lib/clock.h"
#include "lib/mem.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- which month ---- */

static enum status expect_next(
    const struct closing_order *order, const char *site, struct period period, struct error *err)
{
    char wanted[PERIODS_TEXT_SIZE], next[PERIODS_TEXT_SIZE];
    int64_t month = order->has_closed ? order->last_month + 1 : order->first_month;
    periods_format(period, wanted);
    periods_format((struct period){PERIODS_MONTH, month}, next);
    if (order->has_closed && period.number <= order->last_month)
        return error_set(err, ST_INVALID,
            "%s of site %s is closed already, and stays so; what becomes known of it later is booked in %s",
            wanted, site, next);
    if (period.number < month)
        return error_set(err, ST_INVALID, "site %s has nothing metered in %s; expected %s, its first month",
            site, wanted, next);
    if (period.number > month)
        return error_set(err, ST_INVALID, "%s of site %s cannot be closed before %s is; expected %s", wanted,
            site, next, next);
    return ST_OK;
}

enum status closing_check_order(const struct closing_order *order, const char *site, struct period period,
    struct periods_span span, struct error *err)
{
    char text[PERIODS_TEXT_SIZE], end[CLOCK_TEXT_SIZE];
    periods_format(period, text);
    if (period.kind != PERIODS_MONTH)
        return error_set(err, ST_INVALID, "%s is no month; expected one, as 2026-10", text);
    if (!order->has_data && !order->has_closed)
        return error_set(
            err, ST_INVALID, "nothing of site %s is metered yet: there is nothing to close", site);
    enum status status = expect_next(order, site, period, err);
    if (status != ST_OK)
        return status;
    clock_format_utc(span.end_ms, end);
    if (span.end_ms > order->now_ms)
        return error_set(err, ST_INVALID,
            "%s of site %s is not over; expected a month that is: it ends at %s", text, site, end);
    if (order->has_closed && span.begin_ms != order->last_until_ms)
        return error_set(err, ST_INVALID,
            "the zone of site %s is another since the month before %s was closed: they do not meet", site,
            text);
    if (order->behind > 0)
        return error_set(err, ST_INVALID,
            "%" PRId64 " batches that arrived are not in the books yet; try again when they are",
            order->behind);
    return ST_OK;
}

/* ---- what stands against it ---- */

void closing_reasons_release(struct closing_reasons *reasons)
{
    free(reasons->items);
    *reasons = (struct closing_reasons){0};
}

static void add(
    struct closing_reasons *to, const struct park_meter *meter, const struct closing_reason *reason)
{
    MEM_GROW(to->items, to->count, to->capacity);
    struct closing_reason *added = &to->items[to->count++];
    *added = *reason;
    added->carrier = meter->carrier;
    snprintf(added->meter, sizeof added->meter, "%s", meter->id);
}

void closing_judge_exceptions(
    struct closing_reasons *to, const struct park_meter *meter, int64_t count, int64_t from_ms)
{
    if (count > 0)
        add(to, meter,
            &(struct closing_reason){
                .kind = CLOSING_EXCEPTION, .is_known = true, .figure = count, .from_ms = from_ms});
}

void closing_judge_waiting(struct closing_reasons *to, const struct park_meter *meter, int64_t count,
    int64_t from_ms, int64_t end_ms)
{
    if (count > 0 && meter->has_profile && park_stay(meter).until_ms > end_ms)
        add(to, meter,
            &(struct closing_reason){
                .kind = CLOSING_UNREAD, .is_known = true, .figure = count, .from_ms = from_ms});
}

void closing_judge_coverage(
    struct closing_reasons *to, const struct park_meter *meter, int64_t covered, int64_t due)
{
    if (due > 0 && covered * 1000 < due * CLOSING_COVERAGE_PERMILLE)
        add(to, meter,
            &(struct closing_reason){.kind = CLOSING_COVERAGE,
                .is_known = true,
                .figure = covered * 1000 / due,
                .limit = CLOSING_COVERAGE_PERMILLE});
}

void closing_judge_balance(struct closing_reasons *to, const struct park_meter *parent,
    const struct amount *gap, const struct amount *amount)
{
    struct closing_reason reason = {.kind = CLOSING_BALANCE};
    struct fraction limit = parent->balance_limit;
    enum balance judged = balance_judge(gap, amount, limit);
    int64_t whole;
    if (judged == BALANCE_WITHIN)
        return;
    reason.is_known = judged == BALANCE_BEYOND && amount_is_known(gap, &reason.figure);
    if (reason.is_known && amount_is_known(amount, &whole))
        reason.limit = (int64_t)((whole < 0 ? -(__int128)whole : whole) * limit.num / limit.den);
    add(to, parent, &reason);
}

static const char *const kinds[] = {[CLOSING_EXCEPTION] = "exception",
    [CLOSING_UNREAD] = "waiting",
    [CLOSING_COVERAGE] = "coverage",
    [CLOSING_BALANCE] = "balance"};

void closing_reason_name(const struct closing_reason *reason, char name[static CLOSING_NAME_SIZE])
{
    snprintf(name, CLOSING_NAME_SIZE, "%s:%.40s", kinds[reason->kind], reason->meter);
}

void closing_reason_text(const struct closing_reason *reason, char text[static CLOSING_TEXT_SIZE])
{
    char figure[DECIMAL_TEXT_SIZE], limit[DECIMAL_TEXT_SIZE], from[CLOCK_TEXT_SIZE];
    const char *unit = energy_unit(reason->carrier).name;
    switch (reason->kind) {
    case CLOSING_EXCEPTION:
        clock_format_utc(reason->from_ms, from);
        snprintf(text, CLOSING_TEXT_SIZE,
            "meter %.40s: %" PRId64 " open exception%s, from %s on; expected none", reason->meter,
            reason->figure, reason->figure == 1 ? "" : "s", from);
        break;
    case CLOSING_UNREAD:
        clock_format_utc(reason->from_ms, from);
        snprintf(text, CLOSING_TEXT_SIZE,
            "meter %.40s: %" PRId64 " quarter hour%s, from %s on, for a reading at or after the end of "
            "the month; expected none",
            reason->meter, reason->figure, reason->figure == 1 ? " waits" : "s wait", from);
        break;
    case CLOSING_COVERAGE:
        snprintf(text, CLOSING_TEXT_SIZE,
            "meter %.40s: coverage %" PRId64 ".%" PRId64 " %%; expected at least %" PRId64 " %%",
            reason->meter, reason->figure / 10, reason->figure % 10, reason->limit / 10);
        break;
    case CLOSING_BALANCE:
        energy_format(reason->carrier, reason->figure, figure);
        energy_format(reason->carrier, reason->limit, limit);
        if (reason->is_known)
            snprintf(text, CLOSING_TEXT_SIZE,
                "meter %.40s: its balance gap is %s %s; expected at most %s %s either way", reason->meter,
                figure, unit, limit, unit);
        else
            snprintf(text, CLOSING_TEXT_SIZE, "meter %.40s: its balance gap is unknown; expected it known",
                reason->meter);
        break;
    }
}

typedef char reason_name[CLOSING_NAME_SIZE];

static enum status check_override(const reason_name *names, size_t count,
    const struct closing_override *overrides, size_t at, struct error *err)
{
    const struct closing_override *o = &overrides[at];
    if (o->why == NULL || o->why[0] == '\0')
        return error_set(err, ST_INVALID, "%.60s is overridden without a reason; expected one", o->name);
    for (size_t i = 0; i < at; i++)
        if (strcmp(overrides[i].name, o->name) == 0)
            return error_set(err, ST_INVALID, "%.60s is overridden twice", o->name);
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], o->name) == 0)
            return ST_OK;
    return error_set(err, ST_INVALID,
        "%.60s does not stand against this closing; expected a reason that a preview lists", o->name);
}

enum status closing_check_overrides(const struct closing_reasons *reasons,
    const struct closing_override *overrides, size_t count, struct error *err)
{
    size_t open = 0;
    const struct closing_reason *first = NULL;
    enum status status = ST_OK;
    reason_name *names = mem_alloc((reasons->count + 1) * sizeof *names);
    for (size_t i = 0; i < reasons->count; i++)
        closing_reason_name(&reasons->items[i], names[i]);
    for (size_t i = 0; i < count && status == ST_OK; i++)
        status = check_override(names, reasons->count, overrides, i, err);
    for (size_t i = 0; i < reasons->count; i++) {
        bool is_overridden = false;
        for (size_t k = 0; k < count; k++)
            is_overridden = is_overridden || strcmp(names[i], overrides[k].name) == 0;
        if (!is_overridden && open++ == 0)
            first = &reasons->items[i];
    }
    free(names);
    if (open == 0 || status != ST_OK)
        return status;
    char name[CLOSING_NAME_SIZE], text[CLOSING_TEXT_SIZE];
    closing_reason_name(first, name);
    closing_reason_text(first, text);
    return error_set(err, ST_INVALID,
        "%zu reason%s against closing, the first %s (%s); settle or override each", open,
        open == 1 ? " stands" : "s stand", name, text);
}

/* ---- what is booked ---- */

static void pack_number(struct buf *packed, uint64_t rest)
{
    for (; rest >= 0x80; rest >>= 7)
        buf_add_char(packed, (char)(rest | 0x80));
    buf_add_char(packed, (char)rest);
}

void closing_pack(const uint32_t *codes, size_t count, struct buf *packed)
{
    for (size_t at = 0, end; at < count; at = end) {
        for (end = at + 1; end < count && codes[end] == codes[at]; end++)
            ;
        pack_number(packed, end - at);
        pack_number(packed, codes[at]);
    }
}

static bool unpack_number(struct span *packed, uint64_t max, uint64_t *ret)
{
    *ret = 0;
    for (unsigned shift = 0; packed->len > 0 && shift < 63; shift += 7) {
        unsigned char byte = (unsigned char)*packed->at++;
        packed->len--;
        *ret |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return *ret <= max;
    }
    return false;
}

bool closing_next_run(struct span *packed, size_t max, size_t *ret_count, uint32_t *ret_code)
{
    uint64_t run, code;
    if (!unpack_number(packed, max, &run) || !unpack_number(packed, UINT32_MAX, &code))
        return false;
    *ret_count = (size_t)run;
    *ret_code = (uint32_t)code;
    return true;
}

bool closing_unpack(struct span packed, uint32_t *codes, size_t count)
{
    size_t at = 0, run;
    uint32_t code;
    while (packed.len > 0) {
        if (!closing_next_run(&packed, count - at, &run, &code))
            return false;
        for (; run > 0; run--)
            codes[at++] = code;
    }
    return at == count;
}

void closing_quarters_release(struct closing_quarters *q)
{
    series_release(&q->series);
    free(q->codes);
    *q = (struct closing_quarters){0};
}

void closing_quarters_none(struct closing_quarters *q, struct periods_span span)
{
    series_init(&q->series, span, &(struct series_due){0});
    q->codes = mem_zalloc((q->series.count + 1) * sizeof *q->codes);
}

struct amount closing_amount(const struct closing_quarters *q)
{
    struct periods_span span = q->series.span;
    struct amount amount;
    amounts_of(&q->series, &(struct steps){.spans = &span, .count = 1}, &amount);
    for (size_t i = 0; i < q->series.count; i++)
        if (q->codes[i] == CLOSING_ELSEWHERE)
            amount.absent_s -= PERIODS_QUARTER_HOUR_MS / 1000;
    return amount;
}

struct closing_sum closing_metered(const struct amount *amount)
{
    int64_t ignored;
    return (struct closing_sum){*amount, amount_is_known(amount, &ignored)};
}

bool closing_is_due(const struct closing_quarters *q)
{
    for (size_t i = 0; i < q->series.count; i++)
        if (q->codes[i] >= CLOSING_WAITING)
            return true;
    return false;
}

static bool is_something_known(const struct series *s, size_t at)
{
    return s->states[at] == SERIES_ABSENT || series_is_known((enum series_state)s->states[at]);
}

static void take_off(int64_t *from, int64_t other, bool *is_overflown)
{
    *is_overflown = __builtin_sub_overflow(*from, other, from) || *is_overflown;
}

static void amount_take_off(struct amount *from, const struct amount *other)
{
    struct quarters_sum *to = &from->sum;
    const struct quarters_sum *sum = &other->sum;
    bool *is_overflown = &to->is_overflown;
    *is_overflown = *is_overflown || sum->is_overflown;
    take_off(&to->count, sum->count, is_overflown);
    take_off(&to->known, sum->known, is_overflown);
    take_off(&to->unknown_s, sum->unknown_s, is_overflown);
    take_off(&to->estimated, sum->estimated, is_overflown);
    take_off(&to->estimated_s, sum->estimated_s, is_overflown);
    take_off(&to->manual, sum->manual, is_overflown);
    take_off(&to->manual_s, sum->manual_s, is_overflown);
    take_off(&from->waiting_s, other->waiting_s, is_overflown);
    take_off(&from->future_s, other->future_s, is_overflown);
    take_off(&from->absent_s, other->absent_s, is_overflown);
}

struct closing_sum closing_entry(const struct closing_quarters *booked, const struct closing_quarters *now)
{
    const struct series *was = &booked->series, *is = &now->series;
    struct amount before = closing_amount(booked);
    struct closing_sum entry = {closing_amount(now), true};
    assert(was->span.begin_ms == is->span.begin_ms && was->count == is->count);
    amount_take_off(&entry.parts, &before);
    for (size_t i = 0; i < is->count; i++)
        if (was->states[i] != is->states[i] || was->amounts[i] != is->amounts[i])
            entry.is_whole = entry.is_whole && is_something_known(was, i) && is_something_known(is, i);
    return entry;
}

void closing_add(struct closing_sum *to, const struct closing_sum *other)
{
    amount_add(&to->parts, &other->parts);
    to->is_whole = to->is_whole && other->is_whole;
}
