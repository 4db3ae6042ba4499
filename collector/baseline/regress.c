#include "collector/baseline/regress.h"

#include "lib/mem.h"

#include <math.h>
#include <stdlib.h>

#define ROOM_LEFT 1e-6 /* of a variable, once what the others explain is taken off: less is rounding */
#define ROUNDING 1e-14 /* of a mean */

struct work {
    const struct regress_data *data;
    double *column
        [REGRESS_VARIABLES]; /* centred, times the root of the weight; then orthogonal and of length 1 */
    double r[REGRESS_VARIABLES][REGRESS_VARIABLES]; /* columns = orthogonal ones x r */
    double mean[REGRESS_VARIABLES], y_mean, weights;
    double *y; /* centred and weighted, then the residuals, weighted */
};

static double weight_of(const struct regress_data *data, size_t i)
{
    return data->weight != NULL ? data->weight[i] : 1;
}

static double mean_of(const struct work *w, const double *values)
{
    double sum = 0;
    for (size_t i = 0; i < w->data->rows; i++)
        sum += weight_of(w->data, i) * values[i];
    return sum / w->weights;
}

static void centre(const struct work *w, const double *values, double mean, double *ret)
{
    for (size_t i = 0; i < w->data->rows; i++)
        ret[i] = sqrt(weight_of(w->data, i)) * (values[i] - mean);
}

static double dot(const struct work *w, const double *a, const double *b)
{
    double sum = 0;
    for (size_t i = 0; i < w->data->rows; i++)
        sum += a[i] * b[i];
    return sum;
}

/* to -= by x column */
static void take_off(const struct work *w, double *to, double by, const double *column)
{
    for (size_t i = 0; i < w->data->rows; i++)
        to[i] -= by * column[i];
}

static double greatest(const struct work *w, const double *values)
{
    double size = 0;
    for (size_t i = 0; i < w->data->rows; i++)
        size = fmax(size, fabs(values[i]));
    return size;
}

/* False: no different thing. */
static bool make_orthogonal(struct work *w, int k)
{
    double whole = sqrt(dot(w, w->column[k], w->column[k]));
    if (whole <= 1e-12 * greatest(w, w->data->x[k]) * sqrt(w->weights))
        return false;
    for (int j = 0; j < k; j++) {
        w->r[j][k] = dot(w, w->column[j], w->column[k]);
        take_off(w, w->column[k], w->r[j][k], w->column[j]);
    }
    w->r[k][k] = sqrt(dot(w, w->column[k], w->column[k]));
    if (w->r[k][k] <= ROOM_LEFT * whole)
        return false;
    for (size_t i = 0; i < w->data->rows; i++)
        w->column[k][i] /= w->r[k][k];
    return true;
}

static double over(double value, double error)
{
    return error > 0 ? value / error : copysign(HUGE_VAL, value);
}

/* Slopes from r x slope = what each orthogonal column explains, backwards; and their errors by the inverse of r. */
static void solve(const struct work *w, const double *explained, double variance, struct regress *ret)
{
    int count = w->data->variables;
    double inverse[REGRESS_VARIABLES][REGRESS_VARIABLES] = {{0}};
    for (int k = count - 1; k >= 0; k--) {
        double rest = explained[k];
        for (int j = k + 1; j < count; j++)
            rest -= w->r[k][j] * ret->slope[j];
        ret->slope[k] = rest / w->r[k][k];
        inverse[k][k] = 1 / w->r[k][k];
        for (int j = k + 1; j < count; j++) {
            for (int i = k + 1; i <= j; i++)
                inverse[k][j] -= w->r[k][i] * inverse[i][j];
            inverse[k][j] /= w->r[k][k];
        }
    }
    /* The intercept is that at the means, less what the slopes make of them. */
    double of_intercept = 1 / w->weights;
    ret->intercept = w->y_mean;
    for (int k = 0; k < count; k++)
        ret->intercept -= ret->slope[k] * w->mean[k];
    for (int j = 0; j < count; j++) {
        double along = 0, size = 0;
        for (int k = 0; k < count; k++)
            along += inverse[k][j] * w->mean[k];
        of_intercept += along * along;
        for (int k = j; k < count; k++)
            size += inverse[j][k] * inverse[j][k];
        ret->slope_t[j] = over(ret->slope[j], sqrt(variance * size));
    }
    ret->intercept_t = over(ret->intercept, sqrt(variance * of_intercept));
}

static void judge(const struct work *w, double all, double left, struct regress *ret)
{
    double n = (double)w->data->rows, p = w->data->variables + 1, sum = 0, along = 0;
    for (size_t i = 0; i < w->data->rows; i++) {
        sum += sqrt(weight_of(w->data, i)) * w->y[i];
        if (i > 0)
            along += w->y[i - 1] * w->y[i];
    }
    ret->mean = w->y_mean;
    ret->r2 = all > 0 && w->data->variables > 0 ? 1 - left / all : 0;
    ret->cv_rmse = sqrt(left / w->weights * n / (n - p)) / w->y_mean;
    ret->nmbe = sum / w->weights * n / (n - p) / w->y_mean;
    ret->lag1 = left > 0 ? along / left : 0;
}

/* A sum of squares beside such a mean: what is rounding is nothing. */
static double squares(const struct work *w, const double *values)
{
    double sum = dot(w, values, values), rounding = ROUNDING * w->y_mean;
    return sum <= w->weights * rounding * rounding ? 0 : sum;
}

static bool fit(struct work *w, struct regress *ret)
{
    const struct regress_data *data = w->data;
    double explained[REGRESS_VARIABLES] = {0};
    for (size_t i = 0; i < data->rows; i++)
        w->weights += weight_of(data, i);
    w->y_mean = mean_of(w, data->y);
    if (!(w->y_mean > 0))
        return false;
    centre(w, data->y, w->y_mean, w->y);
    double all = squares(w, w->y);
    for (int k = 0; k < data->variables; k++) {
        w->mean[k] = mean_of(w, data->x[k]);
        centre(w, data->x[k], w->mean[k], w->column[k]);
        if (!make_orthogonal(w, k))
            return false;
    }
    for (int k = 0; k < data->variables; k++) {
        explained[k] = dot(w, w->column[k], w->y);
        take_off(w, w->y, explained[k], w->column[k]);
    }
    double left = squares(w, w->y);
    solve(w, explained, left / (double)(data->rows - (size_t)data->variables - 1), ret);
    judge(w, all, left, ret);
    return true;
}

bool regress_fit(const struct regress_data *data, struct regress *ret)
{
    if (data->rows <= (size_t)data->variables + 1)
        return false;
    struct work w = {.data = data, .y = mem_alloc(data->rows * sizeof *w.y)};
    for (int k = 0; k < data->variables; k++)
        w.column[k] = mem_alloc(data->rows * sizeof *w.column[k]);
    struct regress found = {0};
    bool is_good = fit(&w, &found);
    if (is_good)
        *ret = found;
    for (int k = 0; k < data->variables; k++)
        free(w.column[k]);
    free(w.y);
    return is_good;
}

double regress_predict(const struct regress *fit, int variables, const double *x)
{
    double y = fit->intercept;
    for (int k = 0; k < variables; k++)
        y += fit->slope[k] * x[k];
    return y;
}
