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
#define HOSTS 4
#define NEIGHBOUR HOSTS		/* another port of host 0 */
#define DESTINATIONS (HOSTS + 1)

int __real_sendmmsg(int fd, struct mmsghdr *msg, unsigned n, int flags);
int __wrap_sendmmsg(int fd, struct mmsghdr *msg, unsigned n, int flags);

ssize_t __real_sendmsg(int fd, const struct msghdr *msg, int flags);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *msg, int flags);
int __wrap_ppoll(struct pollfd *fds, nfds_t n, const struct timespec *timeout,
		 const sigset_t *mask);

static unsigned calls, messages;
static int fail_all, fail_runs, fail_single; /* errno */
static uint32_t fail_runs_to; /* 0: all */
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

static bool fails(const struct msghdr *msg)
{
	const struct sockaddr_in *to = msg->msg_name;

	return fail_runs != 0 && msg->msg_control != NULL &&
	       (fail_runs_to == 0 || fail_runs_to == to->sin_addr.s_addr);
}

int __wrap_sendmmsg(int fd, struct mmsghdr *msg, unsigned n, int flags)
{
	unsigned ok = 0;

	calls++;
	while (ok < n && !fails(&msg[ok].msg_hdr))
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
	int from, to[DESTINATIONS];
	struct teredo_ep ep[DESTINATIONS];
	uint8_t data[70000];
	/* numbers that datagrams begin with */
	unsigned sent[DESTINATIONS], seen[DESTINATIONS];
};

/* 127.0.0.1 and so on */
static int open_udp(struct teredo_ep *ep, uint32_t host)
{
	int fd = udp_open((struct teredo_ep){
		.ip = htonl(INADDR_LOOPBACK + host) });

	*ep = udp_bound(fd);
	return fd;
}

static void begin(struct fixture *f, uint32_t features)
{
	udp_tx_free(f->tx);
	assert_int_equal(udp_tx_new(&f->tx, features), 0);
}

