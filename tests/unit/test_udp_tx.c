/*
 * test_udp_tx.c - many datagrams in few calls, and what becomes of them when
 * the kernel refuses
 *
 * Everything goes over the loopback of a namespace of its own, where UDP_GRO
 * is off, so that each datagram is received by itself. The calls are wrapped:
 * they count, and fail when a test says so.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../src/datapath.h"
#include "../../src/udp.h"
#include "../../src/udp_tx.h"
#include "netns.h"

#define ALL (DATAPATH_SEGMENT | DATAPATH_BATCH)

int __real_sendmmsg(int fd, struct mmsghdr *msg, unsigned n, int flags);
int __wrap_sendmmsg(int fd, struct mmsghdr *msg, unsigned n, int flags);

ssize_t __real_sendmsg(int fd, const struct msghdr *msg, int flags);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *msg, int flags);
int __wrap_ppoll(struct pollfd *fds, nfds_t n, const struct timespec *timeout,
		 const sigset_t *mask);

static unsigned calls, messages;
static int fail_all, fail_runs, fail_single; /* errno */
static unsigned waits, room_after; /* so many waits */

ssize_t __wrap_sendmsg(int fd, const struct msghdr *msg, int flags)
{
	if (fail_single == 0)
		return __real_sendmsg(fd, msg, flags);
	errno = fail_single;
	return -1;
}

int __wrap_ppoll(struct pollfd *fds, nfds_t n, const struct timespec *timeout,
		 const sigset_t *mask)
{
	assert_int_equal(n, 1);
	assert_int_equal(fds->events, POLLOUT);
	assert_int_equal(timeout->tv_sec, 0);
	assert_in_range(timeout->tv_nsec, 0, 1000000);
	assert_null(mask);
	if (++waits == room_after)
		fail_all = fail_single = 0;
	return 0;
}

int __wrap_sendmmsg(int fd, struct mmsghdr *msg, unsigned n, int flags)
{
	unsigned ok = 0;

	calls++;
	while (ok < n && (fail_runs == 0 || msg[ok].msg_hdr.msg_control == NULL))
		ok++;
	if (fail_all != 0 || (ok == 0 && n > 0)) {
		errno = fail_all != 0 ? fail_all : fail_runs;
		return -1;
	}
	messages += ok;
	return __real_sendmmsg(fd, msg, ok, flags);
}

struct fixture {
	struct udp_tx *tx;
	int from, to[2];
	struct teredo_ep ep[2];
	uint8_t data[70000];
	unsigned sent[2], seen[2]; /* numbers that datagrams begin with */
};

static int open_udp(struct teredo_ep *ep)
{
	int fd = udp_open((struct teredo_ep){ .ip = htonl(INADDR_LOOPBACK) });

	*ep = udp_bound(fd);
	return fd;
}

static void begin(struct fixture *f, uint32_t features)
{
	udp_tx_free(f->tx);
	assert_int_equal(udp_tx_new(&f->tx, features), 0);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct teredo_ep ep;

	*state = f;
	f->from = open_udp(&ep);
	f->to[0] = open_udp(&f->ep[0]);
	f->to[1] = open_udp(&f->ep[1]);
	calls = messages = 0;
	fail_all = fail_runs = fail_single = 0;
	waits = room_after = 0;
	assert_true(netns_set_mtu("lo", 65536));
	begin(f, ALL);
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	udp_tx_free(f->tx);
	close(f->from);
	close(f->to[0]);
	close(f->to[1]);
	free(f);
	return 0;
}

/* A datagram of len >= 8: a number in its own room, the rest in place. */
static void add(struct fixture *f, unsigned to, size_t len)
{
	uint32_t head[2] = { f->sent[to]++, (uint32_t)len };
	uint8_t *room = udp_tx_next(f->tx, sizeof(head));
	struct iovec piece[2] = { { room, sizeof(head) },
				  { f->data, len - sizeof(head) } };

	memcpy(room, head, sizeof(head));
	udp_tx_add(f->tx, f->from, f->ep[to], piece, len > 8 ? 2 : 1);
}

/* All that was sent is there, each as it was, in order. */
static void expect_all(struct fixture *f)
{
	static uint8_t buf[70000];
	uint32_t head[2];
	ssize_t n;

	udp_tx_flush(f->tx);
	for (unsigned i = 0; i < 2; i++) {
		while ((n = recv(f->to[i], buf, sizeof(buf), 0)) >= 0) {
			memcpy(head, buf, sizeof(head));
			assert_int_equal(head[0], f->seen[i]++);
			assert_int_equal(n, head[1]);
		}
		assert_int_equal(f->seen[i], f->sent[i]);
	}
	assert_int_equal(udp_tx_counts(f->tx)->packets,
			 f->sent[0] + f->sent[1]);
	assert_int_equal(udp_tx_counts(f->tx)->drops, 0);
}

