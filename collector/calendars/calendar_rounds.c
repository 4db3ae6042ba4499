#include "collector/calendars/calendar_rounds.h"

#include "lib/file.h"
#include "lib/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Those of one model. */
struct round {
    struct round *next; /* that was in use before it */
    struct calendar_fetcher *fetcher;
    struct calendar_source **sources; /* of those that can be read */
    size_t *of_source;                /* their calendars */
    size_t source_count;
    struct round_calendar {
        char *id;
        struct hash told; /* of all that its source was made of */
        struct zone *zone;
        bool has_problem; /* it has no source, and that is to be said */
        struct error problem;
    } * calendars;
    size_t count;
};

struct calendar_rounds {
    const struct clock *clock;
    void (*on_result)(void *user_data);
    void *user_data;
    struct round *rounds; /* the first is in use */
};

struct calendar_rounds *calendar_rounds_create(
    const struct clock *clock, void (*on_result)(void *user_data), void *user_data)
{
    struct calendar_rounds *r = mem_zalloc(sizeof *r);
    *r = (struct calendar_rounds){.clock = clock, .on_result = on_result, .user_data = user_data};
    return r;
}

/* ---- one model's ---- */

static const char *or_none(const char *text)
{
    return text != NULL ? text : "";
}

static struct hash hash_and_free(char *text)
{
    struct hash hash = hash_of(span_of(text));
    free(text);
    return hash;
}

/* NULL: there is none, or it cannot be read. */
static char *secret_of(const char *path)
{
    char *secret = NULL;
    struct error err;
    return path != NULL && file_read_secret(path, &secret, &err) == ST_OK ? secret : NULL;
}

bool calendar_rounds_source(const struct park_calendar *c, struct hash *ret)
{
    char *url = secret_of(c->url_file);
    bool is_known = c->url_file == NULL || url != NULL;
    *ret = hash_and_free(
        mem_printf("%s\n%s\n%s", url != NULL ? url : or_none(c->url), or_none(c->file), or_none(c->user)));
    free(url);
    return is_known;
}

/* A calendar of which this is the same is read as before. */
static struct hash tell(const struct park_calendar *c)
{
    char *url = secret_of(c->url_file), *password = secret_of(c->password_file);
    struct hash hash = hash_and_free(mem_printf("%s\n%s\n%s\n%s\n%s\n%s\n%s\n%s\n%lld", or_none(c->url),
        or_none(c->url_file), or_none(url), or_none(c->file), or_none(c->user), or_none(c->password_file),
        or_none(password), or_none(c->site->zone), (long long)c->every_ms));
    free(url);
    free(password);
    return hash;
}

static bool is_same(const struct round *round, const struct park *park)
{
    size_t i = 0;
    if (round == NULL || round->count != park->calendars.count)
        return false;
    CONF_EACH (const struct park_calendar, c, park->calendars) {
        struct hash told = tell(c);
        bool is_this =
            strcmp(round->calendars[i].id, c->id) == 0 && hash_is_equal(&round->calendars[i].told, &told);
        if (!is_this || round->calendars[i].has_problem)
            return false;
        i++;
    }
    return true;
}

static enum status create_source(const struct park_calendar *c, const char *url, const char *password,
    const struct zone *zone, struct calendar_source **ret, struct error *err)
{
    struct calendar_source_options options = {.id = c->id,
        .path = c->file,
        .url = url,
        .user = c->user,
        .password = password,
        .site = zone,
        .timeout_ms = CALENDAR_TIMEOUT_MS,
        .period_ms = c->every_ms};
    return calendar_source_create(&options, ret, err);
}

static enum status make_source(
    const struct park_calendar *c, const struct zone *zone, struct calendar_source **ret, struct error *err)
{
    char *url = NULL, *password = NULL;
    enum status status = ST_OK;
    if (c->url_file != NULL)
        status = file_read_secret(c->url_file, &url, err);
    if (status == ST_OK && c->password_file != NULL)
        status = file_read_secret(c->password_file, &password, err);
    if (status != ST_OK)
        error_prefix(err, status, "calendar %s", c->id);
    else
        status = create_source(c, url != NULL ? url : c->url, password, zone, ret, err);
    free(url);
    free(password);
    return status;
}

static void check_url_file(const struct park *park, const struct park_calendar *c)
{
    struct error err;
    struct calendar_source *source = NULL;
    char *url = NULL;
    if (file_read_secret(c->url_file, &url, &err) != ST_OK)
        conf_problem(park->conf, &c->where, "url_file",
            "%s; expected a file with the URL in its first line, which only its owner and group may read",
            err.text);
    else if (create_source(c, url, NULL, NULL, &source, &err) != ST_OK)
        conf_problem(park->conf, &c->where, "url_file", "%s: %s", c->url_file, err.text);
    calendar_source_destroy(source);
    free(url);
}

