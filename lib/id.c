#include "lib/id.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static bool is_made_of(const char *text, const char *others, size_t max)
{
    static const char first[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    if (text[0] == '\0' || strchr(first, text[0]) == NULL)
        return false;
    size_t length = strlen(text);
    for (size_t i = 1; i < length; i++)
        if (strchr(first, text[i]) == NULL && strchr(others, text[i]) == NULL)
            return false;
    return length <= max;
}

bool id_is_valid(const char *text)
{
    return is_made_of(text, "-", ID_MAX);
}

bool point_is_valid(const char *text)
{
    return is_made_of(text, "._-", POINT_MAX);
}

void epoch_format(uint64_t epoch, char text[static EPOCH_TEXT_SIZE])
{
    snprintf(text, EPOCH_TEXT_SIZE, "%016" PRIx64, epoch);
}

uint64_t epoch_draw(void)
{
    uint64_t epoch = 0;
    while (epoch == 0)
        if (getrandom(&epoch, sizeof epoch, 0) != sizeof epoch)
            abort();
    return epoch;
}
