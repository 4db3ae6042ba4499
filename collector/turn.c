#include "collector/turn.h"

#include "collector/energy_model.h"
#include "collector/intake/journal.h"
#include "collector/intake/receive.h"
#include "collector/schema.h"
#include "collector/store/outbox.h"
#include "collector/store/record.h"
#include "collector/store/repost_rows.h"
#include "lib/cursor.h"
#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>

#define GROUP_MS 50
#define GROUP_LINES 20000
#define GROUP_BYTES (4 * 1024 * 1024)
#define CACHE_KIB 8192
/* Kept free below the limit for one group, and for what must be written when batches are not taken any more:
 * marks of the store, refusals of lines. */
#define SPARE_BYTES (8 * 1024 * 1024)
/* The same on the disk: a file that is given up when the disk is full. */
#define RESERVE_BYTES (8 * 1024 * 1024)
#define RESERVE_MS 1000 /* between attempts to take it again */
#define ROOM_MS 60000   /* for so long nobody writes, where what is given up makes no room */
/* Between writing the changed points: under load a point changes many times meanwhile. */
#define POINTS_MS 5000

/* What one transaction takes in, and what is said after it. */
struct group {
    struct receive receive;
    struct group_answer {
        char gateway[ID_MAX + 1];
        struct ack ack;
    } * answers;
    size_t answer_count, answer_capacity;
    bool is_changed; /* there is something to commit */
    bool resumes;    /* batches are taken again, after those of a while were not */
    bool is_at_rest; /* nobody may write */
};

static int64_t spare_bytes(const struct turn *t)
{
    int64_t part = t->limit_bytes / 20;
    return part > SPARE_BYTES ? part : SPARE_BYTES;
}

/* Above it nothing is taken. */
static int64_t full_bytes(const struct turn *t)
{
    return t->limit_bytes - spare_bytes(t);
}

static bool is_database_full(const struct turn *t)
{
    return db_used_bytes(t->db) > full_bytes(t);
}

static void forget_held(struct turn *t)
{
    free(t->held);
    t->held = NULL;
    late_release(&t->search);
}

/* Memory, disk and rows are bounded whatever names come: one that is known goes on. */
static bool is_welcome(struct turn *t, const char *gateway)
{
    return known_gateway_find(&t->known, span_of(gateway)) != NULL ||
           presence_find(&t->presence, gateway) != NULL ||
           (t->known.gateways.count < KNOWN_GATEWAYS_MAX && t->presence.count < KNOWN_GATEWAYS_MAX);
}

static void turn_away(struct turn *t)
{
    t->turned_away++;
    complain(&t->strangers, t->clock->mono_ms(), LOG_LEVEL_ERROR, "intake",
        "more than %d gateways: %lld messages of others were turned away, unanswered; let only your gateways "
        "publish at the broker (see its ACL)",
        KNOWN_GATEWAYS_MAX, (long long)t->turned_away);
}

/* What people should look at is said in the log too: a healthy park says nothing. Should the commit fail, the same
 * message comes again. */
static void tell_trouble(struct turn *t, const char *gateway, const struct receive_trouble *trouble)
{
    int64_t now = t->clock->mono_ms();
    if (trouble->is_quarantined)
        trouble_tell(&t->troubles, gateway, trouble->is_unreadable ? TROUBLE_UNREADABLE : TROUBLE_QUARANTINE,
            trouble->quarantined, now);
    if (trouble->lost != NULL)
        trouble_tell(&t->troubles, gateway, TROUBLE_LOSS, trouble->lost, now);
}

static void tell_discarded(struct turn *t)
{
    char gateway[ID_MAX + 1];
    int64_t bytes;
    struct error why;
    while (inbox_take_discarded(t->inbox, gateway, &bytes)) {
        error_set(&why, ST_FULL, "%lld KiB more than its share of what may wait here, discarded unread",
            (long long)(bytes + 1023) / 1024);
        if (is_welcome(t, gateway))
            trouble_tell(&t->troubles, gateway, TROUBLE_FLOOD, why.text, t->clock->mono_ms());
    }
}