void calendar_rounds_check(const struct park *park)
{
    CONF_EACH (const struct park_calendar, c, park->calendars) {
        conf_check_secret(park->conf, &c->where, "password_file", c->password_file);
        if (c->url_file != NULL && c->url == NULL && c->file == NULL)
            check_url_file(park, c);
    }
}

static void add_calendar(struct round *round, const struct park_calendar *c)
{
    struct round_calendar *new = &round->calendars[round->count];
    *new =
        (struct round_calendar){.id = mem_strdup(c->id), .told = tell(c), .zone = zone_create(c->site->zone)};
    struct calendar_source **source = &round->sources[round->source_count];
    if (make_source(c, new->zone, source, &new->problem) == ST_OK)
        round->of_source[round->source_count++] = round->count;
    else
        new->has_problem = true;
    round->count++;
}

static int thread_count(size_t sources)
{
    return sources + 1 < CALENDAR_THREADS_MAX ? (int)sources + 1 : CALENDAR_THREADS_MAX;
}

static struct round *begin(struct calendar_rounds *r, const struct park *park)
{
    struct round *round = mem_zalloc(sizeof *round);
    size_t room = park->calendars.count + 1;
    round->calendars = mem_zalloc(room * sizeof *round->calendars);
    round->sources = mem_zalloc(room * sizeof(struct calendar_source *));
    round->of_source = mem_zalloc(room * sizeof *round->of_source);
    CONF_EACH (const struct park_calendar, c, park->calendars)
        add_calendar(round, c);
    if (round->source_count == 0)
        return round;
    round->fetcher = calendar_fetcher_create(&(struct calendar_fetcher_options){.sources = round->sources,
        .count = round->source_count,
        .threads = thread_count(round->source_count),
        .clock = r->clock,
        .user_data = r->user_data,
        .on_result = r->on_result});
    calendar_fetcher_start(round->fetcher);
    return round;
}

/* Waits for its threads. */
static void end(struct round *round)
{
    if (round->fetcher != NULL)
        calendar_fetcher_stop(round->fetcher);
    calendar_fetcher_destroy(round->fetcher);
    for (size_t i = 0; i < round->source_count; i++)
        calendar_source_destroy(round->sources[i]);
    for (size_t i = 0; i < round->count; i++) {
        free(round->calendars[i].id);
        zone_destroy(round->calendars[i].zone);
    }
    free(round->calendars);
    free(round->sources);
    free(round->of_source);
    free(round);
}

/* ---- all of them ---- */

static void end_those_that_are_over(struct calendar_rounds *r)
{
    struct round **link = r->rounds != NULL ? &r->rounds->next : &r->rounds;
    while (*link != NULL) {
        struct round *round = *link;
        if (round->fetcher != NULL && !calendar_fetcher_is_over(round->fetcher)) {
            link = &round->next;
            continue;
        }
        *link = round->next;
        end(round);
    }
}

void calendar_rounds_use(struct calendar_rounds *r, const struct park *park)
{
    if (is_same(r->rounds, park))
        return;
    if (r->rounds != NULL && r->rounds->fetcher != NULL)
        calendar_fetcher_cancel(r->rounds->fetcher);
    struct round *round = begin(r, park);
    round->next = r->rounds;
    r->rounds = round;
}

bool calendar_rounds_take(struct calendar_rounds *r, const char **ret_id, struct calendar_result *ret)
{
    end_those_that_are_over(r);
    struct round *round = r->rounds;
    for (size_t i = 0; round != NULL && i < round->count; i++) {
        struct round_calendar *c = &round->calendars[i];
        if (!c->has_problem || c->problem.text[0] == '\0')
            continue;
        *ret = (struct calendar_result){.tried_ms = r->clock->wall_ms()};
        snprintf(ret->problem, sizeof ret->problem, "%s", c->problem.text);
        *ret_id = c->id;
        c->problem.text[0] = '\0';
        return true;
    }
    if (round == NULL || round->fetcher == NULL || !calendar_fetcher_take(round->fetcher, ret))
        return false;
    *ret_id = round->calendars[round->of_source[ret->source]].id;
    return true;
}

void calendar_rounds_destroy(struct calendar_rounds *r)
{
    if (r == NULL)
        return;
    for (struct round *round = r->rounds; round != NULL; round = round->next)
        if (round->fetcher != NULL)
            calendar_fetcher_cancel(round->fetcher);
    while (r->rounds != NULL) {
        struct round *round = r->rounds;
        r->rounds = round->next;
        end(round);
    }
    free(r);
}
