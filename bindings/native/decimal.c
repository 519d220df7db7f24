/* SPDX-License-Identifier: MIT
 *
 * How the shortest decimal of a double is found.
 *
 * A double is c * 2^q. Every number in an interval around it reads back as this double; the
 * interval reaches half a step of 2^q to either side, but only a quarter below a power of
 * two, where the steps get smaller. We choose k such that 10^k <= width of the interval <
 * 10^(k+1). Then the interval contains at least one multiple of 10^k and at most one
 * multiple of 10^(k+1). If it contains the latter, that is the shortest decimal, with all
 * the zeros at its end that it can have. Otherwise the multiple of 10^k next to the value
 * is. (This is the idea of R. Giulietti's Schubfach.)
 *
 * The algorithm needs three numbers as multiples of 10^k: the two ends of the interval, and
 * the value. They are computed exactly, in words of 32 bits: a double between 1e-5 and 1e15
 * takes four words, so that this is faster than printf() with a fixed number of digits. */
#include "native/decimal.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

enum {
    FRACTION_BITS = 52,
    EXPONENT_BIAS = 1075, /* a double is integer * 2^(exponent - bias)         */
    MAX_WORDS = 28,       /* 2^57 * 5^324 has 810 bits                         */
    MIN_POINT = -5,       /* of 0.000001; a smaller fraction has an exponent   */
};

static const uint32_t powers_of_5[] = {
    1,     5,      25,      125,     625,      3125,      15625,
    78125, 390625, 1953125, 9765625, 48828125, 244140625, 1220703125,
};
enum { MAX_POWER_OF_5 = 13 };

/* A non-negative integer, the lowest word first, without leading zeros. */
struct big {
    int n;
    uint32_t words[MAX_WORDS];
};

/* A non-negative real number, of which we know enough to compare it with integers. */
struct real {
    uint64_t floor;
    bool is_integer;
};

static void set(struct big *big, uint64_t value)
{
    big->words[0] = (uint32_t)value;
    big->words[1] = (uint32_t)(value >> 32);
    big->n = big->words[1] ? 2 : big->words[0] ? 1 : 0;
}

static void multiply(struct big *big, uint32_t factor)
{
    uint64_t carry = 0;
    for (int i = 0; i < big->n; i++) {
        carry += (uint64_t)big->words[i] * factor;
        big->words[i] = (uint32_t)carry;
        carry >>= 32;
    }
    if (carry)
        big->words[big->n++] = (uint32_t)carry;
}

/* Divides in place and returns the remainder. */
static uint32_t divide(struct big *big, uint32_t divisor)
{
    uint64_t rest = 0;
    for (int i = big->n - 1; i >= 0; i--) {
        rest = rest << 32 | big->words[i];
        big->words[i] = (uint32_t)(rest / divisor);
        rest %= divisor;
    }
    while (big->n > 0 && big->words[big->n - 1] == 0)
        big->n--;
    return (uint32_t)rest;
}

static void shift_left(struct big *big, int bits)
{
    int words = bits / 32;
    memmove(big->words + words, big->words, (size_t)big->n * sizeof *big->words);
    memset(big->words, 0, (size_t)words * sizeof *big->words);
    big->n += words;
    multiply(big, UINT32_C(1) << bits % 32);
}

static uint32_t word_at(const struct big *big, int i)
{
    return i < big->n ? big->words[i] : 0;
}

/* Returns big / 2^bits, which is below 2^64. */
static struct real shift_right(const struct big *big, int bits)
{
    int words = bits / 32, rest = bits % 32;
    struct real real = {.is_integer = true};
    for (int i = 0; i < words && i < big->n; i++)
        real.is_integer = real.is_integer && big->words[i] == 0;
    uint32_t lowest = word_at(big, words);
    real.is_integer = real.is_integer && (lowest & ((UINT32_C(1) << rest) - 1)) == 0;
    real.floor = (uint64_t)word_at(big, words + 1) << 32 | lowest;
    real.floor >>= rest;
    if (rest)
        real.floor |= (uint64_t)word_at(big, words + 2) << (64 - rest);
    return real;
}

/* Returns n * 2^exponent / 10^k, which is below 2^64. */
static struct real scale(uint64_t n, int exponent, int k)
{
    struct big big;
    bool is_integer = true;
    set(&big, n);
    exponent -= k; /* 10^k = 5^k * 2^k */
    for (; k < -MAX_POWER_OF_5; k += MAX_POWER_OF_5)
        multiply(&big, powers_of_5[MAX_POWER_OF_5]);
    if (k < 0)
        multiply(&big, powers_of_5[-k]);
    if (exponent > 0)
        shift_left(&big, exponent);
    for (; k > MAX_POWER_OF_5; k -= MAX_POWER_OF_5)
        is_integer = divide(&big, powers_of_5[MAX_POWER_OF_5]) == 0 && is_integer;
    if (k > 0)
        is_integer = divide(&big, powers_of_5[k]) == 0 && is_integer;
    struct real real = shift_right(&big, exponent < 0 ? -exponent : 0);
    real.is_integer = real.is_integer && is_integer;
    return real;
}

/* Returns the floor of log10(2^q), or of log10(3/4 * 2^q); it is exact for every q of a
 * double. */
static int log10_of_step(int q, bool is_smaller_below)
{
    return (int)floor(q * 0.30102999566398120 -
                      (is_smaller_below ? 0.12493873660829995 : 0));
}

