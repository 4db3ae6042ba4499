/* /audit/<site>/<period>/...: what an amount of the report is made of, down to the readings (collector/report/drill.h), as a
 * page or with ?format=csv. By the park model in use, as /api/v1/energy.
 */
#include "collector/report/drill.h"

#include "collector/report/happened.h"
#include "collector/report/write.h"
#include "collector/web/context.h"
#include "lib/mem.h"
#include "lib/rfc3339.h"

#include <stdlib.h>
#include <string.h>

#define PREFIX "/audit/"
#define EXPECTED                                                                                    \
    "expected meter/<id>, and behind it a day (2026-10-05) or the begin of a quarter hour "         \
    "(2026-10-05T06:15:00Z); building, tenant, item or carrier/<id>; total/<carrier>/<kind>/<id>; " \
    "virtual/<id>; or gap/<id>"
#define WAY_MAX 3

/* What stands in the path, and the way to it. */
struct asked {
    struct drill drill;
    char *links; /* "/audit/<site>/<period>/" */
    char *kind, *id;
    const char *step; /* behind the meter; NULL = nothing */
    bool is_csv;
    char *texts[WAY_MAX], *hrefs[WAY_MAX];
    size_t way_count;
};

bool drill_is_path(const char *path)
{
    const char *slash = strchr(path + strlen(PREFIX), '/');
    return slash != NULL && strchr(slash + 1, '/') != NULL;
}

static const struct park_site *find_site(const struct park *park, const char *id, size_t length)
{
    CONF_EACH (const struct park_site, site, park->sites)
        if (strlen(site->id) == length && memcmp(site->id, id, length) == 0)
            return site;
    return NULL;
}

/* Takes the path apart. False: *ret_answer. What is set of `a` is to be released either way. */
static bool read_path(const struct web_context *context, const struct web_request *request, struct asked *a,
    struct web_answer *ret_answer)
{
    const char *site = request->path + strlen(PREFIX), *period = strchr(site, '/') + 1,
               *rest = strchr(period, '/') + 1;
    char *name = mem_strndup(period, (size_t)(rest - 1 - period));
    struct drill *d = &a->drill;
    d->park = context->options->park;
    d->site = find_site(d->park, site, (size_t)(period - 1 - site));
    bool is_period = periods_parse(name, &d->period);
    if (d->site == NULL)
        *ret_answer = answer_error(404, "not_found", "site: there is no such site");
    else if (!is_period)
        *ret_answer =
            answer_error(400, "bad_period", "period: %.40s is no period; %s", name, PERIODS_EXPECTED);
    free(name);
    if (d->site == NULL || !is_period)
        return false;
    d->zone = context_zone(context, d->site->id);
    d->span = periods_span(d->zone, d->period);
    a->links = mem_strndup(request->path, (size_t)(rest - request->path));
    const char *slash = strchr(rest, '/');
    if (slash == NULL || slash[1] == '\0') {
        *ret_answer = answer_error(404, "not_found", "nothing is here; " EXPECTED);
        return false;
    }
    a->kind = mem_strndup(rest, (size_t)(slash - rest));
    a->id = mem_strdup(slash + 1);
    char *step = strcmp(a->kind, "meter") == 0 ? strchr(a->id, '/') : NULL;
    if (step != NULL) {
        *step = '\0';
        a->step = step + 1;
    }
    return true;
}

static bool read_format(const struct web_request *request, bool *ret_is_csv, struct web_answer *ret_answer)
{
    const char *format = request_param(request, "format");
    *ret_is_csv = format != NULL && strcmp(format, "csv") == 0;
    if (format == NULL || *ret_is_csv || strcmp(format, "html") == 0)
        return true;
    *ret_answer = answer_error(
        400, "bad_parameter", "format: unknown value \"%.40s\"; expected one of html, csv", format);
    return false;
}

static void add_way(struct asked *a, const char *text, const char *below)
{
    a->texts[a->way_count] = mem_strdup(text);
    a->hrefs[a->way_count++] =
        mem_printf("%s%s?lang=%s", a->links, below, page_language_name(a->drill.language));
}

/* The report, the meter, the day. */
static void lay_way(struct asked *a, const struct period *day)
{
    char *report = mem_strndup(a->links, strlen(a->links) - 1);
    a->texts[0] = mem_strdup(words_of(a->drill.language, "report_title"));
    a->hrefs[a->way_count++] = mem_printf("%s?lang=%s", report, page_language_name(a->drill.language));
    free(report);
    if (a->step == NULL)
        return;
    char *meter = mem_printf("meter/%s", a->id);
    add_way(a, a->id, meter);
    if (day != NULL) {
        char name[PERIODS_TEXT_SIZE];
        periods_format(*day, name);
        char *below = mem_printf("%s/%s", meter, name);
        add_way(a, name, below);
        free(below);
    }
    free(meter);
}

