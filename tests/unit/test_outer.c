/*
 * test_outer.c - the outer headers: what they say of the packet inside, and
 * what they do to it
 *
 * On a loopback of its own. RFC 9601 (ECN), 2983 (DSCP), 8085 (checksum),
 * RFC 4380 5.1.2 (fragments) and 5.2 (ports).
 */
#include "config.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../src/udp.h"
#include "datagram.h"
#include "netns.h"

#define CE 3 /* congestion experienced */

static int open_any(struct teredo_ep *bound)
{
	int fd = udp_open((struct teredo_ep){.ip = htonl(INADDR_LOOPBACK)});

	assert_true(fd >= 0);
	*bound = udp_bound(fd);
	return fd;
}

/* An IPv6 header with that traffic class, and 1240 octets after it. */
static void make_packet(uint8_t ip6[1280], unsigned traffic_class)
{
	memset(ip6, 0x5a, 1280);
	ip6[0] = (uint8_t)(0x60 | traffic_class >> 4);
	ip6[1] = (uint8_t)(traffic_class << 4);
}

static void expect_packet(int fd, const uint8_t ip6[1280])
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	struct teredo_ep from;
	uint8_t buf[2048];
	uint32_t to;

	assert_int_equal(poll(&p, 1, 5000), 1);
	assert_int_equal(datagram_recv(fd, buf, sizeof(buf), &from, &to), 1280);
	assert_memory_equal(buf, ip6, 1280);
}

static void set_option(int fd, int level, int name, int value)
{
	assert_int_equal(setsockopt(fd, level, name, &value, sizeof(value)), 0);
}

/* A socket of somebody else, connected to `to`. */
static int open_plain(struct teredo_ep to)
{
	const struct sockaddr_in sin = {.sin_family = AF_INET,
					.sin_port = to.port,
					.sin_addr.s_addr = to.ip};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	assert_int_equal(
		connect(fd, (const struct sockaddr *)&sin, sizeof(sin)), 0);
	return fd;
}

/* G-ECN-01, G-DSC-01: whatever is inside */
static void the_inner_class_does_not_show_outside(void **ctx)
{
	static const unsigned class[] = {0, 1, 2, CE, 0xb8, 0xff};
	struct teredo_ep ep;
	int a = open_any(&ep);
	int raw = socket(AF_INET, SOCK_RAW, IPPROTO_UDP);
	struct pollfd p = {.fd = raw, .events = POLLIN};
	uint8_t ip6[1280], seen[2048];

	(void)ctx;
	assert_true(raw >= 0);
	for (unsigned i = 0; i < sizeof(class) / sizeof(class[0]); i++) {
		make_packet(ip6, class[i]);
		assert_int_equal(datagram_send(a, ep, ip6, sizeof(ip6)), 0);
		assert_int_equal(poll(&p, 1, 5000), 1);
		assert_int_equal(recv(raw, seen, sizeof(seen), 0), 1308);
		assert_int_equal(seen[1], 0);
		assert_memory_equal(seen + 28, ip6, sizeof(ip6));
	}
	close(raw);
	close(a);
}

/* G-ECN-02: nothing is propagated, so the outer mark is ignored, whatever is
 * inside */
static void a_mark_outside_does_not_change_what_is_inside(void **ctx)
{
	struct teredo_ep ep;
	int a = open_any(&ep), b = open_plain(ep);
	uint8_t ip6[1280];

	(void)ctx;
	for (int outer = 0; outer <= CE; outer++)
		for (unsigned inner = 0; inner <= CE; inner++) {
			set_option(b, IPPROTO_IP, IP_TOS, outer);
			make_packet(ip6, inner);
			assert_int_equal(send(b, ip6, sizeof(ip6), 0),
					 sizeof(ip6));
			expect_packet(a, ip6);
		}
	close(b);
	close(a);
}

