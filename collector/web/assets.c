#include "collector/web/assets.h"

#include "lib/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ASSET_MAX (2 * 1024 * 1024) /* the charts' library has 1.1 MiB */
#define ASSETS_MAX 256

struct web_assets {
    struct web_asset *items;
    size_t count, capacity;
};

static const struct {
    const char *extension, *content_type;
    bool is_page;
} types[] = {
    {".html", "text/html; charset=utf-8", true},
    {".css", "text/css; charset=utf-8", false},
    {".js", "text/javascript; charset=utf-8", false},
    {".json", "application/json; charset=utf-8", false},
    {".svg", "image/svg+xml", false},
    {".png", "image/png", false},
    {".woff2", "font/woff2", false},
};

static enum status read_all(
    int fd, const char *folder, const char *name, struct web_asset *asset, struct error *err)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return error_set(err, ST_INVALID, "%s/%s: %s", folder, name, strerror(errno));
    if (!S_ISREG(st.st_mode) || st.st_size > ASSET_MAX)
        return error_set(err, ST_INVALID, "%s/%s: not a plain file of at most 2 MiB", folder, name);
    asset->data = mem_alloc((size_t)st.st_size + 1);
    while (asset->len < (size_t)st.st_size) {
        ssize_t n = read(fd, asset->data + asset->len, (size_t)st.st_size - asset->len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return error_set(
                err, ST_INVALID, "%s/%s: %s", folder, name, n < 0 ? strerror(errno) : "cut short");
        asset->len += (size_t)n;
    }
    asset->data[asset->len] = '\0';
    answer_tag(asset->data, asset->len, asset->etag);
    return ST_OK;
}

static enum status load_file(
    struct web_assets *assets, int folder_fd, const char *folder, const char *name, struct error *err)
{
    const char *extension = strrchr(name, '.');
    size_t type = 0;
    while (type < sizeof types / sizeof types[0] &&
           (!extension || name[0] == '.' || strcmp(extension, types[type].extension) != 0))
        type++;
    if (type == sizeof types / sizeof types[0])
        return ST_OK;
    /* Non-blocking: a fifo of that name must not hold the start up. */
    int fd = openat(folder_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 && errno == ELOOP)
        return ST_OK;
    if (fd < 0)
        return error_set(err, ST_INVALID, "%s/%s: %s", folder, name, strerror(errno));
    if (assets->count == ASSETS_MAX) {
        close(fd);
        return error_set(err, ST_INVALID, "%s: more than %d files", folder, ASSETS_MAX);
    }
    MEM_GROW(assets->items, assets->count, assets->capacity);
    struct web_asset *asset = &assets->items[assets->count++];
    *asset = (struct web_asset){
        .name = mem_strdup(name), .content_type = types[type].content_type, .is_page = types[type].is_page};
    enum status status = read_all(fd, folder, name, asset, err);
    close(fd);
    return status;
}

static void put_in(const struct web_assets *assets, struct web_asset *asset)
{
    static const char mark[] = "<!--include ", end[] = "-->\n";
    struct buf out = {0};
    const char *rest = asset->data;
    for (const char *open; (open = strstr(rest, mark)) != NULL;) {
        const char *name = open + strlen(mark), *close = strstr(name, end);
        if (close == NULL)
            break;
        char *file = mem_strndup(name, (size_t)(close - name));
        const struct web_asset *part = assets_find(assets, file);
        buf_add(&out, rest, (size_t)(open - rest));
        buf_add_str(&out, part != NULL ? part->data : "");
        rest = close + strlen(end);
        free(file);
    }
    buf_add_str(&out, rest);
    free(asset->data);
    asset->len = out.len;
    asset->data = buf_take(&out);
}

enum status assets_load(const char *folder, struct web_assets **ret, struct error *err)
{
    DIR *dir = opendir(folder);
    if (!dir)
        return error_set(
            err, ST_INVALID, "%s: %s; expected the folder of the pages' files", folder, strerror(errno));
    struct web_assets *assets = mem_zalloc(sizeof *assets);
    enum status status = ST_OK;
    struct dirent *entry;
    while (status == ST_OK && (entry = readdir(dir)))
        status = load_file(assets, dirfd(dir), folder, entry->d_name, err);
    closedir(dir);
    if (status == ST_OK && !assets_find(assets, "ops_frame.html"))
        status = error_set(
            err, ST_INVALID, "%s: no ops_frame.html; expected the folder of the pages' files", folder);
    if (status != ST_OK) {
        assets_destroy(assets);
        return status;
    }
    for (size_t i = 0; i < assets->count; i++)
        if (assets->items[i].is_page && strstr(assets->items[i].data, "<!--include ") != NULL)
            put_in(assets, &assets->items[i]);
    *ret = assets;
    return ST_OK;
}

void assets_destroy(struct web_assets *assets)
{
    if (!assets)
        return;
    for (size_t i = 0; i < assets->count; i++) {
        free(assets->items[i].name);
        free(assets->items[i].data);
    }
    free(assets->items);
    free(assets);
}

const struct web_asset *assets_find(const struct web_assets *assets, const char *name)
{
    for (size_t i = 0; i < assets->count; i++)
        if (strcmp(assets->items[i].name, name) == 0)
            return &assets->items[i];
    return NULL;
}

/* Imports are written from './name.js'. `seen`: by the place among the files. */
static void add_imports(
    const struct web_assets *assets, const struct web_asset *script, bool *seen, struct buf *out)
{
    static const char mark[] = "'./";
    for (const char *at = script->data; (at = strstr(at, mark)) != NULL;) {
        at += strlen(mark);
        char *name = mem_strndup(at, strcspn(at, "'\n"));
        const struct web_asset *found = assets_find(assets, name);
        free(name);
        if (found == NULL || seen[found - assets->items])
            continue;
        seen[found - assets->items] = true;
        buf_printf(out, "<link rel=\"modulepreload\" href=\"/assets/%s\">\n", found->name);
        add_imports(assets, found, seen, out);
    }
}

void assets_add_script(const struct web_assets *assets, const char *name, struct buf *out)
{
    const struct web_asset *script = assets_find(assets, name);
    if (script == NULL)
        return;
    bool seen[ASSETS_MAX] = {false};
    seen[script - assets->items] = true;
    add_imports(assets, script, seen, out);
    buf_printf(out, "<script type=\"module\" src=\"/assets/%s\"></script>\n", name);
}
