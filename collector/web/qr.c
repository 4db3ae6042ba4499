#include "collector/web/qr.h"

#include <qrencode.h>

#define QUIET 4 /* modules */

/* Each row's dark modules, run by run, as rectangles of one path. */
static void add_path(struct buf *out, const QRcode *code)
{
    for (int y = 0; y < code->width; y++) {
        const unsigned char *row = code->data + (size_t)y * (size_t)code->width;
        for (int x = 0, length; x < code->width; x += length) {
            for (length = 1; x + length < code->width && (row[x + length] & 1) == (row[x] & 1);)
                length++;
            if (row[x] & 1)
                buf_printf(out, "M%d %dh%dv1h-%dz", x + QUIET, y + QUIET, length, length);
        }
    }
}

bool qr_add_svg(struct buf *out, const char *text, const char *label)
{
    QRcode *code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_M);
    if (code == NULL)
        return false;
    int size = code->width + 2 * QUIET;
    buf_printf(out,
        "<svg class=\"qr\" xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" role=\"img\"", size,
        size);
    buf_add_str(out, " shape-rendering=\"crispEdges\" aria-label=\"");
    buf_add_html(out, label);
    buf_printf(
        out, "\"><path fill=\"#fff\" d=\"M0 0h%dv%dh-%dz\"/><path fill=\"#000\" d=\"", size, size, size);
    add_path(out, code);
    buf_add_str(out, "\"/></svg>");
    QRcode_free(code);
    return true;
}
