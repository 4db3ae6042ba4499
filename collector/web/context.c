#include "collector/web/context.h"

#include "collector/report/accepted.h"
#include "lib/buf.h"
#include "lib/mem.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define FRAME_VALUES_MAX 16
#define NAMED_SITES_MAX 3
#define LAST_MS INT64_C(253402300799999) /* the end of the year 9999, with which RFC 3339 ends */

static json_t *load_texts(const struct web_assets *assets, const char *name)
{
    const struct web_asset *asset = assets_find(assets, name);
    return asset != NULL ? json_loadb(asset->data, asset->len, 0, NULL) : NULL;
}

static void release_zones(struct web_context *context)
{
    for (size_t i = 0; context->zones && context->zones[i]; i++)
        zone_destroy(context->zones[i]);
    free(context->zones);
}

static void use_park(struct web_context *context)
{
    const struct conf_list *sites = &context->options->park->sites;
    release_zones(context);
    context->zones = mem_zalloc((sites->count + 1) * sizeof(struct zone *));
    for (size_t i = 0; i < sites->count; i++)
        context->zones[i] = zone_create(((const struct park_site *)sites->items)[i].zone);
}

static void begin(struct web_context *context, const struct web_options *options)
{
    memset(context, 0, sizeof *context);
    context->own = *options;
    context->options = &context->own;
    context->clock = options->clock != NULL ? options->clock : &clock_system;
}

enum status context_init(struct web_context *context, const struct web_options *options, struct error *err)
{
    begin(context, options);
    enum status status = assets_load(options->assets, &context->assets, err);
    if (status != ST_OK)
        return status;
    context->texts[PAGE_EN] = load_texts(context->assets, "en.json");
    context->texts[PAGE_ZH] = load_texts(context->assets, "zh-CN.json");
    context->guard = guard_create(&(struct guard_options){.database = options->database_path,
        .access = options->access,
        .is_https = options->is_https,
        .clock = context->clock});
    use_park(context);
    return ST_OK;
}

void context_init_beside(struct web_context *context, const struct web_context *first)
{
    begin(context, first->options);
    context->beside = first;
    context->assets = first->assets;
    memcpy(context->texts, first->texts, sizeof context->texts);
    use_park(context);
}

void context_follow(struct web_context *context)
{
    if (context->own.models == NULL || !model_box_follow(context->own.models, &context->model))
        return;
    context->own.park = context->model->park;
    use_park(context);
}

bool context_open_db(struct web_context *context, struct error *err)
{
    if (context->db == NULL && db_open_reader(context->options->database_path, &context->db, err) != ST_OK)
        context->db = NULL;
    return context->db != NULL;
}

static void forget_accepted(struct web_context *context)
{
    if (context->accepted != NULL)
        accepted_release(context->accepted);
    free(context->accepted);
    context->accepted = NULL;
}

void context_close_db(struct web_context *context)
{
    db_close(context->db);
    context->db = NULL;
    memset(context->lists, 0, sizeof context->lists);
    forget_accepted(context);
}

struct web_answer context_give_up_db(struct web_context *context, const struct error *err)
{
    context_close_db(context);
    return answer_later("database_unavailable", err->text);
}

/* A version never changes: it is read again where there is a newer one. */
const struct accepted *context_accepted(struct web_context *context, struct error *err)
{
    int64_t newest;
    if (!context_open_db(context, err) || version_newest_number(context->db, &newest, err) != ST_OK)
        return NULL;
    if (context->accepted != NULL && context->accepted->version.number == newest)
        return context->accepted;
    forget_accepted(context);
    context->accepted = mem_zalloc(sizeof *context->accepted);
    if (accepted_read(context->db, context->accepted, err) == ST_OK)
        return context->accepted;
    forget_accepted(context);
    return NULL;
}

void context_release(struct web_context *context)
{
    context_close_db(context);
    release_zones(context);
    search_release(&context->search);
    model_put(context->searched);
    model_put(context->model);
    for (int i = 0; context->beside == NULL && i < PAGE_LANGUAGES; i++)
        json_decref(context->texts[i]);
    if (context->beside == NULL) {
        guard_destroy(context->guard);
        assets_destroy(context->assets);
    }
    memset(context, 0, sizeof *context);
}

const char *context_text(const struct web_context *context, enum page_language language, const char *key)
{
    const char *text = key != NULL ? json_string_value(json_object_get(context->texts[language], key)) : NULL;
    return text != NULL ? text : "";
}

struct web_answer context_page(const struct web_context *context, enum page_language language, int code,
    const char *title, const char *self, const char *content)
{
    return context_framed(context, "shell.html", language, code, title, self, content, NULL, 0);
}

