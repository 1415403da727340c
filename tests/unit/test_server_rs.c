/*
 * test_server_rs.c - the server answers router solicitations
 *
 * RFC 4380 5.3.1 rule 4, 5.3.2. The exchange of protocol.md section 2 octet
 * by octet, then what must not be answered, then the limits.
 */
#include "config.h"

#include "server_bench.h"

#define NONCE "\x3a\xcf\x56\x44\xdb\xca\x1e\x9f"

/* As Debian's Miredo 1.2.6 sends it. */
static const char rs_hex[] =
	"00010000 3acf5644dbca1e9f 00"
	"60000000 0008 3a ff fe80000000000000 0000ffffffffffff"
	"ff02000000000000 0000000000000002 8500 7d37 00000000";

/* Behind the authentication element: origin 192.0.2.45:40000, IPv6 header
 * from S1_LL, RA, prefix 2001:0:c633:6401::/64, MTU 1280. */
static const char ra_hex[] =
	"0000 63bf 3ffffdd2"
	"60000000 0038 3a ff fe80000000000000 8000f22739cc9bfe"
	"fe80000000000000 0000ffffffffffff"
	"8600 954c 00 00 0000 00000000 000007d0"
	"0304 40 40 ffffffff ffffffff 00000000 20010000c6336401"
	"0000000000000000"
	"0501 0000 00000500";

static struct test_packet plain_rs(void)
{
	return make_rs(ip6("fe80::ffff:ffff:ffff"));
}

/* S-RS-01..07, S-RS-15, S-RS-16, S-GEN-06, A-ENC-04, A-ENC-05, A-MTU-02 */
static void the_observed_rs_gets_the_observed_ra(void **state)
{
	struct server_bench *b = *state;
	struct test_packet rs = { .len = 0 }, ra = { .len = 0 };
	const struct outbox_item *item;

	packet_hex(&rs, rs_hex);
	packet_hex(&ra, "00010000 3acf5644dbca1e9f 00");
	packet_hex(&ra, ra_hex);
	assert_int_equal(ra.len, 117);
	item = expect_udp(b, &rs, ep4(CLIENT, 40000));
	assert_octets(b, item, &ra);
	assert_ep_equal(item->to, ep4(CLIENT, 40000));
	assert_int_equal(item->via, TEREDO_VIA_PRIMARY);
	assert_int_equal(bench_count(b, TEREDO_EV_rs_received), 1);
	assert_int_equal(bench_count(b, TEREDO_EV_ra_sent), 1);
}

static void who_is_answered_is_seen_once(void **state)
{
	struct server_bench *b = *state;
	struct test_packet rs = plain_rs();

	assert_int_equal(teredo_server_clients(b->s, b->now), 0);
	expect_udp(b, &rs, ep4(CLIENT, 40000));
	expect_udp(b, &rs, ep4(CLIENT, 40000));
	assert_int_equal(teredo_server_clients(b->s, b->now), 1);
	expect_udp(b, &rs, ep4(CLIENT, 40001));
	expect_udp(b, &rs, ep4(OTHER, 40000));
	assert_int_equal(teredo_server_clients(b->s, b->now), 3);
	expect_drop(b, &rs, ep4("10.0.0.1", 40000), TEREDO_DROP_martian_v4);
	assert_int_equal(teredo_server_clients(b->s, b->now), 3);
	assert_int_equal(teredo_server_clients(b->s, b->now +
					       360 * TEREDO_SECOND), 0);
}

/* S-RS-15: no nonce of the client before */
static void a_plain_rs_gets_an_ra_without_authentication(void **state)
{
	struct server_bench *b = *state;
	struct test_packet rs = plain_rs(), ra = { .len = 0 };
	struct test_packet first = with_auth(rs, NONCE);

	packet_hex(&ra, ra_hex);
	assert_int_equal(ra.len, 104);
	expect_udp(b, &first, ep4(OTHER, 50000));
	assert_octets(b, expect_udp(b, &rs, ep4(CLIENT, 40000)), &ra);
}

