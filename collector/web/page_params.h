/*
 * What pages take of their addresses (`rules` of the routes), read by a handler here or by the page's script: what is wrong
 * is refused by the server either way, on a page that says which part it is and what is expected, in the visitor's language.
 * Names that a page does not take are ignored: links carry all sorts.
 */
#pragma once

#include "collector/web/context.h"

/* Days that pages show, for which their scripts ask the API: of occupancy it has none before (OUTAGE_FIRST_MS). */
#define PAGE_DAY_FIRST "2000-01-01"
#define PAGE_DAY_LAST "2999-12-31"

/* Each ends with a rule without a name. */
extern const struct web_rule page_language[], page_search[], page_login[], page_overview[], page_energy[],
    page_occupancy[], page_instruments[], page_exceptions[], page_decide[], page_outages[], page_outage[],
    page_alarms[];

/* The language that is asked for, by the form or the address, else the browser's. */
enum page_language page_language_of(const struct web_request *request);
/* A path of ours, to go on to after signing in. */
bool page_is_path(const char *text);
/* The 400 of a page that says what is wrong with its parameter of that name. */
struct web_answer page_refuse(
    const struct web_context *context, const struct web_request *request, const char *name);
/* Where the page is, with those of its parameters that were given, up to its language. The caller frees it. */
char *page_self(const struct web_request *request);
