/* /ops/alarms: what stands, with the form to acknowledge it, and what was. The lists are the API's own (api_alarms.c); the words are
 * those of the messages (collector/alarm/words.h). */
#include "collector/web/ops_frame.h"
#include "collector/web/ops_page.h"
#include "collector/web/ops_target.h"
#include "collector/web/page_params.h"
#include "collector/web/paging.h"

#include "collector/alarm/words.h"
#include "lib/mem.h"
#include "lib/number.h"
#include "lib/text.h"

#include <stdlib.h>
#include <string.h>

static const char *const before[] = {"before", NULL};

/* Of a code that the API says. */
static int find_name(const char *const *names, const char *name)
{
    int found = text_index(names, name);
    return found < 0 ? 0 : found;
}

static enum alarm_language language_of(const struct ops_page *p)
{
    return p->language == PAGE_ZH ? ALARM_ZH : ALARM_EN;
}

static bool may_ack(const struct web_request *request)
{
    const struct caller *caller = request->caller;
    return caller->kind == CALLER_KNOWN && (caller->token.scopes & SCOPE_ALARMS) != 0;
}

/* By word and by the pill's own sign, not by colour alone. */
static void add_severity(struct ops_page *p, const json_t *item)
{
    static const char *const pills[] = {"info", "warn", "bad"};
    int severity = find_name(alarm_severities, ops_member(item, "severity"));
    buf_add_str(&p->out, "<td data-title=\"");
    buf_add_html(&p->out, ops_text(p, "alarm_severity", NULL));
    buf_printf(&p->out, "\"><span class=\"pill pill-%s\"><span class=\"dot\" aria-hidden=\"true\"></span>",
        pills[severity]);
    buf_add_html(&p->out, alarm_severity_word((enum alarm_severity)severity, language_of(p)));
    buf_add_str(&p->out, "</span></td>");
}

static const char *target_word(const struct ops_page *p, const json_t *item)
{
    const json_t *target = json_object_get(item, "target");
    int kind = find_name(alarm_target_kinds, ops_member(target, "kind"));
    return alarm_target_word((enum alarm_target_kind)kind, language_of(p));
}

/* What it is called by: its name, else its id; the collector has neither. */
static const char *target_name(const struct ops_page *p, const json_t *item)
{
    const json_t *target = json_object_get(item, "target");
    const char *name = ops_member(target, p->language == PAGE_ZH ? "name" : "name_en"),
               *id = ops_member(target, "id");
    return name[0] != '\0' ? name : id[0] != '\0' ? id : target_word(p, item);
}

static void add_target(struct ops_page *p, const json_t *item)
{
    const json_t *target = json_object_get(item, "target");
    const char *id = ops_member(target, "id"), *word = target_word(p, item);
    enum alarm_target_kind kind =
        (enum alarm_target_kind)find_name(alarm_target_kinds, ops_member(target, "kind"));
    char *address = ops_target_address(p, kind, id, ops_member(item, "fired"));
    buf_add_str(&p->out, "<th scope=\"row\">");
    if (address != NULL) {
        buf_add_str(&p->out, "<a href=\"");
        buf_add_html(&p->out, address);
        buf_add_str(&p->out, "\">");
    }
    buf_add_html(&p->out, target_name(p, item));
    buf_add_str(&p->out, address != NULL ? "</a>" : "");
    free(address);
    buf_add_str(&p->out, "<span class=\"id\">");
    buf_add_html(&p->out, word);
    buf_add_char(&p->out, ' ');
    buf_add_html(&p->out, id);
    buf_add_str(&p->out, "</span></th>");
}

static int64_t thousandths(const json_t *number)
{
    double value = json_number_value(number) * 1000;
    return (int64_t)(value < 0 ? value - 0.5 : value + 0.5);
}

/* The night or the day that the value is of, where it is not of when it fired. */
static void add_period(const json_t *period, struct buf *out)
{
    struct buf text = {0};
    if (!json_is_object(period))
        return;
    alarm_period(ops_member(period, "from"), ops_member(period, "until"), &text);
    const char *dash = strstr(text.data, " – ");
    size_t begin = dash != NULL ? (size_t)(dash - text.data) + strlen(" –") : text.len;
    char *from = mem_printf("%.*s", (int)begin, text.data);
    buf_add_str(out, " <span class=\"nowrap\">");
    buf_add_html(out, from);
    buf_add_str(out, "</span><span class=\"nowrap\">");
    buf_add_html(out, text.data + begin);
    buf_add_str(out, "</span>");
    free(from);
    buf_release(&text);
}

