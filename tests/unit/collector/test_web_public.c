/* What visitors are told: the board's answers in words, in both languages, and nothing that is not in them. */
#include "tests/unit/collector/public_fixture.h"

#include "collector/instrument/outage.h"

static void has(const char *page, const char *text)
{
    if (strstr(page, text) == NULL)
        fail_msg("not in the page: %s\n%s", text, page);
}

static void has_not(const char *page, const char *text)
{
    if (strstr(page, text) != NULL)
        fail_msg("in the page: %s\n%s", text, strstr(page, text));
}

/* From where the instrument's card begins to its end; the caller frees it. */
static char *card_of(const char *page, const char *id)
{
    char *mark = mem_printf("data-id=\"%s\"", id);
    const char *at = strstr(page, mark);
    if (at == NULL)
        fail_msg("no card of %s in %s", id, page);
    const char *end = strstr(at, "</li>");
    free(mark);
    assert_non_null(end);
    return mem_strndup(at, (size_t)(end - at));
}

static const char *heading_before(const char *page, const char *id)
{
    static char name[16];
    char *mark = mem_printf("data-id=\"%s\"", id);
    const char *at = strstr(page, mark), *found = NULL;
    free(mark);
    if (at == NULL)
        return "-";
    for (const char *next = page; (next = strstr(next, "<section aria-labelledby=\"")) != NULL && next < at;
         next++)
        found = next + strlen("<section aria-labelledby=\"");
    assert_non_null(found);
    snprintf(name, sizeof name, "%.*s", (int)strcspn(found, "\""), found);
    return name;
}

/* ---- words ---- */

static void test_every_rule_state_and_category_has_its_words_in_both_languages(void **state)
{
    (void)state;
    size_t count;
    const struct availability_rule *rules = availability_rules(&count);
    for (int language = 0; language < PAGE_LANGUAGES; language++) {
        struct public_page page = {.context = &context, .language = (enum page_language)language};
        for (size_t i = 0; i < count; i++)
            if (public_text(&page, "why", rules[i].reason)[0] == '\0')
                fail_msg("why_%s", rules[i].reason);
        for (size_t i = 0; availability_statuses[i] != NULL; i++) {
            char timed[64];
            snprintf(timed, sizeof timed, "%s_time", availability_statuses[i]);
            if (public_text(&page, "state", availability_statuses[i])[0] == '\0')
                fail_msg("state_%s", availability_statuses[i]);
            if (strstr(public_text(&page, "state", timed), "{}") == NULL)
                fail_msg("state_%s without its time", timed);
        }
        for (size_t i = 0; availability_qualities[i] != NULL; i++)
            assert_true(public_text(&page, "fresh", availability_qualities[i])[0] != '\0');
        for (int group = 0; group < PUBLIC_GROUPS; group++)
            assert_true(public_text(&page, "group", public_group_name((enum public_group)group))[0] != '\0');
    }
}

/* ---- groups ---- */

static struct board_item item_of(enum availability_status status, int64_t next_free_ms)
{
    return (struct board_item){
        .answer = {.status = status, .next_free_ms = next_free_ms, .as_of_ms = NOW_MS}};
}

