#include "collector/web/ops_frame.h"

#include "lib/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_SIZE 64
#define WALL "screen" /* /ops?view=screen: the overview for a wall */

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

/* "/ops" is the overview, "/ops/energy" is energy. NULL: there is no such view. */
static const char *view_of(const struct web_request *request)
{
    const char *name = request->path + strlen("/ops"), *asked = request_param(request, "view");
    if (*name == '/')
        return name + 1;
    return asked == NULL ? "overview" : strcmp(asked, WALL) == 0 ? WALL : NULL;
}

struct web_answer handle_ops_view(struct web_context *context, const struct web_request *request)
{
    const char *view = view_of(request);
    char file[NAME_SIZE], key[NAME_SIZE];
    if (view == NULL)
        return answer_error(400, "bad_parameter", "view: unknown value \"%.40s\"; expected " WALL,
            request_param(request, "view"));
    snprintf(file, sizeof file, "ops_%s.html", view);
    snprintf(key, sizeof key, "view_%s", view);
    const struct web_asset *asset = assets_find(context->assets, file);
    if (asset == NULL)
        return answer_error(404, "not_found", "the page %s is missing in the folder of the pages", file);
    enum page_language language =
        page_choose_language(request_param(request, "lang"), request->accept_language);
    const struct web_param values[] = {{"lang", page_language_name(language)}};
    char *content =
        page_fill(asset->data, context->texts[language], values, sizeof values / sizeof values[0]);
    char *self = mem_printf("%s?lang=", request->path);
    const char *frame = strcmp(view, WALL) == 0 ? "screen_frame.html" : "ops_frame.html";
    struct web_answer answer =
        put_in(frame, context, language, 200, view, context_text(context, language, key), self, content);
    free(self);
    free(content);
    return answer;
}
