#include "collector/access/role.h"

#include <stdio.h>
#include <string.h>

static const char *const roles[ROLES] = {"public", "operator", "auditor"};
static const char *const scopes[] = {"outages", "sessions", "readings", "decisions", "closings", "alarms"};
#define SCOPES (sizeof scopes / sizeof scopes[0])

const char *role_name(enum role role)
{
    return roles[role];
}

bool role_parse(const char *text, enum role *ret)
{
    for (int i = 0; i < ROLES; i++)
        if (strcmp(text, roles[i]) == 0) {
            *ret = (enum role)i;
            return true;
        }
    return false;
}

void scopes_format(unsigned set, char text[static SCOPES_TEXT_SIZE])
{
    size_t len = 0;
    text[0] = '\0';
    for (size_t i = 0; i < SCOPES; i++)
        if (set & 1u << i)
            len +=
                (size_t)snprintf(text + len, SCOPES_TEXT_SIZE - len, "%s%s", len > 0 ? "," : "", scopes[i]);
}

static unsigned find_scope(const char *name, size_t len)
{
    for (size_t i = 0; i < SCOPES; i++)
        if (strlen(scopes[i]) == len && memcmp(scopes[i], name, len) == 0)
            return 1u << i;
    return 0;
}

bool scopes_parse(const char *text, unsigned *ret)
{
    unsigned set = 0;
    for (;; text++) {
        size_t len = strcspn(text, ",");
        unsigned scope = find_scope(text, len);
        if (scope == 0 || (set & scope) != 0)
            return false;
        set |= scope;
        text += len;
        if (*text == '\0')
            break;
    }
    *ret = set;
    return true;
}
