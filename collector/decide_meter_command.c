#include "collector/decide_meter_command.h"

#include "collector/accept.h"
#include "collector/access/here.h"
#include "collector/decide_control.h"
#include "collector/deciding_json.h"
#include "collector/offline.h"
#include "collector/schema.h"
#include "collector/settings.h"
#include "lib/mem.h"
#include "lib/program.h"
#include "lib/text.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WHO_MAX 64

static const char usage[] =
    "usage: park-collector decide outlier     --config FILE --meter ID --from TIME --until TIME --why TEXT\n"
    "       park-collector decide reset       --config FILE --meter ID --at TIME --end N --start N --why "
    "TEXT [--force]\n"
    "       park-collector decide replacement --config FILE --meter ID --at TIME --end N --start N --why "
    "TEXT\n"
    "                                         [--serial TEXT] [--modulus N] [--resolution N] [--max-rate N] "
    "[--ratio "
    "N/N] [--force]\n"
    "       park-collector decide energy      --config FILE --meter ID --from TIME --until TIME --energy N "
    "--why TEXT "
    "[--force]\n"
    "       park-collector decide reading     --config FILE --meter ID --at TIME --register N --why TEXT "
    "[--force]\n"
    "       park-collector decide undo ID     --config FILE --why TEXT\n"
    "       park-collector decide list        --config FILE\n"
    "\n"
    "Decides of a meter's registers: through the running collector, or by itself where none runs. Every\n"
    "reading stays; what is decided is laid over them, and can be undone.\n"
    "\n"
    "  outlier      the readings from TIME to TIME, both included, are disregarded\n"
    "  reset        at TIME the register, which read --end, was set back to --start\n"
    "  replacement  at TIME another meter took the place; what is not told is as it was\n"
    "  energy       what was used in an open exception, from its begin to its end\n"
    "  reading      the register of a meter without a point, read by hand\n"
    "  undo         takes a decision back\n"
    "  list         open exceptions, and decisions\n"
    "  --force      although it is more than max_rate allows; the reason in --why\n"
    "  --preview    says what would change, and changes nothing\n"
    "  --who        whose decision it is, beside the user of this machine who enters it\n"
    "\n"
    "Times: 2026-01-01T10:15:00+08:00. Registers and energy: whole numbers of base units (Wh, J, L).\n";

struct command {
    const char *config, *who, *preview; /* NULL = not given */
    bool is_list;
    struct deciding_words words;
};

void decide_meter_print_usage(FILE *out)
{
    fputs(usage, out);
}

static int refuse(const char *why, const char *what)
{
    fprintf(stderr, "park-collector: %s%s\n%s", why, what, usage);
    return EXIT_USAGE;
}

static int complain(const struct error *err, int code)
{
    fprintf(stderr, "park-collector: %s\n", err->text);
    return code;
}

static int complain_and_code(enum status status, const struct error *err)
{
    return complain(err, program_exit_code(status));
}

bool decide_meter_is(const char *word)
{
    static const char *const kinds[] = {
        "outlier", "reset", "replacement", "energy", "reading", "undo", "list"};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strcmp(word, kinds[i]) == 0)
            return true;
    return false;
}

/* ---- what is printed ---- */

static void print_span(const char *before, int64_t from_ms, int64_t until_ms, const char *after)
{
    char from[CLOCK_TEXT_SIZE], until[CLOCK_TEXT_SIZE] = "-";
    clock_format_utc(from_ms, from);
    if (until_ms != INT64_MAX)
        clock_format_utc(until_ms, until);
    printf("%s%s %s%s\n", before, from, until, after);
}

