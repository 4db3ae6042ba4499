#include "collector/outage_command.h"

#include "collector/command_line.h"
#include "collector/offline.h"
#include "collector/outage_control.h"
#include "collector/outage_json.h"
#include "collector/person_command.h"
#include "collector/schema.h"
#include "lib/number.h"
#include "lib/program.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WHO_MAX 64
#define LIST_MAX 1000

static const char usage[] =
    "usage: park-collector outage open      --config FILE --instrument ID | --resource ID | --space ID\n"
    "                                       --category CODE --note TEXT [--kind KIND] [--from TIME] [--until "
    "TIME]\n"
    "       park-collector outage change ID --config FILE [--from TIME] [--until TIME] [--category CODE] "
    "[--note TEXT]\n"
    "       park-collector outage close ID  --config FILE --note TEXT [--until TIME]\n"
    "       park-collector outage cancel ID --config FILE --note TEXT\n"
    "       park-collector outage list      --config FILE [--all]\n"
    "\n"
    "What of the park is out, or will be: through the running collector, or by itself where none runs. Each "
    "act\n"
    "is in the log of changes.\n"
    "\n"
    "  open        one that begins at --from (default: now)\n"
    "  --kind      broken (the default): out until it is closed; planned: from --from until --until; "
    "problem: of\n"
    "              an instrument that works all the same\n"
    "  --category  why, one of:";
static const char usage_end[] =
    "\n"
    "  --note      why, in words: for operators; to close or cancel one, what was done\n"
    "  change      what is not given stays as it is\n"
    "  close       it is over, now or since --until; a planned one ends earlier\n"
    "  cancel      it never was, or will not be\n"
    "  list        those that are now or ahead; --all: the newest thousand\n"
    "  --who       who does it, beside the user of this machine who enters it\n"
    "  TIME        as 2026-03-02T18:06:00+08:00\n";

enum {
    WORD_KIND,
    WORD_INSTRUMENT,
    WORD_RESOURCE,
    WORD_SPACE,
    WORD_FROM,
    WORD_UNTIL,
    WORD_CATEGORY,
    WORD_NOTE,
    WORDS
};
static const char *const words[WORDS] = {
    "kind", "instrument", "resource", "space", "from", "until", "category", "note"};

struct command {
    const char *config, *who, *help, *all;
    const char *texts[WORDS];
    bool is_list;
    enum outage_act act;
    int64_t id;
};

static char *whole_usage(void)
{
    struct buf text = {0};
    buf_add_str(&text, usage);
    for (const struct outage_category *c = outage_categories; c->code != NULL; c++)
        buf_printf(&text, "%s%s%s", c == outage_categories ? "" : ",",
            (c - outage_categories) % 8 == 0 ? "\n              " : " ", c->code);
    buf_add_str(&text, usage_end);
    return buf_take(&text);
}

static void print(const struct outage *o)
{
    struct buf text = {0};
    outage_print(o, clock_system.wall_ms(), &text);
    fwrite(text.data, 1, text.len, stdout);
    buf_release(&text);
}

static int list(const struct collector_settings *settings, bool is_all)
{
    struct db *db = NULL;
    struct outage_list found = {0};
    struct error err;
    enum status status = collector_open_reader(settings->database.path, &db, &err);
    if (status == ST_OK)
        status = is_all ? outage_list_read(db, INT64_MAX, LIST_MAX, &found, &err)
                        : outage_standing(db, clock_system.wall_ms(), &found, &err);
    for (size_t i = 0; i < found.count; i++)
        print(&found.items[i]);
    outage_list_release(&found);
    db_close(db);
    return command_line_end(status, &err);
}

/* What was given, as the API has it; the caller's reference. */
static json_t *object_of(const struct command *command)
{
    json_t *object = json_object();
    for (int i = 0; i < WORDS; i++)
        if (command->texts[i] != NULL)
            json_object_set_new(object, words[i], json_string(command->texts[i]));
    if (command->act == OUTAGE_OPEN && command->texts[WORD_KIND] == NULL)
        json_object_set_new(object, "kind", json_string(outage_kinds[OUTAGE_BROKEN]));
    return object;
}

