#include "collector/report/command.h"

#include "collector/report/output.h"
#include "lib/clock.h"
#include "lib/program.h"
#include "lib/progress.h"

static bool on_meter(void *user_data, size_t done, size_t all)
{
    progress_show(user_data, "read %zu of %zu meters", done, all);
    return !program_is_asked_to_end();
}

static enum status make(const struct output *output, struct error *err)
{
    struct report_options options = {.db = output->db,
        .park = output->model->park,
        .rates = &output->model->rates,
        .site = output->site,
        .period = output->period,
        .now_ms = clock_system.wall_ms(),
        .on_meter = on_meter,
        .user_data = output->progress};
    struct report report;
    struct tables tables;
    enum status status = report_build(&options, &report, err);
    if (status != ST_OK)
        return status;
    progress_show(output->progress, "writing the report");
    tables_of(&report, &output->origin, output->language, &tables);
    status = output_write(output, &tables, err);
    tables_release(&tables);
    report_release(&report);
    return status;
}

int report_run(const struct report_command *command)
{
    return output_run(command, "report", make);
}
