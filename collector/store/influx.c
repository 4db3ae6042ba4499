#include "collector/store/influx.h"

#include "lib/http_client.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct influx {
    struct http_client *http;
    struct http_answer answer;
    char *database;
    char *name; /* the same as an InfluxQL identifier, quoted */
    char *write_path, *write_raw_path;
    int64_t raw_retention_days, raw_kept_days;
    bool is_made;
};

/* An identifier of InfluxQL in double quotes, or a string in single ones. */
static void add_quoted(struct buf *out, char mark, const char *text)
{
    buf_add_char(out, mark);
    for (; *text; text++) {
        if (*text == mark || *text == '\\')
            buf_add_char(out, '\\');
        buf_add_char(out, *text);
    }
    buf_add_char(out, mark);
}

static char *quote(const char *name)
{
    struct buf quoted = {0};
    add_quoted(&quoted, '"', name);
    return buf_take(&quoted);
}

struct influx *influx_create(const struct influx_options *options)
{
    struct influx *influx = mem_zalloc(sizeof *influx);
    influx->http = http_client_create(&(struct http_client_options){
        .url = options->url,
        .user = options->user,
        .password = options->password,
        .connect_timeout_ms = options->timeout_ms,
        .timeout_ms = options->timeout_ms,
    });
    influx->database = mem_strdup(options->database);
    influx->name = quote(options->database);
    influx->raw_retention_days = influx->raw_kept_days = options->raw_retention_days;
    struct buf path = {0};
    buf_add_str(&path, "/write?precision=ms&db=");
    http_escape(&path, options->database);
    influx->write_path = mem_strdup(path.data);
    buf_add_str(&path, "&rp=" INFLUX_RAW_POLICY);
    influx->write_raw_path = buf_take(&path);
    return influx;
}

void influx_destroy(struct influx *influx)
{
    if (!influx)
        return;
    http_client_destroy(influx->http);
    buf_release(&influx->answer.body);
    free(influx->database);
    free(influx->name);
    free(influx->write_path);
    free(influx->write_raw_path);
    free(influx);
}

void influx_cancel(struct influx *influx)
{
    http_client_cancel(influx->http);
}

static struct span answer_body(const struct influx *influx)
{
    return (struct span){influx->answer.body.data, influx->answer.body.len};
}

struct answer influx_write(struct influx *influx, const char *policy, struct span lines)
{
    struct error err = {""};
    enum status status = http_post(influx->http, policy ? influx->write_raw_path : influx->write_path,
        "text/plain; charset=utf-8", lines, &influx->answer, &err);
    return answer_read(
        status, err.text, influx->answer.code, answer_body(influx), influx->answer.retry_after_s);
}

/* Runs one statement. On ANSWER_ACCEPTED *ret_result is its result, the caller's to release. An execution
 * error comes with 200 and is told as ANSWER_BISECT by its text: the statement was understood, and refused.
 */
static struct answer query_in(
    struct influx *influx, const char *database, const char *statement, json_t **ret_result)
{
    struct error err = {""};
    struct buf form = {0};
    if (database != NULL) {
        buf_add_str(&form, "db=");
        http_escape(&form, database);
        buf_add_char(&form, '&');
    }
    buf_add_str(&form, "q=");
    http_escape(&form, statement);
    enum status status = http_post(influx->http, "/query", "application/x-www-form-urlencoded",
        (struct span){form.data, form.len}, &influx->answer, &err);
    buf_release(&form);
    struct answer answer =
        answer_read(status, err.text, influx->answer.code, answer_body(influx), influx->answer.retry_after_s);
    if (status != ST_OK || influx->answer.code != 200)
        return answer;
    json_t *whole = json_loadb(
        influx->answer.body.data ? influx->answer.body.data : "", influx->answer.body.len, 0, NULL);
    json_t *result = json_array_get(json_object_get(whole, "results"), 0);
    const char *error = json_string_value(json_object_get(result, "error"));
    if (error) {
        answer.action = ANSWER_BISECT;
        text_copy(answer.text, sizeof answer.text, span_of(error));
    } else if (json_is_object(result)) {
        answer = (struct answer){.action = ANSWER_ACCEPTED};
        if (ret_result)
            *ret_result = json_incref(result);
    }
    json_decref(whole);
    return answer;
}

static struct answer query(struct influx *influx, const char *statement, json_t **ret_result)
{
    return query_in(influx, NULL, statement, ret_result);
}

/* The duration of the raw policy in SHOW RETENTION POLICIES ("720h0m0s"); false where there is no such
 * policy. */
static bool find_raw_policy(const json_t *result, char *ret_duration, size_t size)
{
    const json_t *series = json_array_get(json_object_get(result, "series"), 0);
    const json_t *columns = json_object_get(series, "columns");
    size_t i, name_column = SIZE_MAX, duration_column = SIZE_MAX;
    json_t *column, *row;
    json_array_foreach(columns, i, column)
    {
        const char *name = json_string_value(column);
        if (name && strcmp(name, "name") == 0)
            name_column = i;
        if (name && strcmp(name, "duration") == 0)
            duration_column = i;
    }
    json_array_foreach(json_object_get(series, "values"), i, row)
    {
        const char *name = json_string_value(json_array_get(row, name_column));
        const char *duration = json_string_value(json_array_get(row, duration_column));
        if (name && duration && strcmp(name, INFLUX_RAW_POLICY) == 0) {
            snprintf(ret_duration, size, "%s", duration);
            return true;
        }
    }
    return false;
}

int64_t influx_raw_kept_days(const struct influx *influx)
{
    return influx->raw_kept_days;
}

