/* SPDX-License-Identifier: MIT
 *
 * Reads numbers. Integers up to 2^53 and all numbers with a fraction or an exponent become
 * doubles, correctly rounded. The options say what integers beyond 2^53 become: there a
 * double may stand for several of them. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>

#include "native/decimal.h"
#include "native/json_reader.h"

enum {
    MAX_DIGITS = 19,       /* an integer of 19 digits fits 64 bits              */
    MAX_EXACT_POWER = 22,  /* doubles hold powers of 10 exactly up to 10^22     */
    MAX_SIGNIFICANT = 780, /* no digit behind these decides alone how to round  */
    MIN_MAGNITUDE = -330,  /* numbers below 10^-330 round to 0, ...             */
    MAX_MAGNITUDE = 310,   /* ... and those from 10^310 on to infinity          */
};

static const uint64_t max_exact = UINT64_C(1) << 53;
/* No text has so many digits that it could make up for a larger exponent. */
static const int64_t max_exponent = INT64_C(1) << 40;

static const double powers_of_10[MAX_EXACT_POWER + 1] = {
    1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
};

/* The parts of a number's text: digits * 10^exponent. */
struct number {
    const char *first, *end;
    uint64_t digits; /* valid up to MAX_DIGITS of them */
    int n_digits;    /* with zeros in front            */
    int64_t exponent;
    bool is_negative, is_integer;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static const char *take_digits(struct number *number, const char *at)
{
    const char *first = at;
    uint64_t digits = number->digits;
    for (; is_digit(*at); at++)
        digits = digits * 10 + (uint64_t)(*at - '0');
    number->digits = digits;
    number->n_digits += (int)(at - first);
    return at;
}

/* Takes the exponent that begins with the `e` at `at`. Returns its end, or NULL if it has
 * no digits. */
static const char *take_exponent(struct number *number, const char *at)
{
    bool is_negative = *++at == '-';
    if (*at == '-' || *at == '+')
        at++;
    if (!is_digit(*at))
        return NULL;
    int64_t exponent = 0;
    for (; is_digit(*at); at++)
        if (exponent < max_exponent)
            exponent = exponent * 10 + (*at - '0');
    number->exponent += is_negative ? -exponent : exponent;
    return at;
}

/* The grammar is that of RFC 8259: no zero stands in front of other digits of an integer,
 * and digits stand on both sides of a point. */
static bool parse(struct shl_json_reader *reader, struct number *number)
{
    const char *at = reader->at;
    *number = (struct number){.first = at, .is_negative = *at == '-', .is_integer = true};
    at += number->is_negative;
    bool is_zero_first = *at == '0';
    at = take_digits(number, at);
    if (number->n_digits == 0 || (is_zero_first && number->n_digits > 1))
        return shl_json_fail(reader, number->first, "value", "invalid number");
    if (*at == '.') {
        const char *fraction = at + 1;
        at = take_digits(number, fraction);
        number->is_integer = false;
        number->exponent = -(at - fraction);
        if (at == fraction)
            return shl_json_fail(reader, number->first, "value", "invalid number");
    }
    if (*at == 'e' || *at == 'E') {
        at = take_exponent(number, at);
        number->is_integer = false;
        if (!at)
            return shl_json_fail(reader, number->first, "value", "invalid number");
    }
    number->end = at;
    return true;
}

/* Copies the digits from the first one that is not 0, at most MAX_SIGNIFICANT. If any other
 * than 0 follow, a 1 stands for all of them. Returns how many there are, with the exponent
 * of the last one. */
static int pick_digits(const struct number *number, char *out, int64_t *exponent)
{
    int n = 0;
    bool has_more = false;
    *exponent = number->exponent;
    for (const char *at = number->first; at < number->end && *at != 'e' && *at != 'E';
         at++) {
        if (!is_digit(*at) || (n == 0 && *at == '0'))
            continue;
        if (n < MAX_SIGNIFICANT) {
            out[n++] = *at;
        } else {
            ++*exponent;
            has_more = has_more || *at != '0';
        }
    }
    if (has_more) {
        out[n++] = '1';
        --*exponent;
    }
    return n;
}

/* Converts the numbers that shl_decimal_to_double does not: long ones, and those near the
 * bounds of doubles. LuaJIT rounds any number of digits correctly, but it refuses large
 * exponents. */
static double convert_by_lua(lua_State *L, const struct number *number)
{
    char text[MAX_SIGNIFICANT + 32];
    int64_t exponent;
    int n = pick_digits(number, text, &exponent);
    if (n == 0 || n + exponent < MIN_MAGNITUDE)
        return 0;
    if (n + exponent > MAX_MAGNITUDE)
        return HUGE_VAL;
    n += snprintf(text + n, 32, "e%d", (int)exponent);
    lua_pushlstring(L, text, (size_t)n);
    double value = lua_tonumber(L, -1);
    lua_pop(L, 1);
    return value;
}

static double convert(lua_State *L, const struct number *number)
{
    double value;
    int64_t exponent = number->exponent;
    bool is_long = number->n_digits > MAX_DIGITS;
    if (!is_long && number->digits <= max_exact && exponent >= -MAX_EXACT_POWER &&
        exponent <= MAX_EXACT_POWER)
        value = exponent < 0 ? (double)number->digits / powers_of_10[-exponent]
                             : (double)number->digits * powers_of_10[exponent];
    else if (!is_long && number->digits && exponent >= SHL_DECIMAL_MIN_EXPONENT &&
             exponent <= SHL_DECIMAL_MAX_EXPONENT)
        value = shl_decimal_to_double(number->digits, (int)exponent);
    else
        value = convert_by_lua(L, number);
    return number->is_negative ? -value : value;
}

/* -- integers beyond 2^53 -------------------------------------------------------------- */

/* Returns false if the integer needs more than 64 bits. */
static bool to_uint64(const struct number *number, uint64_t *out)
{
    const char *at = number->first + number->is_negative;
    uint64_t value = 0;
    for (; at < number->end; at++) {
        uint64_t digit = (uint64_t)(*at - '0');
        if (value > (UINT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *out = value;
    return !number->is_negative || value <= UINT64_C(1) << 63;
}

static void push_boxed(lua_State *L, uint64_t value, bool is_negative)
{
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_pushnumber(L, (lua_Number)(value >> 32));
    lua_pushnumber(L, (lua_Number)(value & UINT32_MAX));
    lua_pushboolean(L, is_negative);
    lua_call(L, 3, 1);
}

static bool push_big(struct shl_json_reader *reader, const struct number *number)
{
    uint64_t value;
    switch (reader->options & SHL_JSON_BIG_MASK) {
    case SHL_JSON_BIG_STRING:
        lua_pushlstring(reader->L, number->first, (size_t)(number->end - number->first));
        return true;
    case SHL_JSON_BIG_INT64:
        if (!to_uint64(number, &value))
            return shl_json_fail(
                reader, number->first, "value",
                "an integer beyond 64 bits (big_integers = \"string\" takes it)");
        push_boxed(reader->L, value, number->is_negative);
        return true;
    default:
        return shl_json_fail(
            reader, number->first, "value",
            "an integer beyond 2^53 (big_integers = \"int64\" or \"string\" takes it)");
    }
}

static bool push_double(struct shl_json_reader *reader, const struct number *number)
{
    double value = convert(reader->L, number);
    if (isinf(value))
        return shl_json_fail(reader, number->first, "value",
                             "a number beyond the range of doubles");
    lua_pushnumber(reader->L, value);
    return true;
}

bool shl_json_read_number(struct shl_json_reader *reader)
{
    struct number number;
    if (!parse(reader, &number))
        return false;
    bool is_small = number.n_digits <= MAX_DIGITS && number.digits <= max_exact;
    if (number.is_integer && is_small)
        lua_pushnumber(reader->L, number.is_negative ? -(lua_Number)number.digits
                                                     : (lua_Number)number.digits);
    else if (number.is_integer ? !push_big(reader, &number) : !push_double(reader, &number))
        return false;
    reader->top++;
    reader->at = number.end;
    return true;
}
