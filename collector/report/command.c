#include "collector/report/command.h"

#include "collector/report/accepted.h"
#include "collector/report/write.h"
#include "collector/schema.h"
#include "lib/clock.h"
#include "lib/file.h"
#include "lib/mem.h"
#include "lib/program.h"
#include "lib/progress.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CSS_MAX ((size_t)1 << 20)

enum format { FORMAT_HTML, FORMAT_XLSX, FORMAT_CSV, FORMAT_JSON };
static const char *const formats[] = {"html", "xlsx", "csv", "json", NULL};

struct wanted {
    struct period period;
    enum format format;
    enum page_language language;
    bool is_misused; /* what was asked for is not there to be asked for */
};

static bool find_format(const char *name, enum format *ret)
{
    for (int i = 0; name != NULL && formats[i] != NULL; i++)
        if (strcmp(formats[i], name) == 0) {
            *ret = (enum format)i;
            return true;
        }
    return false;
}

/* As it was asked for, else as the output is named, else HTML. */
static enum status choose_format(const struct report_command *c, enum format *ret, struct error *err)
{
    const char *end = c->output != NULL ? strrchr(c->output, '.') : NULL;
    *ret = FORMAT_HTML;
    if (c->format != NULL && !find_format(c->format, ret))
        return error_set(err, ST_INVALID, "--format %s is none; expected html, xlsx, csv or json", c->format);
    if (c->format == NULL && c->output != NULL && (end == NULL || !find_format(end + 1, ret)))
        return error_set(err, ST_INVALID,
            "%s does not say its format; expected --format, or a name that ends in .html, .xlsx, .csv or "
            ".json",
            c->output);
    if (*ret == FORMAT_XLSX && c->output == NULL)
        return error_set(err, ST_INVALID, "a spreadsheet needs a file to go to; expected --output FILE");
    return ST_OK;
}

static enum status understand(const struct report_command *c, struct wanted *ret, struct error *err)
{
    *ret = (struct wanted){.language = PAGE_ZH};
    if (c->language != NULL && strcmp(c->language, "en") == 0)
        ret->language = PAGE_EN;
    else if (c->language != NULL && strcmp(c->language, "zh") != 0)
        return error_set(err, ST_INVALID, "--language %s is none; expected zh or en", c->language);
    if (!periods_parse(c->period, &ret->period))
        return error_set(err, ST_INVALID, "--period %s is no period; %s", c->period, PERIODS_EXPECTED);
    enum status status = choose_format(c, &ret->format, err);
    if (status == ST_OK && c->output != NULL && access(c->output, F_OK) == 0)
        status =
            error_set(err, ST_INVALID, "%s is there already; name another file, or remove it", c->output);
    return status;
}

/* ---- the park model ---- */

/* Of the files where none was accepted yet. */
static enum status choose_site(const struct report_command *c, const struct accepted *accepted,
    struct wanted *wanted, struct report_options *ret, struct error *err)
{
    const struct model *model = accepted->model != NULL ? accepted->model : c->model;
    if (!hash_is_equal(&model->hash, &c->model->hash))
        fprintf(stderr,
            "park-collector: the park model's files say other than version %lld, which was accepted and by "
            "which "
            "the report is made\n",
            (long long)accepted->version.number);
    ret->park = model->park;
    ret->rates = &model->rates;
    ret->site = park_site_find(model->park, c->site);
    if (ret->site != NULL)
        return ST_OK;
    struct buf sites = {0};
    CONF_EACH (const struct park_site, site, model->park->sites)
        buf_printf(&sites, "%s%s", sites.len > 0 ? ", " : "", site->id);
    wanted->is_misused = true;
    enum status status = error_set(err, ST_INVALID, "--site %s is none of %s; expected one of: %s", c->site,
        c->settings->park, sites.data != NULL ? sites.data : "");
    buf_release(&sites);
    return status;
}

/* ---- writing ---- */

/* As a shell takes it. */
static char *quoted(const char *text)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:@+,";
    if (text[0] != '\0' && strspn(text, plain) == strlen(text))
        return mem_strdup(text);
    struct buf out = {0};
    buf_add_char(&out, '\'');
    for (; *text != '\0'; text++) {
        if (*text == '\'')
            buf_add_str(&out, "'\\''");
        else
            buf_add_char(&out, *text);
    }
    buf_add_char(&out, '\'');
    return buf_take(&out);
}

static enum status add_html(
    const struct report_command *c, const struct tables *tables, struct buf *out, struct error *err)
{
    char *path = mem_printf("%s/report.css", c->settings->http.web), *css = NULL;
    size_t length = 0;
    enum status status = file_read(path, CSS_MAX, &css, &length, err);
    if (status == ST_OK)
        write_html(tables, &(struct write_page){.css = {css, length}}, out);
    free(css);
    free(path);
    return status;
}