/* Takes the message's memory. */
static enum status take_batch(struct turn *t, struct group *g, struct inbox_message *m, struct error *err)
{
    struct late other = {0};
    struct late *search = t->held == NULL || m == t->held ? &t->search : &other;
    g->receive.search = search;
    g->receive.search_bytes = RECEIVE_SEARCH_BYTES;
    struct receive_answer answer;
    enum status status = receive_batch(&g->receive, m, &answer, err);
    g->is_changed = true;
    if (status == ST_OK)
        tell_trouble(t, m->gateway, &g->receive.trouble);
    if (status == ST_OK && answer.is_turned_away)
        turn_away(t);
    if (status == ST_OK && answer.is_untimely)
        complain(&t->untimely, t->clock->mono_ms(), LOG_LEVEL_ERROR, "intake",
            "gateway %s: a batch holds readings ahead of this machine's clock, which is %s: it is not taken, "
            "and "
            "comes again; set the clock right",
            m->gateway,
            turn_is_clock_behind(t) ? "behind what arrived before"
                                    : "not synchronised (clock = \"trusted\" says that it is right)");
    if (status == ST_OK && answer.has_ack) {
        MEM_GROW(g->answers, g->answer_count, g->answer_capacity);
        struct group_answer *a = &g->answers[g->answer_count++];
        memcpy(a->gateway, m->gateway, sizeof a->gateway);
        a->ack = answer.ack;
    }
    if (status == ST_OK && answer.is_unfinished && search == &t->search) {
        t->held = m;
        return ST_OK;
    }
    if (m == t->held)
        t->held = NULL;
    late_release(search);
    free(m);
    return status;
}

static void take_state(struct turn *t, const struct inbox_message *m)
{
    struct error why;
    if (presence_state(&t->presence, m->gateway, (struct span){m->payload, m->len}, m->received_ms, &why) !=
        ST_OK)
        trouble_tell(&t->troubles, m->gateway, TROUBLE_STATE, why.text, t->clock->mono_ms());
    show_touch(&t->show);
}

/* One of which nothing is held, and that began before we listened: what it has out is lost, and it would wait for the
 * time of a probe. That nothing is held claims nothing, so it need not wait for a commit. */
static void ask_stranger(struct turn *t, const struct inbox_message *m)
{
    const struct known_gateway *g = known_gateway_find(&t->known, span_of(m->gateway));
    if ((g != NULL && g->epoch != 0) || t->acks.count >= KNOWN_GATEWAYS_MAX || !is_welcome(t, m->gateway))
        return;
    uint64_t epoch = presence_epoch((struct span){m->payload, m->len});
    if (epoch != 0)
        acks_note(&t->acks, m->gateway, &(struct ack){epoch, 0, .is_refusal = true});
}

/* Takes the message's memory. */
static enum status take_message(
    struct turn *t, struct group *g, struct inbox_message *m, bool accepts, struct error *err)
{
    if (accepts && m->topic == INBOX_STATE)
        ask_stranger(t, m);
    /* An `up` that is retained is nobody's; a `state` that is retained proves no life. */
    if (!m->is_retained && !is_welcome(t, m->gateway)) {
        turn_away(t);
    } else if (!m->is_retained && m->topic == INBOX_UP) {
        presence_hear(&t->presence, m->gateway, m->received_ms);
        show_touch(&t->show);
        bool is_behind_held = t->held != NULL && strcmp(t->held->gateway, m->gateway) == 0;
        if (accepts && !is_behind_held)
            return take_batch(t, g, m, err);
    } else if (!m->is_retained) {
        take_state(t, m);
    } else if (m->topic == INBOX_UP && is_welcome(t, m->gateway)) {
        trouble_tell(&t->troubles, m->gateway, TROUBLE_RETAINED,
            "a batch that the broker keeps as retained is ignored", t->clock->mono_ms());
    }
    free(m);
    return ST_OK;
}

