/* Line protocol: the reader, and what the writer makes of what was read. */
#include "lib/line.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

/* A line that was read, with plain texts: what the writer takes. */
struct plain {
    struct span measurement;
    struct line_tag tags[LINE_TAGS_MAX];
    struct line_field fields[LINE_FIELDS_MAX];
    char *texts[1 + 2 * LINE_TAGS_MAX + 2 * LINE_FIELDS_MAX];
    size_t text_count;
};

static bool is_equal(struct span a, struct span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

static struct span unescape(
    struct plain *p, struct span escaped, void (*unescape_into)(struct buf *out, struct span escaped))
{
    struct buf text = {0};
    unescape_into(&text, escaped);
    LAW(text.len <= escaped.len, "a text grows when it is unescaped");
    size_t len = text.len;
    char *kept = p->texts[p->text_count++] = buf_take(&text);
    return (struct span){kept, len};
}

static void plain_init(struct plain *p, const struct line *line)
{
    p->text_count = 0;
    p->measurement = unescape(p, line->measurement, line_unescape_measurement);
    for (size_t i = 0; i < line->tag_count; i++) {
        p->tags[i].key = unescape(p, line->tags[i].key, line_unescape);
        p->tags[i].value = unescape(p, line->tags[i].value, line_unescape);
    }
    for (size_t i = 0; i < line->field_count; i++) {
        p->fields[i] = line->fields[i];
        p->fields[i].key = unescape(p, line->fields[i].key, line_unescape);
        if (line->fields[i].value.type == LINE_STRING)
            p->fields[i].value.s = unescape(p, line->fields[i].value.s, line_unescape_string);
    }
}

static void plain_release(struct plain *p)
{
    for (size_t i = 0; i < p->text_count; i++)
        free(p->texts[i]);
}

static bool name_is_strict(struct span name)
{
    return name.len > 0 && name.at[name.len - 1] != '\\';
}

static bool string_is_strict(struct span s)
{
    for (size_t i = 0; i < s.len; i++)
        if (((unsigned char)s.at[i] < ' ' && s.at[i] != '\t') || s.at[i] == 0x7f)
            return false;
    return true;
}

/* The reader takes some lines that the writer must refuse, by its contract; all others it must take. */
static bool is_strict(const struct plain *p, const struct line *line)
{
    if (!name_is_strict(p->measurement) || p->measurement.at[0] == '#')
        return false;
    for (size_t i = 0; i < line->tag_count; i++)
        if (!name_is_strict(p->tags[i].key) || !name_is_strict(p->tags[i].value) ||
            span_is(p->tags[i].key, "time"))
            return false;
    for (size_t i = 0; i < line->field_count; i++) {
        const struct line_field *field = &p->fields[i];
        if (!name_is_strict(field->key) || span_is(field->key, "time") || field->value.type == LINE_UINT ||
            (field->value.type == LINE_STRING && !string_is_strict(field->value.s)))
            return false;
        for (size_t j = 0; j < i; j++)
            if (is_equal(p->fields[j].key, field->key))
                return false;
    }
    return true;
}

static bool value_is_equal(const struct line_value *a, const struct line_value *b)
{
    if (a->type != b->type)
        return false;
    switch (a->type) {
    case LINE_FLOAT:
        return memcmp(&a->f, &b->f, sizeof a->f) == 0;
    case LINE_INT:
        return a->i == b->i;
    case LINE_UINT:
        return a->u == b->u;
    case LINE_BOOL:
        return a->b == b->b;
    case LINE_STRING:
        return is_equal(a->s, b->s);
    }
    return false;
}

static bool has_tag(const struct plain *p, size_t count, const struct line_tag *tag)
{
    for (size_t i = 0; i < count; i++)
        if (is_equal(p->tags[i].key, tag->key) && is_equal(p->tags[i].value, tag->value))
            return true;
    return false;
}

static void check_equal(
    const struct plain *a, const struct line *line, const struct plain *b, const struct line *again)
{
    LAW(is_equal(a->measurement, b->measurement), "another measurement is read back");
    LAW(again->has_time && again->time == line->time, "another time is read back");
    LAW(again->tag_count == line->tag_count && again->field_count == line->field_count,
        "another number of tags or fields is read back");
    for (size_t i = 0; i < line->tag_count; i++) {
        LAW(has_tag(a, line->tag_count, &b->tags[i]), "another tag is read back");
        LAW(i == 0 || memcmp(b->tags[i - 1].key.at, b->tags[i].key.at,
                          b->tags[i - 1].key.len < b->tags[i].key.len ? b->tags[i - 1].key.len
                                                                      : b->tags[i].key.len) <= 0,
            "tags are not sorted");
    }
    for (size_t i = 0; i < line->field_count; i++)
        LAW(is_equal(a->fields[i].key, b->fields[i].key) &&
                value_is_equal(&a->fields[i].value, &b->fields[i].value),
            "another field is read back");
}

static void check_written(struct buf *text, const struct plain *plain, const struct line *line)
{
    struct span rest = {text->data, text->len}, one;
    LAW(text->data[text->len - 1] == '\n' && memchr(text->data, '\n', text->len - 1) == NULL,
        "a written line is not one line");
    LAW(line_next(&rest, &one) && rest.len == 0 && one.len == text->len - 1, "a written line is cut up");
    LAW(text_is_utf8(one), "a written line is not UTF-8");
    struct line again;
    struct plain plain_again;
    struct error err = {""};
    LAW(line_read(one, &again, &err) == ST_OK, "a written line is not read back: %s", err.text);
    plain_init(&plain_again, &again);
    check_equal(plain, line, &plain_again, &again);
    struct buf second = {0};
    LAW(line_write(&second, plain_again.measurement, plain_again.tags, again.tag_count, plain_again.fields,
            again.field_count, again.time, &err) == ST_OK,
        "a written line cannot be written again: %s", err.text);
    LAW(second.len == text->len && memcmp(second.data, text->data, text->len) == 0,
        "a written line is written otherwise the second time");
    buf_release(&second);
    plain_release(&plain_again);
}

static void check_line(struct span text)
{
    struct line line;
    struct plain plain;
    struct error err = {""};
    if (line_read(text, &line, &err) != ST_OK) {
        LAW(err.text[0] != '\0', "refused without a reason");
        return;
    }
    LAW(text_is_utf8(text), "a line that is not UTF-8 is taken");
    LAW(line.field_count > 0, "a line without a field is taken");
    plain_init(&plain, &line);
    struct buf written = {0};
    bool is_written = line_write(&written, plain.measurement, plain.tags, line.tag_count, plain.fields,
                          line.field_count, line.time, &err) == ST_OK;
    LAW(is_written == is_strict(&plain, &line), "the writer %s: %s", is_written ? "takes it" : "refuses it",
        is_written ? "" : err.text);
    if (is_written)
        check_written(&written, &plain, &line);
    else
        LAW(written.len == 0, "refused, but something was written");
    buf_release(&written);
    plain_release(&plain);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span rest = {(const char *)data, size}, text;
    const char *end = rest.at + rest.len, *at = rest.at;
    while (line_next(&rest, &text)) {
        LAW(text.at == at && rest.at > at, "a byte is in no line, or a line takes nothing");
        LAW(rest.at == end || rest.at[-1] == '\n', "a line ends at no line feed");
        at = rest.at;
        check_line(text);
    }
    LAW(at == end, "the lines are not the text");
    return 0;
}
