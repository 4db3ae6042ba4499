#include "collector/instrument/search.h"
#include "tests/unit/collector/made_up_board.h"

static struct model *model;
static struct search search;

static int set_up(void **state)
{
    (void)state;
    model = made_up_board_model();
    search_init(&search, model->park);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    search_release(&search);
    model_put(model);
    return 0;
}

/* `expected`: ids, in the park's order, with blanks between them. */
static void expect(const struct search_wish *wish, const char *typed, const char *expected)
{
    char found[256] = "";
    for (size_t i = 0; i < model->park->instruments.count; i++)
        if (search_is_match(&search, i, wish))
            snprintf(found + strlen(found), sizeof found - strlen(found), "%s%s", found[0] ? " " : "",
                made_up_instrument(model, i)->id);
    if (strcmp(found, expected) != 0)
        fail_msg("\"%s\" finds %s; expected %s", typed, found, expected);
}

#define ALL "xrd-1 sem-1 hood-1 own-1"

static void test_words_are_found_in_either_language(void **state)
{
    (void)state;
    static const struct {
        const char *typed, *expected;
    } cases[] = {{NULL, ALL}, {"", ALL}, {"  \xe3\x80\x80 ", ALL}, {"衍射", "xrd-1 own-1"}, {"电镜", "sem-1"},
        {"diffractometer", "xrd-1"}, {"X-RAY", "xrd-1"}, {"D8", "xrd-1"}, {"d8 advance", "xrd-1"},
        {"advance d8", "xrd-1"}, {"b2", "sem-1 hood-1 own-1"}, {"一号楼", "xrd-1"}, {"room 302", "xrd-1"},
        {"302 室", "xrd-1"}, {"显微", "sem-1 hood-1"}, {"显微 电镜", "sem-1"}, {"显微 xrd", ""},
        {"guangxin", ALL}, {"光芯", ALL}, {"91330421ma", ALL}, {"<hood>", "hood-1"},
        {"8123", ""}, /* whom to ask is not looked through */
        {"ｘｒｄ－１", "xrd-1"}, {"ＳＥＭ－１", "sem-1"}, {"nothing like it", ""}, {"8", "xrd-1"}, {"91", ""},
        {"0", ""}, {"30", ""}, {"302", "xrd-1"},
        {"a a a a a a a a a a a a a a a a a a a", ""}}; /* more than there is room for: the rest is one */
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct search_wish wish = {0};
        search_wish_type(&wish, cases[i].typed, NULL, NULL);
        expect(&wish, cases[i].typed, cases[i].expected);
        search_wish_release(&wish);
    }
}

static void test_what_is_chosen_goes_together(void **state)
{
    (void)state;
    const struct park *park = model->park;
    struct search_wish wish = {.category = park->categories.items};
    expect(&wish, "a category", "xrd-1 own-1");
    wish.building = (const struct park_building *)park->buildings.items + 1;
    expect(&wish, "and a building", "own-1");
    wish.site = park->sites.items;
    expect(&wish, "and its site", "own-1");
    wish.building = park->buildings.items;
    expect(&wish, "another building", "xrd-1");
    search_wish_type(&wish, "powder", "ADVANCE", " Photonics ");
    expect(&wish, "terms are not looked through", "");
    search_wish_release(&wish);
    search_wish_type(&wish, NULL, "ADVANCE", " Photonics ");
    expect(&wish, "a model and an organisation", "xrd-1");
    search_wish_release(&wish);
    search_wish_type(&wish, NULL, "photonics", NULL);
    expect(&wish, "no model of that name", "");
    search_wish_release(&wish);
    search_wish_type(&wish, NULL, NULL, "0000000x");
    expect(&wish, "a part of the code", ALL);
    search_wish_release(&wish);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_words_are_found_in_either_language),
        cmocka_unit_test(test_what_is_chosen_goes_together)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
