#include "collector/settings.h"

#include "collector/web/guard.h"
#include "collector/web/listener.h"

#include <string.h>
#include <sys/stat.h>

static const char *const accesses[] = {"loopback", "token", NULL}; /* enum web_access */
static const char *const clocks[] = {"kernel", "trusted", NULL};
static const char *const log_levels[] = {"error", "warn", "info", "debug", NULL};

static const struct conf_key broker_keys[] = {
    {"host", CONF_STRING, offsetof(struct collector_broker_settings, host), .fallback = "127.0.0.1", .min = 1,
        .max = 255, .help = "name or address of the MQTT broker"},
    {"port", CONF_INT, offsetof(struct collector_broker_settings, port), .fallback = "1883", .min = 1,
        .max = 65535, .help = "its TCP port"},
    {"user", CONF_STRING, offsetof(struct collector_broker_settings, user), .fallback = "park-collector",
        .min = 1, .max = 255, .help = "user name, as the broker's access rules expect"},
    {"password_file", CONF_PATH, offsetof(struct collector_broker_settings, password_file),
        .help = "file with the password, not readable by others; absent = no password"},
    {"keep_alive", CONF_SECONDS, offsetof(struct collector_broker_settings, keep_alive_ms), .fallback = "30",
        .min = 5000, .max = 3600000, .help = "silence after which the connection is checked"},
    {"retry", CONF_SECONDS, offsetof(struct collector_broker_settings, retry_max_ms), .fallback = "60",
        .min = 1000, .max = 3600000,
        .help = "longest wait between two attempts to connect; they begin with 1 s"},
    {0}};

static const struct conf_section broker_section = {.name = "broker",
    .size = sizeof(struct collector_broker_settings),
    .keys = broker_keys,
    .has_where = true,
    .where_offset = offsetof(struct collector_broker_settings, where)};

static const struct conf_key database_keys[] = {
    {"path", CONF_PATH, offsetof(struct database_settings, path), .is_required = true,
        .help = "the collector's database file"},
    {"limit", CONF_INT, offsetof(struct database_settings, limit_mib), .fallback = "16384", .min = 16,
        .max = 16777216, .unit = "MiB",
        .help = "largest size of that file; at the limit nothing is acknowledged any more"},
    {"evidence_days", CONF_INT, offsetof(struct database_settings, evidence_days), .fallback = "35", .min = 1,
        .max = 3650, .unit = "days", .help = "raw batches are kept this long after they arrived"},
    {"audit_years", CONF_INT, offsetof(struct database_settings, audit_years), .fallback = "5", .min = 1,
        .max = 100, .unit = "years",
        .help = "register readings are kept this long, compressed and sealed by month"},
    {0}};

static const struct conf_section database_section = {.name = "database",
    .size = sizeof(struct database_settings),
    .keys = database_keys,
    .has_where = true,
    .where_offset = offsetof(struct database_settings, where)};

/* http:// or https://, a host, perhaps a port and a path. No user and password: secrets stand in files of
 * their own. */
static bool is_base_url(const char *url)
{
    size_t scheme = strncmp(url, "http://", 7) == 0 ? 7 : strncmp(url, "https://", 8) == 0 ? 8 : 0;
    return scheme > 0 && url[scheme] != '\0' && strchr("/:", url[scheme]) == NULL &&
           strpbrk(url, " @?#") == NULL;
}

static void check_store(struct conf *c, void *object, const void *parent)
{
    (void)parent;
    const struct store_settings *store = object;
    if (!is_base_url(store->url))
        conf_problem(c, &store->where, "url",
            "\"%s\" is not the URL of a store; expected one such as http://127.0.0.1:8086", store->url);
    if (strpbrk(store->database, "\"\\") != NULL)
        conf_problem(c, &store->where, "database", "holds a quote or backslash; expected a plain name");
    if ((store->user == NULL) != (store->password_file == NULL))
        conf_problem(c, &store->where, store->user == NULL ? "user" : "password_file",
            "is missing; expected both user and password_file, or neither");
}

static const struct conf_key store_keys[] = {
    {"url", CONF_STRING, offsetof(struct store_settings, url), .fallback = "http://127.0.0.1:8086",
        .max = 1024, .help = "base URL of the time-series store (InfluxDB 1.x API)"},
    {"database", CONF_STRING, offsetof(struct store_settings, database), .fallback = "parkmon", .min = 1,
        .max = 64, .help = "its database; made where it is missing"},
    {"user", CONF_STRING, offsetof(struct store_settings, user), .min = 1, .max = 255,
        .help = "user name; absent = none"},
    {"password_file", CONF_PATH, offsetof(struct store_settings, password_file),
        .help = "file with the password, not readable by others"},
    {"raw_retention", CONF_INT, offsetof(struct store_settings, raw_retention_days), .fallback = "400",
        .min = 0, .max = 36500, .unit = "days",
        .help = "how long the store keeps raw readings; 0 = for ever"},
    {"body_lines", CONF_INT, offsetof(struct store_settings, body_lines), .fallback = "5000", .min = 1,
        .max = 50000, .help = "lines per write"},
    {"timeout", CONF_SECONDS, offsetof(struct store_settings, timeout_ms), .fallback = "10", .min = 100,
        .max = 600000, .help = "longest wait for the answer to a write"},
    {"outbox_limit", CONF_INT, offsetof(struct store_settings, outbox_limit_mib), .fallback = "1024",
        .min = 1, .max = 16777216, .unit = "MiB",
        .help = "largest size of the derived rows that wait for the store, at most a quarter of "
                "database.limit; at the limit nothing is acknowledged any more"},
    {0}};

