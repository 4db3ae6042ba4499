/* How sure we are of a value that somebody printed: each row of factors and tariffs names its document and one of
 * these. */
#pragma once

#include "lib/conf.h"

enum source_confidence {
    SOURCE_A, /* several independent public sources agree */
    SOURCE_B, /* one public source */
    SOURCE_C  /* general knowledge, to be checked against the document */
};
extern const char *const source_confidences[]; /* NULL-terminated */

/* B and C must be seen wherever the document is shown: its text says "(B" or "(C". `document` may be NULL and
 * `confidence` -1 where they were refused. */
void source_check(struct conf *c, const struct conf_where *where, const char *document, int confidence);
