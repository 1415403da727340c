/*
 * loop.c - one thread, one epoll, one timer, signals as events
 *
 * A table of LOOP_MAX slots. What epoll carries for a descriptor is the number
 * of its slot and the slot's generation: an event that was fetched in the same
 * batch as the one whose callback removed the descriptor names an old
 * generation and is left out, so that a callback may remove (and even add
 * again) anything.
 *
 * The timer and the signals are two more descriptors in the same table. Level
 * triggered throughout: a callback may leave work undone and is called again.
 *
 * Descriptors of the data path are *hot*: they are given to ppoll(), and epoll
 * as one more beside them. A descriptor tells epoll of each change, whether we
 * sleep or not: a UDP socket of each datagram that has left. That was 5 to 10 %
 * of the engine's time; ppoll() asks only when we sleep.
 */
#include "config.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "loop.h"

#define LOOP_SLOTS (LOOP_MAX + 2)	/* the timer and the signals */
#define LOOP_BATCH 32

struct slot {
	int fd;			/* -1: free */
	uint32_t generation;
	loop_fn *fn;
	void *ctx;
};

struct loop {
	int epoll, timer, signals;
	struct pollfd hot[LOOP_HOT + 1];	/* fd < 0: free; then epoll */
	struct slot hot_slot[LOOP_HOT];
	bool has_hot;
	bool running;
	int value;
	uint64_t deadline;
	loop_fn *deadline_fn, *signal_fn;
	void *deadline_ctx, *signal_ctx;
	struct slot slot[LOOP_SLOTS];
};

static struct slot *slot_find(struct loop *loop, int fd)
{
	for (unsigned i = 0; i < LOOP_SLOTS; i++)
		if (loop->slot[i].fd == fd)
			return &loop->slot[i];
	return NULL;
}

int loop_add(struct loop *loop, int fd, uint32_t events, loop_fn *fn,
	     void *ctx)
{
	struct slot *s = slot_find(loop, -1);
	struct epoll_event ev = { .events = events };

	if (s == NULL)
		return -ENOSPC;
	ev.data.u64 = (uint64_t)s->generation << 32 |
		      (uint64_t)(s - loop->slot);
	if (epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &ev) < 0)
		return -errno;
	s->fd = fd;
	s->fn = fn;
	s->ctx = ctx;
	return 0;
}

int loop_add_hot(struct loop *loop, int fd, loop_fn *fn, void *ctx)
{
	for (unsigned i = 0; i < LOOP_HOT; i++) {
		if (loop->hot[i].fd >= 0)
			continue;
		loop->hot[i] = (struct pollfd){ .fd = fd, .events = POLLIN };
		loop->hot_slot[i] = (struct slot){ .fn = fn, .ctx = ctx };
		loop->has_hot = true;
		return 0;
	}
	return -ENOSPC;
}

/* Whether it was one. */
static bool remove_hot(struct loop *loop, int fd)
{
	for (unsigned i = 0; i < LOOP_HOT; i++)
		if (loop->hot[i].fd == fd) {
			loop->hot[i] = (struct pollfd){ .fd = -1 };
			return true;
		}
	return false;
}

void loop_remove(struct loop *loop, int fd)
{
	struct slot *s;

	if (fd < 0 || remove_hot(loop, fd))
		return;
	s = slot_find(loop, fd);
	if (s == NULL)
		return;
	epoll_ctl(loop->epoll, EPOLL_CTL_DEL, fd, NULL);
	s->fd = -1;
	s->generation++;
}

static void loop_timer(void *ctx, uint32_t events)
{
	struct loop *loop = ctx;
	uint64_t expirations;

	(void)events;
	if (read(loop->timer, &expirations, sizeof(expirations)) < 0)
		return;	/* it was set again since */
	loop->deadline = UINT64_MAX;
	if (loop->deadline_fn != NULL)
		loop->deadline_fn(loop->deadline_ctx, 0);
}

static void loop_signal(void *ctx, uint32_t events)
{
	struct loop *loop = ctx;
	struct signalfd_siginfo info;

	(void)events;
	if (read(loop->signals, &info, sizeof(info)) == sizeof(info))
		loop->signal_fn(loop->signal_ctx, info.ssi_signo);
}

