#include "collector/bundle/checker.h"
#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>

#define HEADING "table,row,column,value,words"
#define PROGRAM "park-collector "

/* A line of report.csv: its place, and what stands there. */
struct figure {
    char *place, *value;
};
struct figures {
    struct figure *items;
    size_t count, capacity;
};

static void release_figures(struct figures *all)
{
    for (size_t i = 0; i < all->count; i++) {
        free(all->items[i].place);
        free(all->items[i].value);
    }
    free(all->items);
}

static int by_place(const void *a, const void *b)
{
    return strcmp(((const struct figure *)a)->place, ((const struct figure *)b)->place);
}

static enum status read_figures(struct figures *ret, struct span text, struct error *err)
{
    struct csv csv = {0};
    bool has_row = true;
    enum status status = csv_open(&csv, "report.csv", text, HEADING, err);
    while (status == ST_OK && (status = csv_next(&csv, &has_row, err)) == ST_OK && has_row) {
        struct figure figure = {
            .place = mem_printf("%s, row %s, %s", csv.fields[0].at, csv.fields[1].at, csv.fields[2].at),
            .value =
                mem_printf("%s%s%s", csv.fields[3].at, csv.fields[4].len > 0 ? " " : "", csv.fields[4].at)};
        MEM_GROW(ret->items, ret->count, ret->capacity);
        ret->items[ret->count++] = figure;
    }
    csv_close(&csv);
    if (ret->count > 0)
        qsort(ret->items, ret->count, sizeof *ret->items, by_place);
    return status;
}

/* Another version of the program may check what this one wrote. */
static bool is_program(const struct figure *published, const struct figure *found)
{
    return strncmp(published->place, "about,", 6) == 0 &&
           strncmp(published->value, PROGRAM, sizeof PROGRAM - 1) == 0 &&
           strncmp(found->value, PROGRAM, sizeof PROGRAM - 1) == 0;
}

static void hold_figures(struct checker *c, const struct figures *published, const struct figures *found)
{
    for (size_t i = 0, k = 0; i < published->count || k < found->count;) {
        int order = i == published->count ? 1
                    : k == found->count   ? -1
                                          : by_place(&published->items[i], &found->items[k]);
        if (order < 0)
            checker_differs(c, "report, %s: published is %s, the readings give nothing",
                published->items[i].place, published->items[i].value);
        else if (order > 0)
            checker_differs(c, "report, %s: published is nothing, the readings give %s",
                found->items[k].place, found->items[k].value);
        else if (strcmp(published->items[i].value, found->items[k].value) != 0 &&
                 !is_program(&published->items[i], &found->items[k]))
            checker_differs(c, "report, %s: published is %s, the readings give %s", published->items[i].place,
                published->items[i].value, found->items[k].value);
        c->figures += order == 0;
        i += order <= 0;
        k += order >= 0;
    }
}

enum status checker_report(struct checker *c, struct error *err)
{
    struct figures published = {0}, found = {0};
    struct buf report = {0};
    progress_show(&c->progress, "working out the report");
    enum status status = bundle_report(&c->subject, &report, err);
    if (status == ST_OK)
        status = read_figures(&found, (struct span){report.data, report.len}, err);
    if (status == ST_OK)
        status = checker_read(c, "report.csv", err);
    if (status == ST_OK)
        status = read_figures(
            &published, (struct span){c->part.data != NULL ? c->part.data : "", c->part.len}, err);
    if (status == ST_OK)
        hold_figures(c, &published, &found);
    release_figures(&published);
    release_figures(&found);
    buf_release(&report);
    return status;
}