/* Those of its sites; of many the first ones, and how many more there are. The caller frees it. */
static char *park_name(const struct web_context *context, enum page_language language)
{
    struct buf name = {0};
    size_t count = 0, named = context->options->park->sites.count <= NAMED_SITES_MAX ? NAMED_SITES_MAX
                                                                                     : NAMED_SITES_MAX - 1;
    CONF_EACH (const struct park_site, site, context->options->park->sites)
        if (count++ < named)
            buf_printf(&name, "%s%s", count > 1 ? " · " : "",
                language == PAGE_EN && site->name_en != NULL ? site->name_en : site->name);
    if (count > named)
        buf_printf(&name, " + %zu", count - named);
    return name.data != NULL ? buf_take(&name) : mem_strdup("Parkmon");
}

struct web_answer context_framed(const struct web_context *context, const char *frame_name,
    enum page_language language, int code, const char *title, const char *self, const char *content,
    const struct web_param *values, size_t count)
{
    static const char mark[] = "<!--content-->";
    const struct web_asset *frame = assets_find(context->assets, frame_name);
    if (frame == NULL)
        return answer_error(404, "not_found", "the frame of the pages is missing in their folder");
    char *park = park_name(context, language);
    const struct web_param every[] = {{"tag", language == PAGE_ZH ? "zh-CN" : "en"}, {"title", title},
        {"self", self}, {"is_zh", language == PAGE_ZH ? "true" : "false"},
        {"is_en", language == PAGE_EN ? "true" : "false"}, {"lang", page_language_name(language)},
        {"park", park}};
    struct web_param all[FRAME_VALUES_MAX];
    size_t own = sizeof every / sizeof every[0];
    assert(own + count <= FRAME_VALUES_MAX);
    memcpy(all, every, sizeof every);
    if (count > 0)
        memcpy(all + own, values, count * sizeof *values);
    char *page = page_fill(frame->data, context->texts[language], all, own + count);
    char *at = strstr(page, mark);
    struct buf out = {0};
    buf_add(&out, page, at != NULL ? (size_t)(at - page) : strlen(page));
    buf_add_str(&out, content);
    buf_add_str(&out, at != NULL ? at + strlen(mark) : "");
    free(page);
    free(park);
    size_t length = out.len;
    return answer_text(code, frame->content_type, buf_take(&out), length);
}

const struct zone *context_zone(const struct web_context *context, const char *site)
{
    const struct conf_list *sites = &context->options->park->sites;
    for (size_t i = 0; site && i < sites->count; i++)
        if (strcmp(((const struct park_site *)sites->items)[i].id, site) == 0)
            return context->zones[i];
    return context->zones[0];
}

bool context_has_zones(const struct web_context *context)
{
    const struct park_site *first = context->options->park->sites.items;
    CONF_EACH (const struct park_site, site, context->options->park->sites)
        if (strcmp(site->zone, first->zone) != 0)
            return true;
    return false;
}

json_t *context_time(const struct web_context *context, const char *site, int64_t time_ms)
{
    if (time_ms == 0 || time_ms > LAST_MS)
        return json_null();
    char text[ZONE_TIME_SIZE];
    zone_format_time(context_zone(context, site), time_ms, text);
    return json_string(text);
}

static void say_starting(struct web_answer *ret)
{
    *ret = answer_error(503, "starting", "the collector is starting");
    ret->retry_after_s = 1;
}

const struct snapshot *context_snapshot(const struct web_context *context, struct web_answer *ret)
{
    const struct snapshot *s = snapshot_get(context->options->box);
    if (!s)
        say_starting(ret);
    return s;
}

const struct board *context_board(const struct web_context *context, struct web_answer *ret)
{
    const struct board *b = context->options->board != NULL ? board_box_get(context->options->board) : NULL;
    if (b == NULL)
        say_starting(ret);
    return b;
}

bool context_is_old(const struct web_context *context, const struct board *b, struct web_answer *ret)
{
    int64_t now_ms = context->clock->wall_ms();
    bool is_old = board_is_old(b, now_ms);
    if (is_old)
        *ret = answer_error(503, "stalled",
            "the instruments were looked at last %lld s ago: nothing is known of now; see /readyz",
            (long long)(now_ms - b->made_ms) / 1000);
    return is_old;
}

const struct search *context_search(struct web_context *context, const struct board *board)
{
    if (context->searched != board->model) {
        search_release(&context->search);
        model_put(context->searched);
        context->searched = model_get(board->model);
        search_init(&context->search, board->model->park);
    }
    return &context->search;
}
