#include "collector/model/rates.h"

void rates_init(
    struct rates *rates, const char *factors_path, const char *tariffs_path, const struct park *park)
{
    *rates = (struct rates){0};
    if (factors_path != NULL)
        rates->factors = factors_load(factors_path);
    if (tariffs_path == NULL)
        return;
    rates->tariffs = tariffs_load(tariffs_path);
    if (park != NULL && conf_problem_count(park->conf) == 0 && conf_problem_count(rates->tariffs->conf) == 0)
        tariffs_check_sites(rates->tariffs, park);
}

void rates_release(struct rates *rates)
{
    factors_destroy(rates->factors);
    tariffs_destroy(rates->tariffs);
    *rates = (struct rates){0};
}

size_t rates_problem_count(const struct rates *rates)
{
    return (rates->factors != NULL ? conf_problem_count(rates->factors->conf) : 0) +
           (rates->tariffs != NULL ? conf_problem_count(rates->tariffs->conf) : 0);
}

void rates_print_problems(const struct rates *rates, FILE *out)
{
    if (rates->factors != NULL)
        conf_print_problems(rates->factors->conf, out);
    if (rates->tariffs != NULL)
        conf_print_problems(rates->tariffs->conf, out);
}
