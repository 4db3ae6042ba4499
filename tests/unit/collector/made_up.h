/* A small park and snapshots of it, made up for the tests of live/ and web/. */
#pragma once

#include "collector/live/snapshot.h"
#include "lib/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h> /* wants the first three before it */

#define MADE_UP_NOW_MS INT64_C(1790000000000) /* 2026-09-21T14:13:20Z */

/* A main meter of the park feeds two buildings; b1 has a main meter with two below it, and one of those has
 * one more. */
static const char made_up_park[] =
    "sites = ({ id = \"cloud\"; name = \"云上科创园\"; name_en = \"Cloud Science Park\"; zone = "
    "\"Asia/Shanghai\"; });\n"
    "buildings = ("
    "{ id = \"b0\"; site = \"cloud\"; name = \"变电所\"; name_en = \"Substation\"; },"
    "{ id = \"b1\"; site = \"cloud\"; name = \"一号楼\"; name_en = \"Building 1\"; },"
    "{ id = \"b2\"; site = \"cloud\"; name = \"二号楼\"; name_en = \"Building 2\"; });\n"
    "gateways = ("
    "{ id = \"gw1\"; site = \"cloud\"; building = \"b1\"; name = \"一号网关\"; name_en = \"Gateway 1\"; },"
    "{ id = \"gw2\"; site = \"cloud\"; building = \"b2\"; name = \"二号网关\"; name_en = \"Gateway 2\"; });\n"
    "meters = (\n"
#define MADE_UP_METER(id, zh, en, building, carrier, parent, gateway)                                        \
    "{ id = \"" id "\"; name = \"" zh "\"; name_en = \"" en "\"; building = \"" building                     \
    "\"; carrier = \"" carrier "\"; " parent "power = \"" gateway "/" id ".power\"; segments = ({ serial = " \
    "\"1\"; from = \"2020-01-01T00:00:00+08:00\"; point = \"" gateway "/" id "\"; max_rate = 2000000; }); }"
    MADE_UP_METER("park-main", "园区总表", "Park main", "b0", "electricity", "", "gw1") ",\n" MADE_UP_METER(
        "b1-main", "一号楼总表", "Building 1 main", "b1", "electricity", "parent = \"park-main\"; ",
        "gw1") ",\n" MADE_UP_METER("b1-hvac", "空调", "HVAC", "b1", "electricity", "parent = \"b1-main\"; ",
        "gw1") ",\n" MADE_UP_METER("b1-chiller", "冷水机组", "Chiller", "b1", "electricity",
        "parent = \"b1-hvac\"; ", "gw1") ",\n" MADE_UP_METER("b2-main", "二号楼总表", "Building 2 main", "b2",
        "electricity", "parent = \"park-main\"; ",
        "gw2") ",\n" MADE_UP_METER("b2-lab", "实验室专线", "Laboratory feed", "b2", "electricity", "",
        "gw2") ",\n"
               "{ id = \"b2-heat\"; name = \"供热\"; name_en = \"Heating\"; building = \"b2\"; carrier = "
               "\"heat\"; segments = ({ serial = \"1\"; "
               "from = \"2020-01-01T00:00:00+08:00\"; point = \"gw2/b2-heat\"; max_rate = 9000000000L; }); "
               "},\n"
               "{ id = \"b2-water\"; name = \"生活用水\"; name_en = \"Water\"; building = \"b2\"; carrier = "
               "\"water\"; segments = ({ serial = \"1\"; "
               "from = \"2020-01-01T00:00:00+08:00\"; point = \"gw2/b2-water\"; max_rate = 90000; }); },\n"
               "{ id = \"b2-hand\"; name = \"手抄水表\"; name_en = \"Water by hand\"; building = \"b2\"; "
               "carrier = \"water\"; profile = false; segments = "
               "({ serial = \"1\"; from = \"2020-01-01T00:00:00+08:00\"; max_rate = 90000; }); }\n"
               ");\n";

/* A folder of the test's own, with the park's file in it. */
static inline struct park *made_up_load(char folder[static 64])
{
    snprintf(folder, 64, "/tmp/parkmon-web-XXXXXX");
    assert_non_null(mkdtemp(folder));
    char path[96];
    snprintf(path, sizeof path, "%s/park.cfg", folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(made_up_park, file);
    fclose(file);
    struct park *park = park_load(path);
    conf_print_problems(park->conf, stderr);
    assert_int_equal(conf_problem_count(park->conf), 0);
    return park;
}

static inline void made_up_remove(const char *folder)
{
    char *command = mem_printf("rm -rf '%s'", folder);
    assert_int_equal(system(command), 0);
    free(command);
}

struct made_up_reading {
    const char *gateway, *point;
    enum reading_kind kind;
    int64_t count;
    double value;
    int64_t age_ms, period_ms;
};

/* A snapshot at now_ms with those readings; both gateways online, the broker connected, all well. */
static inline struct snapshot *made_up_snapshot(
    const struct park *park, const struct made_up_reading *readings, size_t count, int64_t now_ms)
{
    struct snapshot *s = snapshot_create(count, park->gateways.count);
    s->made_ms = now_ms;
    s->number = 1;
    s->park = park;
    s->is_broker_connected = s->is_accepting = s->is_clock_synchronised = true;
    s->database_bytes = 1 << 20;
    s->database_limit_bytes = INT64_C(1) << 30;
    struct snapshot_point *points = snapshot_points(s);
    for (size_t i = 0; i < count; i++) {
        const struct made_up_reading *r = &readings[i];
        struct snapshot_point *p = &points[i];
        snprintf(p->gateway, sizeof p->gateway, "%s", r->gateway);
        snprintf(p->name, sizeof p->name, "%s", r->point);
        p->kind = r->kind;
        p->count = r->count;
        p->value = r->value;
        p->time_ms = p->arrived_ms = now_ms - r->age_ms;
        p->period_ms = r->period_ms;
        p->place = park_place(park, r->gateway, r->point, now_ms);
    }
    struct snapshot_gateway *gateways = snapshot_gateways(s);
    for (size_t i = 0; i < park->gateways.count; i++) {
        const struct park_gateway *known = (const struct park_gateway *)park->gateways.items + i;
        struct snapshot_gateway *g = &gateways[i];
        snprintf(g->id, sizeof g->id, "%s", known->id);
        snprintf(g->version, sizeof g->version, "0.1.0");
        g->gateway = known;
        g->is_online = g->is_presence_known = g->is_clock_synchronised = true;
        g->heard_ms = now_ms - 2000;
        g->newest_ms = now_ms - 3000;
        g->mark = 40 + (int64_t)i;
    }
    return s;
}

/* For tests that need no more than the park: set up and tear down of the group. */
static struct park *park;
static char made_up_folder[64];

static inline int made_up_set_up(void **state)
{
    (void)state;
    park = made_up_load(made_up_folder);
    return 0;
}

static inline int made_up_tear_down(void **state)
{
    (void)state;
    park_destroy(park);
    made_up_remove(made_up_folder);
    return 0;
}
