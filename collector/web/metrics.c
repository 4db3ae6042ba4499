/* Prometheus text exposition format 0.0.4. Names: parkmon_<what>_<unit>, counters end in _total. */
#include "collector/alarm/told.h"
#include "collector/web/context.h"

#include "lib/buf.h"
#include "lib/number.h"

#include <inttypes.h>
#include <stdio.h>

static void head(struct buf *out, const char *name, const char *type, const char *help)
{
    buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void counter(struct buf *out, const char *name, const char *help, int64_t value)
{
    head(out, name, "counter", help);
    buf_printf(out, "%s %" PRId64 "\n", name, value);
}

static void gauge(struct buf *out, const char *name, const char *help, int64_t value)
{
    head(out, name, "gauge", help);
    buf_printf(out, "%s %" PRId64 "\n", name, value);
}

static void sample_seconds(struct buf *out, const char *name, const char *labels, int64_t ms)
{
    char text[NUMBER_DOUBLE_SIZE];
    number_format_double((double)ms / 1000.0, text);
    buf_printf(out, "%s%s %s\n", name, labels, text);
}

static void write_counters(struct buf *out, const struct snapshot_counters *c)
{
    counter(out, "parkmon_batches_total", "Batches applied.", c->batches);
    counter(out, "parkmon_readings_total", "Readings journalled.", c->readings);
    counter(
        out, "parkmon_duplicate_batches_total", "Batches that were already durable.", c->duplicate_batches);
    counter(out, "parkmon_duplicate_readings_total", "Readings that were already durable.",
        c->duplicate_readings);
    counter(out, "parkmon_quarantined_total", "Lines and payloads put into quarantine.", c->quarantined);
    counter(out, "parkmon_quarantine_omitted_total",
        "Of those, the ones only counted because the quarantine is at its limit.", c->quarantine_omitted);
    counter(out, "parkmon_refused_total", "Batches refused because one before them is missing.", c->refused);
    counter(out, "parkmon_unreadable_total", "Payloads without a readable header.", c->unreadable);
    counter(out, "parkmon_losses_total", "Losses recorded.", c->losses);
    counter(
        out, "parkmon_discarded_bytes_total", "Bytes over a quota, discarded unparsed.", c->discarded_bytes);
    counter(out, "parkmon_commits_total", "Transactions committed.", c->commits);
    counter(out, "parkmon_commit_failures_total", "Transactions that failed to commit.", c->commit_failures);
    head(out, "parkmon_alarm_messages_total", "counter",
        "Attempts to give a message to a receiver of alarms.");
    buf_printf(out, "parkmon_alarm_messages_total{outcome=\"taken\"} %" PRId64 "\n", c->alarm_messages_taken);
    buf_printf(
        out, "parkmon_alarm_messages_total{outcome=\"failed\"} %" PRId64 "\n", c->alarm_messages_failed);
}

static void write_state(struct buf *out, const struct snapshot *s)
{
    gauge(out, "parkmon_broker_connected", "Whether the MQTT broker is connected.", s->is_broker_connected);
    gauge(out, "parkmon_accepting", "Whether batches are acknowledged.", s->is_accepting);
    gauge(out, "parkmon_database_bytes", "Bytes in use in the collector's database.", s->database_bytes);
    gauge(out, "parkmon_database_limit_bytes", "At this size batches are no longer acknowledged.",
        s->database_limit_bytes);
    gauge(out, "parkmon_outbox_bytes", "Bytes of derived rows that wait for the time-series store.",
        s->outbox_bytes);
    gauge(out, "parkmon_outbox_limit_bytes", "At this size batches are no longer acknowledged.",
        s->outbox_limit_bytes);
}

static void write_store(struct buf *out, const struct snapshot *s, const struct store_status *store)
{
    static const char *const names[] = {"starting", "ok", "configuration", "unavailable"};
    head(out, "parkmon_store_health", "gauge", "1 for the time-series store's present health.");
    for (int i = 0; i < 4; i++)
        buf_printf(out, "parkmon_store_health{health=\"%s\"} %d\n", names[i], (int)store->health == i);
    head(out, "parkmon_store_lines_total", "counter", "Lines settled with the time-series store.");
    buf_printf(out, "parkmon_store_lines_total{outcome=\"accepted\"} %" PRId64 "\n", store->accepted);
    buf_printf(out, "parkmon_store_lines_total{outcome=\"expired\"} %" PRId64 "\n", store->expired);
    buf_printf(out, "parkmon_store_lines_total{outcome=\"rejected\"} %" PRId64 "\n", store->rejected);
    int64_t backlog = s->journal_end > store->raw_position ? s->journal_end - store->raw_position : 0;
    gauge(out, "parkmon_store_backlog_batches", "Batches that the time-series store has not settled yet.",
        backlog);
    head(out, "parkmon_store_backlog_age_seconds", "gauge",
        "Seconds since the oldest batch that the time-series store has not settled arrived.");
    sample_seconds(out, "parkmon_store_backlog_age_seconds", "",
        store->waiting_since_ms > 0 && s->made_ms > store->waiting_since_ms
            ? s->made_ms - store->waiting_since_ms
            : 0);
    counter(out, "parkmon_store_hours_counted_total",
        "Hours of a measurement that were counted back and are as they should.", store->hours_counted);
    counter(out, "parkmon_store_hours_mended_total", "Of those, the ones that were posted again.",
        store->hours_mended);
    gauge(
        out, "parkmon_store_hours_due", "Closed hours that are still to be counted back.", store->hours_due);
    gauge(out, "parkmon_store_hours_different", "Hours that differ also after posting again.",
        store->hours_different);
}

static void write_books(struct buf *out, const struct context_books *books, int64_t now_ms)
{
    gauge(out, "parkmon_ledger_open_exceptions",
        "Spans of meters of which nobody knows what happened: /api/v1/exceptions.", books->open_exceptions);
    gauge(out, "parkmon_model_version", "Of the park model, the newest version that was accepted.",
        books->model_version);
    gauge(out, "parkmon_ledger_backlog_batches", "Batches that the ledger has not folded yet.",
        books->backlog_batches);
    head(out, "parkmon_ledger_backlog_age_seconds", "gauge",
        "Seconds since the oldest batch that the ledger has not folded arrived.");
    bool is_late = books->waiting_since_ms > 0 && now_ms > books->waiting_since_ms;
    sample_seconds(
        out, "parkmon_ledger_backlog_age_seconds", "", is_late ? now_ms - books->waiting_since_ms : 0);
}

static void write_alarms(struct buf *out, struct web_context *context, int64_t unnoted)
{
    struct alarm_counts counts;
    int64_t waiting;
    struct error err;
    if (alarm_count(context->db, &counts, &err) != ST_OK ||
        alarm_told_waiting(context->db, context->clock->wall_ms(), &waiting, &err) != ST_OK) {
        context_close_db(context);
        return;
    }
    head(out, "parkmon_alarms_standing", "gauge", "Alarms that stand: /api/v1/alarms?state=standing.");
    for (int kind = 0; kind < ALARM_KINDS; kind++)
        for (int severity = 0; severity < ALARM_SEVERITIES; severity++)
            buf_printf(out, "parkmon_alarms_standing{kind=\"%s\",severity=\"%s\"} %" PRId64 "\n",
                alarm_kinds[kind], alarm_severities[severity], counts.by_kind[kind][severity]);
    gauge(
        out, "parkmon_alarms_unacknowledged", "Of those, the ones that nobody took note of.", counts.unacked);
    gauge(out, "parkmon_alarm_messages_waiting",
        "Messages of alarms that are due and that their receivers did not take yet.",
        waiting > unnoted ? waiting - unnoted : 0);
}

/* One family at a time, as the format demands; ids need no escaping. */
static void write_gateways(struct buf *out, const struct overview *o)
{
    static const struct {
        const char *name, *type, *help;
    } families[] = {
        {"parkmon_gateway_online", "gauge", "Whether the gateway is online, judged by what arrives."},
        {"parkmon_gateway_heard_age_seconds", "gauge", "Seconds since the gateway was last heard."},
        {"parkmon_gateway_lag_seconds", "gauge", "Seconds since the time of its newest reading."},
        {"parkmon_gateway_spooled_batches", "gauge", "Unacknowledged batches in its spool, as it said last."},
        {"parkmon_gateway_spooled_bytes", "gauge", "Bytes in its spool, as it said last."},
        {"parkmon_gateway_lost_total", "counter", "What the loss table holds of it."},
    };
    for (size_t f = 0; f < sizeof families / sizeof families[0]; f++) {
        head(out, families[f].name, families[f].type, families[f].help);
        for (size_t i = 0; i < o->gateway_count; i++) {
            const struct overview_gateway *g = &o->gateways[i];
            const struct snapshot_gateway *s = g->gateway;
            char labels[64];
            snprintf(labels, sizeof labels, "{gateway=\"%s\"}", s->id);
            int64_t ms = f == 1 ? g->age_ms : g->lag_ms;
            if (f == 1 || f == 2) {
                if (ms >= 0)
                    sample_seconds(out, families[f].name, labels, ms);
                continue;
            }
            const int64_t values[] = {g->is_online, 0, 0, s->spooled_batches, s->spooled_bytes, s->lost};
            buf_printf(out, "%s%s %" PRId64 "\n", families[f].name, labels, values[f]);
        }
    }
}

static void write_overview(struct buf *out, const struct overview *o)
{
    gauge(out, "parkmon_points", "Points ever heard.", (int64_t)o->snapshot->point_count);
    gauge(out, "parkmon_points_unmapped", "Points that the park model does not know.", o->unmapped);
    gauge(out, "parkmon_meters_expected", "Meters that a device reads.", o->expected);
    gauge(out, "parkmon_meters_fresh", "Of those, the ones with fresh readings.", o->fresh);
    write_gateways(out, o);
}

struct web_answer handle_metrics(struct web_context *context, const struct web_request *request)
{
    (void)request;
    const struct web_options *options = context->options;
    struct buf out = {0};
    const struct snapshot *s = snapshot_get(options->box);
    struct overview o;
    if (s) {
        overview_init(&o, s, context->clock->wall_ms());
        write_counters(&out, &s->counters);
        write_state(&out, s);
        write_overview(&out, &o);
        if (options->store) {
            struct store_status store;
            store_status(options->store, &store);
            write_store(&out, s, &store);
        }
    }
    struct context_books books;
    if (context_books(context, &books))
        write_books(&out, &books, context->clock->wall_ms());
    if (context->db != NULL)
        write_alarms(&out, context, s != NULL ? s->counters.alarm_messages_unnoted : 0);
    enum health_level level;
    json_decref(context_health(context, s ? &o : NULL, &level));
    head(&out, "parkmon_health", "gauge", "1 for the collector's present health.");
    for (int i = 0; i <= HEALTH_FAILING; i++)
        buf_printf(
            &out, "parkmon_health{health=\"%s\"} %d\n", health_name((enum health_level)i), (int)level == i);
    head(&out, "parkmon_core_heartbeat_age_seconds", "gauge", "Seconds since the core thread's last turn.");
    sample_seconds(&out, "parkmon_core_heartbeat_age_seconds", "",
        context->clock->mono_ms() - options->core_heartbeat_mono_ms(options->user_data));
    gauge(&out, "parkmon_streams", "Open event streams.", stream_hub_count(context->streams));
    if (s)
        overview_release(&o);
    snapshot_put(s);
    size_t len = out.len;
    return answer_text(200, "text/plain; version=0.0.4; charset=utf-8", buf_take(&out), len);
}
