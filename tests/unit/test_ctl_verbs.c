/*
 * test_ctl_verbs.c - what can be asked for at the control socket
 */
#include "config.h"

#include "ctl_bench.h"

/* Asks, and awaits the first message. */
static int begin(struct ctl_bench *b, enum ctl_verb verb, uint32_t value,
		 void *m, size_t size, size_t *len)
{
	struct ctl_request r = ctl_bench_request(verb, value);
	int fd = ctl_bench_ask(b, &r);

	*len = ctl_bench_answer(b, fd, m, size, verb, 0);
	return fd;
}

static void expect_error(struct ctl_bench *b, enum ctl_verb verb,
			 uint32_t value, int error)
{
	struct ctl_request r = ctl_bench_request(verb, value);
	int fd = ctl_bench_ask(b, &r);
	struct ctl_head head;

	ctl_bench_answer(b, fd, &head, sizeof(head), verb, error);
	close(fd);
}

static void peers_come_page_by_page(void **state)
{
	struct ctl_bench *b = *state;
	struct ctl_peers page;
	struct ctl_request r = ctl_bench_request(CTL_PEERS, 0);
	int fd = ctl_bench_connect(b);
	unsigned seen = 0;
	size_t len;

	do {
		assert_int_equal(send(fd, &r, sizeof(r), 0), sizeof(r));
		len = ctl_bench_answer(b, fd, &page, sizeof(page), CTL_PEERS,
				       0);
		assert_int_equal(len, offsetof(struct ctl_peers, peer) +
				 page.n * sizeof(page.peer[0]));
		assert_int_equal(b->from, r.value);
		for (unsigned i = 0; i < page.n; i++)
			assert_int_equal(page.peer[i].probes, seen++);
		r.value = page.next;
	} while (page.next != CTL_PEERS_END);
	assert_int_equal(seen, 100);
	close(fd);
}

static void an_address_is_looked_up(void **state)
{
	struct ctl_bench *b = *state;
	struct ctl_request r = ctl_bench_request(CTL_LOOKUP, 0);
	struct ctl_lookup l;
	int fd;

	memcpy(r.addr, "0123456789abcdef", 16);
	fd = ctl_bench_ask(b, &r);
	ctl_bench_answer(b, fd, &l, sizeof(l), CTL_LOOKUP, 0);
	assert_int_equal(l.would, TEREDO_WOULD_DELIVER);
	assert_memory_equal(b->addr, r.addr, 16);
	close(fd);
}

/* ---- events ---- */

static void happen(struct ctl_bench *b, uint32_t value, bool past)
{
	struct ctl_event event = {.kind = CTL_EVENT_STATE, .value = value};

	ctl_server_event(b->server, &event, past);
}

static void expect_event(struct ctl_bench *b, int fd, uint32_t value,
			 uint32_t lost)
{
	struct ctl_events m;

	assert_int_equal(ctl_bench_answer(b, fd, &m, sizeof(m), CTL_EVENTS, 0),
			 offsetof(struct ctl_events, event) +
			 sizeof(m.event[0]));
	assert_int_equal(m.n, 1);
	assert_int_equal(m.lost, lost);
	assert_int_equal(m.event[0].value, value);
}

static void who_listens_hears_what_happens_from_then_on(void **state)
{
	struct ctl_bench *b = *state;
	struct ctl_events m;
	size_t len;
	int fd;

	happen(b, 1, true);
	assert_false(ctl_server_listens(b->server));
	fd = begin(b, CTL_EVENTS, CTL_EVENTS_NEW, &m, sizeof(m), &len);
	assert_int_equal(m.n, 0);
	assert_true(ctl_server_listens(b->server));
	happen(b, 2, true);
	happen(b, 3, false);
	expect_event(b, fd, 2, 0);
	expect_event(b, fd, 3, 0);
	/* for as long as it likes */
	ctl_server_expire(b->server, clock_now() + 10 * CTL_IDLE);
	happen(b, 4, true);
	expect_event(b, fd, 4, 0);
	close(fd);
	ctl_bench_serve(b);
	assert_false(ctl_server_listens(b->server));
}

static void the_last_events_are_told_to_who_asks_later(void **state)
{
	struct ctl_bench *b = *state;
	struct ctl_events m;
	size_t len;
	int fd;

	for (uint32_t i = 0; i < 3 * CTL_EVENTS_MAX + 5; i++) {
		happen(b, i, true);
		happen(b, UINT32_MAX, false);
	}
	fd = begin(b, CTL_EVENTS, CTL_EVENTS_PAST, &m, sizeof(m), &len);
	assert_int_equal(len, sizeof(m));
	assert_int_equal(m.n, CTL_EVENTS_MAX);
	for (uint32_t i = 0; i < m.n; i++)
		assert_int_equal(m.event[i].value, 2 * CTL_EVENTS_MAX + 5 + i);
	assert_false(ctl_server_listens(b->server));
	close(fd);
	fd = begin(b, CTL_EVENTS, CTL_EVENTS_ALL, &m, sizeof(m), &len);
	assert_int_equal(m.n, CTL_EVENTS_MAX);
	happen(b, 4711, true);
	expect_event(b, fd, 4711, 0);
	close(fd);
}

static void a_slow_reader_loses_events_and_is_told_how_many(void **state)
{
	struct ctl_bench *b = *state;
	struct ctl_events m;
	uint32_t heard = 0;
	size_t len;
	int fd = begin(b, CTL_EVENTS, CTL_EVENTS_NEW, &m, sizeof(m), &len);

	for (uint32_t i = 0; i < 5000; i++)
		happen(b, i, true);
	while (recv(fd, &m, sizeof(m), 0) > 0) {
		assert_int_equal(m.lost, 0);
		assert_int_equal(m.event[0].value, heard++);
	}
	assert_in_range(heard, CTL_EVENTS_MAX, 4999);
	happen(b, 5000, true);
	expect_event(b, fd, 5000, 5000 - heard);
	happen(b, 5001, true);
	expect_event(b, fd, 5001, 0);
	close(fd);
}

