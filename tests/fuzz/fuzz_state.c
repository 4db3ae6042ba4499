/* A gateway's `state` message, as the collector takes it. */
#include "collector/live/presence.h"
#include "lib/text.h"
#include "tests/fuzz/fuzz.h"

#define NOW_MS INT64_C(1764000000000)

static void check_told(const struct presence_gateway *g)
{
    LAW(g != NULL && (g->heard_ms == NOW_MS) != (g->offline_ms == NOW_MS),
        "neither did it speak, nor is it gone");
    LAW(presence_is_online(g, NOW_MS) == (g->offline_ms == 0), "it is not what was said");
    LAW(text_is_utf8(span_of(g->version)) && !text_has_control(span_of(g->version)),
        "a version that is not text");
    LAW(g->spooled_batches >= 0 && g->spooled_bytes >= 0 && g->spooled_oldest_ms >= 0, "a negative count");
    const char *name;
    json_t *period;
    json_object_foreach(g->points, name, period)
    {
        (void)period;
        LAW(presence_period_ms(g, name) >= 0, "a negative period");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct presence p = {0};
    struct error err = {""};
    struct span payload = {(const char *)data, size};
    uint64_t epoch = presence_epoch(payload);
    if (presence_state(&p, "gw-a", payload, NOW_MS, &err) == ST_OK) {
        check_told(presence_find(&p, "gw-a"));
        LAW(presence_state(&p, "gw-a", payload, NOW_MS, &err) == ST_OK, "refused the second time");
        check_told(presence_find(&p, "gw-a"));
        LAW(p.count == 1, "two gateways of one");
    } else {
        LAW(epoch == 0, "an epoch of no state");
        LAW(err.text[0] != '\0' && p.count == 0, "refused without a reason, or with an effect");
    }
    presence_release(&p);
    return 0;
}
