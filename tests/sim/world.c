/*
 * world.c - the event loop of the simulation
 *
 * A binary heap ordered by time and then by insertion, which makes a run a
 * function of its seed. A scenario runs on top of this loop: it calls
 * world_run() to let time pass and looks at the world between. world_fail()
 * jumps back to whoever started the scenario (main.c), which is why nothing
 * here or above keeps memory that the world does not know.
 */
#include "config.h"

#include "world.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

struct event {
	teredo_time when;
	uint64_t order;
	world_event *fn;
	void *ctx, *data;
};

struct queue {
	struct event *heap;
	size_t n, room;
	uint64_t made;
	void *running; /* data of the event that is happening */
};

struct world_block {
	struct world_block *next;
	void (*end)(void *);
	_Alignas(max_align_t) unsigned char data[];
};

static void queue_end(void *queue)
{
	struct queue *q = queue;

	while (q->n)
		free(q->heap[--q->n].data);
	free(q->running);
	free(q->heap);
}

struct world *world_new(uint64_t seed, bool print)
{
	struct world *w = calloc(1, sizeof(*w));

	assert(w);
	w->rng.state = seed;
	trace_init(&w->trace, print);
	w->queue = world_alloc_with(w, sizeof(*w->queue), queue_end);
	return w;
}

void world_free(struct world *w)
{
	while (w->blocks) {
		struct world_block *b = w->blocks;

		w->blocks = b->next;
		if (b->end)
			b->end(b->data);
		free(b);
	}
	free(w);
}

void *world_alloc_with(struct world *w, size_t size, void (*end)(void *))
{
	struct world_block *b = calloc(1, sizeof(*b) + size);

	assert(b);
	b->end = end;
	b->next = w->blocks;
	w->blocks = b;
	return b->data;
}

void *world_alloc(struct world *w, size_t size)
{
	return world_alloc_with(w, size, NULL);
}

static bool is_before(const struct event *a, const struct event *b)
{
	return a->when < b->when || (a->when == b->when && a->order < b->order);
}

static void swap(struct event *a, struct event *b)
{
	struct event t = *a;

	*a = *b;
	*b = t;
}

void world_at(struct world *w, teredo_time when, world_event *fn, void *ctx,
	      void *data)
{
	struct queue *q = w->queue;
	size_t i = q->n++;

	assert(when >= w->now);
	if (i == q->room) {
		q->room = q->room ? 2 * q->room : 64;
		q->heap = realloc(q->heap, q->room * sizeof(*q->heap));
		assert(q->heap);
	}
	q->heap[i] = (struct event){when, q->made++, fn, ctx, data};
	for (; i && is_before(&q->heap[i], &q->heap[(i - 1) / 2]);
	     i = (i - 1) / 2)
		swap(&q->heap[i], &q->heap[(i - 1) / 2]);
}

static struct event take_first(struct queue *q)
{
	struct event first = q->heap[0];
	size_t i = 0, child;

	q->heap[0] = q->heap[--q->n];
	while ((child = 2 * i + 1) < q->n) {
		if (child + 1 < q->n &&
		    is_before(&q->heap[child + 1], &q->heap[child]))
			child++;
		if (!is_before(&q->heap[child], &q->heap[i]))
			break;
		swap(&q->heap[child], &q->heap[i]);
		i = child;
	}
	return first;
}

/* The next event, if it is due by `end`. */
static bool step(struct world *w, teredo_time end)
{
	struct queue *q = w->queue;
	struct event e;

	if (!q->n || q->heap[0].when > end)
		return false;
	e = take_first(q);
	w->now = e.when;
	w->events++;
	q->running = e.data;
	e.fn(w, e.ctx, e.data);
	q->running = NULL;
	free(e.data);
	return true;
}

void world_run(struct world *w, teredo_time duration)
{
	teredo_time end = w->now + duration;

	while (step(w, end))
		;
	w->now = end;
}

bool world_run_until(struct world *w, teredo_time limit,
		     bool (*done)(const void *ctx), const void *ctx)
{
	teredo_time end = w->now + limit;

	while (!done(ctx)) {
		if (!step(w, end)) {
			w->now = end;
			return false;
		}
	}
	return true;
}

void world_fail(struct world *w, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(w->failure, sizeof(w->failure), format, ap);
	va_end(ap);
	longjmp(w->on_failure, 1);
}

void world_at_most(struct world *w, teredo_time time, teredo_time limit,
		   const char *file, int line, const char *what)
{
	if (time == TEREDO_NEVER)
		world_fail(w, "%s:%d: %s: never", file, line, what);
	if (time > limit)
		world_fail(w, "%s:%d: %s is %.3f s, more than %.3f s", file,
			   line, what, (double)time / 1e9, (double)limit / 1e9);
}

void world_note(struct world *w, const char *who, const char *format, ...)
{
	char words[TRACE_WORDS];
	va_list ap;

	if (w->trace.off)
		return;
	va_start(ap, format);
	vsnprintf(words, sizeof(words), format, ap);
	va_end(ap);
	trace_note(&w->trace, w->now, who, words);
}
