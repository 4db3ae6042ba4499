#include "collector/web/answer.h"

#include "lib/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

void answer_release(struct web_answer *a)
{
    free(a->body);
    free(a->set_cookie);
    free(a->redirect);
    *a = (struct web_answer){0};
}