/* A-ENC-03, S-RS-15: the nonce is found behind identifier and value */
static void identifier_and_value_are_not_echoed(void **state)
{
	static const uint8_t lens[] = { 0, 1, 16, 20, 255 };
	struct server_bench *b = *state;
	struct test_packet ra = { .len = 0 };

	packet_hex(&ra, "00010000 3acf5644dbca1e9f 00");
	packet_hex(&ra, ra_hex);
	for (size_t i = 0; i < COUNT(lens) * COUNT(lens); i++) {
		uint8_t id = lens[i % COUNT(lens)], au = lens[i / COUNT(lens)];
		struct test_packet rs = { .len = 4, .b = { 0, 1, id, au } };
		struct test_packet inner = plain_rs();

		memset(packet_more(&rs, (size_t)id + au), 0xa5,
		       (size_t)id + au);
		packet_put(&rs, NONCE "\0", 9);
		packet_put(&rs, inner.b, inner.len);
		b->now += TEREDO_SECOND;
		assert_octets(b, expect_udp(b, &rs, ep4(CLIENT, 40000)), &ra);
	}
}

static enum teredo_via ra_via(struct server_bench *b, const char *src,
			      enum teredo_via via)
{
	struct test_packet rs = make_rs(ip6(src)), ra = { .len = 0 };
	struct teredo_addr dst = ip6(src);
	struct teredo_verdict v =
		bench_give(b, &rs, ep4(CLIENT, 40000), via);
	const uint8_t *out = outbox_data(&b->ob, &b->ob.item[0]);

	assert_int_equal(v.fate, TEREDO_TAKEN);
	packet_hex(&ra, ra_hex);
	assert_memory_equal(out + 8 + 8, ra.b + 8 + 8, 16);	/* source */
	assert_memory_equal(out + 8 + 24, dst.b, 16);
	assert_memory_equal(out + 8 + 40 + 32, ra.b + 8 + 40 + 32, 16);
	return b->ob.item[0].via;
}

/* S-RS-09, S-GEN-02; the prefix is the primary's from both (S-RS-02) */
static void without_the_cone_bit_the_same_address_answers(void **state)
{
	assert_int_equal(ra_via(*state, "fe80::ffff:ffff:ffff",
				TEREDO_VIA_PRIMARY), TEREDO_VIA_PRIMARY);
	assert_int_equal(ra_via(*state, "fe80::ffff:ffff:ffff",
				TEREDO_VIA_SECONDARY), TEREDO_VIA_SECONDARY);
}

/* S-RS-08, S-CONE-01, S-GEN-05 */
static void with_the_cone_bit_the_other_address_answers(void **state)
{
	assert_int_equal(ra_via(*state, "fe80::8000:ffff:ffff:ffff",
				TEREDO_VIA_PRIMARY), TEREDO_VIA_SECONDARY);
	assert_int_equal(ra_via(*state, "fe80::8000:ffff:ffff:ffff",
				TEREDO_VIA_SECONDARY), TEREDO_VIA_PRIMARY);
}

static void one_address_cannot_answer_the_cone_bit(void **state)
{
	struct server_bench *b = bench_new(NULL, 1280);
	struct test_packet rs = make_rs(ip6("fe80::8000:ffff:ffff:ffff"));

	(void)state;
	expect_drop(b, &rs, ep4(CLIENT, 40000),
		    TEREDO_DROP_no_second_address);
	rs = plain_rs();
	expect_udp(b, &rs, ep4(CLIENT, 40000));
	bench_free(b);
}

/* S-CHK-04, A-ADDR-08 */
static void any_link_local_source_is_answered(void **state)
{
	static const char *const src[] = {
		"fe80::ffff:ffff:ffff", "fe80::8000:ffff:ffff:ffff",
		"fe80::8000:63bf:f5ff:fffe", "fe80::1",
		"fe80::211:22ff:fe33:4455", "fe80::63bf:3fff:fdd2",
	};
	struct server_bench *b = *state;

	for (size_t i = 0; i < COUNT(src); i++) {
		struct test_packet rs = make_rs(ip6(src[i]));

		expect_udp(b, &rs, ep4(CLIENT, 40000));
	}
}

/* Rule 5, then processed locally */
static void a_teredo_source_is_answered_at_its_mapping_only(void **state)
{
	struct server_bench *b = *state;
	struct test_packet rs = make_rs(teredo6(S1, 0, CLIENT, 40000));

	expect_udp(b, &rs, ep4(CLIENT, 40000));
	expect_drop(b, &rs, ep4(CLIENT, 40001), TEREDO_DROP_bad_rs);
	expect_drop(b, &rs, ep4(OTHER, 40000), TEREDO_DROP_bad_rs);
}

