/* @NAME@.c - functions that thaw calls with values; README.md says how. */
#include <stdio.h>

#include <thaw.h>

THAW_FUNCTION(int, add, (int, a), (int, b))
{
	return a + b;
}

THAW_FUNCTION(const char *, greet, (const char *, name))
{
	static char text[256];

	if (!*name)
		thaw_fail("Greet.NoName", "send the name to greet");
	if (snprintf(text, sizeof(text), "Hello, %s!", name) >=
	    (int)sizeof(text))
		thaw_fail("Greet.NameTooLong", "send a shorter name");
	return text;
}
