#include "lib/status.h"

#include "lib/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum status error_set(struct error *err, enum status status, const char *format, ...)
{
    if (err != NULL) {
        /* The new text may quote the old one. */
        char text[sizeof err->text];
        va_list args;
        va_start(args, format);
        vsnprintf(text, sizeof text, format, args);
        va_end(args);
        text_clean(text);
        memcpy(err->text, text, sizeof text);
    }
    return status;
}

enum status error_prefix(struct error *err, enum status status, const char *format, ...)
{
    if (err != NULL) {
        char text[sizeof err->text];
        va_list args;
        va_start(args, format);
        vsnprintf(text, sizeof text, format, args);
        va_end(args);
        error_set(err, status, "%s: %s", text, err->text);
    }
    return status;
}

const char *status_name(enum status status)
{
    switch (status) {
    case ST_OK:
        return "ok";
    case ST_TIMEOUT:
        return "timeout";
    case ST_UNREACHABLE:
        return "unreachable";
    case ST_PROTOCOL:
        return "protocol";
    case ST_INVALID:
        return "invalid";
    case ST_FULL:
        return "full";
    case ST_STORAGE:
        return "storage";
    }
    return "?";
}
