#include "collector/board_maker.h"

#include "collector/store/outbox.h"
#include "lib/line.h"
#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>

const char board_schema[] =
    "CREATE TABLE availability_now("
    "  instrument TEXT PRIMARY KEY, status TEXT NOT NULL, reason TEXT NOT NULL, activity TEXT NOT NULL,"
    "  since_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;";

void board_maker_init(struct board_maker *m, struct db *db)
{
    *m = (struct board_maker){.db = db};
}

static void forget(struct board_maker *m)
{
    board_put(m->next);
    m->next = NULL;
    free(m->kept);
    m->kept = NULL;
    while (m->left_count > 0)
        free(m->left[--m->left_count]);
    m->is_let_go = false;
}

void board_maker_release(struct board_maker *m)
{
    forget(m);
    board_facts_release(&m->facts);
    free(m->left);
    *m = (struct board_maker){0};
}

void board_maker_use(struct board_maker *m, const struct model *model)
{
    forget(m);
    board_facts_use(&m->facts, model);
    m->is_touched = true;
}

void board_maker_reset(struct board_maker *m)
{
    forget(m);
    board_facts_forget(&m->facts);
    m->is_touched = true;
}

static const struct park *park_of(const struct board_maker *m)
{
    return board_ground_model(m->facts.ground)->park;
}

/* ---- what is noted ---- */

static int place_of(const char *const *names, struct span name, int otherwise)
{
    for (int i = 0; names[i] != NULL; i++)
        if (span_is(name, names[i]))
            return i;
    return otherwise;
}

static const char *reason_of(struct span name)
{
    size_t count;
    const struct availability_rule *rules = availability_rules(&count);
    for (size_t i = 0; i < count; i++)
        if (span_is(name, rules[i].reason))
            return rules[i].reason;
    return NULL;
}

static void take_row(struct board_maker *m, struct db_stmt *row)
{
    struct span id = db_text(row, 0);
    char *name = mem_strndup(id.at, id.len);
    const struct park_instrument *i = park_instrument_find(park_of(m), name);
    if (i == NULL) {
        MEM_GROW(m->left, m->left_count, m->left_capacity);
        m->left[m->left_count++] = name;
        return;
    }
    free(name);
    struct board_kept *k = &m->kept[i - (const struct park_instrument *)park_of(m)->instruments.items];
    k->status = place_of(availability_statuses, db_text(row, 1), -1);
    k->reason = reason_of(db_text(row, 2));
    k->activity = (enum activity_state)place_of(activity_names, db_text(row, 3), ACTIVITY_UNKNOWN);
    k->since_ms = db_int(row, 4);
    k->is_noted = k->status >= 0 && k->reason != NULL;
}

static enum status load(struct board_maker *m, struct error *err)
{
    size_t count = park_of(m)->instruments.count;
    m->kept = mem_zalloc((count + 1) * sizeof *m->kept);
    for (size_t i = 0; i < count; i++)
        m->kept[i].status = -1;
    struct db_stmt *rows =
        db_keep(m->db, "SELECT instrument, status, reason, activity, since_ms FROM availability_now");
    bool has_row;
    enum status status;
    while ((status = db_step(rows, &has_row, err)) == ST_OK && has_row)
        take_row(m, rows);
    db_reset(rows);
    if (status != ST_OK)
        forget(m);
    return status;
}

static enum status put_row(struct board_maker *m, const struct board_item *item, struct error *err)
{
    const struct board_kept *k = &m->kept[item - board_items(m->next)];
    struct db_stmt *row =
        db_keep(m->db, "INSERT OR REPLACE INTO availability_now VALUES(?1, ?2, ?3, ?4, ?5)");
    db_bind_text(row, 1, span_of(item->instrument->id));
    db_bind_text(row, 2, span_of(availability_statuses[k->status]));
    db_bind_text(row, 3, span_of(k->reason));
    db_bind_text(row, 4, span_of(activity_names[k->activity]));
    db_bind_int(row, 5, k->since_ms);
    return db_run(row, err);
}

static enum status put_line(struct board_maker *m, const struct board_item *item, struct error *err)
{
    const struct park_instrument *i = item->instrument;
    struct line_tag tags[] = {{SPAN("building"), span_of(i->building->id)},
        {SPAN("instrument"), span_of(i->id)}, {SPAN("site"), span_of(i->building->site->id)}};
    struct line_field fields[] = {
        {SPAN("activity"), {.type = LINE_STRING, .s = span_of(activity_names[item->activity])}},
        {SPAN("reason"), {.type = LINE_STRING, .s = span_of(item->answer.reason)}},
        {SPAN("status"), {.type = LINE_STRING, .s = span_of(availability_statuses[item->answer.status])}}};
    struct buf line = {0}, series = {0};
    buf_printf(&series, "availability,instrument=%s", i->id);
    int64_t time_ms = item->answer.as_of_ms;
    enum status status = line_write(&line, SPAN("availability"), tags, 3, fields, 3, time_ms, err);
    if (status == ST_OK)
        status = outbox_put(
            m->db, (struct span){series.data, series.len}, time_ms, (struct span){line.data, line.len}, err);
    buf_release(&series);
    buf_release(&line);
    return status;
}

