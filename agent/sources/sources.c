#include "agent/sources/source.h"

#include <string.h>

const struct source *const sources[] = {&source_mqtt_json, &source_session, NULL};

const struct source *source_find(const char *name)
{
    for (size_t i = 0; sources[i] != NULL; i++)
        if (strcmp(sources[i]->name, name) == 0)
            return sources[i];
    return NULL;
}
