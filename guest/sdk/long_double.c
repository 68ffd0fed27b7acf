/*
 * long_double.c - long doubles as decimal digits and back, correctly rounded.
 *
 * picolibc's printf() and scanf() call these two functions, and its own add up
 * errors of rounding in the number itself. Here it is an integer as long as it
 * has to be: a number of 2^-16445 has 11,514 digits.
 */
#include <float.h>
#include <limits.h>
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

typedef unsigned __int128 u128;

#define MINUS 1
#define ZERO 2
#define INFINITE 4
#define NOT_A_NUMBER 8

/* As picolibc's dtoa.h has it. */
struct dtoa {
	int32_t exp; /* of the first digit: 0 is that of ones */
	uint8_t flags;
	char digits[];
};

int __ldtoa_engine(long double x, struct dtoa *dtoa, int max_digits, bool fixed,
		   int max_decimals);
long double __atold_engine(u128 m10, int e10);

/* A decimal integer: limbs of nine digits, the lowest first. */
#define LIMB_DIGITS 9
#define LIMB 1000000000u
#define LIMBS 1300

/* A binary one: limbs of 32 bits, the lowest first. */
#define BINARY_LIMBS 560

static uint32_t limbs[LIMBS];
static int limb_count;

_Static_assert(BINARY_LIMBS <= LIMBS, "one array for both");

/* The number times @factor, which is less than @base, in limbs of that. */
static void multiply(uint32_t factor, uint64_t base)
{
	uint64_t sum = 0;

	for (int i = 0; i < limb_count; i++) {
		sum += (uint64_t)limbs[i] * factor;
		limbs[i] = (uint32_t)(sum % base);
		sum /= base;
	}
	if (sum)
		limbs[limb_count++] = (uint32_t)sum;
}

/* Times @factor to the @power; @factor to the @step is less than @base, too. */
static void multiply_power(uint32_t factor, int power, int step, uint64_t base)
{
	uint32_t factors = 1;

	for (int i = 0; i < step; i++)
		factors *= factor;
	for (; power >= step; power -= step)
		multiply(factors, base);
	for (; power > 0; power--)
		multiply(factor, base);
}

static void set_number(u128 value, uint64_t base)
{
	for (limb_count = 0; value; value /= base)
		limbs[limb_count++] = (uint32_t)(value % base);
}

/* Digit @i of the number, from the first, which is 0; beyond the last 0. */
static int digit_at(int i, int count)
{
	static const uint32_t powers[LIMB_DIGITS] = {
		1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000
	};
	int from_end = count - 1 - i;

	if (from_end < 0)
		return 0;
	return (int)(limbs[from_end / LIMB_DIGITS] /
		     powers[from_end % LIMB_DIGITS] % 10);
}

static int count_digits(void)
{
	int count = (limb_count - 1) * LIMB_DIGITS;

	for (uint32_t first = limbs[limb_count - 1]; first; first /= 10)
		count++;
	return count;
}

/* Whether what is behind the first @kept digits rounds up, to even if half. */
static bool rounds_up(int kept, int count)
{
	int next = digit_at(kept, count);

	if (next != 5)
		return next > 5;
	for (int i = kept + 1; i < count; i++)
		if (digit_at(i, count))
			return true;
	return kept > 0 && digit_at(kept - 1, count) % 2;
}

/* Writes the first @kept digits, rounded. Returns how many those are. */
static int write_digits(struct dtoa *dtoa, int kept, int count)
{
	bool up = kept >= 0 && rounds_up(kept, count);
	int i;

	for (i = 0; i < kept; i++)
		dtoa->digits[i] = (char)('0' + digit_at(i, count));
	for (i = kept - 1; up && i >= 0; i--) {
		up = dtoa->digits[i] == '9';
		dtoa->digits[i] = up ? '0' : (char)(dtoa->digits[i] + 1);
	}
	if (kept > 0 && !up)
		return kept;
	/* nines became a one and zeros; or nothing is left, or just that one */
	dtoa->digits[0] = up ? '1' : '0';
	dtoa->exp = up ? dtoa->exp + 1 : 0;
	return kept > 0 ? kept : 1;
}

