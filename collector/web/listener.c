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

static bool parse(const char *text, int port, union address *ret, socklen_t *ret_len)
{
    memset(ret, 0, sizeof *ret);
    if (inet_pton(AF_INET, text, &ret->v4.sin_addr) == 1) {
        ret->v4.sin_family = AF_INET;
        ret->v4.sin_port = htons((uint16_t)port);
        *ret_len = sizeof ret->v4;
        return true;
    }
    if (inet_pton(AF_INET6, text, &ret->v6.sin6_addr) == 1) {
        ret->v6.sin6_family = AF_INET6;
        ret->v6.sin6_port = htons((uint16_t)port);
        *ret_len = sizeof ret->v6;
        return true;
    }
    return false;
}

static struct in6_addr mapped(const union address *at)
{
    struct in6_addr address = {.s6_addr = {[10] = 0xff, [11] = 0xff}};
    if (at->any.sa_family == AF_INET6)
        return at->v6.sin6_addr;
    memcpy(&address.s6_addr[12], &at->v4.sin_addr, 4);
    return address;
}

static bool is_loopback(const struct in6_addr *address)
{
    return IN6_IS_ADDR_V4MAPPED(address) ? address->s6_addr[12] == 127 : IN6_IS_ADDR_LOOPBACK(address);
}

bool listener_is_address(const char *address)
{
    union address at;
    socklen_t len;
    return parse(address, 0, &at, &len);
}

bool listener_is_loopback(const char *address)
{
    union address at;
    socklen_t len;
    if (!parse(address, 0, &at, &len))
        return false;
    struct in6_addr numbers = mapped(&at);
    return is_loopback(&numbers);
}

bool listener_is_wildcard(const char *address)
{
    union address at;
    socklen_t len;
    if (!parse(address, 0, &at, &len))
        return false;
    return at.any.sa_family == AF_INET ? at.v4.sin_addr.s_addr == htonl(INADDR_ANY)
                                       : IN6_IS_ADDR_UNSPECIFIED(&at.v6.sin6_addr);
}

bool listener_is_from_here(int fd, struct in6_addr *ret_peer)
{
    union address peer, own;
    socklen_t peer_len = sizeof peer, own_len = sizeof own;
    memset(ret_peer, 0, sizeof *ret_peer);
    if (getpeername(fd, &peer.any, &peer_len) != 0 || getsockname(fd, &own.any, &own_len) != 0)
        return false;
    *ret_peer = mapped(&peer);
    struct in6_addr here = mapped(&own);
    return is_loopback(ret_peer) || memcmp(ret_peer, &here, sizeof here) == 0;
}

bool listener_last_forwarded(const char *header, struct in6_addr *ret)
{
    const char *comma = strrchr(header, ','), *last = comma != NULL ? comma + 1 : header;
    union address at;
    socklen_t len;
    if (!parse(last + strspn(last, " \t"), 0, &at, &len))
        return false;
    *ret = mapped(&at);
    return true;
}

enum status listener_open(
    const char *address, int port, bool is_loopback_only, int *ret_fd, int *ret_port, struct error *err)
{
    union address at;
    socklen_t len;
    if (port < 0 || port > 65535 || !parse(address, port, &at, &len))
        return error_set(
            err, ST_UNREACHABLE, "%s port %d: not an address; expected one such as 127.0.0.1", address, port);
    struct in6_addr numbers = mapped(&at);
    if (is_loopback_only && !is_loopback(&numbers))
        return error_set(err, ST_UNREACHABLE,
            "%s port %d: not a loopback address; expected 127.0.0.1 or ::1, or access = \"token\"", address,
            port);
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
