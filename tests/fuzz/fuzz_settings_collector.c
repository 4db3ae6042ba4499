/* The settings of the collector. */
#include "collector/settings.h"
#include "lib/id.h"
#include "tests/fuzz/settings.h"

static void check_accepted(const struct collector_settings *s)
{
    LAW(id_is_valid(s->id) && s->park != NULL, "no id, or no park");
    LAW(s->broker.host != NULL && s->broker.port >= 1 && s->broker.port <= 65535,
        "a broker that is no place");
    LAW(s->database.path != NULL && s->database.limit_mib > 0 && s->database.evidence_days > 0,
        "no database");
    LAW(s->store.url != NULL && s->store.body_lines > 0 && s->store.timeout_ms > 0 &&
            s->store.raw_retention_days >= 0,
        "no store");
    LAW(s->http.address != NULL && s->http.port >= 0 && s->http.port <= 65535, "a listener that is no place");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct collector_settings settings;
    struct conf *c = collector_settings_load(settings_file(data, size), &settings);
    if (settings_are_sound(c))
        check_accepted(&settings);
    conf_destroy(c);
    return 0;
}
