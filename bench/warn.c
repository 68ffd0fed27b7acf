/* warn.c - see warn.h. */
#include "bench/warn.h"

#include <stdarg.h>
#include <stdio.h>

void bench_warn(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	flockfile(stderr);
	fputs("thaw: ", stderr);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
	funlockfile(stderr);
	va_end(arguments);
}
