#include "collector/close_command.h"

#include "collector/close_control.h"
#include "collector/close_json.h"
#include "collector/command_line.h"
#include "collector/offline.h"
#include "collector/person_command.h"
#include "collector/schema.h"
#include "lib/mem.h"
#include "lib/program.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: park-collector close      --config FILE --site ID --period MONTH --why TEXT [--who NAME]\n"
    "                                 [--override NAME --why TEXT]... [--preview]\n"
    "       park-collector close list --config FILE\n"
    "\n"
    "Closes a month of a site, through the collector where one runs. What is booked with it stays; what\n"
    "becomes known of it later is an adjusting entry of the month that is open then.\n"
    "\n"
    "  --period    the month, as 2026-10; months close one after another\n"
    "  --why       why, for the auditor: the first, before any --override, why it is closed; one behind "
    "each\n"
    "              --override, why although that stands against it\n"
    "  --override  the name of what stands against it, as a preview lists it: exception:METER,\n"
    "              waiting:METER, coverage:METER, balance:METER\n"
    "  --who       who closes it, beside the user of this machine who enters it\n"
    "  --preview   says what stands against it and what would be booked, and changes nothing\n"
    "  list        the months that are closed\n";

struct words {
    const char *config, *site, *period, *who, *why;
    struct closing_override overrides[CLOSE_MONTH_OVERRIDES_MAX];
    size_t override_count;
    bool is_preview, is_list;
};

/* ---- what is printed ---- */

static enum status print_list(struct db *db, struct error *err)
{
    struct db_stmt *next =
        db_keep(db, "SELECT id, site, month, closed_ms, who, why,"
                    " (SELECT count(*) FROM closing_override WHERE closing = id),"
                    " (SELECT hash FROM closing_seal WHERE closing = id) FROM closing ORDER BY site, month");
    bool has_row;
    enum status status;
    while ((status = db_step(next, &has_row, err)) == ST_OK && has_row) {
        char month[PERIODS_TEXT_SIZE], closed[CLOCK_TEXT_SIZE];
        char seal[HASH_TEXT_SIZE] = "none before the next closing";
        struct hash hash;
        if (hash_read(db_text(next, 7), &hash))
            hash_format(&hash, seal);
        struct span site = db_text(next, 1), who = db_text(next, 4), why = db_text(next, 5);
        periods_format((struct period){PERIODS_MONTH, db_int(next, 2)}, month);
        clock_format_utc(db_int(next, 3), closed);
        printf("%" PRId64 "  %.*s  %s  closed %s by %.*s: %.*s  (%" PRId64 " overridden)  seal %s\n",
            db_int(next, 0), (int)site.len, site.at, month, closed, (int)who.len, who.at, (int)why.len,
            why.at, db_int(next, 6), seal);
    }
    db_reset(next);
    return status;
}

/* ---- what is done ---- */

static int list(const struct collector_settings *settings)
{
    struct db *db = NULL;
    struct error err;
    enum status status = collector_open_reader(settings->database.path, &db, &err);
    if (status == ST_OK)
        status = print_list(db, &err);
    db_close(db);
    return command_line_end(status, &err);
}

static enum status close_it(const struct collector_settings *settings, const struct model *m, const char *who,
    void *context, struct buf *text, bool *ret_is_refused, struct error *err)
{
    struct close_month *request = context;
    struct offline books;
    struct close_month_result result;
    request->who = who;
    enum status status =
        offline_open(settings, m, "try again, or close through its POST /api/v1/closings", &books, err);
    bool is_open = status == ST_OK;
    if (is_open)
        status = close_month_run(&books.keeper, &clock_system, request, &result, err);
    *ret_is_refused = is_open && status == ST_INVALID;
    if (status == ST_OK) {
        close_print(&result, text);
        close_month_result_release(&result);
    }
    offline_close(&books);
    return status;
}

static int perform(const struct collector_settings *settings, void *context)
{
    const struct words *words = context;
    struct close_month request = {.site = words->site,
        .overrides = words->overrides,
        .override_count = words->override_count,
        .why = words->why,
        .is_preview = words->is_preview};
    if (words->is_list)
        return list(settings);
    if (!periods_parse(words->period, &request.period))
        return command_line_refuse(usage, words->period, ": no month; expected one, as 2026-10");
    if (request.period.kind != PERIODS_MONTH)
        return command_line_refuse(usage, words->period, ": no month; expected one, as 2026-10");
    return person_command_run(settings,
        &(struct person_command){.name = "close",
            .who = words->who,
            .is_preview = words->is_preview,
            .here = close_it,
            .context = &request},
        close_json_write(&request));
}