static void test_each_answer_stands_in_its_group(void **state)
{
    (void)state;
    static const struct {
        enum availability_status status;
        int64_t next_ms; /* from now; 0 = not known */
        enum public_group group;
    } cases[] = {{AVAILABILITY_NOT_SHARED, 0, PUBLIC_GROUPS}, {AVAILABILITY_AVAILABLE, 1, PUBLIC_FREE},
        {AVAILABILITY_DEGRADED, 1, PUBLIC_FREE}, {AVAILABILITY_SHORT, 0, PUBLIC_FREE},
        {AVAILABILITY_SHORT, HOUR, PUBLIC_FREE}, {AVAILABILITY_IN_USE, 0, PUBLIC_BUSY},
        {AVAILABILITY_IN_USE, 2 * HOUR, PUBLIC_SOON}, {AVAILABILITY_IN_USE, 2 * HOUR + 1, PUBLIC_BUSY},
        {AVAILABILITY_RESERVED, HOUR, PUBLIC_SOON}, {AVAILABILITY_RESERVED, 0, PUBLIC_BUSY},
        {AVAILABILITY_CLOSED, 0, PUBLIC_CLOSED}, {AVAILABILITY_CLOSED, HOUR, PUBLIC_SOON},
        {AVAILABILITY_CLOSED, 9 * HOUR, PUBLIC_CLOSED}, {AVAILABILITY_UNKNOWN, 0, PUBLIC_UNKNOWN},
        {AVAILABILITY_UNKNOWN, HOUR, PUBLIC_UNKNOWN}, {AVAILABILITY_OUT_OF_SERVICE, 0, PUBLIC_OUT},
        {AVAILABILITY_OUT_OF_SERVICE, HOUR, PUBLIC_OUT}};
    struct board board = {.made_ms = NOW_MS};
    struct public_page page = {.context = &context, .board = &board, .now_ms = NOW_MS};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct board_item item =
            item_of(cases[i].status, cases[i].next_ms == 0 ? AVAILABILITY_NONE : NOW_MS + cases[i].next_ms);
        if (public_group_of(&page, &item, 0) != cases[i].group)
            fail_msg("case %zu: %d", i, public_group_of(&page, &item, 0));
    }
    /* Nobody has said anything for longer than that: what was so is not known to be so. */
    for (int64_t age_ms = BOARD_OLD_MS; age_ms <= BOARD_OLD_MS + 1; age_ms++) {
        page.now_ms = NOW_MS + age_ms;
        for (size_t i = 1; i < sizeof cases / sizeof cases[0]; i++) {
            struct board_item item = item_of(cases[i].status, AVAILABILITY_NONE);
            bool is_unknown = public_group_of(&page, &item, 0) == PUBLIC_UNKNOWN;
            assert_true(is_unknown == (age_ms > BOARD_OLD_MS || cases[i].status == AVAILABILITY_UNKNOWN));
        }
    }
}

/* ---- the list ---- */

static struct board_outage fault = {.id = 1,
    .from_ms = NOW_MS - 26 * HOUR,
    .until_ms = AVAILABILITY_NONE,
    .category = "fault",
    .note = "Wang dropped it"};

static void test_what_is_free_is_told_until_when_and_what_is_not_from_when(void **state)
{
    (void)state;
    struct availability_busy booking = {NOW_MS + 3 * HOUR + 10000, NOW_MS + 5 * HOUR};
    struct board_told *told = public_told();
    told[FULL].bookings = board_times_create((struct availability_list){&booking, 1});
    told[PLAIN].facts.activity = ACTIVITY_RUNNING;
    struct board_times *bookings = told[FULL].bookings;
    public_show(told);
    board_times_put(bookings);
    char *en = public_page_of("/?lang=en"), *zh = public_page_of("/?lang=zh");
    assert_string_equal(heading_before(en, "full"), "free");
    assert_string_equal(heading_before(en, "plain"), "busy");
    assert_string_equal(heading_before(en, "hood"), "free");
    assert_string_equal(heading_before(en, "own"), "-");
    has_not(en, "Private");
    char *full = card_of(en, "full"), *plain = card_of(en, "plain"), *hood = card_of(zh, "hood");
    /* 01:13:30 of the next day: the minute in which it ends */
    has(full, "Free until <time data-of=\"free_until\" datetime=\"2026-09-22T01:13:30.000+08:00\">tomorrow "
              "01:13</time>");
    has(plain,
        "In use since <time data-of=\"since\" datetime=\"2026-09-21T21:13:20.000+08:00\">21:13</time>");
    has(plain, "When it will next be free is not known.");
    has(hood, "可用至 <time data-of=\"free_until\" datetime=\"2026-09-21T23:00:00.000+08:00\">23:00</time>");
    has(en, "<b>2</b> free now");
    has(en, "As of <time data-of=\"as_of\" datetime=\"2026-09-21T22:13:20.000+08:00\">22:13:20</time>");
    has(en, "No names, no badge or card numbers, no faces");
    has(zh, "不采集姓名");
    free(full);
    free(plain);
    free(hood);
    free(en);
    free(zh);
}

