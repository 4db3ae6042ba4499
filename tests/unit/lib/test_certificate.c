/* What settings name for whom to trust: files with certificates, and files that are none. */
#include "lib/certificate.h"

#include "tests/unit/settings_file.h"

/* openssl req -x509 -newkey ed25519 -nodes -subj /CN=park -days 36500 */
#define BEGIN "-----BEGIN CERTIFICATE-----\n"
#define END "-----END CERTIFICATE-----\n"
#define BODY                                                             \
    "MIIBNDCB56ADAgECAhRE65gcl8JGTrkxJZjTiR/Z2kwahzAFBgMrZXAwDzENMAsG\n" \
    "A1UEAwwEcGFyazAgFw0yNjExMjkxNzA0MTJaGA8yMTI2MTEwNTE3MDQxMlowDzEN\n" \
    "MAsGA1UEAwwEcGFyazAqMAUGAytlcAMhAC2ClifyixlQtCMJIWAPF5BFUKyZ0xwm\n" \
    "DYiXINtiO9qko1MwUTAdBgNVHQ4EFgQUJwhStekNQX6OkGsfnX1WdsJHCg4wHwYD\n" \
    "VR0jBBgwFoAUJwhStekNQX6OkGsfnX1WdsJHCg4wDwYDVR0TAQH/BAUwAwEB/zAF\n" \
    "BgMrZXADQQAPG9BxjEDqqKbS4XTca5Uf/fKThnpg3LR9XrBoY70tEiP/5P66zKiA\n" \
    "uYpBBuriOf1Z+nQOwhyBC0kcSYNPggsG\n"
#define GOOD BEGIN BODY END

static void expect(const char *text, const char *problem)
{
    char *path = settings_write("ca.pem", text);
    struct error err = {""};
    enum status status = certificate_check_file(path, &err);
    assert_int_equal(status, problem == NULL ? ST_OK : ST_INVALID);
    if (problem != NULL && (strncmp(err.text, path, strlen(path)) != 0 || strstr(err.text, problem) == NULL))
        fail_msg("%s, not %s", err.text, problem);
    free(path);
}

static void test_a_file_has_certificates_that_can_be_read(void **state)
{
    (void)state;
    expect(GOOD, NULL);
    expect("subject=CN = park\n" GOOD "\n# another\n" GOOD, NULL);
    expect("", "has no certificate");
    expect("a text\n", "has no certificate");
    expect("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "has no certificate");
    expect(BEGIN BODY, "certificate 1 of it cannot be read");
    expect(BEGIN "AAAA\n" END, "certificate 1 of it cannot be read");
    expect(GOOD BEGIN "MIIB\n" END, "certificate 2 of it cannot be read");
    struct error err = {""};
    assert_int_equal(certificate_check_file("/nowhere/ca.pem", &err), ST_INVALID);
    assert_non_null(strstr(err.text, "/nowhere/ca.pem"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_a_file_has_certificates_that_can_be_read)};
    return cmocka_run_group_tests(tests, settings_make_folder, NULL);
}
