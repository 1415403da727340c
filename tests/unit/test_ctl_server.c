/*
 * test_ctl_server.c - the engine's end of the control socket
 */
#include "config.h"

#include "ctl_bench.h"

static void ask_status(struct ctl_bench *b, int fd)
{
	struct ctl_request r = ctl_bench_request(CTL_STATUS, 0);
	struct ctl_status st;

	assert_int_equal(send(fd, &r, sizeof(r), 0), sizeof(r));
	assert_int_equal(ctl_bench_answer(b, fd, &st, sizeof(st), CTL_STATUS,
					  0), sizeof(st));
	assert_int_equal(st.pid, 4711);
}

static void a_connection_is_answered_as_often_as_it_asks(void **state)
{
	struct ctl_bench *b = *state;
	int fd = ctl_bench_connect(b);

	ask_status(b, fd);
	ask_status(b, fd);
	assert_int_equal(b->fills, 2);
	close(fd);
}

static void expect_refusal(struct ctl_bench *b, const void *data, size_t len)
{
	int fd = ctl_bench_connect(b);

	assert_int_equal(send(fd, data, len, 0), len);
	ctl_bench_await(b, fd);
	assert_true(ctl_bench_is_closed(fd));
	close(fd);
	assert_int_equal(b->fills, 0);
}

static void what_is_no_request_is_not_answered(void **state)
{
	struct ctl_bench *b = *state;
	struct ctl_request r = ctl_bench_request(CTL_STATUS, 0), bad;
	uint8_t longer[sizeof(r) + 1];

	memcpy(longer, &r, sizeof(r));
	longer[sizeof(r)] = 0;
	expect_refusal(b, &r, sizeof(r) - 1);
	expect_refusal(b, longer, sizeof(longer));
	bad = r;
	bad.magic++;
	expect_refusal(b, &bad, sizeof(bad));
}

/* What comes is the head alone. */
static void expect_error(struct ctl_bench *b, const struct ctl_request *r,
			 int error)
{
	int fd = ctl_bench_ask(b, r);
	struct ctl_status st;

	assert_int_equal(ctl_bench_answer(b, fd, &st, sizeof(st), r->verb,
					  error), sizeof(st.head));
	assert_int_equal(b->fills, 0);
	close(fd);
}

static void another_version_and_an_unknown_verb_are_errors(void **state)
{
	struct ctl_bench *b = *state;
	struct ctl_request r = ctl_bench_request(CTL_STATUS, 0);

	r.version++;
	expect_error(b, &r, -EPROTONOSUPPORT);
	r = ctl_bench_request(CTL_STATUS, 0);
	r.verb = 99;
	expect_error(b, &r, -EOPNOTSUPP);
}

/* So many answers fit into a socket's buffer, and no more. */
static void who_does_not_take_its_answers_is_hung_up_on(void **state)
{
	struct ctl_bench *b = *state;
	struct ctl_request r = ctl_bench_request(CTL_STATUS, 0);
	int fd = ctl_bench_connect(b);
	struct ctl_status st;
	unsigned taken = 0;

	for (int i = 0; i < 2000 && send(fd, &r, sizeof(r), MSG_NOSIGNAL) ==
					    sizeof(r); i++)
		ctl_bench_serve(b);
	while (recv(fd, &st, sizeof(st), 0) > 0)
		taken++;
	assert_in_range(taken, 16, 1900);
	close(fd);
}

static void close_after_status(struct ctl_bench *b)
{
	int fd = ctl_bench_connect(b);

	ask_status(b, fd);
	close(fd);
}

static void who_leaves_at_once_leaves_nothing(void **state)
{
	struct ctl_bench *b = *state;

	for (int i = 0; i < 3 * CTL_CONNECTIONS; i++) {
		close(ctl_bench_connect(b));
		ctl_bench_serve(b);
	}
	close_after_status(b);
}

/* Faults B11 */
static void the_oldest_makes_room_for_one_too_many(void **state)
{
	struct ctl_bench *b = *state;
	int fd[CTL_CONNECTIONS + 1];

	for (int i = 0; i <= CTL_CONNECTIONS; i++)
		fd[i] = ctl_bench_connect(b);
	ctl_bench_await(b, fd[0]);
	assert_true(ctl_bench_is_closed(fd[0]));
	for (int i = 1; i <= CTL_CONNECTIONS; i++)
		assert_false(ctl_bench_is_closed(fd[i]));
	for (int i = 0; i <= CTL_CONNECTIONS; i++)
		close(fd[i]);
}

static void who_says_nothing_is_closed_after_a_while(void **state)
{
	struct ctl_bench *b = *state;
	int fd = ctl_bench_connect(b);

	/* the second one's answer tells that the first one was accepted */
	close_after_status(b);
	ctl_server_expire(b->server, clock_now());
	assert_false(ctl_bench_is_closed(fd));
	ctl_server_expire(b->server, clock_now() + CTL_IDLE);
	assert_true(ctl_bench_is_closed(fd));
	close(fd);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, ctl_bench_setup, \
						ctl_bench_teardown)
	const struct CMUnitTest tests[] = {
		T(a_connection_is_answered_as_often_as_it_asks),
		T(what_is_no_request_is_not_answered),
		T(another_version_and_an_unknown_verb_are_errors),
		T(who_does_not_take_its_answers_is_hung_up_on),
		T(who_leaves_at_once_leaves_nothing),
		T(the_oldest_makes_room_for_one_too_many),
		T(who_says_nothing_is_closed_after_a_while),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
