#include "collector/person_command.h"

#include "collector/accept.h"
#include "collector/command_line.h"
#include "lib/program.h"

#include <stdio.h>
#include <stdlib.h>

static int run_here(const struct collector_settings *settings, const struct person_command *command)
{
    struct error err;
    struct model *m = acceptance_load(settings);
    int code = EXIT_CONFIG;
    if (model_problem_count(m) > 0) {
        model_print_problems(m, stderr);
    } else {
        char *who = command_line_who(command->who);
        struct buf text = {0};
        bool is_refused = false;
        enum status status = command->here(settings, m, who, command->context, &text, &is_refused, &err);
        if (status == ST_OK)
            fwrite(text.data, 1, text.len, stdout);
        code = is_refused ? command_line_complain(&err, EXIT_REFUSED) : command_line_end(status, &err);
        buf_release(&text);
        free(who);
    }
    model_put(m);
    return code;
}

int person_command_run(
    const struct collector_settings *settings, const struct person_command *command, json_t *body)
{
    struct error err;
    bool is_there;
    char *text = NULL;
    enum status status = control_ask(settings->database.path, command->name, command->who,
        command->is_preview, body, &is_there, &text, &err);
    if (is_there && status == ST_OK)
        fputs(text, stdout);
    free(text);
    if (!is_there)
        return run_here(settings, command);
    return status == ST_INVALID ? command_line_complain(&err, EXIT_REFUSED) : command_line_end(status, &err);
}
