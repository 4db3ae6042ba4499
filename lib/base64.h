/* Base64 (RFC 4648, 4): the alphabet with + and /, with padding, without line ends. Pure. */
#pragma once

#include "lib/buf.h"
#include "lib/line.h"

void base64_add(struct buf *out, struct span bytes);
