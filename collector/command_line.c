#include "collector/command_line.h"

#include "collector/access/here.h"
#include "lib/mem.h"
#include "lib/program.h"
#include "lib/text.h"

#include <assert.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST 1000 /* beyond what getopt returns by itself */

int command_line_refuse(const char *usage, const char *why, const char *what)
{
    fprintf(stderr, "park-collector: %s%s\n%s", why, what, usage);
    return EXIT_USAGE;
}

int command_line_read(
    int argc, char **argv, const char *usage, const struct command_option *options, size_t count)
{
    struct option known[COMMAND_OPTIONS_MAX + 1] = {{0}};
    assert(count <= COMMAND_OPTIONS_MAX);
    for (size_t i = 0; i < count; i++)
        known[i] = (struct option){
            options[i].name, options[i].is_flag ? no_argument : required_argument, NULL, FIRST + (int)i};
    int found;
    opterr = 0;
    while ((found = getopt_long(argc, argv, "", known, NULL)) != -1) {
        if (found < FIRST)
            return command_line_refuse(usage, "unknown option, or its value is missing: ", argv[optind - 1]);
        const struct command_option *o = &options[found - FIRST];
        if (*o->place != NULL)
            return command_line_refuse(usage, "given twice: --", o->name);
        *o->place = o->is_flag ? "true" : optarg;
        if (strcmp(o->name, "help") == 0)
            return -1;
    }
    return -1;
}

int command_line_complain(const struct error *err, int code)
{
    fprintf(stderr, "park-collector: %s\n", err->text);
    return code;
}

int command_line_end(enum status status, const struct error *err)
{
    return status == ST_OK ? EXIT_OK : command_line_complain(err, program_exit_code(status));
}

bool command_line_is_text(const char *text, size_t max)
{
    struct span s = span_of(text);
    return s.len > 0 && s.len <= max && text_is_utf8(s) && !text_has_control(s) && strspn(text, " ") < s.len;
}

char *command_line_who(const char *name)
{
    char *user = access_user_name();
    if (name == NULL)
        return user;
    char *who = mem_printf("%s (%s)", name, user);
    free(user);
    return who;
}

int command_line_perform(const char *config,
    int (*perform)(const struct collector_settings *settings, void *context), void *context)
{
    program_begin();
    struct collector_settings settings;
    struct conf *conf = collector_settings_load(config, &settings);
    int code = EXIT_CONFIG;
    if (conf_problem_count(conf) > 0)
        conf_print_problems(conf, stderr);
    else
        code = perform(&settings, context);
    conf_destroy(conf);
    return code;
}
