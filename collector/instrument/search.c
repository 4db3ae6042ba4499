#include "collector/instrument/search.h"

#include "lib/buf.h"
#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>

#define WORDS_MAX (sizeof((struct search_wish *)NULL)->words / sizeof(char *))

/* The fullwidth forms of ASCII, U+FF01 to U+FF5E, as UTF-8: EF BC 81 to EF BD 9E; and U+3000, a blank. *at goes on. */
static char next_folded(const char **at)
{
    const unsigned char *u = (const unsigned char *)*at;
    unsigned char c = u[0];
    if (c == 0xef && (u[1] == 0xbc || u[1] == 0xbd) && u[2] >= 0x80) {
        int wide = (u[1] - 0xbc) * 64 + u[2] - 0x80; /* above U+FF00 */
        if (wide >= 1 && wide <= 0x5e) {
            c = (unsigned char)(' ' + wide);
            *at += 2;
        }
    } else if (c == 0xe3 && u[1] == 0x80 && u[2] == 0x80) {
        c = ' ';
        *at += 2;
    }
    ++*at;
    return (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

static void add_folded(struct buf *to, const char *text)
{
    while (text != NULL && *text != '\0')
        buf_add_char(to, next_folded(&text));
}

/* Of several texts, each on a line of its own: nothing that is typed reaches over two. */
static char *folded(const char *const *texts, size_t count)
{
    struct buf all = {0};
    for (size_t i = 0; i < count; i++) {
        add_folded(&all, texts[i]);
        buf_add_char(&all, '\n');
    }
    return buf_take(&all);
}

#define FOLDED(...) \
    folded((const char *const[]){__VA_ARGS__}, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

void search_init(struct search *s, const struct park *park)
{
    s->park = park;
    s->texts = mem_zalloc((park->instruments.count + 1) * sizeof *s->texts);
    struct search_texts *texts = s->texts;
    CONF_EACH (const struct park_instrument, i, park->instruments) {
        const struct park_category *category = i->category;
        const struct park_building *building = i->building;
        const struct park_space *space = i->space;
        texts->all = FOLDED(i->id, i->name, i->name_en, i->model, i->location, i->location_en, i->owner,
            i->owner_en, i->owner_code, category ? category->id : NULL, category ? category->name : NULL,
            category ? category->name_en : NULL, building->id, building->name, building->name_en,
            space ? space->id : NULL, space ? space->name : NULL, space ? space->name_en : NULL);
        texts->model = FOLDED(i->model);
        texts->organisation = FOLDED(i->owner, i->owner_en, i->owner_code);
        texts++;
    }
}

void search_release(struct search *s)
{
    for (size_t i = 0; s->texts != NULL && i < s->park->instruments.count; i++) {
        free(s->texts[i].all);
        free(s->texts[i].model);
        free(s->texts[i].organisation);
    }
    free(s->texts);
    *s = (struct search){0};
}

/* Without the blanks around it; NULL where nothing else is there. */
static char *typed(const char *text)
{
    struct buf all = {0};
    add_folded(&all, text);
    size_t begin = all.data != NULL ? strspn(all.data, " ") : 0;
    while (all.len > begin && all.data[all.len - 1] == ' ')
        all.data[--all.len] = '\0';
    char *trimmed = all.len > begin ? mem_strdup(all.data + begin) : NULL;
    buf_release(&all);
    return trimmed;
}

void search_wish_type(
    struct search_wish *wish, const char *words, const char *model, const char *organisation)
{
    char *all = typed(words);
    size_t count = 0;
    for (char *at = all; at != NULL && *at != '\0';) {
        size_t len = count + 1 < WORDS_MAX ? strcspn(at, " ") : strlen(at);
        char after = at[len];
        at[len] = '\0';
        wish->words[count++] = mem_strdup(at);
        at += len + (after != '\0');
        at += strspn(at, " ");
    }
    free(all);
    wish->model = typed(model);
    wish->organisation = typed(organisation);
}

void search_wish_release(struct search_wish *wish)
{
    for (size_t i = 0; i < WORDS_MAX; i++)
        free(wish->words[i]);
    free(wish->model);
    free(wish->organisation);
    *wish = (struct search_wish){0};
}

static bool has(const char *text, const char *part)
{
    return part == NULL || strstr(text, part) != NULL;
}

/* A number of one digit or two is one of its own: inside a longer one, such as an organisation's code, everybody has it. */
static bool has_word(const char *text, const char *word)
{
    static const char digits[] = "0123456789";
    size_t len = strlen(word);
    if (len > 2 || strspn(word, digits) != len)
        return has(text, word);
    for (const char *at = text; (at = strstr(at, word)) != NULL; at++)
        if ((at == text || strchr(digits, at[-1]) == NULL) &&
            (at[len] == '\0' || strchr(digits, at[len]) == NULL))
            return true;
    return false;
}

bool search_is_match(const struct search *s, size_t instrument, const struct search_wish *wish)
{
    const struct park_instrument *i =
        &((const struct park_instrument *)s->park->instruments.items)[instrument];
    const struct search_texts *texts = &s->texts[instrument];
    if ((wish->category != NULL && i->category != wish->category) ||
        (wish->building != NULL && i->building != wish->building) ||
        (wish->site != NULL && i->building->site != wish->site) || !has(texts->model, wish->model) ||
        !has(texts->organisation, wish->organisation))
        return false;
    for (size_t k = 0; k < WORDS_MAX && wish->words[k] != NULL; k++)
        if (!has_word(texts->all, wish->words[k]))
            return false;
    return true;
}