/* Makes the number @x times 10^@*ret_scale. */
static void set_decimal(long double x, int *ret_scale)
{
	int exponent;
	u128 mantissa;

	x = frexpl(x, &exponent);
	mantissa = (u128)ldexpl(x, LDBL_MANT_DIG);
	exponent -= LDBL_MANT_DIG;
	for (; exponent < 0 && !(mantissa & 1); exponent++)
		mantissa >>= 1;
	set_number(mantissa, LIMB);
	*ret_scale = exponent < 0 ? -exponent : 0;
	if (exponent < 0)
		multiply_power(5, -exponent, 12, LIMB);
	else
		multiply_power(2, exponent, 29, LIMB);
}

/*
 * At most @max_digits digits, and if @fixed at most @max_decimals of them behind
 * the point. Returns their number.
 */
int __ldtoa_engine(long double x, struct dtoa *dtoa, int max_digits, bool fixed,
		   int max_decimals)
{
	int scale, count, kept = max_digits;

	dtoa->flags = signbit(x) ? MINUS : 0;
	dtoa->exp = 0;
	if (isnan(x) || isinf(x)) {
		dtoa->flags |= isnan(x) ? NOT_A_NUMBER : INFINITE;
		return 0;
	}
	if (x == 0) {
		dtoa->flags |= ZERO;
		dtoa->digits[0] = '0';
		return 1;
	}
	set_decimal(fabsl(x), &scale);
	count = count_digits();
	dtoa->exp = count - 1 - scale;
	if (fixed && dtoa->exp + 1 + (long)max_decimals < kept)
		kept = dtoa->exp + 1 + max_decimals;
	return write_digits(dtoa, kept, count);
}

/* The binary number divided by @divisor; whether something remains. */
static bool divide(uint32_t divisor)
{
	uint64_t rest = 0;

	for (int i = limb_count - 1; i >= 0; i--) {
		rest = rest << 32 | limbs[i];
		limbs[i] = (uint32_t)(rest / divisor);
		rest %= divisor;
	}
	while (limb_count && !limbs[limb_count - 1])
		limb_count--;
	return rest != 0;
}

static bool divide_power(int power)
{
	bool rest = false;

	for (; power >= LIMB_DIGITS; power -= LIMB_DIGITS)
		rest |= divide(LIMB);
	for (; power > 0; power--)
		rest |= divide(10);
	return rest;
}

static int bit_at(int i)
{
	return limbs[i / 32] >> i % 32 & 1;
}

static bool has_bits_below(int end)
{
	for (int i = 0; i < end; i++)
		if (bit_at(i))
			return true;
	return false;
}

/*
 * The binary number times 2^@exponent, rounded to even; @rest says that it is
 * a little more.
 */
static long double round_binary(int exponent, bool rest)
{
	int top = limb_count * 32;
	int low; /* the lowest bit that is kept */
	u128 mantissa = 0;

	while (!bit_at(top - 1))
		top--;
	low = top - LDBL_MANT_DIG;
	/* below the smallest exponent there are fewer bits */
	if (low + exponent < LDBL_MIN_EXP - LDBL_MANT_DIG)
		low = LDBL_MIN_EXP - LDBL_MANT_DIG - exponent;
	for (int i = top - 1; i >= low && i >= 0; i--)
		mantissa = mantissa << 1 | (unsigned)bit_at(i);
	if (low < 0)
		return ldexpl((long double)mantissa, exponent);
	if (low > 0 && low <= top && bit_at(low - 1) &&
	    (rest || (mantissa & 1) || has_bits_below(low - 1)))
		mantissa++;
	return ldexpl((long double)mantissa, exponent + low);
}

/* @m10 times 10^@e10. */
long double __atold_engine(u128 m10, int e10)
{
	const int bits = CHAR_BIT * sizeof(m10);
	int shift;
	bool rest;

	/* m10 has at most 39 digits */
	if (!m10 || e10 < LDBL_MIN_10_EXP - LDBL_DIG - 60)
		return 0;
	if (e10 > LDBL_MAX_10_EXP)
		return HUGE_VALL;
	set_number(m10, 1ull << 32);
	if (e10 >= 0) {
		multiply_power(10, e10, LIMB_DIGITS, 1ull << 32);
		return round_binary(0, false);
	}
	/* so that the quotient has all bits of a mantissa: 10^3 < 2^10 */
	shift = -e10 * 10 / 3 + bits;
	multiply_power(2, shift, 31, 1ull << 32);
	rest = divide_power(-e10);
	return round_binary(-shift, rest);
}
