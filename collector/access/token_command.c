#include "collector/access/token_command.h"

#include "collector/access/here.h"
#include "collector/access/tokens.h"
#include "collector/settings.h"
#include "lib/clock.h"
#include "lib/mem.h"
#include "lib/program.h"
#include "lib/text.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char token_usage[] =
    "usage: park-collector token add --config FILE --role ROLE --name NAME [--expires 90d] [--scope LIST]\n"
    "       park-collector token list --config FILE\n"
    "       park-collector token revoke --config FILE ID\n"
    "\n"
    "Who may read and write over HTTP, whether or not a collector runs; it sees a change at once.\n"
    "\n"
    "  add        make a token; it is printed once, and only its hash is kept\n"
    "  --role     public, operator or auditor: what it may read\n"
    "  --name     whose it is, for people and for the log of changes\n"
    "  --expires  how long it is good for: 12h or 90d (the default), at most 1830d\n"
    "  --scope    what it may write, with commas between: outages, sessions, readings, decisions, closings, "
    "alarms\n"
    "  list       all of them, with the day of their last use\n"
    "  revoke     end one now; its pages and event streams end with it\n";

enum action { ACTION_ADD, ACTION_LIST, ACTION_REVOKE };

struct token_words {
    enum action action;
    const char *config, *role, *name, *expires, *scope, *id;
};

static int refuse(const char *why, const char *what)
{
    fprintf(stderr, "park-collector: %s%s\n%s", why, what, token_usage);
    return EXIT_USAGE;
}

static int complain_and_code(enum status status, const struct error *err)
{
    fprintf(stderr, "park-collector: %s\n", err->text);
    return program_exit_code(status);
}

/* ---- add ---- */

static bool is_good_name(const char *name)
{
    struct span text = span_of(name);
    return text.len > 0 && text.len <= TOKEN_NAME_MAX && text_is_utf8(text) && !text_has_control(text) &&
           strspn(name, " ") < text.len;
}

/* -1: go on; else the exit code. */
static int read_token(const struct token_words *words, struct token *ret)
{
    int64_t life_ms = TOKEN_LIFE_DEFAULT_MS;
    if (words->role == NULL || !role_parse(words->role, &ret->role))
        return refuse("--role is one of public, operator, auditor", "");
    if (words->name == NULL || !is_good_name(words->name))
        return refuse("--name is missing, or not a text of 1 to 64 bytes", "");
    if (words->scope != NULL && !scopes_parse(words->scope, &ret->scopes))
        return refuse("--scope names what is no scope, or names one twice: ", words->scope);
    if (words->expires != NULL && !token_life_parse(words->expires, &life_ms))
        return refuse("--expires is no time such as 12h or 90d, at most 1830d: ", words->expires);
    snprintf(ret->name, sizeof ret->name, "%s", words->name);
    ret->created_ms = clock_system.wall_ms();
    ret->expires_ms = ret->created_ms + life_ms;
    return -1;
}

static int add(const char *database, struct token *token)
{
    char secret[SECRET_TEXT_SIZE], text[TOKEN_TEXT_SIZE], until[CLOCK_TEXT_SIZE];
    struct db *db = NULL;
    struct error err;
    secret_draw(secret);
    token->hash = secret_hash(secret);
    enum status status = access_open_in_turn(database, &db, &err);
    if (status == ST_OK) {
        char *who = access_user_name();
        status = tokens_add(db, token, who, token->created_ms, &err);
        free(who);
    }
    db_close(db);
    if (status != ST_OK)
        return complain_and_code(status, &err);
    token_format(token->id, secret, text);
    clock_format_utc(token->expires_ms, until);
    puts(text);
    fprintf(stderr, "token %lld for \"%s\" (%s), good until %s: it is shown only now\n", (long long)token->id,
        token->name, role_name(token->role), until);
    return EXIT_OK;
}

/* ---- list ---- */

static void format_day(int64_t time_ms, const char *none, char text[static CLOCK_TEXT_SIZE])
{
    if (time_ms == 0) {
        snprintf(text, CLOCK_TEXT_SIZE, "%s", none);
        return;
    }
    clock_format_utc(time_ms, text);
    text[strcspn(text, "T")] = '\0';
}

static void print_token(void *user_data, const struct token *token)
{
    const int64_t *now_ms = user_data;
    char scopes[SCOPES_TEXT_SIZE], created[CLOCK_TEXT_SIZE], expires[CLOCK_TEXT_SIZE], used[CLOCK_TEXT_SIZE];
    scopes_format(token->scopes, scopes);
    format_day(token->created_ms, "-", created);
    format_day(token->expires_ms, "-", expires);
    format_day(token->used_ms, "never", used);
    printf("%4lld  %-8s  %-7s  %s  %s  %-10s  %s%s%s%s\n", (long long)token->id, role_name(token->role),
        token_state_name(token_state(token, *now_ms)), created, expires, used, token->name,
        scopes[0] != '\0' ? " (may write: " : "", scopes, scopes[0] != '\0' ? ")" : "");
}

