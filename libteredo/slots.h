/*
 * slots.h - which numbers of a pool are in use
 *
 * The lowest free one is taken first, so that a pool that was full of short-
 * lived things is compact again soon, and nothing is written into a free
 * place: its memory may be given back (table.h).
 */
#ifndef LIBTEREDO_SLOTS_H
#define LIBTEREDO_SLOTS_H

#include "teredo.h"

#define SLOTS_LEVELS 4u

struct slots {
	uint32_t max, count;
	uint64_t *level[SLOTS_LEVELS];
};

/* Numbers 0..max-1, max <= 2^24, all free; memory is taken here. false: there
 * is none; slots_fini() may be called. */
bool slots_init(struct slots *s, uint32_t max);
void slots_fini(struct slots *s);

/* The lowest free one; there must be one. */
uint32_t slots_take(struct slots *s);
/* It was in use. */
void slots_give(struct slots *s, uint32_t slot);
bool slots_has(const struct slots *s, uint32_t slot);

#endif