static enum status print_list(struct db *db, struct error *err)
{
    struct db_stmt *open = db_keep(db,
        "SELECT m.name, e.from_ms, e.until_ms FROM ledger_event e JOIN ledger_meter m ON m.id = e.meter"
        " WHERE e.state = 0 AND e.kind BETWEEN 5 AND 7 ORDER BY m.name, e.from_ms");
    struct db_stmt *decided =
        db_keep(db, "SELECT m.name, d.from_ms, d.until_ms, d.id, d.kind, d.who, d.why,"
                    "  EXISTS(SELECT 1 FROM ledger_decision w WHERE w.withdraws = d.id)"
                    " FROM ledger_decision d JOIN ledger_meter m ON m.id = d.meter ORDER BY d.id");
    bool has_row;
    enum status status;
    while ((status = db_step(open, &has_row, err)) == ST_OK && has_row) {
        struct span name = db_text(open, 0);
        printf("open  %.*s  ", (int)name.len, name.at);
        print_span("", db_int(open, 1), db_int(open, 2), "");
    }
    while (status == ST_OK && (status = db_step(decided, &has_row, err)) == ST_OK && has_row) {
        struct span name = db_text(decided, 0), who = db_text(decided, 5), why = db_text(decided, 6);
        printf("%lld  %s%s  %.*s  %.*s: %.*s  ", (long long)db_int(decided, 3),
            decided_kind_name((enum ruling_kind)db_int(decided, 4)),
            db_int(decided, 7) != 0 ? " (undone)" : "", (int)name.len, name.at, (int)who.len, who.at,
            (int)why.len, why.at);
        print_span("", db_int(decided, 1), db_int(decided, 2), "");
    }
    return status;
}

/* ---- what is done ---- */

static enum status decide(const struct collector_settings *settings, const struct model *m,
    const struct deciding *d, bool *ret_is_refused, struct error *err)
{
    struct offline books;
    struct deciding_effect effect = {0};
    enum status status = offline_open(
        settings, m, "decide through its POST /api/v1/decisions or /api/v1/readings", &books, err);
    bool is_open = status == ST_OK;
    if (is_open)
        status = deciding_run(&books.keeper, &clock_system, d, &effect, err);
    *ret_is_refused = is_open && status == ST_INVALID;
    if (status == ST_OK) {
        struct buf text = {0};
        decide_print(d, &effect, &text);
        fputs(text.data, stdout);
        buf_release(&text);
    }
    deciding_effect_release(&effect);
    offline_close(&books);
    return status;
}

static int list(const struct collector_settings *settings)
{
    struct db *db = NULL;
    struct error err;
    enum status status = collector_open_reader(settings->database.path, &db, &err);
    if (status == ST_OK)
        status = print_list(db, &err);
    db_close(db);
    return status == ST_OK ? EXIT_OK : complain_and_code(status, &err);
}

/* Where no collector runs: by itself. */
static int perform_here(
    const struct collector_settings *settings, const struct command *command, struct deciding *d)
{
    struct error err;
    struct model *m = acceptance_load(settings);
    int code = EXIT_CONFIG;
    if (model_problem_count(m) > 0) {
        model_print_problems(m, stderr);
    } else {
        char *user = access_user_name();
        char *who = command->who != NULL ? mem_printf("%s (%s)", command->who, user) : mem_strdup(user);
        d->decided.who = who;
        d->is_preview = command->preview != NULL;
        bool is_refused = false;
        enum status status = decide(settings, m, d, &is_refused, &err);
        code = is_refused        ? complain(&err, EXIT_REFUSED)
               : status == ST_OK ? EXIT_OK
                                 : complain_and_code(status, &err);
        free(who);
        free(user);
    }
    model_put(m);
    return code;
}

static int perform(const struct collector_settings *settings, const struct command *command)
{
    struct deciding d = {0};
    struct error err;
    bool is_there;
    char *text = NULL;
    if (command->is_list)
        return list(settings);
    if (deciding_read(&command->words, &d, &err) != ST_OK)
        return complain(&err, EXIT_USAGE);
    enum status status = control_ask(settings->database.path, "decide", command->who,
        command->preview != NULL, deciding_json_write(&command->words), &is_there, &text, &err);
    if (!is_there)
        return perform_here(settings, command, &d);
    if (status != ST_OK)
        return complain(&err, status == ST_INVALID ? EXIT_REFUSED : program_exit_code(status));
    fputs(text, stdout);
    free(text);
    return EXIT_OK;
}

