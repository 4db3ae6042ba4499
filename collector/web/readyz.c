/* Is it alive, is it ready: what supervisors and `park-collector status` ask. */
#include "collector/web/context.h"

#include <inttypes.h>

json_t *context_health(
    const struct web_context *context, const struct overview *o, enum health_level *ret_level)
{
    const struct web_options *options = context->options;
    struct store_status store;
    if (options->store)
        store_status(options->store, &store);
    struct health_input input = {o, options->store ? &store : NULL,
        context->clock->mono_ms() - options->core_heartbeat_mono_ms(options->user_data)};
    json_t *reasons;
    *ret_level = health_judge(&input, &reasons);
    return json_pack("{s:s, s:o}", "status", health_name(*ret_level), "reasons", reasons);
}

struct web_answer handle_livez(struct web_context *context, const struct web_request *request)
{
    (void)request;
    const struct web_options *options = context->options;
    int64_t age_ms = context->clock->mono_ms() - options->core_heartbeat_mono_ms(options->user_data);
    if (age_ms > HEALTH_HEARTBEAT_MS)
        return answer_error(
            503, "core_stalled", "the core thread has not turned for %" PRId64 " s", age_ms / 1000);
    return answer_json(200, json_pack("{s:s}", "status", "alive"));
}

struct web_answer handle_readyz(struct web_context *context, const struct web_request *request)
{
    (void)request;
    const struct snapshot *s = snapshot_get(context->options->box);
    struct overview o;
    if (s)
        overview_init(&o, s, context->clock->wall_ms());
    enum health_level level;
    json_t *health = context_health(context, s ? &o : NULL, &level);
    if (s)
        overview_release(&o);
    snapshot_put(s);
    struct context_books books; /* for information: they are people's to settle, and no failure */
    if (context_books(context, &books)) {
        json_object_set_new(health, "open_exceptions", json_integer(books.open_exceptions));
        json_object_set_new(health, "model_version", json_integer(books.model_version));
    }
    return answer_json(level == HEALTH_FAILING ? 503 : 200, health);
}
