/* Tables in their formats: what is escaped, how numbers and times are written, and that nothing that is not there is 0.
 * That all formats say the same of a whole report is held by tests/integration/test_report.py. */
#include "collector/report/write.h"

#include "lib/json.h"
#include "lib/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

static const char *const columns[] = {"carrier", "name", "amount+", "from", NULL};

struct fixture {
    struct zone *zone;
    struct tables tables;
};

static void row(struct table *table, const char *name, bool is_known, int64_t amount, int64_t time_ms)
{
    table_begin(table);
    table_code(table, "electricity");
    table_text(table, name);
    table_maybe(table, is_known, amount, 3);
    table_time(table, time_ms);
}

static int set_up(void **state)
{
    struct fixture *f = mem_zalloc(sizeof *f);
    f->zone = zone_create("Asia/Shanghai");
    f->tables = (struct tables){.language = PAGE_EN, .zone = f->zone};
    static const char *const about[] = {"what", "value", NULL};
    struct table *first = tables_add(&f->tables, "about", about);
    table_begin(first);
    table_code(first, "site");
    table_text(first, "<b>\"&'");
    struct table *table = tables_add(&f->tables, "meters", columns);
    row(table, "=1+1", true, -1234567891, INT64_C(1790000000000));
    row(table, "a,\"b\"\r\n", true, 5, INT64_C(1790000000123));
    row(table, "<script>", false, 0, INT64_C(1790002800000));
    row(table, NULL, true, -1234567886, 0);
    table_is_sum_of(table, 2);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    tables_release(&f->tables);
    zone_destroy(f->zone);
    free(f);
    return 0;
}

static void test_csv_quotes_and_takes_the_edge_off_formulas(void **state)
{
    struct fixture *f = *state;
    struct buf out = {0};
    write_csv(&f->tables, &out);
    assert_string_equal(out.data, "\xEF\xBB\xBF"
                                  "table,row,column,value,words\r\n"
                                  "about,1,what,site,Site\r\n"
                                  "about,1,value,\"<b>\"\"&'\",\r\n"
                                  "meters,1,carrier,electricity,Electricity\r\n"
                                  "meters,1,name,\"'=1+1\",\r\n"
                                  "meters,1,amount,-1234567.891,\r\n"
                                  "meters,1,from,2026-09-21T22:13:20+08:00,\r\n"
                                  "meters,2,carrier,electricity,Electricity\r\n"
                                  "meters,2,name,\"a,\"\"b\"\"\r\n\",\r\n"
                                  "meters,2,amount,0.005,\r\n"
                                  "meters,2,from,2026-09-21T22:13:20+08:00,\r\n"
                                  "meters,3,carrier,electricity,Electricity\r\n"
                                  "meters,3,name,<script>,\r\n"
                                  "meters,3,from,2026-09-21T23:00:00+08:00,\r\n"
                                  "meters,4,carrier,electricity,Electricity\r\n"
                                  "meters,4,amount,-1234567.886,\r\n"
                                  "meters,4,from,1970-01-01T08:00:00+08:00,\r\n");
    buf_release(&out);
}

static void test_csv_says_of_how_many_rows_one_is_the_sum_where_that_is_wanted(void **state)
{
    struct fixture *f = *state;
    struct buf out = {0};
    f->tables.marks_sums = true;
    write_csv(&f->tables, &out);
    assert_non_null(strstr(out.data, "meters,4,from,1970-01-01T08:00:00+08:00,\r\nmeters,4,sum_of,2,\r\n"));
    assert_null(strstr(strstr(out.data, "sum_of") + 1, "sum_of"));
    buf_release(&out);
}

static void test_json_has_null_for_what_is_not_there_and_exact_numbers(void **state)
{
    struct fixture *f = *state;
    struct buf out = {0};
    table_begin(&f->tables.items[1]);
    table_code(&f->tables.items[1], NULL);
    table_text(&f->tables.items[1], NULL);
    table_number(&f->tables.items[1], INT64_C(1234567890123456), 3); /* 16 digits */
    table_none(&f->tables.items[1]);
    write_json(&f->tables, &out);
    assert_non_null(strstr(out.data, "\"amount\":-1234567.891"));
    assert_non_null(strstr(out.data, "\"amount\":0.005"));
    assert_non_null(strstr(out.data, "\"name\":\"<script>\",\"amount\":null"));
    assert_non_null(
        strstr(out.data, "\"amount\":-1234567.886,\"from\":\"1970-01-01T08:00:00+08:00\",\"sum_of\":2"));
    assert_non_null(
        strstr(out.data, "{\"carrier\":null,\"name\":null,\"amount\":\"1234567890123.456\",\"from\":null}"));
    json_error_t why;
    json_t *root = json_loads(out.data, 0, &why);
    assert_non_null(root);
    json_decref(root);
    buf_release(&out);
}