static void equal_datagrams_to_one_peer_are_one_message(void **state)
{
	struct fixture *f = *state;

	for (unsigned i = 0; i < 20; i++)
		add(f, 0, 1000);
	add(f, 0, 999); /* the last one may be shorter */
	expect_all(f);
	assert_int_equal(messages, 1);
	assert_int_equal(udp_tx_counts(f->tx)->bytes, 20 * 1000 + 999);
}

static void messages_to_several_peers_are_one_call(void **state)
{
	struct fixture *f = *state;

	for (unsigned i = 0; i < 20; i++)
		add(f, i % 2, 100);
	expect_all(f);
	assert_int_equal(messages, 20);
	assert_int_equal(calls, 1);
}

static void a_run_has_one_length(void **state)
{
	struct fixture *f = *state;

	add(f, 0, 500);
	add(f, 0, 400);
	add(f, 0, 400);
	add(f, 0, 401);
	add(f, 0, 401);
	expect_all(f);
	assert_int_equal(messages, 3);
}

/* 64 segments and 65507 octets are what one message may have. */
static void a_run_is_bounded(void **state)
{
	struct fixture *f = *state;

	for (unsigned i = 0; i < 130; i++)
		add(f, 0, 10);
	for (unsigned i = 0; i < 110; i++)
		add(f, 1, 1228);
	expect_all(f);
	assert_int_equal(messages, 3 + 3);
}

static void an_empty_datagram_is_sent(void **state)
{
	struct fixture *f = *state;
	const struct iovec none = { f->data, 0 };
	char c;

	udp_tx_next(f->tx, 0);
	udp_tx_add(f->tx, f->from, f->ep[0], &none, 1);
	udp_tx_next(f->tx, 0);
	udp_tx_add(f->tx, f->from, f->ep[0], &none, 1);
	udp_tx_flush(f->tx);
	assert_int_equal(recv(f->to[0], &c, 1, 0), 0);
	assert_int_equal(recv(f->to[0], &c, 1, 0), 0);
	assert_int_equal(recv(f->to[0], &c, 1, 0), -1);
}

/* More than fits at a time goes out on its way; room is not used twice. */
static void any_number_can_be_added(void **state)
{
	struct fixture *f = *state;

	for (unsigned i = 0; i < 1000; i++) {
		uint32_t head[2] = { f->sent[0]++, 300 };
		uint8_t *room = udp_tx_next(f->tx, 300);
		struct iovec piece = { room, 300 };

		memset(room, 0, 300);
		memcpy(room, head, sizeof(head));
		udp_tx_add(f->tx, f->from, f->ep[0], &piece, 1);
	}
	for (unsigned i = 0; i < 1000; i++)
		add(f, i % 2, 50);
	expect_all(f);
}

/* ---- refused ---- */

/* The datagrams are fragmented then, which segments never are. */
static void a_narrow_path_gets_single_datagrams(void **state)
{
	struct fixture *f = *state;

	assert_true(netns_set_mtu("lo", 1280));
	for (unsigned i = 0; i < 5; i++)
		add(f, 0, 1300);
	expect_all(f);
	assert_int_equal(udp_tx_features(f->tx), ALL);
	/* it is remembered ... */
	messages = 0;
	for (unsigned i = 0; i < 5; i++)
		add(f, 0, 100);
	expect_all(f);
	assert_int_equal(messages, 5);
}

static void a_kernel_that_cannot_segment_is_not_asked_again(void **state)
{
	struct fixture *f = *state;
	const int errors[] = { EIO, EINVAL };

	for (unsigned i = 0; i < 2; i++) {
		begin(f, ALL);
		f->sent[0] = f->sent[1] = f->seen[0] = f->seen[1] = 0;
		fail_runs = errors[i];
		add(f, 1, 99);
		for (unsigned k = 0; k < 70; k++)
			add(f, 0, 700);
		add(f, 1, 99);
		expect_all(f);
		assert_int_equal(udp_tx_features(f->tx), DATAPATH_BATCH);
		fail_runs = 0;
		messages = 0;
		for (unsigned k = 0; k < 10; k++)
			add(f, 0, 700);
		expect_all(f);
		assert_int_equal(messages, 10);
	}
}

static void a_kernel_without_sendmmsg_gets_sendmsg(void **state)
{
	struct fixture *f = *state;

	fail_all = ENOSYS;
	for (unsigned i = 0; i < 10; i++)
		add(f, i / 5, 700);
	expect_all(f);
	assert_int_equal(calls, 1);
	assert_int_equal(udp_tx_features(f->tx), DATAPATH_SEGMENT);
}

