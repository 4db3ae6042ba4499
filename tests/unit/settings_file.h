/* A settings file in a folder of its own, and what was said about it. */
#pragma once

#include "lib/buf.h"
#include "lib/conf.h"
#include "lib/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char settings_folder[] = "/tmp/parkmon-test-settings-XXXXXX";

static inline int settings_make_folder(void **state)
{
    (void)state;
    return mkdtemp(settings_folder) != NULL ? 0 : -1;
}

static inline char *settings_path(const char *name)
{
    return mem_printf("%s/%s", settings_folder, name);
}

/* The path, which the caller frees. */
static inline char *settings_write_bytes(const char *name, const char *bytes, size_t length, mode_t mode)
{
    char *path = settings_path(name);
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    assert_int_equal(fwrite(bytes, 1, length, out), length);
    assert_int_equal(fclose(out), 0);
    assert_int_equal(chmod(path, mode), 0);
    return path;
}

static inline char *settings_write(const char *name, const char *text)
{
    return settings_write_bytes(name, text, strlen(text), 0644);
}

/* The lines of conf_print_problems without the folder's name wherever it stands: "a.cfg:7: path: ...\n"; the
 * caller frees. */
static inline char *settings_problems(const struct conf *c)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    conf_print_problems(c, out);
    fclose(out);
    struct buf shown = {0};
    char *prefix = mem_printf("%s/", settings_folder), *at = text;
    for (char *hit; (hit = strstr(at, prefix)) != NULL; at = hit + strlen(prefix))
        buf_add(&shown, at, (size_t)(hit - at));
    buf_add_str(&shown, at);
    free(prefix);
    free(text);
    return buf_take(&shown);
}

/* What is wrong with the text that `c` was loaded from: exactly this. Destroys `c`. */
static inline void settings_expect_problems(struct conf *c, const char *text, const char *expected)
{
    char *problems = settings_problems(c);
    if (strcmp(problems, expected) != 0)
        fail_msg("%s\n gave:\n%s not:\n%s", text, problems, expected);
    free(problems);
    conf_destroy(c);
}

/* Whether the text has the key, in use or as a comment's example: "key =", or "key:" before a group. */
static inline bool settings_mention(const char *text, const char *key)
{
    size_t length = strlen(key);
    for (const char *at = strstr(text, key); at != NULL; at = strstr(at + 1, key))
        if ((at == text || strchr(" \n{", at[-1]) != NULL) &&
            (strncmp(at + length, " =", 2) == 0 || at[length] == ':'))
            return true;
    return false;
}

static inline void settings_expect_all_keys(
    const char *text, const char *file, const struct conf_section *section)
{
    for (const struct conf_key *key = section->keys; key->name != NULL; key++) {
        if (!settings_mention(text, key->name))
            fail_msg("%s does not mention %s (%s)", file, key->name, section->name);
        if (key->section != NULL)
            settings_expect_all_keys(text, file, key->section);
    }
    const struct conf_section *more;
    for (size_t i = 0; section->alternative != NULL && (more = section->alternative(i)) != NULL; i++)
        settings_expect_all_keys(text, file, more);
}

/* The text of config/<name>; the caller frees it. */
static inline char *settings_example(const char *name)
{
    const char *source = getenv("PARKMON_SOURCE");
    char *path = mem_printf("%s/config/%s", source != NULL ? source : ".", name);
    FILE *in = fopen(path, "r");
    if (in == NULL)
        fail_msg("%s is missing", path);
    char *text = mem_zalloc(65536);
    assert_true(fread(text, 1, 65535, in) > 0);
    fclose(in);
    free(path);
    return text;
}

/* Removes what the tests left. */
static inline int settings_remove_folder(void **state)
{
    (void)state;
    char *command = mem_printf("rm -rf '%s'", settings_folder);
    int code = system(command);
    free(command);
    return code;
}
