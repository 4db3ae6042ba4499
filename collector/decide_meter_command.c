#include "collector/decide_meter_command.h"

#include "collector/command_line.h"
#include "collector/decide_control.h"
#include "collector/deciding_json.h"
#include "collector/offline.h"
#include "collector/person_command.h"
#include "collector/schema.h"
#include "lib/program.h"

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
    const char *config, *who, *preview, *help; /* NULL = not given */
    bool is_list;
    struct deciding_words words;
};

void decide_meter_print_usage(FILE *out)
{
    fputs(usage, out);
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

static enum status decide(const struct collector_settings *settings, const struct model *m, const char *who,
    void *context, struct buf *text, bool *ret_is_refused, struct error *err)
{
    struct deciding *d = context;
    struct offline books;
    struct deciding_effect effect = {0};
    d->decided.who = who;
    enum status status = offline_open(
        settings, m, "decide through its POST /api/v1/decisions or /api/v1/readings", &books, err);
    bool is_open = status == ST_OK;
    if (is_open)
        status = deciding_run(&books.keeper, &clock_system, d, &effect, err);
    *ret_is_refused = is_open && status == ST_INVALID;
    if (status == ST_OK)
        decide_print(d, &effect, text);
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
    return command_line_end(status, &err);
}

static int perform(const struct collector_settings *settings, void *context)
{
    const struct command *command = context;
    bool is_preview = command->preview != NULL;
    struct deciding d = {0};
    struct error err;
    if (command->is_list)
        return list(settings);
    if (deciding_read(&command->words, &d, &err) != ST_OK)
        return command_line_complain(&err, EXIT_USAGE);
    d.is_preview = is_preview;
    return person_command_run(settings,
        &(struct person_command){
            .name = "decide", .who = command->who, .is_preview = is_preview, .here = decide, .context = &d},
        deciding_json_write(&command->words));
}

/* ---- the command line ---- */

/* -1: go on; else the exit code. */
static int parse(int argc, char **argv, struct command *ret)
{
    const char **texts = ret->words.texts;
    const struct command_option options[] = {{"config", &ret->config, false}, {"who", &ret->who, false},
        {"preview", &ret->preview, true}, {"help", &ret->help, true}, {"meter", &texts[WORD_METER], false},
        {"from", &texts[WORD_FROM], false}, {"until", &texts[WORD_UNTIL], false},
        {"at", &texts[WORD_AT], false}, {"end", &texts[WORD_END], false},
        {"start", &texts[WORD_START], false}, {"serial", &texts[WORD_SERIAL], false},
        {"modulus", &texts[WORD_MODULUS], false}, {"resolution", &texts[WORD_RESOLUTION], false},
        {"max-rate", &texts[WORD_MAX_RATE], false}, {"ratio", &texts[WORD_RATIO], false},
        {"energy", &texts[WORD_ENERGY], false}, {"register", &texts[WORD_REGISTER], false},
        {"force", &texts[WORD_FORCE], true}, {"why", &texts[WORD_WHY], false}};
    int code = command_line_read(argc, argv, usage, options, sizeof options / sizeof options[0]);
    if (code >= 0)
        return code;
    if (ret->help != NULL) {
        fputs(usage, stdout);
        return EXIT_OK;
    }
    const char *kind = argv[optind], *operand = kind != NULL ? argv[optind + 1] : NULL;
    bool is_undo = kind != NULL && strcmp(kind, "undo") == 0;
    if (kind == NULL || !decide_meter_is(kind))
        return command_line_refuse(usage, "decide: unknown kind: ", kind != NULL ? kind : "none");
    if (is_undo && operand == NULL)
        return command_line_refuse(usage, "the number of the decision is missing", "");
    if (argc - optind > 1 + is_undo)
        return command_line_refuse(usage, "one argument too many: ", argv[optind + 1 + is_undo]);
    if (ret->config == NULL)
        return command_line_refuse(usage, "--config is missing", "");
    if (ret->who != NULL && !command_line_is_text(ret->who, WHO_MAX))
        return command_line_refuse(usage, "--who is not a text of 1 to 64 bytes", "");
    ret->is_list = strcmp(kind, "list") == 0;
    for (size_t i = 0; ret->is_list && i < WORDS; i++)
        if (texts[i] != NULL || ret->who != NULL || ret->preview != NULL)
            return command_line_refuse(usage, "decide list takes --config alone", "");
    ret->words.texts[WORD_KIND] = kind;
    if (is_undo)
        ret->words.texts[WORD_UNDO] = operand;
    return -1;
}

int decide_meter_command(int argc, char **argv)
{
    struct command command = {0};
    int code = parse(argc, argv, &command);
    return code >= 0 ? code : command_line_perform(command.config, perform, &command);
}
