#include "lib/session_event.h"

#include "lib/json.h"
#include "lib/rfc3339.h"

#include <stdio.h>
#include <string.h>

#define DIGITS "0123456789"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define LOWER "abcdefghijklmnopqrstuvwxyz"

const char *const session_classes[] = {"unknown", "internal", "external", "training", "service", NULL};
/* `time` is the last: some may not tell it. */
static const char *const keys[] = {
    "event", "instrument", "action", "class", "organisation", "purpose", "time", NULL};

static bool is_in(const char *const *list, const char *word)
{
    while (*list != NULL && strcmp(*list, word) != 0)
        list++;
    return *list != NULL;
}

/* SESSION_CLASS_UNKNOWN = no class is called so. */
static enum session_class class_of(const char *word)
{
    for (int i = SESSION_CLASS_INTERNAL; session_classes[i] != NULL; i++)
        if (strcmp(session_classes[i], word) == 0)
            return (enum session_class)i;
    return SESSION_CLASS_UNKNOWN;
}

static enum status check_keys(json_t *event, bool may_have_time, struct error *err)
{
    const char *key;
    json_t *value;
    json_object_foreach(event, key, value)
    {
        if (!is_in(keys, key) || (!may_have_time && strcmp(key, "time") == 0))
            return error_set(err, ST_INVALID,
                "\"%.40s\" is not known; expected event, instrument, action, class, organisation%s", key,
                may_have_time ? ", purpose and time" : " and purpose");
        if (!json_is_string(value))
            return error_set(err, ST_INVALID, "%s is no text", key);
    }
    return ST_OK;
}

static bool is_made_of(const char *text, const char *allowed, size_t max)
{
    size_t length = strlen(text);
    return length > 0 && length <= max && strspn(text, allowed) == length;
}

/* NULL = absent. */
static const char *text_of(json_t *event, const char *key)
{
    return json_string_value(json_object_get(event, key));
}

static bool is_organisation(const char *text)
{
    return is_made_of(text, UPPER DIGITS "-", SESSION_ORGANISATION_MAX);
}

static bool is_id(const char *text)
{
    return is_made_of(text, UPPER LOWER DIGITS "._:-", SESSION_EVENT_ID_MAX);
}

static enum status check_purpose(const char *purpose, const struct conf_list *purposes, struct error *err)
{
    if (purposes == NULL)
        return id_is_valid(purpose)
                   ? ST_OK
                   : error_set(err, ST_INVALID, "purpose \"%.40s\" is no word; expected 1 to %d of a-z 0-9 -",
                         purpose, ID_MAX);
    char *const *words = purposes->items;
    for (size_t i = 0; i < purposes->count; i++)
        if (strcmp(words[i], purpose) == 0)
            return ST_OK;
    return error_set(err, ST_INVALID, "purpose \"%.40s\" is none of those in the settings", purpose);
}

static enum status read_details(
    json_t *event, const struct conf_list *purposes, struct session_event *ret, struct error *err)
{
    const char *class = text_of(event, "class"), *organisation = text_of(event, "organisation"),
               *purpose = text_of(event, "purpose");
    if (!ret->is_open && (class != NULL || organisation != NULL || purpose != NULL))
        return error_set(err, ST_INVALID, "class, organisation and purpose are for open only");
    if (!ret->is_open)
        return ST_OK;
    if (class == NULL)
        return error_set(
            err, ST_INVALID, "class is missing; expected internal, external, training or service");
    if ((ret->class = class_of(class)) == SESSION_CLASS_UNKNOWN)
        return error_set(err, ST_INVALID,
            "class \"%.40s\" is not known; expected internal, external, training or service", class);
    if (organisation != NULL && !is_organisation(organisation))
        return error_set(err, ST_INVALID, "organisation \"%.40s\" is no code; expected 1 to %d of A-Z 0-9 -",
            organisation, SESSION_ORGANISATION_MAX);
    if (purpose != NULL && check_purpose(purpose, purposes, err) != ST_OK)
        return ST_INVALID;
    snprintf(ret->organisation, sizeof ret->organisation, "%s", organisation != NULL ? organisation : "");
    snprintf(ret->purpose, sizeof ret->purpose, "%s", purpose != NULL ? purpose : "");
    return ST_OK;
}

static enum status read_time(json_t *event, struct session_event *ret, struct error *err)
{
    const char *time = text_of(event, "time");
    if (time == NULL || rfc3339_parse(time, &ret->time_ms))
        return ST_OK;
    return error_set(err, ST_INVALID,
        "time \"%.40s\" is no time; expected RFC 3339 with an offset, such as 2026-10-01T08:00:00+08:00",
        time);
}

