/*
 * test_tun6.c - the tun device, in a network namespace of its own
 *
 * ioctl() is wrapped, to refuse what a kernel may be too old for.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../libtun6/tun6.h"
#include "netns.h"

#define USO46 0x60ul	/* TUN_F_USO4, TUN_F_USO6 */

int __real_ioctl(int fd, unsigned long request, ...);
int __wrap_ioctl(int fd, unsigned long request, ...);

static unsigned long refused;	/* bits of TUNSETOFFLOAD */
static unsigned long asked[4];
static unsigned n_asked;
static bool no_vnet;

int __wrap_ioctl(int fd, unsigned long request, ...)
{
	struct ifreq *req;
	va_list ap;

	va_start(ap, request);
	req = va_arg(ap, void *);
	va_end(ap);
	errno = EINVAL;
	if (request == TUNSETOFFLOAD) {
		asked[n_asked++] = (unsigned long)req;
		if (((unsigned long)req & refused) != 0)
			return -1;
	}
	if (request == TUNSETIFF && no_vnet &&
	    (req->ifr_flags & IFF_VNET_HDR) != 0)
		return -1;
	return __real_ioctl(fd, request, req);
}

static int open_tun(const char *name)
{
	char got[IF_NAMESIZE];
	bool vnet = false;
	int fd;

	fd = tun6_open(name, got, &vnet);
	assert_true(fd >= 0);
	assert_string_equal(got, name);
	return fd;
}

static const uint8_t packet[40] = {
	0x60, [6] = 59, [7] = 64, [8] = 0x20, [9] = 1, [24] = 0x20, [25] = 1};
static const struct iovec whole = {(void *)(uintptr_t)packet, sizeof(packet)};

static void the_kernel_may_choose_the_name(void **ctx)
{
	char name[IF_NAMESIZE];
	bool vnet = false;
	int fd;

	(void)ctx;
	fd = tun6_open(NULL, name, &vnet);
	assert_true(fd >= 0);
	assert_int_not_equal(if_nametoindex(name), 0);
	close(fd);
	assert_int_equal(if_nametoindex(name), 0);
}

static void a_name_that_is_taken_is_busy(void **ctx)
{
	char name[IF_NAMESIZE];
	bool vnet = false;
	int fd = open_tun("teredo");

	(void)ctx;
	assert_int_equal(tun6_open("teredo", name, &vnet), -EBUSY);
	assert_int_equal(tun6_open("lo", name, &vnet), -EBUSY);
	assert_int_equal(tun6_open("a_name_too_long_", name, &vnet), -EINVAL);
	close(fd);
}

static void what_the_stack_sends_can_be_read(void **ctx)
{
	int fd = open_tun("teredo");
	struct pollfd p = {.fd = fd, .events = POLLIN};
	uint8_t buf[2048];
	ssize_t n;

	(void)ctx;
	assert_int_equal(tun6_read(fd, buf, sizeof(buf)), -EAGAIN);
	assert_true(netns_set_link("teredo", true));
	/* its own solicitations and multicast reports */
	assert_int_equal(poll(&p, 1, 5000), 1);
	n = tun6_read(fd, buf, sizeof(buf));
	assert_true(n >= 40);
	assert_int_equal(buf[0] >> 4, 6);
	assert_int_equal(n, 40 + buf[4] * 256 + buf[5]);
	close(fd);
}

static void a_packet_is_taken_only_while_the_link_is_up(void **ctx)
{
	int fd = open_tun("teredo");

	(void)ctx;
	assert_int_equal(tun6_write(fd, &whole, 1), -EIO);
	assert_true(netns_set_link("teredo", true));
	assert_int_equal(tun6_write(fd, &whole, 1), 0);
	close(fd);
}

/* Before Linux 2.6.27. */
static void without_a_virtio_header_it_opens_all_the_same(void **ctx)
{
	char name[IF_NAMESIZE];
	bool vnet = true;
	int fd;

	(void)ctx;
	no_vnet = true;
	fd = tun6_open("teredo", name, &vnet);
	no_vnet = false;
	assert_true(fd >= 0);
	assert_false(vnet);
	assert_true(netns_set_link("teredo", true));
	assert_int_equal(tun6_write(fd, &whole, 1), 0);
	close(fd);
}

