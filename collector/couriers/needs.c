#include "collector/couriers/needs.h"

#include "collector/couriers/attempt.h"
#include "lib/certificate.h"
#include "lib/file.h"
#include "lib/log.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static enum status check_secret_file(const struct alarm_receiver *r, struct error *err)
{
    struct error why;
    char *key = NULL;
    if (r->secret_file == NULL)
        return ST_OK;
    if (file_read_secret(r->secret_file, &key, &why) != ST_OK)
        return error_set(err, ST_INVALID,
            "%s; expected a file with the key in its first line, which only its owner and group may read",
            why.text);
    free(key);
    return ST_OK;
}

static enum status check_url_file(const struct alarm_receiver *r, struct error *err)
{
    struct error why;
    char *url = NULL;
    if (r->url_file == NULL || r->url != NULL)
        return ST_OK;
    if (file_read_secret(r->url_file, &url, &why) != ST_OK)
        return error_set(err, ST_INVALID,
            "%s; expected a file with the URL in its first line, which only its owner and group may read",
            why.text);
    enum status status = attempt_check_url(url, r->url_file, r->ca_file, err);
    free(url);
    return status;
}

static enum status check_sendmail(const struct alarm_receiver *r, struct error *err)
{
    struct stat found;
    if (r->kind != ALARM_BY_MAIL ||
        (access(r->sendmail, X_OK) == 0 && stat(r->sendmail, &found) == 0 && S_ISREG(found.st_mode)))
        return ST_OK;
    return error_set(err, ST_INVALID,
        "%s cannot be run; expected a program that takes mail, of a package such as msmtp-mta", r->sendmail);
}

static enum status check_ca_file(const struct alarm_receiver *r, struct error *err)
{
    return r->ca_file != NULL ? certificate_check_file(r->ca_file, err) : ST_OK;
}

static const struct {
    const char *key;
    enum status (*check)(const struct alarm_receiver *r, struct error *err);
} checks[] = {{"secret_file", check_secret_file}, {"url_file", check_url_file}, {"ca_file", check_ca_file},
    {"sendmail", check_sendmail}};

void needs_check_of(struct alarm_rules *rules, const struct alarm_receiver *r)
{
    struct error err;
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++)
        if (checks[i].check(r, &err) != ST_OK)
            conf_problem(rules->conf, &r->where, checks[i].key, "%s", err.text);
}

void needs_check(struct alarm_rules *rules)
{
    CONF_EACH (const struct alarm_receiver, r, rules->receivers)
        needs_check_of(rules, r);
}

void needs_log(const struct alarm_rules *rules)
{
    struct error err;
    CONF_EACH (const struct alarm_receiver, r, rules->receivers)
        for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++)
            if (checks[i].check(r, &err) != ST_OK)
                log_error("alarms", "receiver %s is told nothing until this is mended: %s: %s", r->id,
                    checks[i].key, err.text);
}
