/* programs.h - what the tests of Linux programs share; they are in tests/linux/. */
#ifndef PROGRAMS_H
#define PROGRAMS_H

#include <stdbool.h>

struct thaw;

/* How many of backends[] programs run with: those that dispatch by exits, which come first. */
int program_trackers(void);

/* How many of @count builds of a program are tested: the first alone, if $TEST_ONE_BUILD. */
int program_builds(int count);

/* Whether there is the program linux_@name_@build; if not, says that it is skipped. */
bool program_is_built(const char *name, const char *build);

/* Has the function "p" answer @request. The test fails unless @pattern matches the outcome. */
void expect(struct thaw *thaw, const char *request, const char *pattern);

#endif
