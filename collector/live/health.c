#include "collector/live/health.h"

#include "lib/buf.h"
#include "lib/text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

struct judgement {
    enum health_level level;
    json_t *reasons;
};

const char *health_name(enum health_level level)
{
    static const char *const names[] = {"ready", "degraded", "failing"};
    return names[level];
}

/* `detail`: the part that needs no translation, ids and numbers; NULL = none. Another program's words stand in the message alone:
 * they are for who looks into it, and may be others at each attempt. */
static void tell(struct judgement *j, enum health_level level, const char *code, const char *detail,
    const char *format, ...) __attribute__((format(printf, 5, 6)));

static void tell(struct judgement *j, enum health_level level, const char *code, const char *detail,
    const char *format, ...)
{
    char message[512], words[512] = "";
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    /* Another program's words may be in them, cut anywhere. */
    text_clean(message);
    if (detail != NULL)
        text_copy(words, sizeof words, span_of(detail));
    json_array_append_new(j->reasons, json_pack("{s:s, s:s, s:s?}", "code", code, "message", message,
                                          "detail", detail != NULL ? words : NULL));
    if (level > j->level)
        j->level = level;
}

static void judge_core(struct judgement *j, const struct health_input *in)
{
    if (in->heartbeat_age_ms > HEALTH_HEARTBEAT_MS)
        tell(j, HEALTH_FAILING, "core_stalled", NULL, "the core thread has not turned for %" PRId64 " s",
            in->heartbeat_age_ms / 1000);
    if (!in->overview) {
        tell(j, HEALTH_FAILING, "starting", NULL, "the collector is starting");
        return;
    }
    const struct snapshot *s = in->overview->snapshot;
    if (!s->is_accepting)
        tell(j, HEALTH_FAILING, "not_accepting", NULL, "batches are not acknowledged: %s",
            s->reason[0] ? s->reason : "no reason was given");
    if (!s->is_broker_connected)
        tell(j, HEALTH_DEGRADED, "broker_disconnected", NULL,
            "the broker is not connected; agents keep their readings until it is");
}

static void judge_store(struct judgement *j, const struct health_input *in)
{
    if (!in->store)
        return;
    switch (in->store->health) {
    case STORE_OK:
        return;
    case STORE_STARTING:
        tell(j, HEALTH_DEGRADED, "store_starting", NULL, "the time-series store has not answered yet");
        return;
    case STORE_CONFIGURATION:
        tell(j, HEALTH_DEGRADED, "store_configuration", NULL,
            "the time-series store refuses as configured, everything is kept: %s", in->store->text);
        return;
    case STORE_UNAVAILABLE:
        tell(j, HEALTH_DEGRADED, "store_unavailable", NULL,
            "the time-series store is not available, everything is kept: %s", in->store->text);
        return;
    }
}

static void judge_space(struct judgement *j, const struct snapshot *s)
{
    if (s->database_limit_bytes > 0 && s->database_bytes > s->database_limit_bytes / 10 * 9)
        tell(j, HEALTH_DEGRADED, "database_nearly_full", NULL,
            "the database holds %" PRId64 " of at most %" PRId64
            " MiB; at the limit batches are no longer acknowledged",
            s->database_bytes >> 20, s->database_limit_bytes >> 20);
    if (s->outbox_limit_bytes > 0 && s->outbox_bytes > s->outbox_limit_bytes / 10 * 9)
        tell(j, HEALTH_DEGRADED, "outbox_nearly_full", NULL,
            "the outbox holds %" PRId64 " of at most %" PRId64
            " MiB of derived rows; at the limit batches are no longer acknowledged",
            s->outbox_bytes >> 20, s->outbox_limit_bytes >> 20);
}

/* A store that is away for a moment is told by its own reason; what waits longer will fill the database. */
#define BACKLOG_MS (10 * 60 * 1000)

