#include "collector/web/ops_outage.h"

#include "collector/web/ops_fields.h"
#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>

const char *const ops_outage_fields[OUTAGE_FIELDS] = {"target", "from", "until", "category", "note"};

static const struct ops_outage_form opens[] = {
    [OUTAGE_BROKEN] = {{{OUTAGE_FIELD_TARGET, true, NULL}, {OUTAGE_FIELD_CATEGORY, true, NULL},
                           {OUTAGE_FIELD_NOTE, true, NULL}, {OUTAGE_FIELD_FROM, false, "help_outage_now"},
                           {OUTAGE_FIELD_UNTIL, false, "help_outage_over"}},
        5},
    [OUTAGE_PLANNED] = {{{OUTAGE_FIELD_TARGET, true, NULL}, {OUTAGE_FIELD_CATEGORY, true, NULL},
                            {OUTAGE_FIELD_NOTE, true, NULL}, {OUTAGE_FIELD_FROM, true, "help_time"},
                            {OUTAGE_FIELD_UNTIL, true, "help_time"}},
        5},
    [OUTAGE_PROBLEM] = {{{OUTAGE_FIELD_TARGET, true, NULL}, {OUTAGE_FIELD_CATEGORY, true, NULL},
                            {OUTAGE_FIELD_NOTE, true, NULL}, {OUTAGE_FIELD_FROM, false, "help_outage_now"}},
        4}};
static const struct ops_outage_form
    change = {{{OUTAGE_FIELD_CATEGORY, true, NULL}, {OUTAGE_FIELD_NOTE, true, NULL},
                  {OUTAGE_FIELD_FROM, true, "help_time"}, {OUTAGE_FIELD_UNTIL, true, "help_time"}},
        4},
    change_open = {{{OUTAGE_FIELD_CATEGORY, true, NULL}, {OUTAGE_FIELD_NOTE, true, NULL},
                       {OUTAGE_FIELD_FROM, true, "help_time"}},
        3},
    close = {{{OUTAGE_FIELD_NOTE, true, "help_outage_done"}, {OUTAGE_FIELD_UNTIL, false, "help_outage_now"}},
        2},
    cancel = {{{OUTAGE_FIELD_NOTE, true, NULL}}, 1};

const struct ops_outage_form *ops_outage_form_of(const struct ops_outage *a)
{
    switch (a->act) {
    case OUTAGE_OPEN:
        return &opens[a->kind];
    case OUTAGE_CHANGE:
        return a->outage.until_ms == OUTAGE_UNKNOWN_END ? &change_open : &change;
    case OUTAGE_CLOSE:
        return &close;
    case OUTAGE_CANCEL:
        break;
    }
    return &cancel;
}

const char *ops_outage_given(const struct web_request *request, const char *name)
{
    const char *value =
        request->form != NULL ? form_value(request->form, name) : request_param(request, name);
    return value != NULL ? value : "";
}

const char *ops_outage_text(const struct ops_outage *a, const char *prefix, const char *name)
{
    return ops_text(&a->page, prefix, name);
}

/* ---- the fields ---- */

/* As a person types it, where that is the same time. */
static void add_time(const struct ops_outage *a, int64_t time_ms, struct buf *out)
{
    char text[ZONE_TIME_SIZE], typed[17];
    int64_t read_ms;
    zone_format_time(a->zone, time_ms, text);
    snprintf(typed, sizeof typed, "%.10s %.5s", text, text + 11);
    buf_add_html(out, ops_time_read(typed, a->zone, &read_ms) && read_ms == time_ms ? typed : text);
}

/* What was filled in, else what came by the link, else what is so. */
static void add_value(const struct ops_outage *a, enum ops_outage_field field, struct buf *out)
{
    bool is_there = a->request->form != NULL || a->act != OUTAGE_CHANGE;
    if (is_there)
        buf_add_html(out, ops_outage_given(a->request, ops_outage_fields[field]));
    else if (field == OUTAGE_FIELD_NOTE)
        buf_add_html(out, a->outage.note);
    else
        add_time(a, field == OUTAGE_FIELD_FROM ? a->outage.from_ms : a->outage.until_ms, out);
}