/* ---- the command line ---- */

enum { OPTION_CONFIG = 1000, OPTION_WHO, OPTION_PREVIEW, OPTION_HELP };

static int parse_options(int argc, char **argv, struct command *ret)
{
    static const struct option options[] = {{"config", required_argument, NULL, OPTION_CONFIG},
        {"who", required_argument, NULL, OPTION_WHO}, {"preview", no_argument, NULL, OPTION_PREVIEW},
        {"help", no_argument, NULL, OPTION_HELP}, {"meter", required_argument, NULL, WORD_METER},
        {"from", required_argument, NULL, WORD_FROM}, {"until", required_argument, NULL, WORD_UNTIL},
        {"at", required_argument, NULL, WORD_AT}, {"end", required_argument, NULL, WORD_END},
        {"start", required_argument, NULL, WORD_START}, {"serial", required_argument, NULL, WORD_SERIAL},
        {"modulus", required_argument, NULL, WORD_MODULUS},
        {"resolution", required_argument, NULL, WORD_RESOLUTION},
        {"max-rate", required_argument, NULL, WORD_MAX_RATE}, {"ratio", required_argument, NULL, WORD_RATIO},
        {"energy", required_argument, NULL, WORD_ENERGY},
        {"register", required_argument, NULL, WORD_REGISTER}, {"force", no_argument, NULL, WORD_FORCE},
        {"why", required_argument, NULL, WORD_WHY}, {0}};
    int option, index = 0;
    opterr = 0;
    while ((option = getopt_long(argc, argv, "", options, &index)) != -1) {
        if (option == OPTION_HELP) {
            fputs(usage, stdout);
            return EXIT_OK;
        }
        if (option == '?')
            return refuse("unknown option, or its value is missing: ", argv[optind - 1]);
        const char **place = option == OPTION_CONFIG    ? &ret->config
                             : option == OPTION_WHO     ? &ret->who
                             : option == OPTION_PREVIEW ? &ret->preview
                                                        : &ret->words.texts[option];
        if (*place != NULL)
            return refuse("given twice: --", options[index].name);
        *place = option == WORD_FORCE || option == OPTION_PREVIEW ? "true" : optarg;
    }
    return -1;
}

static bool is_name(const char *text)
{
    struct span s = span_of(text);
    return s.len > 0 && s.len <= WHO_MAX && text_is_utf8(s) && !text_has_control(s);
}

/* -1: go on; else the exit code. */
static int parse(int argc, char **argv, struct command *ret)
{
    int code = parse_options(argc, argv, ret);
    if (code >= 0)
        return code;
    const char *kind = argv[optind], *operand = kind != NULL ? argv[optind + 1] : NULL;
    bool is_undo = kind != NULL && strcmp(kind, "undo") == 0;
    if (kind == NULL || !decide_meter_is(kind))
        return refuse("decide: unknown kind: ", kind != NULL ? kind : "none");
    if (is_undo && operand == NULL)
        return refuse("the number of the decision is missing", "");
    if (argc - optind > 1 + is_undo)
        return refuse("one argument too many: ", argv[optind + 1 + is_undo]);
    if (ret->config == NULL)
        return refuse("--config is missing", "");
    if (ret->who != NULL && !is_name(ret->who))
        return refuse("--who is not a text of 1 to 64 bytes", "");
    ret->is_list = strcmp(kind, "list") == 0;
    ret->words.texts[WORD_KIND] = kind;
    if (is_undo)
        ret->words.texts[WORD_UNDO] = operand;
    return -1;
}

int decide_meter_command(int argc, char **argv)
{
    struct command command = {0};
    int code = parse(argc, argv, &command);
    if (code >= 0)
        return code;
    program_begin();
    struct collector_settings settings;
    struct conf *conf = collector_settings_load(command.config, &settings);
    if (conf_problem_count(conf) > 0) {
        conf_print_problems(conf, stderr);
        code = EXIT_CONFIG;
    } else {
        code = perform(&settings, &command);
    }
    conf_destroy(conf);
    return code;
}