static enum status write_whole(const char *path, const struct buf *text, struct error *err)
{
    FILE *out = path != NULL ? fopen(path, "w") : stdout;
    if (out == NULL)
        return error_set(err, ST_STORAGE, "%s cannot be written: %s", path, strerror(errno));
    bool is_written = fwrite(text->data, 1, text->len, out) == text->len;
    is_written = (path != NULL ? fclose(out) : fflush(out)) == 0 && is_written;
    return is_written ? ST_OK
                      : error_set(err, ST_STORAGE, "%s cannot be written: %s",
                            path != NULL ? path : "standard output", strerror(errno));
}

/* To `path`, NULL = standard output. */
static enum status write_to(const struct report_command *c, const struct wanted *wanted,
    const struct tables *tables, const char *path, struct error *err)
{
    struct buf text = {0};
    enum status status = ST_OK;
    switch (wanted->format) {
    case FORMAT_XLSX:
        return write_xlsx(tables, path, err);
    case FORMAT_JSON:
        write_json(tables, &text);
        break;
    case FORMAT_CSV:
        write_csv(tables, &text);
        break;
    case FORMAT_HTML:
        status = add_html(c, tables, &text, err);
        break;
    }
    if (status == ST_OK)
        status = write_whole(path, &text, err);
    buf_release(&text);
    return status;
}

/* The output is there whole, or not at all. */
static enum status write_output(const struct report_command *c, const struct wanted *wanted,
    const struct tables *tables, struct error *err)
{
    if (c->output == NULL)
        return write_to(c, wanted, tables, NULL, err);
    char *part = mem_printf("%s.part", c->output);
    enum status status = write_to(c, wanted, tables, part, err);
    if (status == ST_OK && rename(part, c->output) != 0)
        status = error_set(err, ST_STORAGE, "cannot rename %s to %s: %s", part, c->output, strerror(errno));
    if (status != ST_OK)
        unlink(part);
    free(part);
    return status;
}

static enum status write_report(const struct report_command *c, const struct wanted *wanted,
    const struct accepted *accepted, const struct report *report, struct error *err)
{
    char *config = quoted(c->config);
    char *command =
        mem_printf("park-collector report --config %s --site %s --period %s --format %s --language %s",
            config, c->site, c->period, formats[wanted->format], page_language_name(wanted->language));
    struct tables tables;
    struct tables_origin origin = accepted_origin(accepted, command);
    tables_of(report, &origin, wanted->language, &tables);
    enum status status = write_output(c, wanted, &tables, err);
    tables_release(&tables);
    free(command);
    free(config);
    return status;
}

/* ---- the command ---- */

static bool on_meter(void *user_data, size_t done, size_t all)
{
    progress_show(user_data, "read %zu of %zu meters", done, all);
    return !program_is_asked_to_end();
}

static enum status build_and_write(const struct report_command *c, const struct wanted *wanted,
    const struct accepted *accepted, const struct report_options *options, struct error *err)
{
    struct progress *progress = options->user_data;
    struct report report;
    progress_begin(progress);
    enum status status = report_build(options, &report, err);
    if (status == ST_OK) {
        progress_show(progress, "writing the report");
        status = write_report(c, wanted, accepted, &report, err);
        report_release(&report);
    }
    progress_end(progress);
    return status;
}

static enum status run(const struct report_command *c, struct wanted *wanted, struct error *err)
{
    struct progress progress;
    struct report_options options = {.period = wanted->period,
        .now_ms = clock_system.wall_ms(),
        .on_meter = on_meter,
        .user_data = &progress};
    struct accepted accepted = {0};
    enum status status = collector_open_reader(c->settings->database.path, &options.db, err);
    if (status != ST_OK)
        return status;
    status = accepted_read(options.db, &accepted, err);
    if (status == ST_OK)
        status = choose_site(c, &accepted, wanted, &options, err);
    if (status == ST_OK)
        status = build_and_write(c, wanted, &accepted, &options, err);
    accepted_release(&accepted);
    db_close(options.db);
    return status;
}

int report_run(const struct report_command *command)
{
    struct wanted wanted;
    struct error err;
    enum status status = understand(command, &wanted, &err);
    wanted.is_misused = status != ST_OK;
    if (status == ST_OK)
        status = run(command, &wanted, &err);
    if (status != ST_OK)
        fprintf(stderr, "park-collector: %s\n", err.text);
    return wanted.is_misused ? EXIT_USAGE : program_exit_code(status);
}
