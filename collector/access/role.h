/*
 * Who somebody is and what a token lets its bearer do: one role, which says what may be read, and scopes, each of
 * which lets one kind of thing be written. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum role { ROLE_PUBLIC, ROLE_OPERATOR, ROLE_AUDITOR, ROLES };

/* Bits of a set. */
enum scope {
    SCOPE_OUTAGES = 1,
    SCOPE_SESSIONS = 2,
    SCOPE_READINGS = 4,
    SCOPE_DECISIONS = 8,
    SCOPE_CLOSINGS = 16,
    SCOPE_ALARMS = 32
};

const char *role_name(enum role role); /* public, operator, auditor */
bool role_parse(const char *text, enum role *ret);

#define SCOPES_TEXT_SIZE 64
/* "outages,alarms" in the order above; "" for none. */
void scopes_format(unsigned scopes, char text[static SCOPES_TEXT_SIZE]);
/* Names with commas between them. False: one is unknown, empty or there twice. */
bool scopes_parse(const char *text, unsigned *ret);
