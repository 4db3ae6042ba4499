#include "agent/sources/session_settings.h"

#include "lib/id.h"
#include "lib/text.h"

#include <string.h>
#include <sys/un.h>

static const struct conf_key instrument_keys[] = {
    {"name", CONF_ID, offsetof(struct session_instrument, name), .is_required = true,
        .help = "what events call the instrument"},
    {"point", CONF_POINT, offsetof(struct session_instrument, point), .is_required = true,
        .help = "the point that tells its sessions"},
    {"alive", CONF_SECONDS, offsetof(struct session_instrument, alive_ms), .min = 1000, .max = 604800000,
        .help = "its reader keeps alive: it tells its newest event again at least so often, and where "
                "nothing was "
                "heard of it for longer its state is not sent again; absent = it speaks on events only"},
    {0}};

static const struct conf_section instrument_section = {.name = "instrument",
    .size = sizeof(struct session_instrument),
    .keys = instrument_keys,
    .has_where = true,
    .where_offset = offsetof(struct session_instrument, where)};

static const struct conf_key source_keys[] = {
    {"socket", CONF_PATH, offsetof(struct session_settings, socket),
        .help =
            "unix socket on which card readers and kiosks of this machine tell events, a line of JSON each"},
    {"topic", CONF_STRING, offsetof(struct session_settings, topic), .min = 1, .max = 200,
        .help = "topic of the events at a broker; answers go to this topic with /answer behind it"},
    {"broker", CONF_GROUP, offsetof(struct session_settings, broker), .section = &link_section,
        .help = "the broker of `topic`"},
    {"purposes", CONF_STRINGS, offsetof(struct session_settings, purposes),
        .help = "words that an event may have as its purpose; absent = none"},
    {"instruments", CONF_LIST, offsetof(struct session_settings, instruments), .is_required = true, .min = 1,
        .max = SESSION_INSTRUMENTS_MAX, .section = &instrument_section,
        .help = "whose sessions are told here"},
    {0}};

static void check_source(struct conf *c, void *object, const void *parent)
{
    (void)parent;
    struct session_settings *s = object;
    if (s->socket == NULL && s->topic == NULL)
        conf_problem(
            c, &s->where, "socket", "is missing; expected a socket or a `topic` on which events come");
    if (s->socket != NULL && strlen(s->socket) >= sizeof((struct sockaddr_un *)NULL)->sun_path)
        conf_problem(c, &s->where, "socket", "is a path of %zu bytes; expected at most %zu",
            strlen(s->socket), sizeof((struct sockaddr_un *)NULL)->sun_path - 1);
    if (s->topic != NULL && (strpbrk(s->topic, "+#") != NULL || text_has_control(span_of(s->topic))))
        conf_problem(
            c, &s->where, "topic", "\"%s\" is no single topic; expected one without + and #", s->topic);
    char *const *purposes = s->purposes.items;
    for (size_t i = 0; i < s->purposes.count; i++)
        if (!id_is_valid(purposes[i]))
            conf_problem(c, &s->where, "purposes", "\"%s\" is no word; expected 1 to %d of a-z 0-9 -",
                purposes[i], ID_MAX);
    CONF_EACH (struct session_instrument, one, s->instruments)
        for (const struct session_instrument *other = s->instruments.items; other < one; other++)
            if (one->name != NULL && other->name != NULL && strcmp(one->name, other->name) == 0) {
                conf_problem(c, &one->where, "name", "instrument \"%s\" is also at line %d; expected once",
                    one->name, other->where.line);
                break;
            }
}

const struct conf_section session_source_section = {.name = "session source",
    .size = sizeof(struct session_settings),
    .keys = source_keys,
    .has_where = true,
    .where_offset = offsetof(struct session_settings, where),
    .check = check_source};
