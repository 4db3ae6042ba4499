/* What the time-series store answers. Two bytes of code, seconds of Retry-After up to a line feed, the body. */
#include "collector/store/answer.h"
#include "lib/number.h"
#include "lib/text.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    int code = (data[0] << 8 | data[1]) % 600;
    const char *head = (const char *)data + 2, *end = (const char *)data + size;
    const char *feed = memchr(head, '\n', (size_t)(end - head));
    struct span body = {feed ? feed + 1 : end, (size_t)(end - (feed ? feed + 1 : end))};
    int64_t retry_after_s = 0;
    number_parse_int64(head, (size_t)((feed ? feed : end) - head), &retry_after_s);
    struct answer a = answer_read(ST_OK, "", code, body, retry_after_s);
    LAW(a.expired >= 0, "a negative count of expired lines");
    LAW(a.retry_after_ms >= 0 && a.retry_after_ms <= 600000, "it would wait longer than ten minutes");
    LAW(a.action != ANSWER_ACCEPTED || code == 204 ||
            (code == 400 && strstr(a.text, "beyond retention policy")),
        "%d is believed to be success", code);
    LAW(a.action != ANSWER_BISECT || code == 400, "%d gives lines up", code);
    LAW(a.expired == 0 || a.action == ANSWER_ACCEPTED, "lines have expired that were not accepted");
    LAW((code == 204) == (a.text[0] == '\0'), "%d is told to people as \"%s\"", code, a.text);
    LAW(text_is_utf8(span_of(a.text)) && !text_has_control(span_of(a.text)),
        "a text that people cannot read");
    return 0;
}
