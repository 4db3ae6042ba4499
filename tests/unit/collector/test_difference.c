/* Two texts of a park (and of factors and tariffs), a time, and the differences that there must be, line by line. */
#include "collector/model/model.h"
#include "lib/buf.h"
#include "lib/calendar.h"
#include "lib/mem.h"
#include "lib/rfc3339.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#define NOW "2026-06-15T12:00:00+08:00"
#define SITE                                                                                                \
    "sites = ( { id = \"s1\"; name = \"x\"; name_en = \"x\"; zone = \"Asia/Shanghai\"; headcount = 400; } " \
    ");\n"
#define TENANTS                                                     \
    "tenants = ( { id = \"t1\"; name = \"x\"; name_en = \"x\"; }, " \
    "{ id = \"t2\"; name = \"x\"; name_en = \"x\"; } );\n"
#define BUILDING \
    "buildings = ( { id = \"b1\"; name = \"x\"; name_en = \"x\"; site = \"s1\"; area = 100; } );\n"
#define GATEWAY \
    "gateways = ( { id = \"gw-a\"; name = \"x\"; name_en = \"x\"; site = \"s1\"; building = \"b1\"; } );\n"
#define BASE SITE BUILDING TENANTS GATEWAY
#define METER(id, rest)                                                                                     \
    "{ id = \"" id "\"; name = \"x\"; name_en = \"x\"; building = \"b1\"; carrier = \"electricity\"; " rest \
    " }"
#define SEGMENT(from, rest) "{ serial = \"1\"; max_rate = 400000; from = \"" from "\"; " rest " }"
#define SINCE_2024 "2024-01-01T00:00:00+08:00"
#define KEY_2024 "meters[m1].segments[2023-12-31T16:00:00.000Z]"
#define ONE(rest) BASE "meters = ( " METER("m1", "segments = ( " SEGMENT(SINCE_2024, rest) " );") " );\n"

struct texts {
    const char *park, *factors, *tariffs;
};

static struct model *load(const struct texts *t)
{
    static const char *const names[MODEL_FILES] = {"park.cfg", "factors.cfg", "tariffs.cfg"};
    const char *const texts[MODEL_FILES] = {t->park, t->factors, t->tariffs};
    struct span spans[MODEL_FILES] = {{NULL, 0}};
    for (int i = 0; i < MODEL_FILES; i++)
        if (texts[i] != NULL)
            spans[i] = span_of(texts[i]);
    struct model *m = model_load_texts(names, spans);
    model_print_problems(m, stderr);
    assert_int_equal(model_problem_count(m), 0);
    return m;
}

#define OLD_BOOKS "2025-03-31T16:00:00Z"
static const char *closed_at;              /* NULL = nothing is */
static const char *figures_at = OLD_BOOKS; /* NULL = there are none */

static int64_t figures_ms(void)
{
    int64_t time_ms = INT64_MAX;
    assert_true(figures_at == NULL || rfc3339_parse(figures_at, &time_ms));
    return time_ms;
}

/* "late meters[m1]...: was X, now Y\n" for each. The caller frees it. */
static char *differences(const struct texts *before, const struct texts *after, const char *at)
{
    static const char *const weights[] = {"free", "late", "PAST"};
    int64_t now_ms;
    assert_true(rfc3339_parse(at, &now_ms));
    struct model *a = load(before), *b = load(after);
    struct difference_now now = model_now(b, now_ms, figures_ms());
    assert_true(closed_at == NULL || rfc3339_parse(closed_at, &now.closed_ms));
    struct differences d;
    differences_find(&a->facts, &b->facts, &now, &d);
    struct buf out = {0};
    buf_add_str(&out, "");
    size_t late = 0, past = 0;
    for (size_t i = 0; i < d.count; i++) {
        const struct difference *one = &d.items[i];
        buf_printf(&out, "%s %s: %s -> %s\n", weights[one->weight], one->path,
            one->before != NULL ? one->before : "none", one->after != NULL ? one->after : "none");
        late += one->weight == DIFFERENCE_LATE;
        past += one->weight == DIFFERENCE_PAST;
    }
    assert_int_equal(d.late, late);
    assert_int_equal(d.past, past);
    assert_int_equal(d.count == 0, hash_is_equal(&a->hash, &b->hash));
    differences_release(&d);
    model_put(a);
    model_put(b);
    return buf_take(&out);
}

static void expect_at(const char *now, const char *before, const char *after, const char *expected)
{
    char *found = differences(&(struct texts){.park = before}, &(struct texts){.park = after}, now);
    if (strcmp(found, expected) != 0)
        fail_msg("%s\nbecomes\n%s\ngives\n%s not\n%s", before, after, found, expected);
    free(found);
}

static void expect(const char *before, const char *after, const char *expected)
{
    expect_at(NOW, before, after, expected);
}

