#include "collector/model/zone.h"

#include "lib/mem.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Parts of letters, digits, '_', '+' and '-' between single slashes: without dots there is no way out of the
 * folder. */
static bool is_zone_name(const char *name)
{
    bool is_part_begun = false;
    for (; *name != '\0'; name++) {
        if (*name == '/' && !is_part_begun)
            return false;
        if (*name != '/' && !isalnum((unsigned char)*name) && strchr("_+-", *name) == NULL)
            return false;
        is_part_begun = *name != '/';
    }
    return is_part_begun;
}

bool zone_is_known(const char *name)
{
    if (!is_zone_name(name))
        return false;
    const char *folder = getenv("TZDIR");
    char *path = mem_printf("%s/%s", folder && *folder ? folder : "/usr/share/zoneinfo", name);
    FILE *file = fopen(path, "re");
    free(path);
    if (!file)
        return false;
    char magic[4]; /* RFC 8536; a folder opens as well, but cannot be read */
    bool is_zone = fread(magic, 1, sizeof magic, file) == sizeof magic && memcmp(magic, "TZif", 4) == 0;
    fclose(file);
    return is_zone;
}
