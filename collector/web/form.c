#include "collector/web/form.h"

#include "lib/mem.h"
#include "lib/text.h"

#include <stdlib.h>
#include <string.h>

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* In place. */
static bool decode(char *text)
{
    char *to = text;
    for (const char *at = text; *at != '\0'; at++) {
        if (*at != '%') {
            *to++ = *at == '+' ? ' ' : *at;
            continue;
        }
        int high = hex_digit(at[1]), low = high < 0 ? -1 : hex_digit(at[2]);
        if (low < 0)
            return false;
        *to++ = (char)(high * 16 + low);
        at += 2;
        if (to[-1] == '\0')
            return false;
    }
    *to = '\0';
    struct span decoded = {text, (size_t)(to - text)};
    return text_is_utf8(decoded) && !text_has_control(decoded);
}

static bool add_field(struct web_form *form, char *field)
{
    char *value = strchr(field, '=');
    if (value != NULL)
        *value++ = '\0';
    else
        value = field + strlen(field);
    if (form->count == FORM_FIELDS_MAX || !decode(field))
        return false;
    if (!decode(value) || form_value(form, field) != NULL) {
        form->odd_field = field;
        return false;
    }
    form->fields[form->count++] = (struct web_param){field, value};
    return true;
}

bool form_parse(struct web_form *form, const char *body, size_t len)
{
    *form = (struct web_form){.text = mem_strndup(body, len)};
    if (strlen(form->text) != len)
        return false;
    char *rest = form->text, *field;
    while ((field = strsep(&rest, "&")) != NULL)
        if (field[0] != '\0' && !add_field(form, field))
            return false;
    return true;
}

void form_release(struct web_form *form)
{
    free(form->text);
    *form = (struct web_form){0};
}

const char *form_value(const struct web_form *form, const char *name)
{
    for (size_t i = 0; i < form->count; i++)
        if (strcmp(form->fields[i].name, name) == 0)
            return form->fields[i].value;
    return NULL;
}

void form_add_encoded(struct buf *out, const char *text)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789*-._";
    for (; *text != '\0'; text++) {
        if (strchr(plain, *text) != NULL)
            buf_add_char(out, *text);
        else
            buf_printf(out, "%%%02X", (unsigned char)*text);
    }
}

bool cookie_find(const char *header, const char *name, char *ret, size_t size)
{
    size_t name_len = strlen(name);
    for (const char *at = header; *at != '\0';) {
        at += strspn(at, " ;\t");
        size_t len = strcspn(at, ";");
        if (len > name_len && strncmp(at, name, name_len) == 0 && at[name_len] == '=') {
            const char *value = at + name_len + 1;
            size_t value_len = len - name_len - 1;
            while (value_len > 0 && strchr(" \t", value[value_len - 1]))
                value_len--;
            if (value_len >= size)
                return false;
            memcpy(ret, value, value_len);
            ret[value_len] = '\0';
            return true;
        }
        at += len;
    }
    return false;
}
