/* A park with instruments, and boards of it, made up for the tests of what reads boards. */
#pragma once

#include "collector/instrument/board.h"
#include "lib/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h> /* wants the first three before it */

#define MADE_UP_BOARD_NOW_MS INT64_C(1790000000000) /* 2026-09-21T14:13:20Z, a Monday, 22:13 in Shanghai */

#define MADE_UP_BOARD_NAMED(id, zh, en) "id = \"" id "\"; name = \"" zh "\"; name_en = \"" en "\"; "
#define MADE_UP_BOARD_OF(building, category)                                                                 \
    "building = \"" building "\"; category = \"" category                                                    \
    "\"; owner = \"光芯科技\"; owner_en = \"Guangxin Photonics\"; owner_code = \"91330421MA0000000X\"; " \
    "contact = \"测试中心 8123\"; "
#define MADE_UP_BOARD_POWER(id)                                                                          \
    "power = \"gw1/" id "\"; power_period = 10; off_w = 10; standby_w = 20; exit_w = 30; enter_w = 40; " \
    "enter_s = 10; exit_s = 300; off_means = \"available\"; "

/* xrd-1: all that can be told; sem-1: power alone; hood-1: sessions alone; own-1: not shared. */
static const char made_up_board_park[] =
    "sites = ({ " MADE_UP_BOARD_NAMED("cloud",
        "云上科创园", "Cloud Science Park") "zone = \"Asia/Shanghai\"; });\n"
                                            "buildings = ({ " MADE_UP_BOARD_NAMED("b1", "一号楼",
                                                "Building 1") "site = \"cloud\"; },"
                                                              "{ " MADE_UP_BOARD_NAMED("b2", "二号楼",
                                                                  "Building 2") "site = \"cloud\"; });\n"
                                                                                "gateways = "
                                                                                "({ " MADE_UP_BOARD_NAMED(
                                                                                    "gw1", "一号网关",
                                                                                    "Gateway 1") "site = "
                                                                                                 "\"cloud\"; "
                                                                                                 "});\n"
                                                                                                 "spaces = "
                                                                                                 "({"
                                                                                                 " " MADE_UP_BOARD_NAMED("b1-302", "302 室", "Room 302") "building = \"b1\"; });\n"
                                                                                                                                                         "categories = ({ " MADE_UP_BOARD_NAMED(
                                                                                                                                                             "diffraction", "衍射", "Diffraction") "},"
                                                                                                                                                                                                   "{ " MADE_UP_BOARD_NAMED("microscopy", "显微", "Microscopy") "});\n"
                                                                                                                                                                                                                                                                "resources = ({ " MADE_UP_BOARD_NAMED("b1-water", "冷冻水", "Chilled water") "building = \"b1\"; kind = \"chilled_water\"; point = \"gw1/water\"; up = (\"on\"); down = (\"off\"); period = 300; },"
                                                                                                                                                                                                                                                                                                                                             "{ " MADE_UP_BOARD_NAMED("b1-argon", "氩气", "Argon") "building = \"b1\"; kind = \"gas\"; contact = \"8000\"; });\n"
                                                                                                                                                                                                                                                                                                                                                                                                   "calendars = ({ " MADE_UP_BOARD_NAMED("xrd", "预约", "Bookings") "site = \"cloud\"; file = \"/nowhere/xrd.ics\"; every = 300; });\n"
                                                                                                                                                                                                                                                                                                                                                                                                                                                                    "instruments = (\n"
                                                                                                                                                                                                                                                                                                                                                                                                                                                                    "{ " MADE_UP_BOARD_NAMED("xrd-1", "X射线衍射仪", "X-ray diffractometer") MADE_UP_BOARD_OF("b1", "diffraction") MADE_UP_BOARD_POWER(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                        "xrd-1") "space = \"b1-302\"; model = \"D8 Advance\"; location = \"1号楼 302\"; "
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                 "location_en = \"Building 1, room 302\"; booking_url = \"https://lab.example.cn/xrd\"; terms = \"仅限粉末样品\"; "
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                 "terms_en = \"Powder samples only\"; training = \"上机培训两小时\"; training_en = \"Two hours of instruction\"; "
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                 "charges = \"每小时 200 元\"; charges_en = \"200 yuan an hour\"; minimum_slot = 1800; session = \"gw1/xrd.session\"; "
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                 "max_session = 43200; grace = 900; calendar = \"xrd\"; requires = (\"b1-water\"); uses = (\"b1-argon\"); },\n"
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                 "{ " MADE_UP_BOARD_NAMED(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                     "sem-1", "扫描电镜", "Electron microscope") MADE_UP_BOARD_OF("b2",
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                     "microscopy")
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                     MADE_UP_BOARD_POWER("sem-1") "},\n"
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                  "{ " MADE_UP_BOARD_NAMED(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                      "hood-1", "通风橱", "Fume <hood>") MADE_UP_BOARD_OF("b2",
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                      "microscopy") "session = \"gw1/hood.session\"; },\n"
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                    "{ " MADE_UP_BOARD_NAMED("own-1", "自用",
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                        "Private")
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                        MADE_UP_BOARD_OF(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                            "b2",
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                            "diffraction")
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                            MADE_UP_BOARD_POWER("own-1") "shared = false; });\n";

