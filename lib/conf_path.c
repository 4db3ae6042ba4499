/* Checks of the files and folders that settings name. */
#include "lib/conf.h"

#include "lib/file.h"
#include "lib/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void conf_check_secret(struct conf *c, const struct conf_where *where, const char *key, const char *path)
{
    struct error err;
    char *secret;
    if (path == NULL)
        return;
    if (file_read_secret(path, &secret, &err) != ST_OK)
        conf_problem(c, where, key,
            "%s; expected a file with the password in its first line, which only its owner and group may "
            "read",
            err.text);
    else
        free(secret);
}

static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL)
        return mem_strdup(".");
    return mem_strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

/* What is wrong with the folder or the file, or "" (the caller frees it). */
static char *why_not_writable(const char *path, const char *folder)
{
    struct stat about;
    if (stat(folder, &about) != 0)
        return mem_printf("%s: %s; expected an existing folder for %s", folder, strerror(errno), path);
    if (!S_ISDIR(about.st_mode))
        return mem_printf("%s is not a folder; expected an existing folder for %s", folder, path);
    if (faccessat(AT_FDCWD, folder, W_OK | X_OK, AT_EACCESS) != 0)
        return mem_printf("%s: %s; expected a folder in which this user may write", folder, strerror(errno));
    if (stat(path, &about) != 0)
        return errno == ENOENT
                   ? mem_strdup("")
                   : mem_printf("%s: %s; expected a file that this user may write", path, strerror(errno));
    if (!S_ISREG(about.st_mode))
        return mem_printf("%s is not a regular file; expected the path of a file", path);
    if (faccessat(AT_FDCWD, path, R_OK | W_OK, AT_EACCESS) != 0)
        return mem_printf("%s: %s; expected a file that this user may write", path, strerror(errno));
    return mem_strdup("");
}

void conf_check_writable(struct conf *c, const struct conf_where *where, const char *key, const char *path)
{
    if (path == NULL)
        return;
    char *folder = folder_of(path), *why = why_not_writable(path, folder);
    if (why[0] != '\0')
        conf_problem(c, where, key, "%s", why);
    free(why);
    free(folder);
}
