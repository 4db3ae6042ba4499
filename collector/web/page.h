/*
 * Pages that are filled in here, so that they work without JavaScript: in a file of the pages, {{key}} is replaced by
 * the text of that key in the page's language, and {{=name}} by a value, escaped for HTML. Pure.
 */
#pragma once

#include "collector/web/form.h"
#include "lib/json.h"

enum page_language { PAGE_EN, PAGE_ZH, PAGE_LANGUAGES };

/* As the pages' i18n.js has it: what was asked for, else the first that the browser prefers and there is, else
 * English. Both may be NULL. */
enum page_language page_choose_language(const char *asked, const char *accept_language);
const char *page_language_name(enum page_language language); /* en, zh */

/* The caller frees it. A key without a text stays as it is written; a value that is not given is empty. `texts` is an
 * object of strings; NULL = none. */
char *page_fill(const char *text, const json_t *texts, const struct web_param *values, size_t count);
/* Between a text and what follows it: nothing after punctuation that is as wide as a character. */
const char *page_gap(const char *text);
