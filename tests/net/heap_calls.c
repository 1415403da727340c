/*
 * heap_calls.c - a library that counts the heap calls of a program
 *
 * Named in a host's /etc/ld.so.preload it stands before the C library, whose
 * own calls (strdup(), stdio) come by here as well. The count is read from
 * outside, in the process's memory (t_heap).
 */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

extern unsigned long heap_calls;
unsigned long heap_calls;

/* the C library's, under the names that are nobody else's */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);
void *__libc_memalign(size_t align, size_t size);
void __libc_free(void *p);

void *malloc(size_t size)
{
	heap_calls++;
	return __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	heap_calls++;
	return __libc_calloc(n, size);
}

void *realloc(void *p, size_t size)
{
	heap_calls++;
	return __libc_realloc(p, size);
}

void free(void *p)
{
	heap_calls++;
	__libc_free(p);
}

void *aligned_alloc(size_t align, size_t size)
{
	heap_calls++;
	return __libc_memalign(align, size);
}

int posix_memalign(void **p, size_t align, size_t size)
{
	heap_calls++;
	*p = __libc_memalign(align, size);
	return *p != NULL ? 0 : ENOMEM;
}