int loop_new(struct loop **out)
{
	struct loop *loop = calloc(1, sizeof(*loop));
	int err;

	if (loop == NULL)
		return -ENOMEM;
	for (unsigned i = 0; i < LOOP_SLOTS; i++)
		loop->slot[i].fd = -1;
	for (unsigned i = 0; i < LOOP_HOT; i++)
		loop->hot[i].fd = -1;
	loop->signals = loop->timer = -1;
	loop->deadline = UINT64_MAX;
	loop->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll >= 0)
		loop->timer = timerfd_create(CLOCK_BOOTTIME,
					     TFD_CLOEXEC | TFD_NONBLOCK);
	err = loop->timer < 0 ? -errno
			      : loop_add(loop, loop->timer, EPOLLIN,
					 loop_timer, loop);
	if (err < 0) {
		loop_free(loop);
		return err;
	}
	*out = loop;
	return 0;
}

void loop_free(struct loop *loop)
{
	if (loop == NULL)
		return;
	if (loop->signals >= 0)
		close(loop->signals);
	if (loop->timer >= 0)
		close(loop->timer);
	if (loop->epoll >= 0)
		close(loop->epoll);
	free(loop);
}

int loop_signals(struct loop *loop, const sigset_t *set, loop_fn *fn,
		 void *ctx)
{
	assert(loop->signals < 0);
	if (sigprocmask(SIG_BLOCK, set, NULL) < 0)
		return -errno;
	loop->signals = signalfd(-1, set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (loop->signals < 0)
		return -errno;
	loop->signal_fn = fn;
	loop->signal_ctx = ctx;
	return loop_add(loop, loop->signals, EPOLLIN, loop_signal, loop);
}

void loop_deadline(struct loop *loop, uint64_t when, loop_fn *fn, void *ctx)
{
	struct itimerspec it = { 0 };
	int err;

	loop->deadline_fn = fn;
	loop->deadline_ctx = ctx;
	if (when == loop->deadline)
		return;
	loop->deadline = when;
	if (when != UINT64_MAX) {
		it.it_value.tv_sec = (time_t)(when / 1000000000u);
		it.it_value.tv_nsec = (long)(when % 1000000000u);
		if (when == 0)
			it.it_value.tv_nsec = 1;	/* 0 would disarm */
	}
	err = timerfd_settime(loop->timer, TFD_TIMER_ABSTIME, &it, NULL);
	assert(err == 0);
	(void)err;
}

/* Sleeps until something is ready (here and below by the one of two calls that
 * every architecture has, for the sandbox's table). Whether epoll has something. */
static bool turn_hot(struct loop *loop)
{
	struct pollfd *other = &loop->hot[LOOP_HOT];
	int n;

	*other = (struct pollfd){ .fd = loop->epoll, .events = POLLIN };
	n = ppoll(loop->hot, LOOP_HOT + 1, NULL, NULL);
	assert(n >= 0 || errno == EINTR);
	for (unsigned i = 0; i < LOOP_HOT && n > 0 && loop->running; i++)
		if (loop->hot[i].fd >= 0 && loop->hot[i].revents != 0)
			loop->hot_slot[i].fn(loop->hot_slot[i].ctx,
					     (uint32_t)loop->hot[i].revents);
	return n > 0 && other->revents != 0;
}

static void turn(struct loop *loop, int timeout)
{
	struct epoll_event ev[LOOP_BATCH];
	int n = epoll_pwait(loop->epoll, ev, LOOP_BATCH, timeout, NULL);

	assert(n >= 0 || errno == EINTR);
	for (int i = 0; i < n && loop->running; i++) {
		struct slot *s = &loop->slot[(uint32_t)ev[i].data.u64];

		if (s->fd >= 0 && s->generation == ev[i].data.u64 >> 32)
			s->fn(s->ctx, ev[i].events);
	}
}

int loop_run(struct loop *loop)
{
	loop->running = true;
	while (loop->running)
		if (!loop->has_hot)
			turn(loop, -1);
		else if (turn_hot(loop))
			turn(loop, 0);
	return loop->value;
}

void loop_stop(struct loop *loop, int value)
{
	loop->running = false;
	loop->value = value;
}