/* S-CHK-07 */
static void no_other_source_is_answered(void **state)
{
	static const char *const src[] = { "::", "::1", "2001:db8::1",
					   "ff02::1", "fc00::1", "fec0::1" };

	for (size_t i = 0; i < COUNT(src); i++) {
		struct test_packet rs = make_rs(ip6(src[i]));

		expect_drop(*state, &rs, ep4(CLIENT, 40000),
			    TEREDO_DROP_bad_rs);
	}
}

/* S-CHK-04: only to all routers */
static void an_rs_to_anybody_else_is_not_answered(void **state)
{
	static const char *const dst[] = { "ff02::1", S1_LL, "ff05::2",
					   "fe80::1", NATIVE, "::" };

	for (size_t i = 0; i < COUNT(dst); i++) {
		struct test_packet rs = make_icmp6(
			ip6("fe80::ffff:ffff:ffff"), ip6(dst[i]), 133, 8);

		expect_drop(*state, &rs, ep4(CLIENT, 40000),
			    TEREDO_DROP_bad_rs);
	}
}

/* S-CHK-10: RFC 4861 6.1.1 */
static void an_invalid_rs_is_not_answered(void **state)
{
	struct server_bench *b = *state;
	struct teredo_ep from = ep4(CLIENT, 40000);
	struct test_packet rs;

	rs = plain_rs();
	rs.b[7] = 64;	/* came through a router */
	expect_drop(b, &rs, from, TEREDO_DROP_bad_rs);
	rs.b[7] = 254;
	expect_drop(b, &rs, from, TEREDO_DROP_bad_rs);

	rs = plain_rs();
	rs.b[42] ^= 1;
	expect_drop(b, &rs, from, TEREDO_DROP_bad_rs);

	rs = plain_rs();
	rs.b[41] = 1;	/* code */
	fix_checksum(&rs);
	expect_drop(b, &rs, from, TEREDO_DROP_bad_rs);

	rs = make_icmp6(ip6("fe80::1"), ip6("ff02::2"), 133, 4);
	expect_drop(b, &rs, from, TEREDO_DROP_bad_rs);

	/* an option of length 0, and one that ends behind the packet */
	rs = make_icmp6(ip6("fe80::1"), ip6("ff02::2"), 133, 16);
	expect_drop(b, &rs, from, TEREDO_DROP_bad_rs);
	rs.b[48] = 1;
	rs.b[49] = 2;
	fix_checksum(&rs);
	expect_drop(b, &rs, from, TEREDO_DROP_bad_rs);

	rs.b[49] = 1;
	fix_checksum(&rs);
	expect_udp(b, &rs, from);
}

/* SEC-EXT-01 */
static void an_rs_behind_an_extension_header_is_not_answered(void **state)
{
	static const uint8_t headers[] = { 0, 43, 60 };
	struct test_packet rs = plain_rs(), hidden;
	uint8_t payload[16] = { 58, 0 };

	memcpy(payload + 8, rs.b + 40, 8);
	for (size_t i = 0; i < COUNT(headers); i++) {
		hidden = make_ip6(ip6("fe80::1"), ip6("ff02::2"), headers[i],
				  payload, sizeof(payload));
		expect_drop(*state, &hidden, ep4(CLIENT, 40000),
			    TEREDO_DROP_not_relayed);
	}
}

static void the_configured_mtu_and_prefix_are_advertised(void **state)
{
	struct server_bench *b = bench_new(NULL, 1400);
	struct test_packet rs = plain_rs();
	const uint8_t *out;

	(void)state;
	expect_udp(b, &rs, ep4(CLIENT, 40000));
	out = outbox_data(&b->ob, &b->ob.item[0]);
	assert_memory_equal(out + 8 + 40 + 48, "\5\1\0\0\0\0\x05\x78", 8);
	bench_free(b);
}

