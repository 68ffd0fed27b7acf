/*
 * math.c - typed functions: thaw checks and converts their arguments, so there is
 * nothing here but what they compute.
 *
 *	thaw invoke math -d '{"function":"add","args":[20,22]}'
 *	{"result":42}
 */
#include <math.h>
#include <stdint.h>
#include <string.h>

#include <thaw.h>

static uint32_t crc_table[256];

/* Once, before the snapshot. */
THAW_INIT(make_crc_table)
{
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t crc = i;

		for (int bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >> 1 ^ 0xedb88320 : crc >> 1;
		crc_table[i] = crc;
	}
	return 0;
}

THAW_FUNCTION(int, add, (int, a), (int, b))
{
	int sum;

	if (__builtin_add_overflow(a, b, &sum))
		thaw_fail("Math.Overflow", "%d + %d is no int", a, b);
	return sum;
}

THAW_FUNCTION(double, hypotenuse, (double, a), (double, b))
{
	return sqrt(a * a + b * b);
}

THAW_FUNCTION(uint64_t, gcd, (uint64_t, a), (uint64_t, b))
{
	while (b) {
		const uint64_t rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

THAW_FUNCTION(bool, is_prime, (uint32_t, number))
{
	if (number < 2)
		return false;
	for (uint32_t i = 2; (uint64_t)i * i <= number; i++)
		if (number % i == 0)
			return false;
	return true;
}

THAW_FUNCTION(const char *, roman, (unsigned, number))
{
	static const struct {
		unsigned value;
		const char *digits;
	} steps[] = {
		{ 1000, "M" }, { 900, "CM" }, { 500, "D" }, { 400, "CD" },
		{ 100, "C" },  { 90, "XC" },  { 50, "L" },  { 40, "XL" },
		{ 10, "X" },   { 9, "IX" },   { 5, "V" },   { 4, "IV" },
		{ 1, "I" },
	};
	/* the snapshot has it empty, and so has every invocation */
	static char text[16];

	if (!number || number > 3999)
		thaw_fail("Math.OutOfRange", "%u has no Roman digits", number);
	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++)
		for (; number >= steps[i].value; number -= steps[i].value)
			strcat(text, steps[i].digits);
	return text;
}

THAW_FUNCTION(uint32_t, crc32, (struct thaw_bytes, data))
{
	const uint8_t *bytes = data.data;
	uint32_t crc = 0xffffffff;

	for (size_t i = 0; i < data.size; i++)
		crc = crc >> 8 ^ crc_table[(crc ^ bytes[i]) & 0xff];
	return ~crc;
}

THAW_FUNCTION(struct thaw_bytes, reverse, (struct thaw_bytes, data))
{
	static uint8_t reversed[1 << 16];
	const struct thaw_bytes result = { reversed, data.size };

	if (data.size > sizeof(reversed))
		thaw_fail("Math.TooLarge", "%zu bytes; 65536 at most",
			  data.size);
	for (size_t i = 0; i < data.size; i++)
		reversed[i] = ((const uint8_t *)data.data)[data.size - 1 - i];
	return result;
}