static void test_what_says_the_same_is_the_same(void **state)
{
    (void)state;
    expect(ONE(""), ONE(""), "");
    expect(ONE("ct = \"1000/5\"; registers = \"primary\";"),
        "# a comment\n" ONE("registers =\n \"primary\"; ct = 200;"), "");
    expect(ONE("resolution = 1;"), ONE(""), "");
    expect(ONE("until = \"2027-01-01T00:00:00+08:00\";"), ONE("until = \"2026-12-31T16:00:00Z\";"), "");
    /* Another order. */
    expect(BASE
        "meters = ( " METER("m1", "power = \"gw-a/p\";") ", " METER("m2", "power = \"gw-a/q\";") " );\n",
        GATEWAY TENANTS BUILDING SITE
        "meters = ( " METER("m2", "power = \"gw-a/q\";") ", " METER("m1", "power = \"gw-a/p\";") " );\n",
        "");
}

static void test_each_key_of_a_segment_that_has_begun_is_of_the_past(void **state)
{
    (void)state;
    static const struct {
        const char *before, *after, *expected;
    } rows[] = {
        {ONE("point = \"gw-a/r\";"), ONE("point = \"gw-a/q\";"),
            "PAST " KEY_2024 ".point: gw-a/r -> gw-a/q\n"},
        {ONE(""), ONE("point = \"gw-a/q\";"), "PAST " KEY_2024 ".point: none -> gw-a/q\n"},
        {ONE("start = 5;"), ONE("start = 0;"), "PAST " KEY_2024 ".start: 5 -> 0\n"},
        {ONE("start = 0;"), ONE(""), "PAST " KEY_2024 ".start: 0 -> none\n"},
        {ONE("modulus = 1000000;"), ONE("modulus = 100000;"),
            "PAST " KEY_2024 ".modulus: 1000000 -> 100000\n"},
        {ONE("resolution = 10;"), ONE(""), "PAST " KEY_2024 ".resolution: 10 -> 1\n"},
        {ONE("ct = 200; registers = \"primary\";"), ONE("ct = 100; registers = \"primary\";"),
            "PAST " KEY_2024 ".ct: 200 -> 100\n"},
        {ONE("ct = 200; registers = \"primary\";"), ONE("ct = 200; registers = \"secondary\";"),
            "PAST " KEY_2024 ".registers: primary -> secondary\n"},
        {ONE("pt = 2; registers = \"primary\";"), ONE("pt = 3; registers = \"primary\";"),
            "PAST " KEY_2024 ".pt: 2 -> 3\n"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        expect(rows[i].before, rows[i].after, rows[i].expected);
    /* The same before it begins. */
    expect_at("2023-06-01T00:00:00Z", ONE("ct = 200; registers = \"primary\";"),
        ONE("ct = 100; registers = \"primary\";"), "free " KEY_2024 ".ct: 200 -> 100\n");
    /* Its begin itself: one that was there is gone. */
    expect(ONE(""),
        BASE
        "meters = ( " METER("m1", "segments = ( " SEGMENT("2024-02-01T00:00:00+08:00", "") " );") " );\n",
        "PAST " KEY_2024 ":  -> none\nPAST meters[m1].segments[2024-01-31T16:00:00.000Z]: none -> \n");
}

static void test_an_end_from_now_on_is_none_of_the_past(void **state)
{
    (void)state;
    expect(ONE(""), ONE("until = \"2026-07-01T00:00:00+08:00\";"),
        "free " KEY_2024 ".until: none -> 2026-07-01T00:00:00+08:00\n");
    /* Written as now, and read an hour later at most. */
    expect(ONE(""), ONE("until = \"2026-06-15T11:00:00+08:00\"; end = 7;"),
        "free " KEY_2024 ".end: none -> 7\nfree " KEY_2024 ".until: none -> 2026-06-15T11:00:00+08:00\n");
    expect(ONE(""), ONE("until = \"2026-06-15T10:59:59+08:00\";"),
        "PAST " KEY_2024 ".until: none -> 2026-06-15T10:59:59+08:00\n");
    expect(ONE("until = \"2026-07-01T00:00:00+08:00\";"), ONE(""),
        "free " KEY_2024 ".until: 2026-07-01T00:00:00+08:00 -> none\n");
    expect(ONE("until = \"2026-06-01T00:00:00+08:00\";"), ONE(""),
        "PAST " KEY_2024 ".until: 2026-06-01T00:00:00+08:00 -> none\n");
    expect(ONE("until = \"2026-06-01T00:00:00+08:00\";"),
        ONE("until = \"2026-06-01T00:00:00+08:00\"; end = 9;"), "PAST " KEY_2024 ".end: none -> 9\n");
}

#define REPLACED(until, end, from, start)                                                       \
    BASE "meters = ( " METER(                                                                   \
        "m1", "segments = ( " SEGMENT(SINCE_2024, "until = \"" until "\"; " end) ",\n" SEGMENT( \
                  from, start) " );") " );\n"

static void test_a_replacement_entered_within_a_week_with_its_registers_is_late(void **state)
{
    (void)state;
    expect(ONE(""),
        REPLACED("2026-06-14T15:00:00+08:00", "end = 70;", "2026-06-14T15:00:00+08:00", "start = 0;"),
        "late " KEY_2024 ".end: none -> 70\n"
        "late " KEY_2024 ".until: none -> 2026-06-14T15:00:00+08:00\n"
        "late meters[m1].segments[2026-06-14T07:00:00.000Z]: none -> \n");
    /* Without a register. */
    expect(ONE(""), REPLACED("2026-06-14T15:00:00+08:00", "", "2026-06-14T15:00:00+08:00", "start = 0;"),
        "PAST " KEY_2024 ".until: none -> 2026-06-14T15:00:00+08:00\n"
        "late meters[m1].segments[2026-06-14T07:00:00.000Z]: none -> \n");
    expect(ONE(""), REPLACED("2026-06-14T15:00:00+08:00", "end = 70;", "2026-06-14T15:00:00+08:00", ""),
        "late " KEY_2024 ".end: none -> 70\n"
        "late " KEY_2024 ".until: none -> 2026-06-14T15:00:00+08:00\n"
        "PAST meters[m1].segments[2026-06-14T07:00:00.000Z]: none -> \n");
    /* A moment more than a week ago. */
    expect(ONE(""),
        REPLACED("2026-06-08T11:59:59+08:00", "end = 70;", "2026-06-08T12:00:00+08:00", "start = 0;"),
        "PAST " KEY_2024 ".end: none -> 70\n"
        "PAST " KEY_2024 ".until: none -> 2026-06-08T11:59:59+08:00\n"
        "late meters[m1].segments[2026-06-08T04:00:00.000Z]: none -> \n");
    /* One that was logged is not logged otherwise. */
    expect(REPLACED("2026-06-14T15:00:00+08:00", "end = 70;", "2026-06-14T15:00:00+08:00", "start = 0;"),
        REPLACED("2026-06-14T15:00:00+08:00", "end = 71;", "2026-06-14T15:00:00+08:00", "start = 1;"),
        "PAST " KEY_2024
        ".end: 70 -> 71\nPAST meters[m1].segments[2026-06-14T07:00:00.000Z].start: 0 -> 1\n");
    /* A closed month is out of reach, from its end on it is not. */
    closed_at = "2026-06-14T15:00:00.001+08:00";
    expect(ONE(""),
        REPLACED("2026-06-14T15:00:00+08:00", "end = 70;", "2026-06-14T15:00:00+08:00", "start = 0;"),
        "PAST " KEY_2024 ".end: none -> 70\n"
        "PAST " KEY_2024 ".until: none -> 2026-06-14T15:00:00+08:00\n"
        "PAST meters[m1].segments[2026-06-14T07:00:00.000Z]: none -> \n");
    closed_at = "2026-06-14T15:00:00+08:00";
    expect(ONE(""),
        REPLACED("2026-06-14T15:00:00+08:00", "end = 70;", "2026-06-14T15:00:00+08:00", "start = 0;"),
        "late " KEY_2024 ".end: none -> 70\n"
        "late " KEY_2024 ".until: none -> 2026-06-14T15:00:00+08:00\n"
        "late meters[m1].segments[2026-06-14T07:00:00.000Z]: none -> \n");
    closed_at = NULL;
    /* A segment that is put before one is no replacement. */
    expect(BASE "meters = ( " METER(
               "m1", "segments = ( " SEGMENT("2026-06-14T15:00:00+08:00", "start = 0;") " );") " );\n",
        BASE "meters = ( " METER("m1",
            "segments = ( " SEGMENT("2026-06-13T15:00:00+08:00",
                "start = 0; until = \"2026-06-14T15:00:00+08:00\";") ", " SEGMENT("2026-06-14T15:00:00+08:00",
                "start = 0;") " );") " );\n",
        "PAST meters[m1].segments[2026-06-13T07:00:00.000Z]: none -> \n");
}

#define TWO(second)                                                                           \
    BASE "meters = ( " METER("m1", "segments = ( " SEGMENT(SINCE_2024, "") " );") ", " METER( \
        "m2", second) " );\n"
#define NEW(from, rest) TWO("segments = ( " SEGMENT(from, rest) " );")

static void test_what_is_new_is_of_the_past_where_there_are_figures_of_its_time(void **state)
{
    (void)state;
    /* From now on; what is read a little later, too; without a segment. */
    expect(ONE(""), NEW("2026-06-15T12:00:00+08:00", ""), "free meters[m2]: none -> \n");
    expect(ONE(""), NEW("2026-06-15T11:00:00+08:00", ""), "free meters[m2]: none -> \n");
    expect(ONE(""), TWO("power = \"gw-a/p\";"), "free meters[m2]: none -> \n");
    /* Within a week it is entered late, as a replacement is. */
    expect(ONE(""), NEW("2026-06-15T10:59:59+08:00", ""), "late meters[m2]: none -> \n");
    expect(ONE(""), NEW("2026-06-08T12:00:00+08:00", ""), "late meters[m2]: none -> \n");
    expect(ONE(""), NEW("2026-06-08T11:59:59+08:00", ""), "PAST meters[m2]: none -> \n");
    /* One segment of several is enough, whichever. */
    expect(ONE(""),
        TWO("segments = ( " SEGMENT("2026-06-14T00:00:00+08:00", "") ", " SEGMENT(
            "2026-05-01T00:00:00+08:00", "until = \"2026-06-01T00:00:00+08:00\";") " );"),
        "PAST meters[m2]: none -> \n");
    /* What was gone before there were figures changes none. */
    expect(ONE(""), NEW(SINCE_2024, "until = \"2025-04-01T00:00:00+08:00\";"), "free meters[m2]: none -> \n");
    expect(ONE(""), NEW(SINCE_2024, "until = \"2025-04-01T00:15:00+08:00\";"), "PAST meters[m2]: none -> \n");
    /* The first segment of a meter that had none is no replacement. */
    expect(TWO("power = \"gw-a/p\";"),
        TWO("power = \"gw-a/p\"; segments = ( " SEGMENT("2026-06-14T00:00:00+08:00", "") " );"),
        "late meters[m2].segments[2026-06-13T16:00:00.000Z]: none -> \n");
    expect(TWO("power = \"gw-a/p\";"), TWO("power = \"gw-a/p\"; segments = ( " SEGMENT(SINCE_2024, "") " );"),
        "PAST meters[m2].segments[2023-12-31T16:00:00.000Z]: none -> \n");
    /* Not in a month that is closed. */
    closed_at = "2026-06-14T00:00:00.001+08:00";
    expect(ONE(""), NEW("2026-06-14T00:00:00+08:00", ""), "PAST meters[m2]: none -> \n");
    closed_at = "2026-06-14T00:00:00+08:00";
    expect(ONE(""), NEW("2026-06-14T00:00:00+08:00", ""), "late meters[m2]: none -> \n");
    closed_at = NULL;
    /* While a park is being set up there is nothing yet to be contradicted. */
    figures_at = NULL;
    expect(ONE(""), NEW(SINCE_2024, ""), "free meters[m2]: none -> \n");
    figures_at = "2026-06-15T11:00:00+08:00";
    expect(ONE(""), NEW(SINCE_2024, ""), "free meters[m2]: none -> \n");
    figures_at = "2026-06-08T12:00:00+08:00";
    expect(ONE(""), NEW(SINCE_2024, ""), "late meters[m2]: none -> \n");
    figures_at = "2026-06-08T11:45:00+08:00";
    expect(ONE(""), NEW(SINCE_2024, ""), "PAST meters[m2]: none -> \n");
    figures_at = OLD_BOOKS;
    expect(ONE(""), REPLACED("2026-07-01T00:00:00+08:00", "", "2026-07-01T00:00:00+08:00", ""),
        "free " KEY_2024 ".until: none -> 2026-07-01T00:00:00+08:00\n"
        "free meters[m1].segments[2026-06-30T16:00:00.000Z]: none -> \n");
}

static void test_a_meter_that_goes_takes_its_past_with_it(void **state)
{
    (void)state;
    expect(ONE(""), BASE "meters = ( );\n", "PAST meters[m1]:  -> none\n");
    expect_at("2023-06-01T00:00:00Z", ONE(""), BASE "meters = ( );\n", "free meters[m1]:  -> none\n");
}

#define VIRTUAL                                                                                            \
    "virtual_meters = ( { id = \"v\"; name = \"x\"; name_en = \"x\"; building = \"b1\"; tenant = \"t1\"; " \
    "plus = (\"m1\"); } );\n"

static void test_a_virtual_meter_has_no_date(void **state)
{
    (void)state;
    expect(ONE(""), ONE("") VIRTUAL, "PAST virtual_meters[v]: none -> \n");
    expect(ONE("") VIRTUAL, ONE(""), "PAST virtual_meters[v]:  -> none\n");
    figures_at = "2026-06-14T00:00:00Z";
    expect(ONE(""), ONE("") VIRTUAL, "late virtual_meters[v]: none -> \n");
    figures_at = NULL;
    expect(ONE(""), ONE("") VIRTUAL, "free virtual_meters[v]: none -> \n");
    figures_at = OLD_BOOKS;
}

#define TAGGED(rest)                                                                                \
    BASE "meters = ( " METER("m1", rest " segments = ( " SEGMENT(SINCE_2024, "") " );") ", " METER( \
        "up", "power = \"gw-a/p\";") " );\n"

static void test_what_a_meter_is_held_in_the_past(void **state)
{
    (void)state;
    expect(TAGGED(""), TAGGED("tenant = \"t1\";"), "PAST meters[m1].tenant: none -> t1\n");
    expect(TAGGED("tenant = \"t1\";"), TAGGED("tenant = \"t2\";"), "PAST meters[m1].tenant: t1 -> t2\n");
    expect(TAGGED(""), TAGGED("parent = \"up\";"), "PAST meters[m1].parent: none -> up\n");
    expect(
        TAGGED("item = \"01A00\";"), TAGGED("item = \"01B00\";"), "PAST meters[m1].item: 01A00 -> 01B00\n");
    expect(TAGGED(""), TAGGED("max_gap = 900;"), "PAST meters[m1].max_gap: 1200 -> 900\n");
    expect(TAGGED(""), TAGGED("profile = false;"), "PAST meters[m1].profile: true -> false\n");
    expect(TAGGED(""), TAGGED("balance_limit = \"0.1\";"), "PAST meters[m1].balance_limit: 1/20 -> 1/10\n");
    expect(TAGGED(""), TAGGED("power = \"gw-a/q\";"), "free meters[m1].power: none -> gw-a/q\n");
    expect_at("2023-06-01T00:00:00Z", TAGGED("tenant = \"t1\";"), TAGGED("tenant = \"t2\";"),
        "free meters[m1].tenant: t1 -> t2\n");
}

#define LATER(rest) TAGGED("tenant = \"t1\"; changes = ( " rest " );")
#define ROW_OF(time, rest) "{ from = \"" time "\"; " rest " }"

static void test_a_dated_change_of_tags_counts_from_its_time_on(void **state)
{
    (void)state;
    expect(TAGGED("tenant = \"t1\";"), LATER(ROW_OF("2026-07-01T00:00:00+08:00", "tenant = \"t2\";")),
        "free meters[m1].changes[2026-06-30T16:00:00.000Z]: none -> \n");
    expect(TAGGED("tenant = \"t1\";"), LATER(ROW_OF("2026-06-15T11:00:00+08:00", "tenant = \"t2\";")),
        "free meters[m1].changes[2026-06-15T03:00:00.000Z]: none -> \n");
    expect(TAGGED("tenant = \"t1\";"), LATER(ROW_OF("2026-06-15T10:45:00+08:00", "tenant = \"t2\";")),
        "PAST meters[m1].changes[2026-06-15T02:45:00.000Z]: none -> \n");
    expect(LATER(ROW_OF("2026-06-01T00:00:00Z", "tenant = \"t2\";")),
        LATER(ROW_OF("2026-06-01T08:00:00+08:00", "tenant = \"\";")),
        "PAST meters[m1].changes[2026-06-01T00:00:00.000Z].tenant: t2 -> \n");
    expect(LATER(ROW_OF("2026-06-01T00:00:00Z", "tenant = \"t2\";")), TAGGED("tenant = \"t1\";"),
        "PAST meters[m1].changes[2026-06-01T00:00:00.000Z]:  -> none\n");
    expect(LATER(ROW_OF("2026-07-01T00:00:00Z", "tenant = \"t2\";")), TAGGED("tenant = \"t1\";"),
        "free meters[m1].changes[2026-07-01T00:00:00.000Z]:  -> none\n");
    expect(SITE BUILDING GATEWAY,
        SITE BUILDING "gateways = ( { id = \"gw-a\"; name = \"x\"; name_en = \"x\"; site = \"s1\"; building "
                      "= \"b1\"; changes = ( "
                      "{ from = \"2026-06-01T00:00:00Z\"; building = \"\"; }, { from = "
                      "\"2026-07-01T00:00:00Z\"; building = \"b1\"; } ); } );\n",
        "PAST gateways[gw-a].changes[2026-06-01T00:00:00.000Z]: none -> \n"
        "free gateways[gw-a].changes[2026-07-01T00:00:00.000Z]: none -> \n");
}

static void test_names_are_free_and_places_are_not(void **state)
{
    (void)state;
    expect(SITE BUILDING GATEWAY,
        "sites = ( { id = \"s1\"; name = \"y\"; name_en = \"x\"; zone = \"Asia/Urumqi\"; region = \"r\"; "
        "headcount = 401; } );\n"
        "buildings = ( { id = \"b1\"; name = \"y\"; name_en = \"x\"; site = \"s1\"; area = 101; } );\n"
        "gateways = ( { id = \"gw-a\"; name = \"y\"; name_en = \"x\"; site = \"s1\"; } );\n"
        "spaces = ( { id = \"h\"; name = \"y\"; name_en = \"x\"; building = \"b1\"; } );\n",
        "PAST buildings[b1].area: 100 -> 101\n"
        "free buildings[b1].name: x -> y\n"
        "PAST gateways[gw-a].building: b1 -> none\n"
        "free gateways[gw-a].name: x -> y\n"
        "PAST sites[s1].headcount: 400 -> 401\n"
        "free sites[s1].name: x -> y\n"
        "PAST sites[s1].region: none -> r\n"
        "PAST sites[s1].zone: Asia/Shanghai -> Asia/Urumqi\n"
        "free spaces[h]: none -> \n");
    expect(BASE, SITE BUILDING "gateways = ( );\n",
        "PAST gateways[gw-a]:  -> none\nfree tenants[t1]:  -> none\nfree tenants[t2]:  -> none\n");
}

#define INSTRUMENT(rest)                                                                                \
    BASE "categories = ( { id = \"c\"; name = \"x\"; name_en = \"x\"; }, { id = \"d\"; name = \"x\"; "  \
         "name_en = \"x\"; "                                                                            \
         "} );\n"                                                                                       \
         "instruments = ( { id = \"i\"; name_en = \"x\"; building = \"b1\"; owner = \"o\"; owner_en = " \
         "\"o\"; "                                                                                      \
         "contact = \"x\"; power = \"gw-a/p\"; off_w = 10; standby_w = 20; exit_w = 30; off_means = "   \
         "\"available\"; " rest " } );\n"
#define FORMER "name = \"x\"; category = \"c\"; owner_code = \"9\"; enter_w = 40; "

static void test_what_an_instruments_hours_are_reckoned_by_is_held_in_the_past(void **state)
{
    (void)state;
    expect(BASE, INSTRUMENT(FORMER),
        "free categories[c]: none -> \nfree categories[d]: none -> \nfree instruments[i]: none -> \n");
    expect(INSTRUMENT(FORMER "session = \"gw-a/s\";"),
        INSTRUMENT("name = \"y\"; category = \"d\"; owner_code = \"8\"; enter_w = \"40.5\"; shared = false; "
                   "grace = 60; "
                   "open = \"08:00-18:00\"; rated_hours = 800; session = \"gw-a/t\"; model = \"m\";"),
        "PAST instruments[i].category: c -> d\n"
        "free instruments[i].enter_w: 40 -> 81/2\n"
        "PAST instruments[i].grace: 900 -> 60\n"
        "free instruments[i].model: none -> m\n"
        "free instruments[i].name: x -> y\n"
        "PAST instruments[i].open: none -> 08:00-18:00\n"
        "PAST instruments[i].owner_code: 9 -> 8\n"
        "PAST instruments[i].rated_hours: 1400 -> 800\n"
        "free instruments[i].session: gw-a/s -> gw-a/t\n"
        "free instruments[i].shared: true -> false\n");
    expect(INSTRUMENT(FORMER), BASE,
        "free categories[c]:  -> none\nfree categories[d]:  -> none\nPAST instruments[i]:  -> none\n");
}

/* ---- factors and tariffs: by days ---- */

#define ROW(days, value)                                                                                \
    "{ kind = \"kgco2\"; carrier = \"electricity\"; value = \"" value "\"; unit = \"kgCO2/kWh\"; " days \
    " basis = \"location\"; document = \"d\"; confidence = \"A\"; }"
#define FACTORS(rows) "factors = ( " rows " );\n"

static void expect_rates(
    const char *now, const struct texts *before, const struct texts *after, const char *expected)
{
    char *found = differences(before, after, now);
    assert_string_equal(found, expected);
    free(found);
}

static void expect_factors(const char *now, const char *before, const char *after, const char *expected)
{
    expect_rates(now, &(struct texts){BASE, before, NULL}, &(struct texts){BASE, after, NULL}, expected);
}

static void test_a_factor_changes_from_a_later_day_on(void **state)
{
    (void)state;
    static const char open[] = FACTORS(ROW("from = \"2024-01-01\";", "0.5"));
    expect_factors(NOW, open, FACTORS(ROW("from = \"2024-01-01\";", "0.6")),
        "PAST factors[kgco2 electricity 2024-01-01].value: 0.5 -> 0.6\n");
    expect_factors(NOW, open,
        FACTORS(ROW("from = \"2024-01-01\"; through = \"2026-06-15\";", "0.5") ", " ROW(
            "from = \"2026-06-16\";", "0.6")),
        "free factors[kgco2 electricity 2024-01-01].through: none -> 2026-06-15\n"
        "free factors[kgco2 electricity 2026-06-16]: none -> \n");
    expect_factors(NOW, open,
        FACTORS(ROW("from = \"2024-01-01\"; through = \"2026-06-14\";", "0.5") ", " ROW(
            "from = \"2026-06-15\";", "0.6")),
        "PAST factors[kgco2 electricity 2024-01-01].through: none -> 2026-06-14\n"
        "PAST factors[kgco2 electricity 2026-06-15]: none -> \n");
    /* The day is the site's: 2026-06-15 has begun there. */
    expect_factors("2026-06-14T16:30:00Z", open,
        FACTORS(ROW("from = \"2024-01-01\"; through = \"2026-06-14\";", "0.5")),
        "PAST factors[kgco2 electricity 2024-01-01].through: none -> 2026-06-14\n");
    expect_factors("2026-06-14T15:30:00Z", open,
        FACTORS(ROW("from = \"2024-01-01\"; through = \"2026-06-14\";", "0.5")),
        "free factors[kgco2 electricity 2024-01-01].through: none -> 2026-06-14\n");
    /* A year that had none, before the books and in them. */
    expect_factors(NOW, FACTORS(ROW("year = 2023;", "0.5")),
        FACTORS(ROW("year = 2023;", "0.5") ", " ROW("year = 2024;", "0.4") ", " ROW("year = 2025;", "0.3")),
        "free factors[kgco2 electricity 2024]: none -> \nPAST factors[kgco2 electricity 2025]: none -> \n");
    /* To the day of the site on which they begin. */
    static const char none[] = FACTORS(ROW("year = 2023;", "0.5"));
    expect_factors(NOW, none,
        FACTORS(
            ROW("year = 2023;", "0.5") ", " ROW("from = \"2024-01-01\"; through = \"2025-03-31\";", "0.5")),
        "free factors[kgco2 electricity 2024-01-01]: none -> \n");
    expect_factors(NOW, none,
        FACTORS(
            ROW("year = 2023;", "0.5") ", " ROW("from = \"2024-01-01\"; through = \"2025-04-01\";", "0.5")),
        "PAST factors[kgco2 electricity 2024-01-01]: none -> \n");
    figures_at = "2026-06-14T00:00:00+08:00";
    expect_factors(NOW, none, FACTORS(ROW("year = 2023;", "0.5") ", " ROW("from = \"2024-01-01\";", "0.5")),
        "late factors[kgco2 electricity 2024-01-01]: none -> \n");
    closed_at = "2026-06-14T00:00:00.001+08:00";
    expect_factors(NOW, none, FACTORS(ROW("year = 2023;", "0.5") ", " ROW("from = \"2024-01-01\";", "0.5")),
        "PAST factors[kgco2 electricity 2024-01-01]: none -> \n");
    closed_at = NULL;
    figures_at = NULL;
    expect_factors(NOW, none, FACTORS(ROW("year = 2023;", "0.5") ", " ROW("from = \"2024-01-01\";", "0.5")),
        "free factors[kgco2 electricity 2024-01-01]: none -> \n");
    figures_at = OLD_BOOKS;
    expect_factors(NOW, FACTORS(ROW("year = 2026;", "0.5") ", " ROW("year = 2027;", "0.4")),
        FACTORS(ROW("year = 2027;", "0.5")),
        "PAST factors[kgco2 electricity 2026]:  -> none\n"
        "free factors[kgco2 electricity 2027].value: 0.4 -> 0.5\n");
    expect_factors(NOW, open, NULL, "PAST factors[kgco2 electricity 2024-01-01]:  -> none\n");
}

#define TARIFF(days, hours, price, holidays)                                                        \
    "holidays = ( { id = \"h\"; name = \"x\"; name_en = \"x\"; days = [" holidays                   \
    "]; document = \"d\"; confidence = "                                                            \
    "\"A\"; } );\n"                                                                                 \
    "tariffs = ( { id = \"t\"; name = \"x\"; name_en = \"x\"; carrier = \"electricity\"; sites = "  \
    "[\"s1\"];\n"                                                                                   \
    "schedules = ( { from = \"2024-01-01\"; " days                                                  \
    " document = \"d\"; confidence = \"A\"; seasons = ( { months = \"1-12\"; " hours " } ); } );\n" \
    "prices = ( { from = \"2024-01-01\"; unit = \"yuan/kWh\"; " price                               \
    " document = \"d\"; confidence = \"A\"; } ); } );\n"
#define FLAT "flat = \"00:00-24:00\";"
#define HALVES "flat = \"00:00-12:00\"; peak = \"12:00-24:00\";"
#define PRICED "flat = \"0.6\"; peak = \"0.9\";"

static void expect_tariffs(const char *before, const char *after, const char *expected)
{
    expect_rates(NOW, &(struct texts){BASE, NULL, before}, &(struct texts){BASE, NULL, after}, expected);
}

static void test_a_tariff_changes_from_a_later_day_on(void **state)
{
    (void)state;
    static const char before[] = TARIFF("", HALVES, PRICED, "\"2026-05-01\", \"2026-10-01/2026-10-07\"");
    expect_tariffs(before,
        TARIFF("", HALVES, "flat = \"0.7\"; peak = \"0.9\";", "\"2026-05-01\", \"2026-10-01/2026-10-07\""),
        "PAST tariffs[t].prices[2024-01-01].flat: 0.6 -> 0.7\n");
    expect_tariffs(before,
        TARIFF("", "flat = \"00:00-11:00\"; peak = \"11:00-24:00\";", PRICED,
            "\"2026-05-01\", \"2026-10-01/2026-10-07\""),
        "PAST tariffs[t].schedules[2024-01-01].seasons[1-12].flat: 00:00-12:00 -> 00:00-11:00\n"
        "PAST tariffs[t].schedules[2024-01-01].seasons[1-12].peak: 12:00-24:00 -> 11:00-24:00\n");
    /* Holidays: next year's are free to come, those that were stay. */
    expect_tariffs(before,
        TARIFF("", HALVES, PRICED, "\"2026-05-01\", \"2026-10-01/2026-10-07\", \"2027-05-01\""),
        "free holidays[h].days: 2026-05-01, 2026-10-01/2026-10-07 -> 2026-05-01, 2026-10-01/2026-10-07, "
        "2027-05-01\n");
    expect_tariffs(before, TARIFF("", HALVES, PRICED, "\"2026-10-01/2026-10-07\""),
        "PAST holidays[h].days: 2026-05-01, 2026-10-01/2026-10-07 -> 2026-10-01/2026-10-07\n");
    expect_tariffs(before,
        TARIFF("", HALVES, PRICED, "\"2026-05-01\", \"2026-05-02\", \"2026-10-01/2026-10-07\""),
        "PAST holidays[h].days: 2026-05-01, 2026-10-01/2026-10-07 -> 2026-05-01, 2026-05-02, "
        "2026-10-01/2026-10-07\n");
    /* The first date of a year makes each day of it known that was not, and its last one none: whenever it is. */
    static const char last_year[] = TARIFF("", HALVES, PRICED, "\"2025-05-01\", \"2025-12-31/2026-01-02\"");
    expect_tariffs(last_year,
        TARIFF("", HALVES, PRICED, "\"2025-05-01\", \"2025-12-31/2026-01-02\", \"2026-10-01/2026-10-07\""),
        "PAST holidays[h].days: 2025-05-01, 2025-12-31/2026-01-02 -> 2025-05-01, 2025-12-31/2026-01-02, "
        "2026-10-01/2026-10-07\n");
    expect_tariffs(
        TARIFF("", HALVES, PRICED, "\"2025-05-01\", \"2025-12-31/2026-01-02\", \"2026-10-01/2026-10-07\""),
        last_year,
        "PAST holidays[h].days: 2025-05-01, 2025-12-31/2026-01-02, 2026-10-01/2026-10-07 -> 2025-05-01, "
        "2025-12-31/2026-01-02\n");
    figures_at = "2026-06-12T00:00:00Z"; /* books of this week: as whatever is new */
    expect_tariffs(last_year,
        TARIFF("", HALVES, PRICED, "\"2025-05-01\", \"2025-12-31/2026-01-02\", \"2026-10-01/2026-10-07\""),
        "late holidays[h].days: 2025-05-01, 2025-12-31/2026-01-02 -> 2025-05-01, 2025-12-31/2026-01-02, "
        "2026-10-01/2026-10-07\n");
    figures_at = OLD_BOOKS;
    expect_tariffs(before, NULL, "PAST holidays[h]:  -> none\nPAST tariffs[t]:  -> none\n");
    expect_tariffs(NULL, before, "free holidays[h]: none -> \nPAST tariffs[t]: none -> \n");
    figures_at = NULL;
    expect_tariffs(NULL, before, "free holidays[h]: none -> \nfree tariffs[t]: none -> \n");
    figures_at = OLD_BOOKS;
}

static void test_a_sentence_says_where_what_and_what_else_would_do(void **state)
{
    (void)state;
    int64_t now_ms;
    assert_true(rfc3339_parse(NOW, &now_ms));
    struct model *a = load(&(struct texts){.park = ONE("ct = 200; registers = \"primary\";")}),
                 *b = load(&(struct texts){.park = ONE("ct = 100; registers = \"primary\";")}),
                 *c = load(&(struct texts){.park = BASE});
    struct difference_now now = model_now(b, now_ms, figures_ms());
    struct differences d;
    differences_find(&a->facts, &b->facts, &now, &d);
    char *text = difference_sentence(&d.items[0]);
    assert_string_equal(text,
        "park.cfg:5: " KEY_2024 ".ct: was 200, now 100; this held in the past: expected unchanged, or a new "
        "segment from now on, or a decision");
    free(text);
    differences_release(&d);
    differences_find(&a->facts, &c->facts, &now, &d);
    text = difference_sentence(&d.items[0]);
    assert_string_equal(text, "park.cfg: meters[m1]: was there, now gone; this held in the past: expected "
                              "unchanged, or a decision");
    free(text);
    text = difference_text(&d.items[0]);
    assert_string_equal(text, "park.cfg: meters[m1]: was there, now gone");
    free(text);
    differences_release(&d);
    differences_find(&c->facts, &a->facts, &now, &d);
    text = difference_sentence(&d.items[0]);
    assert_string_equal(text,
        "park.cfg:5: meters[m1]: is new; this counts for days that have begun: expected `from` of at most a "
        "week ago, in no closed month, or a decision");
    free(text);
    differences_release(&d);
    model_put(a);
    model_put(b);
    model_put(c);
}

#define BASELINE(reporting, rest)                                                                          \
    "baselines = ( { id = \"e\"; name = \"x\"; name_en = \"x\"; meter = \"m1\"; step = \"day\";"           \
    " temperature = \"gw-a/t\"; from = \"2024-01-01\"; through = \"2024-12-31\"; reporting = \"" reporting \
    "\"; model = \"heating\"; heating_to = 18; " rest " } );\n"

static void test_a_baseline_is_of_the_past_once_its_reporting_period_has_begun(void **state)
{
    (void)state;
    static const char past[] = ONE("") BASELINE("2026-06-15", "heating_from = 12;"),
                      ahead[] = ONE("") BASELINE("2026-06-17", "heating_from = 12;");
    expect(past, ONE("") BASELINE("2026-06-15", "heating_from = 13;"),
        "PAST baselines[e].heating_from: 12 -> 13\n");
    expect(past, ONE("") BASELINE("2027-06-15", "heating_from = 12;"),
        "PAST baselines[e].reporting: 2026-06-15 -> 2027-06-15\n");
    expect(past, ONE(""), "PAST baselines[e]:  -> none\n");
    expect(ONE(""), past, "free baselines[e]: none -> \n");
    expect(ahead, ONE("") BASELINE("2026-06-17", "heating_from = 13;"),
        "free baselines[e].heating_from: 12 -> 13\n");
    expect(ahead, ONE(""), "free baselines[e]:  -> none\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_says_the_same_is_the_same),
        cmocka_unit_test(test_each_key_of_a_segment_that_has_begun_is_of_the_past),
        cmocka_unit_test(test_an_end_from_now_on_is_none_of_the_past),
        cmocka_unit_test(test_a_replacement_entered_within_a_week_with_its_registers_is_late),
        cmocka_unit_test(test_what_is_new_is_of_the_past_where_there_are_figures_of_its_time),
        cmocka_unit_test(test_a_virtual_meter_has_no_date),
        cmocka_unit_test(test_a_meter_that_goes_takes_its_past_with_it),
        cmocka_unit_test(test_what_a_meter_is_held_in_the_past),
        cmocka_unit_test(test_a_dated_change_of_tags_counts_from_its_time_on),
        cmocka_unit_test(test_names_are_free_and_places_are_not),
        cmocka_unit_test(test_what_an_instruments_hours_are_reckoned_by_is_held_in_the_past),
        cmocka_unit_test(test_a_factor_changes_from_a_later_day_on),
        cmocka_unit_test(test_a_tariff_changes_from_a_later_day_on),
        cmocka_unit_test(test_a_sentence_says_where_what_and_what_else_would_do),
        cmocka_unit_test(test_a_baseline_is_of_the_past_once_its_reporting_period_has_begun),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
