/*
 * test_server_echo.c - the server carries and answers small echoes
 *
 * RFC 4380 5.2.9, 5.3.1: connectivity tests to native IPv6, echoes between
 * clients, and to the server itself.
 */
#include "config.h"

#include "server_bench.h"

static struct teredo_addr client(void)
{
	return teredo6(S1, 0, CLIENT, 40000);
}

static struct teredo_ep from_client(void)
{
	return ep4(CLIENT, 40000);
}

/* S-FWD-03: as it is, hop limit and all */
static void a_connectivity_test_goes_to_native_ipv6(void **state)
{
	struct server_bench *b = *state;
	struct test_packet in = make_icmp6(client(), ip6(NATIVE), 128, 26);
	struct teredo_verdict v;

	in.b[7] = 128;
	v = bench_give(b, &in, from_client(), TEREDO_VIA_PRIMARY);
	assert_int_equal(v.fate, TEREDO_TO_NATIVE6);
	assert_int_equal(v.off, 0);
	assert_int_equal(v.len, 66);
	assert_int_equal(bench_count(b, TEREDO_EV_echo_forwarded), 1);

	v = bench_give(b, &in, from_client(), TEREDO_VIA_SECONDARY);
	assert_int_equal(v.fate, TEREDO_TO_NATIVE6);
}

static void an_echo_reply_goes_to_native_ipv6(void **state)
{
	struct test_packet in = make_icmp6(client(), ip6(NATIVE), 129, 26);

	expect_native(*state, &in, from_client());
}

/* Only the packet itself: elements before it and trailers stay here */
static void native_ipv6_sees_the_packet_only(void **state)
{
	struct server_bench *b = *state;
	struct test_packet echo = make_icmp6(client(), ip6(NATIVE), 128, 26);
	struct test_packet in =
		with_auth(with_trailers(echo, 64), "12345678");
	struct teredo_verdict v =
		bench_give(b, &in, from_client(), TEREDO_VIA_PRIMARY);

	assert_int_equal(v.fate, TEREDO_TO_NATIVE6);
	assert_int_equal(v.off, 13);
	assert_int_equal(v.len, 66);
	assert_memory_equal(in.b + v.off, echo.b, echo.len);
	in = with_trailers(echo, 65);
	expect_drop(b, &in, from_client(), TEREDO_DROP_too_big);
}

/* S-CHK-09, SEC-OPEN-01 */
static void icmpv6_is_carried_up_to_88_octets(void **state)
{
	const struct teredo_addr dst[] = {
		ip6(NATIVE), teredo6(S1, 0, OTHER, 50000),
	};
	struct server_bench *b = *state;
	struct test_packet in;

	for (size_t i = 0; i < COUNT(dst); i++) {
		in = make_icmp6(client(), dst[i], 128, 88);
		assert_int_not_equal(bench_give(b, &in, from_client(),
						TEREDO_VIA_PRIMARY).fate,
				     TEREDO_DROP);
		in = make_icmp6(client(), dst[i], 128, 89);
		expect_drop(b, &in, from_client(), TEREDO_DROP_not_relayed);
		in = make_icmp6(client(), dst[i], 128, 1240);
		expect_drop(b, &in, from_client(), TEREDO_DROP_not_relayed);
	}
}

/* S-GEN-04; a solicitation (133) has its own reason */
static void no_other_icmpv6_is_carried(void **state)
{
	for (unsigned type = 0; type < 256; type++) {
		struct test_packet in =
			make_icmp6(client(), ip6(NATIVE), type, 26);
		enum teredo_counter why = type == 133 ? TEREDO_DROP_bad_rs :
						  TEREDO_DROP_not_relayed;

		if (type == 128 || type == 129)
			continue;
		expect_drop(*state, &in, from_client(), why);
		in = make_icmp6(client(), teredo6(S1, 0, OTHER, 50000), type,
				26);
		expect_drop(*state, &in, from_client(), why);
	}
}

static void a_damaged_echo_is_not_carried(void **state)
{
	struct test_packet in = make_icmp6(client(), ip6(NATIVE), 128, 26);

	in.b[50] ^= 1;
	expect_drop(*state, &in, from_client(), TEREDO_DROP_not_relayed);
	for (size_t len = 0; len < 8; len++) {
		in = make_icmp6(client(), ip6(NATIVE), 128, 8);
		in.len = 40 + len;
		fix_length(&in);
		if (len >= 4)
			fix_checksum(&in);
		expect_drop(*state, &in, from_client(),
			    TEREDO_DROP_not_relayed);
	}
}