/* There was no room for what makes room: whoever tried all the same would take down everybody's transaction, and nobody
 * would get a message (W5). */
static bool is_at_rest(const struct turn *t)
{
    return t->clock->mono_ms() < t->rest_until_mono_ms;
}

/* Why nothing is taken; NULL = batches are. */
static const char *find_obstacle(struct turn *t)
{
    int64_t now = t->clock->mono_ms();
    if (!t->reserve.is_held && now >= t->reserve_due_mono_ms) {
        t->reserve_due_mono_ms = now + RESERVE_MS;
        struct error why;
        enum status status = reserve_take(&t->reserve, &why);
        /* Also at the start: what an earlier run gave up is there to delete with, not for batches. */
        t->is_disk_full = status == ST_FULL || (status == ST_STORAGE && is_at_rest(t));
        if (status == ST_OK) /* written, with as much room besides: what failed for want of it need not */
            t->is_commit_failing = false;
        if (status != ST_OK && !t->is_disk_full)
            complain(&t->no_reserve, now, LOG_LEVEL_WARN, "core",
                "%s; without this reserve nothing can be deleted once the disk is full", why.text);
    }
    if (t->reserve.is_held)
        complaint_clear(&t->no_reserve, now, "core", "the reserve of disk space is there");
    if (t->reserve.is_held && !is_database_full(t)) /* there is room again */
        t->rest_until_mono_ms = 0;
    if (t->is_disk_full)
        return "the disk is full";
    return is_database_full(t)                        ? "the database is at its limit"
           : t->outbox_bytes >= t->outbox_limit_bytes ? "the outbox is at its limit"
                                                      : NULL;
}

static void complain_of_obstacle(struct turn *t, const char *obstacle)
{
    if (t->is_disk_full) {
        complain(&t->storage, t->clock->mono_ms(), LOG_LEVEL_ERROR, "core",
            "the disk is full: nothing is acknowledged; make room, and with %lld MiB free it goes on by "
            "itself",
            (long long)(reserve_needs_bytes(&t->reserve) >> 20));
        return;
    }
    bool is_database = is_database_full(t);
    int64_t limit = is_database ? t->limit_bytes : t->outbox_limit_bytes;
    complain(&t->storage, t->clock->mono_ms(), LOG_LEVEL_ERROR, "core",
        "%s of %lld MiB: nothing is acknowledged; %s%s", obstacle, (long long)(limit >> 20),
        is_database ? "raise database.limit, or lower database.evidence_days or audit_years"
                    : "see why the store does not take what waits for it, or raise store.outbox_limit",
        is_database && t->settled < t->journal_end ? ", and see why the store does not take what waits for it"
                                                   : "");
}

static enum status take_messages(struct turn *t, struct group *g, bool accepts, struct error *err)
{
    size_t bytes = 0;
    if (!accepts)
        forget_held(t);
    enum status status = t->held != NULL ? take_batch(t, g, t->held, err) : ST_OK;
    tell_discarded(t);
    /* From here, so that a slow search leaves the others their time. */
    int64_t until = t->clock->mono_ms() + GROUP_MS;
    struct inbox_message *m;
    while (status == ST_OK && bytes < GROUP_BYTES && g->receive.counters.readings < GROUP_LINES &&
           t->clock->mono_ms() < until && (m = inbox_take(t->inbox)) != NULL) {
        bytes += m->len;
        status = take_message(t, g, m, accepts, err);
    }
    return status;
}

static enum status take_result(struct turn *t, struct group *g, struct error *err)
{
    if (!t->has_result && t->store != NULL)
        t->has_result = store_take_result(t->store, &t->result);
    if (!t->has_result)
        return ST_OK;
    g->is_changed = true;
    int64_t omitted;
    enum status status = record_result(t->db, &t->result, t->clock->wall_ms(), &omitted, err);
    g->receive.counters.quarantined += (int64_t)t->result.reject_count;
    g->receive.counters.quarantine_omitted += omitted;
    return status;
}

