/*
 * counters.c - names of the counters
 *
 * The list itself is in counters.h; this gives its entries their text, for
 * the status output and for messages of failing tests.
 */
#include "counters.h"

#include <assert.h>

static const char *const names[TEREDO_N_COUNTERS] = {
#define X(name) [TEREDO_DROP_##name] = #name,
	TEREDO_DROPS(X)
#undef X
#define X(name) [TEREDO_EV_##name] = #name,
	TEREDO_EVENTS(X)
#undef X
};

const char *teredo_counter_name(enum teredo_counter c)
{
	assert(c < TEREDO_N_COUNTERS);
	return names[c];
}