static const struct conf_section store_section = {.name = "store",
    .size = sizeof(struct store_settings),
    .keys = store_keys,
    .has_where = true,
    .where_offset = offsetof(struct store_settings, where),
    .check = check_store};

static void check_http(struct conf *c, void *object, const void *parent)
{
    (void)parent;
    const struct http_settings *http = object;
    bool needs_token = http->access == WEB_ACCESS_TOKEN;
    if (!listener_is_address(http->address))
        conf_problem(c, &http->where, "address", "\"%s\" is not an address; expected one such as 127.0.0.1",
            http->address);
    else if (!needs_token && !listener_is_loopback(http->address))
        conf_problem(c, &http->where, "address",
            "\"%s\" is not a loopback address; expected 127.0.0.1 or ::1, or access = \"token\"",
            http->address);
    else if (listener_is_wildcard(http->address) && http->name == NULL)
        conf_problem(c, &http->where, "name",
            "is missing; expected the name or address by which browsers reach %s", http->address);
    if (http->name != NULL && strpbrk(http->name, "/:@ \t") != NULL)
        conf_problem(c, &http->where, "name",
            "\"%s\" is not a host name; expected one without scheme, port and path", http->name);
    struct stat status;
    if (stat(http->web, &status) != 0 || !S_ISDIR(status.st_mode))
        conf_problem(
            c, &http->where, "web", "%s is not a folder; expected the one with the pages' files", http->web);
}

static const struct conf_key http_keys[] = {
    {"address", CONF_STRING, offsetof(struct http_settings, address), .fallback = "127.0.0.1", .max = 64,
        .help = "address to listen on; loopback, unless access is \"token\""},
    {"port", CONF_INT, offsetof(struct http_settings, port), .fallback = "8080", .min = 1, .max = 65535,
        .help = "TCP port of pages and API"},
    {"access", CONF_CHOICE, offsetof(struct http_settings, access), .fallback = "loopback",
        .choices = accesses,
        .help =
            "who may read what an operator may: whoever gets to the loopback address, or who shows a token"},
    {"name", CONF_STRING, offsetof(struct http_settings, name), .min = 1, .max = 253,
        .help = "host name by which browsers reach it beside the address, through a proxy say"},
    {"https", CONF_BOOL, offsetof(struct http_settings, is_https), .fallback = "false",
        .help = "whether browsers reach it by https, through a proxy: cookies then go no other way"},
    {"web", CONF_PATH, offsetof(struct http_settings, web), .fallback = PARKMON_WEB,
        .help = "folder with the pages' files"},
    {0}};

static const struct conf_section http_section = {.name = "http",
    .size = sizeof(struct http_settings),
    .keys = http_keys,
    .has_where = true,
    .where_offset = offsetof(struct http_settings, where),
    .check = check_http};

static const struct conf_key collector_keys[] = {
    {"id", CONF_ID, offsetof(struct collector_settings, id), .fallback = "main",
        .help = "this collector's id; its client id at the broker is park-collector-<id>"},
    {"park", CONF_PATH, offsetof(struct collector_settings, park), .is_required = true,
        .help = "the park model's file"},
    {"factors", CONF_PATH, offsetof(struct collector_settings, factors),
        .help = "the file of conversion and emission factors; absent = no coal equivalent, no CO2"},
    {"tariffs", CONF_PATH, offsetof(struct collector_settings, tariffs),
        .help = "the file of tariffs; absent = no cost"},
    {"alarms", CONF_PATH, offsetof(struct collector_settings, alarms),
        .help = "the file of the rules of alarms, and of who is told; absent = no alarms"},
    {"clock", CONF_CHOICE, offsetof(struct collector_settings, clock), .fallback = "kernel",
        .choices = clocks,
        .help = "whether this machine's time is right: as the kernel says (NTP), or trusted"},
    {"log", CONF_CHOICE, offsetof(struct collector_settings, log_level), .fallback = "info",
        .choices = log_levels, .help = "least important lines to log"},
    {"broker", CONF_GROUP, offsetof(struct collector_settings, broker), .section = &broker_section,
        .help = "the MQTT broker"},
    {"database", CONF_GROUP, offsetof(struct collector_settings, database), .is_required = true,
        .section = &database_section, .help = "journal, marks and evidence"},
    {"store", CONF_GROUP, offsetof(struct collector_settings, store), .section = &store_section,
        .help = "the time-series store"},
    {"http", CONF_GROUP, offsetof(struct collector_settings, http), .section = &http_section,
        .help = "pages and API"},
    {0}};

const struct conf_section collector_section = {
    .name = "collector", .size = sizeof(struct collector_settings), .keys = collector_keys};

int64_t collector_settings_outbox_limit(const struct collector_settings *settings)
{
    int64_t quarter = (settings->database.limit_mib << 20) / 4,
            limit = settings->store.outbox_limit_mib << 20;
    return limit < quarter ? limit : quarter;
}

struct conf *collector_settings_load(const char *path, struct collector_settings *ret)
{
    return conf_load(path, &collector_section, ret);
}

void collector_settings_check_access(struct conf *c, const struct collector_settings *settings)
{
    conf_check_secret(c, &settings->broker.where, "password_file", settings->broker.password_file);
    conf_check_writable(c, &settings->database.where, "path", settings->database.path);
    conf_check_secret(c, &settings->store.where, "password_file", settings->store.password_file);
}