static void no_more_streams_than_there_may_be(void **state)
{
	struct ctl_bench *b = *state;
	struct ctl_events m;
	int fd[CTL_STREAMS], more[2 * CTL_CONNECTIONS];
	size_t len;

	for (unsigned i = 0; i < CTL_STREAMS; i++)
		fd[i] = begin(b, CTL_EVENTS, CTL_EVENTS_NEW, &m, sizeof(m),
			      &len);
	expect_error(b, CTL_EVENTS, CTL_EVENTS_NEW, -EBUSY);
	expect_error(b, CTL_CAPTURE, 0, -EBUSY);
	assert_int_equal(b->captures, 0);
	/* the past is no stream, and nobody makes a stream make room */
	for (unsigned i = 0; i < 2 * CTL_CONNECTIONS; i++)
		more[i] = begin(b, CTL_EVENTS, CTL_EVENTS_PAST, &m, sizeof(m),
				&len);
	happen(b, 1, true);
	for (unsigned i = 0; i < CTL_STREAMS; i++)
		expect_event(b, fd[i], 1, 0);
	for (unsigned i = 0; i < 2 * CTL_CONNECTIONS; i++)
		close(more[i]);
	for (unsigned i = 0; i < CTL_STREAMS; i++)
		close(fd[i]);
}

static void a_stream_that_says_something_ends(void **state)
{
	struct ctl_bench *b = *state;
	struct ctl_request r = ctl_bench_request(CTL_STATUS, 0);
	struct ctl_events m;
	size_t len;
	int fd = begin(b, CTL_EVENTS, CTL_EVENTS_NEW, &m, sizeof(m), &len);

	assert_int_equal(send(fd, &r, sizeof(r), 0), sizeof(r));
	ctl_bench_await(b, fd);
	assert_true(ctl_bench_is_closed(fd));
	close(fd);
	expect_error(b, CTL_EVENTS, CTL_EVENTS_PAST + 1, -EINVAL);
}

/* ---- captured packets ---- */

static void a_capture_ends_with_its_last_packet(void **state)
{
	struct ctl_bench *b = *state;
	struct ctl_packet record = {.length = 4711};
	struct ctl_packets m;
	size_t len;
	int fd = begin(b, CTL_CAPTURE, 3, &m, sizeof(m), &len);

	assert_int_equal(m.n, 0);
	assert_int_equal(b->captures, 1);
	for (unsigned i = 0; i < 3; i++)
		ctl_server_packets(b->server, &record, sizeof(record), 1);
	assert_int_equal(b->ends, 1);
	for (unsigned i = 0; i < 3; i++) {
		len = ctl_bench_answer(b, fd, &m, sizeof(m), CTL_CAPTURE, 0);
		assert_int_equal(len, offsetof(struct ctl_packets, record) +
				 sizeof(record));
		assert_int_equal(m.n, 1);
		assert_memory_equal(m.record, &record, sizeof(record));
	}
	assert_true(ctl_bench_is_closed(fd));
	close(fd);
}

static void a_capture_goes_on_until_the_last_one_has_left(void **state)
{
	struct ctl_bench *b = *state;
	struct ctl_packets m;
	size_t len;
	int one = begin(b, CTL_CAPTURE, 0, &m, sizeof(m), &len);
	int two = begin(b, CTL_CAPTURE, 0, &m, sizeof(m), &len);

	assert_int_equal(b->captures, 1);
	close(one);
	ctl_bench_serve(b);
	assert_int_equal(b->ends, 0);
	close(two);
	for (int i = 0; i < 1000 && b->ends == 0; i++)
		ctl_bench_serve(b);
	assert_int_equal(b->ends, 1);
}

/* ---- the parent's ---- */

static void what_the_parent_has_to_do_is_handed_on(void **state)
{
	struct ctl_bench *b = *state;
	struct ctl_request r = ctl_bench_request(CTL_ANNOUNCE, CTL_RELEASE);
	int fd = ctl_bench_ask(b, &r);

	for (int i = 0; i < 1000 && b->handed_fd < 0; i++)
		ctl_bench_serve(b);
	assert_memory_equal(&b->handed, &r, sizeof(r));
	/* it is the parent's alone */
	assert_int_equal(send(b->handed_fd, "done", 4, 0), 4);
	close(b->handed_fd);
	b->handed_fd = -1;
	assert_int_equal(recv(fd, &r, sizeof(r), 0), 4);
	assert_true(ctl_bench_is_closed(fd));
	close(fd);
}

static void a_parent_that_does_not_listen_is_an_error(void **state)
{
	struct ctl_bench *b = *state;

	b->parent_error = -EAGAIN;
	expect_error(b, CTL_RELOAD, 0, -EAGAIN);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, ctl_bench_setup, \
						ctl_bench_teardown)
	const struct CMUnitTest tests[] = {
		T(peers_come_page_by_page),
		T(an_address_is_looked_up),
		T(who_listens_hears_what_happens_from_then_on),
		T(the_last_events_are_told_to_who_asks_later),
		T(a_slow_reader_loses_events_and_is_told_how_many),
		T(no_more_streams_than_there_may_be),
		T(a_stream_that_says_something_ends),
		T(a_capture_ends_with_its_last_packet),
		T(a_capture_goes_on_until_the_last_one_has_left),
		T(what_the_parent_has_to_do_is_handed_on),
		T(a_parent_that_does_not_listen_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
