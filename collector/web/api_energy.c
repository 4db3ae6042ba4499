/* Amounts of a site: by building, tenant, meter, item or carrier, of groups or of parts that add up, by step, as JSON or CSV. */
#include "collector/energy/balance.h"
#include "collector/energy/unit.h"
#include "collector/report/part_tree.h"
#include "collector/report/write.h"
#include "collector/web/energy_query.h"

#include "lib/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COVERAGE_SIZE 24

static const char *const balances[] = {
    [BALANCE_WITHIN] = "within", [BALANCE_BEYOND] = "beyond", [BALANCE_UNKNOWN] = "unknown"};

/* An amount as it is shown. */
struct value {
    char start[ZONE_TIME_SIZE], end[ZONE_TIME_SIZE];
    char amount[DECIMAL_TEXT_SIZE]; /* empty: not known */
    /* Empty: beyond what can be added up. */
    char known[DECIMAL_TEXT_SIZE], estimated[DECIMAL_TEXT_SIZE], manual[DECIMAL_TEXT_SIZE];
    char coverage[COVERAGE_SIZE]; /* empty: nothing is due */
    const char *quality;
    const char *balance; /* NULL: not a gap */
};

/* Of four decimals, rounded down: 1.0000 is whole. */
static void format_coverage(const struct amount *a, char text[static COVERAGE_SIZE])
{
    int64_t due = amount_due(a), share = due > 0 ? amount_covered(a) * 10000 / due : 0;
    text[0] = '\0';
    if (due > 0)
        snprintf(text, COVERAGE_SIZE, "%d.%04d", (int)(share / 10000), (int)(share % 10000));
}

static void make_value(const struct energy_query *q, int carrier, struct periods_span span,
    const struct amount *a, struct value *ret)
{
    int64_t amount;
    *ret = (struct value){.quality = series_states[amount_worst(a)]};
    zone_format_time(q->zone, span.begin_ms, ret->start);
    zone_format_time(q->zone, span.end_ms, ret->end);
    if (amount_is_known(a, &amount))
        energy_format(carrier, amount, ret->amount);
    if (!a->sum.is_overflown) {
        energy_format(carrier, a->sum.known, ret->known);
        energy_format(carrier, a->sum.estimated, ret->estimated);
        energy_format(carrier, a->sum.manual, ret->manual);
    }
    format_coverage(a, ret->coverage);
}

/* ---- as JSON ---- */

static json_t *text_or_null(const char *text)
{
    return text[0] != '\0' ? json_string(text) : json_null();
}

static json_t *value_json(const struct value *v, const struct amount *a)
{
    json_t *value = json_pack(
        "{s:s, s:s, s:o, s:o, s:s, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:I, s:o, s:I}", "start", v->start,
        "end", v->end, "amount", text_or_null(v->amount), "known", text_or_null(v->known), "quality",
        v->quality, "coverage", text_or_null(v->coverage), "due", (json_int_t)amount_due(a), "covered",
        (json_int_t)amount_covered(a), "unknown_s", (json_int_t)a->sum.unknown_s, "waiting_s",
        (json_int_t)a->waiting_s, "future_s", (json_int_t)a->future_s, "absent_s", (json_int_t)a->absent_s,
        "estimated", text_or_null(v->estimated), "estimated_s", (json_int_t)a->sum.estimated_s, "manual",
        text_or_null(v->manual), "manual_s", (json_int_t)a->sum.manual_s);
    if (v->balance != NULL)
        json_object_set_new(value, "balance", json_string(v->balance));
    return value;
}

static json_t *row_json(const struct tree_row *row)
{
    json_t *left_out = json_array();
    for (size_t i = 0; i < row->left_out_count; i++)
        json_array_append_new(left_out, json_string(row->left_out[i]->id));
    json_t *json = json_pack("{s:s, s:s?, s:s, s:s, s:o, s:[]}", "kind", tree_kinds[row->kind], "id", row->id,
        "carrier", park_carriers[row->carrier], "unit", energy_unit(row->carrier).name, "left_out", left_out,
        "values");
    if (row->kind == TREE_PART)
        json_object_set_new(json, "takes_off", json_boolean(part_tree_takes_off(row)));
    return json;
}

/* ---- as CSV (RFC 4180) ---- */

#define CSV_HEAD                                                                                         \
    "site,kind,id,carrier,unit,start,end,amount,known,quality,coverage,due,covered,unknown_s,waiting_s," \
    "future_s,absent_s,estimated,estimated_s,manual,manual_s,balance\r\n"

