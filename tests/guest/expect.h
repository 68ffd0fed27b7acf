/*
 * expect.h - for handlers that are a test: the first that fails is the error.
 * They include <thaw.h>.
 */
#ifndef EXPECT_H
#define EXPECT_H

#include <string.h>

#define EXPECT(condition)                                               \
	do {                                                            \
		if (!(condition))                                       \
			thaw_fail("Test.Failed", "%s:%d: %s", __func__, \
				  __LINE__, #condition);                \
	} while (0)

#define EXPECT_TEXT(text, expected)                                           \
	do {                                                                  \
		const char *text_ = (text);                                   \
                                                                              \
		if (strcmp(text_, (expected)))                                \
			thaw_fail("Test.Failed", "%s:%d: \"%s\", not \"%s\"", \
				  __func__, __LINE__, text_, (expected));     \
	} while (0)

#endif
