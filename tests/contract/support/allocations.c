/* allocations.c - see allocations.h. It calls glibc's own functions. */
#include "tests/contract/support/allocations.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>

static _Thread_local unsigned count;

unsigned allocations(void)
{
	return count;
}

#ifdef TEST_MALLOC_TAKEN

bool allocations_counted(void)
{
	return false;
}

#else

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t number, size_t size);
void *__libc_realloc(void *pointer, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *pointer);

bool allocations_counted(void)
{
	return true;
}

void *malloc(size_t size)
{
	count++;
	return __libc_malloc(size);
}

void *calloc(size_t number, size_t size)
{
	count++;
	return __libc_calloc(number, size);
}

void *realloc(void *pointer, size_t size)
{
	count++;
	return __libc_realloc(pointer, size);
}

void *memalign(size_t alignment, size_t size)
{
	count++;
	return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
	return memalign(alignment, size);
}

int posix_memalign(void **ret_pointer, size_t alignment, size_t size)
{
	void *pointer = memalign(alignment, size);

	if (!pointer)
		return ENOMEM;
	*ret_pointer = pointer;
	return 0;
}

void free(void *pointer)
{
	count++;
	__libc_free(pointer);
}

#endif
