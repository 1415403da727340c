/*
 * world.h - one simulated Internet: its clock, its queue of events, its fate
 *
 * Time moves from event to event and never by itself; events of the same
 * instant happen in the order in which they were made. All memory belongs to
 * the world and goes with it, so that a failure can leave from anywhere.
 */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include <setjmp.h>

#include "../../libteredo/outbox.h"
#include "rng.h"
#include "trace.h"

struct world;
struct net;
struct queue;

/* `data` is freed after the call. */
typedef void world_event(struct world *w, void *ctx, void *data);

struct world {
	teredo_time now;
	struct rng rng; /* of the network; nodes split theirs */
	struct trace trace;
	struct net *net; /* net.c */
	struct queue *queue;
	struct teredo_outbox outbox; /* for the one core that is running */
	uint64_t events;	     /* that happened */
	teredo_time figure;	     /* what the scenario measured */
	char failure[512];
	jmp_buf on_failure;
	struct world_block *blocks;
};

struct world *world_new(uint64_t seed, bool print);
void world_free(struct world *w);

/* Zeroed memory that lives as long as the world. */
void *world_alloc(struct world *w, size_t size);
/* The same, with a destructor that is called first. */
void *world_alloc_with(struct world *w, size_t size, void (*end)(void *));

/* Makes an event. data: from malloc(), or NULL. */
void world_at(struct world *w, teredo_time when, world_event *fn, void *ctx,
	      void *data);

void world_run(struct world *w, teredo_time duration);
/* Runs until done(ctx) holds after an event; false: `limit` passed first. */
bool world_run_until(struct world *w, teredo_time limit,
		     bool (*done)(const void *ctx), const void *ctx);

/* Ends the scenario as failed. */
_Noreturn void world_fail(struct world *w, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Fails unless `condition`; says where and what was expected. */
#define EXPECT(w, condition)                                                   \
	((condition) ? (void)0                                                 \
		     : world_fail((w), "%s:%d: expected %s", __FILE__,         \
				  __LINE__, #condition))

/* The same for a time, whose value is told. */
#define EXPECT_AT_MOST(w, time, limit)                                         \
	world_at_most((w), (time), (limit), __FILE__, __LINE__, #time)
void world_at_most(struct world *w, teredo_time time, teredo_time limit,
		   const char *file, int line, const char *what);

/* A line of the trace. */
void world_note(struct world *w, const char *who, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