static void test_who_does_not_tell_and_what_is_out_says_why_and_no_more(void **state)
{
    (void)state;
    struct board_told *told = public_told();
    told[FULL].facts.outage_since_ms = fault.from_ms;
    told[FULL].outages = &fault;
    told[FULL].outage_count = 1;
    told[PLAIN].facts.power = availability_source_at(NOW_MS, NOW_MS - HOUR, 10000);
    told[PLAIN].facts.activity = ACTIVITY_UNKNOWN;
    public_show(told);
    char *list = public_page_of("/?lang=en"), *one = public_page_of("/instruments/full?lang=en"),
         *zh = public_page_of("/?lang=zh");
    char *full = card_of(list, "full"), *plain = card_of(list, "plain");
    has(zh, ">9月20日（周日）20:13</time> 起停用");
    free(zh);
    assert_string_equal(heading_before(list, "full"), "out");
    assert_string_equal(heading_before(list, "plain"), "unknown");
    has(full, "Out of service since <time data-of=\"since\" datetime=\"2026-09-20T20:13:20.000+08:00\">Sun "
              "20 Sep 20:13<");
    has(full, "<span class=\"detail\">Fault</span>");
    has(plain,
        "Power sensor: last heard <time data-of=\"last\" datetime=\"2026-09-21T21:13:20.000+08:00\">21:13<");
    has_not(list, "Wang");
    has_not(one, "Wang");
    has(one, "<span class=\"detail\">Fault</span>");
    free(full);
    free(plain);
    free(list);
    free(one);
}

static void test_an_old_board_makes_nothing_free(void **state)
{
    (void)state;
    public_show(public_told());
    public_now_ms = NOW_MS + BOARD_OLD_MS + 1;
    char *list = public_page_of("/?lang=en"), *one = public_page_of("/instruments/full?lang=en"),
         *free_only = public_page_of("/?lang=en&available=now");
    public_now_ms = NOW_MS;
    static const char *const ids[] = {"full", "plain", "hood"};
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(heading_before(list, ids[i]), "unknown");
        assert_string_equal(heading_before(free_only, ids[i]), "-");
    }
    has(list, "role=\"alert\">The monitor has not updated for a while");
    has_not(list, "Free until");
    has(one, "Not known");
    has_not(one, "Free until");
    has_not(one, "class=\"day_free\"");
    free(list);
    free(one);
    free(free_only);
}

