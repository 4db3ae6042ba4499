#include "agent/sources/session_event.h"

#include "lib/json.h"

#include <stdio.h>
#include <string.h>

#define DIGITS "0123456789"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define LOWER "abcdefghijklmnopqrstuvwxyz"

static const char *const keys[] = {"event", "instrument", "action", "class", "organisation", "purpose", NULL};
static const char *const classes[] = {"internal", "external", "training", "service", NULL};

static bool is_in(const char *const *list, const char *word)
{
    while (*list != NULL && strcmp(*list, word) != 0)
        list++;
    return *list != NULL;
}

static enum status check_keys(json_t *event, struct error *err)
{
    const char *key;
    json_t *value;
    json_object_foreach(event, key, value)
    {
        if (!is_in(keys, key))
            return error_set(err, ST_INVALID,
                "\"%.40s\" is not known; expected event, instrument, action, class, organisation and purpose",
                key);
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

static enum status check_purpose(const char *purpose, const struct conf_list *purposes, struct error *err)
{
    char *const *words = purposes->items;
    for (size_t i = 0; i < purposes->count; i++)
        if (strcmp(words[i], purpose) == 0)
            return ST_OK;
    return error_set(err, ST_INVALID, "purpose \"%.40s\" is none of those in the settings", purpose);
}

static enum status check_details(
    json_t *event, bool is_open, const struct conf_list *purposes, struct error *err)
{
    const char *class = text_of(event, "class"), *organisation = text_of(event, "organisation"),
               *purpose = text_of(event, "purpose");
    if (!is_open && (class != NULL || organisation != NULL || purpose != NULL))
        return error_set(err, ST_INVALID, "class, organisation and purpose are for open only");
    if (is_open && class == NULL)
        return error_set(
            err, ST_INVALID, "class is missing; expected internal, external, training or service");
    if (class != NULL && !is_in(classes, class))
        return error_set(err, ST_INVALID,
            "class \"%.40s\" is not known; expected internal, external, training or service", class);
    if (organisation != NULL && !is_made_of(organisation, UPPER DIGITS "-", SESSION_ORGANISATION_MAX))
        return error_set(err, ST_INVALID, "organisation \"%.40s\" is no code; expected 1 to %d of A-Z 0-9 -",
            organisation, SESSION_ORGANISATION_MAX);
    return purpose != NULL ? check_purpose(purpose, purposes, err) : ST_OK;
}

static enum status read_event(
    json_t *event, const struct conf_list *purposes, struct session_event *ret, struct error *err)
{
    const char *id = text_of(event, "event"), *instrument = text_of(event, "instrument"),
               *action = text_of(event, "action");
    if (id == NULL)
        return error_set(err, ST_INVALID, "event is missing; expected an id of this event's own");
    if (!is_made_of(id, UPPER LOWER DIGITS "._:-", SESSION_EVENT_ID_MAX))
        return error_set(err, ST_INVALID, "event \"%.60s\" is no id; expected 1 to %d of A-Z a-z 0-9 . _ : -",
            id, SESSION_EVENT_ID_MAX);
    snprintf(ret->id, sizeof ret->id, "%s", id);
    enum status status = check_keys(event, err);
    if (status != ST_OK)
        return status;
    if (instrument == NULL || !id_is_valid(instrument))
        return error_set(err, ST_INVALID, "instrument is missing or no id");
    snprintf(ret->instrument, sizeof ret->instrument, "%s", instrument);
    ret->is_open = action != NULL && strcmp(action, "open") == 0;
    if (action == NULL || (!ret->is_open && strcmp(action, "close") != 0))
        return error_set(err, ST_INVALID, "action is missing or not known; expected open or close");
    return check_details(event, ret->is_open, purposes, err);
}

static void add_word(struct session_event *e, const char *key, const char *value)
{
    size_t length = strlen(e->text);
    if (value != NULL)
        snprintf(e->text + length, sizeof e->text - length, " %s=%s", key, value);
}

enum status session_event_read(
    struct span json, const struct conf_list *purposes, struct session_event *ret, struct error *err)
{
    *ret = (struct session_event){0};
    if (json.len > SESSION_EVENT_BYTES_MAX)
        return error_set(err, ST_INVALID, "%zu bytes are too many; expected at most %d", json.len,
            SESSION_EVENT_BYTES_MAX);
    json_t *event = json_read_exact(json, err);
    if (event == NULL)
        return ST_INVALID;
    enum status status = json_is_object(event) ? read_event(event, purposes, ret, err)
                                               : error_set(err, ST_INVALID, "is no object");
    if (status == ST_OK) {
        strcpy(ret->text, ret->is_open ? "open" : "close");
        add_word(ret, "event", ret->id);
        add_word(ret, "class", text_of(event, "class"));
        add_word(ret, "organisation", text_of(event, "organisation"));
        add_word(ret, "purpose", text_of(event, "purpose"));
    }
    json_decref(event);
    return status;
}
