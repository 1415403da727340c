/*
 * test_udp_rx.c - many datagrams in few calls
 *
 * Over the loopback of a namespace of its own; rows of datagrams come from
 * udp_tx, as from another Miredo. recvmmsg() is wrapped to be missing.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../src/datapath.h"
#include "../../src/udp.h"
#include "../../src/udp_rx.h"
#include "../../src/udp_tx.h"
#include "netns.h"

int __real_recvmmsg(int fd, struct mmsghdr *msg, unsigned n, int flags,
		    struct timespec *timeout);
int __wrap_recvmmsg(int fd, struct mmsghdr *msg, unsigned n, int flags,
		    struct timespec *timeout);

static bool missing;

int __wrap_recvmmsg(int fd, struct mmsghdr *msg, unsigned n, int flags,
		    struct timespec *timeout)
{
	if (!missing)
		return __real_recvmmsg(fd, msg, n, flags, timeout);
	errno = ENOSYS;
	return -1;
}

struct fixture {
	struct udp_rx *rx;
	struct udp_tx *tx;
	int from, to;
	struct teredo_ep from_ep, ep;
	uint32_t sent, seen, messages;
	uint8_t data[2000];
};

static int open_udp(struct teredo_ep *ep)
{
	int fd = udp_open((struct teredo_ep){ .ip = htonl(INADDR_LOOPBACK) });

	*ep = udp_bound(fd);
	return fd;
}

static void begin(struct fixture *f, uint32_t features)
{
	udp_rx_free(f->rx);
	assert_int_equal(udp_rx_new(&f->rx, features, NULL), 0);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	*state = f;
	missing = false;
	f->from = open_udp(&f->from_ep);
	f->to = open_udp(&f->ep);
	assert_int_equal(udp_tx_new(&f->tx, DATAPATH_SEGMENT | DATAPATH_BATCH),
			 0);
	begin(f, DATAPATH_BATCH);
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	udp_rx_free(f->rx);
	udp_tx_free(f->tx);
	close(f->from);
	close(f->to);
	free(f);
	return 0;
}

static void send_row(struct fixture *f, unsigned n, size_t len)
{
	for (; n > 0; n--) {
		uint8_t *room = udp_tx_next(f->tx, len);
		const struct iovec piece = { room, len };

		memset(room, 0, len);
		memcpy(room, &f->sent, sizeof(f->sent));
		f->sent++;
		udp_tx_add(f->tx, f->from, f->ep, &piece, 1);
	}
	udp_tx_flush(f->tx);
}

static void see(struct fixture *f, const struct udp_message *m)
{
	f->messages++;
	assert_int_equal(m->from.ip, f->from_ep.ip);
	assert_int_equal(m->from.port, f->from_ep.port);
	assert_int_equal(m->local_ip, htonl(INADDR_LOOPBACK));
	assert_true(m->size > 0);
	for (uint32_t at = 0; at < m->len; at += m->size) {
		assert_memory_equal(m->data + at, &f->seen, 4);
		f->seen++;
	}
}

static void expect_all(struct fixture *f)
{
	unsigned n;

	while ((n = udp_rx_receive(f->rx, f->to)) > 0) {
		assert_true(n <= udp_rx_slots(f->rx));
		for (unsigned i = 0; i < n; i++) {
			struct udp_message m = udp_rx_message(f->rx, i);

			see(f, &m);
		}
	}
	assert_int_equal(f->seen, f->sent);
}

static void one_receive_takes_many(void **state)
{
	struct fixture *f = *state;

	send_row(f, 10, 100);
	assert_int_equal(udp_rx_receive(f->rx, f->to), 10);
	for (unsigned i = 0; i < 10; i++) {
		struct udp_message m = udp_rx_message(f->rx, i);

		assert_int_equal(m.len, 100);
		assert_int_equal(m.size, 100);
		see(f, &m);
	}
	expect_all(f);
}

static void more_than_the_slots_stay_for_the_next(void **state)
{
	struct fixture *f = *state;

	for (unsigned i = 0; i < 3; i++)
		send_row(f, 40, 100 + i);
	expect_all(f);
	assert_int_equal(f->messages, 120);
}

/* A row that was sent in one piece stays in one piece. */
static void a_row_is_one_message_with_gro(void **state)
{
	struct fixture *f = *state;
	uint32_t got = udp_offload(f->to, DATAPATH_GRO | DATAPATH_SEGMENT);

	assert_int_equal(got, DATAPATH_GRO | DATAPATH_SEGMENT);
	send_row(f, 50, 1200);
	send_row(f, 1, 7);
	send_row(f, 20, 1201);
	expect_all(f);
	assert_int_equal(f->messages, 3);
	assert_int_equal(udp_offload(f->to, 0), 0);
	send_row(f, 50, 1200);
	expect_all(f);
	assert_int_equal(f->messages, 3 + 50);
}

static void the_last_of_a_row_may_be_shorter(void **state)
{
	struct fixture *f = *state;
	struct udp_message m;
	const struct iovec all[] = { { f->data, 500 }, { f->data, 499 } };

	udp_offload(f->to, DATAPATH_GRO);
	for (unsigned i = 0; i < 2; i++) {
		udp_tx_next(f->tx, 0);
		udp_tx_add(f->tx, f->from, f->ep, &all[i], 1);
	}
	udp_tx_flush(f->tx);
	assert_int_equal(udp_rx_receive(f->rx, f->to), 1);
	m = udp_rx_message(f->rx, 0);
	assert_int_equal(m.len, 999);
	assert_int_equal(m.size, 500);
}

static void an_empty_datagram_is_one(void **state)
{
	struct fixture *f = *state;
	const struct iovec none = { f->data, 0 };
	struct udp_message m;

	udp_tx_next(f->tx, 0);
	udp_tx_add(f->tx, f->from, f->ep, &none, 1);
	udp_tx_flush(f->tx);
	assert_int_equal(udp_rx_receive(f->rx, f->to), 1);
	m = udp_rx_message(f->rx, 0);
	assert_int_equal(m.len, 0);
	assert_int_equal(m.from.port, f->from_ep.port);
}

static void the_longest_datagram_fits(void **state)
{
	struct fixture *f = *state;

	send_row(f, 3, TEREDO_MAX_UDP);
	expect_all(f);
}

static void a_kernel_without_recvmmsg_gets_recvmsg(void **state)
{
	struct fixture *f = *state;

	missing = true;
	send_row(f, 10, 100);
	expect_all(f);
	assert_int_equal(f->messages, 10);
	assert_int_equal(udp_rx_slots(f->rx), 1);
	assert_int_equal(udp_rx_features(f->rx), 0);
}

static void without_features_each_is_received_alone(void **state)
{
	struct fixture *f = *state;

	begin(f, 0);
	missing = true; /* would be noticed */
	assert_int_equal(udp_rx_slots(f->rx), 1);
	send_row(f, 10, 100);
	expect_all(f);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(one_receive_takes_many),
		T(more_than_the_slots_stay_for_the_next),
		T(a_row_is_one_message_with_gro),
		T(the_last_of_a_row_may_be_shorter),
		T(an_empty_datagram_is_one),
		T(the_longest_datagram_fits),
		T(a_kernel_without_recvmmsg_gets_recvmsg),
		T(without_features_each_is_received_alone),
	};

	if (!netns_enter())
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
