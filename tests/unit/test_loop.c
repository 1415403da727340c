/*
 * test_loop.c - the event loop: descriptors, the deadline, signals
 */
#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../src/clock.h"
#include "../../src/loop.h"

struct world {
	struct loop *loop;
	int a[2], b[2];		/* pipes: read end, write end */
	unsigned calls;
	uint32_t last;
};

static int setup(void **state)
{
	static struct world w;

	w = (struct world){ 0 };
	assert_int_equal(loop_new(&w.loop), 0);
	assert_int_equal(pipe(w.a), 0);
	assert_int_equal(pipe(w.b), 0);
	*state = &w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	loop_free(w->loop);
	for (unsigned i = 0; i < 2; i++) {
		close(w->a[i]);
		close(w->b[i]);
	}
	return 0;
}

static void count_and_stop(void *ctx, uint32_t what)
{
	struct world *w = ctx;

	w->calls++;
	w->last = what;
	loop_stop(w->loop, 7);
}

static void a_readable_descriptor_calls_its_function(void **state)
{
	struct world *w = *state;

	assert_int_equal(loop_add(w->loop, w->a[0], EPOLLIN, count_and_stop,
				  w), 0);
	assert_int_equal(write(w->a[1], "x", 1), 1);
	assert_int_equal(loop_run(w->loop), 7);
	assert_int_equal(w->calls, 1);
	assert_int_equal(w->last, EPOLLIN);
}

static void what_a_function_leaves_undone_is_said_again(void **state)
{
	struct world *w = *state;

	loop_add(w->loop, w->a[0], EPOLLIN, count_and_stop, w);
	assert_int_equal(write(w->a[1], "x", 1), 1);
	loop_run(w->loop);
	loop_run(w->loop);
	assert_int_equal(w->calls, 2);
}

static void remove_both(void *ctx, uint32_t what)
{
	struct world *w = ctx;

	(void)what;
	w->calls++;
	loop_remove(w->loop, w->a[0]);
	loop_remove(w->loop, w->b[0]);
	loop_deadline(w->loop, 0, count_and_stop, w);
}

static void a_removed_descriptor_is_silent_in_the_same_batch(void **state)
{
	struct world *w = *state;

	loop_add(w->loop, w->a[0], EPOLLIN, remove_both, w);
	loop_add(w->loop, w->b[0], EPOLLIN, remove_both, w);
	assert_int_equal(write(w->a[1], "x", 1), 1);
	assert_int_equal(write(w->b[1], "x", 1), 1);
	loop_run(w->loop);
	assert_int_equal(w->calls, 2);	/* one of them, and the deadline */
}

static void replace_b(void *ctx, uint32_t what)
{
	struct world *w = ctx;

	(void)what;
	loop_remove(w->loop, w->a[0]);
	loop_remove(w->loop, w->b[0]);
	assert_int_equal(loop_add(w->loop, w->b[0], EPOLLIN, count_and_stop,
				  w), 0);
}

static void a_slot_used_again_does_not_get_the_old_event(void **state)
{
	struct world *w = *state;

	/* both are ready; whichever comes first puts b into the same slot */
	loop_add(w->loop, w->a[0], EPOLLIN, replace_b, w);
	loop_add(w->loop, w->b[0], EPOLLIN, replace_b, w);
	assert_int_equal(write(w->a[1], "x", 1), 1);
	assert_int_equal(write(w->b[1], "x", 1), 1);
	loop_run(w->loop);
	assert_int_equal(w->calls, 1);
}

static void a_deadline_fires_at_its_time_and_once(void **state)
{
	struct world *w = *state;
	uint64_t when = clock_now() + 3000000;

	loop_deadline(w->loop, when, count_and_stop, w);
	loop_run(w->loop);
	assert_true(clock_now() >= when);
	assert_int_equal(w->calls, 1);
}

static void a_deadline_in_the_past_fires_at_once(void **state)
{
	struct world *w = *state;

	loop_deadline(w->loop, 0, count_and_stop, w);
	loop_run(w->loop);
	loop_deadline(w->loop, 0, count_and_stop, w);	/* and may be repeated */
	loop_run(w->loop);
	assert_int_equal(w->calls, 2);
}

static void never(void *ctx, uint32_t what)
{
	(void)ctx;
	(void)what;
	fail_msg("a replaced deadline fired");
}