/* S-RS-10, S-CHK-03, A-V4G-01..09, A-V4G-11 */
static void only_a_global_unicast_source_is_answered(void **state)
{
	struct server_bench *b = *state;
	struct test_packet rs = plain_rs();

	for (size_t i = 0; not_global4[i] != NULL; i++)
		expect_drop(b, &rs, ep4(not_global4[i], 40000),
			    TEREDO_DROP_martian_v4);
	for (size_t i = 0; barely_global4[i] != NULL; i++)
		expect_udp(b, &rs, ep4(barely_global4[i], 40000));
	expect_drop(b, &rs, ep4(CLIENT, 0), TEREDO_DROP_martian_v4);
}

/* S-CHK-08, A-V4G-10; behind 1:1 NAT the set holds the private address too */
static void an_own_address_is_not_answered(void **state)
{
	static const char *const own[] = { S1, S2, "198.51.100.255",
					   "198.51.100.77" };
	struct server_bench *b = *state;
	struct test_packet rs = plain_rs();

	expect_udp(b, &rs, ep4(own[3], 40000));
	b->local.ip[b->local.n++] = ip4(own[3]);	/* added at run time */
	teredo_server_set_local(b->s, &b->local);
	for (size_t i = 0; i < COUNT(own); i++) {
		expect_drop(b, &rs, ep4(own[i], 3544), TEREDO_DROP_loop);
		expect_drop(b, &rs, ep4(own[i], 40000), TEREDO_DROP_loop);
	}
	b->local.n = 0;	/* the advertised ones are own in any case */
	teredo_server_set_local(b->s, &b->local);
	expect_drop(b, &rs, ep4(S1, 3544), TEREDO_DROP_loop);
	expect_drop(b, &rs, ep4(S2, 3544), TEREDO_DROP_loop);
}

static void the_advertised_addresses_are_own_from_the_start(void **state)
{
	struct server_bench *b = *state;
	struct teredo_env env = test_env(&b->seed);
	struct test_packet rs = plain_rs();

	teredo_server_free(b->s);
	b->s = teredo_server_new(&(struct teredo_server_config){
		.prefix = addr_default_prefix(), .ip = ip4(S1),
		.ip2 = ip4(S2), .mtu = 1280 }, &env);
	assert_non_null(b->s);
	expect_drop(b, &rs, ep4(S1, 3544), TEREDO_DROP_loop);
	expect_drop(b, &rs, ep4(S2, 3544), TEREDO_DROP_loop);
}

/* A-ENC-08, S-CHK-01 */
static void a_truncated_rs_is_refused(void **state)
{
	struct test_packet rs = with_auth(plain_rs(), NONCE);

	while (rs.len-- > 0)
		expect_drop(*state, &rs, ep4(CLIENT, 40000),
			    TEREDO_DROP_malformed);
}

/* A-ENC-05..07 */
static void elements_in_disorder_are_refused(void **state)
{
	struct teredo_ep from = ep4(CLIENT, 40000);
	struct test_packet auth = with_auth(plain_rs(), NONCE);
	struct test_packet origin = with_origin(plain_rs(), from);
	struct test_packet bad[] = {
		with_origin(auth, from), with_auth(auth, NONCE),
		with_origin(origin, from), plain_rs(), plain_rs(), plain_rs(),
		plain_rs(),
	};

	memcpy(bad[3].b, "\x00\x02", 2);
	memcpy(bad[4].b, "\x00\xff", 2);
	bad[5].b[0] = 0x45;
	bad[6].b[0] = 0x70;
	for (size_t i = 0; i < COUNT(bad); i++)
		expect_drop(*state, &bad[i], from, TEREDO_DROP_malformed);
}

/* SEC-REF-01, faults B2: 8 at once, then one each 500 ms, whatever the port */
static void an_ipv4_address_is_answered_twice_a_second(void **state)
{
	struct server_bench *b = *state;
	struct test_packet rs = plain_rs();

	for (int i = 0; i < 8; i++)
		expect_udp(b, &rs, ep4(CLIENT, (uint16_t)(40000 + i)));
	for (int i = 0; i < 1000; i++)
		expect_drop(b, &rs, ep4(CLIENT, (uint16_t)(40000 + i)),
			    TEREDO_DROP_rate_limited);
	expect_udp(b, &rs, ep4(OTHER, 40000));
	for (int i = 0; i < 20; i++) {
		b->now += 500 * TEREDO_MS;
		expect_udp(b, &rs, ep4(CLIENT, 40000));
		expect_drop(b, &rs, ep4(CLIENT, 40000),
			    TEREDO_DROP_rate_limited);
	}
}

