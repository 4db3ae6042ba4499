#include "collector/receivers_command.h"

#include "collector/command_line.h"
#include "collector/couriers/attempt.h"
#include "collector/couriers/needs.h"
#include "lib/clock.h"
#include "lib/mem.h"
#include "lib/program.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: park-collector test-receivers --config FILE [RECEIVER ...]\n"
    "\n"
    "Sends a message that says that it is a test, and of no alarm, to the receivers of alarms that are "
    "named, or to\n"
    "all, and says what came of each: exit 0 all took it, 1 some did not. Whether or not a collector runs.\n";

struct words {
    const char *config, *help;
    char **ids;
    int count;
};

static int parse(int argc, char **argv, struct words *ret)
{
    const struct command_option options[] = {{"config", &ret->config, false}, {"help", &ret->help, true}};
    int code = command_line_read(argc, argv, usage, options, sizeof options / sizeof options[0]);
    if (code >= 0)
        return code;
    if (ret->help != NULL) {
        fputs(usage, stdout);
        return EXIT_OK;
    }
    if (ret->config == NULL)
        return command_line_refuse(usage, "is missing: ", "--config");
    ret->ids = argv + optind;
    ret->count = argc - optind;
    return -1;
}

static const struct alarm_receiver *find(const struct alarm_rules *rules, const char *id)
{
    const struct alarm_receiver *items = rules->receivers.items;
    for (size_t i = 0; i < rules->receivers.count; i++)
        if (strcmp(items[i].id, id) == 0)
            return &items[i];
    return NULL;
}

static bool is_asked(const struct words *words, const char *id)
{
    for (int i = 0; i < words->count; i++)
        if (strcmp(words->ids[i], id) == 0)
            return true;
    return words->count == 0;
}

/* One line of what came of it. */
static bool test(const struct alarm_receiver *receiver, const char *collector)
{
    struct attempt attempt;
    struct error err = {""};
    int64_t retry_s = 0, begin_ms = clock_system.mono_ms(), now_ms = clock_system.wall_ms();
    char *body = alarm_test_body(collector, now_ms, receiver);
    attempt_init(&attempt, receiver);
    enum status status = attempt_run(&attempt, body, now_ms, &retry_s, &err);
    attempt_release(&attempt);
    free(body);
    printf("%s (%s): ", receiver->id, alarm_receiver_kinds[receiver->kind]);
    if (status == ST_OK)
        printf("took it, after %lld ms\n", (long long)(clock_system.mono_ms() - begin_ms));
    else
        printf("%s: %s\n", status == ST_TIMEOUT ? "may have taken it" : "did not take it", err.text);
    fflush(stdout);
    return status == ST_OK;
}

static int test_all(const struct alarm_rules *rules, const struct words *words, const char *collector)
{
    const struct alarm_receiver *items = rules->receivers.items;
    int code = EXIT_OK;
    for (int i = 0; i < words->count; i++)
        if (find(rules, words->ids[i]) == NULL)
            return command_line_refuse(usage, "no receiver of the rules of alarms: ", words->ids[i]);
    for (size_t i = 0; i < rules->receivers.count; i++)
        if (is_asked(words, items[i].id) && !test(&items[i], collector))
            code = 1;
    if (rules->receivers.count == 0)
        puts("nobody is told of alarms: the rules name no receiver");
    return code;
}

static int perform(const struct collector_settings *settings, void *context)
{
    if (settings->alarms == NULL) {
        fprintf(stderr,
            "park-collector: the settings name no rules of alarms; expected `alarms = \"alarms.cfg\";`\n");
        return EXIT_CONFIG;
    }
    const struct words *words = context;
    struct alarm_rules *rules = alarm_rules_load(settings->alarms);
    int code = EXIT_CONFIG;
    /* Of those alone that are asked: others may still be set up. */
    if (conf_problem_count(rules->conf) == 0)
        CONF_EACH (const struct alarm_receiver, r, rules->receivers)
            if (is_asked(words, r->id))
                needs_check_of(rules, r);
    if (conf_problem_count(rules->conf) > 0)
        conf_print_problems(rules->conf, stderr);
    else
        code = test_all(rules, words, settings->id);
    alarm_rules_destroy(rules);
    return code;
}

int receivers_command(int argc, char **argv)
{
    struct words words = {0};
    int code = parse(argc, argv, &words);
    return code >= 0 ? code : command_line_perform(words.config, perform, &words);
}
