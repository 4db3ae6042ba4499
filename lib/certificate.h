/* Files of certificates (PEM), as settings name them for whom to trust. */
#pragma once

#include "lib/status.h"

/* Has it one or more, and each can be read? ST_INVALID, with the path, where not. Whether they are still valid is for who asks a
 * server. */
enum status certificate_check_file(const char *path, struct error *err);
