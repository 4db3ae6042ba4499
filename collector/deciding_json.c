#include "collector/deciding_json.h"

#include <string.h>

enum status deciding_json_read(const json_t *object, struct deciding_words *words,
    char numbers[WORDS][NUMBER_INT64_SIZE], struct error *err)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)object, key, value)
    {
        int word = deciding_word_find(key);
        if (word < 0 || words->texts[word] != NULL)
            return error_set(err, ST_INVALID, "%.40s: unknown here", key);
        if (json_is_string(value)) {
            words->texts[word] = json_string_value(value);
        } else if (json_is_integer(value) && !deciding_word_is_text((enum deciding_word)word)) {
            numbers[word][number_format_int64(json_integer_value(value), numbers[word])] = '\0';
            words->texts[word] = numbers[word];
        } else if (json_is_boolean(value) && !deciding_word_is_text((enum deciding_word)word)) {
            words->texts[word] = json_is_true(value) ? "true" : "false";
        } else {
            return error_set(err, ST_INVALID, "%.40s: expected %s", key,
                deciding_word_is_text((enum deciding_word)word) ? "a text" : "a text, a whole number, true or false");
        }
    }
    return ST_OK;
}

json_t *deciding_json_write(const struct deciding_words *words)
{
    json_t *object = json_object();
    for (int i = 0; i < WORDS; i++)
        if (words->texts[i] != NULL)
            json_object_set_new(
                object, deciding_word_name((enum deciding_word)i), json_string(words->texts[i]));
    return object;
}
