#include "collector/close_control.h"

#include "collector/close_json.h"
#include "collector/core.h"
#include "collector/energy/unit.h"
#include "lib/mem.h"

#include <inttypes.h>
#include <stdlib.h>

static void print_row(const struct close_month_row *row, const char *before, struct buf *text)
{
    char month[PERIODS_TEXT_SIZE], amount[DECIMAL_TEXT_SIZE];
    const struct amount *parts = &row->booked.parts;
    periods_format((struct period){PERIODS_MONTH, row->month}, month);
    buf_printf(text, "%s%s %s: ", before, month, row->meter);
    if (row->carrier < 0) {
        buf_printf(text, "%" PRId64 " base units", parts->sum.known);
    } else {
        energy_format(row->carrier, parts->sum.known, amount);
        buf_printf(text, "%s %s", amount, energy_unit(row->carrier).name);
    }
    if (!row->booked.is_whole)
        buf_printf(text, " known; not known: %" PRId64 " s", parts->sum.unknown_s + parts->waiting_s);
    buf_add_char(text, '\n');
}

/* The seal is for whoever notes it elsewhere: it says later that nothing of this closing, or before it, was changed. */
static void add_closing(const struct close_month_result *r, struct buf *text)
{
    char seal[HASH_TEXT_SIZE];
    hash_format(&r->seal, seal);
    buf_printf(text, "closing %" PRId64 ", seal %s\n", r->id, seal);
}

void close_print(const struct close_month_result *r, struct buf *text)
{
    for (size_t i = 0; i < r->row_count; i++)
        print_row(&r->rows[i], "booked ", text);
    for (size_t i = 0; i < r->entry_count; i++)
        print_row(&r->entries[i], "adjusting entry of ", text);
    for (size_t i = 0; i < r->reasons.count; i++) {
        char name[CLOSING_NAME_SIZE], what[CLOSING_TEXT_SIZE];
        closing_reason_name(&r->reasons.items[i], name);
        closing_reason_text(&r->reasons.items[i], what);
        buf_printf(text, "%s  %s\n", name, what);
    }
    if (r->refusal != NULL)
        buf_printf(text, "it would be refused: %s\n", r->refusal);
    if (r->id == 0)
        buf_add_str(text, "preview: nothing was changed\n");
    else
        add_closing(r, text);
}

_Static_assert(CLOSE_MONTH_JSON_MAX < CONTROL_REQUEST_MAX, "a closing over HTTP can be asked for here too");

enum status close_control_run(
    void *user_data, const struct control_request *request, struct buf *text, struct error *err)
{
    struct close_month act = {.who = request->who, .is_preview = request->is_preview};
    struct closing_override *overrides = mem_alloc(CLOSE_MONTH_OVERRIDES_MAX * sizeof *overrides);
    struct close_month_result result;
    enum status status = close_json_read(request->body, &act, overrides, err);
    if (status == ST_OK)
        status = core_close_month(user_data, &act, &result, err);
    if (status == ST_OK) {
        close_print(&result, text);
        close_month_result_release(&result);
    }
    free(overrides);
    return status;
}
