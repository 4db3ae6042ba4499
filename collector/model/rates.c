#include "collector/model/rates.h"

void rates_init(struct rates *rates, const char *factors_path)
{
    *rates = (struct rates){0};
    if (factors_path != NULL)
        rates->factors = factors_load(factors_path);
}

void rates_release(struct rates *rates)
{
    factors_destroy(rates->factors);
    *rates = (struct rates){0};
}

size_t rates_problem_count(const struct rates *rates)
{
    return rates->factors != NULL ? conf_problem_count(rates->factors->conf) : 0;
}

void rates_print_problems(const struct rates *rates, FILE *out)
{
    if (rates->factors != NULL)
        conf_print_problems(rates->factors->conf, out);
}
