#include "collector/web/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static bool parse_loopback(const char *text, int port, union address *ret, socklen_t *ret_len)
{
    memset(ret, 0, sizeof *ret);
    if (inet_pton(AF_INET, text, &ret->v4.sin_addr) == 1) {
        ret->v4.sin_family = AF_INET;
        ret->v4.sin_port = htons((uint16_t)port);
        *ret_len = sizeof ret->v4;
        return ntohl(ret->v4.sin_addr.s_addr) >> 24 == 127;
    }
    if (inet_pton(AF_INET6, text, &ret->v6.sin6_addr) == 1) {
        ret->v6.sin6_family = AF_INET6;
        ret->v6.sin6_port = htons((uint16_t)port);
        *ret_len = sizeof ret->v6;
        return IN6_IS_ADDR_LOOPBACK(&ret->v6.sin6_addr);
    }
    return false;
}

bool listener_is_loopback(const char *address)
{
    union address at;
    socklen_t len;
    return parse_loopback(address, 0, &at, &len);
}

enum status listener_open(const char *address, int port, int *ret_fd, int *ret_port, struct error *err)
{
    union address at;
    socklen_t len;
    if (port < 0 || port > 65535 || !parse_loopback(address, port, &at, &len))
        return error_set(err, ST_UNREACHABLE,
            "%s port %d: not a loopback address; expected 127.0.0.1 or ::1, as there are no roles yet",
            address, port);
    int fd = socket(at.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return error_set(err, ST_UNREACHABLE, "%s port %d: %s", address, port, strerror(errno));
    int yes = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes); /* an earlier run's connections may linger */
    if (bind(fd, &at.any, len) != 0 || listen(fd, SOMAXCONN) != 0 || getsockname(fd, &at.any, &len) != 0) {
        int reason = errno;
        close(fd);
        return error_set(err, ST_UNREACHABLE, "%s port %d: %s", address, port, strerror(reason));
    }
    *ret_fd = fd;
    *ret_port = ntohs(at.any.sa_family == AF_INET ? at.v4.sin_port : at.v6.sin6_port);
    return ST_OK;
}
