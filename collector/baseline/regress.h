/*
 * Weighted least squares with an intercept and at most three variables, and what is said of how well it fits. Pure.
 *
 * This is statistics, and doubles are lawful here: a model is a picture of energy, and no register, sum or money. The same
 * input gives the same answer: sums run in the order of the rows. Variables are centred and scaled and then made
 * orthogonal one after the other (QR by modified Gram-Schmidt), so that temperatures far from 0 or energies of 10^12
 * cost no digits.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define REGRESS_VARIABLES 3

struct regress_data {
    const double *y;
    const double *x[REGRESS_VARIABLES];
    const double *weight; /* above 0; NULL = all the same */
    size_t rows;
    int variables; /* 0 to REGRESS_VARIABLES */
};

/* With n rows, p = variables + 1, weights w and residuals e = y - fitted. */
struct regress {
    double intercept, slope[REGRESS_VARIABLES];
    double intercept_t,
        slope_t[REGRESS_VARIABLES]; /* each over its standard error; huge where nothing is left over */
    double mean;                    /* of y, weighted */
    double r2;      /* 1 - sum(w e^2) / sum(w (y - mean)^2); 0 where y never changes, and without variables */
    double cv_rmse; /* sqrt(sum(w e^2) / sum(w) x n / (n - p)) / mean */
    double nmbe; /* sum(w e) / sum(w) x n / (n - p) / mean: 0 but for rounding, since there is an intercept */
    double lag1; /* autocorrelation of the residuals, each with that of the next row */
};

/* False: n <= p, the mean is not above 0, or the variables are not different things (one never changes, or follows
 * from the others). */
bool regress_fit(const struct regress_data *data, struct regress *ret);
double regress_predict(const struct regress *fit, int variables, const double *x);
