/* The files of the pages: what is put together of them. */
#include "collector/web/assets.h"
#include "tests/unit/collector/made_up.h"

#include <sys/stat.h>

static struct web_assets *assets;

static void put_file(const char *name, const char *text)
{
    char path[160];
    snprintf(path, sizeof path, "%s/pages/%s", made_up_folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static int set_up(void **state)
{
    made_up_set_up(state);
    char folder[128];
    struct error err;
    snprintf(folder, sizeof folder, "%s/pages", made_up_folder);
    assert_int_equal(mkdir(folder, 0755), 0);
    put_file("ops_frame.html", "<p>\n<!--include part.html-->\n<!--include absent.html-->\n<!--content-->\n");
    put_file("part.html", "<b>part</b>\n");
    put_file("cut.html", "a<!--include part.html");
    put_file("a.js", "import { b } from './b.js';\nimport './c.js';\nimport { d } from './absent.js';\n");
    put_file("b.js", "import { c } from './c.js';\nimport { a } from './a.js';\n");
    put_file("c.js", "const text = './c.js';\n");
    put_file("d.js", "import './");
    assert_int_equal(assets_load(folder, &assets, &err), ST_OK);
    return 0;
}

static int tear_down(void **state)
{
    assets_destroy(assets);
    return made_up_tear_down(state);
}

static void test_a_page_holds_the_files_that_it_includes(void **state)
{
    (void)state;
    const struct web_asset *page = assets_find(assets, "ops_frame.html");
    assert_string_equal(page->data, "<p>\n<b>part</b>\n<!--content-->\n");
    assert_int_equal(page->len, strlen(page->data));
    assert_string_equal(assets_find(assets, "cut.html")->data, "a<!--include part.html");
}

static void test_a_script_comes_with_all_that_it_imports_each_once(void **state)
{
    (void)state;
    static const struct {
        const char *name, *links;
    } cases[] = {{"a.js", "<link rel=\"modulepreload\" href=\"/assets/b.js\">\n"
                          "<link rel=\"modulepreload\" href=\"/assets/c.js\">\n"
                          "<script type=\"module\" src=\"/assets/a.js\"></script>\n"},
        {"d.js", "<script type=\"module\" src=\"/assets/d.js\"></script>\n"}, {"absent.js", ""}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf out = {0};
        buf_add_str(&out, "");
        assets_add_script(assets, cases[i].name, &out);
        assert_string_equal(out.data != NULL ? out.data : "", cases[i].links);
        buf_release(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_page_holds_the_files_that_it_includes),
        cmocka_unit_test(test_a_script_comes_with_all_that_it_imports_each_once),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