static int list(const char *database)
{
    struct tokens_reader reader;
    struct db *db;
    struct error err;
    int64_t now_ms = clock_system.wall_ms();
    tokens_reader_init(&reader, database);
    enum status status = tokens_reader_db(&reader, &db, &err);
    if (status == ST_OK) {
        puts("  id  role      state    made        expires     last used   name");
        status = db != NULL ? tokens_each(db, print_token, &now_ms, &err) : ST_OK;
    }
    tokens_reader_release(&reader);
    return status == ST_OK ? EXIT_OK : complain_and_code(status, &err);
}

/* ---- revoke ---- */

static int revoke_token(const char *database, const char *id_text)
{
    int64_t id;
    if (!number_parse_int64(id_text, strlen(id_text), &id) || id < 1)
        return refuse("the id of a token is a number, as `token list` says it: ", id_text);
    struct token token = {0};
    struct db *db = NULL;
    struct error err;
    enum status status = access_open_in_turn(database, &db, &err);
    if (status == ST_OK) {
        char *who = access_user_name();
        status = tokens_revoke(db, id, who, clock_system.wall_ms(), &token, &err);
        free(who);
    }
    db_close(db);
    if (status != ST_OK)
        return complain_and_code(status, &err);
    printf("token %lld of \"%s\" %s\n", (long long)id, token.name,
        token.revoked_ms != 0 ? "had been revoked before" : "is revoked");
    return EXIT_OK;
}

/* ---- command line ---- */

static int parse_action(int count, char **words, struct token_words *ret)
{
    static const char *const names[] = {"add", "list", "revoke"};
    size_t action = 0;
    while (action < 3 && (count < 1 || strcmp(words[0], names[action]) != 0))
        action++;
    if (action == 3)
        return refuse("token: expected add, list or revoke", "");
    ret->action = (enum action)action;
    int expected = ret->action == ACTION_REVOKE ? 2 : 1;
    if (count < expected)
        return refuse("token revoke: the id is missing", "");
    if (count > expected)
        return refuse("one argument too many: ", words[expected]);
    ret->id = ret->action == ACTION_REVOKE ? words[1] : NULL;
    if (ret->action != ACTION_ADD && (ret->role || ret->name || ret->expires || ret->scope))
        return refuse("--role, --name, --expires and --scope belong to token add", "");
    if (ret->config == NULL)
        return refuse("--config is missing", "");
    return -1;
}

/* -1: go on; else the exit code. */
static int parse(int argc, char **argv, struct token_words *ret)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
        {"role", required_argument, NULL, 'r'}, {"name", required_argument, NULL, 'n'},
        {"expires", required_argument, NULL, 'e'}, {"scope", required_argument, NULL, 's'},
        {"help", no_argument, NULL, 'h'}, {0}};
    int option, index = 0;
    opterr = 0;
    while ((option = getopt_long(argc, argv, "", options, &index)) != -1) {
        const char **place = option == 'c'   ? &ret->config
                             : option == 'r' ? &ret->role
                             : option == 'n' ? &ret->name
                             : option == 'e' ? &ret->expires
                             : option == 's' ? &ret->scope
                                             : NULL;
        if (option == 'h') {
            fputs(token_usage, stdout);
            return EXIT_OK;
        }
        if (place == NULL)
            return refuse("unknown option, or its value is missing: ", argv[optind - 1]);
        if (*place != NULL)
            return refuse("given twice: --", options[index].name);
        *place = optarg;
    }
    return parse_action(argc - optind, argv + optind, ret);
}

static int perform(const struct token_words *words, const char *database)
{
    struct token token = {0};
    int code;
    switch (words->action) {
    case ACTION_ADD:
        code = read_token(words, &token);
        return code >= 0 ? code : add(database, &token);
    case ACTION_LIST:
        return list(database);
    case ACTION_REVOKE:
        return revoke_token(database, words->id);
    }
    return EXIT_INTERNAL;
}

int token_command(int argc, char **argv)
{
    struct token_words words = {0};
    int code = parse(argc, argv, &words);
    if (code >= 0)
        return code;
    program_begin();
    struct collector_settings settings;
    struct conf *conf = collector_settings_load(words.config, &settings);
    if (conf_problem_count(conf) > 0) {
        conf_print_problems(conf, stderr);
        code = EXIT_CONFIG;
    } else {
        code = perform(&words, settings.database.path);
    }
    conf_destroy(conf);
    return code;
}