static enum status do_it(const struct collector_settings *settings, const struct model *m, const char *who,
    void *context, struct buf *text, bool *ret_is_refused, struct error *err)
{
    struct outaging *outaging = context;
    struct db *db = NULL;
    struct outaging_result result;
    outaging->request.who = who;
    enum status status = offline_open_database(settings, m, "use its POST /api/v1/outages", &db, err);
    bool is_open = status == ST_OK;
    if (is_open)
        status = outaging_run(db, m->park, clock_system.wall_ms(), outaging, &result, err);
    *ret_is_refused = is_open && status == ST_INVALID;
    if (status == ST_OK) {
        outage_print(&result.outage, clock_system.wall_ms(), text);
        outaging_result_release(&result);
    }
    db_close(db);
    return status;
}

static int perform_with(
    const struct collector_settings *settings, const struct command *command, json_t *object)
{
    struct outaging outaging = {.request = {.act = command->act, .id = command->id}};
    struct error err;
    if (outage_json_read(object, &outaging.request, &err) != ST_OK)
        return command_line_complain(&err, EXIT_USAGE);
    return person_command_run(settings,
        &(struct person_command){.name = "outage", .who = command->who, .here = do_it, .context = &outaging},
        json_pack("{s:s, s:I, s:O}", "act", outage_acts[command->act], "id", (json_int_t)command->id,
            "outage", object));
}

static int perform(const struct collector_settings *settings, void *context)
{
    const struct command *command = context;
    if (command->is_list)
        return list(settings, command->all != NULL);
    json_t *object = object_of(command);
    int code = perform_with(settings, command, object);
    json_decref(object);
    return code;
}

/* ---- the command line ---- */

static int refuse(const char *why, const char *what)
{
    char *text = whole_usage();
    int code = command_line_refuse(text, why, what);
    free(text);
    return code;
}

/* The act, and the number of the outage but to open one. */
static int parse_operands(int count, char **operands, struct command *ret)
{
    const char *act = count > 0 ? operands[0] : "none";
    ret->is_list = strcmp(act, "list") == 0;
    if (!ret->is_list && !outage_act_parse(act, &ret->act))
        return refuse("outage: expected open, change, close, cancel or list, not ", act);
    bool has_id = !ret->is_list && ret->act != OUTAGE_OPEN;
    if (has_id &&
        (count < 2 || !number_parse_int64(operands[1], strlen(operands[1]), &ret->id) || ret->id < 1))
        return refuse("the number of the outage is missing, or none: ", count < 2 ? "" : operands[1]);
    if (count > 1 + has_id)
        return refuse("one argument too many: ", operands[1 + has_id]);
    return -1;
}

/* -1: go on; else the exit code. */
static int parse(int argc, char **argv, const char *text, struct command *ret)
{
    struct command_option options[WORDS + 4] = {{"config", &ret->config, false}, {"who", &ret->who, false},
        {"all", &ret->all, true}, {"help", &ret->help, true}};
    for (int i = 0; i < WORDS; i++)
        options[4 + i] = (struct command_option){words[i], &ret->texts[i], false};
    int code = command_line_read(argc, argv, text, options, sizeof options / sizeof options[0]);
    if (code >= 0)
        return code;
    if (ret->help != NULL) {
        fputs(text, stdout);
        return EXIT_OK;
    }
    if ((code = parse_operands(argc - optind, argv + optind, ret)) >= 0)
        return code;
    if (ret->config == NULL)
        return refuse("--config is missing", "");
    if (ret->who != NULL && !command_line_is_text(ret->who, WHO_MAX))
        return refuse("--who is not a text of 1 to 64 bytes", "");
    for (int i = 0; ret->is_list && i < WORDS; i++)
        if (ret->texts[i] != NULL || ret->who != NULL)
            return refuse("outage list takes --config and --all alone", "");
    return !ret->is_list && ret->all != NULL ? refuse("--all is of outage list", "") : -1;
}

int outage_command(int argc, char **argv)
{
    struct command command = {0};
    char *text = whole_usage();
    int code = parse(argc, argv, text, &command);
    free(text);
    return code >= 0 ? code : command_line_perform(command.config, perform, &command);
}
