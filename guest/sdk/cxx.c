/*
 * cxx.c - what functions in C++ need of a run-time: memory, and an end where the
 * C++ library throws an exception. It is C, with the names that C++ gives to its
 * functions in object files (Itanium C++ ABI, 5.1), so that building the SDK takes
 * no C++ compiler.
 *
 * All of it is weak: a function may have an operator new of its own.
 */
#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <thaw.h>

#define WEAK __attribute__((weak))

/* std::nothrow_t and std::nothrow */
struct nothrow {
	char nothing;
};
extern const struct nothrow _ZSt7nothrow;
WEAK const struct nothrow _ZSt7nothrow = { 0 };

/* operator new, and new[], as it is, aligned, without exceptions, and both */
WEAK void *_Znwm(size_t size);
WEAK void *_Znam(size_t size);
WEAK void *_ZnwmSt11align_val_t(size_t size, size_t alignment);
WEAK void *_ZnamSt11align_val_t(size_t size, size_t alignment);
WEAK void *_ZnwmRKSt9nothrow_t(size_t size, const struct nothrow *nothrow);
WEAK void *_ZnamRKSt9nothrow_t(size_t size, const struct nothrow *nothrow);
WEAK void *_ZnwmSt11align_val_tRKSt9nothrow_t(size_t size, size_t alignment,
					      const struct nothrow *nothrow);
WEAK void *_ZnamSt11align_val_tRKSt9nothrow_t(size_t size, size_t alignment,
					      const struct nothrow *nothrow);

/* operator delete, and delete[], for these, with and without the size */
WEAK void _ZdlPv(void *memory);
WEAK void _ZdaPv(void *memory);
WEAK void _ZdlPvm(void *memory, size_t size);
WEAK void _ZdaPvm(void *memory, size_t size);
WEAK void _ZdlPvSt11align_val_t(void *memory, size_t alignment);
WEAK void _ZdaPvSt11align_val_t(void *memory, size_t alignment);
WEAK void _ZdlPvmSt11align_val_t(void *memory, size_t size, size_t alignment);
WEAK void _ZdaPvmSt11align_val_t(void *memory, size_t size, size_t alignment);
WEAK void _ZdlPvRKSt9nothrow_t(void *memory, const struct nothrow *nothrow);
WEAK void _ZdaPvRKSt9nothrow_t(void *memory, const struct nothrow *nothrow);
WEAK void _ZdlPvSt11align_val_tRKSt9nothrow_t(void *memory, size_t alignment,
					      const struct nothrow *nothrow);
WEAK void _ZdaPvSt11align_val_tRKSt9nothrow_t(void *memory, size_t alignment,
					      const struct nothrow *nothrow);

/* What a compiler calls by itself. */
WEAK int __cxa_atexit(void (*destroy)(void *), void *object, void *dso);
WEAK void __cxa_pure_virtual(void);
WEAK void __cxa_deleted_virtual(void);

/* std::terminate(), and what libstdc++'s own assertions call */
WEAK void _ZSt9terminatev(void);
WEAK void _ZSt21__glibcxx_assert_failPKciS0_S0_(const char *file, int line,
						const char *function,
						const char *condition);

static void *checked(void *memory, size_t size)
{
	if (!memory)
		thaw_fail("Runtime.OutOfMemory",
			  "operator new: no %zu bytes; the heap is exhausted: "
			  "raise memory",
			  size);
	return memory;
}

/* Nothing is at the null pointer, however small it is. */
static void *allocate(size_t size, size_t alignment)
{
	return memalign(alignment, size ? size : 1);
}

void *_Znwm(size_t size)
{
	return checked(malloc(size ? size : 1), size);
}

void *_Znam(size_t size)
{
	return _Znwm(size);
}

void *_ZnwmSt11align_val_t(size_t size, size_t alignment)
{
	return checked(allocate(size, alignment), size);
}

void *_ZnamSt11align_val_t(size_t size, size_t alignment)
{
	return _ZnwmSt11align_val_t(size, alignment);
}

void *_ZnwmRKSt9nothrow_t(size_t size, const struct nothrow *nothrow)
{
	(void)nothrow;
	return malloc(size ? size : 1);
}

void *_ZnamRKSt9nothrow_t(size_t size, const struct nothrow *nothrow)
{
	return _ZnwmRKSt9nothrow_t(size, nothrow);
}

void *_ZnwmSt11align_val_tRKSt9nothrow_t(size_t size, size_t alignment,
					 const struct nothrow *nothrow)
{
	(void)nothrow;
	return allocate(size, alignment);
}

void *_ZnamSt11align_val_tRKSt9nothrow_t(size_t size, size_t alignment,
					 const struct nothrow *nothrow)
{
	return _ZnwmSt11align_val_tRKSt9nothrow_t(size, alignment, nothrow);
}

void _ZdlPv(void *memory)
{
	free(memory);
}

void _ZdaPv(void *memory)
{
	_ZdlPv(memory);
}

