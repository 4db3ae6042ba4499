#include "collector/alarm/message.h"

#include "lib/base64.h"
#include "lib/clock.h"
#include "lib/hash.h"
#include "lib/json.h"
#include "lib/mem.h"
#include "lib/text.h"

#include <stdlib.h>
#include <string.h>

const char *const alarm_events[] = {"fired", "standing", "cleared", NULL};

static const char *const event_words[][ALARM_LANGUAGES] = {[ALARM_EVENT_FIRED] = {"告警", "Alarm"},
    [ALARM_EVENT_STANDING] = {"告警未解除", "Still standing"},
    [ALARM_EVENT_CLEARED] = {"已恢复", "Cleared"}};
/* Nobody knows whether it is over: there is nothing to watch any more, or nobody who does. */
static const char *const gone_words[ALARM_LANGUAGES] = {"不再监视", "No longer watched"};

enum alarm_event alarm_event_of(const struct alarm *a, int64_t number)
{
    if (number == 1)
        return ALARM_EVENT_FIRED;
    return a->cleared_ms != 0 ? ALARM_EVENT_CLEARED : ALARM_EVENT_STANDING;
}

/* What a message says of the end: the first of an alarm is the same before it and after. */
static int64_t told_cleared_ms(const struct alarm_message *m)
{
    return alarm_event_of(m->alarm, m->number) == ALARM_EVENT_CLEARED ? m->alarm->cleared_ms : 0;
}

static bool tells_gone(const struct alarm_message *m)
{
    return told_cleared_ms(m) != 0 && m->alarm->is_gone;
}

void alarm_message_id(const struct alarm_message *m, char text[static ALARM_MESSAGE_ID_SIZE])
{
    const struct alarm *a = m->alarm;
    int len = snprintf(text, ALARM_MESSAGE_ID_SIZE, "%s-%lld-%lld-%s-%lld", m->collector, (long long)a->id,
        (long long)a->fired_ms, alarm_events[alarm_event_of(a, m->number)], (long long)m->number);
    if (a->news > 0) /* an attempt before may have arrived, and did not say that */
        snprintf(text + len, ALARM_MESSAGE_ID_SIZE - (size_t)len, "-%lld", (long long)a->news);
}

/* ---- in words ---- */

static void add_part(struct buf *out, const char *word,
    void (*add)(const struct alarm *, int, enum alarm_language, struct buf *), const struct alarm_message *m,
    enum alarm_language language)
{
    struct buf value = {0};
    add(m->alarm, m->place.carrier, language, &value);
    if (value.len > 0)
        buf_printf(out, " · %s %s", word, value.data);
    buf_release(&value);
}

/* With what it is of, where that is not when it fired. */
static void add_value(
    struct buf *out, const char *word, const struct alarm_message *m, enum alarm_language language)
{
    char from[ZONE_TIME_SIZE], until[ZONE_TIME_SIZE];
    add_part(out, word, alarm_value, m, language);
    if (!m->alarm->has_value || m->alarm->until_ms == 0)
        return;
    zone_format_time(m->zone, m->alarm->from_ms, from);
    zone_format_time(m->zone, m->alarm->until_ms, until);
    buf_add_str(out, language == ALARM_ZH ? "（" : " (");
    alarm_period(from, until, out);
    buf_add_str(out, language == ALARM_ZH ? "）" : ")");
}

/* Of what has a value: what that is now. */
static void add_now(struct buf *out, const struct alarm_message *m, enum alarm_language language)
{
    struct alarm now = *m->alarm;
    if (!m->has_now && !now.has_value)
        return;
    buf_add_str(out, language == ALARM_ZH ? " · 现值 " : " · now ");
    now.has_value = m->has_now;
    now.value_m = m->now_m;
    if (m->has_now)
        alarm_value(&now, m->place.carrier, language, out);
    else
        buf_add_str(out, language == ALARM_ZH ? "未知" : "not known");
}