/* ---- the command line ---- */

enum {
    OPTION_CONFIG = 1000,
    OPTION_SITE,
    OPTION_PERIOD,
    OPTION_WHO,
    OPTION_WHY,
    OPTION_OVERRIDE,
    OPTION_PREVIEW,
    OPTION_HELP
};

/* One why of the closing, and one behind each override. */
static bool take_why(struct words *words, const char *why)
{
    struct closing_override *last =
        words->override_count > 0 ? &words->overrides[words->override_count - 1] : NULL;
    const char **place = last != NULL && last->why == NULL ? &last->why : &words->why;
    if (*place != NULL)
        return false;
    *place = why;
    return true;
}

static int take_option(int option, struct words *ret)
{
    const char **place = option == OPTION_CONFIG   ? &ret->config
                         : option == OPTION_SITE   ? &ret->site
                         : option == OPTION_PERIOD ? &ret->period
                         : option == OPTION_WHO    ? &ret->who
                                                   : NULL;
    if (place != NULL && *place != NULL) {
        return command_line_refuse(usage, "an option is given twice: ", optarg);
    } else if (place != NULL) {
        *place = optarg;
    } else if (option == OPTION_PREVIEW) {
        ret->is_preview = true;
    } else if (option == OPTION_WHY) {
        if (!take_why(ret, optarg))
            return command_line_refuse(usage, "one --why too many: ", optarg);
    } else if (ret->override_count == CLOSE_MONTH_OVERRIDES_MAX) {
        return command_line_refuse(usage, "one --override too many: ", optarg);
    } else {
        ret->overrides[ret->override_count++] = (struct closing_override){.name = optarg};
    }
    return -1;
}

static int parse_options(int argc, char **argv, struct words *ret)
{
    static const struct option options[] = {{"config", required_argument, NULL, OPTION_CONFIG},
        {"site", required_argument, NULL, OPTION_SITE}, {"period", required_argument, NULL, OPTION_PERIOD},
        {"who", required_argument, NULL, OPTION_WHO}, {"why", required_argument, NULL, OPTION_WHY},
        {"override", required_argument, NULL, OPTION_OVERRIDE},
        {"preview", no_argument, NULL, OPTION_PREVIEW}, {"help", no_argument, NULL, OPTION_HELP}, {0}};
    int option, code = -1;
    opterr = 0;
    while (code < 0 && (option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == OPTION_HELP) {
            fputs(usage, stdout);
            return EXIT_OK;
        }
        code = option == '?'
                   ? command_line_refuse(usage, "unknown option, or its value is missing: ", argv[optind - 1])
                   : take_option(option, ret);
    }
    return code;
}

/* -1: go on; else the exit code. */
static int parse(int argc, char **argv, struct words *ret)
{
    int code = parse_options(argc, argv, ret);
    if (code >= 0)
        return code;
    ret->is_list = optind < argc && strcmp(argv[optind], "list") == 0;
    if (optind + ret->is_list < argc)
        return command_line_refuse(usage, "one argument too many: ", argv[optind + ret->is_list]);
    if (ret->config == NULL)
        return command_line_refuse(usage, "--config is missing", "");
    if (ret->is_list && (ret->site != NULL || ret->period != NULL || ret->who != NULL || ret->why != NULL ||
                            ret->override_count > 0 || ret->is_preview))
        return command_line_refuse(usage, "close list takes --config alone", "");
    if (ret->is_list)
        return -1;
    if (ret->site == NULL || ret->period == NULL)
        return command_line_refuse(usage, "--site or --period is missing", "");
    if (ret->why == NULL)
        return command_line_refuse(
            usage, "--why is missing: the first, before any --override, says why it is closed", "");
    for (size_t i = 0; i < ret->override_count; i++)
        if (ret->overrides[i].why == NULL) {
            char *what = mem_printf("--override %.60s has no --why behind it", ret->overrides[i].name);
            code = command_line_refuse(usage, what, "");
            free(what);
            return code;
        }
    return -1;
}

int close_command(int argc, char **argv)
{
    static struct words words;
    int code = parse(argc, argv, &words);
    return code >= 0 ? code : command_line_perform(words.config, perform, &words);
}
