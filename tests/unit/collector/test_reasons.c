/* Every reason that the model gives for a missing factor or price has its words in Chinese. */
#include "collector/report/reasons.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>

static void test_each_sentence_is_said_in_chinese_with_what_it_names(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"no kgco2 of electricity for 2026-10-05: the first row begins on 2027-01-01",
            "电力缺少 2026-10-05 的 kgco2 系数：首行自 2027-01-01 起"},
        {"no kgco2 of electricity for 2026-10-05: the last row ends on 2025-12-31",
            "电力缺少 2026-10-05 的 kgco2 系数：末行至 2025-12-31 止"},
        {"no kgco2e of heat: there is no such row", "热力没有 kgco2e 系数"},
        {"no kgco2 of electricity: the site names no region; there are rows for zhejiang, shanghai",
            "电力没有 kgco2 系数：园区未注明电网区域；已有区域 zhejiang, shanghai"},
        {"no kgco2 of electricity for region mars; there are rows for zhejiang",
            "电力没有区域 mars 的 kgco2 系数；已有区域 zhejiang"},
        {"the dates of national-day in 2027 are not given (config/tariffs.cfg)",
            "未给出 2027 年 national-day 的日期（config/tariffs.cfg）"},
        {"tariff tou has no schedule for 2020-01-01", "电价 tou 没有 2020-01-01 的时段划分"},
        {"tariff tou has no prices for 2020-01-01", "电价 tou 没有 2020-01-01 的单价"},
        {"no reason", "no reason"},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *zh = reasons_show(PAGE_ZH, cases[i][0]), *en = reasons_show(PAGE_EN, cases[i][0]);
        assert_string_equal(zh, cases[i][1]);
        assert_string_equal(en, cases[i][0]);
        free(zh);
        free(en);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_sentence_is_said_in_chinese_with_what_it_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
