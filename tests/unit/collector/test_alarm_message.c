/* What receivers are sent: one id for each message, texts in both languages, mail whose lines keep within their bounds, and which answers
 * mean that it was taken. Bodies and signatures are held against other programs by test_alarm_receivers.py. */
#include "collector/alarm/message.h"

#include "lib/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

static char rule[] = "night", target[] = "m1";

static struct alarm an_alarm(void)
{
    return (struct alarm){.id = 12,
        .rule = rule,
        .kind = ALARM_THRESHOLD,
        .target_kind = ALARM_OF_METER,
        .target = target,
        .severity = ALARM_CRITICAL,
        .since_ms = INT64_C(1790000000000),
        .fired_ms = INT64_C(1790000300000),
        .has_value = true,
        .has_bound = true,
        .value_m = -1500,
        .bound_m = -1000};
}

static struct alarm_message a_message(const struct alarm *a, int64_t number)
{
    return (struct alarm_message){.alarm = a,
        .collector = "main",
        .place = {"总表", "Main meter", "s", CARRIER_ELECTRICITY, "1号楼", "Building 1"},
        .number = number};
}

static void test_each_message_has_an_id_of_its_own_and_each_attempt_the_same(void **state)
{
    (void)state;
    char ids[4][ALARM_MESSAGE_ID_SIZE], again[ALARM_MESSAGE_ID_SIZE];
    struct alarm a = an_alarm(), over = an_alarm();
    over.cleared_ms = a.fired_ms + 1;
    struct alarm_message messages[] = {
        a_message(&a, 1), a_message(&a, 2), a_message(&over, 2), a_message(&over, 3)};
    for (int i = 0; i < 4; i++) {
        alarm_message_id(&messages[i], ids[i]);
        alarm_message_id(&messages[i], again);
        assert_string_equal(ids[i], again);
        for (int k = 0; k < i; k++)
            assert_string_not_equal(ids[i], ids[k]);
    }
    assert_int_equal(alarm_event_of(&a, 1), ALARM_EVENT_FIRED);
    assert_int_equal(alarm_event_of(&a, 2), ALARM_EVENT_STANDING);
    /* It fired all the same, and this message says no more than that, as before. */
    struct alarm_message late = a_message(&over, 1);
    alarm_message_id(&late, again);
    assert_string_equal(again, ids[0]);
    assert_int_equal(alarm_event_of(&over, 1), ALARM_EVENT_FIRED);
    assert_int_equal(alarm_event_of(&over, 2), ALARM_EVENT_CLEARED);
    /* It says more than an attempt before did, which may have arrived. */
    a.news = 1;
    alarm_message_id(&messages[0], again);
    assert_string_not_equal(again, ids[0]);
}

static void test_a_message_is_one_line_in_either_language(void **state)
{
    (void)state;
    struct alarm a = an_alarm();
    struct alarm_message m = a_message(&a, 1);
    char *en = alarm_message_text(&m, ALARM_EN), *zh = alarm_message_text(&m, ALARM_ZH);
    assert_string_equal(en,
        "[critical] Alarm: Beyond its limit · meter Main meter (m1) · Building 1 · value -1.5 W · limit -1 W"
        " · since 2026-09-21 14:13:20 UTC · rule night · no. 12");
    assert_string_equal(zh, "【严重】告警：越限 · 计量表 总表（m1） · 1号楼 · 数值 -1.5 W · 限值 -1 W"
                            " · 起始 2026-09-21 14:13:20 UTC · 规则 night · 编号 12");
    free(en);
    free(zh);
}

static void test_what_nobody_watches_any_more_is_not_told_as_over(void **state)
{
    (void)state;
    struct alarm a = an_alarm();
    a.cleared_ms = a.fired_ms + 60000;
    a.is_gone = true;
    struct alarm_message m = a_message(&a, 2);
    struct alarm_receiver r = {.kind = ALARM_BY_WEBHOOK, .language = ALARM_EN};
    char *en = alarm_message_text(&m, ALARM_EN), *zh = alarm_message_text(&m, ALARM_ZH),
         *body = alarm_message_body(&m, &r);
    assert_non_null(strstr(en, "[critical] No longer watched: "));
    assert_non_null(strstr(zh, "【严重】不再监视："));
    assert_null(strstr(en, "leared"));
    assert_null(strstr(zh, "恢复"));
    assert_non_null(strstr(body, "\"event\":\"cleared\""));
    assert_non_null(strstr(body, "\"gone\":true"));
    free(en);
    free(zh);
    free(body);
}

