#include "collector/store/answer.h"

#include "lib/json.h"
#include "lib/number.h"
#include "lib/text.h"

#include <stdio.h>
#include <string.h>

#define RETRY_AFTER_MAX_MS INT64_C(600000)

/* What the program should do, by code and by what the error begins with; the first row that matches. Not by what
 * it holds: it may quote a line of ours, and with it any words. */
static const struct row {
    int code_from, code_to;
    const char *words; /* at its begin; NULL = whatever it says */
    enum answer_action action;
} rows[] = {
    {204, 204, NULL, ANSWER_ACCEPTED},
    /* A server that is no InfluxDB says 200 to anything: believing it would lose the lines. */
    {200, 399, NULL, ANSWER_CONFIGURATION},
    {400, 400, "database is required", ANSWER_CONFIGURATION},
    /* The body was cut on its way: no line is to blame. */
    {400, 400, "unexpected EOF", ANSWER_BACK_OFF},
    {401, 401, NULL, ANSWER_CONFIGURATION},
    {403, 403, NULL, ANSWER_CONFIGURATION},
    {404, 404, "database not found", ANSWER_MISSING},
    {404, 404, "retention policy not found", ANSWER_MISSING},
    {408, 408, NULL, ANSWER_BACK_OFF},
    {413, 413, NULL, ANSWER_HALVE},
    {429, 429, NULL, ANSWER_BACK_OFF},
    {401, 499, NULL, ANSWER_CONFIGURATION},
    {500, 500, "retention policy not found", ANSWER_MISSING},
    {500, 500, "database not found", ANSWER_MISSING},
    {500, 599, NULL, ANSWER_BACK_OFF},
};

/* InfluxDB's {"error":"..."}; false where the body is none. */
static bool read_error(struct span body, char *ret, size_t size)
{
    json_t *value = json_loadb(body.at ? body.at : "", body.len, 0, NULL);
    const char *text = json_string_value(json_object_get(value, "error"));
    if (text)
        text_copy(ret, size, span_of(text));
    json_decref(value);
    return text != NULL;
}

/* "partial write: points beyond retention policy dropped=3": the others were written. */
static bool read_expired(const char *text, int64_t *ret)
{
    static const char head[] = "partial write: points beyond retention policy dropped=";
    size_t length = sizeof head - 1;
    int64_t count;
    if (strncmp(text, head, length) != 0 ||
        !number_parse_int64(text + length, strlen(text + length), &count) || count < 0)
        return false;
    *ret = count;
    return true;
}

/* "partial write: max-series-per-database limit exceeded: (1000000) dropped=1", and the same of
 * max-values-per-tag: the lines are good, a person must raise the store's limit. */
static bool is_limit(const char *text)
{
    static const char head[] = "partial write: max-";
    return strncmp(text, head, sizeof head - 1) == 0 && strstr(text, " limit exceeded") != NULL;
}

struct answer answer_read(
    enum status transport, const char *transport_text, int code, struct span body, int64_t retry_after_s)
{
    struct answer answer = {.action = ANSWER_BACK_OFF};
    if (transport != ST_OK) {
        text_copy(answer.text, sizeof answer.text, span_of(transport_text));
        return answer;
    }
    char error[200] = "";
    bool has_error = read_error(body, error, sizeof error);
    int64_t asked_s = retry_after_s < RETRY_AFTER_MAX_MS / 1000 ? retry_after_s : RETRY_AFTER_MAX_MS / 1000;
    answer.retry_after_ms = asked_s > 0 ? asked_s * 1000 : 0;
    if (code == 400 && read_expired(error, &answer.expired)) {
        answer.action = ANSWER_ACCEPTED;
        snprintf(answer.text, sizeof answer.text, "%s", error);
        return answer;
    }
    if (code == 204)
        answer.action = ANSWER_ACCEPTED;
    else if (code == 400 && has_error && !is_limit(error))
        answer.action = ANSWER_BISECT;
    else
        answer.action = ANSWER_CONFIGURATION;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct row *row = &rows[i];
        if (code >= row->code_from && code <= row->code_to &&
            (!row->words || strncmp(error, row->words, strlen(row->words)) == 0)) {
            answer.action = row->action;
            break;
        }
    }
    if (answer.action != ANSWER_ACCEPTED)
        snprintf(answer.text, sizeof answer.text, "answered %d%s%s", code, has_error ? ": " : "",
            has_error    ? error
            : code < 400 ? ": this is no InfluxDB"
                         : "");
    return answer;
}
