/*
 * flow.h - steady traffic, and what became of it
 *
 * One stack pings another at a fixed interval, each time at the address that
 * it has then. Questions are answered from what the sender has received.
 */
#ifndef SIM_FLOW_H
#define SIM_FLOW_H

#include "stack.h"

struct flow {
	struct stack *from, *to;
	teredo_time interval;
	uint32_t id;
	uint32_t sent;
	bool is_silent; /* for now */
};

/* The first ping leaves now. */
struct flow *flow_start(struct stack *from, struct stack *to,
			teredo_time interval);

/* The longest time without an answer, from `since` till now. */
teredo_time flow_gap(const struct flow *f, teredo_time since);

/* From `since` to the first answer after it; TEREDO_NEVER: none yet. */
teredo_time flow_back(const struct flow *f, teredo_time since);

/* Pings without an answer, out of the last n. */
unsigned flow_lost(const struct flow *f, unsigned n);

#endif