static enum status save_points(struct turn *t, struct group *g, struct error *err)
{
    int64_t now = t->clock->mono_ms();
    bool is_level = t->known.changed_count == 0 && t->known.saved >= t->journal_end;
    if (is_level || now < t->points_due_mono_ms)
        return ST_OK;
    t->points_due_mono_ms = now + POINTS_MS;
    g->is_changed = true;
    return known_save(&t->known, t->db, err);
}

/* At the database's limit half of what is spare is for what must be written all the same. */
static bool is_short_of_room(const struct turn *t)
{
    return t->is_disk_full || db_used_bytes(t->db) > t->limit_bytes - spare_bytes(t) / 2;
}

static bool has_room(const struct turn *t)
{
    return !t->is_careful && !is_short_of_room(t);
}

/* What is folded may be pruned, so at the limit it goes on. */
static bool has_room_for_books(const struct turn *t)
{
    return has_room(t) && t->outbox_bytes < t->outbox_limit_bytes;
}

/* Posting again must not fill what new rows need. */
static bool has_room_for_repost(const struct turn *t)
{
    return has_room_for_books(t) && t->outbox_bytes < t->outbox_limit_bytes / 4;
}

static enum status keep_books(struct turn *t, struct group *g, struct error *err)
{
    if (has_room_for_books(t)) {
        enum status status = bookkeeper_step(&t->bookkeeper, t->clock, &g->is_changed, err);
        if (status == ST_OK)
            status = calendar_desk_step(&t->calendars, &g->is_changed, err);
        if (status == ST_OK)
            status = thermometer_step(&t->thermometer, t->clock, &g->is_changed, err);
        if (status == ST_OK && !t->is_model_unrecorded)
            status = watch_step(&t->watch, t->clock, &g->is_changed, err);
        return status == ST_OK ? spaces_step(&t->spaces, t->clock, &g->is_changed, err) : status;
    }
    bookkeeper_rest(&t->bookkeeper, t->clock);
    thermometer_rest(&t->thermometer, t->clock);
    watch_pause(&t->watch, t->clock);
    spaces_rest(&t->spaces, t->clock);
    return ST_OK;
}

/* Whatever has room or not, answers age. */
static enum status make_board(struct turn *t, struct group *g, bool accepts, struct error *err)
{
    struct board_making now = {.clock = t->clock,
        .watch = &t->watch,
        .calendars = &t->calendars,
        .is_clock_right = t->clock->is_synchronised() && !turn_is_clock_behind(t),
        .may_write = accepts && !t->is_careful,
        .is_touched = g->is_changed};
    return board_maker_step(&t->board, &now, &g->is_changed, err);
}

static enum status watch_alarms(struct turn *t, struct group *g, struct error *err)
{
    bool is_synchronised = t->clock->is_synchronised();
    presence_look(&t->presence, t->clock->wall_ms());
    struct alarm_desk_now now = {.clock = t->clock,
        .may_write = !t->is_careful, /* little, and that the disk is full is what is to be told */
        .has_room = !is_short_of_room(t),
        .sources = {.db = t->db,
            .known = &t->known,
            .presence = &t->presence,
            .board = &t->board,
            .now_ms = t->clock->wall_ms(),
            .taking_since_ms = t->taking_since_ms,
            .is_clock_right = is_synchronised && !turn_is_clock_behind(t),
            .is_clock_synchronised = is_synchronised,
            .database_path = t->database_path,
            .database_bytes = db_used_bytes(t->db),
            .database_full_bytes = full_bytes(t),
            .outbox_bytes = t->outbox_bytes,
            .outbox_limit_bytes = t->outbox_limit_bytes}};
    return alarm_desk_step(&t->alarms, &now, &g->is_changed, err);
}

