#include "collector/web/answer.h"

#include "lib/text.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LATER_S 5

struct web_answer answer_later(const char *error, const char *why)
{
    struct web_answer answer = answer_error(503, error, "%s", why);
    answer.retry_after_s = LATER_S;
    return answer;
}

struct web_answer answer_undone(enum status status, const struct error *err)
{
    return status == ST_INVALID ? answer_error(422, "refused", "%s", err->text)
                                : answer_later("not_now", err->text);
}

struct web_answer answer_text(int code, const char *content_type, char *body, size_t len)
{
    return (struct web_answer){.code = code, .content_type = content_type, .body = body, .len = len};
}

struct web_answer answer_json(int code, json_t *value)
{
    char *text = json_text(value);
    return answer_text(code, WEB_JSON, text, strlen(text));
}

struct web_answer answer_error(int code, const char *error, const char *format, ...)
{
    char message[512];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    text_clean(message); /* the request's own words may be in it, cut anywhere */
    return answer_json(code, json_pack("{s:{s:s, s:s}}", "error", "code", error, "message", message));
}

/* FNV-1a */
void answer_tag(const char *data, size_t len, char ret[static WEB_ETAG_SIZE])
{
    uint64_t h = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < len; i++)
        h = (h ^ (unsigned char)data[i]) * UINT64_C(1099511628211);
    snprintf(ret, WEB_ETAG_SIZE, "\"%016llx\"", (unsigned long long)h);
}

void answer_keep(struct web_answer *a, const char *cache_control)
{
    a->cache_control = cache_control;
    answer_tag(a->body, a->len, a->etag);
}

void answer_release(struct web_answer *a)
{
    free(a->body);
    free(a->set_cookie);
    free(a->redirect);
    *a = (struct web_answer){0};
}
