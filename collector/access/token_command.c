#include "collector/access/token_command.h"

#include "collector/access/here.h"
#include "collector/access/tokens.h"
#include "collector/command_line.h"
#include "lib/clock.h"

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
    const char *config, *role, *name, *expires, *scope, *help, *id;
};

/* ---- add ---- */

/* -1: go on; else the exit code. */
static int read_token(const struct token_words *words, struct token *ret)
{
    int64_t life_ms = TOKEN_LIFE_DEFAULT_MS;
    if (words->role == NULL || !role_parse(words->role, &ret->role))
        return command_line_refuse(token_usage, "--role is one of public, operator, auditor", "");
    if (words->name == NULL || !command_line_is_text(words->name, TOKEN_NAME_MAX))
        return command_line_refuse(token_usage, "--name is missing, or not a text of 1 to 64 bytes", "");
    if (words->scope != NULL && !scopes_parse(words->scope, &ret->scopes))
        return command_line_refuse(
            token_usage, "--scope names what is no scope, or names one twice: ", words->scope);
    if (words->expires != NULL && !token_life_parse(words->expires, &life_ms))
        return command_line_refuse(
            token_usage, "--expires is no time such as 12h or 90d, at most 1830d: ", words->expires);
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
        return command_line_end(status, &err);
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
    return command_line_end(status, &err);
}

/* ---- revoke ---- */

static int revoke_token(const char *database, const char *id_text)
{
    int64_t id;
    if (!number_parse_int64(id_text, strlen(id_text), &id) || id < 1)
        return command_line_refuse(
            token_usage, "the id of a token is a number, as `token list` says it: ", id_text);
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
        return command_line_end(status, &err);
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
        return command_line_refuse(token_usage, "token: expected add, list or revoke", "");
    ret->action = (enum action)action;
    int expected = ret->action == ACTION_REVOKE ? 2 : 1;
    if (count < expected)
        return command_line_refuse(token_usage, "token revoke: the id is missing", "");
    if (count > expected)
        return command_line_refuse(token_usage, "one argument too many: ", words[expected]);
    ret->id = ret->action == ACTION_REVOKE ? words[1] : NULL;
    if (ret->action != ACTION_ADD && (ret->role || ret->name || ret->expires || ret->scope))
        return command_line_refuse(
            token_usage, "--role, --name, --expires and --scope belong to token add", "");
    if (ret->config == NULL)
        return command_line_refuse(token_usage, "--config is missing", "");
    return -1;
}

/* -1: go on; else the exit code. */
static int parse(int argc, char **argv, struct token_words *ret)
{
    const struct command_option options[] = {{"config", &ret->config, false}, {"role", &ret->role, false},
        {"name", &ret->name, false}, {"expires", &ret->expires, false}, {"scope", &ret->scope, false},
        {"help", &ret->help, true}};
    int code = command_line_read(argc, argv, token_usage, options, sizeof options / sizeof options[0]);
    if (code >= 0)
        return code;
    if (ret->help != NULL) {
        fputs(token_usage, stdout);
        return EXIT_OK;
    }
    return parse_action(argc - optind, argv + optind, ret);
}

static int perform(const struct collector_settings *settings, void *context)
{
    const struct token_words *words = context;
    const char *database = settings->database.path;
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
    return code >= 0 ? code : command_line_perform(words.config, perform, &words);
}