char *alarm_message_text(const struct alarm_message *m, enum alarm_language language)
{
    const struct alarm *a = m->alarm;
    bool is_zh = language == ALARM_ZH;
    struct buf out = {0};
    buf_printf(&out, is_zh ? "【%s】%s：%s" : "[%s] %s: %s", alarm_severity_word(a->severity, language),
        tells_gone(m) ? gone_words[language] : event_words[alarm_event_of(a, m->number)][language],
        alarm_kind_word(a->kind, language));
    struct buf why = {0};
    alarm_why(a, language, &why);
    if (why.len > 0)
        buf_printf(&out, is_zh ? "（%s）" : " (%s)", why.data);
    buf_release(&why);
    buf_add_str(&out, " · ");
    alarm_target_text(a, &m->place, language, &out);
    if (a->target_kind == ALARM_OF_COLLECTOR)
        buf_printf(&out, " %s", m->collector);
    const char *at = is_zh ? m->place.at : m->place.at_en;
    if (at != NULL)
        buf_printf(&out, " · %s", at);
    bool is_first = alarm_event_of(a, m->number) == ALARM_EVENT_FIRED;
    if (is_first || a->kind == ALARM_LOSS) /* of losses it is of now, whenever that is */
        add_value(&out, is_zh ? "数值" : "value", m, language);
    else if (told_cleared_ms(m) == 0)
        add_now(&out, m, language);
    add_part(&out, alarm_bound_word(a, language), alarm_bound, m, language);
    buf_add_str(&out, is_zh ? " · 起始 " : " · since ");
    alarm_time(m->zone, a->since_ms, &out);
    if (!is_first) {
        buf_add_str(&out, is_zh ? " · 触发 " : " · fired ");
        alarm_time(m->zone, a->fired_ms, &out);
        if (a->kind != ALARM_LOSS)
            add_value(&out, is_zh ? "触发时" : "then", m, language);
    }
    if (told_cleared_ms(m) != 0) {
        buf_add_str(&out, tells_gone(m) ? (is_zh ? " · 结束 " : " · ended ")
                          : is_zh       ? " · 恢复 "
                                        : " · cleared ");
        alarm_time(m->zone, a->cleared_ms, &out);
    }
    buf_printf(&out, is_zh ? " · 规则 %s · 编号 %lld" : " · rule %s · no. %lld", a->rule, (long long)a->id);
    if (m->link != NULL)
        buf_printf(&out, " · %s", m->link);
    text_clean(out.data); /* whatever a name holds, it is one line */
    return buf_take(&out);
}

/* ---- bodies ---- */

static json_t *time_json(const struct zone *zone, int64_t time_ms)
{
    char text[ZONE_TIME_SIZE];
    if (time_ms == 0)
        return json_null();
    zone_format_time(zone, time_ms, text);
    return json_string(text);
}

static json_t *period_json(const struct alarm_message *m)
{
    const struct alarm *a = m->alarm;
    return a->until_ms != 0 ? json_pack("{s:o, s:o}", "from", time_json(m->zone, a->from_ms), "until",
                                  time_json(m->zone, a->until_ms))
                            : json_null();
}

static json_t *number_json(bool is_there, int64_t value_m)
{
    return is_there ? json_real((double)value_m / 1000) : json_null();
}

static char *webhook_body(const struct alarm_message *m, const char *id, const char *text)
{
    const struct alarm *a = m->alarm;
    return json_text(json_pack(
        "{s:s, s:s, s:I, s:s, s:I, s:s, s:s, s:s, s:{s:s, s:s, s:s?, s:s?, s:s?, s:s?}, s:o, s:o, s:o, "
        "s:b, s:o, s:o, s:o, s:o, s:o, s:b, s:s, s:s?, s:o, s:I, s:s?, s:s}",
        "id", id, "event", alarm_events[alarm_event_of(a, m->number)], "number", (json_int_t)m->number,
        "collector", m->collector, "alarm", (json_int_t)a->id, "rule", a->rule, "kind", alarm_kinds[a->kind],
        "severity", alarm_severities[a->severity], "target", "kind", alarm_target_kinds[a->target_kind], "id",
        a->target, "name", m->place.name, "name_en", m->place.name_en, "at", m->place.at, "at_en",
        m->place.at_en, "since", time_json(m->zone, a->since_ms), "fired", time_json(m->zone, a->fired_ms),
        "cleared", time_json(m->zone, told_cleared_ms(m)), "gone", tells_gone(m), "value",
        number_json(a->has_value && alarm_event_of(a, m->number) == ALARM_EVENT_FIRED, a->value_m),
        "fired_value", number_json(a->has_value, a->value_m), "period", period_json(m), "now_value",
        number_json(m->has_now && alarm_event_of(a, m->number) == ALARM_EVENT_STANDING, m->now_m), "limit",
        number_json(a->has_bound, a->bound_m), "below", a->is_below, "unit",
        alarm_unit(a->kind, a->target_kind, m->place.carrier), "reason",
        a->reason != ALARM_REASON_NONE ? alarm_reasons[a->reason] : NULL, "reasons", alarm_ills_json(a),
        "news", (json_int_t)a->news, "link", m->link, "text", text));
}

/* Both makers' robots take the same. */
static char *robot_body(const char *text)
{
    return json_text(json_pack("{s:s, s:{s:s}}", "msgtype", "text", "text", "content", text));
}

#define WORD_BYTES 36 /* of text in an encoded word, which may have 75 characters in all */
#define LINE_BYTES 57 /* of text in a line of 76 characters of Base64 */

/* Of a text in UTF-8, at most `max` bytes, and no part of a character. */
static size_t whole_characters(const char *text, size_t max)
{
    size_t len = strlen(text);
    if (len <= max)
        return len;
    for (len = max; len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80;)
        len--;
    return len;
}

