#include "collector/core.h"

#include "collector/intake/acks.h"
#include "collector/intake/inbox.h"
#include "collector/intake/journal.h"
#include "collector/intake/receive.h"
#include "collector/live/presence.h"
#include "collector/live/show.h"
#include "collector/minute.h"
#include "collector/schema.h"
#include "collector/store/outbox.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/mqtt.h"
#include "lib/program.h"
#include "lib/thread.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GROUP_MS 50
#define GROUP_LINES 20000
#define GROUP_BYTES (4 * 1024 * 1024)
#define TURN_MS 1000 /* the longest rest: heartbeat, minute rows */
#define CACHE_KIB 8192
#define PRUNE_ROWS 500   /* per turn */
#define VACUUM_PAGES 256 /* given back to the disk after pruning */
#define PRUNE_MS 10000
#define PRUNE_MORE_MS 100 /* while there is more to delete: faster than gateways can fill */
/* Kept free below the limit for one group, and for what must be written when batches are not taken any more:
 * marks of the store, refusals of lines. */
#define RESERVE_BYTES (8 * 1024 * 1024)
#define RETRY_MS 1000 /* after a failed commit */
#define DAY_MS (INT64_C(24) * 3600 * 1000)

struct core {
    struct core_options options;
    const struct clock *clock;
    struct db *db;
    struct known known;
    struct inbox *inbox;
    struct mqtt *mqtt;
    struct acks acks;
    struct presence presence;
    struct show show;
    struct minute minute;
    struct store *store;
    struct store_result result; /* taken from the store, kept until it is committed */
    bool has_result;
    uint64_t session;
    int64_t journal_end;
    int64_t settled; /* journal id that the store has */
    int64_t limit_bytes, outbox_limit_bytes;
    int64_t outbox_bytes; /* as committed last, or as the transaction that runs began with */
    int64_t prune_due_mono_ms;
    struct complaint storage, state, losses, quarantine, strangers;
    int64_t turned_away; /* messages of gateways beyond the limit */
    /* A batch whose search for what it repeats goes on in the next transaction, and that search. Nothing else
     * of its gateway is taken meanwhile: it comes again. */
    struct inbox_message *held;
    struct late search;
    pthread_t thread;
    atomic_bool is_stopping;
    _Atomic int64_t heartbeat_mono_ms;
    int64_t gather_until_mono_ms;
    bool is_commit_failing; /* until one succeeds that wrote something */
    bool has_failed;
    struct error failure;
};

/* What one transaction takes in, and what is said after it. */
struct group {
    struct receive receive;
    struct group_answer {
        char gateway[ID_MAX + 1];
        struct ack ack;
    } * answers;
    size_t answer_count, answer_capacity;
    bool is_changed; /* there is something to commit */
};

static void on_message(void *user_data, const struct mqtt_message *message)
{
    struct core *c = user_data;
    inbox_put(c->inbox, message, c->clock->wall_ms());
}

static void on_event(void *user_data)
{
    core_wake(user_data);
}

static void fail(struct core *c, const struct error *err)
{
    c->has_failed = true;
    c->failure = *err;
    program_ask_to_end();
}

/* ---- one transaction ---- */

static bool is_database_full(const struct core *c)
{
    int64_t part = c->limit_bytes / 20, reserve = part > RESERVE_BYTES ? part : RESERVE_BYTES;
    return db_used_bytes(c->db) > c->limit_bytes - reserve;
}

/* Which limit is reached, in the words of a reason; NULL = none. */
static const char *full_text(const struct core *c)
{
    return is_database_full(c)                        ? "the database is at its limit"
           : c->outbox_bytes >= c->outbox_limit_bytes ? "the outbox is at its limit"
                                                      : NULL;
}

