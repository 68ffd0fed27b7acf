/* warn.h - warnings to the person who runs `thaw bench`. */
#ifndef BENCH_WARN_H
#define BENCH_WARN_H

/* Prints "thaw: MESSAGE" on standard error. Any thread may call it. */
void bench_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