static enum status fill_meter(
    struct asked *a, struct tables *ret, bool *ret_is_found, bool *ret_is_bad, struct error *err)
{
    struct drill *d = &a->drill;
    struct period day;
    int64_t start_ms;
    if (a->step == NULL || (periods_parse(a->step, &day) && day.kind == PERIODS_DAY)) {
        lay_way(a, NULL);
        return a->step == NULL ? drill_meter(d, a->id, ret, ret_is_found, err)
                               : drill_day(d, a->id, day, ret, ret_is_found, err);
    }
    *ret_is_bad = !rfc3339_parse(a->step, &start_ms) || start_ms % PERIODS_QUARTER_HOUR_MS != 0;
    if (*ret_is_bad)
        return ST_OK;
    day = periods_of(d->zone, PERIODS_DAY, start_ms);
    lay_way(a, &day);
    return drill_quarter(d, a->id, start_ms, ret, ret_is_found, err);
}

/* *ret_is_bad: the step behind the meter is none. */
static enum status fill(
    struct asked *a, struct tables *ret, bool *ret_is_found, bool *ret_is_bad, struct error *err)
{
    *ret_is_found = *ret_is_bad = false;
    if (strcmp(a->kind, "meter") == 0)
        return fill_meter(a, ret, ret_is_found, ret_is_bad, err);
    lay_way(a, NULL);
    if (strcmp(a->kind, "total") == 0)
        return drill_part(&a->drill, a->id, ret, ret_is_found, err);
    if (strcmp(a->kind, "virtual") == 0)
        return drill_row(&a->drill, TREE_VIRTUAL, TREE_METER, a->id, ret, ret_is_found, err);
    if (strcmp(a->kind, "gap") == 0)
        return drill_row(&a->drill, TREE_GAP, TREE_METER, a->id, ret, ret_is_found, err);
    for (int by = 0; tree_bys[by] != NULL; by++)
        if (strcmp(tree_bys[by], a->kind) == 0)
            return drill_row(&a->drill, TREE_GROUP, (enum tree_by)by, a->id, ret, ret_is_found, err);
    return ST_OK;
}

static struct web_answer answer_tables(const struct asked *a, const struct tables *tables)
{
    struct buf out = {0};
    if (a->is_csv) {
        write_csv(tables, &out);
    } else {
        struct write_link way[WAY_MAX];
        for (size_t i = 0; i < a->way_count; i++)
            way[i] = (struct write_link){a->texts[i], a->hrefs[i]};
        write_html(tables,
            &(struct write_page){.css_path = "/assets/report.css",
                .links = a->links,
                .title = "drill_title",
                .way = way,
                .way_count = a->way_count},
            &out);
    }
    size_t length = out.len;
    return answer_text(
        200, a->is_csv ? "text/csv; charset=utf-8" : "text/html; charset=utf-8", buf_take(&out), length);
}

static struct web_answer unavailable(struct web_context *context, const struct error *err)
{
    context_close_db(context);
    return answer_later("report_unavailable", err->text);
}

/* All of a page as of one commit. */
static struct web_answer answer_asked(struct web_context *context, struct asked *a)
{
    struct error err, ignored;
    struct tables tables = {0};
    bool is_found = false, is_bad = false;
    if (!context_open_db(context, &err))
        return unavailable(context, &err);
    a->drill.db = context->db;
    enum status status = db_exec(context->db, "BEGIN", &err);
    if (status == ST_OK) {
        int64_t as_of_ms;
        status = happened_as_of(context->db, &as_of_ms, &err);
        if (status == ST_OK) {
            a->drill.now_ms = happened_now(context->clock->wall_ms(), as_of_ms);
            status = fill(a, &tables, &is_found, &is_bad, &err);
        }
        enum status ended = db_exec(context->db, "COMMIT", status == ST_OK ? &err : &ignored);
        status = status == ST_OK ? ended : status;
    }
    struct web_answer answer;
    if (status != ST_OK)
        answer = unavailable(context, &err);
    else if (is_bad)
        answer = answer_error(
            400, "bad_step", "%.40s is neither a day nor the begin of a quarter hour; " EXPECTED, a->step);
    else if (!is_found)
        answer =
            answer_error(404, "not_found", "nothing of that name is metered here in this period; " EXPECTED);
    else
        answer = answer_tables(a, &tables);
    tables_release(&tables);
    return answer;
}

struct web_answer handle_drill(
    struct web_context *context, const struct web_request *request, enum page_language language)
{
    struct asked a = {.drill = {.language = language}};
    struct web_answer answer;
    if (read_format(request, &a.is_csv, &answer) && read_path(context, request, &a, &answer))
        answer = answer_asked(context, &a);
    for (size_t i = 0; i < a.way_count; i++) {
        free(a.texts[i]);
        free(a.hrefs[i]);
    }
    free(a.links);
    free(a.kind);
    free(a.id);
    return answer;
}