static void complain_full(struct core *c)
{
    bool is_database = is_database_full(c);
    int64_t limit = is_database ? c->limit_bytes : c->outbox_limit_bytes;
    complain(&c->storage, c->clock->mono_ms(), LOG_LEVEL_ERROR, "core",
        "%s of %lld MiB: nothing is acknowledged; %s%s", full_text(c), (long long)(limit >> 20),
        is_database ? "raise database.limit, or lower database.evidence_days"
                    : "see why the store does not take what waits for it, or raise store.outbox_limit",
        is_database && c->settled < c->journal_end ? ", and see why the store does not take what waits for it"
                                                   : "");
}

static void forget_held(struct core *c)
{
    free(c->held);
    c->held = NULL;
    late_release(&c->search);
}

/* Memory, disk and rows are bounded whatever names come: one that is known goes on. */
static bool is_welcome(struct core *c, const char *gateway)
{
    return known_gateway_find(&c->known, span_of(gateway)) != NULL ||
           presence_find(&c->presence, gateway) != NULL ||
           (c->known.gateways.count < KNOWN_GATEWAYS_MAX && c->presence.count < KNOWN_GATEWAYS_MAX);
}

static void turn_away(struct core *c)
{
    c->turned_away++;
    complain(&c->strangers, c->clock->mono_ms(), LOG_LEVEL_ERROR, "intake",
        "more than %d gateways: %lld messages of others were turned away, unanswered; let only your gateways "
        "publish at the broker (see its ACL)",
        KNOWN_GATEWAYS_MAX, (long long)c->turned_away);
}

/* Takes the message's memory. */
static enum status take_batch(struct core *c, struct group *g, struct inbox_message *m, struct error *err)
{
    struct late other = {0};
    struct late *search = c->held == NULL || m == c->held ? &c->search : &other;
    g->receive.search = search;
    g->receive.search_bytes = RECEIVE_SEARCH_BYTES;
    struct receive_answer answer;
    enum status status = receive_batch(&g->receive, m, &answer, err);
    g->is_changed = true;
    if (status == ST_OK && answer.is_turned_away)
        turn_away(c);
    if (status == ST_OK && answer.has_ack) {
        MEM_GROW(g->answers, g->answer_count, g->answer_capacity);
        struct group_answer *a = &g->answers[g->answer_count++];
        memcpy(a->gateway, m->gateway, sizeof a->gateway);
        a->ack = answer.ack;
    }
    if (status == ST_OK && answer.is_unfinished && search == &c->search) {
        c->held = m;
        return ST_OK;
    }
    if (m == c->held)
        c->held = NULL;
    late_release(search);
    free(m);
    return status;
}

static void take_state(struct core *c, const struct inbox_message *m)
{
    struct error why;
    if (presence_state(&c->presence, m->gateway, (struct span){m->payload, m->len}, m->received_ms, &why) !=
        ST_OK)
        complain(&c->state, c->clock->mono_ms(), LOG_LEVEL_WARN, "intake", "%s; ignored", why.text);
    show_touch(&c->show);
}

/* Takes the message's memory. */
static enum status take_message(
    struct core *c, struct group *g, struct inbox_message *m, bool accepts, struct error *err)
{
    /* An `up` that is retained is nobody's; a `state` that is retained proves no life. */
    if (!m->is_retained && !is_welcome(c, m->gateway)) {
        turn_away(c);
    } else if (!m->is_retained && m->topic == INBOX_UP) {
        presence_hear(&c->presence, m->gateway, m->received_ms);
        show_touch(&c->show);
        bool is_behind_held = c->held != NULL && strcmp(c->held->gateway, m->gateway) == 0;
        if (accepts && !is_behind_held)
            return take_batch(c, g, m, err);
    } else if (!m->is_retained) {
        take_state(c, m);
    }
    free(m);
    return ST_OK;
}

