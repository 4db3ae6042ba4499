/*
 * The pages for visitors: which instrument is free now, when the others are next, and how to get at them. Complete without
 * JavaScript; what they say is what the board says (collector/instrument/board.h), in words. In the files public*.c.
 *
 * Nothing silent is free: where the board itself is old, because the core hangs, everything is UNKNOWN (I-list of
 * CONTRIBUTING.md). Times are told by the clocks of the instrument's site.
 */
#pragma once

#include "collector/instrument/board.h"
#include "collector/web/context.h"
#include "collector/web/when.h"

/* What stands together, in this order. An instrument that is not shared is in none. */
enum public_group {
    PUBLIC_FREE,
    PUBLIC_SOON, /* taken or closed, and free within PUBLIC_SOON_MS, for as long as is asked for, by what is known */
    PUBLIC_BUSY,
    PUBLIC_CLOSED,
    PUBLIC_UNKNOWN,
    PUBLIC_OUT,
    PUBLIC_GROUPS
};
#define PUBLIC_SOON_MS (2 * INT64_C(3600000))

struct public_page {
    const struct web_context *context; /* its texts */
    enum page_language language;
    const struct board *board;
    const struct search *search; /* of the board's instruments; of the list alone */
    int64_t now_ms;
    struct buf out; /* HTML so far */
};

/* ---- public_words.c: an instrument's answer in words; each is added to page->out ---- */

bool public_is_old(const struct public_page *page);
/* PUBLIC_GROUPS = none. What is free soon is so for at least `length_ms`; 0 = for the shortest use. */
enum public_group public_group_of(
    const struct public_page *page, const struct board_item *item, int64_t length_ms);
/* "free", ...: of ids and keys. */
const char *public_group_name(enum public_group group);
const char *public_text(
    const struct public_page *page, const char *prefix, const char *name); /* name NULL = none */
/* The one of both that is of the page's language, or that there is; "" where there is none. */
const char *public_name(const struct public_page *page, const char *zh, const char *en);
struct when public_when(const struct public_page *page, const struct board_item *item);
/* `text` escaped, between what stands before and after it as it is. */
void public_add(struct public_page *page, const char *before, const char *text, const char *after);
/* Escaped; "{}" in it is `html`, as it is. */
void public_say(struct public_page *page, const char *text, const char *html);
/* The text of that key with a time of the instrument in it; `name` is what the API calls it. */
void public_say_time(struct public_page *page, const struct board_item *item, const char *key,
    const char *name, int64_t time_ms, enum when_edge edge);
void public_add_icon(struct public_page *page, enum public_group group);
/* "Free until 16:30" */
void public_add_answer(struct public_page *page, const struct board_item *item);
/* "Next free tomorrow 08:00", or that it is not known; nothing where the answer has said all. */
void public_add_next(struct public_page *page, const struct board_item *item);
/* Why it is so: the rule, and by what: which outage, resource or source. */
void public_add_why(struct public_page *page, const struct board_item *item);
/* "Power: told last 13:02" */
void public_add_source(struct public_page *page, const struct board_item *item, const char *name,
    const struct availability_source *source);
/* "Building 1, room 302" */
void public_add_place(struct public_page *page, const struct board_item *item);
/* When it was made, and what there is to say where that is long ago, or by a doubtful clock. `self` is where the page is, to
 * be loaded again. */
void public_add_as_of(struct public_page *page, const char *self);

/* A card with a heading, a text of that key. public_instrument.c */
void public_begin_section(struct public_page *page, const char *class, const char *heading);
void public_end_section(struct public_page *page);
/* "30 min", "2 h"; not escaped. public_ways.c */
#define PUBLIC_LENGTH_SIZE 64
void public_length_words(
    const struct public_page *page, int64_t length_ms, char ret[static PUBLIC_LENGTH_SIZE]);
void public_add_ways(struct public_page *page, const struct board_item *item);  /* public_ways.c */
void public_add_ahead(struct public_page *page, const struct board_item *item); /* public_ahead.c */
/* From when on it is free for that long. */
void public_add_slot(struct public_page *page, const struct board_item *item, int64_t length_ms);

/* ---- public_page.c ---- */

/* In the visitors' frame. Releases page->out. */
struct web_answer public_answer(struct public_page *page, int code, const char *title, const char *self);
/* A page that says only that. */
struct web_answer public_message(
    const struct web_context *context, enum page_language language, int code, const char *key);
/* scheme://host[:port] by which visitors reach us: by the name of the settings, else as this one did. The caller frees it. */
char *public_address(const struct web_context *context, const struct web_request *request);
/* Whether that leads to this machine alone. */
bool public_is_loopback(const char *address);

/* ---- what they write; by itself for the tests ---- */

struct public_filter {
    const char *q, *category, *building, *organisation; /* as they came; NULL or "" = any */
    bool is_free;                                       /* only what is free now, */
    int64_t length_ms; /* and for at least so long; 0 = any. Else it is told when each is. */
};
extern const char *const public_lengths[]; /* NULL-terminated */
/* Of a `length` that the form offers, as the API has it; 0 = it is none of them, or NULL. */
int64_t public_length_ms(const char *text);
/* public_form.c */
bool public_is_given(const char *text); /* neither NULL nor "" */
void public_add_form(struct public_page *page, const struct public_filter *filter);

/* The name of the parameter of the filter that is no id of the park; NULL: each is, or is not given. */
const char *public_find_unknown(const struct park *park, const struct public_filter *filter);
void public_write_list(struct public_page *page, const struct public_filter *filter);
void public_write_instrument(struct public_page *page, const struct board_item *item);
void public_write_label(struct public_page *page, const struct board_item *item, const char *address);
