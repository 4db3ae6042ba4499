/* What the pages of operators that are filled in here have in common: their texts, tables of what the API lists, and the parts of
 * a form. Whatever is shown is escaped. */
#pragma once

#include "collector/web/context.h"
#include "lib/buf.h"

struct ops_page {
    struct web_context *context;
    enum page_language language;
    struct buf out;
};

/* The text of "prefix_name", or of "prefix" where the name is NULL. */
const char *ops_text(const struct ops_page *p, const char *prefix, const char *name);
/* "" where it has no such text. */
const char *ops_member(const json_t *item, const char *name);

/* After an RFC 3339 time as it is shown: " +08:00", where sites have clocks of their own. */
void ops_add_offset(const struct ops_page *p, const char *time, struct buf *out);
/* What helps with a field; of a time it says by whose clocks, where sites have their own. */
const char *ops_help(const struct ops_page *p, const char *key);

void ops_add_text(struct ops_page *p, const char *element, const char *key);
/* The text of that key, in which "{}" is `html`, as it is. */
void ops_say(struct ops_page *p, const char *key, const char *html);
/* In brackets, as the language writes them; escaped. */
void ops_add_bracketed(const struct ops_page *p, const char *text, struct buf *out);
void ops_add_heading(struct ops_page *p, const char *key);
/* `heading` NULL = none. */
void ops_begin_table(struct ops_page *p, const char *heading, const char *const *keys);
/* A cell of a word or two, which is not broken inside of one; of a text; of a time as the site's clocks show it, with the seconds
 * that the API says if they are not 00 (what is no time stays). `title` is the column's. */
void ops_add_cell(struct ops_page *p, const char *title, const char *text);
void ops_add_note(struct ops_page *p, const char *title, const char *text);
void ops_add_time(struct ops_page *p, const char *title, const char *text);
/* Such a time (RFC 3339) by itself. */
void ops_add_clock(const struct ops_page *p, const char *time, struct buf *out);
/* Around what the page lists: of when it is, and that it is read again while the page stands (dashboards/web/lists.js). */
void ops_begin_lists(struct ops_page *p, const char *view);
void ops_end_lists(struct ops_page *p);
/* That it was done, where the page's `done` says so, with its number. */
void ops_add_done(struct ops_page *p, const char *key, const struct web_request *request);

/* The link to what comes after what was said, where that list goes on from its `param`; the other lists of the page
 * (`params`, NULL-terminated: numbers) stay where they are. */
void ops_add_more(struct ops_page *p, const struct web_request *request, const char *const *params,
    const char *param, const json_t *said);

/* What the API lists before what the page's `param` says; the caller's reference. NULL: *ret_answer is what it said instead. */
json_t *ops_list(struct web_context *context, const struct web_request *request, const char *param,
    struct web_answer (*handler)(struct web_context *context, const struct web_request *request),
    struct web_answer *ret_answer);

void ops_add_hidden(const char *name, const char *value, struct buf *out);
/* What is wrong with the field before it. */
void ops_add_wrong(struct buf *out, const char *text);
/* Of the whole form; `detail` is the API's own sentence. Both may be NULL. */
void ops_add_message(struct buf *out, const char *message, const char *detail);
