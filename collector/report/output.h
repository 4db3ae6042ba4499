/*
 * A command that writes what the database says of a site and a period, in the format and language that are asked for, whether or
 * not a collector runs: what reports and statements have in common.
 */
#pragma once

#include "collector/report/accepted.h"
#include "collector/report/command.h"

struct progress;

/* What it is made of; all borrowed for the call. */
struct output {
    const struct report_command *command;
    enum output_format { OUTPUT_HTML, OUTPUT_XLSX, OUTPUT_CSV, OUTPUT_JSON } format;
    enum page_language language;
    struct period period;
    struct db *db;             /* a reader */
    const struct model *model; /* the version that was accepted last; of the files where none was yet */
    const struct park_site *site;
    struct tables_origin origin;
    struct progress *progress; /* begun */
};

/* `word`: the command's own. `make` makes the tables, and gives them to output_write. What the process returns; what is wrong is
 * said on standard error. */
int output_run(const struct report_command *command, const char *word,
    enum status (*make)(const struct output *output, struct error *err));

/* What is written is there whole, or not at all. */
enum status output_write(const struct output *output, const struct tables *tables, struct error *err);
