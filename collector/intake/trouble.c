#include "collector/intake/trouble.h"

#include "lib/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct trouble_gateway {
    char id[ID_MAX + 1];
    struct complaint complaints[TROUBLE_KINDS];
};

static const struct {
    const char *what, *next;
} texts[TROUBLE_KINDS] = {
    [TROUBLE_UNREADABLE] = {"a payload that is not a batch: ",
        "it is quarantined and never answered; let only its park-agent publish with its password"},
    [TROUBLE_QUARANTINE] = {"quarantined: ", "see /api/v1/quarantine, and put right what sends this"},
    [TROUBLE_LOSS] = {"loss recorded: ", "see /api/v1/losses"},
    [TROUBLE_FLOOD] = {"",
        "it sends again what it spooled; if this goes on, find what publishes so much with its password"},
    [TROUBLE_RETAINED] = {"", "clear it with mosquitto_pub --retain --null-message on its topic up"},
    [TROUBLE_STATE] = {"", "it is ignored; let only its park-agent publish with its password"},
};

void troubles_release(struct troubles *t)
{
    free(t->items);
    *t = (struct troubles){0};
}

static struct trouble_gateway *get(struct troubles *t, const char *gateway)
{
    for (size_t i = 0; i < t->count; i++)
        if (strcmp(t->items[i].id, gateway) == 0)
            return &t->items[i];
    MEM_GROW(t->items, t->count, t->capacity);
    struct trouble_gateway *g = &t->items[t->count++];
    *g = (struct trouble_gateway){0};
    snprintf(g->id, sizeof g->id, "%s", gateway);
    return g;
}

void trouble_tell(
    struct troubles *t, const char *gateway, enum trouble kind, const char *why, int64_t now_mono_ms)
{
    complain(&get(t, gateway)->complaints[kind], now_mono_ms, LOG_LEVEL_WARN, "intake",
        "gateway %s: %s%s; %s", gateway, texts[kind].what, why, texts[kind].next);
}
