/*
 * Bytes of a client, as they are, to the running listener on loopback. The client says all it has to say and
 * ends its half of the connection; what comes back must be HTTP, and none of it a failure of ours.
 */
#include "collector/web/web.h"
#include "lib/hash.h"
#include "tests/fuzz/web.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

/* An event stream never ends by itself. */
#define SILENCE_MS 100
#define ANSWER_MAX 65536

static struct web_fixture fixture;
static struct web *web;

static void close_all(void)
{
    web_stop(web);
    web_fixture_close(&fixture);
}

static void open_once(void)
{
    if (web != NULL)
        return;
    struct error err = {""};
    web_fixture_open(&fixture);
    LAW(web_start(&fixture.options, &web, &err) == ST_OK, "%s", err.text);
    hash_of(SPAN("")); /* libcrypto tidies up at exit: after close_all, as it begins before */
    atexit(close_all);
}

/* From another loopback address each time: ports that wait for late packets would run out. */
static int connect_client(void)
{
    static uint32_t host;
    host = (host + 1) % 0xffff00;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000002 + host)};
    struct sockaddr_in to = {.sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
        .sin_port = htons((uint16_t)web_port(web))};
    LAW(fd >= 0 && bind(fd, (struct sockaddr *)&from, sizeof from) == 0 &&
            connect(fd, (struct sockaddr *)&to, sizeof to) == 0,
        "no connection: %s", strerror(errno));
    return fd;
}

static void give(int fd, const uint8_t *data, size_t size)
{
    while (size > 0) {
        ssize_t n = send(fd, data, size, MSG_NOSIGNAL);
        if (n <= 0)
            break; /* it has heard enough */
        data += n;
        size -= (size_t)n;
    }
    shutdown(fd, SHUT_WR);
}

static size_t take(int fd, char answer[static ANSWER_MAX])
{
    size_t len = 0;
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    while (len < ANSWER_MAX - 1 && poll(&wait, 1, SILENCE_MS) > 0) {
        ssize_t n = recv(fd, answer + len, ANSWER_MAX - 1 - len, 0);
        if (n <= 0)
            break;
        len += (size_t)n;
    }
    answer[len] = '\0';
    return len;
}

static void check_answer(const char *answer)
{
    /* Ours, and those of the HTTP library for what never gets to us. */
    static const int codes[] = {
        200, 302, 303, 304, 400, 401, 403, 404, 405, 408, 411, 413, 414, 415, 421, 429, 431, 501, 503, 505};
    int code = 0;
    char after = 0;
    LAW(sscanf(answer, "HTTP/1.%*1[01] %3d%c", &code, &after) == 2 && after == ' ', "no HTTP: %.40s", answer);
    size_t i = 0;
    while (i < sizeof codes / sizeof codes[0] && codes[i] != code)
        i++;
    LAW(i < sizeof codes / sizeof codes[0], "answered %d", code);
    LAW(code != 200 || strstr(answer, "\r\nX-Content-Type-Options: nosniff\r\n") != NULL,
        "an answer without the headers that guard a browser");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char answer[ANSWER_MAX];
    open_once();
    int fd = connect_client();
    give(fd, data, size);
    if (take(fd, answer) > 0)
        check_answer(answer);
    /* A reset: a stream that still runs ends too. */
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0}, sizeof(struct linger));
    close(fd);
    return 0;
}