static enum status let_go(struct board_maker *m, bool *ret_is_changed, struct error *err)
{
    enum status status = ST_OK;
    for (size_t i = 0; status == ST_OK && !m->is_let_go && i < m->left_count; i++) {
        struct db_stmt *row = db_keep(m->db, "DELETE FROM availability_now WHERE instrument = ?1");
        db_bind_text(row, 1, span_of(m->left[i]));
        status = db_run(row, err);
        *ret_is_changed = true;
    }
    m->is_let_go = status == ST_OK;
    return status;
}

/* ---- a board ---- */

/* Whether it is so since the rule says, though another answer was given meanwhile. */
static bool goes_back(const struct board_kept *before, const struct availability *answer)
{
    /* What is out is told with its time, often later. */
    if (before->status < 0 || answer->status == AVAILABILITY_OUT_OF_SERVICE)
        return true;
    if (answer->since_ms <= before->since_ms)
        return false;
    /* Its hours are over since then, but what goes before them held until now. */
    if (answer->status == AVAILABILITY_CLOSED)
        return before->status > AVAILABILITY_CLOSED;
    /* Of one that is free the rule says since when it is not used; it was free since then only if it was used before. */
    return answer->status < AVAILABILITY_SHORT || before->status == AVAILABILITY_IN_USE ||
           before->status == AVAILABILITY_UNKNOWN;
}

static int64_t since_of(const struct board_kept *before, const struct availability *answer)
{
    bool is_known = answer->since_ms != AVAILABILITY_NONE && answer->since_ms <= answer->as_of_ms;
    return is_known && goes_back(before, answer) ? answer->since_ms : answer->as_of_ms;
}

static void keep(struct board_kept *k, struct board_item *item)
{
    struct availability *answer = &item->answer;
    int64_t since_ms = k->status == (int)answer->status ? k->since_ms : since_of(k, answer);
    bool is_same = k->status == (int)answer->status && k->activity == item->activity && k->reason != NULL &&
                   strcmp(k->reason, answer->reason) == 0;
    *k = (struct board_kept){.status = (int)answer->status,
        .since_ms = since_ms,
        .reason = answer->reason,
        .activity = item->activity,
        .is_noted = k->is_noted && is_same};
    answer->since_ms = since_ms;
}

static enum status note(struct board_maker *m, bool *ret_is_changed, struct error *err)
{
    enum status status = let_go(m, ret_is_changed, err);
    for (size_t i = 0; status == ST_OK && i < m->next->count; i++) {
        if (m->kept[i].is_noted)
            continue;
        status = put_row(m, &m->next->items[i], err);
        if (status == ST_OK)
            status = put_line(m, &m->next->items[i], err);
        m->kept[i].is_noted = status == ST_OK;
        *ret_is_changed = true;
    }
    return status;
}

static bool is_told(const struct board_maker *m, const struct watch *watch)
{
    return watch != NULL && watch->is_loaded && watch->park == park_of(m);
}

static bool is_due(const struct board_maker *m, const struct board_making *now, int64_t mono_ms)
{
    if (m->made_mono_ms == 0)
        return true;
    int64_t age_ms = mono_ms - m->made_mono_ms;
    if (!is_told(m, now->watch) && age_ms < BOARD_HOLD_MS)
        return false;
    return age_ms >= (m->is_touched ? BOARD_LEAST_MS : BOARD_MS);
}

enum status board_maker_step(
    struct board_maker *m, const struct board_making *now, bool *ret_is_changed, struct error *err)
{
    int64_t mono_ms = now->clock->mono_ms(), now_ms = now->clock->wall_ms();
    m->is_touched = m->is_touched || now->is_touched;
    m->looked_mono_ms = mono_ms;
    if (m->facts.ground == NULL || !is_due(m, now, mono_ms))
        return ST_OK;
    enum status status = m->kept == NULL ? load(m, err) : ST_OK;
    struct board_sources sources = {m->db, now->watch, now->calendars, now_ms, now->is_clock_right};
    if (status == ST_OK)
        status = board_facts_gather(&m->facts, &sources, err);
    if (status != ST_OK)
        return status;
    board_put(m->next);
    m->next = board_make(m->facts.ground, m->facts.told, now_ms, ++m->number, now->is_clock_right);
    m->made_mono_ms = mono_ms;
    m->is_touched = false;
    for (size_t i = 0; i < m->next->count; i++)
        keep(&m->kept[i], &board_items(m->next)[i]);
    return now->may_write && now->is_clock_right ? note(m, ret_is_changed, err) : ST_OK;
}

void board_maker_show(struct board_maker *m)
{
    if (m->next == NULL)
        return;
    if (m->box != NULL)
        board_box_set(m->box, m->next);
    else
        board_put(m->next);
    m->next = NULL;
}

int64_t board_maker_due_mono_ms(const struct board_maker *m)
{
    if (m->facts.ground == NULL || park_of(m)->instruments.count == 0)
        return INT64_MAX;
    int64_t due_mono_ms = m->made_mono_ms + (m->is_touched ? BOARD_LEAST_MS : BOARD_MS);
    return due_mono_ms > m->looked_mono_ms ? due_mono_ms : m->looked_mono_ms + BOARD_LEAST_MS;
}

char *board_maker_left(struct board_maker *m)
{
    return m->is_let_go && m->next == NULL && m->left_count > 0 ? m->left[--m->left_count] : NULL;
}