/* SEC-V6D-01 */
static void native_ipv6_is_only_for_who_is_at_its_mapping(void **state)
{
	struct server_bench *b = *state;
	struct test_packet in = make_icmp6(client(), ip6(NATIVE), 128, 26);

	expect_drop(b, &in, ep4(CLIENT, 40001), TEREDO_DROP_spoofed);
	expect_drop(b, &in, ep4(OTHER, 40000), TEREDO_DROP_spoofed);
	in = make_icmp6(ip6("2001:db8::2"), ip6(NATIVE), 128, 26);
	expect_drop(b, &in, from_client(), TEREDO_DROP_spoofed);
	in = make_icmp6(ip6("fe80::1"), ip6(NATIVE), 128, 26);
	expect_drop(b, &in, from_client(), TEREDO_DROP_spoofed);
}

/* S-FWD-06, S-FWD-07: like a bubble */
static void an_echo_goes_from_client_to_client(void **state)
{
	struct server_bench *b = *state;
	struct test_packet in =
		make_icmp6(client(), teredo6(S1, 0, OTHER, 50000), 128, 26);
	struct test_packet out = with_origin(in, from_client());

	assert_octets(b, expect_udp(b, &in, from_client()), &out);
	assert_ep_equal(b->ob.item[0].to, ep4(OTHER, 50000));
	in = make_icmp6(client(), teredo6("203.0.113.99", 0, OTHER, 50000),
			129, 26);
	assert_octets(b, expect_udp(b, &in, from_client()), &in);
	assert_int_equal(bench_count(b, TEREDO_EV_echo_forwarded), 2);
}

/* S-CHK-06 */
static void a_relay_may_pass_an_echo_to_an_own_client(void **state)
{
	struct server_bench *b = *state;
	struct test_packet in = make_icmp6(ip6(NATIVE), client(), 129, 26);
	struct test_packet out = with_origin(in, ep4(OTHER, 3545));

	assert_octets(b, expect_udp(b, &in, ep4(OTHER, 3545)), &out);
}

/* S-FWD-01, S-GEN-03 */
static void the_server_answers_an_echo(void **state)
{
	static const char *const dst[] = { S1_LL, "ff02::2" };
	struct server_bench *b = *state;

	for (size_t i = 0; i < COUNT(dst); i++) {
		struct test_packet in = make_icmp6(client(), ip6(dst[i]), 128,
						   16);
		struct test_packet reply;
		const struct outbox_item *item;
		const uint8_t *out;

		memcpy(in.b + 44, "\x12\x34\x56\x78" "payload!", 12);
		fix_checksum(&in);
		reply = make_icmp6(ip6(S1_LL), client(), 129, 16);
		memcpy(reply.b + 44, in.b + 44, 12);
		fix_checksum(&reply);
		item = expect_udp(b, &in, from_client());
		out = outbox_data(&b->ob, item);
		reply.b[7] = out[7];
		assert_true(out[7] >= 1);
		assert_octets(b, item, &reply);
		assert_ep_equal(item->to, from_client());
		bench_give(b, &in, from_client(), TEREDO_VIA_SECONDARY);
		assert_int_equal(b->ob.item[0].via, TEREDO_VIA_SECONDARY);
	}
	assert_int_equal(bench_count(b, TEREDO_EV_echo_answered), 4);
}

/* Rule 7: rules 4 to 6 do not accept these */
static void a_stranger_gets_no_answer_to_an_echo(void **state)
{
	struct server_bench *b = *state;
	struct test_packet in = make_icmp6(ip6("fe80::1"), ip6(S1_LL), 128, 8);

	expect_drop(b, &in, from_client(), TEREDO_DROP_spoofed);
	in = make_icmp6(ip6(NATIVE), ip6("ff02::2"), 128, 8);
	expect_drop(b, &in, from_client(), TEREDO_DROP_spoofed);
	in = make_icmp6(client(), ip6(S1_LL), 128, 8);
	expect_drop(b, &in, ep4(CLIENT, 40001), TEREDO_DROP_spoofed);
}