static void judge_backlog(struct judgement *j, const struct health_input *in)
{
    if (!in->store || in->store->waiting_since_ms == 0)
        return;
    const struct snapshot *s = in->overview->snapshot;
    int64_t age_ms = in->overview->now_ms - in->store->waiting_since_ms;
    int64_t batches = s->journal_end - in->store->raw_position;
    if (age_ms <= BACKLOG_MS || batches <= 0)
        return;
    char detail[64];
    snprintf(detail, sizeof detail, "%" PRId64 " / %" PRId64 " min", batches, age_ms / 60000);
    tell(j, HEALTH_DEGRADED, "store_backlog", detail,
        "%" PRId64 " batches wait for the time-series store, the oldest for %" PRId64
        " min; the database holds %" PRId64 " of at most %" PRId64
        " MiB, and at the limit batches are no longer acknowledged",
        batches, age_ms / 60000, s->database_bytes >> 20, s->database_limit_bytes >> 20);
}

/* A backlog of a day takes minutes; energy is then not yet what it will be. */
#define LEDGER_BEHIND_MS (10 * 60 * 1000)

static void judge_ledger(struct judgement *j, const struct snapshot *s)
{
    if (s->ledger_behind_ms > LEDGER_BEHIND_MS)
        tell(j, HEALTH_DEGRADED, "ledger_behind", NULL,
            "the energy ledger has not had all readings for %" PRId64
            " min; nothing is lost, the journal keeps them",
            s->ledger_behind_ms / 60000);
    if (s->ledger_aside[0] != '\0')
        tell(j, HEALTH_DEGRADED, "ledger_aside", s->ledger_aside,
            "the books of these meters fail (see the log), and nothing is folded into them until the next "
            "start: %s",
            s->ledger_aside);
}

#define PRUNE_BEHIND_MS (INT64_C(24) * 3600 * 1000)

static void judge_clock(struct judgement *j, const struct snapshot *s)
{
    struct buf waiting = {0};
    for (size_t i = 0; i < s->gateway_count; i++)
        if (s->gateways[i].is_untimely)
            buf_printf(&waiting, "%s%s", waiting.len ? ", " : "", s->gateways[i].id);
    if ((!s->is_clock_synchronised || s->is_clock_behind) && waiting.len > 0)
        tell(j, HEALTH_FAILING, "collector_clock_ahead", waiting.data,
            "this machine's clock is %s, and readings are ahead of it: batches of these gateways are not "
            "acknowledged: %s",
            s->is_clock_behind ? "behind what arrived before" : "not synchronised", waiting.data);
    else if (!s->is_clock_synchronised)
        tell(j, HEALTH_DEGRADED, "collector_clock", NULL,
            "this machine's clock is not synchronised: nothing is pruned, and no gateway rows are written");
    else if (s->is_clock_behind)
        tell(j, HEALTH_DEGRADED, "collector_clock", NULL,
            "this machine's clock is behind what arrived before: no reading is taken for one of the future "
            "by it");
    if (snapshot_alarms_are_off(s))
        tell(j, HEALTH_DEGRADED, "alarms_off", NULL,
            "alarms are off until this machine's clock is right: but for those of the collector none fires "
            "or clears");
    if (s->prune_behind_ms > PRUNE_BEHIND_MS)
        tell(j, HEALTH_DEGRADED, "pruning_behind", NULL,
            "by the clock %" PRId64
            " days of evidence too many are kept; a day of it is pruned an hour: where "
            "the clock is wrong, set it right now",
            s->prune_behind_ms / PRUNE_BEHIND_MS);
    buf_release(&waiting);
}

/* A store that is away for a moment is told by its own reason. */
#define UNCOUNTED_MS (10 * 60 * 1000)

static void judge_hours(struct judgement *j, const struct health_input *in)
{
    if (in->store && in->store->uncounted_since_ms > 0 &&
        in->overview->now_ms - in->store->uncounted_since_ms > UNCOUNTED_MS)
        tell(j, HEALTH_DEGRADED, "store_uncounted", NULL,
            "nobody knows whether the time-series store holds what it should, it does not answer a count: %s",
            in->store->uncounted);
    if (in->store && in->store->hours_different > 0)
        tell(j, HEALTH_DEGRADED, "store_differs", in->store->different,
            "%" PRId64 " hours in the time-series store do not hold what they should, also after posting "
            "again; the newest "
            "(found / expected): %s",
            in->store->hours_different, in->store->different);
}

