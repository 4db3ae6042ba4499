/* /ops/outage: the form, as it is asked for and as it is shown; private to ops_outage*.c. */
#pragma once

#include "collector/web/ops_page.h"

#include "collector/instrument/outage.h"

enum ops_outage_field {
    OUTAGE_FIELD_TARGET,
    OUTAGE_FIELD_FROM,
    OUTAGE_FIELD_UNTIL,
    OUTAGE_FIELD_CATEGORY,
    OUTAGE_FIELD_NOTE,
    OUTAGE_FIELDS
};
extern const char *const ops_outage_fields[OUTAGE_FIELDS]; /* names, of the inputs and of the API */

/* What is filled in, by act; to open one, by kind. */
struct ops_outage_form {
    struct ops_outage_form_field {
        enum ops_outage_field field;
        bool is_needed;
        const char *help; /* key of a text; NULL = none */
    } fields[OUTAGE_FIELDS];
    size_t count;
};

struct ops_outage {
    struct ops_page page;
    const struct web_request *request;
    enum outage_act act;
    enum outage_kind kind;
    struct outage outage; /* but to open one */
    const struct ops_outage_form *form;
    const struct zone *zone;          /* of the target's site */
    const char *wrong[OUTAGE_FIELDS]; /* keys of texts; NULL = right */
    const char *message, *detail;
};

/* By form or link; "" = not given. */
const char *ops_outage_given(const struct web_request *request, const char *name);
const char *ops_outage_text(const struct ops_outage *a, const char *prefix, const char *name);
/* By act, kind, and whether the outage is over. */
const struct ops_outage_form *ops_outage_form_of(const struct ops_outage *a);
void ops_outage_add_form(const struct ops_outage *a, struct buf *out);