void _ZdlPvm(void *memory, size_t size)
{
	(void)size;
	_ZdlPv(memory);
}

void _ZdaPvm(void *memory, size_t size)
{
	(void)size;
	_ZdaPv(memory);
}

void _ZdlPvSt11align_val_t(void *memory, size_t alignment)
{
	(void)alignment;
	free(memory);
}

void _ZdaPvSt11align_val_t(void *memory, size_t alignment)
{
	_ZdlPvSt11align_val_t(memory, alignment);
}

void _ZdlPvmSt11align_val_t(void *memory, size_t size, size_t alignment)
{
	(void)size;
	_ZdlPvSt11align_val_t(memory, alignment);
}

void _ZdaPvmSt11align_val_t(void *memory, size_t size, size_t alignment)
{
	(void)size;
	_ZdaPvSt11align_val_t(memory, alignment);
}

void _ZdlPvRKSt9nothrow_t(void *memory, const struct nothrow *nothrow)
{
	(void)nothrow;
	_ZdlPv(memory);
}

void _ZdaPvRKSt9nothrow_t(void *memory, const struct nothrow *nothrow)
{
	(void)nothrow;
	_ZdaPv(memory);
}

void _ZdlPvSt11align_val_tRKSt9nothrow_t(void *memory, size_t alignment,
					 const struct nothrow *nothrow)
{
	(void)nothrow;
	_ZdlPvSt11align_val_t(memory, alignment);
}

void _ZdaPvSt11align_val_tRKSt9nothrow_t(void *memory, size_t alignment,
					 const struct nothrow *nothrow)
{
	(void)nothrow;
	_ZdaPvSt11align_val_t(memory, alignment);
}

/* A function does not end so that its objects would be destroyed. */
int __cxa_atexit(void (*destroy)(void *), void *object, void *dso)
{
	(void)destroy;
	(void)object;
	(void)dso;
	return 0;
}

void __cxa_pure_virtual(void)
{
	thaw_fail("Runtime.Abort", "a pure virtual function was called");
}

void __cxa_deleted_virtual(void)
{
	thaw_fail("Runtime.Abort", "a deleted virtual function was called");
}

void _ZSt9terminatev(void)
{
	thaw_fail("Runtime.Abort", "std::terminate() was called");
}

void _ZSt21__glibcxx_assert_failPKciS0_S0_(const char *file, int line,
					   const char *function,
					   const char *condition)
{
	thaw_fail("Runtime.AssertionFailed", "%s:%d: %s: assertion failed: %s",
		  file ? file : "?", line, function ? function : "?",
		  condition ? condition : "?");
}

static _Noreturn void throws(const char *exception, const char *what)
{
	thaw_fail("Runtime.Exception", "%s%s%s", exception, *what ? ": " : "",
		  what);
}

/* Where libstdc++ throws, with a text or without one. */
#define THROWS(name, exception)                  \
	WEAK void name(const char *what);        \
	void name(const char *what)              \
	{                                        \
		throws("std::" exception, what); \
	}
#define THROWS_ALONE(name, exception)          \
	WEAK void name(void);                  \
	void name(void)                        \
	{                                      \
		throws("std::" exception, ""); \
	}

THROWS(_ZSt19__throw_logic_errorPKc, "logic_error")
THROWS(_ZSt20__throw_domain_errorPKc, "domain_error")
THROWS(_ZSt24__throw_invalid_argumentPKc, "invalid_argument")
THROWS(_ZSt20__throw_length_errorPKc, "length_error")
THROWS(_ZSt20__throw_out_of_rangePKc, "out_of_range")
THROWS(_ZSt21__throw_runtime_errorPKc, "runtime_error")
THROWS(_ZSt19__throw_range_errorPKc, "range_error")
THROWS(_ZSt22__throw_overflow_errorPKc, "overflow_error")
THROWS(_ZSt23__throw_underflow_errorPKc, "underflow_error")
THROWS_ALONE(_ZSt17__throw_bad_allocv, "bad_alloc")
THROWS_ALONE(_ZSt28__throw_bad_array_new_lengthv, "bad_array_new_length")
THROWS_ALONE(__cxa_throw_bad_array_new_length, "bad_array_new_length")
THROWS_ALONE(_ZSt16__throw_bad_castv, "bad_cast")
THROWS_ALONE(__cxa_bad_cast, "bad_cast")
THROWS_ALONE(_ZSt18__throw_bad_typeidv, "bad_typeid")
THROWS_ALONE(__cxa_bad_typeid, "bad_typeid")
THROWS_ALONE(_ZSt21__throw_bad_exceptionv, "bad_exception")
THROWS_ALONE(_ZSt25__throw_bad_function_callv, "bad_function_call")

WEAK void _ZSt24__throw_out_of_range_fmtPKcz(const char *format, ...);
void _ZSt24__throw_out_of_range_fmtPKcz(const char *format, ...)
{
	char what[256];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	throws("std::out_of_range", what);
}
