/* The frame that the pages of operators share: where one is, the way to the others, both languages. */
#pragma once

#include "collector/web/context.h"

/* `content` is HTML; `view` names the entry of the navigation that it belongs to ("energy"; ops_frame.html), NULL = none;
 * `title` is its heading; `self` is where it is, up to its language ("/ops/outages?lang="). A 404 where the folder of the pages
 * has no frame. */
struct web_answer ops_frame(const struct web_context *context, enum page_language language, int code,
    const char *view, const char *title, const char *self, const char *content);

#define OPS_WALL "screen" /* /ops?view=screen: the overview for a wall, in a frame of its own */

/* A page whose figures its script, <view>.js, gets of the API: the file ops_<view>.html in the frame. */
struct web_answer handle_ops_view(struct web_context *context, const struct web_request *request);