static void add_line(struct buf *csv, const struct energy_query *q, const struct tree_row *row,
    const struct value *v, const struct amount *a)
{
    buf_printf(csv, "%s,%s,", q->site->id, tree_kinds[row->kind]);
    write_csv_field(csv, row->id != NULL ? row->id : "", true); /* an item's code is any text */
    buf_printf(csv, ",%s,%s,%s,%s,%s,%s,%s,%s,%lld,%lld,%lld,%lld,%lld,%lld,%s,%lld,%s,%lld,%s\r\n",
        park_carriers[row->carrier], energy_unit(row->carrier).name, v->start, v->end, v->amount, v->known,
        v->quality, v->coverage, (long long)amount_due(a), (long long)amount_covered(a),
        (long long)a->sum.unknown_s, (long long)a->waiting_s, (long long)a->future_s, (long long)a->absent_s,
        v->estimated, (long long)a->sum.estimated_s, v->manual, (long long)a->sum.manual_s,
        v->balance != NULL ? v->balance : "");
}

/* ---- the answer ---- */

struct output {
    json_t *rows;
    struct buf csv;
};

static enum status write_row(struct output *out, struct db *db, const struct energy_query *q,
    const struct tree_row *row, const struct steps *steps, int64_t now_ms, struct error *err)
{
    struct amount *amounts = mem_zalloc((steps->count + 1) * sizeof *amounts);
    struct amount *parents = mem_zalloc((steps->count + 1) * sizeof *parents);
    enum status status = tree_amounts(db, row, steps, now_ms, amounts, err);
    if (status == ST_OK && row->kind == TREE_GAP)
        status = tree_parent_amounts(db, row, steps, now_ms, parents, err);
    json_t *item = status == ST_OK && !q->is_csv ? row_json(row) : NULL;
    for (size_t i = 0; i < steps->count && status == ST_OK; i++) {
        struct value value;
        make_value(q, row->carrier, steps->spans[i], &amounts[i], &value);
        if (row->kind == TREE_GAP)
            value.balance = balances[balance_judge(&amounts[i], &parents[i], row->meter->balance_limit)];
        if (q->is_csv)
            add_line(&out->csv, q, row, &value, &amounts[i]);
        else
            json_array_append_new(json_object_get(item, "values"), value_json(&value, &amounts[i]));
    }
    if (item != NULL)
        json_array_append_new(out->rows, item);
    free(amounts);
    free(parents);
    return status;
}

/* All rows as of one commit. */
static enum status write_rows(struct output *out, struct db *db, const struct energy_query *q,
    const struct tree *tree, const struct steps *steps, int64_t now_ms, struct error *err)
{
    enum status status = db_exec(db, "BEGIN", err);
    if (status != ST_OK)
        return status;
    for (size_t i = 0; i < tree->count && status == ST_OK; i++)
        status = write_row(out, db, q, &tree->rows[i], steps, now_ms, err);
    struct error ignored;
    enum status ended = db_exec(db, "COMMIT", status == ST_OK ? err : &ignored);
    return status == ST_OK ? ended : status;
}

static struct web_answer whole_answer(
    const struct web_context *context, const struct energy_query *q, struct output *out)
{
    if (q->is_csv) {
        size_t len = out->csv.len;
        return answer_text(200, "text/csv; charset=utf-8", buf_take(&out->csv), len);
    }
    json_t *rows = out->rows;
    out->rows = NULL;
    return answer_json(
        200, json_pack("{s:s, s:s, s:o, s:o, s:s, s:s, s:s, s:o}", "site", q->site->id, "zone", q->site->zone,
                 "from", context_time(context, q->site->id, q->span.begin_ms), "to",
                 context_time(context, q->site->id, q->span.end_ms), "by", tree_bys[q->by], "of",
                 energy_query_of(q), "step", energy_query_step(q->step), "rows", rows));
}

static struct web_answer answer_query(struct web_context *context, const struct energy_query *q,
    const struct tree *tree, const struct steps *steps)
{
    struct output out = {.rows = json_array()};
    struct error err;
    buf_add_str(&out.csv, CSV_HEAD);
    enum status status = context_open_db(context, &err) ? ST_OK : ST_STORAGE;
    if (status == ST_OK)
        status = write_rows(&out, context->db, q, tree, steps, context->clock->wall_ms(), &err);
    struct web_answer answer =
        status == ST_OK ? whole_answer(context, q, &out) : context_give_up_db(context, &err);
    json_decref(out.rows);
    buf_release(&out.csv);
    return answer;
}

struct web_answer handle_energy(struct web_context *context, const struct web_request *request)
{
    struct energy_query q;
    struct web_answer answer;
    struct tree tree;
    struct steps steps;
    if (!energy_query_read(context, request, &q, &answer))
        return answer;
    (q.is_of_parts ? part_tree_init : tree_init)(&tree, context->options->park, q.site, q.by, q.span);
    const char *id = request_param(request, "id");
    if (id != NULL)
        tree_keep(&tree, id);
    if (id != NULL && tree.count == 0) {
        tree_release(&tree);
        return answer_error(400, "bad_parameter",
            "id: unknown value \"%.40s\"; expected the id of a row, as they are without it", id);
    }
    steps_cut(&steps, q.zone, q.span, q.step);
    if (energy_query_is_bounded(&tree, &steps, &answer))
        answer = answer_query(context, &q, &tree, &steps);
    tree_release(&tree);
    steps_release(&steps);
    return answer;
}
