/* The visitors' pages, with their real texts, of boards that a test makes up. */
#pragma once

#include "collector/web/public.h"
#include "tests/unit/collector/made_up_board.h"

#define NOW_MS MADE_UP_BOARD_NOW_MS /* a Monday, 22:13:20 in Shanghai */
#define MINUTE INT64_C(60000)
#define HOUR (60 * MINUTE)

/* In every text that people write: as it stands in the park file, and as it must stand in a page. */
#define EVIL "<i>\\\"'&"
#define EVIL_HTML "&lt;i&gt;&quot;&#39;&amp;"

/* full: all that can be told; plain: power alone; hood: sessions alone, open until 23:00 of weekdays; own: not shared. */
static const char public_park[] =
    "sites = ({ id = 's1'; name = '科创园@'; name_en = 'Park@'; zone = 'Asia/Shanghai'; });\n"
    "buildings = ({ id = 'b1'; site = 's1'; name = '一号楼@'; name_en = 'Building 1@'; },\n"
    "  { id = 'b2'; site = 's1'; name = '二号楼'; name_en = 'Building 2'; });\n"
    "gateways = ({ id = 'gw1'; site = 's1'; name = 'x'; name_en = 'x'; });\n"
    "categories = ({ id = 'xray'; name = '射线@'; name_en = 'X-ray@'; },\n"
    "  { id = 'fume'; name = '通风'; name_en = 'Fume'; });\n"
    "resources = (\n"
    "  { id = 'chilled'; name = '冷冻水@'; name_en = 'Chilled water@'; building = 'b1'; kind = "
    "'chilled_water';\n"
    "    point = 'gw1/chilled'; up = ('on'); down = ('off'); period = 60; },\n"
    "  { id = 'argon'; name = '氩气@'; name_en = 'Argon@'; building = 'b1'; kind = 'gas'; contact = '8000'; "
    "});\n"
    "calendars = ({ id = 'cal'; name = 'x'; name_en = 'x'; site = 's1'; file = '/x.ics'; every = 300; });\n"
    "instruments = (\n"
    "{ id = 'full'; name = '衍射仪@'; name_en = 'Diffractometer@'; building = 'b1'; category = 'xray';\n"
    "  owner = '光芯@'; owner_en = 'Guangxin@'; owner_code = '9133'; contact = '8123@'; model = 'D8@';\n"
    "  location = '302@'; location_en = 'room 302@'; booking_url = 'https://lab.example/?a=1&b=@';\n"
    "  terms = '粉末@'; terms_en = 'Powder@'; training = '培训@'; training_en = 'Training@';\n"
    "  charges = '200元@'; charges_en = '200 yuan@'; minimum_slot = 1800;\n"
    "  power = 'gw1/full'; power_period = 10; off_w = 10; standby_w = 20; exit_w = 30; enter_w = 40;\n"
    "  enter_s = 10; exit_s = 300; off_means = 'available'; session = 'gw1/full.session'; calendar = 'cal';\n"
    "  requires = ('chilled'); uses = ('argon'); },\n"
    "{ id = 'plain'; name = '电镜'; name_en = 'Microscope'; building = 'b1'; category = 'xray'; owner = "
    "'光芯@';\n"
    "  owner_en = 'Guangxin@'; owner_code = '9133'; contact = '8123'; power = 'gw1/plain'; power_period = "
    "10;\n"
    "  off_w = 10; standby_w = 20; exit_w = 30; enter_w = 40; enter_s = 10; exit_s = 300;\n"
    "  off_means = 'available'; },\n"
    "{ id = 'hood'; name = '通风橱'; name_en = 'Hood'; building = 'b2'; category = 'fume'; owner = '园区'; "
    "owner_en = 'Park';\n"
    "  owner_code = '1'; contact = '8000'; open = 'Mon-Fri 08:00-23:00'; minimum_slot = 600;\n"
    "  session = 'gw1/hood.session'; },\n"
    "{ id = 'own'; name = '自用'; name_en = 'Private'; building = 'b1'; category = 'xray'; owner = '光芯'; "
    "owner_en = 'Guangxin';\n"
    "  owner_code = '9133'; contact = '8123'; power = 'gw1/own'; power_period = 10; off_w = 10; standby_w = "
    "20;\n"
    "  exit_w = 30; enter_w = 40; enter_s = 10; exit_s = 300; off_means = 'available'; shared = false; });\n";

enum { FULL, PLAIN, HOOD, OWN };

static struct web_context context;
static struct web_options options;
static struct board_box *public_box;
static struct model *model;
static char *public_assets;
static struct clock public_clock;
static int64_t public_now_ms;

static inline int64_t public_wall_ms(void)
{
    return public_now_ms;
}

/* @ is the markup, ' a quote. */
static inline struct model *public_model(void)
{
    struct buf text = {0};
    for (const char *at = public_park; *at != '\0'; at++) {
        if (*at == '@')
            buf_add_str(&text, EVIL);
        else
            buf_add_char(&text, *at == '\'' ? '"' : *at);
    }
    struct model *m = made_up_board_model_of(text.data);
    buf_release(&text);
    return m;
}

static inline int public_set_up(void **state)
{
    (void)state;
    const char *source = getenv("PARKMON_SOURCE");
    public_assets = mem_printf("%s/dashboards/web", source != NULL ? source : ".");
    model = public_model();
    public_box = board_box_create();
    options = (struct web_options){.address = "127.0.0.1",
        .assets = public_assets,
        .database_path = "/nowhere/collector.db",
        .board = public_box,
        .park = model->park};
    struct error err;
    assert_int_equal(context_init(&context, &options, &err), ST_OK);
    public_clock = clock_system;
    public_clock.wall_ms = public_wall_ms;
    context.clock = &public_clock;
    public_now_ms = NOW_MS;
    return 0;
}

static inline int public_tear_down(void **state)
{
    (void)state;
    context_release(&context);
    board_box_destroy(public_box);
    model_put(model);
    free(public_assets);
    return 0;
}

static inline struct board_told *public_told(void)
{
    return made_up_told(model, NOW_MS);
}

/* From now on it is this; by what is told at NOW_MS, with all that it holds the test's. */
static inline void public_show(struct board_told *told)
{
    model_get(model);
    board_box_set(public_box, made_up_board(model, told, NOW_MS));
    made_up_told_release(told, model);
}

/* "/?q=a" and the like; the caller releases it. Parameters are taken as they are, not decoded. */
static inline struct web_answer public_ask(const char *path)
{
    static char words[512];
    snprintf(words, sizeof words, "%s", path);
    struct caller nobody;
    struct web_request request = {.method = "GET", .path = words, .host = "park.example:8080"};
    char *next = strchr(words, '?');
    if (next != NULL)
        *next++ = '\0';
    while (next != NULL && *next != '\0') {
        struct web_param *param = &request.params[request.param_count++];
        char *value = strchr(next, '=');
        param->name = next;
        *value++ = '\0';
        param->value = value;
        next = strchr(value, '&');
        if (next != NULL)
            *next++ = '\0';
    }
    struct router router = context_router(&context);
    struct web_answer answer;
    router.name = "park.example";
    const struct web_route *route = router_admit(&router, &context, &request, &nobody, &answer);
    return route != NULL ? router_handle(route, &context, &request, &nobody) : answer;
}

/* The page; the caller frees it. */
static inline char *public_page_of(const char *path)
{
    struct web_answer answer = public_ask(path);
    assert_int_equal(answer.code, 200);
    char *text = mem_strdup(answer.body);
    answer_release(&answer);
    return text;
}
