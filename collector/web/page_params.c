#include "collector/web/page_params.h"

#include "collector/instrument/outage.h"
#include "collector/web/energy_query.h"
#include "collector/web/ops_fields.h"
#include "collector/web/ops_frame.h"
#include "collector/web/public.h"
#include "lib/mem.h"
#include "lib/number.h"
#include "lib/text.h"

#include <stdlib.h>
#include <string.h>

#define PATH_MAX_BYTES 256
#define NAME_SHOWN 40 /* bytes */
#define STRING_OF(number) #number
#define STRING(number) STRING_OF(number)

/* ---- what is right ---- */

static bool read_day(const char *text, struct period *ret)
{
    return periods_parse(text, ret) && ret->kind == PERIODS_DAY && strcmp(text, PAGE_DAY_FIRST) >= 0 &&
           strcmp(text, PAGE_DAY_LAST) <= 0;
}

static bool is_day(const struct web_context *context, const struct web_request *request, const char *value)
{
    (void)context;
    (void)request;
    struct period day;
    return read_day(value, &day);
}

/* The last day of a period that is no longer than the API answers. */
static bool is_last_day(
    const struct web_context *context, const struct web_request *request, const char *value)
{
    const char *from = request_param(request, "from");
    const struct zone *zone = context_zone(context, request_param(request, "site"));
    struct period first, last;
    return from != NULL && read_day(from, &first) && read_day(value, &last) && last.number >= first.number &&
           energy_query_is_short(
               (struct periods_span){periods_span(zone, first).begin_ms, periods_span(zone, last).end_ms});
}

static bool is_number(const struct web_context *context, const struct web_request *request, const char *value)
{
    (void)context;
    (void)request;
    int64_t number;
    return number_parse_int64(value, strlen(value), &number) && number > 0;
}

static bool is_site(const struct web_context *context, const struct web_request *request, const char *value)
{
    (void)request;
    return park_site_find(context->options->park, value) != NULL;
}

static bool is_space(const struct web_context *context, const struct web_request *request, const char *value)
{
    (void)request;
    return park_space_find(context->options->park, value) != NULL;
}

static bool is_instrument(
    const struct web_context *context, const struct web_request *request, const char *value)
{
    (void)request;
    return park_instrument_find(context->options->park, value) != NULL;
}

static bool is_item(const struct park *park, const char *value)
{
    CONF_EACH (const struct park_meter, m, park->meters) {
        if (m->item != NULL && strcmp(m->item, value) == 0)
            return true;
        CONF_EACH (const struct park_change, c, m->changes)
            if (c->item != NULL && strcmp(c->item, value) == 0)
                return true;
    }
    CONF_EACH (const struct park_virtual, v, park->virtual_meters)
        if (v->item != NULL && strcmp(v->item, value) == 0)
            return true;
    return false;
}

/* What has a row of its own at some time, whatever the period: who goes on to another month keeps what was chosen. */
static bool is_row(const struct web_context *context, const struct web_request *request, const char *value)
{
    const struct park *park = context->options->park;
    const char *by = request_param(request, "by");
    switch ((enum tree_by)(by != NULL ? text_index(tree_bys, by) : (int)TREE_BUILDING)) {
    case TREE_BUILDING:
        CONF_EACH (const struct park_building, b, park->buildings)
            if (strcmp(b->id, value) == 0)
                return true;
        return false;
    case TREE_TENANT:
        CONF_EACH (const struct park_tenant, t, park->tenants)
            if (strcmp(t->id, value) == 0)
                return true;
        return false;
    case TREE_METER:
        return park_meter_find(park, value) != NULL || park_virtual_find(park, value) != NULL;
    case TREE_ITEM:
        return is_item(park, value);
    case TREE_CARRIER:
        return text_index(park_carriers, value) >= 0;
    }
    return false;
}

bool page_is_path(const char *text)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/_-.?=&";
    return text[0] == '/' && text[1] != '/' && strlen(text) <= PATH_MAX_BYTES &&
           strspn(text, plain) == strlen(text);
}

static bool is_path(const struct web_context *context, const struct web_request *request, const char *value)
{
    (void)context;
    (void)request;
    return value[0] == '\0' || page_is_path(value);
}

/* Forms are sent with what was left empty. */
static bool is_now(const struct web_context *context, const struct web_request *request, const char *value)
{
    (void)context;
    (void)request;
    return value[0] == '\0' || strcmp(value, "now") == 0;
}

static bool is_length(const struct web_context *context, const struct web_request *request, const char *value)
{
    (void)context;
    (void)request;
    return value[0] == '\0' || public_length_ms(value) > 0;
}

/* ---- the rules ---- */

static const char *const languages[] = {"zh", "en", NULL};
static const char *const now[] = {"now", NULL};
static const char *const views[] = {OPS_WALL, NULL};
static const char *const lengths[] = {"day", "week", "month", "year", "custom", NULL};
static const char *const short_lengths[] = {"day", "week", "month", "custom", NULL};
static const char *const againsts[] = {"before", "year", "nothing", NULL};
static const char *const measures[] = {"utilisation", "frequency", NULL};
static const char *const decisions[] = {"outlier", "reset", "replacement", "energy", "undo", NULL};
static const char *const days[] = {PAGE_DAY_FIRST " – " PAGE_DAY_LAST, NULL};
static const char *const days_max[] = {STRING(ENERGY_DAYS_MAX), NULL};

#define LANGUAGE                                 \
    {                                            \
        "lang", "expected_word", languages, NULL \
    }
#define WORD(name, words)                  \
    {                                      \
        name, "expected_word", words, NULL \
    }
#define ID(name, is_right)                  \
    {                                       \
        name, "expected_id", NULL, is_right \
    }
