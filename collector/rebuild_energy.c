#include "collector/rebuild_energy.h"

#include "lib/clock.h"
#include "lib/program.h"

#include <poll.h>
#include <string.h>

#define SLICE_LINES 5000
#define DAY_HOURS 24

static bool is_same_text(const struct body *a, const struct body *b)
{
    return a->text.len == b->text.len &&
           (a->text.len == 0 || memcmp(a->text.data, b->text.data, a->text.len) == 0);
}

/* The same meters again, as the books have them now; *ret_at: the place of the next. */
static enum status read_meters(struct rebuild_energy *r, const struct energy_meters *meters, struct body *ret,
    size_t *ret_at, bool *ret_is_last, struct error *err)
{
    struct energy_meters m = *meters;
    enum status status = energy_body_meters(r->reader, &m, SLICE_LINES, ret, ret_is_last, err);
    *ret_at = m.at;
    return status;
}

static enum status post(struct rebuild_energy *r, struct body *body, struct error *err)
{
    struct tally tally = {0};
    if (!poster_clear(r->poster, body) || !poster_deliver(r->poster, NULL, body, &tally))
        return error_set(err, ST_TIMEOUT, "stopped");
    return ST_OK;
}

/* Those from meters->at on; moves it. */
static enum status replace(struct rebuild_energy *r, struct energy_meters *meters, int64_t *ret_written,
    bool *ret_is_last, struct error *err)
{
    struct body body = {0}, after = {0};
    size_t at;
    enum status status = read_meters(r, meters, &body, &at, ret_is_last, err);
    for (bool is_same = body.count == 0; !is_same && status == ST_OK;) {
        status = post(r, &body, err);
        *ret_written = (int64_t)(body.count - body.rejects.count);
        if (status == ST_OK)
            status = read_meters(r, meters, &after, &at, ret_is_last, err);
        is_same = status == ST_OK && is_same_text(&body, &after);
        struct body swapped = body;
        body = after;
        after = swapped;
    }
    meters->at = at;
    body_release(&body);
    body_release(&after);
    return status;
}

static enum status drop(struct rebuild_energy *r, const struct energy_meters *day, struct error *err)
{
    struct answer answer = influx_delete(r->poster->influx, "energy", day->from_ms, day->until_ms);
    return answer.action == ANSWER_ACCEPTED
               ? ST_OK
               : error_set(err, ST_UNREACHABLE, "the store: cannot delete: %s", answer.text);
}

/* A running collector may be writing an hour of it anew just now (countback.h): it is counted again for a while. */
#define CHECK_TRIES 30
#define CHECK_PAUSE_MS 100

static enum status check(
    struct rebuild_energy *r, const struct energy_meters *day, int64_t written, struct error *err)
{
    int64_t found = 0;
    for (int i = 0; i < CHECK_TRIES && !program_is_asked_to_end(); i++) {
        if (i > 0)
            poll(NULL, 0, CHECK_PAUSE_MS);
        struct answer answer =
            influx_count(r->poster->influx, NULL, "energy", "quality", day->from_ms, day->until_ms, &found);
        if (answer.action != ANSWER_ACCEPTED)
            return error_set(err, ST_UNREACHABLE, "the store: cannot count: %s", answer.text);
        if (found >= written)
            return ST_OK;
    }
    return error_set(err, ST_PROTOCOL,
        "%lld quarter hours were written and the store holds %lld; run this again", (long long)written,
        (long long)found);
}

static enum status rebuild_day(
    struct rebuild_energy *r, int64_t from_hour, int64_t to_hour, struct error *err)
{
    struct energy_meters meters = {
        .from_ms = from_hour * HOUR_MS, .until_ms = to_hour * HOUR_MS, .site = r->site};
    int64_t sum = 0;
    bool is_last = false;
    enum status status = unfinished_add_span(r->unfinished, SPAN("energy"), from_hour, to_hour, err);
    if (status == ST_OK && r->drops_unknown && r->site == NULL)
        status = drop(r, &meters, err);
    while (status == ST_OK && !is_last) {
        int64_t written = 0;
        status = program_is_asked_to_end() ? error_set(err, ST_TIMEOUT, "stopped")
                                           : replace(r, &meters, &written, &is_last, err);
        sum += written;
    }
    if (status == ST_OK && sum > 0)
        status = check(r, &meters, sum, err);
    if (status != ST_OK) {
        char day[CLOCK_TEXT_SIZE];
        clock_format_utc(from_hour * HOUR_MS, day);
        day[10] = '\0';
        return error_prefix(err, status,
            "energy of %s is deleted but not written whole; run this again, or leave it to the collector, "
            "which "
            "makes it whole",
            day);
    }
    r->written += sum;
    return unfinished_remove_span(r->unfinished, SPAN("energy"), from_hour, to_hour, err);
}

enum status rebuild_energy_run(struct rebuild_energy *r, struct error *err)
{
    enum status status = ST_OK;
    for (int64_t hour = r->from_hour, next; hour < r->to_hour && status == ST_OK; hour = next) {
        next = (hour / DAY_HOURS + 1) * DAY_HOURS;
        next = next < r->to_hour ? next : r->to_hour;
        progress_show(r->progress, "rebuilt energy of %lld of %lld hours, %lld quarter hours",
            (long long)(hour - r->from_hour), (long long)(r->to_hour - r->from_hour), (long long)r->written);
        status = program_is_asked_to_end() ? error_set(err, ST_TIMEOUT, "stopped")
                                           : rebuild_day(r, hour, next, err);
    }
    progress_end(r->progress);
    return status;
}
