#include "collector/core.h"

#include "collector/asking.h"
#include "collector/board_topic.h"
#include "collector/live/health.h"
#include "collector/turn.h"
#include "lib/mem.h"
#include "lib/mqtt.h"
#include "lib/program.h"
#include "lib/thread.h"

#include <stdatomic.h>
#include <stdlib.h>

#define GATHER_MS 50
#define GATHER_BYTES (4 * 1024 * 1024)
#define TURN_MS 1000  /* the longest rest: heartbeat, minute rows */
#define RETRY_MS 1000 /* after a failed commit */

struct core {
    struct core_options options;
    const struct clock *clock;
    struct turn turn;
    struct mqtt *mqtt;
    uint64_t session;
    struct board_topic topic;
    pthread_t thread;
    atomic_bool is_stopping;
    _Atomic int64_t heartbeat_mono_ms;
    int64_t gather_until_mono_ms;
    bool has_failed;
    struct error failure;
    const struct model *model; /* in use */
    struct calendar_rounds *rounds;
    struct couriers *couriers;
    /* One that is to be recorded, and used then; at a start, which a full disk does not keep from working, it is in use
     * already. */
    struct acceptance next;
    struct complaint unrecorded;
    pthread_mutex_t offer_lock; /* around: */
    struct acceptance offered;
    struct alarm_rules *alarms; /* the same of alarms */
    bool has_alarms;
    struct asking asking;
};

