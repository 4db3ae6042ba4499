#include "collector/report/reasons.h"

#include "collector/report/words.h"
#include "lib/buf.h"
#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>

#define PARTS_MAX 4

/* The sentence, with % for what differs; and the same in Chinese, with %1 to %4 for these. */
static const struct {
    const char *is, *shown;
} reasons[] = {
    {"no % of % for %: the first row begins on %", "%2缺少 %3 的 %1 系数：首行自 %4 起"},
    {"no % of % for %: the last row ends on %", "%2缺少 %3 的 %1 系数：末行至 %4 止"},
    {"no % of %: there is no such row", "%2没有 %1 系数"},
    {"no % of %: the site names no region; there are rows for %",
        "%2没有 %1 系数：园区未注明电网区域；已有区域 %3"},
    {"no % of % for region %; there are rows for %", "%2没有区域 %3 的 %1 系数；已有区域 %4"},
    {"the dates of % in % are not given (%)", "未给出 %2 年 %1 的日期（%3）"},
    {"tariff % has no schedule for %", "电价 %1 没有 %2 的时段划分"},
    {"tariff % has no prices for %", "电价 %1 没有 %2 的单价"},
};

struct part {
    const char *at;
    size_t length;
};

/* Is the text of that form, whole? Each part is the shortest that lets it be. */
static bool match(const char *form, const char *text, struct part *parts, size_t count)
{
    for (; *form != '\0' && *form != '%'; form++, text++)
        if (*form != *text)
            return false;
    if (*form == '\0')
        return *text == '\0';
    for (size_t length = 0;; length++) {
        if (count < PARTS_MAX && match(form + 1, text + length, parts, count + 1)) {
            parts[count] = (struct part){text, length};
            return true;
        }
        if (text[length] == '\0')
            return false;
    }
}

static void add_part(struct buf *out, enum page_language language, const struct part *part)
{
    char *text = mem_strndup(part->at, part->length);
    const char *word = words_find(language, text); /* a carrier */
    buf_add_str(out, word != NULL ? word : text);
    free(text);
}

char *reasons_show(enum page_language language, const char *why)
{
    struct part parts[PARTS_MAX];
    struct buf out = {0};
    if (language != PAGE_ZH)
        return mem_strdup(why);
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        if (!match(reasons[i].is, why, parts, 0))
            continue;
        for (const char *at = reasons[i].shown; *at != '\0'; at++) {
            if (*at == '%')
                add_part(&out, language, &parts[*++at - '1']);
            else
                buf_add_char(&out, *at);
        }
        return buf_take(&out);
    }
    return mem_strdup(why);
}
