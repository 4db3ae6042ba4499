/* Gives a mail to this machine's sendmail(8): an argument vector, no shell. */
#pragma once

#include "lib/line.h"
#include "lib/status.h"

#include <stdatomic.h>

/* Writes the whole mail to `<program> -t -i`, and waits for its end, for at most so long; what has not ended by then is
 * killed. The child has no file open but the three, and no environment but PATH. Another thread ends it by writing to the pipe
 * whose other end is cancel_fd. ST_UNREACHABLE: it cannot be started; ST_PROTOCOL: it refused; ST_TIMEOUT: nobody knows what became of
 * the mail, since it did not end in its time, was cancelled, was ended by a signal, or said 75, which is later: some keep the mail
 * until then. Blocks. */
enum status mail_send(
    const char *program, struct span mail, int timeout_ms, int cancel_fd, struct error *err);
