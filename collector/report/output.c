#include "collector/report/output.h"

#include "collector/report/write.h"
#include "collector/schema.h"
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

static const char *const formats[] = {"html", "xlsx", "csv", "json", NULL};

static bool find_format(const char *name, enum output_format *ret)
{
    for (int i = 0; name != NULL && formats[i] != NULL; i++)
        if (strcmp(formats[i], name) == 0) {
            *ret = (enum output_format)i;
            return true;
        }
    return false;
}

/* As it was asked for, else as the output is named, else HTML. */
static enum status choose_format(
    const char *format, const char *path, enum output_format *ret, struct error *err)
{
    const char *end = path != NULL ? strrchr(path, '.') : NULL;
    *ret = OUTPUT_HTML;
    if (format != NULL && !find_format(format, ret))
        return error_set(err, ST_INVALID, "--format %s is none; expected html, xlsx, csv or json", format);
    if (format == NULL && path != NULL && (end == NULL || !find_format(end + 1, ret)))
        return error_set(err, ST_INVALID,
            "%s does not say its format; expected --format, or a name that ends in .html, .xlsx, .csv or "
            ".json",
            path);
    if (*ret == OUTPUT_XLSX && path == NULL)
        return error_set(err, ST_INVALID, "a spreadsheet needs a file to go to; expected --output FILE");
    return ST_OK;
}

static enum status understand(const struct report_command *c, struct output *ret, struct error *err)
{
    *ret = (struct output){.command = c, .language = PAGE_ZH};
    if (c->language != NULL && strcmp(c->language, "en") == 0)
        ret->language = PAGE_EN;
    else if (c->language != NULL && strcmp(c->language, "zh") != 0)
        return error_set(err, ST_INVALID, "--language %s is none; expected zh or en", c->language);
    if (!periods_parse(c->period, &ret->period))
        return error_set(err, ST_INVALID, "--period %s is no period; %s", c->period, PERIODS_EXPECTED);
    enum status status = choose_format(c->format, c->output, &ret->format, err);
    if (status == ST_OK && c->output != NULL && access(c->output, F_OK) == 0)
        status =
            error_set(err, ST_INVALID, "%s is there already; name another file, or remove it", c->output);
    return status;
}

/* ---- the park model ---- */

/* Of the files where none was accepted yet. */
static enum status choose_site(const struct accepted *accepted, struct output *o, struct error *err)
{
    const struct report_command *c = o->command;
    o->model = accepted->model != NULL ? accepted->model : c->model;
    if (!hash_is_equal(&o->model->hash, &c->model->hash))
        fprintf(stderr,
            "park-collector: the park model's files say other than version %lld, which was accepted and by "
            "which this is made\n",
            (long long)accepted->version.number);
    o->site = park_site_find(o->model->park, c->site);
    if (o->site != NULL)
        return ST_OK;
    struct buf sites = {0};
    CONF_EACH (const struct park_site, site, o->model->park->sites)
        buf_printf(&sites, "%s%s", sites.len > 0 ? ", " : "", site->id);
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
static enum status write_to(
    const struct output *output, const struct tables *tables, const char *path, struct error *err)
{
    struct buf text = {0};
    enum status status = ST_OK;
    switch (output->format) {
    case OUTPUT_XLSX:
        return write_xlsx(tables, path, err);
    case OUTPUT_JSON:
        write_json(tables, &text);
        break;
    case OUTPUT_CSV:
        write_csv(tables, &text);
        break;
    case OUTPUT_HTML:
        status = add_html(output->command, tables, &text, err);
        break;
    }
    if (status == ST_OK)
        status = write_whole(path, &text, err);
    buf_release(&text);
    return status;
}

/* The output is there whole, or not at all. */
enum status output_write(const struct output *output, const struct tables *tables, struct error *err)
{
    const char *path = output->command->output;
    if (path == NULL)
        return write_to(output, tables, NULL, err);
    char *part = mem_printf("%s.part", path);
    enum status status = write_to(output, tables, part, err);
    if (status == ST_OK && rename(part, path) != 0)
        status = error_set(err, ST_STORAGE, "cannot rename %s to %s: %s", part, path, strerror(errno));
    if (status != ST_OK)
        unlink(part);
    free(part);
    return status;
}

/* ---- the command ---- */

static enum status make_it(struct output *o, const char *word, const struct accepted *accepted,
    enum status (*make)(const struct output *, struct error *), struct error *err)
{
    const struct report_command *c = o->command;
    struct progress progress;
    char *config = quoted(c->config);
    char *command =
        mem_printf("park-collector %s --config %s --site %s --period %s --format %s --language %s", word,
            config, c->site, c->period, formats[o->format], page_language_name(o->language));
    o->origin = accepted_origin(accepted, command);
    o->progress = &progress;
    progress_begin(&progress);
    enum status status = make(o, err);
    progress_end(&progress);
    free(command);
    free(config);
    return status;
}

static enum status run(struct output *o, const char *word,
    enum status (*make)(const struct output *, struct error *), bool *ret_is_misused, struct error *err)
{
    struct accepted accepted = {0};
    enum status status = collector_open_reader(o->command->settings->database.path, &o->db, err);
    if (status != ST_OK)
        return status;
    status = accepted_read(o->db, &accepted, err);
    if (status == ST_OK) {
        status = choose_site(&accepted, o, err);
        *ret_is_misused = status != ST_OK;
    }
    if (status == ST_OK)
        status = make_it(o, word, &accepted, make, err);
    accepted_release(&accepted);
    db_close(o->db);
    return status;
}

int output_run(const struct report_command *command, const char *word,
    enum status (*make)(const struct output *, struct error *))
{
    struct output output;
    struct error err;
    enum status status = understand(command, &output, &err);
    bool is_misused = status != ST_OK;
    if (status == ST_OK)
        status = run(&output, word, make, &is_misused, &err);
    if (status != ST_OK)
        fprintf(stderr, "park-collector: %s\n", err.text);
    return is_misused ? EXIT_USAGE : program_exit_code(status);
}
