/* Signing in and out: a token for a cookie, on a page that needs no JavaScript. */
#include "collector/web/page_params.h"

#include "lib/log.h"
#include "lib/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void cut(struct buf *text, size_t len)
{
    text->len = len;
    text->data[len] = '\0';
}

/* Where the page is that was asked for, with those of its parameters that a path to go on to may have. The caller frees it. */
static char *place_of(const struct web_request *request)
{
    struct buf place = {0};
    buf_add_str(&place, request->path);
    for (size_t i = 0; i < request->param_count; i++) {
        size_t len = place.len;
        buf_add_char(&place, strchr(place.data, '?') == NULL ? '?' : '&');
        form_add_encoded(&place, request->params[i].name);
        buf_add_char(&place, '=');
        form_add_encoded(&place, request->params[i].value);
        if (!page_is_path(place.data))
            cut(&place, len);
    }
    return buf_take(&place);
}

/* A path of ours to go on to; "" = none was asked for. The caller frees it. */
static char *given_next(const struct web_request *request)
{
    const char *next =
        request->form != NULL ? form_value(request->form, "next") : request_param(request, "next");
    /* Where the page was asked for in place of another, that one is meant. */
    char *path = next != NULL                           ? mem_strdup(next)
                 : strcmp(request->path, "/login") != 0 ? place_of(request)
                                                        : mem_strdup("");
    if (!page_is_path(path))
        path[0] = '\0';
    return path;
}

/* This page's address up to its language. The caller frees it. */
static char *self_of(const char *next)
{
    struct buf self = {0};
    buf_add_str(&self, "/login?next=");
    form_add_encoded(&self, next);
    buf_add_str(&self, "&lang=");
    return buf_take(&self);
}

static bool is_to_be_kept(const struct web_request *request)
{
    const char *keep = request->form != NULL ? form_value(request->form, "keep") : NULL;
    return keep != NULL && keep[0] != '\0';
}

/* Where somebody with this role begins. */
static const char *home_of(enum role role)
{
    return role == ROLE_OPERATOR ? "/ops" : role == ROLE_AUDITOR ? "/api/v1/changes" : "/";
}

/* `message`: a key of the pages' texts; NULL = none. */
static struct web_answer answer_page(
    struct web_context *c, const struct web_request *request, int code, const char *name, const char *message)
{
    const struct web_asset *asset = assets_find(c->assets, name);
    if (asset == NULL)
        return answer_error(code == 200 ? 404 : code,
            code == 200   ? "not_found"
            : code == 403 ? "forbidden"
                          : "unauthorized",
            "the page to sign in on is missing in the folder of the pages");
    enum page_language language = page_language_of(request);
    const struct caller *caller = request->caller;
    enum role role = caller->kind == CALLER_KNOWN ? caller->token.role : ROLE_PUBLIC;
    char role_key[32];
    snprintf(role_key, sizeof role_key, "role_%s", role_name(role));
    char *next = given_next(request), *self = self_of(next);
    const struct web_param values[] = {{"lang", page_language_name(language)}, {"next", next},
        {"keep", is_to_be_kept(request) ? "checked" : ""}, {"message", context_text(c, language, message)},
        {"csrf", caller->csrf}, {"name", caller->token.name}, {"role", context_text(c, language, role_key)},
        {"home", home_of(role)}};
    char *content = page_fill(asset->data, c->texts[language], values, sizeof values / sizeof values[0]);
    struct web_answer answer =
        context_page(c, language, code, context_text(c, language, "login_title"), self, content);
    free(self);
    free(next);
    free(content);
    return answer;
}

struct web_answer refuse_page(struct web_context *context, const struct web_request *request)
{
    if (request->caller->kind == CALLER_KNOWN)
        return answer_page(context, request, 403, "account.html", "login_forbidden");
    return answer_page(context, request, 401, "login.html",
        request->caller->kind == CALLER_WRONG ? "login_wrong" : "login_needed");
}

struct web_answer handle_login_page(struct web_context *context, const struct web_request *request)
{
    bool is_session = request->caller->is_session;
    return answer_page(context, request, 200, is_session ? "account.html" : "login.html", NULL);
}

static struct web_answer go_to(const char *path, char *cookie)
{
    return (struct web_answer){.code = 303, .redirect = mem_strdup(path), .set_cookie = cookie};
}

struct web_answer handle_login(struct web_context *context, const struct web_request *request)
{
    const char *text = form_value(request->form, "token"), *next = form_value(request->form, "next");
    enum sign_in result;
    char *cookie = NULL;
    struct token token;
    int wait_s;
    struct error err;
    struct web_answer answer;
    if (next != NULL && next[0] != '\0' && !page_is_path(next))
        return page_refuse(context, request, "next");
    if (guard_sign_in(context->guard, text != NULL ? text : "", is_to_be_kept(request), &request->address,
            &result, &cookie, &token, &wait_s, &err) != ST_OK)
        return answer_error(503, "access_unavailable", "%s", err.text);
    switch (result) {
    case SIGN_IN_DONE:
        log_info("web", "token %lld of \"%s\" signed in%s", (long long)token.id, token.name,
            is_to_be_kept(request) ? ", to be kept so" : "");
        return go_to(next != NULL && next[0] != '\0' ? next
                     : token.role == ROLE_OPERATOR   ? home_of(token.role)
                                                     : "/login",
            cookie);
    case SIGN_IN_WRONG:
        answer = answer_page(context, request, 401, "login.html", "login_wrong");
        answer.authenticate = "Bearer realm=\"parkmon\", error=\"invalid_token\"";
        return answer;
    case SIGN_IN_WAIT:
        answer = answer_page(context, request, 429, "login.html", "login_wait");
        answer.retry_after_s = wait_s;
        return answer;
    }
    abort();
}

struct web_answer handle_logout(struct web_context *context, const struct web_request *request)
{
    return go_to("/login", guard_sign_out(context->guard, request->caller));
}
