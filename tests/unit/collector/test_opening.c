/* Opening hours: what is written, and when it is open, against clocks that are asked minute by minute. */
#include "collector/model/opening.h"
#include "tests/unit/oracle.h"

static void test_texts(void **state)
{
    (void)state;
    static const char *const good[] = {"08:00-18:00", "00:00-24:00", "Mon 08:00-12:00, Mon 12:00-18:00",
        "Mon-Fri 08:00-18:00, Sat 09:00-12:00", "Sun 23:59-24:00", "Mon-Sun 00:00-00:01"};
    static const char *const bad[] = {"", " ", "8:00-18:00", "08:00", "08:00-08:00", "18:00-08:00",
        "08:00-24:01", "08:60-09:00", "08:00-18:00,", "08:00-18:00, ", "08:00-18:00,Sat 08:00-09:00",
        "Fri-Mon 08:00-09:00", "Mo 08:00-09:00", "Mon08:00-09:00", "Mon- 08:00-09:00", "mon 08:00-09:00",
        "08:00-18:00, Mon 17:59-19:00", "08:00-18:00x", "closed"};
    struct opening o;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        if (!opening_parse(good[i], &o) || o.count == 0)
            fail_msg("%s", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (opening_parse(bad[i], &o))
            fail_msg("%s", bad[i]);
    assert_true(opening_parse(NULL, &o));
    struct opening_now now = opening_at(&o, NULL, 5);
    assert_true(now.is_open);
    assert_true(now.until_ms == INT64_MAX);
}

static void test_it_is_open_when_the_clocks_say_so(void **state)
{
    (void)state;
    struct oracle oracle;
    struct zone *zone = NULL;
    struct opening o = {.count = 0};
    char place[64] = "";
    oracle_open(&oracle, "collector/oracle_opening.py", random_uint64() >> 32, NULL);
    while (oracle_read(&oracle)) {
        int length, is_open;
        long long time_s, since_s, until_s;
        if (sscanf(oracle.line, "case %63[^|]|%n", place, &length) == 1) {
            zone_destroy(zone);
            zone = zone_create(place);
            if (!opening_parse(oracle.line + length, &o))
                fail_msg("%s", oracle.line);
        } else if (sscanf(oracle.line, "at %lld %d %lld %lld", &time_s, &is_open, &since_s, &until_s) == 4) {
            int64_t time_ms = time_s * 1000 + (int64_t)random_below(1000);
            struct opening_now now = opening_at(&o, zone, time_ms);
            int64_t since_ms = opening_since(&o, zone, time_ms);
            if (now.is_open != is_open || since_ms != (since_s < 0 ? INT64_MIN : since_s * 1000) ||
                now.until_ms != (until_s < 0 ? INT64_MAX : until_s * 1000))
                fail_msg("%s, %s: open %d since %lld until %lld", place, oracle.line, now.is_open,
                    (long long)since_ms, (long long)now.until_ms);
        } else {
            fail_msg("%s", oracle.line);
        }
    }
    oracle_close(&oracle, 120);
    zone_destroy(zone);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_it_is_open_when_the_clocks_say_so),
    };
    return cmocka_run_group_tests(tests, random_set_up, NULL);
}