static void test_filters_and_words_are_looked_for(void **state)
{
    (void)state;
    struct board_told *told = public_told();
    told[PLAIN].facts.activity = ACTIVITY_RUNNING;
    public_show(told);
    static const struct {
        const char *query, *found; /* ids */
    } cases[] = {{"lang=en", "full hood plain"}, {"q=", "full hood plain"}, {"q=microscope", "plain"},
        {"q=电镜", "plain"}, {"q=D8", "full"}, {"q=guangxin", "full plain"}, {"q=nothing", ""},
        {"category=fume", "hood"}, {"category=", "full hood plain"}, {"building=b1", "full plain"},
        {"organisation=园区", "hood"}, {"available=now", "full hood"},
        {"available=now&category=xray", "full"}, {"available=now&length=30m", "full hood"},
        {"available=now&length=1h", "full"}, {"length=2h", "full hood plain"}, {"q=private", ""},
        {"unknown=1", "full hood plain"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *path = mem_printf("/?%s", cases[i].query), *page = public_page_of(path);
        struct buf found = {0};
        static const char *const ids[] = {"full", "hood", "own", "plain"};
        buf_add_str(&found, "");
        for (size_t k = 0; k < 4; k++) {
            char *mark = mem_printf("data-id=\"%s\"", ids[k]);
            if (strstr(page, mark) != NULL)
                buf_printf(&found, "%s%s", found.len > 0 ? " " : "", ids[k]);
            free(mark);
        }
        if (strcmp(found.data != NULL ? found.data : "", cases[i].found) != 0)
            fail_msg("%s: %s; expected %s", cases[i].query, found.data, cases[i].found);
        if (cases[i].found[0] == '\0')
            has(page, "/?lang=en\">All instruments</a>");
        buf_release(&found);
        free(page);
        free(path);
    }
}

static void test_what_is_not_there_to_be_searched_for_is_refused(void **state)
{
    (void)state;
    public_show(public_told());
    static const struct {
        const char *query, *name;
    } cases[] = {{"category=absent", "category"}, {"building=b9", "building"},
        {"available=later", "available"}, {"length=soon", "length"}, {"length=3h", "length"},
        {"q=full&building=b1&category=x", "category"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *path = mem_printf("/?lang=en&%s", cases[i].query), *said = mem_printf("“%s”", cases[i].name);
        struct web_answer answer = public_ask(path);
        assert_int_equal(answer.code, 400);
        has(answer.body, said);
        has(answer.body, "<a href=\"/?lang=en\">Open the page without it</a>");
        answer_release(&answer);
        free(said);
        free(path);
    }
}

static void test_a_wanted_length_is_looked_for_ahead(void **state)
{
    (void)state;
    struct board_told *told = public_told();
    struct availability_busy busy[] = {{NOW_MS + HOUR, NOW_MS + 2 * HOUR + 30000}};
    struct board_times *bookings = told[FULL].bookings =
        board_times_create((struct availability_list){busy, 1});
    told[PLAIN].facts.activity = ACTIVITY_RUNNING;
    public_show(told);
    board_times_put(bookings);
    char *two = public_page_of("/?length=2h&lang=en"), *half = public_page_of("/?length=30m&lang=zh"),
         *any = public_page_of("/?lang=en");
    char *full = card_of(two, "full"), *plain = card_of(two, "plain"), *hood = card_of(two, "hood"),
         *now = card_of(half, "full");
    has(full, "<p class=\"slot\">For 2 h: <time data-of=\"slot\" "
              "datetime=\"2026-09-22T00:13:50.000+08:00\">tomorrow 00:14</time></p>");
    has(plain, "<p class=\"slot\">For 2 h: not known</p>");
    has(hood, "tomorrow 08:00</time></p>"); /* it closes at 23:00 */
    has(now, "<p class=\"slot\">连续 30 分钟：现在可用</p>");
    has(two, "<option value=\"2h\" selected>");
    has_not(any, "class=\"slot\"");
    free(full);
    free(plain);
    free(hood);
    free(now);
    free(two);
    free(half);
    free(any);
}

static void test_what_is_free_soon_is_so_for_as_long_as_is_asked_for(void **state)
{
    (void)state;
    struct board_told *told = public_told();
    struct availability_busy busy[] = {
        {NOW_MS - HOUR, NOW_MS + HOUR}, {NOW_MS + 2 * HOUR, NOW_MS + 4 * HOUR}};
    struct board_times *bookings = told[FULL].bookings =
        board_times_create((struct availability_list){busy, 2});
    public_show(told);
    board_times_put(bookings);
    static const struct {
        const char *query, *group;
    } cases[] = {{"lang=en", "soon"}, {"length=30m", "soon"}, {"length=1h", "soon"}, {"length=2h", "busy"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *path = mem_printf("/?%s", cases[i].query), *page = public_page_of(path);
        assert_string_equal(heading_before(page, "full"), cases[i].group);
        free(page);
        free(path);
    }
}

static void test_a_gap_that_is_shorter_than_the_shortest_use_is_not_offered(void **state)
{
    (void)state;
    struct board_told *told = public_told();
    /* Gaps of 30 min over midnight, of 29 min, and of 30 min. */
    int64_t at_ms = NOW_MS + 6400000 - 15 * (HOUR / 60);
    struct availability_busy busy[] = {{NOW_MS + HOUR, at_ms}, {at_ms + HOUR / 2, at_ms + HOUR},
        {at_ms + HOUR + 29 * (HOUR / 60), at_ms + 2 * HOUR}, {at_ms + 5 * HOUR / 2, at_ms + 60 * HOUR}};
    struct board_times *bookings = told[FULL].bookings =
        board_times_create((struct availability_list){busy, 4});
    public_show(told);
    board_times_put(bookings);
    char *page = public_page_of("/instruments/full?lang=en");
    has(page, "Free 22:14–23:13, 23:45–24:00<");
    has(page, "Free 00:00–00:15, 01:45–02:15<");
    free(page);
    page = public_page_of("/instruments/full?lang=zh");
    has(page, "可用 00:00–00:15，01:45–02:15<");
    free(page);
}

static void test_the_languages_lead_to_the_same_search(void **state)
{
    (void)state;
    public_show(public_told());
    char *page = public_page_of("/?q=a b\"<&category=xray&organisation=光&lang=en");
    has(page, "href=\"/?q=a%20b%22%3C&amp;category=xray&amp;organisation=%E5%85%89&amp;lang=zh\"");
    has(page, "value=\"a b&quot;&lt;\"");
    has_not(page, "a b\"<");
    has(page, "<details open>");
    has(page, "<option value=\"xray\" selected>");
    free(page);
}

/* ---- one instrument ---- */

static void test_what_people_write_is_text_and_never_markup(void **state)
{
    (void)state;
    struct board_told *told = public_told();
    ((struct board_resource *)(uintptr_t)told[FULL].resources)[1].state.is_down = true;
    public_show(told);
    static const char *const paths[] = {"/?lang=en", "/?lang=zh", "/instruments/full?lang=en",
        "/instruments/full?lang=zh", "/instruments/full/label?lang=en"};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        char *page = public_page_of(paths[i]);
        has(page, EVIL_HTML);
        has_not(page, "<i>");
        has_not(page, "\"'&");
        free(page);
    }
    static const char *const en[] = {"Diffractometer", "D8", "8123", "room 302",
        "https://lab.example/?a=1&amp;b=", "Powder", "Training", "200 yuan", "Guangxin", "X-ray",
        "Building 1", "Chilled water", "Argon"},
                             *const zh[] = {"衍射仪", "D8", "8123", "302",
                                 "https://lab.example/?a=1&amp;b=", "粉末", "培训", "200元", "光芯", "射线",
                                 "一号楼", "冷冻水", "氩气"};
    char *pages[] = {
        public_page_of("/instruments/full?lang=en"), public_page_of("/instruments/full?lang=zh")};
    for (size_t i = 0; i < sizeof en / sizeof en[0]; i++)
        for (int language = 0; language < 2; language++) {
            char *text = mem_printf("%s" EVIL_HTML, language == 0 ? en[i] : zh[i]);
            has(pages[language], text);
            free(text);
        }
    free(pages[0]);
    free(pages[1]);
}

static void test_an_instrument_tells_how_to_get_at_it_and_by_what_it_is_known(void **state)
{
    (void)state;
    struct board_told *told = public_told();
    struct availability_busy busy[] = {{NOW_MS + 26 * HOUR, NOW_MS + 27 * HOUR + 20000}};
    struct board_times *bookings = told[FULL].bookings =
        board_times_create((struct availability_list){busy, 1});
    public_show(told);
    board_times_put(bookings);
    char *full = public_page_of("/instruments/full?lang=en"),
         *hood = public_page_of("/instruments/hood?lang=zh");
    has(full, "<dt>Shortest use</dt><dd>30 min</dd>");
    has(full, "data-source=\"power\"><th scope=\"row\">Power sensor</th><td>up to date</td>");
    has(full, "data-source=\"argon\"");
    has(full, "told by people");
    /* 00:13:20 to 01:13:40 of the 23rd: what is taken is never shorter than it is, what is free never longer */
    has(full, "<h4>Wed 23 Sep</h4>");
    has(full, "Taken 00:13–01:14");
    has(full, "Free 00:00–00:13, 01:14–24:00");
    has(full, "Free 22:14–24:00"); /* today, from now on */
    has(full, "href=\"/api/v1/instruments/full.ics\"");
    has(hood, "<dt>培训要求</dt><dd>无需培训。</dd>");
    has(hood, "<dt>开放时间</dt><dd>周一–周五 08:00–23:00</dd>");
    has(hood, "请联系管理方");
    has(hood, "<p>未开放</p>"); /* of Saturday and Sunday */
    has(hood, "没有它的预约日历");
    free(full);
    free(hood);
}

static void test_what_is_not_there_is_said_as_a_page(void **state)
{
    (void)state;
    public_show(public_told());
    struct web_answer answer = public_ask("/instruments/gone?lang=zh");
    assert_int_equal(answer.code, 404);
    has(answer.body, "没有该仪器");
    has(answer.body, "href=\"/?lang=zh\"");
    answer_release(&answer);
    char *own = public_page_of("/instruments/own?lang=en");
    has(own, "Not shared");
    has_not(own, "data-source");
    has_not(own, "8123");
    free(own);
    struct board_box *box = context.own.board, *empty = board_box_create();
    context.own.board = empty;
    answer = public_ask("/?lang=en");
    assert_int_equal(answer.code, 503);
    assert_int_equal(answer.retry_after_s, 1);
    has(answer.body, "The monitor is starting");
    answer_release(&answer);
    context.own.board = box;
    board_box_destroy(empty);
}

/* ---- the label ---- */

static void test_a_label_leads_to_where_visitors_come(void **state)
{
    (void)state;
    static const struct {
        const char *name; /* of the settings */
        bool is_https;
        const char *host, *address;
        bool is_loopback;
    } cases[] = {{NULL, false, "127.0.0.1:8080", "http://127.0.0.1:8080", true},
        {NULL, false, "localhost", "http://localhost", true},
        {NULL, false, "[::1]:8080", "http://[::1]:8080", true},
        {NULL, false, "10.0.0.7:8080", "http://10.0.0.7:8080", false},
        {"park.example", false, "Park.Example:8080", "http://Park.Example:8080", false},
        {"park.example", false, "127.0.0.1:8080", "http://park.example:8080", false},
        {"park.example", true, "park.example", "https://park.example", false},
        {"park.example", true, "127.0.0.1:8080", "https://park.example", false},
        {"park.example", true, "park.example:8443", "https://park.example:8443", false}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct web_options own = {.name = cases[i].name, .is_https = cases[i].is_https};
        struct web_context c = {.options = &own};
        struct web_request request = {.host = cases[i].host};
        char *address = public_address(&c, &request);
        assert_string_equal(address, cases[i].address);
        assert_true(public_is_loopback(address) == cases[i].is_loopback);
        free(address);
    }
}

static void test_a_label_has_both_names_the_code_and_the_id(void **state)
{
    (void)state;
    public_show(public_told());
    char *page = public_page_of("/instruments/plain/label?lang=en");
    has(page, "<h2 lang=\"zh-CN\">电镜</h2>");
    has(page, "lang=\"en\">Microscope</p>");
    has(page, "aria-label=\"http://park.example:8080/instruments/plain\"");
    has(page, "<p class=\"url\">http://park.example:8080/instruments/plain</p>");
    has(page, "<b>plain</b>");
    has(page, "扫码查看");
    has(page, "Scan: is it free");
    has_not(page, "on this machine alone");
    free(page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_rule_state_and_category_has_its_words_in_both_languages),
        cmocka_unit_test(test_each_answer_stands_in_its_group),
        cmocka_unit_test(test_what_is_free_is_told_until_when_and_what_is_not_from_when),
        cmocka_unit_test(test_who_does_not_tell_and_what_is_out_says_why_and_no_more),
        cmocka_unit_test(test_an_old_board_makes_nothing_free),
        cmocka_unit_test(test_filters_and_words_are_looked_for),
        cmocka_unit_test(test_what_is_not_there_to_be_searched_for_is_refused),
        cmocka_unit_test(test_a_wanted_length_is_looked_for_ahead),
        cmocka_unit_test(test_the_languages_lead_to_the_same_search),
        cmocka_unit_test(test_what_is_free_soon_is_so_for_as_long_as_is_asked_for),
        cmocka_unit_test(test_a_gap_that_is_shorter_than_the_shortest_use_is_not_offered),
        cmocka_unit_test(test_what_people_write_is_text_and_never_markup),
        cmocka_unit_test(test_an_instrument_tells_how_to_get_at_it_and_by_what_it_is_known),
        cmocka_unit_test(test_what_is_not_there_is_said_as_a_page),
        cmocka_unit_test(test_a_label_leads_to_where_visitors_come),
        cmocka_unit_test(test_a_label_has_both_names_the_code_and_the_id)};
    return cmocka_run_group_tests(tests, public_set_up, public_tear_down);
}
