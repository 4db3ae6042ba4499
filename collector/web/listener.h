/* The listening socket: a loopback address only, until there are roles. */
#pragma once

#include "lib/status.h"

#include <stdbool.h>

/* An address of 127.0.0.0/8, or ::1. */
bool listener_is_loopback(const char *address);

/* `address`: a loopback address; port 0 = a free one. ST_UNREACHABLE names address
 * and port. */
enum status listener_open(const char *address, int port, int *ret_fd, int *ret_port, struct error *err);
