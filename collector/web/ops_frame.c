#include "collector/web/ops_frame.h"

#include "collector/web/energy_query.h"
#include "collector/web/page_params.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_SIZE 64

static struct web_answer put_in(const char *frame, const struct web_context *context,
    enum page_language language, int code, const char *view, const char *title, const char *self,
    const char *content)
{
    char here[NAME_SIZE];
    snprintf(here, sizeof here, "at_%s", view != NULL ? view : "");
    const struct web_param values[] = {{here, "page"}, {"view", view != NULL ? view : ""}};
    return context_framed(
        context, frame, language, code, title, self, content, values, sizeof values / sizeof values[0]);
}

struct web_answer ops_frame(const struct web_context *context, enum page_language language, int code,
    const char *view, const char *title, const char *self, const char *content)
{
    return put_in("ops_frame.html", context, language, code, view, title, self, content);
}

/* "/ops" is the overview, "/ops/energy" is energy. */
static const char *view_of(const struct web_request *request)
{
    const char *name = request->path + strlen("/ops");
    return *name == '/' ? name + 1 : request_param(request, "view") != NULL ? OPS_WALL : "overview";
}

struct web_answer handle_ops_view(struct web_context *context, const struct web_request *request)
{
    const char *view = view_of(request);
    char file[NAME_SIZE], script[NAME_SIZE], key[NAME_SIZE];
    snprintf(file, sizeof file, "ops_%s.html", view);
    snprintf(script, sizeof script, "%s.js", view);
    snprintf(key, sizeof key, "view_%s", view);
    const struct web_asset *asset = assets_find(context->assets, file);
    if (asset == NULL)
        return answer_error(404, "not_found", "the page %s is missing in the folder of the pages", file);
    enum page_language language = page_language_of(request);
    char days_max[16];
    snprintf(days_max, sizeof days_max, "%d", ENERGY_DAYS_MAX);
    const struct web_param values[] = {{"lang", page_language_name(language)}, {"day_first", PAGE_DAY_FIRST},
        {"day_last", PAGE_DAY_LAST}, {"days_max", days_max}};
    char *filled = page_fill(asset->data, context->texts[language], values, sizeof values / sizeof values[0]);
    struct buf content = {0};
    buf_add_str(&content, filled);
    assets_add_script(context->assets, script, &content);
    char *self = page_self(request);
    const char *frame = strcmp(view, OPS_WALL) == 0 ? "screen_frame.html" : "ops_frame.html";
    struct web_answer answer =
        put_in(frame, context, language, 200, view, context_text(context, language, key), self, content.data);
    free(self);
    free(filled);
    buf_release(&content);
    return answer;
}
