/*
 * test_udp.c - the UDP socket, on a loopback of its own
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../src/udp.h"
#include "datagram.h"
#include "netns.h"

static struct teredo_ep local(uint16_t port)
{
	return (struct teredo_ep){.ip = htonl(INADDR_LOOPBACK),
				  .port = htons(port)};
}

static int open_any(struct teredo_ep *bound)
{
	int fd;

	fd = udp_open(local(0));
	assert_true(fd >= 0);
	*bound = udp_bound(fd);
	return fd;
}

static int receive(int fd, void *buf, uint32_t size, struct teredo_ep *from,
		   uint32_t *local_ip)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	assert_int_equal(poll(&p, 1, 5000), 1);
	return datagram_recv(fd, buf, size, from, local_ip);
}

static void a_datagram_arrives_with_both_its_addresses(void **ctx)
{
	struct teredo_ep a_ep, b_ep, from;
	int a = open_any(&a_ep), b = open_any(&b_ep);
	uint32_t to;
	char buf[64];

	(void)ctx;
	assert_int_equal(datagram_send(a, b_ep, "hello", 5), 0);
	assert_int_equal(receive(b, buf, sizeof(buf), &from, &to), 5);
	assert_memory_equal(buf, "hello", 5);
	assert_int_equal(from.ip, a_ep.ip);
	assert_int_equal(from.port, a_ep.port);
	assert_int_equal(to, b_ep.ip);
	close(a);
	close(b);
}

static void an_unbound_address_is_told_per_datagram(void **ctx)
{
	struct teredo_ep a_ep, from;
	int a = open_any(&a_ep), b = udp_open((struct teredo_ep){0});
	struct teredo_ep to = {.ip = htonl(0x7f000009)};
	uint32_t local_ip;
	char buf[8];

	(void)ctx;
	to.port = udp_bound(b).port;
	assert_int_not_equal(to.port, 0);
	assert_int_equal(udp_bound(b).ip, 0);
	assert_int_equal(datagram_send(a, to, "x", 1), 0);
	assert_int_equal(receive(b, buf, sizeof(buf), &from, &local_ip), 1);
	assert_int_equal(local_ip, to.ip);
	close(a);
	close(b);
}

static void an_empty_datagram_is_one(void **ctx)
{
	struct teredo_ep a_ep, from;
	int a = open_any(&a_ep);
	uint32_t to;
	char buf[8];

	(void)ctx;
	assert_int_equal(datagram_send(a, a_ep, "", 0), 0);
	assert_int_equal(receive(a, buf, sizeof(buf), &from, &to), 0);
	assert_int_equal(datagram_recv(a, buf, sizeof(buf), &from, &to),
			 -EAGAIN);
	close(a);
}

static void the_longest_datagram_passes(void **ctx)
{
	static char out[TEREDO_MAX_UDP], in[TEREDO_MAX_UDP + 1];
	struct teredo_ep a_ep, from;
	int a = open_any(&a_ep);
	uint32_t to;

	(void)ctx;
	memset(out, 'x', sizeof(out));
	assert_int_equal(datagram_send(a, a_ep, out, sizeof(out)), 0);
	assert_int_equal(receive(a, in, sizeof(in), &from, &to), sizeof(out));
	assert_int_equal(datagram_send(a, a_ep, in, sizeof(in)), -EMSGSIZE);
	close(a);
}

/* SEC-ICM-01: the kernel answers the closed port with an ICMP error, at once
 * and before datagram_send() returns. */
static void an_icmp_error_costs_no_packet(void **ctx)
{
	struct teredo_ep a_ep, b_ep, closed, from;
	int a = open_any(&a_ep), b = open_any(&b_ep), c = open_any(&closed);
	uint32_t to;
	char buf[8];

	(void)ctx;
	close(c);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(datagram_send(a, closed, "x", 1), 0);
		assert_int_equal(datagram_send(a, b_ep, "y", 1), 0);
		assert_int_equal(receive(b, buf, sizeof(buf), &from, &to), 1);
		assert_int_equal(datagram_recv(a, buf, sizeof(buf), &from, &to),
				 -EAGAIN);
	}
	assert_int_equal(poll(&(struct pollfd){.fd = a}, 1, 0), 0);
	close(a);
	close(b);
}

static void no_way_is_an_error_at_once(void **ctx)
{
	struct teredo_ep to = {.ip = htonl(0xc0000201), .port = htons(3544)};
	int a;

	(void)ctx;
	a = udp_open((struct teredo_ep){0});
	assert_int_equal(datagram_send(a, to, "x", 1), -ENETUNREACH);
	close(a);
}

