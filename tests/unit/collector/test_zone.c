#include "collector/model/zone.h"
#include "lib/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void test_a_zone_name_never_leaves_its_folder(void **state)
{
    (void)state;
    assert_true(zone_is_known("Asia/Shanghai"));
    assert_true(zone_is_known("America/Argentina/Buenos_Aires"));
    assert_true(zone_is_known("Etc/GMT+8"));
    static const char *const bad[] = {"", "Asia", "asia/nowhere", "../zoneinfo/UTC", "/UTC", "UTC/",
        "Asia//Shanghai", "./UTC", "zone.tab", "Asia/Shanghai\n"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(zone_is_known(bad[i]));
    char folder[] = "/tmp/parkmon-test-zone-XXXXXX";
    assert_non_null(mkdtemp(folder));
    char *path = mem_printf("%s/Own", folder);
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fputs("TZif2", out);
    fclose(out);
    setenv("TZDIR", folder, 1);
    assert_true(zone_is_known("Own"));
    assert_false(zone_is_known("Asia/Shanghai"));
    unsetenv("TZDIR");
    unlink(path);
    rmdir(folder);
    free(path);
}

static void test_local_times_follow_the_zones_own_rules(void **state)
{
    (void)state;
    /* Oracle: `TZ=<zone> date --iso-8601=seconds -d @<seconds>`. */
    static const struct {
        const char *zone;
        int64_t time_ms;
        const char *text;
    } cases[] = {
        {"Asia/Shanghai", 1790000000123, "2026-09-21T22:13:20.123+08:00"},
        {"Asia/Shanghai", 640000000000, "1990-04-13T17:46:40.000+08:00"},
        {"Asia/Shanghai", 650000000000, "1990-08-07T12:33:20.000+09:00"},
        {"Europe/Berlin", 1790000000000, "2026-09-21T16:13:20.000+02:00"},
        {"Europe/Berlin", 4102444800000, "2100-01-01T01:00:00.000+01:00"},
        {"Europe/Berlin", 4118083200000, "2100-07-01T02:00:00.000+02:00"},
        {"Australia/Lord_Howe", 4102444800000, "2100-01-01T11:00:00.000+11:00"},
        {"Australia/Lord_Howe", 4118083200000, "2100-07-01T10:30:00.000+10:30"},
        {"America/St_Johns", 1790000000000, "2026-09-21T11:43:20.000-02:30"},
        {"No/Such_Zone", 1790000000000, "2026-09-21T14:13:20.000+00:00"},
        {NULL, 1790000000000, "2026-09-21T14:13:20.000+00:00"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct zone *zone = zone_create(cases[i].zone);
        char text[ZONE_TIME_SIZE];
        zone_format_time(zone, cases[i].time_ms, text);
        assert_string_equal(text, cases[i].text);
        zone_destroy(zone);
    }
    char text[ZONE_TIME_SIZE];
    zone_format_time(NULL, 1790000000000, text);
    assert_string_equal(text, "2026-09-21T14:13:20.000Z");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_zone_name_never_leaves_its_folder),
        cmocka_unit_test(test_local_times_follow_the_zones_own_rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
