#include "collector/access/sessions.h"

#include <string.h>

int64_t session_life_ms(const struct session *session)
{
    return session->is_kept ? SESSION_KEPT_LIFE_MS : SESSION_LIFE_MS;
}

bool session_is_over(const struct session *session, struct session_time now)
{
    return now.ms - session->begun_ms >= session_life_ms(session) || now.mono_ms >= session->until_mono_ms;
}

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

/* Of those of this token (0 = of all); -1 where there are less than `max`. */
static int find_to_end(const struct sessions *s, int64_t token, int max, struct session_time now)
{
    int count = 0, first = -1, fleeting = -1, over = -1;
    for (int i = s->count - 1; i >= 0; i--) {
        const struct session *session = &s->items[i];
        if (token != 0 && session->token != token)
            continue;
        count++;
        first = i;
        if (!session->is_kept)
            fleeting = i;
        if (session_is_over(session, now))
            over = i;
    }
    if (count < max)
        return -1;
    return over >= 0 ? over : fleeting >= 0 ? fleeting : first;
}

static void make_room(struct sessions *s, int64_t token, struct session_time now)
{
    int i = find_to_end(s, token, SESSIONS_PER_TOKEN, now);
    if (i < 0)
        i = find_to_end(s, 0, SESSIONS_MAX, now);
    if (i >= 0)
        remove_at(s, i);
}

const struct session *sessions_begin(struct sessions *s, const struct token *token, bool is_kept,
    struct session_time now, char id[static SECRET_TEXT_SIZE])
{
    make_room(s, token->id, now);
    secret_draw(id);
    struct session *session = &s->items[s->count++];
    *session = (struct session){.hash = secret_hash(id),
        .token = token->id,
        .token_secret = token->hash,
        .begun_ms = now.ms,
        .is_kept = is_kept};
    session->until_mono_ms = now.mono_ms + session_life_ms(session);
    secret_draw(session->csrf);
    return session;
}

const struct session *sessions_find(
    const struct sessions *s, const struct hash *hash, struct session_time now)
{
    int i = find(s, hash);
    return i >= 0 && !session_is_over(&s->items[i], now) ? &s->items[i] : NULL;
}

void sessions_end(struct sessions *s, const struct hash *hash)
{
    int i = find(s, hash);
    if (i >= 0)
        remove_at(s, i);
}