static void add_subject(struct buf *out, const char *text)
{
    buf_add_str(out, "Subject:");
    while (*text != '\0') {
        size_t len = whole_characters(text, WORD_BYTES);
        buf_add_str(out, " =?utf-8?B?");
        base64_add(out, (struct span){text, len});
        buf_add_str(out, "?=");
        text += len;
        buf_add_str(out, *text != '\0' ? "\n" : "");
    }
    buf_add_char(out, '\n');
}

/* Lines end as sendmail(8) reads them: with a line feed alone. */
static char *mail_body(const char *id, const struct alarm_receiver *r, const char *text)
{
    struct buf out = {0};
    if (r->from != NULL)
        buf_printf(&out, "From: %s\n", r->from);
    buf_add_str(&out, "To:");
    for (size_t i = 0; i < r->to.count; i++)
        buf_printf(&out, "%s %s", i == 0 ? "" : ",\n", ((char *const *)r->to.items)[i]);
    buf_add_char(&out, '\n');
    add_subject(&out, text);
    buf_printf(&out,
        "Message-ID: <%s@parkmon.invalid>\nX-Parkmon-Alarm: %s\nAuto-Submitted: auto-generated\n"
        "MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n"
        "Content-Transfer-Encoding: base64\n\n",
        id, id);
    for (size_t at = 0, len = strlen(text); at < len; at += LINE_BYTES) {
        base64_add(&out, (struct span){text + at, len - at < LINE_BYTES ? len - at : LINE_BYTES});
        buf_add_char(&out, '\n');
    }
    return buf_take(&out);
}

/* Of those that people read. */
static char *letter(const struct alarm_receiver *to, const char *id, const char *text)
{
    return to->kind == ALARM_BY_MAIL ? mail_body(id, to, text) : robot_body(text);
}

char *alarm_message_body(const struct alarm_message *m, const struct alarm_receiver *receiver)
{
    char id[ALARM_MESSAGE_ID_SIZE];
    alarm_message_id(m, id);
    char *text = alarm_message_text(m, (enum alarm_language)receiver->language);
    char *body = receiver->kind == ALARM_BY_WEBHOOK ? webhook_body(m, id, text) : letter(receiver, id, text);
    free(text);
    return body;
}

char *alarm_test_body(const char *collector, int64_t now_ms, const struct alarm_receiver *receiver)
{
    char id[ALARM_MESSAGE_ID_SIZE];
    snprintf(id, sizeof id, "%s-test-%lld", collector, (long long)now_ms);
    char *text = receiver->language == ALARM_ZH
                     ? mem_printf("【测试】采集器 %s 的告警可以送达这里；这不是告警。", collector)
                     : mem_printf("[test] Alarms of the collector %s arrive here; this is none.", collector);
    char *body = receiver->kind == ALARM_BY_WEBHOOK
                     ? json_text(json_pack("{s:s, s:s, s:s, s:s}", "id", id, "event", "test", "collector",
                           collector, "text", text))
                     : letter(receiver, id, text);
    free(text);
    return body;
}

/* ---- robots ---- */

void alarm_dingtalk_sign(const char *key, int64_t now_ms, struct buf *out)
{
    char *text = mem_printf("%lld\n%s", (long long)now_ms, key);
    struct hash hash = hash_hmac(span_of(key), span_of(text));
    struct buf sign = {0};
    base64_add(&sign, hash_bytes(&hash));
    buf_printf(out, "timestamp=%lld&sign=", (long long)now_ms);
    for (size_t i = 0; i < sign.len; i++) {
        char c = sign.data[i];
        if (c == '+' || c == '/' || c == '=')
            buf_printf(out, "%%%02X", (unsigned)c);
        else
            buf_add_char(out, c);
    }
    buf_release(&sign);
    free(text);
}

enum status alarm_answer_check(enum alarm_receiver_kind kind, int code, struct span body, struct error *err)
{
    if (code >= 300 && code <= 399)
        return error_set(err, ST_PROTOCOL,
            "it answered %d, and no redirect is followed; expected 200 of the URL that is named", code);
    if (code < 200 || code > 299)
        return error_set(err, code >= 500 ? ST_TIMEOUT : ST_PROTOCOL, "it answered %d; expected 200", code);
    if (kind != ALARM_BY_DINGTALK && kind != ALARM_BY_WECOM)
        return ST_OK;
    json_t *said = json_loadb(body.at != NULL ? body.at : "", body.len, JSON_REJECT_DUPLICATES, NULL);
    const json_t *number = json_object_get(said, "errcode");
    enum status status = ST_OK;
    if (!json_is_integer(number))
        status = error_set(err, ST_TIMEOUT, "its answer is no robot's; expected JSON with errcode");
    else if (json_integer_value(number) != 0)
        /* Its words may repeat what it was sent, and with it the secret. */
        status = error_set(
            err, ST_PROTOCOL, "the robot refused it: errcode %lld", (long long)json_integer_value(number));
    json_decref(said);
    return status;
}