static enum status read_event(json_t *event, const struct conf_list *purposes, bool may_have_time,
    struct session_event *ret, struct error *err)
{
    const char *id = text_of(event, "event"), *instrument = text_of(event, "instrument"),
               *action = text_of(event, "action");
    if (id == NULL)
        return error_set(err, ST_INVALID, "event is missing; expected an id of this event's own");
    if (!is_id(id))
        return error_set(err, ST_INVALID, "event \"%.60s\" is no id; expected 1 to %d of A-Z a-z 0-9 . _ : -",
            id, SESSION_EVENT_ID_MAX);
    snprintf(ret->id, sizeof ret->id, "%s", id);
    enum status status = check_keys(event, may_have_time, err);
    if (status != ST_OK)
        return status;
    if (instrument == NULL || !id_is_valid(instrument))
        return error_set(err, ST_INVALID, "instrument is missing or no id");
    snprintf(ret->instrument, sizeof ret->instrument, "%s", instrument);
    ret->is_open = action != NULL && strcmp(action, "open") == 0;
    if (action == NULL || (!ret->is_open && strcmp(action, "close") != 0))
        return error_set(err, ST_INVALID, "action is missing or not known; expected open or close");
    status = read_details(event, purposes, ret, err);
    return status == ST_OK ? read_time(event, ret, err) : status;
}

static void add_word(struct session_event *e, const char *key, const char *value)
{
    size_t length = strlen(e->text);
    if (value[0] != '\0')
        snprintf(e->text + length, sizeof e->text - length, " %s=%s", key, value);
}

enum status session_event_read(struct span json, const struct conf_list *purposes, bool may_have_time,
    struct session_event *ret, struct error *err)
{
    *ret = (struct session_event){0};
    if (json.len > SESSION_EVENT_BYTES_MAX)
        return error_set(err, ST_INVALID, "%zu bytes are too many; expected at most %d", json.len,
            SESSION_EVENT_BYTES_MAX);
    json_t *event = json_read_exact(json, err);
    if (event == NULL)
        return ST_INVALID;
    enum status status = json_is_object(event) ? read_event(event, purposes, may_have_time, ret, err)
                                               : error_set(err, ST_INVALID, "is no object");
    if (status == ST_OK) {
        strcpy(ret->text, ret->is_open ? "open" : "close");
        add_word(ret, "event", ret->id);
        add_word(ret, "class", ret->is_open ? session_classes[ret->class] : "");
        add_word(ret, "organisation", ret->organisation);
        add_word(ret, "purpose", ret->purpose);
    }
    json_decref(event);
    return status;
}

/* ---- the state ---- */

static void read_word(struct session_event *e, const char *word)
{
    const char *value = strchr(word, '=');
    size_t key = value != NULL ? (size_t)(value++ - word) : 0;
    struct span name = {word, key};
    if (span_is(name, "event") && is_id(value))
        strcpy(e->id, value);
    else if (span_is(name, "class") && e->is_open)
        e->class = class_of(value);
    else if (span_is(name, "organisation") && e->is_open && is_organisation(value))
        strcpy(e->organisation, value);
    else if (span_is(name, "purpose") && e->is_open && id_is_valid(value))
        strcpy(e->purpose, value);
}

enum status session_event_read_state(struct span text, struct session_event *ret, struct error *err)
{
    char words[STATE_TEXT_MAX + 1];
    *ret = (struct session_event){0};
    if (text.len >= sizeof words)
        return error_set(err, ST_INVALID, "the state is too long for an event of a session");
    snprintf(words, sizeof words, "%.*s", (int)text.len, text.len > 0 ? text.at : "");
    char *rest = NULL, *word = strtok_r(words, " ", &rest);
    ret->is_open = word != NULL && strcmp(word, "open") == 0;
    if (word == NULL || (!ret->is_open && strcmp(word, "close") != 0 && strcmp(word, "closed") != 0))
        return error_set(err, ST_INVALID,
            "\"%.60s\" is no event of a session; expected open or close, and event=<id>",
            word != NULL ? word : "");
    bool is_alone = *rest == '\0';
    while ((word = strtok_r(NULL, " ", &rest)) != NULL)
        read_word(ret, word);
    return ret->id[0] != '\0' || is_alone
               ? ST_OK
               : error_set(err, ST_INVALID, "%s without the event's id; expected event=<id>",
                     ret->is_open ? "open" : "close");
}
