#include "collector/decide_control.h"

#include "collector/core.h"
#include "collector/deciding_json.h"
#include "lib/clock.h"

#define SHOWN 96 /* quarter hours; of more their sum */

static void add_span(
    struct buf *text, const char *before, int64_t from_ms, int64_t until_ms, const char *after)
{
    char from[CLOCK_TEXT_SIZE], until[CLOCK_TEXT_SIZE] = "-";
    clock_format_utc(from_ms, from);
    if (until_ms != INT64_MAX)
        clock_format_utc(until_ms, until);
    buf_printf(text, "%s%s %s%s\n", before, from, until, after);
}

static void add_amount(struct buf *text, const struct quarter *q)
{
    if (q->quality == QUALITY_UNKNOWN)
        buf_printf(text, "unknown");
    else
        buf_printf(text, "%lld %s", (long long)q->amount, quality_names[q->quality]);
}

void decide_print(const struct deciding *d, const struct deciding_effect *e, struct buf *text)
{
    struct quarters_sum before = {0}, after = {0};
    for (size_t i = 0; i < e->quarter_count; i++) {
        const struct deciding_quarter *q = &e->quarters[i];
        if (q->was_there)
            quarters_add(&before, &q->before);
        quarters_add(&after, &q->after);
        if (e->quarter_count > SHOWN)
            continue;
        char start[CLOCK_TEXT_SIZE];
        clock_format_utc(q->after.start_ms, start);
        buf_printf(text, "%s  ", start);
        if (q->was_there)
            add_amount(text, &q->before);
        else
            buf_printf(text, "-");
        buf_printf(text, " -> ");
        add_amount(text, &q->after);
        buf_printf(text, "\n");
    }
    for (size_t i = 0; i < e->event_count; i++)
        add_span(text,
            e->events[i].kind == EVENT_STATED                                              ? "stated     "
            : e->events[i].kind == EVENT_OUTLIERS                                          ? "outliers   "
            : e->events[i].kind == EVENT_FROZEN                                            ? "frozen     "
            : e->events[i].kind == EVENT_ROLLOVER                                          ? "rollover   "
            : e->events[i].kind == EVENT_OUTSIDE || e->events[i].kind == EVENT_QUARANTINED ? "refused    "
                                                                                           : "exception  ",
            e->events[i].from_ms, e->events[i].until_ms, e->events[i].is_opened ? "  opened" : "  withdrawn");
    buf_printf(text, "%zu quarter hours of meter %s: known %lld -> %lld, unknown %lld s -> %lld s\n",
        e->quarter_count, e->meter, (long long)before.known, (long long)after.known,
        (long long)before.unknown_s, (long long)after.unknown_s);
    if (e->closed_count > 0)
        buf_printf(text,
            "%zu of them are in closed months: what changes is an adjusting entry of the month that is "
            "open\n",
            e->closed_count);
    if (d->is_preview)
        buf_add_str(text, "preview: nothing was changed\n");
    else
        buf_printf(text, "decision %lld\n", (long long)e->id);
}

enum status decide_control_run(
    void *user_data, const struct control_request *request, struct buf *text, struct error *err)
{
    struct deciding_words words = {{NULL}};
    char numbers[WORDS][NUMBER_INT64_SIZE];
    struct deciding d;
    struct deciding_effect effect = {0};
    enum status status = deciding_json_read(request->body, &words, numbers, err);
    if (status == ST_OK)
        status = deciding_read(&words, &d, err);
    if (status != ST_OK)
        return status;
    d.is_preview = request->is_preview;
    d.decided.who = request->who;
    status = core_decide(user_data, &d, &effect, err);
    if (status == ST_OK)
        decide_print(&d, &effect, text);
    deciding_effect_release(&effect);
    return status;
}
