/*
 * loop.h - one thread, one epoll, one timer, signals as events
 *
 * For the parent and the engine alike. The timer runs on CLOCK_BOOTTIME, so
 * that a deadline that passed during suspend fires at resume.
 */
#ifndef MIREDO_LOOP_H
#define MIREDO_LOOP_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#define LOOP_MAX 40	/* descriptors watched at once */

typedef void loop_fn(void *ctx, uint32_t epoll_events);

struct loop;

/* 0 or -errno. */
int loop_new(struct loop **loop);
void loop_free(struct loop *loop);

/* Watches fd for `events` (EPOLLIN ...). The fd stays the caller's. 0 or
 * -errno. A callback may remove any fd, its own too. */
int loop_add(struct loop *loop, int fd, uint32_t events, loop_fn *fn,
	     void *ctx);
/* The same for the data path, to read: a few descriptors whose readiness
 * costs nothing while we are at work (loop.c). */
#define LOOP_HOT 4
int loop_add_hot(struct loop *loop, int fd, loop_fn *fn, void *ctx);
void loop_remove(struct loop *loop, int fd);

/* Blocks the signals of `set` and calls fn(ctx, signo) for each that comes. */
int loop_signals(struct loop *loop, const sigset_t *set, loop_fn *fn,
		 void *ctx);

/* Calls fn once at `when` (ns of CLOCK_BOOTTIME; UINT64_MAX: never; in the
 * past: at the next turn). Setting it again replaces it. */
void loop_deadline(struct loop *loop, uint64_t when, loop_fn *fn, void *ctx);

/* Runs until loop_stop(), whose value it returns. */
int loop_run(struct loop *loop);
void loop_stop(struct loop *loop, int value);

#endif