/* -- shortest -------------------------------------------------------------------------- */

static struct shl_decimal without_zeros(struct shl_decimal decimal)
{
    if (decimal.digits % 100000000 == 0) {
        decimal.digits /= 100000000;
        decimal.exponent += 8;
    }
    while (decimal.digits % 10 == 0) {
        decimal.digits /= 10;
        decimal.exponent++;
    }
    return decimal;
}

struct interval {
    struct real low, high;
    bool is_closed; /* whether the ends belong to it */
};

static bool contains(const struct interval *interval, uint64_t n)
{
    const struct real *low = &interval->low, *high = &interval->high;
    if (interval->is_closed)
        return (low->floor < n || (low->floor == n && low->is_integer)) && n <= high->floor;
    return low->floor < n && (n < high->floor || (n == high->floor && !high->is_integer));
}

static struct shl_decimal find_shortest(uint64_t c, int q, bool is_smaller_below)
{
    int k = log10_of_step(q, is_smaller_below);
    struct interval interval = {
        .low = scale(4 * c - (is_smaller_below ? 1 : 2), q - 2, k),
        .high = scale(4 * c + 2, q - 2, k),
        .is_closed = c % 2 == 0,
    };
    struct real twice = scale(2 * c, q, k);
    uint64_t below = twice.floor / 2, tens = below / 10;
    for (uint64_t n = tens; n <= tens + 1; n++)
        if (contains(&interval, n * 10))
            return without_zeros((struct shl_decimal){n, k + 1});
    bool has_below = contains(&interval, below), has_above = contains(&interval, below + 1);
    bool is_tie = twice.floor % 2 && twice.is_integer;
    bool is_above_nearer = is_tie ? below % 2 : twice.floor % 2;
    bool takes_above = has_below && has_above ? is_above_nearer : has_above;
    return (struct shl_decimal){below + takes_above, k};
}

struct shl_decimal shl_decimal_shortest(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint64_t fraction = bits & ((UINT64_C(1) << FRACTION_BITS) - 1);
    int exponent = (int)(bits >> FRACTION_BITS);
    if (exponent == 0) /* denormal */
        return find_shortest(fraction, 1 - EXPONENT_BIAS, false);
    uint64_t c = fraction | UINT64_C(1) << FRACTION_BITS;
    return find_shortest(c, exponent - EXPONENT_BIAS, fraction == 0 && exponent > 1);
}

/* -- nearest --------------------------------------------------------------------------- */

static int count_bits(uint64_t value)
{
    int n = 0;
    for (; value >= 256; value >>= 8)
        n += 8;
    for (; value; value >>= 1)
        n++;
    return n;
}

/* We multiply the value by a power of two that leaves 62 or 63 bits before the point. If
 * there is anything behind the point, the last of these bits is set to 1: the integer then
 * rounds to 53 bits as the exact value would. */
double shl_decimal_to_double(uint64_t digits, int exponent)
{
    int shift = 62 - count_bits(digits) - (int)floor(exponent * 3.3219280948873623);
    struct real real = scale(digits, shift, -exponent);
    return ldexp((double)(real.floor | !real.is_integer), -shift);
}

/* -- as text --------------------------------------------------------------------------- */

char *shl_decimal_write_integer(char *out, uint64_t value)
{
    char digits[SHL_INTEGER_SIZE], *first = digits + sizeof digits;
    do {
        *--first = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    size_t n = (size_t)(digits + sizeof digits - first);
    memcpy(out, first, n);
    return out + n;
}

static char *write_zeros(char *out, int n)
{
    memset(out, '0', (size_t)n);
    return out + n;
}

/* Writes a number such as 0.00012. */
static char *write_fraction(char *out, const char *digits, int n, int point)
{
    *out++ = '0';
    *out++ = '.';
    out = write_zeros(out, -point);
    memcpy(out, digits, (size_t)n);
    return out + n;
}

/* Writes digits of which the first `point` stand before the point, such as 12.34. */
static char *write_pointed(char *out, const char *digits, int n, int point)
{
    memcpy(out, digits, (size_t)point);
    out += point;
    if (n > point) {
        *out++ = '.';
        memcpy(out, digits + point, (size_t)(n - point));
        out += n - point;
    }
    return out;
}

static char *write_exponent(char *out, int exponent)
{
    *out++ = 'e';
    if (exponent < 0)
        *out++ = '-';
    return shl_decimal_write_integer(out, (uint64_t)(exponent < 0 ? -exponent : exponent));
}

static char *write_decimal(char *out, struct shl_decimal decimal)
{
    char digits[SHL_INTEGER_SIZE];
    int n = (int)(shl_decimal_write_integer(digits, decimal.digits) - digits);
    int point = n + decimal.exponent; /* 0.d1d2d3... * 10^point */
    if (decimal.exponent < 0 && point > 0)
        return write_pointed(out, digits, n, point);
    if (decimal.exponent < 0 && point >= MIN_POINT)
        return write_fraction(out, digits, n, point);
    return write_exponent(write_pointed(out, digits, n, 1), point - 1);
}

char *shl_decimal_write_double(char *out, double value)
{
    static const double max_integer = 9007199254740992.0; /* 2^53 */
    if (signbit(value)) {
        *out++ = '-';
        value = -value;
    }
    if (value <= max_integer && value == (double)(uint64_t)value)
        return shl_decimal_write_integer(out, (uint64_t)value);
    return write_decimal(out, shl_decimal_shortest(value));
}