/* What is asked for in turn, and what comes of it. */
static void expect_offload(unsigned want, unsigned long refuse, unsigned tries,
			   unsigned got)
{
	char name[IF_NAMESIZE];
	bool vnet = true;
	int fd = tun6_open("teredo", name, &vnet);

	assert_true(fd >= 0 && vnet);
	n_asked = 0;
	refused = refuse;
	assert_int_equal(tun6_offload(fd, want), got);
	refused = 0;
	assert_int_equal(n_asked, tries);
	close(fd);
}

static void offloads_are_what_the_kernel_has(void **ctx)
{
	const unsigned both = TUN6_TSO | TUN6_USO;

	(void)ctx;
	expect_offload(both, 0, 1, both);
	assert_int_equal(asked[0] & USO46, USO46);
	/* before Linux 6.2 */
	expect_offload(both, USO46, 2, TUN6_TSO);
	assert_int_equal(asked[0] & USO46, USO46);
	assert_int_equal(asked[1], asked[0] & ~USO46);
	expect_offload(both, TUN_F_TSO6, 2, 0);
	expect_offload(TUN6_TSO, 0, 1, TUN6_TSO);
	assert_int_equal(asked[0] & USO46, 0);
	/* without TSO there is no USO, and what was on goes off */
	expect_offload(TUN6_USO, 0, 1, 0);
	assert_int_equal(asked[0], 0);
	expect_offload(0, 0, 1, 0);
	assert_int_equal(asked[0], 0);
}

static void carrier_follows(void **ctx)
{
	int fd = open_tun("teredo");

	(void)ctx;
	assert_true(netns_set_link("teredo", true));
	assert_int_equal(tun6_carrier(fd, false), 0);
	assert_false(netns_has_carrier("teredo"));
	assert_int_equal(tun6_carrier(fd, true), 0);
	assert_true(netns_has_carrier("teredo"));
	close(fd);
}

static void what_waits_can_be_thrown_away(void **ctx)
{
	int fd = open_tun("teredo");
	struct pollfd p = {.fd = fd, .events = POLLIN};

	(void)ctx;
	assert_true(netns_set_link("teredo", true));
	/* its own solicitations and multicast reports */
	assert_int_equal(poll(&p, 1, 5000), 1);
	assert_int_equal(tun6_carrier(fd, false), 0);
	tun6_discard(fd);
	assert_int_equal(poll(&p, 1, 0), 0);
	close(fd);
}

/* A sender that is faster than we are does not keep us. */
static void throwing_away_has_an_end(void **ctx)
{
	int fd = open("/dev/zero", O_RDONLY);

	(void)ctx;
	assert_true(fd >= 0);
	alarm(10);
	tun6_discard(fd);
	alarm(0);
	close(fd);
}

static void a_deleted_interface_is_made_again_on_its_descriptor(void **ctx)
{
	int fd = open_tun("teredo");
	uint8_t buf[2048];

	(void)ctx;
	assert_true(netns_set_link("teredo", true));
	assert_true(netns_delete_link("teredo"));
	assert_int_equal(tun6_read(fd, buf, sizeof(buf)), -EBADFD);
	assert_int_equal(tun6_write(fd, &whole, 1), -EBADFD);
	assert_int_equal(tun6_reattach(fd, "teredo", false), 0);
	assert_int_not_equal(if_nametoindex("teredo"), 0);
	assert_true(netns_set_link("teredo", true));
	assert_int_equal(tun6_write(fd, &whole, 1), 0);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_kernel_may_choose_the_name),
		cmocka_unit_test(a_name_that_is_taken_is_busy),
		cmocka_unit_test(what_the_stack_sends_can_be_read),
		cmocka_unit_test(a_packet_is_taken_only_while_the_link_is_up),
		cmocka_unit_test(without_a_virtio_header_it_opens_all_the_same),
		cmocka_unit_test(offloads_are_what_the_kernel_has),
		cmocka_unit_test(carrier_follows),
		cmocka_unit_test(what_waits_can_be_thrown_away),
		cmocka_unit_test(throwing_away_has_an_end),
		cmocka_unit_test(
			a_deleted_interface_is_made_again_on_its_descriptor),
	};

	if (!netns_enter_with_tun())
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
