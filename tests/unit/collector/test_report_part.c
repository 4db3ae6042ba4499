/* What a meter enters into, over random trees: parts tile what they are parts of, exactly. */
#include "collector/report/part.h"
#include "tests/unit/random.h"

#include "lib/mem.h"

#include <string.h>

#define METERS 24
#define PLACES 4 /* buildings, tenants and items to draw from */

struct forest {
    struct park_site sites[2];
    struct park_building buildings[PLACES];
    struct park_tenant tenants[PLACES];
    struct park_meter meters[METERS];
    int64_t amounts[METERS]; /* what flows through */
    int64_t used[METERS];    /* between it and those below it */
    int64_t own[METERS];     /* of which no meter with a register further down knows */
};

static char *const items[PLACES] = {(char *)"01000", (char *)"01A00", (char *)"01B00", NULL};

/* The nearest meter at or above it that has a register; -1 = none. */
static ptrdiff_t knows(const struct forest *f, size_t i)
{
    const struct park_meter *meter = &f->meters[i];
    while (meter != NULL && meter->segments.count == 0)
        meter = meter->parent;
    return meter != NULL ? meter - f->meters : -1;
}

static struct park_segment installed = {.from_ms = -PERIODS_QUARTER_HOUR_MS, .until_ms = INT64_MAX};

/* Each meter measures what hangs below it, and something of its own. */
static void draw(struct forest *f)
{
    memset(f, 0, sizeof *f);
    for (size_t i = 0; i < PLACES; i++)
        f->buildings[i].site = &f->sites[i == PLACES - 1]; /* the last building is of the other site */
    for (size_t i = METERS; i-- > 0;) {
        struct park_meter *meter = &f->meters[i];
        meter->carrier = CARRIER_ELECTRICITY;
        meter->segments.items = &installed;
        meter->segments.count = i == 0 || random_below(8) > 0; /* some have no register */
        meter->building = &f->buildings[random_below(PLACES)];
        size_t tenant = random_below(PLACES);
        meter->tenant = tenant > 0 ? &f->tenants[tenant] : NULL;
        meter->item = items[random_below(PLACES)];
        meter->parent = i > 0 && random_below(4) > 0 ? &f->meters[random_below(i)] : NULL;
        int64_t used = (int64_t)random_below(1000) - 100;
        f->amounts[i] += used;
        f->used[i] = used;
        if (meter->parent != NULL)
            f->amounts[meter->parent - f->meters] += f->amounts[i];
    }
    for (size_t i = 0; i < METERS; i++)
        if (knows(f, i) >= 0)
            f->own[knows(f, i)] += f->used[i];
}

static int64_t amount_of(const struct forest *f, const struct part *part)
{
    int64_t sum = 0;
    for (size_t i = 0; i < METERS; i++)
        sum += part_sign(part, &f->meters[i], 0) * f->amounts[i];
    return sum;
}

/* What is measured by the meters of the site themselves: everything, once. */
static int64_t owned(const struct forest *f, const struct park_site *site)
{
    int64_t sum = 0;
    for (size_t i = 0; i < METERS; i++)
        if (f->meters[i].building->site == site)
            sum += f->own[i];
    return sum;
}

static void test_buildings_tenants_and_items_add_up_to_the_site(void **state)
{
    (void)state;
    for (int round = 0; round < 500; round++) {
        struct forest f;
        draw(&f);
        struct part site = {.kind = PART_SITE, .site = &f.sites[0]};
        int64_t total = amount_of(&f, &site), buildings = 0, tenants = 0, of_items = 0, gaps = 0;
        assert_int_equal(total, owned(&f, &f.sites[0]));
        for (size_t i = 0; i < PLACES; i++) {
            struct part part = site;
            part.kind = PART_BUILDING;
            part.building = &f.buildings[i];
            if (f.buildings[i].site == &f.sites[0])
                buildings += amount_of(&f, &part);
            part.kind = PART_TENANT;
            part.tenant = i > 0 ? &f.tenants[i] : NULL;
            tenants += amount_of(&f, &part);
            part.kind = PART_ITEM;
            part.item = items[i];
            of_items += amount_of(&f, &part);
        }
        for (size_t i = 0; i < METERS; i++) {
            struct part gap = {.kind = PART_GAP, .site = f.meters[i].building->site, .meter = &f.meters[i]};
            assert_int_equal(amount_of(&f, &gap), f.own[i]);
            gap.kind = PART_METER;
            assert_int_equal(amount_of(&f, &gap), f.meters[i].segments.count > 0 ? f.amounts[i] : 0);
            gaps += f.meters[i].building->site == &f.sites[0] ? f.own[i] : 0;
        }
        assert_int_equal(buildings, total);
        assert_int_equal(tenants, total);
        assert_int_equal(of_items, total);
        assert_int_equal(gaps, total);
    }
}

