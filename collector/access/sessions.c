#include "collector/access/sessions.h"

#include <string.h>

static int find(const struct sessions *s, const struct hash *hash)
{
    for (int i = 0; i < s->count; i++)
        if (hash_is_same_secret(&s->items[i].hash, hash))
            return i;
    return -1;
}

static void remove_at(struct sessions *s, int i)
{
    memmove(&s->items[i], &s->items[i + 1], (size_t)(s->count - i - 1) * sizeof s->items[0]);
    s->count--;
}

static void make_room(struct sessions *s, int64_t token)
{
    int own = 0, oldest = -1; /* they stand in the order in which they began */
    for (int i = s->count - 1; i >= 0; i--)
        if (s->items[i].token == token) {
            own++;
            oldest = i;
        }
    if (own >= SESSIONS_PER_TOKEN)
        remove_at(s, oldest);
    else if (s->count == SESSIONS_MAX)
        remove_at(s, 0);
}

const struct session *sessions_begin(
    struct sessions *s, int64_t token, int64_t now_mono_ms, char id[static SECRET_TEXT_SIZE])
{
    make_room(s, token);
    secret_draw(id);
    struct session *session = &s->items[s->count++];
    *session = (struct session){.hash = secret_hash(id), .token = token, .begun_mono_ms = now_mono_ms};
    secret_draw(session->csrf);
    return session;
}

const struct session *sessions_find(const struct sessions *s, const struct hash *hash, int64_t now_mono_ms)
{
    int i = find(s, hash);
    return i >= 0 && now_mono_ms - s->items[i].begun_mono_ms < SESSION_LIFE_MS ? &s->items[i] : NULL;
}

void sessions_end(struct sessions *s, const struct hash *hash)
{
    int i = find(s, hash);
    if (i >= 0)
        remove_at(s, i);
}