/* A number stays beside its unit; what it is of may stand below. */
static void add_amount(const char *value, struct buf *out)
{
    size_t unit = strcspn(value, " ");
    unit += strspn(value + unit, " ");
    const char *wide = strstr(value, "（"), *end = value + unit + strcspn(value + unit, " ");
    char *amount = mem_printf("%.*s", (int)((wide != NULL && wide < end ? wide : end) - value), value);
    buf_add_str(out, "<span class=\"nowrap\">");
    buf_add_html(out, amount);
    buf_add_str(out, "</span>");
    buf_add_html(out, value + strlen(amount));
    free(amount);
}

/* Named for what it is: what there was when it fired stays as it was then, while losses are counted on, and silence lasts. */
static void add_value(struct ops_page *p, const json_t *item, enum alarm_kind kind, const char *value)
{
    bool is_standing = strcmp(ops_member(item, "state"), "standing") == 0;
    const char *key = kind == ALARM_NO_DATA ? "alarm_silent"
                      : kind != ALARM_LOSS  ? "alarm_then"
                      : is_standing         ? "alarm_so_far"
                                            : "alarm_in_all";
    struct buf said = {0};
    if (kind == ALARM_NO_DATA)
        ops_add_clock(p, ops_member(item, "since"), &said);
    else
        add_amount(value, &said);
    add_period(json_object_get(item, "period"), &said);
    buf_add_char(&p->out, ' ');
    ops_say(p, key, said.data);
    buf_release(&said);
}

/* What it is, and with what value. */
static void add_what(struct ops_page *p, const json_t *item)
{
    int kind = find_name(alarm_kinds, ops_member(item, "kind"));
    const json_t *target = json_object_get(item, "target"), *at = json_object_get(item, "value"),
                 *limit = json_object_get(item, "limit");
    struct alarm a = {.kind = (enum alarm_kind)kind,
        .target_kind = (enum alarm_target_kind)find_name(alarm_target_kinds, ops_member(target, "kind")),
        .has_value = json_is_number(at),
        .value_m = thousandths(at),
        .has_bound = json_is_number(limit),
        .bound_m = thousandths(limit),
        .reason = (enum alarm_reason)find_name(alarm_reasons, ops_member(item, "reason"))};
    struct alarm_place place =
        alarm_place_find(p->context->options->park, a.target_kind, ops_member(target, "id"));
    struct buf value = {0}, bound = {0}, why = {0}, ills = {0};
    size_t i;
    json_t *code;
    json_array_foreach(json_object_get(item, "reasons"), i, code)
        buf_printf(&ills, "%s%s", i > 0 ? "," : "", json_string_value(code));
    a.ills = ills.data;
    alarm_why(&a, language_of(p), &why);
    alarm_value(&a, place.carrier, language_of(p), &value);
    alarm_bound(&a, place.carrier, language_of(p), &bound);
    buf_add_str(&p->out, "<td class=\"note\" data-title=\"");
    buf_add_html(&p->out, ops_text(p, "alarm_what", NULL));
    buf_add_str(&p->out, "\"><span><strong>");
    buf_add_html(&p->out, alarm_kind_word(a.kind, language_of(p)));
    buf_add_str(&p->out, "</strong>");
    if (why.len > 0) {
        buf_add_char(&p->out, ' ');
        buf_add_html(&p->out, why.data);
    }
    if (value.len > 0)
        add_value(p, item, a.kind, value.data);
    buf_add_str(&p->out, "<span class=\"id\">");
    if (bound.len > 0) {
        buf_add_html(&p->out,
            ops_text(p, json_is_true(json_object_get(item, "below")) ? "alarm_below" : "alarm_limit", NULL));
        buf_add_char(&p->out, ' ');
        buf_add_html(&p->out, bound.data);
        buf_add_str(&p->out, " · ");
    }
    buf_add_html(&p->out, ops_text(p, "alarm_rule", NULL));
    buf_add_char(&p->out, ' ');
    buf_add_html(&p->out, ops_member(item, "rule"));
    buf_add_str(&p->out, "</span></span></td>");
    buf_release(&value);
    buf_release(&bound);
    buf_release(&why);
    buf_release(&ills);
}

