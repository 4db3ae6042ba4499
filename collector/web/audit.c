/* /audit/<site>/<period>: the energy report as a page, and with .xlsx, .csv or .json behind it as that (collector/report/).
 * Worked out at each request, as an errand: a year of 500 meters takes about 0.6 s of a processor
 * (tests/bench, row report).
 */
#include "collector/report/accepted.h"
#include "collector/report/write.h"
#include "collector/web/page_params.h"
#include "lib/file.h"
#include "lib/mem.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PREFIX "/audit/"
#define XLSX_MAX ((size_t)256 << 20) /* far above what a report of 100 years has */

struct wanted {
    char site[40];
    char name[PERIODS_TEXT_SIZE]; /* of the period, as it was written */
    struct period period;
    const char *format; /* "html", "xlsx", "csv", "json" */
    enum page_language language;
};

static const struct {
    const char *format, *content_type;
} types[] = {
    {"html", "text/html; charset=utf-8"},
    {"xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
    {"csv", "text/csv; charset=utf-8"},
    {"json", WEB_JSON},
};

static const char *type_of(const char *format)
{
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (strcmp(types[i].format, format) == 0)
            return types[i].content_type;
    return NULL;
}

/* False: the path is none of this kind. */
static bool parse_path(const char *path, struct wanted *ret)
{
    const char *site = path + strlen(PREFIX), *slash = strchr(site, '/');
    if (slash == NULL || slash == site || (size_t)(slash - site) >= sizeof ret->site)
        return false;
    const char *period = slash + 1, *point = strchr(period, '.');
    size_t length = point != NULL ? (size_t)(point - period) : strlen(period);
    if (length >= sizeof ret->name)
        return false;
    memcpy(ret->site, site, (size_t)(slash - site));
    memcpy(ret->name, period, length);
    ret->format = point != NULL ? point + 1 : "html";
    return type_of(ret->format) != NULL && (point == NULL || strcmp(ret->format, "html") != 0);
}

/* A spreadsheet is made of a file. */
static enum status xlsx_text(const struct tables *tables, struct buf *out, struct error *err)
{
    const char *folder = getenv("TMPDIR");
    char *path = mem_printf("%s/parkmon-report-XXXXXX", folder != NULL ? folder : "/tmp"), *bytes = NULL;
    size_t length = 0;
    int fd = mkstemp(path);
    enum status status = fd >= 0 ? write_xlsx(tables, path, err)
                                 : error_set(err, ST_STORAGE, "%s cannot be made: %s", path, strerror(errno));
    if (status == ST_OK)
        status = file_read(path, XLSX_MAX, &bytes, &length, err);
    if (status == ST_OK)
        buf_add(out, bytes, length);
    if (fd >= 0) {
        close(fd);
        unlink(path);
    }
    free(bytes);
    free(path);
    return status;
}

static void write_page(const struct wanted *wanted, const struct tables *tables, struct buf *out)
{
    char *links = mem_printf(PREFIX "%s/%s/", wanted->site, wanted->name);
    write_html(tables,
        &(struct write_page){.css_path = "/assets/report.css", .name = wanted->name, .links = links}, out);
    free(links);
}

static enum status write_report(const struct wanted *wanted, const struct accepted *accepted,
    const struct report *report, struct buf *out, struct error *err)
{
    char *command =
        mem_printf("park-collector report --config FILE --site %s --period %s --format %s --language %s",
            wanted->site, wanted->name, wanted->format, page_language_name(wanted->language));
    struct tables_origin origin = accepted_origin(accepted, command);
    struct tables tables;
    enum status status = ST_OK;
    tables_of(report, &origin, wanted->language, &tables);
    if (strcmp(wanted->format, "xlsx") == 0)
        status = xlsx_text(&tables, out, err);
    else if (strcmp(wanted->format, "csv") == 0)
        write_csv(&tables, out);
    else if (strcmp(wanted->format, "json") == 0)
        write_json(&tables, out);
    else
        write_page(wanted, &tables, out);
    tables_release(&tables);
    free(command);
    return status;
}

static struct web_answer answer_report(
    struct web_context *context, const struct wanted *wanted, const struct accepted *accepted)
{
    const struct park_site *site =
        accepted->model != NULL ? park_site_find(accepted->model->park, wanted->site) : NULL;
    if (site == NULL)
        return answer_error(404, "not_found", "site: there is no such site");
    struct report_options options = {.db = context->db,
        .park = accepted->model->park,
        .rates = &accepted->model->rates,
        .site = site,
        .period = wanted->period,
        .now_ms = context->clock->wall_ms()};
    struct report report;
    struct error err;
    struct buf out = {0};
    enum status status = report_build(&options, &report, &err);
    if (status != ST_OK)
        return answer_later("report_unavailable", err.text);
    status = write_report(wanted, accepted, &report, &out, &err);
    report_release(&report);
    if (status != ST_OK) {
        buf_release(&out);
        return answer_later("report_unavailable", err.text);
    }
    size_t length = out.len;
    return answer_text(200, type_of(wanted->format), buf_take(&out), length);
}

/* Not now: as a page; nothing in place of a file. */
static struct web_answer answer_put_off(
    const struct web_context *context, const struct web_request *request, const struct wanted *wanted)
{
    if (request_param(request, "format") != NULL || strcmp(wanted->format, "html") != 0)
        return (struct web_answer){0};
    const struct web_param values[] = {{"lang", page_language_name(wanted->language)}};
    char *html = page_fill("<div class=\"card\"><p class=\"message\" role=\"alert\">{{report_busy}}</p>"
                           "<p><a href=\"?lang={{=lang}}\">{{try_again}}</a></p></div>",
        context->texts[wanted->language], values, 1);
    struct web_answer answer = context_page(context, wanted->language, 503,
        context_text(context, wanted->language, "report_title"), "?lang=", html);
    free(html);
    return answer;
}

struct web_answer handle_audit(struct web_context *context, const struct web_request *request)
{
    struct wanted wanted = {.format = "html", .language = page_language_of(request)};
    bool is_drill = drill_is_path(request->path);
    if (!is_drill && !parse_path(request->path, &wanted))
        return answer_error(404, "not_found",
            "nothing is here; expected /audit/<site>/<period>, with .xlsx, .csv or "
            ".json behind it for another format");
    if (request->is_put_off)
        return answer_put_off(context, request, &wanted);
    if (is_drill)
        return handle_drill(context, request, wanted.language);
    if (request_param(request, "format") != NULL)
        return answer_error(400, "unknown_parameter",
            "format: unknown here; another format is at " PREFIX "%s/%s with .xlsx, .csv or .json behind it",
            wanted.site, wanted.name);
    if (!periods_parse(wanted.name, &wanted.period))
        return answer_error(400, "bad_period", "period: %s is no period; %s", wanted.name, PERIODS_EXPECTED);
    struct error err;
    const struct accepted *accepted = context_accepted(context, &err);
    return accepted != NULL ? answer_report(context, &wanted, accepted)
                            : answer_later("report_unavailable", err.text);
}