/* What it was when it fired is never told as what it is now. */
static void test_a_later_message_says_when_it_fired_and_with_what(void **state)
{
    (void)state;
    struct alarm a = an_alarm();
    a.cleared_ms = a.fired_ms + 60000;
    a.kind = ALARM_LEFT_RUNNING;
    a.reason = ALARM_REASON_BOTH;
    a.has_value = a.has_bound = false;
    struct alarm_message m = a_message(&a, 2);
    m.link = "https://park.example/ops/alarms";
    char *en = alarm_message_text(&m, ALARM_EN);
    assert_string_equal(en,
        "[critical] Cleared: Instrument runs when it should not (outside its opening hours, no session) · "
        "meter "
        "Main meter (m1) · Building 1 · since 2026-09-21 14:13:20 UTC · fired 2026-09-21 14:18:20 UTC"
        " · cleared 2026-09-21 14:19:20 UTC · rule night · no. 12 · https://park.example/ops/alarms");
    free(en);
    a = an_alarm();
    m = a_message(&a, 2);
    struct alarm_receiver r = {.kind = ALARM_BY_WEBHOOK, .language = ALARM_ZH};
    char *zh = alarm_message_text(&m, ALARM_ZH), *body = alarm_message_body(&m, &r);
    assert_string_equal(zh, "【严重】告警未解除：越限 · 计量表 总表（m1） · 1号楼 · 现值 未知 · 限值 -1 W · "
                            "起始 2026-09-21 14:13:20 UTC"
                            " · 触发 2026-09-21 14:18:20 UTC · 触发时 -1.5 W · 规则 night · 编号 12");
    assert_non_null(strstr(body, "\"value\":null"));
    assert_non_null(strstr(body, "\"fired_value\":-1.5"));
    assert_non_null(strstr(body, "\"now_value\":null"));
    free(zh);
    free(body);
}

static void expect_text(const struct alarm_message *m, enum alarm_receiver_kind kind, const char *part)
{
    struct alarm_receiver r = {.kind = kind, .language = ALARM_EN};
    char *body = alarm_message_body(m, &r);
    if (strstr(body, part) == NULL)
        fail_msg("%s has not %s", body, part);
    free(body);
}

/* Which limit, which night, which disk of whom: nobody has to look it up at night. */
static void test_a_message_says_what_its_figures_are_of(void **state)
{
    (void)state;
    struct alarm a = an_alarm();
    struct alarm_message m = a_message(&a, 1);
    a.is_below = true;
    expect_text(&m, ALARM_BY_WEBHOOK, " · value -1.5 W · lower limit -1 W · ");
    expect_text(&m, ALARM_BY_WEBHOOK, "\"below\":true");
    char *zh = alarm_message_text(&m, ALARM_ZH);
    assert_non_null(strstr(zh, " · 下限 -1 W · "));
    free(zh);
    a = an_alarm();
    expect_text(&m, ALARM_BY_WEBHOOK, "\"below\":false");
    expect_text(&m, ALARM_BY_WEBHOOK, "\"period\":null");
    a.kind = ALARM_BASE_LOAD;
    a.from_ms = INT64_C(1789952400000); /* 2026-09-21T01:00:00Z */
    a.until_ms = a.from_ms + 4 * 3600000;
    expect_text(&m, ALARM_BY_WEBHOOK, " · value -1.5 W (2026-09-21 01:00 – 05:00) · limit -1 W · ");
    expect_text(&m, ALARM_BY_WEBHOOK,
        "\"period\":{\"from\":\"2026-09-21T01:00:00.000Z\",\"until\":\"2026-09-21T05:00:00.000Z\"}");
    a.until_ms = a.from_ms + 23 * 3600000;
    m.number = 2;
    expect_text(&m, ALARM_BY_WEBHOOK, " · then -1.5 W (2026-09-21 01:00 – 2026-09-22 00:00) · ");
    char none[] = "";
    a = (struct alarm){.id = 1,
        .rule = rule,
        .kind = ALARM_DISK,
        .target_kind = ALARM_OF_COLLECTOR,
        .target = none,
        .reason = ALARM_REASON_OUTBOX,
        .has_value = true,
        .value_m = 20300};
    m = (struct alarm_message){.alarm = &a, .collector = "park-2", .place = {.carrier = -1}, .number = 1};
    expect_text(&m, ALARM_BY_WEBHOOK,
        "Disk nearly full (what waits for the store) · collector park-2 · value 20.3 % · ");
    expect_text(&m, ALARM_BY_WEBHOOK, "\"reason\":\"outbox\"");
}