/* With counters and numbers at zero. */
static void begin_again(struct fixture *f)
{
	begin(f, ALL);
	memset(f->sent, 0, sizeof(f->sent));
	memset(f->seen, 0, sizeof(f->seen));
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct teredo_ep ep;

	*state = f;
	f->from = open_udp(&ep, 0);
	for (uint32_t i = 0; i < DESTINATIONS; i++)
		f->to[i] = open_udp(&f->ep[i], i % HOSTS);
	calls = messages = 0;
	fail_all = fail_runs = fail_single = 0;
	fail_runs_to = 0;
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
	for (unsigned i = 0; i < DESTINATIONS; i++)
		close(f->to[i]);
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

static void add_row(struct fixture *f, unsigned to, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		add(f, to, 700);
}

/* All that was sent is there, each as it was, in order. */
static void expect_all(struct fixture *f)
{
	static uint8_t buf[70000];
	uint32_t head[2];
	unsigned all = 0;
	ssize_t n;

	udp_tx_flush(f->tx);
	for (unsigned i = 0; i < DESTINATIONS; i++) {
		while ((n = recv(f->to[i], buf, sizeof(buf), 0)) >= 0) {
			memcpy(head, buf, sizeof(head));
			assert_int_equal(head[0], f->seen[i]++);
			assert_int_equal(n, head[1]);
		}
		assert_int_equal(f->seen[i], f->sent[i]);
		all += f->sent[i];
	}
	assert_int_equal(udp_tx_counts(f->tx)->packets, all);
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

static void two_ports_of_a_host_are_two_peers(void **state)
{
	struct fixture *f = *state;

	for (unsigned i = 0; i < 20; i++)
		add(f, i % 2 == 0 ? 0 : NEIGHBOUR, 100);
	expect_all(f);
	assert_int_equal(messages, 20);
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

/* An IPsec policy gives EIO, a small path MTU EINVAL in older kernels. */
static void a_destination_that_cannot_is_left_alone(void **state)
{
	struct fixture *f = *state;
	const int errors[] = { EIO, EINVAL };

	for (unsigned i = 0; i < 2; i++) {
		begin_again(f);
		fail_runs = errors[i];
		fail_runs_to = f->ep[0].ip;
		for (unsigned k = 0; k < 5; k++) {
			messages = 0;
			add_row(f, 0, 10);
			expect_all(f);
			/* asked once, and left alone; messages are not
			 * counted that a refused run is sent by */
			assert_int_equal(messages, k == 0 ? 0 : 10);
			add_row(f, 1, 10);
			expect_all(f);
			assert_int_equal(messages, k == 0 ? 1 : 11);
		}
		assert_int_equal(udp_tx_features(f->tx), ALL);
	}
}

/* One that is asked again, long after, and refuses again is still one. */
static void one_destination_does_not_speak_for_all(void **state)
{
	struct fixture *f = *state;

	fail_runs = EIO;
	for (unsigned k = 0; k < 5; k++) {
		for (unsigned i = 0; i < 4096; i += 64) {
			add_row(f, 0, 64);
			expect_all(f);
		}
		add_row(f, 0, 20);
		expect_all(f);
	}
	assert_int_equal(udp_tx_features(f->tx), ALL);
}

static void a_kernel_that_cannot_segment_is_not_asked_again(void **state)
{
	struct fixture *f = *state;
	const int errors[] = { EIO, EINVAL };

	for (unsigned i = 0; i < 2; i++) {
		begin_again(f);
		fail_runs = errors[i];
		for (unsigned to = 0; to < HOSTS; to++) {
			assert_int_equal(udp_tx_features(f->tx), ALL);
			add(f, to, 99);
			add_row(f, to, 70);
			expect_all(f);
		}
		assert_int_equal(udp_tx_features(f->tx), DATAPATH_BATCH);
		fail_runs = 0;
		messages = 0;
		add_row(f, 0, 10);
		expect_all(f);
		assert_int_equal(messages, 10);
	}
}

/* Somebody takes a run: it is not the kernel. */
static void a_run_that_is_taken_speaks_for_the_kernel(void **state)
{
	struct fixture *f = *state;

	/* all but the last, which takes one and then none, too */
	for (unsigned i = 0; i <= HOSTS; i++) {
		unsigned last = HOSTS - 1;

		fail_runs = i == last ? 0 : EIO;
		add_row(f, i < last ? i : last, 70);
		expect_all(f);
	}
	assert_int_equal(udp_tx_features(f->tx), ALL);
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

/* A firewall of this host does so. */
static void what_a_firewall_refuses_is_counted_by_itself(void **state)
{
	struct fixture *f = *state;

	for (unsigned i = 0; i < 2; i++) {	/* segments, and singly */
		fail_runs = fail_single = EPERM;
		for (unsigned k = 0; k < 3; k++)
			add(f, 0, 700);
		udp_tx_flush(f->tx);
		assert_int_equal(udp_tx_counts(f->tx)->packets, 0);
		assert_int_equal(udp_tx_counts(f->tx)->drops, 3);
		assert_int_equal(udp_tx_counts(f->tx)->refused, 3);
		assert_int_equal(udp_tx_counts(f->tx)->error, EPERM);
		begin(f, 0);
	}
	fail_runs = fail_single = ENETUNREACH;
	add(f, 0, 700);
	udp_tx_flush(f->tx);
	assert_int_equal(udp_tx_counts(f->tx)->drops, 1);
	assert_int_equal(udp_tx_counts(f->tx)->refused, 0);
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
		T(two_ports_of_a_host_are_two_peers),
		T(a_run_has_one_length),
		T(a_run_is_bounded),
		T(an_empty_datagram_is_sent),
		T(any_number_can_be_added),
		T(a_narrow_path_gets_single_datagrams),
		T(a_destination_that_cannot_is_left_alone),
		T(one_destination_does_not_speak_for_all),
		T(a_kernel_that_cannot_segment_is_not_asked_again),
		T(a_run_that_is_taken_speaks_for_the_kernel),
		T(a_kernel_without_sendmmsg_gets_sendmsg),
		T(without_features_each_is_sent_alone),
		T(what_a_firewall_refuses_is_counted_by_itself),
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