static void add_option(
    const char *value, const char *chosen, const char *text, const char *id, struct buf *out)
{
    buf_printf(out, "<option value=\"%s\"%s>", value, strcmp(value, chosen) == 0 ? " selected" : "");
    buf_add_html(out, text);
    buf_printf(out, "%s%s</option>", id[0] != '\0' ? " · " : "", id);
}

static void add_target_option(const struct ops_outage *a, enum outage_target kind, const char *id,
    const char *name, const char *name_en, struct buf *out)
{
    char *value = mem_printf("%s:%s", outage_targets[kind], id);
    add_option(
        value, ops_outage_given(a->request, "target"), a->page.language == PAGE_ZH ? name : name_en, id, out);
    free(value);
}

static void add_targets(const struct ops_outage *a, struct buf *out)
{
    const struct park *park = a->page.context->options->park;
    buf_add_str(out, "<select id=\"target\" name=\"target\" required><option value=\"\"></option>");
    for (int kind = 0; outage_targets[kind] != NULL; kind++) {
        if (a->kind == OUTAGE_PROBLEM && kind != OUTAGE_INSTRUMENT)
            continue;
        buf_add_str(out, "<optgroup label=\"");
        buf_add_html(out, ops_outage_text(a, "outage_target", outage_targets[kind]));
        buf_add_str(out, "\">");
        if (kind == OUTAGE_INSTRUMENT)
            CONF_EACH (const struct park_instrument, i, park->instruments)
                add_target_option(a, OUTAGE_INSTRUMENT, i->id, i->name, i->name_en, out);
        if (kind == OUTAGE_RESOURCE)
            CONF_EACH (const struct park_resource, r, park->resources)
                add_target_option(a, OUTAGE_RESOURCE, r->id, r->name, r->name_en, out);
        if (kind == OUTAGE_SPACE)
            CONF_EACH (const struct park_space, s, park->spaces)
                add_target_option(a, OUTAGE_SPACE, s->id, s->name, s->name_en, out);
        buf_add_str(out, "</optgroup>");
    }
    buf_add_str(out, "</select>");
}

static void add_categories(const struct ops_outage *a, struct buf *out)
{
    const char *chosen = a->request->form == NULL && a->act == OUTAGE_CHANGE
                             ? a->outage.category->code
                             : ops_outage_given(a->request, "category");
    buf_add_str(out, "<select id=\"category\" name=\"category\" required><option value=\"\"></option>");
    for (const struct outage_category *c = outage_categories; c->code != NULL; c++)
        add_option(c->code, chosen, a->page.language == PAGE_ZH ? c->name : c->name_en, "", out);
    buf_add_str(out, "</select>");
}

static void add_field(const struct ops_outage *a, const struct ops_outage_form_field *field, struct buf *out)
{
    const char *name = ops_outage_fields[field->field];
    bool is_end = field->field == OUTAGE_FIELD_NOTE && (a->act == OUTAGE_CLOSE || a->act == OUTAGE_CANCEL);
    buf_printf(out, "<div class=\"field\"><label for=\"%s\">", name);
    buf_add_html(out, ops_outage_text(a, is_end ? "outage_field_end" : "outage_field", name));
    buf_add_str(out, "</label>");
    if (field->field == OUTAGE_FIELD_TARGET) {
        add_targets(a, out);
    } else if (field->field == OUTAGE_FIELD_CATEGORY) {
        add_categories(a, out);
    } else {
        buf_printf(out, "<input id=\"%s\" name=\"%s\" maxlength=\"%d\" autocomplete=\"off\"%s value=\"", name,
            name, field->field == OUTAGE_FIELD_NOTE ? OUTAGE_NOTE_MAX : 64,
            field->is_needed ? " required" : "");
        add_value(a, field->field, out);
        buf_add_str(out, "\">");
    }
    if (field->help != NULL) {
        buf_add_str(out, "<p class=\"quiet\">");
        buf_add_html(out, ops_help(&a->page, field->help));
        buf_add_str(out, "</p>");
    }
    if (a->wrong[field->field] != NULL)
        ops_add_wrong(out, ops_outage_text(a, a->wrong[field->field], NULL));
    buf_add_str(out, "</div>");
}