/* Whoever is told again wants to know what it has come to, and not only when it is over. */
static void test_what_stands_is_told_again_with_the_value_of_now(void **state)
{
    (void)state;
    struct alarm a = an_alarm();
    struct alarm_message m = a_message(&a, 2);
    m.has_now = true;
    m.now_m = -2345000;
    char *en = alarm_message_text(&m, ALARM_EN);
    assert_string_equal(en, "[critical] Still standing: Beyond its limit · meter Main meter (m1) · Building "
                            "1 · now -2.35 kW · limit "
                            "-1 W · since 2026-09-21 14:13:20 UTC · fired 2026-09-21 14:18:20 UTC · then "
                            "-1.5 W · rule night · no. "
                            "12");
    free(en);
    expect_text(&m, ALARM_BY_WECOM, " · now -2.35 kW · ");
    expect_text(&m, ALARM_BY_DINGTALK, " · now -2.35 kW · ");
    expect_text(&m, ALARM_BY_WEBHOOK, "\"now_value\":-2345.0");
    expect_text(&m, ALARM_BY_WEBHOOK, "\"value\":null");
    /* The first is the same whenever it is made; of what is over the value of now is another matter. */
    m.number = 1;
    expect_text(&m, ALARM_BY_WEBHOOK, "\"now_value\":null");
    expect_text(&m, ALARM_BY_WECOM, " · value -1.5 W · limit ");
    a.cleared_ms = a.fired_ms + 60000;
    m.number = 2;
    expect_text(&m, ALARM_BY_WEBHOOK, "\"now_value\":null");
    expect_text(&m, ALARM_BY_WECOM, " · Building 1 · limit ");
    /* What has no value has none now. */
    a = an_alarm();
    a.kind = ALARM_CLOCK;
    a.has_value = a.has_bound = m.has_now = false;
    expect_text(&m, ALARM_BY_WECOM, " · Building 1 · since ");
}

