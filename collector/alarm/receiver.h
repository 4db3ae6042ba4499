/* Who is told of alarms (config/alarms.cfg), as a table and as structs. Immutable once loaded, with the rules. */
#pragma once

#include "lib/conf.h"

enum alarm_receiver_kind { ALARM_BY_WEBHOOK, ALARM_BY_DINGTALK, ALARM_BY_WECOM, ALARM_BY_MAIL };
extern const char *const alarm_receiver_kinds[];
enum alarm_language { ALARM_ZH, ALARM_EN };
#define ALARM_LANGUAGES 2

struct alarm_receiver {
    struct conf_where where;
    char *id;
    int kind, severity, language; /* severity: the least that it is told of */
    char *url, *url_file;         /* one of both, but for mail */
    char *secret_file;            /* DingTalk's key to sign with; NULL = none */
    char *ca_file;                /* NULL = what this machine trusts */
    int64_t timeout_ms;
    struct conf_list to; /* char *: of a mail */
    char *from;          /* the same; NULL = as sendmail says */
    char *sendmail;
};

extern const struct conf_section alarm_receiver_section;

/* Where the host of a URL ends; 0: it is none that a receiver may have, http or https, without user, password and "#". */
size_t alarm_url_host_end(const char *url);