static void nothing_else_at_the_server_is_answered(void **state)
{
	struct server_bench *b = *state;
	struct test_packet in = make_icmp6(client(), ip6(S1_LL), 129, 8);

	expect_drop(b, &in, from_client(), TEREDO_DROP_not_relayed);
	in = make_icmp6(client(), ip6(S1_LL), 128, 89);
	expect_drop(b, &in, from_client(), TEREDO_DROP_not_relayed);
	in = make_bubble(client(), ip6(S1_LL));
	expect_drop(b, &in, from_client(), TEREDO_DROP_not_relayed);
	in = make_bubble(client(), ip6("ff02::2"));
	expect_drop(b, &in, from_client(), TEREDO_DROP_not_relayed);
}

/* SEC-LOOP-03 */
static void the_servers_other_tunnels_are_not_reached(void **state)
{
	static const char *const own[] = {
		"2002:c633:6401::1", "2002:c633:6402::1", "2002:c633:64ff::1",
		"2001:db8::5efe:198.51.100.1",
		"2001:db8::200:5efe:198.51.100.2",
	};
	struct test_packet in;

	for (size_t i = 0; i < COUNT(own); i++) {
		in = make_icmp6(client(), ip6(own[i]), 128, 26);
		expect_drop(*state, &in, from_client(), TEREDO_DROP_loop);
	}
	in = make_icmp6(client(), ip6("2002:c000:201::1"), 128, 26);
	expect_native(*state, &in, from_client());
}

/* SEC-V6D-01: 20 at once, then 10/s */
static void a_client_tests_10_hosts_a_second(void **state)
{
	struct server_bench *b = *state;
	struct teredo_addr dst = ip6(NATIVE);
	unsigned passed = 0;

	for (unsigned i = 0; i < 10000; i++) {
		struct test_packet in;

		dst.b[8] = (uint8_t)(i >> 8);
		dst.b[9] = (uint8_t)i;
		in = make_icmp6(client(), dst, 128, 26);
		b->now += TEREDO_MS;
		passed += bench_give(b, &in, from_client(), TEREDO_VIA_PRIMARY)
				  .fate == TEREDO_TO_NATIVE6;
	}
	assert_in_range(passed, 100, 120);
}

/* SEC-V6D-01: 200 at once, then 100/s, from wherever it seems to come */
static void a_native_host_gets_100_tests_a_second(void **state)
{
	struct server_bench *b = *state;
	unsigned passed = 0;

	for (unsigned i = 0; i < 60000; i++) {
		const char *ip = i % 3 == 0 ? CLIENT :
				 i % 3 == 1 ? OTHER : "203.0.113.10";
		struct test_packet in = make_icmp6(
			teredo6(S1, 0, ip, 1024 + i), ip6(NATIVE), 128, 26);

		b->now += TEREDO_MS / 6;
		passed += bench_give(b, &in, ep4(ip, 1024 + i),
				     TEREDO_VIA_PRIMARY)
				  .fate == TEREDO_TO_NATIVE6;
	}
	assert_in_range(passed, 1190, 1201);
}

/* SEC-OPEN-01: the largest echoes with the largest trailers, for a minute */
static void two_hosts_get_less_than_500_octets_a_second(void **state)
{
	struct server_bench *b = *state;
	struct test_packet in = with_trailers(
		make_icmp6(client(), teredo6(S1, 0, OTHER, 50000), 128, 88),
		64);
	size_t carried = 0;

	for (unsigned i = 0; i < 60000; i++) {
		b->now += TEREDO_MS;
		if (bench_give(b, &in, from_client(), TEREDO_VIA_PRIMARY)
			    .fate == TEREDO_TAKEN)
			carried += b->ob.item[0].len;
	}
	assert_in_range(carried, 120 * 200, (120 + 8) * 200);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, bench_setup, bench_teardown)
	const struct CMUnitTest tests[] = {
		T(a_connectivity_test_goes_to_native_ipv6),
		T(an_echo_reply_goes_to_native_ipv6),
		T(native_ipv6_sees_the_packet_only),
		T(icmpv6_is_carried_up_to_88_octets),
		T(no_other_icmpv6_is_carried),
		T(a_damaged_echo_is_not_carried),
		T(native_ipv6_is_only_for_who_is_at_its_mapping),
		T(an_echo_goes_from_client_to_client),
		T(a_relay_may_pass_an_echo_to_an_own_client),
		T(the_server_answers_an_echo),
		T(a_stranger_gets_no_answer_to_an_echo),
		T(nothing_else_at_the_server_is_answered),
		T(the_servers_other_tunnels_are_not_reached),
		T(a_client_tests_10_hosts_a_second),
		T(a_native_host_gets_100_tests_a_second),
		T(two_hosts_get_less_than_500_octets_a_second),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