static void test_figures_are_as_people_write_them(void **state)
{
    (void)state;
    static const struct {
        enum alarm_kind kind;
        int carrier;
        int64_t value_m;
        const char *text;
    } rows[] = {{ALARM_THRESHOLD, CARRIER_ELECTRICITY, 30837400, "30.8 kW"},
        {ALARM_THRESHOLD, CARRIER_ELECTRICITY, -1040000, "-1.04 kW"},
        {ALARM_THRESHOLD, CARRIER_ELECTRICITY, 999900, "999.9 W"},
        {ALARM_THRESHOLD, CARRIER_ELECTRICITY, 1234567890, "1.23 MW"},
        {ALARM_BASE_LOAD, CARRIER_HEAT, 251200000, "251.2 kW"},
        {ALARM_BASE_LOAD, CARRIER_COOLING, INT64_C(5250000000000), "5,250 MW"},
        {ALARM_BASE_LOAD, CARRIER_WATER, 1500000, "1.5 m³/h"},
        {ALARM_BASE_LOAD, CARRIER_GAS, 30000, "30 L/h"},
        {ALARM_WATER, CARRIER_WATER, 12345678, "12.3 m³ in the least quarter hour"},
        {ALARM_BALANCE, -1, 1500500, "1,500.5 % of the gap that is allowed"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct alarm a = {.kind = rows[i].kind, .has_value = true, .value_m = rows[i].value_m};
        struct buf text = {0};
        alarm_value(&a, rows[i].carrier, ALARM_EN, &text);
        assert_string_equal(text.data, rows[i].text);
        buf_release(&text);
    }
}

static void test_silence_is_told_in_seconds_or_minutes(void **state)
{
    (void)state;
    static const struct {
        int64_t value_m;
        const char *en, *zh;
    } rows[] = {{0, "0 s", "0 秒"}, {119999, "119 s", "119 秒"}, {120000, "2 min", "2 分钟"},
        {3659999, "60 min", "60 分钟"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct alarm a = {.kind = ALARM_NO_DATA, .has_value = true, .value_m = rows[i].value_m};
        struct buf en = {0}, zh = {0};
        alarm_value(&a, -1, ALARM_EN, &en);
        alarm_value(&a, -1, ALARM_ZH, &zh);
        assert_string_equal(en.data, rows[i].en);
        assert_string_equal(zh.data, rows[i].zh);
        buf_release(&en);
        buf_release(&zh);
    }
}

/* RFC 5322, 2.1.1, RFC 2047, 2: lines of at most 78 and 76 characters; no line of the head can be of somebody else's making. */
static void test_a_mail_keeps_within_its_lines_whatever_a_name_holds(void **state)
{
    (void)state;
    struct alarm a = an_alarm();
    struct alarm_message m = a_message(&a, 1);
    m.place.name = "总表总表总表总表总表总表总表总表总表总表总表总表总表总表\nBcc: evil@x\n\nbody";
    char *to[] = {(char[]){"duty@park.example"}, (char[]){"boss@park.example"}};
    struct alarm_receiver r = {.kind = ALARM_BY_MAIL, .language = ALARM_ZH, .to = {to, 2}};
    char *mail = alarm_message_body(&m, &r), *rest = NULL;
    assert_null(strstr(mail, "Bcc"));
    assert_non_null(strstr(mail, "To: duty@park.example,\n boss@park.example\n"));
    for (char *line = strtok_r(mail, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest))
        if (strncmp(line, "Message-ID", 10) != 0 && strncmp(line, "X-Parkmon", 9) != 0)
            assert_true(strlen(line) <= 78);
    free(mail);
}

static void test_which_answers_mean_that_it_was_taken(void **state)
{
    (void)state;
    static const struct {
        enum alarm_receiver_kind kind;
        int code;
        const char *body;
        enum status status;
    } rows[] = {{ALARM_BY_WEBHOOK, 200, "", ST_OK}, {ALARM_BY_WEBHOOK, 204, "", ST_OK},
        {ALARM_BY_WEBHOOK, 302, "", ST_PROTOCOL}, {ALARM_BY_WEBHOOK, 404, "", ST_PROTOCOL},
        {ALARM_BY_WEBHOOK, 500, "{\"errcode\":0}", ST_TIMEOUT}, {ALARM_BY_WECOM, 504, "", ST_TIMEOUT},
        {ALARM_BY_DINGTALK, 200, "{\"errcode\":0,\"errmsg\":\"ok\"}", ST_OK},
        {ALARM_BY_DINGTALK, 200, "{\"errcode\":310000,\"errmsg\":\"sign not match\"}", ST_PROTOCOL},
        {ALARM_BY_WECOM, 200, "{\"errcode\":0}", ST_OK},
        {ALARM_BY_WECOM, 200, "{\"errcode\":\"0\"}", ST_TIMEOUT}, {ALARM_BY_WECOM, 200, "<html>", ST_TIMEOUT},
        {ALARM_BY_WECOM, 200, "", ST_TIMEOUT}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct error err = {""};
        assert_int_equal(
            alarm_answer_check(rows[i].kind, rows[i].code, span_of(rows[i].body), &err), rows[i].status);
        assert_int_equal(err.text[0] != '\0', rows[i].status != ST_OK);
        assert_null(strstr(err.text, "sign not match")); /* it may echo the secret */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_message_has_an_id_of_its_own_and_each_attempt_the_same),
        cmocka_unit_test(test_a_message_is_one_line_in_either_language),
        cmocka_unit_test(test_what_nobody_watches_any_more_is_not_told_as_over),
        cmocka_unit_test(test_a_later_message_says_when_it_fired_and_with_what),
        cmocka_unit_test(test_a_message_says_what_its_figures_are_of),
        cmocka_unit_test(test_what_stands_is_told_again_with_the_value_of_now),
        cmocka_unit_test(test_figures_are_as_people_write_them),
        cmocka_unit_test(test_silence_is_told_in_seconds_or_minutes),
        cmocka_unit_test(test_a_mail_keeps_within_its_lines_whatever_a_name_holds),
        cmocka_unit_test(test_which_answers_mean_that_it_was_taken)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