static enum status take_messages(struct core *c, struct group *g, bool accepts, struct error *err)
{
    if (!accepts)
        complain_full(c);
    if (!c->is_commit_failing)
        show_accepting(&c->show, accepts, full_text(c));
    int64_t until = c->clock->mono_ms() + GROUP_MS;
    size_t bytes = 0;
    if (!accepts)
        forget_held(c);
    enum status status = c->held != NULL ? take_batch(c, g, c->held, err) : ST_OK;
    struct inbox_message *m;
    while (status == ST_OK && bytes < GROUP_BYTES && g->receive.counters.readings < GROUP_LINES &&
           c->clock->mono_ms() < until && (m = inbox_take(c->inbox)) != NULL) {
        bytes += m->len;
        status = take_message(c, g, m, accepts, err);
    }
    return status;
}

static enum status record_result(struct core *c, struct group *g, struct error *err)
{
    if (!c->has_result)
        c->has_result = store_take_result(c->store, &c->result);
    if (!c->has_result)
        return ST_OK;
    g->is_changed = true;
    struct db_stmt *cursor = db_keep(c->db, "UPDATE cursor SET position = ? WHERE name = 'raw'");
    db_bind_int(cursor, 1, c->result.raw_position);
    enum status status = db_run(cursor, err);
    struct db_stmt *done = db_keep(c->db, "DELETE FROM outbox WHERE id <= ?");
    db_bind_int(done, 1, c->result.outbox_position);
    if (status == ST_OK)
        status = db_run(done, err);
    for (size_t i = 0; i < c->result.reject_count && status == ST_OK; i++) {
        const struct store_reject *reject = &c->result.rejects[i];
        bool is_kept = true;
        status = journal_reject(c->db, reject->journal, reject->line, reject->reason,
            span_of(reject->content), c->clock->wall_ms(), &is_kept, err);
        g->receive.counters.quarantined++;
        g->receive.counters.quarantine_omitted += !is_kept;
    }
    return status;
}

static enum status prune(struct core *c, struct group *g, struct error *err)
{
    int64_t now = c->clock->mono_ms();
    if (now < c->prune_due_mono_ms)
        return ST_OK;
    int64_t deleted;
    int64_t before_ms = c->clock->wall_ms() - c->options.settings->database.evidence_days * DAY_MS;
    enum status status = journal_prune(c->db, before_ms, c->settled, PRUNE_ROWS, &deleted, err);
    if (status == ST_OK && deleted > 0)
        status = db_vacuum_some(c->db, VACUUM_PAGES, err);
    c->prune_due_mono_ms = now + (status == ST_OK && deleted == PRUNE_ROWS ? PRUNE_MORE_MS : PRUNE_MS);
    g->is_changed = g->is_changed || (status == ST_OK && deleted > 0);
    return status;
}

static enum status fill(struct core *c, struct group *g, struct error *err)
{
    enum status status = outbox_bytes(c->db, &c->outbox_bytes, err);
    if (status != ST_OK)
        return status;
    bool accepts = full_text(c) == NULL;
    status = take_messages(c, g, accepts, err);
    if (status == ST_OK)
        status = record_result(c, g, err);
    /* At the limit no more is derived: the outbox must not take the room that settling the journal needs. */
    if (status == ST_OK && accepts)
        status = minute_write(
            &c->minute, c->db, &c->known, &c->presence, c->clock->wall_ms(), &g->is_changed, err);
    if (status == ST_OK)
        status = prune(c, g, err);
    return status == ST_OK ? known_save(&c->known, c->db, err) : status;
}

static enum status commit(struct core *c, struct group *g, struct error *err)
{
    enum status status = db_begin(c->db, err);
    if (status != ST_OK)
        return status;
    status = fill(c, g, err);
    if (status != ST_OK || !g->is_changed) {
        db_rollback(c->db);
        return status;
    }
    return db_commit(c->db, err);
}

/* D7: after a failure memory is what the disk says. */
static void reload(struct core *c, const struct error *why, enum status status)
{
    struct error err;
    complain(&c->storage, c->clock->mono_ms(), LOG_LEVEL_ERROR, "core",
        "%s; nothing of this group is acknowledged, its senders send it again", why->text);
    c->is_commit_failing = true;
    show_accepting(&c->show, false, why->text);
    c->show.counters.commit_failures++;
    forget_held(c);
    known_release(&c->known);
    minute_reset(&c->minute);
    if (status == ST_STORAGE)
        fail(c, why);
    else if (known_load(&c->known, c->db, &err) != ST_OK)
        fail(c, &err);
}

