/* The listening socket: a loopback address only, where reading needs no token. */
#pragma once

#include "lib/status.h"

#include <netinet/in.h>
#include <stdbool.h>

/* An IPv4 or IPv6 address, as numbers? */
bool listener_is_address(const char *address);
/* An address of 127.0.0.0/8, or ::1. */
bool listener_is_loopback(const char *address);
/* 0.0.0.0 or ::. */
bool listener_is_wildcard(const char *address);
/* Does this connection come from this machine: by loopback, or between one address and itself? *ret_peer is whence, of
 * IPv4 the mapped one. */
bool listener_is_from_here(int fd, struct in6_addr *ret_peer);

/* The last address of an X-Forwarded-For header, which is the one that the nearest proxy saw. False: it ends with none. */
bool listener_last_forwarded(const char *header, struct in6_addr *ret);

/* Port 0 = a free one. ST_UNREACHABLE names address and port. */
enum status listener_open(
    const char *address, int port, bool is_loopback_only, int *ret_fd, int *ret_port, struct error *err);
