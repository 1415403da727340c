/*
 * table.c - memory that is mostly zero
 *
 * From the heap, which makes large ones of untouched pages. Giving back needs
 * system calls, and is the shell's business.
 */
#include "table.h"

#include <stdlib.h>

void *table_new(const struct teredo_env *env, size_t n, size_t size)
{
	void *table = calloc(n, size);

	if (table != NULL && env->table != NULL)
		env->table(env->ctx, table, n * size);
	return table;
}