static inline struct model *made_up_board_model_of(const char *text)
{
    static const char *const names[MODEL_FILES] = {"park.cfg", NULL, NULL};
    struct model *m = model_load_texts(names, (struct span[MODEL_FILES]){span_of(text)});
    model_print_problems(m, stderr);
    assert_int_equal(model_problem_count(m), 0);
    return m;
}

static inline struct model *made_up_board_model(void)
{
    return made_up_board_model_of(made_up_board_park);
}

static inline const struct park_instrument *made_up_instrument(const struct model *m, size_t i)
{
    return (const struct park_instrument *)m->park->instruments.items + i;
}

/* Of every instrument that it stands by, told just now by all that it has; nothing booked, nobody there, no outage, and what
 * it needs is up: each is free, or NOT_SHARED. By made_up_told_release. */
static inline struct board_told *made_up_told(const struct model *m, int64_t now_ms)
{
    size_t count = m->park->instruments.count;
    struct board_told *told = mem_zalloc((count + 1) * sizeof *told);
    for (size_t n = 0; n < count; n++) {
        const struct park_instrument *i = made_up_instrument(m, n);
        struct board_resource *resources =
            mem_zalloc((i->requires.count + i->uses.count + 1) * sizeof *resources);
        struct board_told *t = &told[n];
        *t = board_told_nothing();
        if (i->power_point != NULL) {
            t->facts.power = availability_source_at(now_ms, now_ms - 1000, i->power_period_ms);
            t->facts.activity = ACTIVITY_STANDBY;
            t->facts.activity_since_ms = now_ms - 3600000;
        }
        if (i->session != NULL)
            t->facts.session = availability_source_at(now_ms, now_ms - 1000, 300000);
        if (i->calendar != NULL)
            t->facts.calendar = availability_source_at(now_ms, now_ms - 1000, i->calendar->every_ms);
        for (size_t r = 0; r < i->requires.count + i->uses.count; r++) {
            bool is_required = r < i->requires.count;
            const struct park_resource *resource =
                is_required ? i->required[r] : i->optional[r - i->requires.count];
            resources[r] = (struct board_resource){
                .resource = resource, .state = {.since_ms = AVAILABILITY_NONE}, .is_required = is_required};
            if (resource->point != NULL)
                resources[r].state.source =
                    availability_source_at(now_ms, now_ms - 1000, resource->period_ms);
        }
        t->resources = resources;
        t->resource_count = i->requires.count + i->uses.count;
    }
    return told;
}

static inline void made_up_told_release(struct board_told *told, const struct model *m)
{
    for (size_t n = 0; n < m->park->instruments.count; n++)
        free((void *)(uintptr_t)told[n].resources);
    free(told);
}

/* Takes the reference to the model. `told` NULL: as made_up_told has it. */
static inline struct board *made_up_board(struct model *m, const struct board_told *told, int64_t now_ms)
{
    struct board_ground *ground = board_ground_create(m);
    struct board_told *own = told == NULL ? made_up_told(m, now_ms) : NULL;
    struct board *b = board_make(ground, own != NULL ? own : told, now_ms, 1, true);
    if (own != NULL)
        made_up_told_release(own, m);
    board_ground_put(ground);
    model_put(m);
    return b;
}