/* What people should look at is said in the log too, with back-off: a healthy park says nothing. */
static void complain_of(struct core *c, const struct snapshot_counters *counters)
{
    int64_t now = c->clock->mono_ms();
    if (counters->losses > 0)
        complain(&c->losses, now, LOG_LEVEL_WARN, "intake", "%lld losses recorded: see /api/v1/losses",
            (long long)counters->losses);
    if (counters->quarantined > 0)
        complain(&c->quarantine, now, LOG_LEVEL_WARN, "intake",
            "%lld lines or payloads quarantined, %lld of them with an unreadable header: see "
            "/api/v1/quarantine",
            (long long)counters->quarantined, (long long)counters->unreadable);
}

static void tell(struct core *c, struct group *g)
{
    complain_of(c, &g->receive.counters);
    for (size_t i = 0; i < g->answer_count; i++)
        acks_note(&c->acks, g->answers[i].gateway, &g->answers[i].ack);
    if (c->has_result) {
        c->settled = c->result.raw_position;
        store_result_release(&c->result);
        c->has_result = false;
    }
    struct error err;
    if (journal_newest(c->db, &c->journal_end, &err) != ST_OK)
        fail(c, &err);
    show_count(&c->show, &g->receive.counters);
    c->is_commit_failing = false;
    if (c->show.is_accepting)
        complaint_clear(&c->storage, c->clock->mono_ms(), "core", "the database takes batches again");
    store_wake(c->store);
}

static bool turn(struct core *c)
{
    struct group g = {.receive = {.db = c->db, .known = &c->known}};
    struct error err;
    int64_t begin_mono_ms = c->clock->mono_ms();
    enum status status = commit(c, &g, &err);
    if (status != ST_OK)
        reload(c, &err, status);
    else if (g.is_changed)
        tell(c, &g);
    /* One commit costs the same for one batch as for many: under load at most one in GROUP_MS, at rest at
     * once. */
    c->gather_until_mono_ms = g.is_changed ? begin_mono_ms + GROUP_MS : 0;
    free(g.answers);
    return status == ST_OK;
}

/* ---- the thread ---- */

static int64_t talk(struct core *c)
{
    int64_t now = c->clock->mono_ms();
    int64_t due = mqtt_tick(c->mqtt, now);
    bool is_ready = mqtt_state(c->mqtt) == MQTT_READY;
    if (is_ready && mqtt_session(c->mqtt) != c->session) {
        c->session = mqtt_session(c->mqtt);
        acks_note_all(&c->acks, &c->known);
    }
    int64_t acks_due = acks_send(&c->acks, c->mqtt, now);
    return acks_due < due ? acks_due : due;
}

static int64_t show_now(struct core *c)
{
    struct show_source source = {.park = c->options.park,
        .known = &c->known,
        .presence = &c->presence,
        .now_ms = c->clock->wall_ms(),
        .is_broker_connected = mqtt_state(c->mqtt) == MQTT_READY,
        .journal_end = c->journal_end,
        .database_bytes = db_used_bytes(c->db),
        .database_limit_bytes = c->limit_bytes,
        .outbox_bytes = c->outbox_bytes,
        .outbox_limit_bytes = c->outbox_limit_bytes,
        .discarded_bytes = inbox_discarded_bytes(c->inbox)};
    return show_publish(&c->show, c->options.box, &source, c->clock->mono_ms());
}

