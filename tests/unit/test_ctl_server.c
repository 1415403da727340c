/*
 * test_ctl_server.c - the engine's end of the control socket
 */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../src/clock.h"
#include "../../src/ctl_server.h"

struct fixture {
	struct loop *loop;
	struct ctl_server *server;
	struct sockaddr_un name;
	socklen_t name_len;
	int listener;
	unsigned fills;
};

static void fill(void *ctx, struct ctl_status *st)
{
	struct fixture *f = ctx;

	f->fills++;
	st->pid = 4711;
}

static const struct ctl_ops ops = {.status = fill};

static void stop(void *ctx, uint32_t events)
{
	struct fixture *f = ctx;

	(void)events;
	loop_stop(f->loop, 0);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	/* bound to no name: the kernel gives an abstract one */
	f->name.sun_family = AF_UNIX;
	f->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(f->listener, (struct sockaddr *)&f->name,
			      sizeof(sa_family_t)),
			 0);
	f->name_len = sizeof(f->name);
	getsockname(f->listener, (struct sockaddr *)&f->name, &f->name_len);
	assert_int_equal(listen(f->listener, 64), 0);
	assert_int_equal(loop_new(&f->loop), 0);
	assert_int_equal(
		ctl_server_new(&f->server, f->loop, f->listener, &ops, f), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	ctl_server_free(f->server);
	loop_free(f->loop);
	close(f->listener);
	free(f);
	return 0;
}

static int connect_to(struct fixture *f)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&f->name, f->name_len),
			 0);
	return fd;
}

/* A turn of the loop and the next ones for a millisecond. */
static void serve(struct fixture *f)
{
	loop_deadline(f->loop, clock_now() + 1000000, stop, f);
	loop_run(f->loop);
}

/* Serves until fd has an answer or is closed. */
static void serve_until(struct fixture *f, int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	for (int i = 0; i < 5000 && poll(&p, 1, 0) == 0; i++)
		serve(f);
	assert_int_equal(poll(&p, 1, 0), 1);
}

static struct ctl_request request(void)
{
	return (struct ctl_request){
		.magic = CTL_MAGIC, .version = CTL_VERSION, .verb = CTL_STATUS};
}

static bool is_closed(int fd)
{
	char c;

	return recv(fd, &c, 1, 0) == 0;
}

static struct ctl_status ask_status(struct fixture *f, int fd)
{
	struct ctl_request r = request();
	struct ctl_status st;

	assert_int_equal(send(fd, &r, sizeof(r), 0), sizeof(r));
	serve_until(f, fd);
	assert_int_equal(recv(fd, &st, sizeof(st), 0), sizeof(st));
	assert_int_equal(st.head.magic, CTL_MAGIC);
	assert_int_equal(st.head.version, CTL_VERSION);
	assert_int_equal(st.head.verb, CTL_STATUS);
	assert_int_equal(st.head.error, 0);
	assert_true(st.head.now > clock_now() - 10000000000u);
	assert_int_equal(st.pid, 4711);
	return st;
}

static void a_connection_is_answered_as_often_as_it_asks(void **state)
{
	struct fixture *f = *state;
	int fd = connect_to(f);

	ask_status(f, fd);
	ask_status(f, fd);
	assert_int_equal(f->fills, 2);
	close(fd);
}

static void expect_refusal(struct fixture *f, const void *data, size_t len)
{
	int fd = connect_to(f);

	assert_int_equal(send(fd, data, len, 0), len);
	serve_until(f, fd);
	assert_true(is_closed(fd));
	close(fd);
	assert_int_equal(f->fills, 0);
}

static void what_is_no_request_is_not_answered(void **state)
{
	struct fixture *f = *state;
	struct ctl_request r = request(), bad;
	uint8_t longer[sizeof(r) + 1];

	memcpy(longer, &r, sizeof(r));
	longer[sizeof(r)] = 0;
	expect_refusal(f, &r, sizeof(r) - 1);
	expect_refusal(f, longer, sizeof(longer));
	bad = r;
	bad.magic++;
	expect_refusal(f, &bad, sizeof(bad));
}

/* What comes is the head alone. */
static void expect_error(struct fixture *f, const struct ctl_request *r,
			 int error)
{
	int fd = connect_to(f);
	struct ctl_status st;

	assert_int_equal(send(fd, r, sizeof(*r), 0), sizeof(*r));
	serve_until(f, fd);
	assert_int_equal(recv(fd, &st, sizeof(st), 0), sizeof(st.head));
	assert_int_equal(st.head.magic, CTL_MAGIC);
	assert_int_equal(st.head.verb, r->verb);
	assert_int_equal(st.head.error, error);
	assert_int_equal(f->fills, 0);
	close(fd);
}

static void another_version_and_an_unknown_verb_are_errors(void **state)
{
	struct fixture *f = *state;
	struct ctl_request r = request();

	r.version++;
	expect_error(f, &r, -EPROTONOSUPPORT);
	r = request();
	r.verb = 99;
	expect_error(f, &r, -EOPNOTSUPP);
}

/* So many answers fit into a socket's buffer, and no more. */
static void who_does_not_take_its_answers_is_hung_up_on(void **state)
{
	struct fixture *f = *state;
	struct ctl_request r = request();
	int fd = connect_to(f);
	struct ctl_status st;
	unsigned taken = 0;

	for (int i = 0; i < 2000 && send(fd, &r, sizeof(r), MSG_NOSIGNAL) ==
					    sizeof(r); i++)
		serve(f);
	while (recv(fd, &st, sizeof(st), 0) > 0)
		taken++;
	assert_in_range(taken, 16, 1900);
	close(fd);
}

static void close_after_status(struct fixture *f)
{
	int fd = connect_to(f);

	ask_status(f, fd);
	close(fd);
}

static void who_leaves_at_once_leaves_nothing(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 3 * CTL_CONNECTIONS; i++) {
		close(connect_to(f));
		serve(f);
	}
	close_after_status(f);
}

/* Faults B11 */
static void the_oldest_makes_room_for_one_too_many(void **state)
{
	struct fixture *f = *state;
	int fd[CTL_CONNECTIONS + 1];

	for (int i = 0; i <= CTL_CONNECTIONS; i++)
		fd[i] = connect_to(f);
	serve_until(f, fd[0]);
	assert_true(is_closed(fd[0]));
	for (int i = 1; i <= CTL_CONNECTIONS; i++)
		assert_false(is_closed(fd[i]));
	for (int i = 0; i <= CTL_CONNECTIONS; i++)
		close(fd[i]);
}

static void who_says_nothing_is_closed_after_a_while(void **state)
{
	struct fixture *f = *state;
	int fd = connect_to(f);

	/* the second one's answer tells that the first one was accepted */
	close_after_status(f);
	ctl_server_expire(f->server, clock_now());
	assert_false(is_closed(fd));
	ctl_server_expire(f->server, clock_now() + CTL_IDLE);
	assert_true(is_closed(fd));
	close(fd);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
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
