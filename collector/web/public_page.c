/* What visitors ask for: from the request to the page. */
#include "collector/web/public.h"

#include "collector/web/listener.h"
#include "collector/web/page_params.h"
#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>

struct web_answer public_answer(struct public_page *page, int code, const char *title, const char *self)
{
    char *content = buf_take(&page->out);
    struct web_answer answer =
        context_framed(page->context, "public.html", page->language, code, title, self, content, NULL, 0);
    free(content);
    return answer;
}

struct web_answer public_message(
    const struct web_context *context, enum page_language language, int code, const char *key)
{
    struct public_page page = {.context = context, .language = language};
    buf_add_str(&page.out, "<p class=\"card\">");
    buf_add_html(&page.out, context_text(context, language, key));
    buf_printf(&page.out, " <a href=\"/?lang=%s\">", page_language_name(language));
    buf_add_html(&page.out, context_text(context, language, "public_all"));
    buf_add_str(&page.out, "</a></p>");
    return public_answer(&page, code, context_text(context, language, "public_title"), "?lang=");
}

/* ---- where we are ---- */

/* The host of "host", "host:port", "[v6]:port". */
static size_t host_length(const char *authority)
{
    return authority[0] == '[' ? strcspn(authority, "]") + 1 : strcspn(authority, ":");
}

char *public_address(const struct web_context *context, const struct web_request *request)
{
    const struct web_options *options = context->options;
    const char *scheme = options->is_https ? "https" : "http", *host = request->host, *name = options->name;
    size_t length = host_length(host);
    bool is_by_name = name != NULL && strlen(name) == length && strncasecmp(host, name, length) == 0;
    if (name == NULL || is_by_name)
        return mem_printf("%s://%s", scheme, host);
    /* Somebody prints it who came another way: a proxy has the port of its scheme, we have our own. */
    return options->is_https ? mem_printf("%s://%s", scheme, name)
                             : mem_printf("%s://%s%s", scheme, name, host + length);
}

bool public_is_loopback(const char *address)
{
    const char *host = strstr(address, "://") + 3;
    char *name = mem_strndup(host, host_length(host));
    bool is_bracketed = name[0] == '[' && strlen(name) > 2;
    if (is_bracketed)
        name[strlen(name) - 1] = '\0';
    bool is_loopback = strcasecmp(name, "localhost") == 0 || listener_is_loopback(name + is_bracketed);
    free(name);
    return is_loopback;
}

/* ---- the handlers ---- */

static bool open_page(struct web_context *context, const struct web_request *request, struct public_page *ret,
    struct web_answer *ret_answer)
{
    *ret = (struct public_page){
        .context = context, .language = page_language_of(request), .now_ms = context->clock->wall_ms()};
    ret->board = context_board(context, ret_answer);
    if (ret->board != NULL)
        return true;
    answer_release(ret_answer);
    *ret_answer = public_message(context, ret->language, 503, "public_starting");
    ret_answer->retry_after_s = 1;
    return false;
}

struct web_answer handle_public_list(struct web_context *context, const struct web_request *request)
{
    struct public_page page;
    struct web_answer answer;
    if (!open_page(context, request, &page, &answer))
        return answer;
    const char *available = request_param(request, "available");
    struct public_filter filter = {.q = request_param(request, "q"),
        .category = request_param(request, "category"),
        .building = request_param(request, "building"),
        .organisation = request_param(request, "organisation"),
        .is_free = available != NULL && strcmp(available, "now") == 0,
        .length_ms = public_length_ms(request_param(request, "length"))};
    const char *wrong = public_find_unknown(page.board->model->park, &filter);
    if (wrong != NULL) {
        board_put(page.board);
        return page_refuse(context, request, wrong);
    }
    page.search = context_search(context, page.board);
    char *self = page_self(request);
    public_add_as_of(&page, self);
    public_write_list(&page, &filter);
    board_put(page.board);
    answer = public_answer(&page, 200, context_text(context, page.language, "public_title"), self);
    free(self);
    return answer;
}

/* `write` adds what is told of the instrument; `more` is the end of the path. */
static struct web_answer answer_instrument(
    struct web_context *context, const struct web_request *request, bool is_label)
{
    struct public_page page;
    struct web_answer answer;
    if (!open_page(context, request, &page, &answer))
        return answer;
    const struct board_item *item = board_find(page.board, request->id);
    if (item == NULL) {
        board_put(page.board);
        return public_message(context, page.language, 404, "public_unknown");
    }
    if (is_label) {
        char *address = public_address(context, request);
        public_write_label(&page, item, address);
        free(address);
    } else {
        public_write_instrument(&page, item);
    }
    char *title = mem_strdup(public_name(&page, item->instrument->name, item->instrument->name_en));
    char *self = mem_printf("/instruments/%s%s?lang=", item->instrument->id, is_label ? "/label" : "");
    board_put(page.board);
    answer = public_answer(&page, 200, title, self);
    free(self);
    free(title);
    return answer;
}

struct web_answer handle_public_instrument(struct web_context *context, const struct web_request *request)
{
    return answer_instrument(context, request, false);
}

struct web_answer handle_public_label(struct web_context *context, const struct web_request *request)
{
    return answer_instrument(context, request, true);
}
