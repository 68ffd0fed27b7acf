/* typed_cxx.cpp - typed functions in C++, without a dispatch function. */
#include <string>

#include <thaw.h>

THAW_FUNCTION(const char *, repeat, (const char *, text), (unsigned, count))
{
	static std::string result;

	for (unsigned i = 0; i < count; i++)
		result += text;
	return result.c_str();
}

THAW_FUNCTION(double, mean, (double, a), (double, b))
{
	return (a + b) / 2;
}

THAW_FUNCTION(void, nothing)
{
}

THAW_FUNCTION(thaw_bytes, tail, (thaw_bytes, all), (unsigned long, from))
{
	if (from > all.size)
		thaw_fail("Typed.OutOfRange", "%lu", from);
	return { static_cast<const char *>(all.data) + from, all.size - from };
}
