/*
 * require.h - REQUIRE(condition): aborts, and says where, if it does not hold. For
 * fixtures that fuzz targets use as well, which have no Check.
 */
#ifndef TESTS_UNIT_REQUIRE_H
#define TESTS_UNIT_REQUIRE_H

#include <stdio.h>
#include <stdlib.h>

#define REQUIRE(condition)                                                 \
	do {                                                               \
		if (!(condition)) {                                        \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, \
				#condition);                               \
			abort();                                           \
		}                                                          \
	} while (0)

#endif