static void on_message(void *user_data, const struct mqtt_message *message)
{
    struct core *c = user_data;
    inbox_put(c->turn.inbox, message, c->clock->wall_ms());
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

static bool turn(struct core *c)
{
    struct error err;
    int64_t begin_mono_ms = c->clock->mono_ms();
    bool is_changed;
    enum status status = turn_run(&c->turn, &is_changed, &err);
    if (status == ST_STORAGE) {
        fail(c, &err);
    }
    /* One commit costs the same for one batch as for many: under load at most one in GATHER_MS, at rest at
     * once. */
    c->gather_until_mono_ms = is_changed ? begin_mono_ms + GATHER_MS : 0;
    return status == ST_OK;
}

/* ---- the park model ---- */

static void use_model(struct core *c, const struct model *m)
{
    const struct model *before = c->model;
    c->model = model_get(m);
    turn_use(&c->turn, m);
    calendar_rounds_use(c->rounds, m->park);
    model_box_set(c->options.models, m);
    model_put(before);
}

/* Two reloads in a row: the second was judged before the first was recorded, against what is no longer the newest. */
static enum status judge_again(struct core *c, struct error *err)
{
    int64_t newest;
    enum status status = version_newest_number(c->turn.db, &newest, err);
    if (status != ST_OK || newest == c->next.base.number)
        return status;
    struct acceptance again;
    status = acceptance_judge(
        c->turn.db, c->options.settings->database.path, c->next.model, c->clock->wall_ms(), &again, err);
    if (status != ST_OK)
        return status;
    acceptance_release(&c->next);
    c->next = again;
    struct error why;
    if (acceptance_refusal(&c->next, &why) != ST_OK) {
        acceptance_log(&c->next);
        log_error("model", "%s", why.text);
        acceptance_release(&c->next);
    }
    return ST_OK;
}

/* On a full disk the version is written when there is room. */
static enum status record_next(struct core *c, struct error *err)
{
    int64_t now = c->clock->mono_ms();
    struct error why;
    enum status status = acceptance_record(&c->next, c->turn.db, c->clock->wall_ms(), &why);
    if (status == ST_OK) /* it is in use, or will be now */
        c->turn.is_model_unrecorded = false;
    else if (c->next.model == c->model) /* another one that waits too changes nothing of the one in use */
        c->turn.is_model_unrecorded = true;
    if (status == ST_FULL || status == ST_TIMEOUT) {
        complain(&c->unrecorded, now, LOG_LEVEL_WARN, "model", "%s; this version is written later", why.text);
        return ST_OK;
    }
    if (status != ST_OK)
        return error_set(err, status, "%s", why.text);
    complaint_clear(&c->unrecorded, now, "model", "the version is written");
    acceptance_log(&c->next);
    if (c->next.model != c->model)
        use_model(c, c->next.model);
    acceptance_release(&c->next);
    return ST_OK;
}

static enum status accept_first(struct core *c, struct error *err)
{
    enum status status = acceptance_judge(
        c->turn.db, c->options.settings->database.path, c->options.model, c->clock->wall_ms(), &c->next, err);
    if (status != ST_OK)
        return status;
    status = acceptance_refusal(&c->next, err);
    if (status != ST_OK) {
        acceptance_log(&c->next);
        return status;
    }
    use_model(c, c->options.model);
    return record_next(c, err);
}

void core_offer(struct core *c, struct acceptance *a)
{
    pthread_mutex_lock(&c->offer_lock);
    acceptance_release(&c->offered);
    c->offered = *a;
    pthread_mutex_unlock(&c->offer_lock);
    *a = (struct acceptance){0};
    core_wake(c);
}

void core_offer_alarms(struct core *c, struct alarm_rules *rules)
{
    pthread_mutex_lock(&c->offer_lock);
    struct alarm_rules *before = c->alarms;
    c->alarms = rules;
    c->has_alarms = true;
    pthread_mutex_unlock(&c->offer_lock);
    alarm_rules_destroy(before);
    core_wake(c);
}

static void settle_alarms(struct core *c)
{
    pthread_mutex_lock(&c->offer_lock);
    struct alarm_rules *rules = c->alarms;
    bool is_new = c->has_alarms;
    c->alarms = NULL;
    c->has_alarms = false;
    pthread_mutex_unlock(&c->offer_lock);
    if (is_new)
        alarm_desk_use_rules(&c->turn.alarms, rules);
}

/* Between two turns: nothing is under way. */
static void settle_model(struct core *c)
{
    pthread_mutex_lock(&c->offer_lock);
    struct acceptance offered = c->offered;
    c->offered = (struct acceptance){0};
    pthread_mutex_unlock(&c->offer_lock);
    if (offered.model != NULL) {
        acceptance_release(&c->next);
        c->next = offered;
    }
    struct error err;
    enum status status = c->next.model != NULL ? judge_again(c, &err) : ST_OK;
    if (status == ST_OK && c->next.model != NULL)
        status = record_next(c, &err);
    if (status != ST_OK)
        fail(c, &err);
}

/* ---- what persons ask for ---- */

#define ASKING_MS 10000 /* how long one waits for its place: as long as nobody wonders */

static enum status ask(struct core *c, const struct asking_question *question, struct error *err)
{
    return asking_ask(&c->asking, question, c->clock->mono_ms() + ASKING_MS, on_event, c, err);
}

static enum status run_decide(void *turn, const void *request, void *ret, struct error *err)
{
    return turn_decide(turn, request, ret, err);
}

enum status core_decide(
    void *core, const struct deciding *request, struct deciding_effect *ret, struct error *err)
{
    return ask(core, &(struct asking_question){run_decide, request, ret}, err);
}

static enum status run_close_month(void *turn, const void *request, void *ret, struct error *err)
{
    return turn_close_month(turn, request, ret, err);
}

enum status core_close_month(
    void *core, const struct close_month *request, struct close_month_result *ret, struct error *err)
{
    return ask(core, &(struct asking_question){run_close_month, request, ret}, err);
}

static enum status run_count(void *turn, const void *request, void *ret, struct error *err)
{
    (void)ret;
    return turn_count_people(turn, request, err);
}

enum status core_count_people(void *core, const struct person_count *request, struct error *err)
{
    return ask(core, &(struct asking_question){run_count, request, NULL}, err);
}

static enum status run_outage(void *turn, const void *request, void *ret, struct error *err)
{
    return turn_outage(turn, request, ret, err);
}

enum status core_outage(
    void *core, const struct outaging *request, struct outaging_result *ret, struct error *err)
{
    return ask(core, &(struct asking_question){run_outage, request, ret}, err);
}

static enum status run_confirm_calendar(void *turn, const void *request, void *ret, struct error *err)
{
    (void)ret;
    return turn_confirm_calendar(turn, request, err);
}

enum status core_confirm_calendar(void *core, const struct calendar_confirming *request, struct error *err)
{
    return ask(core, &(struct asking_question){run_confirm_calendar, request, NULL}, err);
}

static enum status run_tell(void *turn, const void *request, void *ret, struct error *err)
{
    return turn_tell(turn, request, ret, err);
}

enum status core_tell(
    void *core, const struct telling *request, struct telling_result *ret, struct error *err)
{
    return ask(core, &(struct asking_question){run_tell, request, ret}, err);
}

static enum status run_tell_resource(void *turn, const void *request, void *ret, struct error *err)
{
    return turn_tell_resource(turn, request, ret, err);
}

enum status core_tell_resource(
    void *core, const struct telling_resource *request, struct told_resource *ret, struct error *err)
{
    return ask(core, &(struct asking_question){run_tell_resource, request, ret}, err);
}

static enum status run_ack_alarm(void *turn, const void *request, void *ret, struct error *err)
{
    return turn_ack_alarm(turn, request, ret, err);
}

enum status core_ack_alarm(void *core, const struct alarming *request, struct alarm *ret, struct error *err)
{
    return ask(core, &(struct asking_question){run_ack_alarm, request, ret}, err);
}

static void answer_asked(struct core *c)
{
    struct error *err;
    const struct asking_question *question = asking_take(&c->asking, &err);
    if (question == NULL)
        return;
    enum status status = question->run(&c->turn, question->request, question->ret, err);
    if (status == ST_STORAGE)
        fail(c, err);
    asking_answer(&c->asking, status);
}

/* ---- the thread ---- */

static int64_t talk(struct core *c)
{
    int64_t now = c->clock->mono_ms();
    int64_t due = mqtt_tick(c->mqtt, now);
    bool is_ready = mqtt_state(c->mqtt) == MQTT_READY;
    if (!is_ready)
        c->turn.presence.listening_since_ms = 0;
    if (is_ready && mqtt_session(c->mqtt) != c->session) {
        c->session = mqtt_session(c->mqtt);
        c->turn.presence.listening_since_ms = c->clock->wall_ms();
        acks_note_all(&c->turn.acks, &c->turn.known);
    }
    int64_t acks_due = acks_send(&c->turn.acks, c->mqtt, now);
    for (char *left; (left = board_maker_left(&c->turn.board)) != NULL;)
        board_topic_remove(&c->topic, left);
    if (c->options.board != NULL)
        board_topic_send(&c->topic, c->mqtt, c->options.board, now);
    return acks_due < due ? acks_due : due;
}

static int64_t show_now(struct core *c)
{
    struct turn *t = &c->turn;
    struct show_source source = {.park = c->model->park,
        .model = c->model,
        .known = &t->known,
        .presence = &t->presence,
        .now_ms = c->clock->wall_ms(),
        .is_broker_connected = mqtt_state(c->mqtt) == MQTT_READY,
        .is_clock_synchronised = c->clock->is_synchronised(),
        .is_clock_behind = turn_is_clock_behind(t),
        .prune_behind_ms = t->prune.behind_ms,
        .journal_end = t->journal_end,
        .database_bytes = db_used_bytes(t->db),
        .database_limit_bytes = t->limit_bytes,
        .outbox_bytes = t->outbox_bytes,
        .outbox_limit_bytes = t->outbox_limit_bytes,
        .ledger_behind_ms = bookkeeper_behind_ms(&t->bookkeeper, t->journal_end, c->clock->mono_ms()),
        .ledger_aside = t->bookkeeper.aside_names,
        .receivers_deaf = t->alarms.post.deaf,
        .discarded_bytes = inbox_discarded_bytes(t->inbox)};
    return show_publish(&t->show, c->options.box, &source, c->clock->mono_ms());
}

/* Who is told of alarms is told of that, whatever else cannot be judged. */
static void look_at_itself(struct core *c, int64_t now_mono_ms)
{
    const struct snapshot *s = snapshot_get(c->options.box);
    struct store_status store;
    struct buf codes = {0};
    if (s == NULL)
        return;
    if (c->turn.store != NULL)
        store_status(c->turn.store, &store);
    struct overview o = {.snapshot = s, .now_ms = c->clock->wall_ms()};
    struct health_input input = {.overview = &o, .store = c->turn.store != NULL ? &store : NULL};
    enum health_level level = health_judge_collector(&input, &codes);
    ills_take(&c->turn.alarms.ills, (int)level, codes.len > 0 ? codes.data : "", now_mono_ms);
    buf_release(&codes);
    snapshot_put(s);
}

static void *run(void *argument)
{
    struct core *c = argument;
    while (!atomic_load(&c->is_stopping) && !c->has_failed) {
        int64_t now = c->clock->mono_ms();
        atomic_store(&c->heartbeat_mono_ms, now);
        settle_model(c);
        settle_alarms(c);
        bool is_good = !c->has_failed && turn(c);
        if (is_good)
            answer_asked(c);
        if (c->has_failed) /* D7: not another word */
            break;
        int64_t due = talk(c), show_due = show_now(c);
        due = show_due < due ? show_due : due;
        look_at_itself(c, now);
        int64_t turn_due = turn_due_mono_ms(&c->turn);
        due = turn_due < due ? turn_due : due;
        due = due < now + TURN_MS ? due : now + TURN_MS;
        if (!is_good) { /* what arrives meanwhile waits in the inbox, up to its quotas */
            inbox_pause(c->turn.inbox, now + RETRY_MS, SIZE_MAX);
            continue;
        }
        if (c->turn.held == NULL)
            inbox_wait(c->turn.inbox, due);
        inbox_pause(c->turn.inbox, c->gather_until_mono_ms, GATHER_BYTES);
    }
    if (!c->has_failed && turn(c)) /* what had arrived, and what the store had still to say */
        talk(c);
    asking_close(&c->asking);
    return NULL;
}

/* ---- life ---- */

enum status core_create(const struct core_options *options, struct core **ret, struct error *err)
{
    const struct collector_settings *settings = options->settings;
    struct core *c = mem_zalloc(sizeof *c);
    c->options = *options;
    c->clock = options->clock;
    enum status status = turn_open(&c->turn, settings, options->model->park, c->clock, err);
    if (status != ST_OK) {
        free(c);
        return status;
    }
    pthread_mutex_init(&c->offer_lock, NULL);
    asking_init(&c->asking);
    c->turn.board.box = options->board;
    c->couriers = c->turn.alarms.post.couriers = couriers_create(c->clock, on_event, c);
    c->rounds = c->turn.calendars.rounds = calendar_rounds_create(c->clock, on_event, c);
    if ((status = accept_first(c, err)) != ST_OK) {
        core_destroy(c);
        return status;
    }
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
    *ret = c;
    return ST_OK;
}

void core_attach(struct core *c, struct store *store)
{
    c->turn.store = store;
}

void core_start(struct core *c)
{
    atomic_store(&c->heartbeat_mono_ms, c->clock->mono_ms());
    thread_start(&c->thread, run, c);
}

void core_wake(struct core *c)
{
    inbox_wake(c->turn.inbox);
}

enum status core_stop(struct core *c, struct error *err)
{
    atomic_store(&c->is_stopping, true);
    inbox_close(c->turn.inbox);
    pthread_join(c->thread, NULL);
    return c->has_failed ? error_set(err, ST_STORAGE, "%s", c->failure.text) : ST_OK;
}

void core_destroy(struct core *c)
{
    if (c == NULL)
        return;
    mqtt_destroy(c->mqtt);
    board_topic_release(&c->topic);
    calendar_rounds_destroy(c->rounds);
    couriers_destroy(c->couriers);
    turn_close(&c->turn);
    acceptance_release(&c->next);
    acceptance_release(&c->offered);
    alarm_rules_destroy(c->alarms);
    asking_release(&c->asking);
    model_put(c->model);
    pthread_mutex_destroy(&c->offer_lock);
    free(c);
}

int64_t core_heartbeat_mono_ms(void *core)
{
    return atomic_load(&((struct core *)core)->heartbeat_mono_ms);
}