#define NUMBER(name)                             \
    {                                            \
        name, "expected_number", NULL, is_number \
    }
#define ANY(name)                         \
    {                                     \
        name, "expected_text", NULL, NULL \
    }
#define PERIOD                                           \
    {"from", "expected_day", days, is_day},              \
    {                                                    \
        "to", "expected_last_day", days_max, is_last_day \
    }

const struct web_rule page_language[] = {LANGUAGE, {0}};
/* Ids are of the board's model, which the handler has (public_page.c). */
const struct web_rule page_search[] = {LANGUAGE, ANY("q"), ID("category", NULL), ID("building", NULL),
    ID("organisation", NULL), {"available", "expected_word", now, is_now},
    {"length", "expected_word", public_lengths, is_length}, {0}};
const struct web_rule page_login[] = {LANGUAGE, {"next", "expected_path", NULL, is_path}, {0}};
const struct web_rule page_overview[] = {LANGUAGE, WORD("view", views), {0}};
const struct web_rule page_energy[] = {LANGUAGE, ID("site", is_site), WORD("length", lengths), PERIOD,
    WORD("carrier", park_carriers), WORD("by", tree_bys), WORD("against", againsts), ID("id", is_row), {0}};
const struct web_rule page_occupancy[] = {LANGUAGE, ID("site", is_site), WORD("length", short_lengths),
    PERIOD, WORD("measure", measures), ID("space", is_space), {0}};
const struct web_rule page_instruments[] = {LANGUAGE, ID("id", is_instrument), {0}};
const struct web_rule page_exceptions[] = {
    LANGUAGE, NUMBER("exceptions_before"), NUMBER("decisions_before"), NUMBER("done"), {0}};
const struct web_rule page_decide[] = {LANGUAGE, WORD("kind", decisions), {0}};
const struct web_rule page_outages[] = {LANGUAGE, NUMBER("before"), NUMBER("done"), {0}};
/* `target` is what a form opens with, as far as there is one. */
const struct web_rule page_outage[] = {
    LANGUAGE, WORD("act", outage_acts), WORD("kind", outage_kinds), NUMBER("id"), ANY("target"), {0}};
const struct web_rule page_alarms[] = {LANGUAGE, NUMBER("before"), NUMBER("done"), {0}};

enum page_language page_language_of(const struct web_request *request)
{
    const char *asked =
        request->form != NULL ? form_value(request->form, "lang") : request_param(request, "lang");
    return page_choose_language(asked, request->accept_language);
}

/* ---- refused ---- */

static const struct web_rule *find_rule(const struct web_request *request, const char *name)
{
    for (const struct web_rule *r = request->route->rules; r != NULL && r->name != NULL; r++)
        if (strcmp(r->name, name) == 0)
            return r;
    return NULL;
}

static const char *expected_of(
    const struct web_request *request, const char *name, const struct web_rule *rule)
{
    if (request->odd_param != NULL && strcmp(request->odd_param, name) == 0)
        return "expected_text";
    if (request_is_twice(request, name))
        return "expected_once";
    return rule != NULL ? rule->expected : NULL;
}

static char *join(const char *const *words)
{
    struct buf out = {0};
    for (size_t i = 0; words != NULL && words[i] != NULL; i++)
        buf_printf(&out, "%s%s", i > 0 ? ", " : "", words[i]);
    buf_add_str(&out, "");
    return buf_take(&out);
}

static struct web_answer answer_in_frame(
    struct public_page *page, const struct web_request *request, const char *title, const char *self)
{
    if (strncmp(request->path, "/ops", 4) != 0)
        return public_answer(page, 400, title, self);
    char *content = buf_take(&page->out);
    struct web_answer answer = ops_frame(page->context, page->language, 400, NULL, title, self, content);
    free(content);
    return answer;
}

struct web_answer page_refuse(
    const struct web_context *context, const struct web_request *request, const char *name)
{
    const struct web_rule *rule = find_rule(request, name);
    const char *expected = expected_of(request, name, rule);
    struct public_page page = {.context = context, .language = page_language_of(request)};
    char *words = join(rule != NULL ? rule->words : NULL), *self = mem_printf("%s?lang=", request->path);
    char shown[NAME_SHOWN + 1];
    struct buf escaped = {0};
    snprintf(shown, sizeof shown, "%s", name);
    text_clean(shown);
    buf_add_html(&escaped, shown);
    buf_add_str(&page.out, "<p class=\"card\" role=\"alert\">");
    public_say(
        &page, context_text(context, page.language, "bad_param"), escaped.data != NULL ? escaped.data : "");
    buf_add_char(&page.out, ' ');
    public_say(&page, context_text(context, page.language, expected), words);
    public_add(&page, " <a href=\"", self, page_language_name(page.language));
    public_add(&page, "\">", context_text(context, page.language, "without_param"), "</a></p>");
    const char *title = context_text(context, page.language, "bad_param_title");
    struct web_answer answer = answer_in_frame(&page, request, title, self);
    buf_release(&escaped);
    free(words);
    free(self);
    return answer;
}

char *page_self(const struct web_request *request)
{
    struct buf self = {0};
    buf_printf(&self, "%s?", request->path);
    for (const struct web_rule *r = request->route->rules; r != NULL && r->name != NULL; r++) {
        const char *value = request_param(request, r->name);
        if (value == NULL || value[0] == '\0' || strcmp(r->name, "lang") == 0)
            continue;
        buf_printf(&self, "%s=", r->name);
        form_add_encoded(&self, value);
        buf_add_char(&self, '&');
    }
    buf_add_str(&self, "lang=");
    return buf_take(&self);
}
