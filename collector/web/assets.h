/*
 * The files of the pages, read whole at start: no request ever opens a file, so none can leave the folder.
 * Only plain files (no links) with a known extension, at most 2 MiB each.
 */
#pragma once

#include "collector/web/answer.h"
#include "lib/buf.h"
#include "lib/status.h"

#include <stdbool.h>
#include <stddef.h>

struct web_assets;

struct web_asset {
    char *name; /* "ops.js" */
    const char *content_type;
    bool is_page; /* served at a route of its own, not below /assets/ */
    char *data;
    size_t len;
    char etag[WEB_ETAG_SIZE]; /* with its quotes; changes with the content */
};

/* ST_INVALID: the folder or a file in it cannot be read, or the folder holds no ops_frame.html. In place of a line
 * <!--include NAME--> of a page stands that file, which has no such line itself; nothing where there is none. */
enum status assets_load(const char *folder, struct web_assets **ret, struct error *err);
void assets_destroy(struct web_assets *assets);                                         /* accepts NULL */
const struct web_asset *assets_find(const struct web_assets *assets, const char *name); /* NULL = none */
/* What fetches that script, and with it all that it imports; nothing where there is none. */
void assets_add_script(const struct web_assets *assets, const char *name, struct buf *out);