/* ---- the page ---- */

static bool may_write(const struct ops_outage *a)
{
    const struct caller *caller = a->request->caller;
    return caller->kind == CALLER_KNOWN && (caller->token.scopes & SCOPE_OUTAGES) != 0;
}

/* To the minute, as the site's clocks show it. */
static void add_minute(const struct ops_outage *a, int64_t time_ms, struct buf *out)
{
    char text[ZONE_TIME_SIZE];
    zone_format_time(a->zone, time_ms, text);
    buf_printf(out, "%.10s %.5s", text, text + 11);
    ops_add_offset(&a->page, text, out);
}

/* Which one it is. */
static void add_outage(const struct ops_outage *a, struct buf *out)
{
    const struct outage *o = &a->outage;
    struct outage_place place = {.name = "", .name_en = ""};
    bool is_zh = a->page.language == PAGE_ZH;
    outage_place_find(a->page.context->options->park, o->target_kind, o->target, &place);
    buf_printf(out, "<p><strong>%lld</strong> ", (long long)o->id);
    buf_add_html(out, is_zh ? place.name : place.name_en);
    ops_add_bracketed(&a->page, o->target, out);
    buf_add_str(out, " · ");
    buf_add_html(out, ops_outage_text(a, "outage_kind", outage_kinds[o->kind]));
    buf_add_str(out, " · ");
    add_minute(a, o->from_ms, out);
    buf_add_str(out, " – ");
    if (o->until_ms != OUTAGE_UNKNOWN_END)
        add_minute(a, o->until_ms, out);
    else
        buf_add_html(out, ops_outage_text(a, "outage_endless", NULL));
    buf_add_str(out, " · ");
    buf_add_html(out, is_zh ? o->category->name : o->category->name_en);
    buf_add_str(out, " · ");
    buf_add_html(out, o->note);
    buf_add_str(out, "</p>");
}

static void add_end(const struct ops_outage *a, struct buf *out)
{
    if (may_write(a)) {
        buf_add_str(out, "<div class=\"buttons\"><button type=\"submit\">");
        buf_add_html(out, ops_outage_text(a, a->act == OUTAGE_OPEN ? "outage_new" : "outage",
                              a->act == OUTAGE_OPEN ? outage_kinds[a->kind] : outage_acts[a->act]));
        buf_add_str(out, "</button>");
    } else {
        buf_add_str(out, "<p class=\"message\">");
        buf_add_html(out, ops_outage_text(a, "needs_outages", NULL));
        buf_add_str(out, "</p><div class=\"buttons\">");
    }
    buf_printf(out, "<a href=\"/ops/outages?lang=%s\">", page_language_name(a->page.language));
    buf_add_html(out, ops_outage_text(a, "decide_back", NULL));
    buf_add_str(out, "</a></div>");
}

void ops_outage_add_form(const struct ops_outage *a, struct buf *out)
{
    bool is_open = a->act == OUTAGE_OPEN;
    const char *name = is_open ? outage_kinds[a->kind] : outage_acts[a->act];
    buf_add_str(out, "<form class=\"card decide\" method=\"post\" action=\"/ops/outage\"><h2>");
    buf_add_html(out, ops_outage_text(a, is_open ? "outage_new" : "outage", name));
    buf_add_str(out, "</h2><p class=\"quiet\">");
    buf_add_html(out, ops_outage_text(a, "about_outage", name));
    buf_add_str(out, "</p>");
    if (!is_open)
        add_outage(a, out);
    ops_add_message(out, a->message, a->detail);
    ops_add_hidden("csrf", a->request->caller->csrf, out);
    ops_add_hidden("lang", page_language_name(a->page.language), out);
    ops_add_hidden("act", outage_acts[a->act], out);
    if (is_open)
        ops_add_hidden("kind", outage_kinds[a->kind], out);
    else
        buf_printf(out, "<input type=\"hidden\" name=\"id\" value=\"%lld\">", (long long)a->outage.id);
    for (size_t i = 0; i < a->form->count; i++)
        add_field(a, &a->form->fields[i], out);
    add_end(a, out);
    buf_add_str(out, "</form>");
}
