/*
 * test_tun6.c - the tun device, in a network namespace of its own
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../libtun6/tun6.h"
#include "netns.h"

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
