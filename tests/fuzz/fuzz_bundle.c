/* The texts of an evidence bundle that a stranger gave: its CSV and its manifest. */
#include "collector/bundle/csv.h"
#include "collector/bundle/manifest.h"
#include "lib/mem.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

#define HEADING "a,b,c"

static void check_row(const struct csv *csv)
{
    struct buf out = {0};
    struct csv again;
    struct error err = {""};
    bool has_row = false;
    csv_begin(&out, HEADING);
    buf_add_str(&out, "x,");
    for (size_t i = 1; i < csv->columns; i++) {
        struct span text = csv_read_text(csv, i);
        LAW(text.at[text.len] == '\0', "a field without its end");
        if (i == 1)
            out.len--; /* csv_text writes the comma */
        csv_text(&out, text);
    }
    csv_end(&out);
    LAW(csv_open(&again, "x", (struct span){out.data, out.len}, HEADING, &err) == ST_OK &&
            csv_next(&again, &has_row, &err) == ST_OK && has_row,
        "what was written is no row: %s", err.text);
    for (size_t i = 1; i < csv->columns; i++) {
        struct span was = csv_read_text(csv, i), is = csv_read_text(&again, i);
        LAW(was.len == is.len && memcmp(was.at, is.at, was.len) == 0, "a field is read back as another");
    }
    csv_close(&again);
    buf_release(&out);
}

static void give_csv(struct span text)
{
    struct csv csv;
    struct error err = {""};
    bool has_row = true;
    enum status status = csv_open(&csv, "x", text, HEADING, &err);
    while (status == ST_OK && (status = csv_next(&csv, &has_row, &err)) == ST_OK && has_row)
        check_row(&csv);
    LAW(status == ST_OK || (status == ST_INVALID && err.text[0] != '\0'), "refused without a reason");
    csv_close(&csv);
}

static void give_manifest(struct span text)
{
    struct manifest m, again;
    struct error err = {""};
    struct buf first = {0}, second = {0};
    if (manifest_read(&m, text, &err) != ST_OK) {
        LAW(err.text[0] != '\0' && m.count == 0, "refused without a reason, or with an effect");
        return;
    }
    manifest_write(&m, &first);
    LAW(manifest_read(&again, (struct span){first.data, first.len}, &err) == ST_OK,
        "what was written is refused: %s", err.text);
    manifest_write(&again, &second);
    LAW(first.len == second.len && memcmp(first.data, second.data, first.len) == 0,
        "it is written as another");
    manifest_release(&m);
    manifest_release(&again);
    buf_release(&first);
    buf_release(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *exact = mem_alloc(size + 1); /* so that the sanitizer sees each byte that is read beyond it */
    memcpy(exact, data, size);
    char *cut = mem_realloc(exact, size > 0 ? size : 1);
    struct span text = {cut, size};
    give_csv(text);
    give_manifest(text);
    struct buf rows = {0};
    csv_begin(&rows, HEADING);
    buf_add(&rows, text.at, text.len);
    give_csv((struct span){rows.data, rows.len});
    buf_release(&rows);
    free(cut);
    return 0;
}
