/*
 * table.h - memory that is mostly zero
 *
 * Tables are as long as the most that they may hold, and a flood fills them.
 * What is not in use in them is zero: an entry that ends is cleared, a bucket
 * that is full again is swept. So the shell, which is told of each table
 * (teredo_env.table), may give pages that hold zeros only back to the system,
 * at any time between two calls of the core: they read as zeros again.
 */
#ifndef LIBTEREDO_TABLE_H
#define LIBTEREDO_TABLE_H

#include "teredo.h"

/* n entries of `size` octets, zeroed; free() ends it. NULL: out of memory. */
void *table_new(const struct teredo_env *env, size_t n, size_t size);

#endif