/* G-UDP-01 */
static void a_datagram_without_a_checksum_is_taken(void **ctx)
{
	struct teredo_ep ep;
	int a = open_any(&ep), b = open_plain(ep);
	int raw = socket(AF_INET, SOCK_RAW, IPPROTO_UDP);
	struct udphdr udp;
	uint8_t ip6[1280], seen[2048];

	(void)ctx;
	set_option(b, SOL_SOCKET, SO_NO_CHECK, 1);
	make_packet(ip6, 0);
	assert_int_equal(send(b, ip6, sizeof(ip6), 0), sizeof(ip6));
	expect_packet(a, ip6);
	assert_int_equal(recv(raw, seen, sizeof(seen), 0), 1308);
	memcpy(&udp, seen + sizeof(struct iphdr), sizeof(udp));
	assert_int_equal(udp.check, 0);
	close(raw);
	close(b);
	close(a);
}

static void set_mtu(int fd, int mtu)
{
	struct ifreq request = {.ifr_name = "lo", .ifr_mtu = mtu};

	assert_int_equal(ioctl(fd, SIOCSIFMTU, &request), 0);
}

/* A-MTU-03, G-FRG-01 */
static void what_a_line_cannot_carry_at_once_arrives_in_pieces(void **ctx)
{
	struct teredo_ep a_ep, b_ep;
	int a = open_any(&a_ep), b = open_any(&b_ep);
	uint8_t ip6[1280];

	(void)ctx;
	set_mtu(a, 1000);
	make_packet(ip6, 0);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(datagram_send(a, b_ep, ip6, sizeof(ip6)), 0);
		expect_packet(b, ip6);
	}
	set_mtu(a, 65536);
	close(b);
	close(a);
}

/* C-CFG-03, SEC-ADR-02: as long as nobody configures one */
static void ports_that_nobody_chose_cannot_be_told_in_advance(void **ctx)
{
	enum { N = 40 };
	unsigned steps[N] = {0};
	struct teredo_ep ep[N];
	int fd[N];

	(void)ctx;
	for (int i = 0; i < N; i++)
		fd[i] = open_any(&ep[i]);
	for (int i = 0; i < N; i++) {
		close(fd[i]);
		assert_int_not_equal(ep[i].port, 0);
		for (int k = 0; k < i; k++)
			assert_int_not_equal(ep[i].port, ep[k].port);
		if (i > 0)
			steps[i] = (uint16_t)(ntohs(ep[i].port) -
					      ntohs(ep[i - 1].port));
	}
	/* no step from one to the next is usual */
	for (int i = 1; i < N; i++) {
		int same = 0;

		for (int k = 1; k < N; k++)
			same += steps[i] == steps[k];
		assert_in_range(same, 1, 4);
	}
}

/* C-SYM-01, C-CFG-03 */
static void a_port_that_somebody_chose_is_the_one(void **ctx)
{
	struct teredo_ep want = {.ip = htonl(INADDR_LOOPBACK),
				 .port = htons(45678)};
	int raw = socket(AF_INET, SOCK_RAW, IPPROTO_UDP);
	int a = udp_open(want);
	struct udphdr udp;
	uint8_t seen[64];

	(void)ctx;
	assert_true(a >= 0);
	assert_int_equal(udp_bound(a).port, want.port);
	assert_int_equal(datagram_send(a, want, "x", 1), 0);
	assert_int_equal(recv(raw, seen, sizeof(seen), 0), 29);
	memcpy(&udp, seen + sizeof(struct iphdr), sizeof(udp));
	assert_int_equal(udp.source, want.port);
	close(a);
	close(raw);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_inner_class_does_not_show_outside),
		cmocka_unit_test(a_mark_outside_does_not_change_what_is_inside),
		cmocka_unit_test(a_datagram_without_a_checksum_is_taken),
		cmocka_unit_test(
			what_a_line_cannot_carry_at_once_arrives_in_pieces),
		cmocka_unit_test(
			ports_that_nobody_chose_cannot_be_told_in_advance),
		cmocka_unit_test(a_port_that_somebody_chose_is_the_one),
	};

	if (!netns_enter())
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
