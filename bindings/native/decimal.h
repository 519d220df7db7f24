/* SPDX-License-Identifier: MIT
 *
 * Doubles as decimals: the fewest digits that read back as the same double. */
#ifndef SHL_NATIVE_DECIMAL_H
#define SHL_NATIVE_DECIMAL_H

#include <stddef.h>
#include <stdint.h>

/* The number digits * 10^exponent; the digits do not end with 0. */
struct shl_decimal {
    uint64_t digits;
    int exponent;
};

enum {
    SHL_INTEGER_SIZE = 20, /* characters of the longest 64-bit integer, without a sign  */
    SHL_DOUBLE_SIZE = 25,  /* characters of the longest double: -2.2250738585072014e-308 */
    SHL_DECIMAL_MIN_EXPONENT = -300,
    SHL_DECIMAL_MAX_EXPONENT = 280,
};

/* Finds the shortest decimal that reads back as `value`: of all decimals that round to it
 * (a tie rounds to even) the one with the fewest digits, and of several such decimals the
 * nearest one. `value` is finite and above zero. */
struct shl_decimal shl_decimal_shortest(double value);

/* Returns the double nearest to digits * 10^exponent; a tie rounds to even. The digits are
 * not 0, and the exponent is within the bounds above, in which no result is denormal or
 * infinite. */
double shl_decimal_to_double(uint64_t digits, int exponent);

/* Both functions write a number at `out`, without a terminator, and return the end of its
 * text. */
char *shl_decimal_write_integer(char *out, uint64_t value);
/* The text is one that JSON and Lua read; `value` is finite. An integer up to 2^53 has
 * neither a point nor an exponent, and every other value has at least one of them: no
 * double looks like an integer that a double may not hold. */
char *shl_decimal_write_double(char *out, double value);

#endif
