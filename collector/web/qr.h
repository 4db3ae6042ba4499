/* QR codes (ISO/IEC 18004) as SVG that stands within a page. Pure. */
#pragma once

#include "lib/buf.h"

#include <stdbool.h>

/* Of the text's bytes, with error correction M (of a code that is 15 % dirty or torn off all is still read) and the quiet
 * zone of four modules that readers need. Black on white, whatever the colours of the page. `label` is what it is, in
 * words. False: the text is empty or too long (2331 bytes), and nothing is added. */
bool qr_add_svg(struct buf *out, const char *text, const char *label);