static void a_port_that_is_taken_is_refused(void **ctx)
{
	struct teredo_ep ep;
	int a = open_any(&ep);

	(void)ctx;
	assert_int_equal(udp_open(ep), -EADDRINUSE);
	close(a);
}

static void an_address_of_another_host_is_refused(void **ctx)
{
	struct teredo_ep ep = {.ip = htonl(0xc0000201)};

	(void)ctx;
	assert_int_equal(udp_open(ep), -EADDRNOTAVAIL);
}

static void the_buffers_hold_a_burst(void **ctx)
{
	struct teredo_ep ep;
	int a = open_any(&ep), size = 0;
	socklen_t len = sizeof(size);

	(void)ctx;
	getsockopt(a, SOL_SOCKET, SO_RCVBUF, &size, &len);
	assert_true(size >= 4 * 1024 * 1024);
	getsockopt(a, SOL_SOCKET, SO_SNDBUF, &size, &len);
	assert_true(size >= 4 * 1024 * 1024);
	close(a);
}

/* A-MTU-03, G-ECN-01, G-UDP-01: as it is on the wire. */
static void df_tos_and_checksum_are_as_the_rfcs_say(void **ctx)
{
	struct teredo_ep ep;
	int a = open_any(&ep);
	int raw = socket(AF_INET, SOCK_RAW, IPPROTO_UDP);
	struct pollfd p = {.fd = raw, .events = POLLIN};
	struct {
		struct iphdr ip;
		struct udphdr udp;
		char data[16];
	} seen;

	(void)ctx;
	assert_true(raw >= 0);
	assert_int_equal(datagram_send(a, ep, "x", 1), 0);
	assert_int_equal(poll(&p, 1, 5000), 1);
	assert_int_equal(recv(raw, &seen, sizeof(seen), 0), 29);
	assert_int_equal(seen.ip.frag_off, 0);
	assert_int_equal(seen.ip.tos, 0);
	assert_int_not_equal(seen.udp.check, 0);
	close(raw);
	close(a);
}

/* C-LCD-01, C-LCD-04, Q5: shared, and deaf to all but the group. */
static void a_group_is_heard_by_all_who_listen(void **ctx)
{
	const struct teredo_ep group = { inet_addr("224.0.0.253"),
					 htons(3544) };
	const struct teredo_ep lo = { htonl(INADDR_LOOPBACK), htons(3544) };
	struct teredo_ep ep, from;
	int ear[2] = { udp_open_group(group), udp_open_group(group) };
	int server = udp_open(lo), a = open_any(&ep), ifindex = 1;
	const int on = 1;
	uint32_t to;
	char got[8];

	(void)ctx;
	assert_true(ear[0] >= 0 && ear[1] >= 0 && server >= 0);
	assert_int_equal(udp_set_link(a, ifindex), 0);
	/* on a loopback nothing would come */
	setsockopt(a, IPPROTO_IP, IP_MULTICAST_LOOP, &on, sizeof(on));
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(udp_join(ear[i], group.ip, ifindex), 0);
		assert_int_equal(udp_join(ear[i], group.ip, ifindex), 0);
	}
	assert_int_equal(datagram_send(a, lo, "no", 2), 0);
	assert_int_equal(datagram_send(a, group, "yes", 3), 0);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(datagram_recv(ear[i], got, sizeof(got), &from, &to),
				 3);
		assert_int_equal(to, group.ip);
	}
	udp_leave(ear[0], group.ip, ifindex);
	assert_int_equal(datagram_send(a, group, "yes", 3), 0);
	assert_int_equal(datagram_recv(ear[0], got, sizeof(got), &from, &to),
			 -EAGAIN);
	assert_int_equal(datagram_recv(ear[1], got, sizeof(got), &from, &to),
			 3);
	assert_int_equal(udp_join(ear[0], group.ip, 4711), -ENODEV);
	close(a);
	close(server);
	close(ear[0]);
	close(ear[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_datagram_arrives_with_both_its_addresses),
		cmocka_unit_test(an_unbound_address_is_told_per_datagram),
		cmocka_unit_test(an_empty_datagram_is_one),
		cmocka_unit_test(the_longest_datagram_passes),
		cmocka_unit_test(an_icmp_error_costs_no_packet),
		cmocka_unit_test(no_way_is_an_error_at_once),
		cmocka_unit_test(a_port_that_is_taken_is_refused),
		cmocka_unit_test(an_address_of_another_host_is_refused),
		cmocka_unit_test(the_buffers_hold_a_burst),
		cmocka_unit_test(df_tos_and_checksum_are_as_the_rfcs_say),
		cmocka_unit_test(a_group_is_heard_by_all_who_listen),
	};

	if (!netns_enter())
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
