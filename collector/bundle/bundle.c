#include "collector/bundle/bundle.h"

#include "collector/report/write.h"
#include "lib/mem.h"
#include "lib/program.h"

#include <stdlib.h>
#include <string.h>

const char *const bundle_model_parts[] = {[MODEL_PARK] = "model/park.cfg",
    [MODEL_FACTORS] = "model/factors.cfg",
    [MODEL_TARIFFS] = "model/tariffs.cfg"};

void bundle_about_release(struct bundle_about *about)
{
    free(about->site);
    free(about->period);
    free(about->program);
    *about = (struct bundle_about){0};
}

static bool on_meter(void *nobody, size_t done, size_t all)
{
    (void)nobody, (void)done, (void)all;
    return !program_is_asked_to_end();
}

/* What the evidence of the period alone does not give: until when quarter hours behind it are decided, and what the log of
 * changes says of a decision. A row NULL: all. */
static const struct {
    const char *table, *column, *row;
} left_out[] = {{"decisions", "effect_quarters", NULL}, {"about", "value", "decided_until"}};

static bool is_left_out(const struct table *table, const char *column, const struct cell *first)
{
    for (size_t i = 0; i < sizeof left_out / sizeof left_out[0]; i++)
        if (strcmp(table->id, left_out[i].table) == 0 && strcmp(column, left_out[i].column) == 0 &&
            (left_out[i].row == NULL || strcmp(first->text, left_out[i].row) == 0))
            return true;
    return false;
}

static void leave_out(struct table *table)
{
    char code[TABLE_CODE_SIZE];
    for (size_t row = 0; row < table->count; row++)
        for (size_t column = table->column_count; column-- > 0;) {
            struct cell *cells = table->rows[row].cells;
            table_column_code(table, column, code);
            if (is_left_out(table, code, &cells[0]))
                cells[column].kind = CELL_NONE;
        }
}

enum status bundle_report(const struct bundle_subject *subject, struct buf *out, struct error *err)
{
    struct report report;
    const struct report_options options = {.db = subject->db,
        .park = subject->accepted->model->park,
        .rates = &subject->accepted->model->rates,
        .site = subject->site,
        .period = subject->period,
        .now_ms = subject->reckoned_ms,
        .is_alone = true,
        .on_meter = on_meter};
    enum status status = report_build(&options, &report, err);
    if (status != ST_OK)
        return status;
    char period[PERIODS_TEXT_SIZE];
    periods_format(subject->period, period);
    char *command = mem_printf("evidence --site %s --period %s", subject->site->id, period);
    struct tables tables;
    struct tables_origin origin = accepted_origin(subject->accepted, command);
    tables_of(&report, &origin, PAGE_EN, &tables);
    for (size_t i = 0; i < tables.count; i++)
        leave_out(&tables.items[i]);
    write_csv(&tables, out);
    tables_release(&tables);
    free(command);
    report_release(&report);
    return ST_OK;
}