static void add_form(struct ops_page *p, const struct web_request *request, const json_t *item)
{
    char id[32], news[32];
    snprintf(id, sizeof id, "%lld", (long long)json_integer_value(json_object_get(item, "id")));
    snprintf(news, sizeof news, "%lld", (long long)json_integer_value(json_object_get(item, "news")));
    buf_add_str(&p->out, "<form class=\"controls ack\" method=\"post\" action=\"/ops/alarms\">");
    ops_add_hidden("csrf", request->caller->csrf, &p->out);
    ops_add_hidden("lang", page_language_name(p->language), &p->out);
    ops_add_hidden("id", id, &p->out);
    ops_add_hidden("news", news, &p->out);
    buf_printf(
        &p->out, "<input name=\"note\" maxlength=\"%d\" autocomplete=\"off\" aria-label=\"", ALARM_NOTE_MAX);
    buf_add_html(&p->out, ops_text(p, "alarm_note", NULL));
    buf_printf(&p->out, " %s ", id);
    buf_add_html(&p->out, target_name(p, item));
    buf_add_str(&p->out, "\" placeholder=\"");
    buf_add_html(&p->out, ops_text(p, "alarm_note", NULL));
    const char *of = request->form != NULL ? form_value(request->form, "id") : NULL,
               *typed = of != NULL && strcmp(of, id) == 0 ? form_value(request->form, "note") : NULL;
    if (typed != NULL) { /* it was refused: nobody types it again */
        buf_add_str(&p->out, "\" value=\"");
        buf_add_html(&p->out, typed);
    }
    buf_add_str(&p->out, "\"><button type=\"submit\" aria-label=\"");
    buf_add_html(&p->out, ops_text(p, "alarm_ack", NULL));
    buf_printf(&p->out, " %s\">", id);
    buf_add_html(&p->out, ops_text(p, "alarm_ack", NULL));
    buf_add_str(&p->out, "</button></form>");
}

/* Who had taken note before there was more of it. */
static void add_former(struct ops_page *p, const json_t *item)
{
    const json_t *former = json_object_get(item, "acked_before");
    if (!json_is_object(former))
        return;
    buf_add_str(&p->out, "<span class=\"id\">");
    buf_add_html(&p->out, ops_text(p, "alarm_former", NULL));
    buf_add_str(&p->out, page_gap(ops_text(p, "alarm_former", NULL)));
    buf_add_html(&p->out, ops_member(former, "by"));
    buf_add_str(&p->out, ops_member(former, "note")[0] != '\0' ? " · " : "");
    buf_add_html(&p->out, ops_member(former, "note"));
    buf_add_str(&p->out, "</span>");
}

/* Who took note, and what was said; of what stands the form for it. */
static void add_ack(
    struct ops_page *p, const struct web_request *request, const json_t *item, bool is_standing)
{
    const char *by = ops_member(item, "acked_by"), *at = ops_member(item, "acked");
    bool has_form = by[0] == '\0' && is_standing && may_ack(request);
    buf_printf(&p->out, "<td class=\"%s\" data-title=\"", has_form ? "actions" : "note");
    buf_add_html(&p->out, ops_text(p, "alarm_acked", NULL));
    buf_add_str(&p->out, "\">");
    if (has_form) {
        add_form(p, request, item);
    } else if (by[0] != '\0') {
        buf_add_str(&p->out, "<span>");
        buf_add_html(&p->out, ops_member(item, "ack_note"));
        buf_add_str(&p->out, "<span class=\"id\">");
        buf_add_html(&p->out, by);
        buf_printf(&p->out, " %.10s %.5s", at, strlen(at) > 16 ? at + 11 : "");
        ops_add_offset(p, at, &p->out);
        buf_add_str(&p->out, "</span></span>");
    }
    add_former(p, item);
    buf_add_str(&p->out, "</td>");
}

static void add_row(
    struct ops_page *p, const struct web_request *request, const json_t *item, bool is_standing)
{
    char id[32];
    snprintf(id, sizeof id, "%lld", (long long)json_integer_value(json_object_get(item, "id")));
    buf_add_str(&p->out, "<tr>");
    ops_add_cell(p, "outage_id", id);
    add_severity(p, item);
    add_target(p, item);
    add_what(p, item);
    ops_add_time(p, "alarm_since", ops_member(item, "since"));
    if (!is_standing)
        ops_add_time(p, "alarm_cleared", ops_member(item, "cleared"));
    add_ack(p, request, item, is_standing);
    buf_add_str(&p->out, "</tr>");
}