static void a_deadline_replaces_the_one_before(void **state)
{
	struct world *w = *state;

	loop_deadline(w->loop, 1, never, w);
	loop_deadline(w->loop, UINT64_MAX, never, w);
	loop_deadline(w->loop, clock_now() + 2000000, count_and_stop, w);
	loop_run(w->loop);
	assert_int_equal(w->calls, 1);
}

static void a_signal_is_an_event(void **state)
{
	struct world *w = *state;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	assert_int_equal(loop_signals(w->loop, &set, count_and_stop, w), 0);
	raise(SIGUSR1);
	loop_run(w->loop);
	assert_int_equal(w->last, SIGUSR1);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

static void a_full_loop_refuses_one_more(void **state)
{
	struct world *w = *state;
	int fds[LOOP_MAX + 1];
	unsigned n = 0;
	int err = 0;

	while (n < LOOP_MAX + 1 && err == 0) {
		fds[n] = dup(w->a[0]);
		err = loop_add(w->loop, fds[n++], EPOLLIN, never, w);
	}
	assert_int_equal(err, 0);	/* LOOP_MAX and no signals in use */
	fds[0] = dup(w->a[0]);
	assert_int_equal(loop_add(w->loop, fds[0], EPOLLIN, never, w),
			 -ENOSPC);
	for (unsigned i = 0; i < n; i++)
		close(fds[i]);
}

static void unknown_descriptors_are_refused_not_believed(void **state)
{
	struct world *w = *state;

	loop_remove(w->loop, -1);
	loop_remove(w->loop, w->a[0]);
	assert_int_equal(loop_add(w->loop, 9999, EPOLLIN, never, w), -EBADF);
	assert_int_equal(loop_add(w->loop, w->a[0], EPOLLIN, never, w), 0);
}

static void remove_both_hot(void *ctx, uint32_t what)
{
	struct world *w = ctx;

	count_and_stop(ctx, what);
	loop_remove(w->loop, w->a[0]);
	loop_remove(w->loop, w->b[0]);
}

static void a_hot_descriptor_is_served_beside_the_others(void **state)
{
	struct world *w = *state;

	assert_int_equal(loop_add_hot(w->loop, w->a[0], count_and_stop, w), 0);
	loop_add(w->loop, w->b[0], EPOLLIN, count_and_stop, w);
	assert_int_equal(write(w->b[1], "x", 1), 1);
	loop_run(w->loop);
	assert_int_equal(w->calls, 1);
	assert_int_equal(write(w->a[1], "x", 1), 1);
	loop_run(w->loop);
	assert_int_equal(w->last, EPOLLIN);
	assert_true(w->calls >= 2);
}

static void a_hot_descriptor_that_was_removed_is_not_called(void **state)
{
	struct world *w = *state;

	loop_add_hot(w->loop, w->a[0], remove_both_hot, w);
	loop_add_hot(w->loop, w->b[0], remove_both_hot, w);
	assert_int_equal(write(w->a[1], "x", 1), 1);
	assert_int_equal(write(w->b[1], "x", 1), 1);
	loop_run(w->loop);
	assert_int_equal(w->calls, 1);
	loop_deadline(w->loop, 0, count_and_stop, w);
	loop_run(w->loop);
	assert_int_equal(w->calls, 2);
}

static void as_many_hot_descriptors_as_were_said_can_be_watched(void **state)
{
	struct world *w = *state;

	for (unsigned i = 0; i < LOOP_HOT; i++)
		assert_int_equal(loop_add_hot(w->loop, w->a[0],
					      count_and_stop, w), 0);
	assert_int_equal(loop_add_hot(w->loop, w->b[0], count_and_stop, w),
			 -ENOSPC);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_hot_descriptor_is_served_beside_the_others),
		T(a_hot_descriptor_that_was_removed_is_not_called),
		T(as_many_hot_descriptors_as_were_said_can_be_watched),
		T(a_readable_descriptor_calls_its_function),
		T(what_a_function_leaves_undone_is_said_again),
		T(a_removed_descriptor_is_silent_in_the_same_batch),
		T(a_slot_used_again_does_not_get_the_old_event),
		T(a_deadline_fires_at_its_time_and_once),
		T(a_deadline_in_the_past_fires_at_once),
		T(a_deadline_replaces_the_one_before),
		T(a_signal_is_an_event),
		T(a_full_loop_refuses_one_more),
		T(unknown_descriptors_are_refused_not_believed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
