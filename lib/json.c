#include "lib/json.h"

#include <assert.h>

char *json_text(json_t *value)
{
    assert(value != NULL);
    char *text = json_dumps(value, JSON_COMPACT | JSON_PRESERVE_ORDER);
    assert(text != NULL);
    json_decref(value);
    return text;
}