/* Is there anything to watch by, and are alarms judged: nobody knows yet at a start. */
static void read_watch(const struct web_context *context, bool *ret_is_watched, bool *ret_is_off)
{
    struct web_answer starting;
    const struct snapshot *s = context_snapshot(context, &starting);
    *ret_is_watched = s == NULL || s->counters.alarm_rules != 0;
    *ret_is_off = s != NULL && snapshot_alarms_are_off(s);
    if (s == NULL)
        answer_release(&starting);
    snapshot_put(s);
}

static size_t add_rows(
    struct ops_page *p, const struct web_request *request, const json_t *items, bool is_standing)
{
    size_t i;
    json_t *item;
    json_array_foreach(items, i, item) add_row(p, request, item, is_standing);
    return json_array_size(items);
}

/* Those that stand, the gravest first, or those that are over, the newest first. */
static void add_alarms(
    struct ops_page *p, const struct web_request *request, const json_t *items, bool is_standing)
{
    static const char *const heads[] = {
        "outage_id", "alarm_severity", "outage_target", "alarm_what", "alarm_since", "alarm_acked", NULL};
    static const char *const over[] = {"outage_id", "alarm_severity", "outage_target", "alarm_what",
        "alarm_since", "alarm_cleared", "alarm_acked", NULL};
    ops_begin_table(p, is_standing ? "alarms_standing" : "alarms_over", is_standing ? heads : over);
    size_t shown = add_rows(p, request, items, is_standing);
    buf_add_str(&p->out, "</tbody></table>");
    bool is_watched, is_off;
    read_watch(p->context, &is_watched, &is_off);
    if (shown == 0 && (!is_standing || is_watched))
        ops_add_text(p, "p", is_standing ? "alarms_none" : "alarms_none_over");
    if (is_standing && shown == PAGING_MAX)
        ops_add_text(p, "p", "alarms_first");
    if (is_standing && is_off)
        ops_add_text(p, "p", "reason_alarms_off");
    if (is_standing && !is_watched)
        ops_add_text(p, "p", "alarms_unset_how");
}

static struct web_answer handle_standing(struct web_context *context, const struct web_request *request)
{
    struct web_request asked = *request;
    asked.params[0] = (struct web_param){"state", "standing"};
    asked.params[1] = (struct web_param){"limit", "1000"};
    asked.param_count = 2;
    return handle_alarms(context, &asked);
}

static struct web_answer handle_over(struct web_context *context, const struct web_request *request)
{
    struct web_request asked = *request;
    asked.params[asked.param_count++] = (struct web_param){"state", "over"};
    return handle_alarms(context, &asked);
}

static struct web_answer show(
    struct ops_page *p, const struct web_request *request, int code, const char *message)
{
    struct web_answer answer;
    json_t *standing = ops_list(p->context, request, before[0], handle_standing, &answer);
    if (standing == NULL)
        return answer;
    json_t *over = ops_list(p->context, request, before[0], handle_over, &answer);
    if (over == NULL) {
        json_decref(standing);
        return answer;
    }
    ops_add_done(p, "alarm_done", request);
    ops_add_message(&p->out, message, NULL);
    ops_begin_lists(p, "alarms");
    add_alarms(p, request, json_object_get(standing, "alarms"), true);
    if (!may_ack(request))
        ops_add_text(p, "p", "needs_alarms");
    add_alarms(p, request, json_object_get(over, "alarms"), false);
    ops_add_more(p, request, before, before[0], over);
    ops_end_lists(p);
    json_decref(standing);
    json_decref(over);
    char *content = buf_take(&p->out), *here = page_self(request);
    answer =
        ops_frame(p->context, p->language, code, "alarms", ops_text(p, "view_alarms", NULL), here, content);
    free(content);
    free(here);
    return answer;
}

/* Which one, and who did already, and when, or since when it is over, by the clocks of its place; or that there is more of it. False:
 * it has a form still. */
