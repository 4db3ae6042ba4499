#include "collector/alarm/receiver.h"

#include "collector/alarm/rule.h"
#include "lib/number.h"
#include "lib/text.h"

#include <string.h>

const char *const alarm_receiver_kinds[] = {"webhook", "dingtalk", "wecom", "mail", NULL};
static const char *const languages[] = {"zh", "en", NULL};

/* Of "host", "host:8080", "[::1]:8080". */
static bool has_good_port(struct span host)
{
    size_t at = host.len;
    int64_t port;
    while (at > 0 && host.at[at - 1] >= '0' && host.at[at - 1] <= '9')
        at--;
    if (at == 0 || host.at[at - 1] != ':')
        return memchr(host.at, ':', host.len) == NULL || host.at[host.len - 1] == ']';
    return at > 1 && number_parse_int64(host.at + at, host.len - at, &port) && port >= 1 && port <= 65535;
}

size_t alarm_url_host_end(const char *url)
{
    size_t scheme = strncmp(url, "https://", 8) == 0 ? 8 : strncmp(url, "http://", 7) == 0 ? 7 : 0;
    size_t end = scheme + strcspn(url + scheme, "/?#");
    bool is_good = scheme > 0 && end > scheme && memchr(url, '@', end) == NULL && strchr(url, '#') == NULL &&
                   strpbrk(url, " <>\"") == NULL && !text_has_control(span_of(url)) &&
                   has_good_port((struct span){url + scheme, end - scheme});
    return is_good ? end : 0;
}

static void begin_receiver(void *object, const void *parent)
{
    (void)parent;
    ((struct alarm_receiver *)object)->kind = -1;
}

/* What a header line may hold: no way to begin another. */
static bool is_address(const char *text)
{
    return strchr(text, '@') != NULL && text[0] != '-' && strpbrk(text, " \t\r\n,;<>\"") == NULL;
}

static void refuse_key(struct conf *c, const struct alarm_receiver *r, const char *key, bool is_written)
{
    if (is_written)
        conf_problem(
            c, &r->where, key, "is not for %s; expected to be absent", alarm_receiver_kinds[r->kind]);
}

static void check_mail(struct conf *c, const struct alarm_receiver *r)
{
    refuse_key(c, r, "url", r->url != NULL);
    refuse_key(c, r, "url_file", r->url_file != NULL);
    refuse_key(c, r, "ca_file", r->ca_file != NULL);
    if (r->to.count == 0)
        conf_problem(c, &r->where, "to", "is missing; expected addresses, such as (\"ops@park.example\")");
    for (size_t i = 0; i < r->to.count; i++) {
        const char *to = ((char *const *)r->to.items)[i];
        if (!is_address(to))
            conf_problem(
                c, &r->where, "to", "\"%s\" is no address; expected one such as ops@park.example", to);
    }
    if (r->from != NULL && !is_address(r->from))
        conf_problem(
            c, &r->where, "from", "\"%s\" is no address; expected one such as parkmon@park.example", r->from);
}

static void check_web(struct conf *c, const struct alarm_receiver *r)
{
    refuse_key(c, r, "to", r->to.count > 0);
    refuse_key(c, r, "from", r->from != NULL);
    if ((r->url == NULL) == (r->url_file == NULL))
        conf_problem(c, &r->where, r->url == NULL ? "url_file" : "url",
            r->url == NULL
                ? "is missing; expected `url`, or `url_file`, a file with it, where it holds a secret"
                : "stands beside `url_file`; expected one of both");
    if (r->url != NULL && alarm_url_host_end(r->url) == 0)
        conf_problem(c, &r->where, "url",
            "is not a URL; expected one such as https://host/path or http://host:8080/path, with a port from "
            "1 to 65535, without user, password and #");
    if (r->ca_file != NULL && r->url != NULL && strncmp(r->url, "http:", 5) == 0)
        conf_problem(c, &r->where, "ca_file", "is for https; expected it to be absent, or a URL with https");
    if (r->url != NULL && (r->kind == ALARM_BY_DINGTALK || r->kind == ALARM_BY_WECOM))
        conf_problem(c, &r->where, "url", "holds the robot's secret; expected `url_file`, a file with it");
}

static void check_receiver(struct conf *c, void *object, const void *parent)
{
    (void)parent;
    const struct alarm_receiver *r = object;
    if (r->kind < 0)
        return;
    if (r->kind != ALARM_BY_DINGTALK)
        refuse_key(c, r, "secret_file", r->secret_file != NULL);
    if (r->kind == ALARM_BY_MAIL)
        check_mail(c, r);
    else
        check_web(c, r);
    if (r->sendmail[0] != '/')
        conf_problem(c, &r->where, "sendmail",
            "\"%s\" is no whole path; expected one such as "
            "/usr/sbin/sendmail",
            r->sendmail);
}

#define AT(member) offsetof(struct alarm_receiver, member)
static const struct conf_key receiver_keys[] = {
    {"id", CONF_ID, AT(id), .is_required = true,
        .help = "id of the receiver; another one is told anew of what stands"},
    {"kind", CONF_CHOICE, AT(kind), .is_required = true, .choices = alarm_receiver_kinds,
        .help = "JSON to a URL, a robot of DingTalk or of WeCom, or mail by this machine's sendmail"},
    {"severity", CONF_CHOICE, AT(severity), .fallback = "info", .choices = alarm_severities,
        .help = "the least severity that it is told of"},
    {"language", CONF_CHOICE, AT(language), .fallback = "zh", .choices = languages, .help = "of the texts"},
    {"url", CONF_STRING, AT(url), .min = 8, .max = 2000, .help = "where to, http or https"},
    {"url_file", CONF_PATH, AT(url_file),
        .help =
            "file with the URL in its first line, not readable by others: robots have their secret in it"},
    {"secret_file", CONF_PATH, AT(secret_file),
        .help =
            "file with the key by which messages to a robot of DingTalk are signed; absent = they are not"},
    {"ca_file", CONF_PATH, AT(ca_file),
        .help = "file with certificates of authorities, PEM: what these sign, and nothing else, is trusted; "
                "absent = what this machine trusts"},
    {"timeout", CONF_SECONDS, AT(timeout_ms), .fallback = "10", .min = 1000, .max = 60000,
        .help = "after which an attempt has failed"},
    {"to", CONF_STRINGS, AT(to), .min = 1, .max = 50, .help = "addresses that a mail goes to"},
    {"from", CONF_STRING, AT(from), .min = 3, .max = 200,
        .help = "address that it is from; absent = this machine's"},
    {"sendmail", CONF_STRING, AT(sendmail), .fallback = "/usr/sbin/sendmail", .min = 1, .max = 1000,
        .help = "the program that takes it, with -t"},
    {0}};

const struct conf_section alarm_receiver_section = {.name = "receiver",
    .size = sizeof(struct alarm_receiver),
    .keys = receiver_keys,
    .has_where = true,
    .where_offset = offsetof(struct alarm_receiver, where),
    .begin = begin_receiver,
    .check = check_receiver};
