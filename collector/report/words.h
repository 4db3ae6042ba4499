/* The words of a report, in Chinese and English. Codes are what machines read (JSON, CSV); words are what people do. */
#pragma once

#include "collector/web/page.h"

/* The word of a code, or of a heading: every one that is asked for is there, else this is our mistake and aborts. */
const char *words_of(enum page_language language, const char *code);
/* The same; NULL: there are none. */
const char *words_find(enum page_language language, const char *code);
