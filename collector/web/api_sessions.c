/* Sessions of instruments: listed newest first, in codes, and told by people and other systems as a card reader tells them
 * (lib/session_event.h). */
#include "collector/web/context.h"
#include "collector/web/paging.h"

static const char *const users[] = {"unknown", "internal", "external"};
/* Of an event that was not as expected; by enum told_news. */
static const char *const notes[] = {NULL, NULL, "was_open", "none_open", "was_forgotten"};

static const char *site_of(const struct web_context *context, const char *instrument)
{
    const struct park_instrument *n = park_instrument_find(context->options->park, instrument);
    return n != NULL ? n->building->site_id : NULL;
}

static json_t *word_json(const char *word)
{
    return word != NULL && word[0] != '\0' ? json_string(word) : json_null();
}

static json_t *time_json(const struct web_context *context, const char *site, int64_t time_ms)
{
    return time_ms == TOLD_NONE ? json_null() : context_time(context, site, time_ms);
}

static json_t *session_json(
    const struct web_context *context, const char *instrument, const struct told_session *s)
{
    const char *site = site_of(context, instrument);
    bool is_over = s->end != TOLD_OPEN, has_begin = s->end != TOLD_UNOPENED;
    return json_pack("{s:I, s:s, s:s, s:o, s:o, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "session",
        (json_int_t)s->id, "instrument", instrument, "state", told_ends[s->end], "opened",
        has_begin ? time_json(context, site, s->opened_ms) : json_null(), "closed",
        time_json(context, site, s->closed_ms), "class", session_classes[s->class], "user", users[s->user],
        "organisation", word_json(s->organisation), "purpose", word_json(s->purpose), "open_event",
        word_json(s->open_event), "close_event", word_json(s->close_event), "opened_evidence",
        has_begin ? json_string(hours_evidences[s->evidence]) : json_null(), "closed_evidence",
        is_over ? json_string(hours_evidences[s->closed_evidence]) : json_null());
}

/* ---- the list ---- */

struct page {
    const struct web_context *context;
    json_t *items;
    int64_t last;
};

static void add(void *user_data, const char *instrument, const struct told_session *session)
{
    struct page *page = user_data;
    page->last = session->id;
    json_array_append_new(page->items, session_json(page->context, instrument, session));
}

static void see(void *user_data, const char *instrument, const struct told_session *session)
{
    (void)instrument;
    (void)session;
    *(bool *)user_data = true;
}

/* Of the park model, or of sessions that were kept when it was. */
static enum status find_instrument(
    const struct web_context *context, const char *instrument, bool *ret_is_known, struct error *err)
{
    *ret_is_known = park_instrument_find(context->options->park, instrument) != NULL;
    return *ret_is_known ? ST_OK
                         : told_sessions_each(context->db, instrument, INT64_MAX, 1, see, ret_is_known, err);
}

struct web_answer handle_sessions(struct web_context *context, const struct web_request *request)
{
    struct paging paging;
    struct web_answer answer;
    struct error err;
    const char *instrument = request_param(request, "instrument");
    if (!paging_read(request, &paging, &answer))
        return answer;
    bool is_known = true;
    if (!context_open_db(context, &err))
        return context_give_up_db(context, &err);
    if (instrument != NULL && find_instrument(context, instrument, &is_known, &err) != ST_OK)
        return context_give_up_db(context, &err);
    if (!is_known)
        return answer_error(400, "bad_parameter",
            "instrument: there is no instrument \"%.40s\"; expected the id of one", instrument);
    struct page page = {.context = context, .items = json_array()};
    if (told_sessions_each(context->db, instrument, paging.before, paging.limit, add, &page, &err) != ST_OK) {
        json_decref(page.items);
        return context_give_up_db(context, &err);
    }
    return paging_answer("sessions", page.items, paging_next(&paging, page.items, page.last));
}

/* ---- an event ---- */

struct web_answer handle_tell(struct web_context *context, const struct web_request *request)
{
    const struct web_options *options = context->options;
    struct telling telling = {.token = request->caller->token.id, .who = request->caller->token.name};
    struct telling_result result = {0};
    struct error err;
    if (session_event_read(
            (struct span){request->body, request->body_len}, NULL, true, &telling.event, &err) != ST_OK)
        return answer_error(400, "bad_event", "%s", err.text);
    if (options->tell == NULL)
        return answer_later("not_now", "nobody watches the instruments");
    enum status status = options->tell(options->user_data, &telling, &result, &err);
    if (status != ST_OK)
        return answer_undone(status, &err);
    bool is_known = result.news == TOLD_KNOWN;
    return answer_json(is_known ? 200 : 201,
        json_pack("{s:s, s:s, s:o, s:o}", "event", telling.event.id, "result", is_known ? "known" : "taken",
            "note", word_json(notes[result.news]), "session",
            is_known ? json_null() : session_json(context, telling.event.instrument, &result.session)));
}