static void test_other_carriers_and_other_sites_do_not_enter(void **state)
{
    (void)state;
    struct forest f;
    draw(&f);
    struct part heat = {.kind = PART_SITE, .carrier = CARRIER_HEAT, .site = &f.sites[0]};
    assert_int_equal(amount_of(&f, &heat), 0);
    struct park_meter alone = {.carrier = CARRIER_HEAT,
        .segments = {.items = &installed, .count = 1},
        .building = &f.buildings[PLACES - 1]};
    assert_int_equal(part_sign(&heat, &alone, 0), 0);
    alone.building = &f.buildings[0];
    assert_int_equal(part_sign(&heat, &alone, 0), 1);
    /* Before it came. */
    assert_int_equal(part_sign(&heat, &alone, -PERIODS_QUARTER_HOUR_MS - 1), 0);
}

/* A main meter feeds a building that also feeds in; below it is a laboratory of another tenant. */
static void test_what_flows_back_is_taken_off_wherever_the_meter_is_added(void **state)
{
    (void)state;
    struct park_site site = {0};
    struct park_building building = {.site = &site};
    struct park_tenant tenant = {0};
    struct park_meter main = {.building = &building, .segments = {&installed, 1}},
                      lab = {.building = &building,
                          .tenant = &tenant,
                          .parent = &main,
                          .segments = {&installed, 1}},
                      back = {.building = &building, .export_of = &main, .segments = {&installed, 1}},
                      lab_back = {.building = &building, .export_of = &lab, .segments = {&installed, 1}};
    const struct park_meter *const meters[] = {&main, &back, &lab, &lab_back};
    static const struct {
        enum part_kind kind;
        bool is_tenant;
        int signs[4];
    } cases[] = {
        {PART_SITE, false, {1, -1, 0, 0}},
        {PART_BUILDING, false, {1, -1, 0, 0}},
        {PART_TENANT, true, {0, 0, 1, -1}},
        {PART_TENANT, false, {1, -1, -1, 1}},
        {PART_GAP, false, {1, -1, -1, 1}},
    };
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++)
        for (size_t i = 0; i < 4; i++) {
            struct part part = {.kind = cases[k].kind,
                .site = &site,
                .building = &building,
                .tenant = cases[k].is_tenant ? &tenant : NULL,
                .meter = &main};
            assert_int_equal(part_sign(&part, meters[i], 0), cases[k].signs[i]);
        }
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(part_sign(&(struct part){.kind = PART_METER, .meter = meters[i]}, meters[i], 0), 1);
}

static struct series series_of(int64_t amount, enum series_state state)
{
    struct series s;
    series_init(&s, (struct periods_span){0, 3 * PERIODS_QUARTER_HOUR_MS}, &(struct series_due){0, 0, 0});
    for (size_t i = 0; i < s.count; i++) {
        s.amounts[i] = amount;
        s.states[i] = SERIES_MEASURED;
    }
    s.states[1] = (uint8_t)state;
    s.amounts[1] = series_is_known(state) ? amount : 0;
    return s;
}

