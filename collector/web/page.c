#include "collector/web/page.h"

#include "lib/buf.h"

#include <string.h>
#include <strings.h>

enum page_language page_choose_language(const char *asked, const char *accept_language)
{
    if (asked != NULL && strcmp(asked, "zh") == 0)
        return PAGE_ZH;
    if (asked != NULL && strcmp(asked, "en") == 0)
        return PAGE_EN;
    for (const char *at = accept_language; at != NULL && *at != '\0';) {
        at += strspn(at, ", \t");
        if (strncasecmp(at, "zh", 2) == 0)
            return PAGE_ZH;
        if (strncasecmp(at, "en", 2) == 0)
            return PAGE_EN;
        at += strcspn(at, ",");
    }
    return PAGE_EN;
}

const char *page_language_name(enum page_language language)
{
    return language == PAGE_ZH ? "zh" : "en";
}

static const char *find_value(const struct web_param *values, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(values[i].name, name) == 0)
            return values[i].value;
    return "";
}

char *page_fill(const char *text, const json_t *texts, const struct web_param *values, size_t count)
{
    struct buf out = {0};
    for (const char *open; (open = strstr(text, "{{")) != NULL;) {
        const char *end = strstr(open, "}}");
        char name[64];
        size_t len = end != NULL ? (size_t)(end - open) - 2 : sizeof name;
        buf_add(&out, text, (size_t)(open - text));
        if (len >= sizeof name) {
            buf_add(&out, open, 2);
            text = open + 2;
            continue;
        }
        memcpy(name, open + 2, len);
        name[len] = '\0';
        const char *found = name[0] == '=' ? find_value(values, count, name + 1)
                                           : json_string_value(json_object_get(texts, name));
        if (found != NULL)
            buf_add_html(&out, found);
        else
            buf_add(&out, open, len + 4);
        text = end + 2;
    }
    buf_add_str(&out, text);
    return buf_take(&out);
}

const char *page_gap(const char *text)
{
    static const char *const wide[] = {"：", "）"}; /* each of three bytes */
    size_t len = strlen(text);
    for (size_t i = 0; i < sizeof wide / sizeof wide[0]; i++)
        if (len >= 3 && strcmp(text + len - 3, wide[i]) == 0)
            return "";
    return " ";
}
