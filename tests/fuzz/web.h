/* What the listener's fuzzers serve: a small park, a snapshot of it, a database with a row in each list. */
#pragma once

#include "collector/web/context.h"
#include "lib/text.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/collector/fake_journal.h"
#include "tests/unit/collector/made_up.h"

struct web_fixture {
    struct fake_journal journal;
    struct snapshot_box *box;
    struct park *park;
    char folder[64];
    char *assets;
    struct web_options options;
};

static inline int64_t web_fixture_beat(void *user_data)
{
    (void)user_data;
    return clock_system.mono_ms();
}

static inline void web_fixture_open(struct web_fixture *w)
{
    static const struct made_up_reading readings[] = {{.gateway = "gw1", .point = "b1-main", .count = 12},
        {.gateway = "gw2", .point = "b2-main.power", .kind = READING_GAUGE, .value = 7.5}};
    struct error err = {""};
    w->park = made_up_load(w->folder);
    fake_journal_open(&w->journal);
    LAW(db_exec(w->journal.db,
            "INSERT INTO quarantine(gateway, reason, content, recorded_ms) VALUES('gw-a', 'x', x'ff00', 1),"
            " ('gw1', 'y', CAST('text' AS BLOB), 2);"
            "INSERT INTO loss(gateway, reason, recorded_ms) VALUES('gw1', 'z', 3);"
            "INSERT INTO point(gateway, name, kind, quality, time_ms, arrived_ms) VALUES(1, 'm', 1, 0, 1, 1)",
            &err) == ST_OK,
        "%s", err.text);
    w->box = snapshot_box_create();
    snapshot_publish(w->box, made_up_snapshot(w->park, readings, 2, clock_system.wall_ms()));
    const char *source = getenv("PARKMON_SOURCE");
    w->assets = mem_printf("%s/dashboards/web", source ? source : ".");
    w->options = (struct web_options){.address = "127.0.0.1",
        .assets = w->assets,
        .database_path = w->journal.path,
        .box = w->box,
        .park = w->park,
        .core_heartbeat_mono_ms = web_fixture_beat};
}

static inline void web_fixture_close(struct web_fixture *w)
{
    free(w->assets);
    snapshot_box_destroy(w->box);
    park_destroy(w->park);
    made_up_remove(w->folder);
    fake_journal_close(&w->journal);
}