/* A restart must not make a loss forgotten, nor one loss the collector degraded for ever. */
#define LOSSES_MS (INT64_C(7) * 24 * 3600 * 1000)

/* Readings that the series lack while everything else looks well: a wrong clock, say. */
#define QUARANTINE_MS (INT64_C(3600) * 1000)

static void judge_missing(struct judgement *j, const struct snapshot *s)
{
    struct buf lost = {0}, quarantined = {0};
    for (size_t i = 0; i < s->gateway_count; i++) {
        const struct snapshot_gateway *g = &s->gateways[i];
        if (g->lost_ms > s->made_ms - LOSSES_MS)
            buf_printf(&lost, "%s%s", lost.len ? ", " : "", g->id);
        if (g->quarantined_ms > s->made_ms - QUARANTINE_MS)
            buf_printf(&quarantined, "%s%s", quarantined.len ? ", " : "", g->id);
    }
    if (lost.len > 0)
        tell(j, HEALTH_DEGRADED, "losses", lost.data,
            "losses recorded in the last 7 days, see /api/v1/losses: %s", lost.data);
    if (quarantined.len > 0)
        tell(j, HEALTH_DEGRADED, "quarantine", quarantined.data,
            "readings quarantined in the last hour, see /api/v1/quarantine: %s", quarantined.data);
    buf_release(&lost);
    buf_release(&quarantined);
}

static void judge_gateways(struct judgement *j, const struct overview *o)
{
    struct buf silent = {0}, unsynchronised = {0};
    for (size_t i = 0; i < o->gateway_count; i++) {
        const struct overview_gateway *g = &o->gateways[i];
        if (!g->is_online && g->gateway->is_presence_known)
            buf_printf(&silent, "%s%s", silent.len ? ", " : "", g->gateway->id);
        else if (g->is_online && !g->gateway->is_clock_synchronised)
            buf_printf(&unsynchronised, "%s%s", unsynchronised.len ? ", " : "", g->gateway->id);
    }
    if (silent.len)
        tell(j, HEALTH_DEGRADED, "gateways_offline", silent.data, "not online: %s", silent.data);
    if (unsynchronised.len)
        tell(j, HEALTH_DEGRADED, "gateway_clock", unsynchronised.data, "clock not synchronised: %s",
            unsynchronised.data);
    buf_release(&silent);
    buf_release(&unsynchronised);
}

static void judge_receivers(struct judgement *j, const struct snapshot *s)
{
    if (s->receivers_deaf[0] != '\0')
        tell(j, HEALTH_DEGRADED, "alarm_receivers", s->receivers_deaf,
            "receivers of alarms take no message, see the log: %s", s->receivers_deaf);
}

static void judge_collector(struct judgement *j, const struct health_input *in)
{
    judge_core(j, in);
    judge_store(j, in);
    if (in->overview == NULL)
        return;
    judge_space(j, in->overview->snapshot);
    judge_backlog(j, in);
    judge_ledger(j, in->overview->snapshot);
    judge_clock(j, in->overview->snapshot);
    judge_hours(j, in);
}

enum health_level health_judge(const struct health_input *input, json_t **ret_reasons)
{
    struct judgement j = {HEALTH_READY, json_array()};
    judge_collector(&j, input);
    if (input->overview) {
        judge_missing(&j, input->overview->snapshot);
        judge_gateways(&j, input->overview);
        judge_receivers(&j, input->overview->snapshot);
    }
    *ret_reasons = j.reasons;
    return j.level;
}

enum health_level health_judge_collector(const struct health_input *input, struct buf *codes)
{
    struct judgement j = {HEALTH_READY, json_array()};
    size_t i;
    json_t *reason;
    judge_collector(&j, input);
    json_array_foreach(j.reasons, i, reason)
        buf_printf(codes, "%s%s", i > 0 ? "," : "", json_string_value(json_object_get(reason, "code")));
    json_decref(j.reasons);
    return j.level;
}