static void *run(void *argument)
{
    struct core *c = argument;
    while (!atomic_load(&c->is_stopping) && !c->has_failed) {
        int64_t now = c->clock->mono_ms();
        atomic_store(&c->heartbeat_mono_ms, now);
        bool is_good = turn(c);
        int64_t due = talk(c), show_due = show_now(c);
        due = show_due < due ? show_due : due;
        due = due < now + TURN_MS ? due : now + TURN_MS;
        if (!is_good) { /* what arrives meanwhile waits in the inbox, up to its quotas */
            inbox_pause(c->inbox, now + RETRY_MS, SIZE_MAX);
            continue;
        }
        if (c->held == NULL)
            inbox_wait(c->inbox, due);
        inbox_pause(c->inbox, c->gather_until_mono_ms, GROUP_BYTES);
    }
    if (!c->has_failed && turn(c)) /* what had arrived, and what the store had still to say */
        talk(c);
    return NULL;
}

/* ---- life ---- */

static enum status load(struct core *c, struct error *err)
{
    enum status status = known_load(&c->known, c->db, err);
    if (status != ST_OK)
        return status;
    struct db_stmt *cursor = db_keep(c->db, "SELECT position FROM cursor WHERE name = 'raw'");
    bool has_row;
    if ((status = db_step(cursor, &has_row, err)) != ST_OK)
        return status;
    c->settled = has_row ? db_int(cursor, 0) : 0;
    db_reset(cursor);
    return journal_newest(c->db, &c->journal_end, err);
}

enum status core_create(const struct core_options *options, struct core **ret, struct error *err)
{
    const struct collector_settings *settings = options->settings;
    struct db *db;
    enum status status =
        db_open_own(settings->database.path, COLLECTOR_APPLICATION_ID, &collector_schema, &db, err);
    if (status != ST_OK)
        return status;
    struct core *c = mem_zalloc(sizeof *c);
    c->options = *options;
    c->clock = options->clock;
    c->db = db;
    c->limit_bytes = settings->database.limit_mib << 20;
    c->outbox_limit_bytes = collector_settings_outbox_limit(settings);
    db_cache_kib(db, CACHE_KIB);
    db_limit_bytes(db, c->limit_bytes);
    c->inbox = inbox_create();
    show_init(&c->show);
    minute_init(&c->minute, options->park, options->clock->wall_ms());
    char *client_id = mem_printf("park-collector-%s", settings->id);
    static const char *const subscriptions[] = {"park/v1/gw/+/up", "park/v1/gw/+/state", NULL};
    struct mqtt_options mqtt_options = {.host = settings->broker.host,
        .port = (int)settings->broker.port,
        .client_id = client_id,
        .user = settings->broker.user,
        .password = options->password,
        .keep_alive_s = (int)(settings->broker.keep_alive_ms / 1000),
        .retry_max_ms = (int)settings->broker.retry_max_ms,
        .subscriptions = subscriptions,
        .user_data = c,
        .on_message = on_message,
        .on_event = on_event};
    c->mqtt = mqtt_create(&mqtt_options);
    free(client_id);
    status = load(c, err);
    if (status != ST_OK) {
        core_destroy(c);
        return status;
    }
    *ret = c;
    return ST_OK;
}

void core_attach(struct core *c, struct store *store)
{
    c->store = store;
}

void core_start(struct core *c)
{
    atomic_store(&c->heartbeat_mono_ms, c->clock->mono_ms());
    thread_start(&c->thread, run, c);
}

void core_wake(struct core *c)
{
    inbox_wake(c->inbox);
}

enum status core_stop(struct core *c, struct error *err)
{
    atomic_store(&c->is_stopping, true);
    inbox_close(c->inbox);
    pthread_join(c->thread, NULL);
    return c->has_failed ? error_set(err, ST_STORAGE, "%s", c->failure.text) : ST_OK;
}

void core_destroy(struct core *c)
{
    if (c == NULL)
        return;
    mqtt_destroy(c->mqtt);
    inbox_destroy(c->inbox);
    acks_release(&c->acks);
    if (c->has_result)
        store_result_release(&c->result);
    forget_held(c);
    presence_release(&c->presence);
    known_release(&c->known);
    db_close(c->db);
    free(c);
}

int64_t core_heartbeat_mono_ms(void *core)
{
    return atomic_load(&((struct core *)core)->heartbeat_mono_ms);
}