bool influx_take_made(struct influx *influx)
{
    bool is_made = influx->is_made;
    influx->is_made = false;
    return is_made;
}

/* "720h0m0s" in whole days; what is less than a day is taken for one. */
static int64_t days_of(const char *duration)
{
    long long hours = strtoll(duration, NULL, 10);
    return strchr(duration, 'h') == NULL ? strcmp(duration, "0s") != 0 : hours < 24 ? 1 : hours / 24;
}

static struct answer change(struct influx *influx, const char *statement)
{
    struct answer answer = query(influx, statement, NULL);
    if (answer.action == ANSWER_ACCEPTED)
        log_info("store", "%s: done", statement);
    return answer;
}

static struct answer show_policies(struct influx *influx, json_t **ret_result)
{
    char *show = mem_printf("SHOW RETENTION POLICIES ON %s", influx->name);
    struct answer answer = query(influx, show, ret_result);
    if (answer.action == ANSWER_BISECT && strstr(answer.text, "database not found")) {
        char *create = mem_printf("CREATE DATABASE %s", influx->name);
        answer = change(influx, create);
        free(create);
        if (answer.action == ANSWER_ACCEPTED) {
            influx->is_made = true;
            answer = query(influx, show, ret_result);
        }
    }
    free(show);
    return answer;
}

static struct answer prepare_raw_policy(struct influx *influx, const json_t *policies)
{
    long long days = influx->raw_retention_days;
    char *duration = days > 0 ? mem_printf("%lldd", days) : mem_strdup("INF");
    char *shown = days > 0 ? mem_printf("%lldh0m0s", days * 24) : mem_strdup("0s");
    char present[64];
    struct answer answer = {.action = ANSWER_ACCEPTED};
    char *statement = NULL;
    influx->raw_kept_days = days;
    if (!find_raw_policy(policies, present, sizeof present)) {
        statement =
            mem_printf("CREATE RETENTION POLICY \"" INFLUX_RAW_POLICY "\" ON %s DURATION %s REPLICATION 1",
                influx->name, duration);
        answer = change(influx, statement);
        influx->is_made = influx->is_made || answer.action == ANSWER_ACCEPTED;
    } else if (strcmp(present, shown) != 0) {
        statement = mem_printf(
            "ALTER RETENTION POLICY \"" INFLUX_RAW_POLICY "\" ON %s DURATION %s", influx->name, duration);
        answer = change(influx, statement);
        if (answer.action == ANSWER_BISECT || answer.action == ANSWER_CONFIGURATION) {
            /* What is there can be written to; only how long it is kept is not as the settings say. */
            log_warn("store", "%s: %s; raw readings are kept %s instead", statement, answer.text, present);
            answer = (struct answer){.action = ANSWER_ACCEPTED};
            influx->raw_kept_days = days_of(present);
        }
    }
    free(statement);
    free(duration);
    free(shown);
    return answer;
}

struct answer influx_prepare(struct influx *influx)
{
    json_t *policies = NULL;
    struct answer answer = show_policies(influx, &policies);
    if (answer.action == ANSWER_ACCEPTED)
        answer = prepare_raw_policy(influx, policies);
    json_decref(policies);
    if (answer.action != ANSWER_ACCEPTED && answer.action != ANSWER_BACK_OFF)
        answer.action = ANSWER_CONFIGURATION;
    return answer;
}

struct answer influx_count(struct influx *influx, const char *policy, const char *measurement,
    const char *field, int64_t from_ms, int64_t to_ms, int64_t *ret)
{
    char *statement =
        mem_printf("SELECT count(\"%s\") FROM %s%s%s\"%s\" WHERE time >= %lldms AND time < %lldms", field,
            policy ? "\"" : "", policy ? policy : "", policy ? "\"." : "", measurement, (long long)from_ms,
            (long long)to_ms);
    json_t *result = NULL;
    struct answer answer = query_in(influx, influx->database, statement, &result);
    free(statement);
    if (answer.action == ANSWER_ACCEPTED) {
        const json_t *series = json_array_get(json_object_get(result, "series"), 0);
        const json_t *row = json_array_get(json_object_get(series, "values"), 0);
        const json_t *count = json_array_get(row, 1);
        *ret = (int64_t)json_integer_value(count);
        if (series != NULL && !json_is_integer(count)) {
            answer.action = ANSWER_CONFIGURATION;
            snprintf(answer.text, sizeof answer.text, "answers a count with something else");
        }
    }
    json_decref(result);
    return answer;
}

struct answer influx_delete(struct influx *influx, const char *measurement, int64_t from_ms, int64_t to_ms)
{
    return influx_delete_tagged(influx, measurement, NULL, NULL, 0, from_ms, to_ms);
}

struct answer influx_delete_tagged(struct influx *influx, const char *measurement, const char *tag,
    const char *const *values, size_t count, int64_t from_ms, int64_t to_ms)
{
    struct buf statement = {0};
    buf_add_str(&statement, "DELETE FROM ");
    add_quoted(&statement, '"', measurement);
    buf_printf(&statement, " WHERE time >= %lldms AND time < %lldms", (long long)from_ms, (long long)to_ms);
    for (size_t i = 0; i < count; i++) {
        buf_add_str(&statement, i == 0 ? " AND (" : " OR ");
        add_quoted(&statement, '"', tag);
        buf_add_str(&statement, " = ");
        add_quoted(&statement, '\'', values[i]);
    }
    if (count > 0)
        buf_add_char(&statement, ')');
    struct answer answer = query_in(influx, influx->database, statement.data, NULL);
    buf_release(&statement);
    return answer;
}
