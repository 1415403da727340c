/*
 * test_text.c - addresses and quantities for people
 */
#include "config.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../src/text.h"

#define SECOND 1000000000ull

static void addresses_are_written_as_people_do(void **state)
{
	const uint8_t addr[16] = {0x20, 1, 0xd, 0xb8, [15] = 1};
	char ip4[TEXT_IP4_LEN], ep[TEXT_EP_LEN], ip6[TEXT_IP6_LEN];

	(void)state;
	assert_string_equal(text_ip4(ip4, htonl(0xc0000201)), "192.0.2.1");
	assert_string_equal(text_ep(ep, htonl(0xffffffff), htons(65535)),
			    "255.255.255.255:65535");
	assert_string_equal(text_ip6(ip6, addr), "2001:db8::1");
}

static void durations_have_two_units(void **state)
{
	char buf[TEXT_AMOUNT_LEN];

	(void)state;
	assert_string_equal(text_duration(buf, SECOND - 1), "0 s");
	assert_string_equal(text_duration(buf, 59 * SECOND), "59 s");
	assert_string_equal(text_duration(buf, 61 * SECOND), "1 m 1 s");
	assert_string_equal(text_duration(buf, 11520 * SECOND), "3 h 12 m");
	assert_string_equal(text_duration(buf, 90000 * SECOND), "1 d 1 h");
	assert_string_equal(text_duration(buf, UINT64_MAX), "213503 d 23 h");
}

static void amounts_have_a_fitting_unit(void **state)
{
	char buf[TEXT_AMOUNT_LEN];

	(void)state;
	assert_string_equal(text_bytes(buf, 0), "0 B");
	assert_string_equal(text_bytes(buf, 1023), "1023 B");
	assert_string_equal(text_bytes(buf, 1024), "1.0 KiB");
	assert_string_equal(text_bytes(buf, 14889779), "14.2 MiB");
	assert_string_equal(text_bytes(buf, UINT64_MAX), "16384.0 PiB");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_written_as_people_do),
		cmocka_unit_test(durations_have_two_units),
		cmocka_unit_test(amounts_have_a_fitting_unit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
