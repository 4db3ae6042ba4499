#include "collector/statement/command.h"

#include "collector/report/output.h"
#include "collector/statement/tables.h"
#include "lib/clock.h"
#include "lib/program.h"
#include "lib/progress.h"

static bool on_instrument(void *user_data, size_t done, size_t all)
{
    progress_show(user_data, "read %zu of %zu instruments", done, all);
    return !program_is_asked_to_end();
}

static enum status make(const struct output *output, struct error *err)
{
    struct statement_options options = {.db = output->db,
        .park = output->model->park,
        .site = output->site,
        .period = output->period,
        .clock_ms = clock_system.wall_ms(),
        .on_instrument = on_instrument,
        .user_data = output->progress};
    struct statement statement;
    struct tables tables;
    bool is_ahead;
    enum status status = statement_build(&options, &statement, &is_ahead, err);
    if (status != ST_OK)
        return status;
    progress_show(output->progress, "writing the statement");
    statement_tables(&statement, &output->origin, output->language, &tables);
    status = output_write(output, &tables, err);
    tables_release(&tables);
    statement_release(&statement);
    return status;
}

int statement_run(const struct report_command *command)
{
    return output_run(command, "statement", make);
}
