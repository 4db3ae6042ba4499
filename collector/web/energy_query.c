#include "collector/web/energy_query.h"

#include "lib/buf.h"
#include "lib/rfc3339.h"

#include <string.h>

#define DAY_MS INT64_C(86400000)
#define TIME_EXPECTED                                                                                       \
    "expected a time with its offset, such as 2026-10-01T00:00:00Z (a + is written %%2B), or a day, month " \
    "or year of "                                                                                           \
    "the site, such as 2026-10, for its begin"

static const char *const step_names[] = {[STEPS_QUARTER_HOUR] = "15m",
    [STEPS_HOUR] = "1h",
    [STEPS_DAY] = "1d",
    [STEPS_MONTH] = "1mo",
    [STEPS_WHOLE] = "all",
    [STEPS_WHOLE + 1] = NULL};
static const char *const ofs[] = {"groups", "parts", NULL};
static const char *const formats[] = {"json", "csv", NULL};

const char *energy_query_step(enum steps_kind step)
{
    return step_names[step];
}

const char *energy_query_of(const struct energy_query *q)
{
    return ofs[q->is_of_parts];
}

static bool read_site(const struct web_context *context, const struct web_request *request,
    struct energy_query *q, struct web_answer *ret_answer)
{
    const struct conf_list *sites = &context->options->park->sites;
    const char *text = request_param(request, "site");
    struct buf known = {0};
    q->site = NULL;
    for (size_t i = 0; i < sites->count; i++) {
        const struct park_site *site = &((const struct park_site *)sites->items)[i];
        buf_printf(&known, "%s%s", i > 0 ? ", " : "", site->id);
        if (text == NULL ? sites->count == 1 : strcmp(site->id, text) == 0)
            q->site = site;
    }
    if (q->site == NULL)
        *ret_answer =
            text != NULL
                ? answer_error(400, "bad_parameter", "site: unknown value \"%.40s\"; expected one of %s",
                      text, known.data)
                : answer_error(400, "bad_parameter", "site: is missing; expected one of %s", known.data);
    else
        q->zone = context_zone(context, q->site->id);
    buf_release(&known);
    return q->site != NULL;
}

static bool read_time(const struct web_request *request, const char *name, const struct zone *zone,
    int64_t *ret_ms, struct web_answer *ret_answer)
{
    const char *text = request_param(request, name);
    struct period period;
    if (text == NULL) {
        *ret_answer = answer_error(400, "bad_parameter", "%s: is missing; " TIME_EXPECTED, name);
        return false;
    }
    if (periods_parse(text, &period)) {
        *ret_ms = periods_span(zone, period).begin_ms;
        return true;
    }
    if (!rfc3339_parse(text, ret_ms)) {
        *ret_answer =
            answer_error(400, "bad_parameter", "%s: \"%.40s\" is not a time; " TIME_EXPECTED, name, text);
        return false;
    }
    if (*ret_ms % PERIODS_QUARTER_HOUR_MS != 0) {
        *ret_answer = answer_error(400, "bad_parameter",
            "%s: \"%.40s\" is inside a quarter hour; expected one of minute 0, 15, 30 or 45 of UTC", name,
            text);
        return false;
    }
    return true;
}

bool energy_query_is_short(struct periods_span span)
{
    return span.end_ms - span.begin_ms <= ENERGY_DAYS_MAX * DAY_MS;
}

bool energy_query_read(const struct web_context *context, const struct web_request *request,
    struct energy_query *q, struct web_answer *ret_answer)
{
    int by, of, step, format;
    if (!read_site(context, request, q, ret_answer) ||
        !request_word(request, "by", tree_bys, TREE_CARRIER, &by, ret_answer) ||
        !request_word(request, "of", ofs, 0, &of, ret_answer) ||
        !request_word(request, "step", step_names, STEPS_WHOLE, &step, ret_answer) ||
        !request_word(request, "format", formats, 0, &format, ret_answer) ||
        !read_time(request, "from", q->zone, &q->span.begin_ms, ret_answer) ||
        !read_time(request, "to", q->zone, &q->span.end_ms, ret_answer))
        return false;
    q->by = (enum tree_by)by;
    q->step = (enum steps_kind)step;
    q->is_of_parts = of == 1;
    q->is_csv = format == 1;
    if (q->is_of_parts && q->by == TREE_METER) {
        *ret_answer = answer_error(400, "bad_parameter",
            "of: a meter is no part; expected groups, or by building, tenant, item or carrier");
        return false;
    }
    if (q->span.end_ms <= q->span.begin_ms) {
        *ret_answer = answer_error(400, "bad_parameter", "to: is not later than from; expected a later time");
        return false;
    }
    if (!energy_query_is_short(q->span)) {
        *ret_answer = answer_error(400, "too_much",
            "to: is more than %d days after from; expected at most so many", ENERGY_DAYS_MAX);
        return false;
    }
    return true;
}

bool energy_query_is_bounded(
    const struct tree *tree, const struct steps *steps, struct web_answer *ret_answer)
{
    size_t quarters = 0;
    for (size_t i = 0; i < tree->count; i++)
        for (size_t k = 0; k < tree->rows[i].part_count; k++) {
            const struct tree_part *part = &tree->rows[i].parts[k];
            quarters +=
                part->count * (size_t)((part->span.end_ms - part->span.begin_ms) / PERIODS_QUARTER_HOUR_MS);
        }
    if (tree->count * steps->count > ENERGY_VALUES_MAX)
        *ret_answer = answer_error(400, "too_much",
            "%zu rows of %zu steps are asked for; expected at most %d values: a longer step or a shorter "
            "period",
            tree->count, steps->count, ENERGY_VALUES_MAX);
    else if (quarters > ENERGY_QUARTERS_MAX)
        *ret_answer = answer_error(400, "too_much",
            "%zu quarter hours of meters would have to be read; expected at most %d: a shorter period",
            quarters, ENERGY_QUARTERS_MAX);
    else
        return true;
    return false;
}