static void test_html_escapes_everything_and_allows_its_style_alone(void **state)
{
    struct fixture *f = *state;
    struct buf out = {0};
    write_html(&f->tables, &(struct write_page){.css = SPAN("p { color: red; }")}, &out);
    assert_non_null(strstr(out.data, "&lt;b&gt;&quot;&amp;&#39;"));
    assert_non_null(strstr(out.data, "&lt;script&gt;"));
    assert_null(strstr(out.data, "<script"));
    assert_null(strstr(out.data, "<b>"));
    assert_non_null(strstr(out.data, "<td class=\"n\" data-title=\"Amount\">-1,234,567.891</td>"));
    assert_non_null(strstr(out.data, "<td class=\"n\" data-title=\"Amount\">–</td>"));
    assert_non_null(strstr(out.data, ">2026-09-21 23:00 +08:00<"));
    assert_non_null(strstr(out.data, "<tr class=\"sum\">"));
    /* printf 'p { color: red; }' | openssl dgst -sha256 -binary | base64 */
    assert_non_null(strstr(out.data, "style-src 'sha256-pckGv9YvNcB5xy+Y4fbqhyo+ib850wyiuWeNbZvLi00='"));
    buf_release(&out);
}

static void test_links_are_there_where_the_page_is_served_and_in_html_alone(void **state)
{
    struct fixture *f = *state;
    struct table *table = &f->tables.items[1];
    struct buf out = {0};
    table_begin(table);
    table_code(table, "electricity");
    table_text(table, "x");
    table_link(table, mem_strdup("meter/\"x"));
    table_none(table);
    table_link(table, mem_strdup("nowhere"));
    table_none(table);
    write_html(&f->tables, &(struct write_page){.css = SPAN("p { }")}, &out);
    write_csv(&f->tables, &out);
    write_json(&f->tables, &out);
    assert_null(strstr(out.data, "meter/"));
    buf_release(&out);
    write_html(&f->tables,
        &(struct write_page){.css_path = "/a.css",
            .links = "/audit/s/2026/",
            .title = "drill_title",
            .way = &(struct write_link){"<up>", "/audit/s/2026?lang=en"},
            .way_count = 1},
        &out);
    assert_non_null(strstr(out.data, "><a href=\"/audit/s/2026/meter/&quot;x?lang=en\">x</a></td>"));
    assert_null(strstr(out.data, "nowhere"));
    assert_non_null(strstr(out.data, "<a href=\"/audit/s/2026?lang=en\">&lt;up&gt;</a>"));
    assert_non_null(strstr(out.data, "<h1>What it is made of</h1>"));
    buf_release(&out);
}

static void test_people_are_shown_three_decimals_of_an_amount_rounded_half_away_from_zero(void **state)
{
    struct fixture *f = *state;
    static const struct {
        int64_t value;
        const char *shown, *told;
    } cases[] = {{1499, "0.001", "0.001499"}, {1500, "0.002", "0.001500"}, {-1500, "-0.002", "-0.001500"},
        {1234567000, "1,234.567", "1234.567000"}};
    static const char *const amounts[] = {"carrier", "amount", NULL};
    struct table *table = tables_add(&f->tables, "totals", amounts);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        table_begin(table);
        table_none(table);
        table_amount(table, true, cases[i].value, 6);
        const struct cell *cell = &table->rows[i].cells[1];
        char *shown = table_show(&f->tables, cell), *told = table_tell(&f->tables, cell);
        assert_string_equal(shown, cases[i].shown);
        assert_string_equal(told, cases[i].told);
        free(shown);
        free(told);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            test_links_are_there_where_the_page_is_served_and_in_html_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_people_are_shown_three_decimals_of_an_amount_rounded_half_away_from_zero, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_csv_quotes_and_takes_the_edge_off_formulas, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_csv_says_of_how_many_rows_one_is_the_sum_where_that_is_wanted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_json_has_null_for_what_is_not_there_and_exact_numbers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_html_escapes_everything_and_allows_its_style_alone, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