static void test_a_sum_is_as_good_as_the_worst_that_entered(void **state)
{
    (void)state;
    struct series a = series_of(7, SERIES_ESTIMATED), b = series_of(3, SERIES_UNKNOWN), sum;
    part_series_init(&sum, a.span);
    part_series_add(&sum, &a, a.span, 1);
    assert_int_equal(sum.states[1], SERIES_ESTIMATED);
    part_series_add(&sum, &b, b.span, -1);
    assert_int_equal(sum.amounts[0], 4);
    assert_int_equal(sum.states[0], SERIES_MEASURED);
    assert_int_equal(sum.amounts[1], 7); /* what is known of it */
    assert_int_equal(sum.states[1], SERIES_UNKNOWN);
    assert_int_equal(sum.amounts[2], 4);
    a.amounts[2] = INT64_MAX;
    part_series_add(&sum, &a, a.span, 1);
    assert_int_equal(sum.states[2], SERIES_UNKNOWN); /* it does not fit */
    assert_int_equal(sum.amounts[2], 0);
    assert_int_equal(sum.amounts[0], 11);
    series_release(&a);
    series_release(&b);
    series_release(&sum);
}

/* Of a long series, quarter hours of a stretch are added as single ones are, wherever it begins and ends. */
static void test_a_stretch_of_many_is_added_as_single_quarter_hours(void **state)
{
    (void)state;
    static const int64_t amounts[] = {0, 7, -5, INT64_MAX, INT64_MIN, INT64_MAX - 3, INT64_MIN + 6};
    struct periods_span span = {0, 300 * PERIODS_QUARTER_HOUR_MS};
    for (unsigned round = 0, random = 20261129; round < 60; round++) {
        struct series sum, other, expected;
        part_series_init(&sum, span);
        part_series_init(&other, span);
        part_series_init(&expected, span);
        size_t from = (random = random * 1103515245 + 12345) / 65536 % 150, until = 299 - random / 512 % 140;
        int sign = round % 2 == 0 ? 1 : -1;
        for (size_t i = 0; i < sum.count; i++) {
            random = random * 1103515245 + 12345;
            bool is_large = random / 65536 % 61 == 0;
            sum.states[i] = (uint8_t)(random / 1024 % (SERIES_ABSENT + 1));
            other.states[i] = (uint8_t)(random / 8192 % (SERIES_ABSENT + 1));
            sum.amounts[i] = is_large ? amounts[random / 131072 % 7] : (int64_t)(random / 4) - 100000000;
            other.amounts[i] =
                other.states[i] == SERIES_ABSENT ? 0 : amounts[is_large ? random / 524288 % 7 : random % 3];
            bool is_in = i >= from && i < until;
            __int128 exact = sum.amounts[i] + (is_in ? (__int128)sign * other.amounts[i] : 0);
            bool fits = exact >= INT64_MIN && exact <= INT64_MAX;
            expected.amounts[i] = fits ? (int64_t)exact : 0;
            uint8_t one = other.states[i] < SERIES_UNKNOWN && !fits ? SERIES_UNKNOWN : other.states[i];
            bool is_kept =
                !is_in || one == SERIES_ABSENT || (sum.states[i] != SERIES_ABSENT && sum.states[i] > one);
            expected.states[i] = is_kept ? sum.states[i] : one;
        }
        part_series_add(&sum, &other,
            (struct periods_span){
                (int64_t)from * PERIODS_QUARTER_HOUR_MS, (int64_t)until * PERIODS_QUARTER_HOUR_MS},
            sign);
        assert_memory_equal(sum.amounts, expected.amounts, sum.count * sizeof *sum.amounts);
        assert_memory_equal(sum.states, expected.states, sum.count);
        series_release(&sum);
        series_release(&other);
        series_release(&expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_buildings_tenants_and_items_add_up_to_the_site),
        cmocka_unit_test(test_what_flows_back_is_taken_off_wherever_the_meter_is_added),
        cmocka_unit_test(test_other_carriers_and_other_sites_do_not_enter),
        cmocka_unit_test(test_a_sum_is_as_good_as_the_worst_that_entered),
        cmocka_unit_test(test_a_stretch_of_many_is_added_as_single_quarter_hours),
    };
    return cmocka_run_group_tests(tests, random_set_up, NULL);
}
