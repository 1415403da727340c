/*
 * deadline.c - the few real per-peer timers, in a min-heap
 *
 * A binary heap of (when, id) in an array, and for each id its place in that
 * array, so that re-arming and disarming need no search. Invariant: a node is
 * not earlier than its parent, and place[heap[i].id] == i + 1; place 0 means
 * not armed. What is not in use is zero (table.h).
 */
#include "deadline.h"

#include <assert.h>
#include <stdlib.h>

#include "table.h"

struct node {
	teredo_time when;
	uint32_t id;
};

struct deadlines {
	uint32_t n, max;
	struct node *heap;
	uint32_t *place;
};

struct deadlines *deadlines_new(uint32_t max, const struct teredo_env *env)
{
	struct deadlines *d = calloc(1, sizeof(*d));

	if (d == NULL)
		return NULL;
	d->max = max;
	d->heap = table_new(env, max, sizeof(*d->heap));
	d->place = table_new(env, max, sizeof(*d->place));
	if (d->heap == NULL || d->place == NULL) {
		deadlines_free(d);
		return NULL;
	}
	return d;
}

void deadlines_free(struct deadlines *d)
{
	if (d == NULL)
		return;
	free(d->heap);
	free(d->place);
	free(d);
}

static void put(struct deadlines *d, uint32_t i, struct node node)
{
	d->heap[i] = node;
	d->place[node.id] = i + 1;
}

static void sift_up(struct deadlines *d, uint32_t i, struct node node)
{
	while (i > 0 && node.when < d->heap[(i - 1) / 2].when) {
		put(d, i, d->heap[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	put(d, i, node);
}

static void sift_down(struct deadlines *d, uint32_t i, struct node node)
{
	for (;;) {
		uint32_t child = 2 * i + 1;

		if (child >= d->n)
			break;
		if (child + 1 < d->n &&
		    d->heap[child + 1].when < d->heap[child].when)
			child++;
		if (node.when <= d->heap[child].when)
			break;
		put(d, i, d->heap[child]);
		i = child;
	}
	put(d, i, node);
}

void deadlines_arm(struct deadlines *d, uint32_t id, teredo_time when)
{
	assert(id < d->max);
	deadlines_disarm(d, id);
	d->n++;
	sift_up(d, d->n - 1, (struct node){.when = when, .id = id});
}

void deadlines_disarm(struct deadlines *d, uint32_t id)
{
	uint32_t i;
	struct node last;

	assert(id < d->max);
	if (d->place[id] == 0)
		return;
	i = d->place[id] - 1;
	d->place[id] = 0;
	last = d->heap[--d->n];
	d->heap[d->n] = (struct node){ 0 };
	if (i == d->n)
		return;
	if (i > 0 && last.when < d->heap[(i - 1) / 2].when)
		sift_up(d, i, last);
	else
		sift_down(d, i, last);
}

teredo_time deadlines_next(const struct deadlines *d)
{
	return d->n == 0 ? TEREDO_NEVER : d->heap[0].when;
}

bool deadlines_pop(struct deadlines *d, teredo_time now, uint32_t *id)
{
	if (d->n == 0 || deadlines_next(d) > now)
		return false;
	*id = d->heap[0].id;
	deadlines_disarm(d, *id);
	return true;
}