static bool add_what_it_is(struct ops_page *p, int64_t id, struct buf *out)
{
    struct alarm a = {0};
    struct error err;
    if (!context_open_db(p->context, &err) || alarm_find(p->context->db, id, &a, &err) != ST_OK) {
        context_close_db(p->context);
        buf_add_str(out, ops_text(p, "not_now", NULL));
        return true;
    }
    struct alarm_place place = alarm_place_find(p->context->options->park, a.target_kind, a.target);
    bool is_over = a.cleared_ms != 0, is_acked = a.acked_ms != 0;
    json_t *time = context_time(p->context, place.site, is_over ? a.cleared_ms : a.acked_ms);
    const char *at = json_is_string(time) ? json_string_value(time) : "";
    buf_printf(out, "%lld · %s · ", (long long)id, alarm_kind_word(a.kind, language_of(p)));
    alarm_target_text(&a, &place, language_of(p), out);
    const char *what = ops_text(p,
        is_over    ? "alarm_is_over"
        : is_acked ? "alarm_is_acked"
                   : "alarm_is_more",
        NULL);
    buf_printf(out, "%s%s%s", ops_text(p, "colon", NULL), what, page_gap(what));
    if (is_acked && !is_over)
        buf_printf(out, "%s%s", a.acked_by, ops_text(p, "comma", NULL));
    if (is_acked || is_over)
        buf_printf(out, "%.10s %.5s", at, strlen(at) > 16 ? at + 11 : "");
    if (context_has_zones(p->context) && strlen(at) > strlen("2026-03-02T18:06:00.000"))
        buf_printf(out, " %s", at + strlen("2026-03-02T18:06:00.000"));
    json_decref(time);
    alarm_release(&a);
    return is_acked || is_over;
}

/* Why it was refused, in the reader's language, with the note that has no form to stand in any more. The caller frees it. */
static char *say_why(struct ops_page *p, int code, int64_t id, const char *note)
{
    struct buf out = {0};
    bool has_no_form = code == 404 || (code == 422 && add_what_it_is(p, id, &out));
    if (code == 404)
        buf_printf(&out, "%s%s%lld", ops_text(p, "alarm_unknown", NULL),
            page_gap(ops_text(p, "alarm_unknown", NULL)), (long long)id);
    else if (code != 422)
        buf_add_str(&out, ops_text(p, code == 400 ? "alarm_bad_note" : "not_now", NULL));
    if (has_no_form && note[0] != '\0')
        buf_printf(&out, " · %s%s%s", ops_text(p, "alarm_note_untaken", NULL),
            page_gap(ops_text(p, "alarm_note_untaken", NULL)), note);
    return buf_take(&out);
}

/* The API's own handler takes it. */
static struct web_answer take(struct ops_page *p, const struct web_request *request)
{
    const char *id = form_value(request->form, "id");
    const char *typed = form_value(request->form, "note"), *note = typed != NULL ? typed : "";
    if (id == NULL || id[0] == '\0' || strspn(id, "0123456789") != strlen(id) || strlen(id) > 18)
        return answer_error(400, "bad_parameter", "id: expected the number of an alarm");
    const char *seen = form_value(request->form, "news");
    int64_t seen_news = 0;
    if (seen != NULL && !(number_parse_int64(seen, strlen(seen), &seen_news) && seen_news >= 0))
        return answer_error(
            400, "bad_parameter", "news: expected that of the alarm as it was seen, a whole number");
    struct web_request asked = *request;
    json_t *body = seen != NULL ? json_pack("{s:s, s:I}", "note", note, "news", (json_int_t)seen_news)
                                : json_pack("{s:s}", "note", note);
    snprintf(asked.id, sizeof asked.id, "%s", id);
    asked.form = NULL;
    asked.json = body;
    struct web_answer said = handle_alarm_ack(p->context, &asked), answer;
    json_decref(body);
    if (said.code < 300) {
        answer = (struct web_answer){.code = 303,
            .redirect = mem_printf("/ops/alarms?done=%s&lang=%s", asked.id, page_language_name(p->language))};
    } else {
        char *why = say_why(p, said.code, strtoll(id, NULL, 10), note);
        struct web_request shown = *request;
        shown.param_count = 0;
        answer = show(p, &shown, said.code, why);
        free(why);
    }
    answer_release(&said);
    return answer;
}

struct web_answer handle_ops_alarms(struct web_context *context, const struct web_request *request)
{
    struct ops_page p = {.context = context, .language = page_language_of(request)};
    if (request->is_put_off)
        return show(&p, request, 503, ops_text(&p, "not_now", NULL));
    return request->form != NULL ? take(&p, request) : show(&p, request, 200, NULL);
}
