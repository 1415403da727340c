/*
 * deadline.h - the few real per-peer timers, in a min-heap
 *
 * For bubbles and connectivity tests only. Expiry of peers is a sweep of the
 * table (peers.h), so nothing here is touched by an ordinary packet.
 */
#ifndef LIBTEREDO_DEADLINE_H
#define LIBTEREDO_DEADLINE_H

#include "teredo.h"

struct deadlines;

/* Room for ids 0..max-1, each armed at most once. NULL: out of memory. */
struct deadlines *deadlines_new(uint32_t max, const struct teredo_env *env);
void deadlines_free(struct deadlines *d);

/* Arms or re-arms. */
void deadlines_arm(struct deadlines *d, uint32_t id, teredo_time when);
/* Does nothing when it is not armed. */
void deadlines_disarm(struct deadlines *d, uint32_t id);

/* The earliest, or TEREDO_NEVER. */
teredo_time deadlines_next(const struct deadlines *d);

/* Disarms and gives the earliest one that is due at `now`; false: none is. */
bool deadlines_pop(struct deadlines *d, teredo_time now, uint32_t *id);

#endif
