#include "collector/decide_command.h"

#include "collector/accept.h"
#include "collector/access/here.h"
#include "collector/command_line.h"
#include "collector/decide_meter_command.h"
#include "collector/schema.h"
#include "lib/buf.h"
#include "lib/clock.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WHY_MAX 500
#define WHO_MAX 64

static const char usage[] = "usage: park-collector decide model --config FILE --why TEXT [--who NAME]\n"
                            "\n"
                            "Allows the park model's files, as they are now, to change what held in the "
                            "past: prints each such change, and\n"
                            "records who decided it, when and why, whether or not a collector runs. The next "
                            "start, or reload (SIGHUP), takes\n"
                            "these files, and no others.\n"
                            "\n"
                            "  --why  the reason, for the auditor\n"
                            "  --who  whose decision it is, beside the user of this machine who records it\n";

struct words {
    const char *config, *why, *who, *help;
};

static int print_help(void)
{
    fputs(usage, stdout);
    puts("");
    decide_meter_print_usage(stdout);
    return EXIT_OK;
}

static enum status record(const char *database, const struct acceptance *a, const struct words *words,
    const char *changes, struct error *err)
{
    struct db *db = NULL;
    enum status status = access_open_in_turn(database, &db, err);
    if (status == ST_OK) {
        char *who = command_line_who(words->who);
        status = decisions_add(db, &a->step, who, words->why, changes, clock_system.wall_ms(), err);
        free(who);
    }
    db_close(db);
    return status;
}

/* What of the past changes, one line each; the caller frees it. */
static char *list_past(const struct differences *d)
{
    struct buf lines = {0};
    for (size_t i = 0; i < d->count; i++)
        if (d->items[i].weight == DIFFERENCE_PAST) {
            char *text = difference_text(&d->items[i]);
            buf_printf(&lines, "%s%s", lines.len > 0 ? "\n" : "", text);
            free(text);
        }
    return buf_take(&lines);
}

static int decide(const char *database, const struct acceptance *a, const struct words *words)
{
    if (a->verdict == VERDICT_DECIDED) {
        printf("nothing to decide: %s decided this already: %s\n", a->decision.who, a->decision.why);
        return EXIT_OK;
    }
    if (a->verdict != VERDICT_REFUSED) {
        puts("nothing to decide: these files change nothing of the past");
        return EXIT_OK;
    }
    struct error err;
    if (a->gone != NULL)
        return command_line_end(acceptance_refusal(a, &err), &err);
    char *changes = list_past(&a->differences);
    enum status status = record(database, a, words, changes, &err);
    if (status == ST_OK) {
        char hash[HASH_TEXT_SIZE];
        hash_format(&a->step.hash, hash);
        printf(
            "%s\ndecided: after version %lld the park model may be %s; start the collector, or reload it%s\n",
            changes, (long long)a->step.base, hash, acceptance_closed_note(a));
    }
    free(changes);
    return command_line_end(status, &err);
}

static int judge_and_decide(const struct collector_settings *settings, void *context)
{
    const struct words *words = context;
    const char *database = settings->database.path;
    struct model *m = acceptance_load(settings);
    struct acceptance a = {0};
    struct db *db = NULL;
    struct error err;
    int code = EXIT_CONFIG;
    if (model_problem_count(m) > 0) {
        model_print_problems(m, stderr);
    } else {
        enum status status = collector_open_reader(database, &db, &err);
        if (status == ST_OK)
            status = acceptance_judge(db, database, m, clock_system.wall_ms(), &a, &err);
        code = status == ST_OK ? decide(database, &a, words) : command_line_end(status, &err);
    }
    acceptance_release(&a);
    db_close(db);
    model_put(m);
    return code;
}

/* -1: go on; else the exit code. */
static int parse(int argc, char **argv, struct words *ret)
{
    const struct command_option options[] = {{"config", &ret->config, false}, {"why", &ret->why, false},
        {"who", &ret->who, false}, {"help", &ret->help, true}};
    int code = command_line_read(argc, argv, usage, options, sizeof options / sizeof options[0]);
    if (code >= 0)
        return code;
    if (ret->help != NULL)
        return print_help();
    if (argc - optind < 1 || strcmp(argv[optind], "model") != 0)
        return command_line_refuse(
            usage, "decide: expected model, or what is decided of a meter: see decide --help", "");
    if (argc - optind > 1)
        return command_line_refuse(usage, "one argument too many: ", argv[optind + 1]);
    if (ret->config == NULL)
        return command_line_refuse(usage, "--config is missing", "");
    if (ret->why == NULL || !command_line_is_text(ret->why, WHY_MAX))
        return command_line_refuse(usage, "--why is missing, or not a text of 1 to 500 bytes", "");
    if (ret->who != NULL && !command_line_is_text(ret->who, WHO_MAX))
        return command_line_refuse(usage, "--who is not a text of 1 to 64 bytes", "");
    return -1;
}

int decide_command(int argc, char **argv)
{
    if (argc > 1 && decide_meter_is(argv[1]))
        return decide_meter_command(argc, argv);
    struct words words = {0};
    int code = parse(argc, argv, &words);
    return code >= 0 ? code : command_line_perform(words.config, judge_and_decide, &words);
}