static void without_features_each_is_sent_alone(void **state)
{
	struct fixture *f = *state;

	begin(f, 0);
	for (unsigned i = 0; i < 100; i++)
		add(f, i % 2, 700);
	expect_all(f);
	assert_int_equal(calls, 0);
}

static void what_cannot_be_sent_stops_nobody_else(void **state)
{
	struct fixture *f = *state;
	const struct iovec piece = { f->data, 100 };
	const struct teredo_ep nowhere = { htonl(0xc0000201), htons(9) };

	add(f, 0, 100);
	for (unsigned i = 0; i < 3; i++) {
		udp_tx_next(f->tx, 0);
		udp_tx_add(f->tx, f->from, nowhere, &piece, 1);
	}
	add(f, 1, 100);
	udp_tx_flush(f->tx);
	assert_int_equal(udp_tx_counts(f->tx)->packets, 2);
	assert_int_equal(udp_tx_counts(f->tx)->drops, 3);
	assert_int_equal(udp_tx_features(f->tx), ALL);
}

static void a_full_buffer_is_waited_for(void **state)
{
	struct fixture *f = *state;

	fail_all = EAGAIN;
	room_after = 2;
	for (unsigned i = 0; i < 70; i++)
		add(f, i % 2, 100 + i);
	expect_all(f);
	assert_int_equal(waits, 2);
}

static void a_full_buffer_is_waited_for_by_single_datagrams_too(void **state)
{
	struct fixture *f = *state;

	begin(f, 0);
	fail_single = EAGAIN;
	room_after = 3;
	for (unsigned i = 0; i < 10; i++)
		add(f, 0, 100);
	expect_all(f);
	begin(f, ALL);		/* and by those of a run that was refused */
	f->sent[0] = f->seen[0] = 0;
	fail_runs = EMSGSIZE;
	fail_single = EAGAIN;
	room_after = waits + 1;
	for (unsigned i = 0; i < 10; i++)
		add(f, 0, 100);
	expect_all(f);
	assert_int_equal(waits, 4);
}

/* Nobody is kept waiting for ever, whatever the number of datagrams. */
static void a_full_buffer_is_a_drop_and_no_end(void **state)
{
	struct fixture *f = *state;

	fail_all = EAGAIN;
	for (unsigned i = 0; i < 60; i++)
		add(f, i % 2, 100);
	udp_tx_flush(f->tx);
	assert_int_equal(udp_tx_counts(f->tx)->drops, 60);
	assert_int_equal(waits, 4);
	assert_int_equal(udp_tx_features(f->tx), ALL);
}

/* The waits are of a turn, which has many flushes, and not of each of them. */
static void a_device_that_is_stuck_is_waited_for_once(void **state)
{
	struct fixture *f = *state;

	fail_all = EAGAIN;
	for (unsigned turn = 0; turn < 5; turn++) {
		add(f, 0, 100);
		udp_tx_flush(f->tx);
		assert_int_equal(waits, 4);
	}
	assert_int_equal(udp_tx_counts(f->tx)->drops, 5);
	fail_all = 0;		/* there is room */
	add(f, 0, 100);
	udp_tx_flush(f->tx);
	assert_int_equal(udp_tx_counts(f->tx)->packets, 1);
	fail_all = EAGAIN;	/* and none again: worth a wait */
	room_after = waits + 1;
	add(f, 0, 100);
	udp_tx_flush(f->tx);
	assert_int_equal(waits, 5);
	assert_int_equal(udp_tx_counts(f->tx)->packets, 2);
	assert_int_equal(udp_tx_counts(f->tx)->drops, 5);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(equal_datagrams_to_one_peer_are_one_message),
		T(messages_to_several_peers_are_one_call),
		T(a_run_has_one_length),
		T(a_run_is_bounded),
		T(an_empty_datagram_is_sent),
		T(any_number_can_be_added),
		T(a_narrow_path_gets_single_datagrams),
		T(a_kernel_that_cannot_segment_is_not_asked_again),
		T(a_kernel_without_sendmmsg_gets_sendmsg),
		T(without_features_each_is_sent_alone),
		T(what_cannot_be_sent_stops_nobody_else),
		T(a_full_buffer_is_waited_for),
		T(a_full_buffer_is_waited_for_by_single_datagrams_too),
		T(a_full_buffer_is_a_drop_and_no_end),
		T(a_device_that_is_stuck_is_waited_for_once),
	};

	if (!netns_enter())
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
