/*
 * flow.c - a ping every so often
 *
 * The numbers of the pings are consecutive; the pongs in the sender's memory
 * are all that is needed to tell gaps and losses.
 */
#include "config.h"

#include "flow.h"

#include <stdlib.h>

static void tick(struct world *w, void *flow, void *data)
{
	struct flow *f = flow;

	(void)data;
	if (!f->is_silent && f->to->has_addr)
		stack_ping(f->from, &f->to->addr, f->id, f->sent++);
	world_at(w, w->now + f->interval, tick, f, NULL);
}

struct flow *flow_start(struct stack *from, struct stack *to,
			teredo_time interval)
{
	struct flow *f = world_alloc(from->w, sizeof(*f));

	*f = (struct flow){.from = from,
			   .to = to,
			   .interval = interval,
			   .id = ++from->flows};
	world_at(from->w, from->w->now, tick, f, NULL);
	return f;
}

static bool is_answer(const struct flow *f, const struct arrival *a)
{
	return a->kind == ARRIVAL_PONG && a->flow == f->id;
}

teredo_time flow_gap(const struct flow *f, teredo_time since)
{
	teredo_time last = since, gap = 0;

	for (size_t i = 0; i < f->from->n_in; i++) {
		const struct arrival *a = &f->from->in[i];

		if (!is_answer(f, a) || a->at < since)
			continue;
		if (a->at - last > gap)
			gap = a->at - last;
		last = a->at;
	}
	return f->from->w->now - last > gap ? f->from->w->now - last : gap;
}

teredo_time flow_back(const struct flow *f, teredo_time since)
{
	for (size_t i = 0; i < f->from->n_in; i++)
		if (is_answer(f, &f->from->in[i]) && f->from->in[i].at >= since)
			return f->from->in[i].at - since;
	return TEREDO_NEVER;
}

unsigned flow_lost(const struct flow *f, unsigned n)
{
	unsigned answered = 0;

	for (size_t i = 0; i < f->from->n_in; i++)
		if (is_answer(f, &f->from->in[i]) &&
		    f->from->in[i].seq + n >= f->sent)
			answered++;
	return n - answered;
}