static int64_t lower_of(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* When what is behind the journal's end goes on; INT64_MAX = nothing is. */
static int64_t due_of(const struct turn *t, int64_t position, int64_t due_mono_ms)
{
    return position < t->journal_end ? due_mono_ms : INT64_MAX;
}

int64_t turn_due_mono_ms(const struct turn *t)
{
    const struct follower *temperatures = &t->thermometer.follower, *watch = &t->watch.follower,
                          *spaces = &t->spaces.follower;
    int64_t due = due_of(t, t->bookkeeper.position, t->bookkeeper.due_mono_ms);
    due = lower_of(due, due_of(t, temperatures->position, temperatures->due_mono_ms));
    due = lower_of(due, due_of(t, watch->position, watch->due_mono_ms));
    due = lower_of(due, t->spaces.has_more || t->spaces.has_more_to_prune
                            ? spaces->due_mono_ms
                            : due_of(t, spaces->position, spaces->due_mono_ms));
    due = lower_of(due, board_maker_due_mono_ms(&t->board));
    return lower_of(due, timesheet_due_mono_ms(&t->timesheet));
}

bool turn_is_clock_behind(const struct turn *t)
{
    return t->clock->wall_ms() < t->received_ms;
}

static enum status fill(struct turn *t, struct group *g, struct error *err)
{
    presence_look(&t->presence, t->clock->wall_ms());
    enum status status = outbox_bytes(t->db, &t->outbox_bytes, err);
    if (status != ST_OK)
        return status;
    const char *obstacle = find_obstacle(t);
    bool accepts = obstacle == NULL, is_clock_right = t->clock->is_synchronised();
    g->receive.is_clock_doubtful = !is_clock_right || turn_is_clock_behind(t);
    if (!accepts)
        complain_of_obstacle(t, obstacle);
    if (!t->is_commit_failing || !accepts) {
        g->resumes = accepts && !t->show.is_accepting;
        show_accepting(&t->show, accepts, obstacle);
    }
    if (!accepts || t->is_commit_failing)
        t->taking_since_ms = 0;
    else if (t->taking_since_ms == 0)
        t->taking_since_ms = t->clock->wall_ms();
    g->is_at_rest = is_at_rest(t);
    /* After a failure only what makes room: were it for want of it, the next batch would fail again. */
    if (!t->is_careful || g->is_at_rest)
        status = take_messages(t, g, accepts, err);
    if (status == ST_OK && !g->is_at_rest)
        status = take_result(t, g, err);
    /* At a limit no more is derived: the outbox must not take the room that settling the journal needs. Nor
     * has a row a place in time that nobody knows. */
    if (status == ST_OK && accepts && is_clock_right)
        status = minute_write(
            &t->minute, t->db, &t->known, &t->presence, t->clock->wall_ms(), &g->is_changed, err);
    /* The journal has them: where there may be no room, this waits. */
    if (status == ST_OK && accepts && !t->is_careful)
        status = save_points(t, g, err);
    if (status == ST_OK && accepts && !t->is_careful && t->model != NULL)
        status = energy_model_follow(t->db, t->model, &g->is_changed, err);
    if (status == ST_OK)
        status = keep_books(t, g, err);
    if (status == ST_OK)
        status = make_board(t, g, accepts, err);
    if (status == ST_OK && accepts && is_clock_right && has_room_for_repost(t))
        status = repost_rows_step(t->db, t->clock->wall_ms(), &g->is_changed, err);
    if (status == ST_OK && accepts && !g->receive.is_clock_doubtful && has_room_for_books(t))
        status = timesheet_step(&t->timesheet, t->clock, &g->is_changed, err);
    else
        timesheet_rest(&t->timesheet, t->clock);
    if (status == ST_OK)
        status = watch_alarms(t, g, err);
    int64_t taken = lower_of(t->bookkeeper.position, t->thermometer.follower.position);
    taken = lower_of(taken, t->watch.follower.position);
    taken = lower_of(taken, t->spaces.follower.position);
    int64_t done = lower_of(lower_of(t->settled, t->known.saved), taken);
    if (status == ST_OK && !g->is_at_rest)
        status = prune_step(&t->prune, t->db, done, t->clock, &g->is_changed, err);
    return status;
}

static enum status commit(struct turn *t, struct group *g, struct error *err)
{
    enum status status = db_begin(t->db, err);
    if (status != ST_OK)
        return status;
    status = fill(t, g, err);
    if (status != ST_OK || !g->is_changed) {
        db_rollback(t->db);
        return status;
    }
    return db_commit(t->db, err);
}

static enum status load(struct turn *t, struct error *err)
{
    timesheet_reset(&t->timesheet);
    enum status status = known_load(&t->known, t->db, err);
    if (status != ST_OK)
        return status;
    if ((status = cursor_read(t->db, "raw", &t->settled, err)) != ST_OK)
        return status;
    if ((status = bookkeeper_reset(&t->bookkeeper, err)) != ST_OK ||
        (status = thermometer_reset(&t->thermometer, err)) != ST_OK ||
        (status = calendar_desk_reset(&t->calendars, err)) != ST_OK ||
        (status = watch_reset(&t->watch, err)) != ST_OK || (status = spaces_reset(&t->spaces, err)) != ST_OK)
        return status;
    return journal_newest(t->db, &t->journal_end, &t->received_ms, err);
}

static bool give_up_reserve(struct turn *t)
{
    t->is_disk_full = true;
    if (!reserve_give_up(&t->reserve))
        return false;
    t->reserve_due_mono_ms = t->clock->mono_ms() + RESERVE_MS;
    return true;
}

/* D7: after a failure memory is what the disk says. */
static enum status reload(struct turn *t, enum status status, struct error *err)
{
    if (status == ST_FULL && (!give_up_reserve(t) || t->is_careful))
        t->rest_until_mono_ms = t->clock->mono_ms() + ROOM_MS;
    complain(&t->storage, t->clock->mono_ms(), LOG_LEVEL_ERROR, "core",
        "%s; nothing of this group is acknowledged, its senders send it again", err->text);
    t->is_commit_failing = t->is_careful = true;
    show_accepting(&t->show, false, err->text);
    t->show.counters.commit_failures++;
    forget_held(t);
    known_release(&t->known);
    minute_reset(&t->minute);
    prune_reset(&t->prune);
    board_maker_reset(&t->board);
    alarm_desk_reset(&t->alarms);
    struct error why;
    if (status != ST_STORAGE && load(t, &why) != ST_OK) {
        *err = why;
        return ST_STORAGE;
    }
    return status;
}

static enum status tell(struct turn *t, struct group *g, struct error *err)
{
    for (size_t i = 0; i < g->answer_count; i++)
        acks_note(&t->acks, g->answers[i].gateway, &g->answers[i].ack);
    if (t->has_result) {
        if (t->result.reject_count > 0)
            complain(&t->rejects, t->clock->mono_ms(), LOG_LEVEL_WARN, "store",
                "%zu lines that the store refuses are quarantined: see /api/v1/quarantine",
                t->result.reject_count);
        t->settled = t->result.raw_position;
        store_result_release(&t->result);
        t->has_result = false;
    }
    bookkeeper_committed(&t->bookkeeper);
    if (calendar_desk_committed(&t->calendars))
        inbox_wake(t->inbox);
    show_count(&t->show, &g->receive.counters);
    t->is_commit_failing = false;
    if (t->show.is_accepting)
        complaint_clear(&t->storage, t->clock->mono_ms(), "core", "the database takes batches again");
    if (!g->receive.is_clock_doubtful)
        complaint_clear(&t->untimely, t->clock->mono_ms(), "intake", "the clock can be right");
    if (t->store != NULL)
        store_wake(t->store);
    return journal_newest(t->db, &t->journal_end, &t->received_ms, err) == ST_OK ? ST_OK : ST_STORAGE;
}

enum status turn_run(struct turn *t, bool *ret_is_changed, struct error *err)
{
    struct group g = {.receive = {.db = t->db, .known = &t->known}};
    enum status status = commit(t, &g, err);
    if (status != ST_OK) {
        status = reload(t, status, err);
    } else {
        t->is_careful = t->is_careful && g.is_at_rest;
        if (g.resumes)
            acks_note_all(&t->acks, &t->known);
        if (g.is_changed)
            status = tell(t, &g, err);
        board_maker_show(&t->board);
        if (status == ST_OK)
            alarm_desk_show(&t->alarms);
        t->show.counters.alarm_messages_taken = t->alarms.post.taken;
        t->show.counters.alarm_messages_failed = t->alarms.post.failed;
        t->show.counters.alarm_messages_unnoted =
            alarm_results_unnoted(&t->alarms.post.results, t->clock->wall_ms());
        t->show.counters.alarm_rules = t->alarms.rules != NULL ? (int64_t)t->alarms.rules->rules.count : 0;
    }
    *ret_is_changed = g.is_changed;
    free(g.answers);
    return status;
}

/* Opening may write, and needs room for the files beside it: on a full disk that is what the reserve is for. */
static enum status open_database(struct turn *t, const char *path, struct error *err)
{
    struct error why;
    enum status status = db_open_own(path, COLLECTOR_APPLICATION_ID, &collector_schema, &t->db, &why);
    if (status == ST_FULL && give_up_reserve(t))
        status = db_open_own(path, COLLECTOR_APPLICATION_ID, &collector_schema, &t->db, &why);
    return status == ST_OK ? ST_OK : error_set(err, status, "%s", why.text);
}

enum status turn_open(struct turn *t, const struct collector_settings *settings, const struct park *park,
    const struct clock *clock, struct error *err)
{
    const struct database_settings *database = &settings->database;
    *t = (struct turn){.clock = clock,
        .database_path = database->path,
        .limit_bytes = database->limit_mib << 20,
        .outbox_limit_bytes = collector_settings_outbox_limit(settings)};
    reserve_init(&t->reserve, database->path, RESERVE_BYTES);
    enum status status = open_database(t, database->path, err);
    if (status != ST_OK) {
        reserve_release(&t->reserve);
        return status;
    }
    db_cache_kib(t->db, CACHE_KIB);
    db_limit_bytes(t->db, t->limit_bytes);
    t->inbox = inbox_create();
    show_init(&t->show);
    minute_init(&t->minute, park, clock->wall_ms());
    prune_init(&t->prune, database);
    bookkeeper_init(&t->bookkeeper, t->db, park);
    thermometer_init(&t->thermometer, t->db, park);
    calendar_desk_init(&t->calendars, t->db, clock, park);
    watch_init(&t->watch, t->db, park);
    board_maker_init(&t->board, t->db);
    timesheet_init(&t->timesheet, t->db, park);
    spaces_init(&t->spaces, t->db, park);
    alarm_desk_init(&t->alarms, t->db, settings->id);
    t->alarms.are_runs_stale = !t->reserve.is_held; /* an earlier run had no room, and could not say so */
    t->alarms.post.link = alarm_post_link(settings->http.name, settings->http.port, settings->http.is_https);
    status = load(t, err);
    if (status != ST_OK)
        turn_close(t);
    return status;
}

void turn_use(struct turn *t, const struct model *model)
{
    t->model = model;
    t->minute.park = model->park;
    bookkeeper_use(&t->bookkeeper, model->park, &model->rates);
    thermometer_use(&t->thermometer, model->park);
    calendar_desk_use(&t->calendars, model->park);
    watch_use(&t->watch, model->park);
    board_maker_use(&t->board, model);
    timesheet_use(&t->timesheet, model->park);
    spaces_use(&t->spaces, model->park);
    alarm_desk_use(&t->alarms, model->park);
    show_touch(&t->show);
}

void turn_close(struct turn *t)
{
    inbox_destroy(t->inbox);
    acks_release(&t->acks);
    if (t->has_result)
        store_result_release(&t->result);
    forget_held(t);
    presence_release(&t->presence);
    troubles_release(&t->troubles);
    known_release(&t->known);
    reserve_release(&t->reserve);
    bookkeeper_release(&t->bookkeeper);
    thermometer_release(&t->thermometer);
    calendar_desk_release(&t->calendars);
    watch_release(&t->watch);
    board_maker_release(&t->board);
    timesheet_release(&t->timesheet);
    spaces_release(&t->spaces);
    alarm_desk_release(&t->alarms);
    db_close(t->db);
    *t = (struct turn){0};
}

/* What a person asks for goes into the books like what a meter says. */
static enum status check_books(struct turn *t, struct error *err)
{
    if (has_room_for_books(t) && t->clock->is_synchronised())
        return ST_OK;
    return error_set(
        err, ST_UNREACHABLE, "the collector writes nothing into the books now; see /readyz, and try again");
}

static enum status settle_asked(struct turn *t, enum status status, struct error *err)
{
    if (status == ST_OK && t->store != NULL)
        store_wake(t->store);
    t->board.is_touched = true;
    return status == ST_OK || status == ST_INVALID || status == ST_UNREACHABLE ? status
                                                                               : reload(t, status, err);
}

enum status turn_decide(
    struct turn *t, const struct deciding *request, struct deciding_effect *ret, struct error *err)
{
    *ret = (struct deciding_effect){0};
    if (check_books(t, err) != ST_OK)
        return ST_UNREACHABLE;
    return settle_asked(t, deciding_run(&t->bookkeeper, t->clock, request, ret, err), err);
}

enum status turn_close_month(
    struct turn *t, const struct close_month *request, struct close_month_result *ret, struct error *err)
{
    *ret = (struct close_month_result){0};
    if (check_books(t, err) != ST_OK)
        return ST_UNREACHABLE;
    return settle_asked(t, close_month_run(&t->bookkeeper, t->clock, request, ret, err), err);
}

enum status turn_count_people(struct turn *t, const struct person_count *request, struct error *err)
{
    if (check_books(t, err) != ST_OK)
        return ST_UNREACHABLE;
    return settle_asked(t, counting_run(&t->spaces, request, err), err);
}

enum status turn_outage(
    struct turn *t, const struct outaging *request, struct outaging_result *ret, struct error *err)
{
    *ret = (struct outaging_result){0};
    if (check_books(t, err) != ST_OK)
        return ST_UNREACHABLE;
    enum status status = outaging_run(t->db, t->model->park, t->clock->wall_ms(), request, ret, err);
    if (status == ST_OK && ret->outage.target_kind == OUTAGE_RESOURCE &&
        (status = watch_reset(&t->watch, err)) != ST_OK) /* it may be there again */
        outaging_result_release(ret);
    return settle_asked(t, status, err);
}

enum status turn_confirm_calendar(
    struct turn *t, const struct calendar_confirming *request, struct error *err)
{
    if (check_books(t, err) != ST_OK)
        return ST_UNREACHABLE;
    return settle_asked(t, calendar_desk_confirm(&t->calendars, request, err), err);
}

enum status turn_tell(
    struct turn *t, const struct telling *request, struct telling_result *ret, struct error *err)
{
    *ret = (struct telling_result){0};
    if (check_books(t, err) != ST_OK)
        return ST_UNREACHABLE;
    return settle_asked(t, telling_run(&t->watch, t->clock, request, ret, err), err);
}

enum status turn_tell_resource(
    struct turn *t, const struct telling_resource *request, struct told_resource *ret, struct error *err)
{
    *ret = (struct told_resource){0};
    if (check_books(t, err) != ST_OK)
        return ST_UNREACHABLE;
    return settle_asked(t, telling_resource_run(&t->watch, t->clock, request, ret, err), err);
}

enum status turn_ack_alarm(
    struct turn *t, const struct alarming *request, struct alarm *ret, struct error *err)
{
    *ret = (struct alarm){0};
    if (!has_room(t))
        return error_set(err, ST_UNREACHABLE, "the collector writes nothing now; see /readyz, and try again");
    return settle_asked(t, alarming_run(t->db, t->clock->wall_ms(), request, ret, err), err);
}
