#include "verdict/fisher.h"

#include <math.h>

bool fourfold_tells(const struct fourfold *t)
{
    uint64_t failed = (uint64_t)t->failed_with + t->failed_without, all = (uint64_t)t->with + t->without;

    return t->with && t->without && failed && failed < all;
}

/* ln n!, by Stirling's series; its first terms are exact to the last digits of a double from 16 on. */
static double ln_factorial(uint64_t n)
{
    uint64_t x = n + 1;
    double ln = 0, y;

    for (; x < 16; x++)
        ln -= log((double)x);
    y = (double)x;
    return ln + (y - 0.5) * log(y) - y + 0.91893853320467274178 +
           (1.0 / 12 - (1.0 / 360 - (1.0 / 1260 - 1.0 / (1680 * y * y)) / (y * y)) / (y * y)) / y;
}

static double ln_choose(uint64_t n, uint64_t k)
{
    return ln_factorial(n) - ln_factorial(k) - ln_factorial(n - k);
}

double fisher_ln_p(const struct fourfold *t)
{
    uint64_t with = t->with, without = t->without, failed = (uint64_t)t->failed_with + t->failed_without;
    double sum = 1, term = 1, first;

    if (!fourfold_tells(t) || t->failed_with == 0)
        return 0;
    first = ln_choose(with, t->failed_with) + ln_choose(without, t->failed_without) - ln_choose(with + without, failed);
    for (uint64_t k = t->failed_with; k < with && k < failed;
         k++) { /* each term of the hypergeometric distribution from the last */
        double ratio = (double)(with - k) * (double)(failed - k) / ((double)(k + 1) * (double)(without + k + 1 - failed));

        term *= ratio;
        sum += term;
        if (ratio < 1 && term < sum * 1e-17)
            break;
    }
    first += log(sum);
    return first < 0 ? first : 0;
}

double fisher_combine(double sum_ln_p, size_t n)
{
    double half = -sum_ln_p, ln_term = 0, sum = 0;

    if (n == 0 || half <= 0)
        return 0;
    /* The tail of chi square with 2n degrees of freedom: e^-h (1 + h + h^2/2! + ... + h^(n-1)/(n-1)!); the largest term set to 1. */
    for (size_t i = 1; i < n; i++)
        ln_term += (double)i < half ? log(half / (double)i) : 0;
    for (size_t i = n; i-- > 0;)
        sum += exp((double)i * log(half) - ln_factorial(i) - ln_term);
    half = -half + ln_term + log(sum);
    return half < 0 ? half : 0;
}

double odds_ratio(const struct fourfold *t)
{
    double a = t->failed_with, b = (double)t->with - a, c = t->failed_without, d = (double)t->without - c;

    if (a == 0 || b == 0 || c == 0 || d == 0)
        return (a + 0.5) * (d + 0.5) / ((b + 0.5) * (c + 0.5));
    return a * d / (b * c);
}