static struct teredo_ep neighbour(unsigned n)
{
	return (struct teredo_ep){ .ip = htonl(0x32000000 | n % 256),
				   .port = htons(40000) };
}

/* SEC-REF-01, faults B2: 64 at once, then 50 a second */
static void a_network_is_answered_50_times_a_second(void **state)
{
	struct server_bench *b = *state;
	struct test_packet rs = plain_rs();
	unsigned n = 0;
	int answered = 0;

	for (int i = 0; i < 1000; i++)
		answered += bench_give(b, &rs, neighbour(n++),
				       TEREDO_VIA_PRIMARY).fate == TEREDO_TAKEN;
	assert_int_equal(answered, 64);
	for (int i = 0; i < 10000; i++) {
		b->now += TEREDO_MS;
		answered += bench_give(b, &rs, neighbour(n++),
				       TEREDO_VIA_PRIMARY).fate == TEREDO_TAKEN;
	}
	assert_in_range(answered, 500, 564);
	expect_udp(b, &rs, ep4(OTHER, 40000));
}

/* Faults B1: random sources empty few buckets but their own. */
static void forged_sources_cost_others_no_answer(void **state)
{
	struct server_bench *b = *state;
	struct test_packet rs = plain_rs();
	struct test_packet honest = plain_rs();
	uint32_t source = 1;
	unsigned answered = 0;

	for (unsigned i = 0; i < 1000000; i++) {
		b->now += TEREDO_SECOND / 200000;
		source = source * 1664525 + 1013904223;
		bench_give(b, &rs, (struct teredo_ep){
			.ip = htonl(0x32000000 | source >> 8),
			.port = htons(40000) }, TEREDO_VIA_PRIMARY);
		if (i % 10000 == 0)
			answered += bench_give(b, &honest,
					       ep4(CLIENT, 40000),
					       TEREDO_VIA_PRIMARY).fate ==
				    TEREDO_TAKEN;
	}
	/* 100 asked in 5 s: 8 at once and 2 a second is what it may have */
	assert_in_range(answered, 17, 18);
}

/* S-GEN-01: as many clients as we hope for, each 26 s, all get their answer */
static void a_hundred_thousand_clients_are_all_answered(void **state)
{
	const unsigned clients = 100000;
	struct server_bench *b = *state;
	struct test_packet rs = plain_rs();

	for (unsigned i = 0; i < 3 * clients; i++) {
		struct teredo_ep from = {
			/* one after the other, but not of one network */
			.ip = htonl(0x32000000 + i % clients * 7919 % clients),
			.port = htons((uint16_t)(1024 + i % 60000)),
		};

		b->now += 26 * TEREDO_SECOND / clients;
		expect_udp(b, &rs, from);
	}
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, bench_setup, bench_teardown)
	const struct CMUnitTest tests[] = {
		T(the_observed_rs_gets_the_observed_ra),
		T(who_is_answered_is_seen_once),
		T(a_plain_rs_gets_an_ra_without_authentication),
		T(identifier_and_value_are_not_echoed),
		T(without_the_cone_bit_the_same_address_answers),
		T(with_the_cone_bit_the_other_address_answers),
		T(one_address_cannot_answer_the_cone_bit),
		T(any_link_local_source_is_answered),
		T(a_teredo_source_is_answered_at_its_mapping_only),
		T(no_other_source_is_answered),
		T(an_rs_to_anybody_else_is_not_answered),
		T(an_invalid_rs_is_not_answered),
		T(an_rs_behind_an_extension_header_is_not_answered),
		T(the_configured_mtu_and_prefix_are_advertised),
		T(only_a_global_unicast_source_is_answered),
		T(an_own_address_is_not_answered),
		T(the_advertised_addresses_are_own_from_the_start),
		T(a_truncated_rs_is_refused),
		T(elements_in_disorder_are_refused),
		T(an_ipv4_address_is_answered_twice_a_second),
		T(a_network_is_answered_50_times_a_second),
		T(forged_sources_cost_others_no_answer),
		T(a_hundred_thousand_clients_are_all_answered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
