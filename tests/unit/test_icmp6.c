/*
 * test_icmp6.c - solicitations, advertisements, echo and errors
 *
 * The vectors are what deployed clients and servers were seen to send.
 */
#include "tests/unit/testing.h"

#include "libteredo/icmp6.h"

static struct teredo_addr client_ll, server_ll, client, native, all_routers;

static int setup(void **state)
{
	(void)state;
	client_ll = ip6("fe80::ffff:ffff:ffff");
	server_ll = ip6("fe80::8000:f227:39cc:9bfe");
	client = ip6("2001:0:c633:6476:0:dfff:3fff:fdf5");
	native = ip6("2001:db8::1");
	all_routers = ip6("ff02::2");
	return 0;
}

static void seal(struct test_packet *t, size_t ip6_off)
{
	struct teredo_addr src, dst;
	uint8_t *ip = t->b + ip6_off;
	size_t len = t->len - ip6_off - 40;
	uint16_t checksum;

	memcpy(&src, ip + 8, 16);
	memcpy(&dst, ip + 24, 16);
	ip[4] = (uint8_t)(len >> 8);
	ip[5] = (uint8_t)len;
	ip[42] = ip[43] = 0;
	checksum = icmp6_checksum(&src, &dst, ip + 40, len);
	ip[42] = (uint8_t)(checksum >> 8);
	ip[43] = (uint8_t)checksum;
}

/* An ICMPv6 message from hexadecimal digits, with length and checksum put
 * right. */
static struct wire_packet message(struct test_packet *t, uint8_t hop_limit,
				  const struct teredo_addr *src,
				  const struct teredo_addr *dst,
				  const char *hex)
{
	struct wire_packet p;

	t->len = 0;
	wire_put_ip6(packet_more(t, 40), 0, 58, hop_limit, src, dst);
	packet_hex(t, hex);
	seal(t, 0);
	assert_int_equal(wire_parse(&p, t->b, t->len), WIRE_OK);
	return p;
}

/* ---- solicitations ---- */

/* C-QUAL-02, C-SECQ-10 */
static void a_solicitation_is_what_deployed_clients_send(void **state)
{
	static const uint8_t nonce[] = { 0x3a, 0xcf, 0x56, 0x44,
					 0xdb, 0xca, 0x1e, 0x9f };
	struct test_packet t = { 0 }, want = { 0 };
	struct wire_packet p;

	(void)state;
	packet_auth(&t, nonce);
	icmp6_put_rs(packet_more(&t, ICMP6_RS_LEN), &client_ll);
	packet_hex(&want, "00010000 3acf5644dbca1e9f 00 60000000 0008 3a ff"
			  "fe800000000000000000ffffffffffff"
			  "ff020000000000000000000000000002"
			  "8500 7d37 00000000");
	assert_int_equal(t.len, 61);
	assert_int_equal(t.len, want.len);
	assert_memory_equal(t.b, want.b, t.len);
	assert_int_equal(wire_parse(&p, t.b, t.len), WIRE_OK);
	assert_true(icmp6_is_rs(&p));
}

/* S-CHK-10 */
static void a_solicitation_that_breaks_a_rule_is_refused(void **state)
{
	struct teredo_addr nobody = { { 0 } };
	struct test_packet t;
	struct wire_packet p;

	(void)state;
	p = message(&t, 255, &client_ll, &all_routers, "8500 0000 00000000");
	assert_true(icmp6_is_rs(&p));
	p = message(&t, 64, &client_ll, &all_routers, "8500 0000 00000000");
	assert_false(icmp6_is_rs(&p));
	p = message(&t, 255, &client_ll, &all_routers, "8501 0000 00000000");
	assert_false(icmp6_is_rs(&p));
	p = message(&t, 255, &client_ll, &all_routers, "8600 0000 00000000");
	assert_false(icmp6_is_rs(&p));
	p = message(&t, 255, &client_ll, &all_routers, "8500 0000 000000");
	assert_false(icmp6_is_rs(&p));
	p = message(&t, 255, &client_ll, &all_routers, "8500 0000 00000000");
	t.b[43] ^= 1;
	assert_false(icmp6_is_rs(&p));
	p = message(&t, 255, &client_ll, &all_routers, "8500 0000 00000000");
	p.next_header = 59;
	assert_false(icmp6_is_rs(&p));
	/* options: good, without length, too long, cut, of nobody */
	p = message(&t, 255, &client_ll, &all_routers,
		    "8500 0000 00000000 0101 000000000000");
	assert_true(icmp6_is_rs(&p));
	p = message(&t, 255, &client_ll, &all_routers,
		    "8500 0000 00000000 0100 000000000000");
	assert_false(icmp6_is_rs(&p));
	p = message(&t, 255, &client_ll, &all_routers,
		    "8500 0000 00000000 0102 000000000000");
	assert_false(icmp6_is_rs(&p));
	p = message(&t, 255, &client_ll, &all_routers,
		    "8500 0000 00000000 01");
	assert_false(icmp6_is_rs(&p));
	p = message(&t, 255, &nobody, &all_routers,
		    "8500 0000 00000000 0101 000000000000");
	assert_false(icmp6_is_rs(&p));
	p = message(&t, 255, &nobody, &all_routers,
		    "8500 0000 00000000 0e01 000000000000");
	assert_true(icmp6_is_rs(&p));
}

/* ---- advertisements ---- */

#define RA_HEAD	"8600 0000 0000 0000 00000000 000007d0"
#define PIO	"0304 4040 ffffffff ffffffff 00000000" \
		"20010000c63364010000000000000000"
#define MTU(x)	"0501 0000" x

/* S-RS-02, S-RS-03, S-RS-07, S-RS-15, S-RS-16, A-MTU-02 */
static void an_advertisement_is_what_deployed_servers_send(void **state)
{
	static const uint8_t nonce[WIRE_NONCE_LEN] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	struct teredo_addr prefix = ip6("2001:0:c633:6401::");
	struct test_packet t = { 0 }, want = { 0 };
	struct wire_packet p;
	struct icmp6_ra ra;

	(void)state;
	packet_auth(&t, nonce);
	packet_origin(&t, ep4("192.0.2.45", 40000));
	icmp6_put_ra(packet_more(&t, ICMP6_RA_LEN), &server_ll, &client_ll,
		     addr_default_prefix(), ip4("198.51.100.1"), 1280);
	packet_hex(&want, "00010000 0102030405060708 00"
		   "0000 63bf 3ffffdd2"
		   "60000000 0038 3a ff fe800000000000008000f22739cc9bfe"
		   "fe800000000000000000ffffffffffff");
	packet_hex(&want, RA_HEAD PIO MTU("00000500"));
	seal(&want, 21);
	assert_int_equal(t.len, 117);
	assert_int_equal(t.len, want.len);
	assert_memory_equal(t.b, want.b, t.len);

	assert_int_equal(wire_parse(&p, t.b, t.len), WIRE_OK);
	assert_true(icmp6_parse_ra(&p, &ra));
	assert_addr_equal(&ra.prefix, &prefix);
	assert_int_equal(ra.mtu, 1280);
	assert_false(icmp6_is_rs(&p));
}

static bool ra_is_good(uint8_t hop_limit, const char *hex, uint32_t *mtu)
{
	struct test_packet t;
	struct wire_packet p = message(&t, hop_limit, &server_ll, &client_ll,
				       hex);
	struct icmp6_ra ra;
	bool good = icmp6_parse_ra(&p, &ra);

	if (mtu != NULL)
		*mtu = ra.mtu;
	return good;
}

/* C-QUAL-08 */
static void an_advertisement_that_breaks_a_rule_is_refused(void **state)
{
	struct test_packet t;
	struct wire_packet p;
	struct icmp6_ra ra;

	(void)state;
	assert_true(ra_is_good(255, RA_HEAD PIO, NULL));
	assert_false(ra_is_good(254, RA_HEAD PIO, NULL));
	assert_false(ra_is_good(255, "8601 0000 0000 0000 00000000 000007d0"
				PIO, NULL));
	assert_false(ra_is_good(255, "8500 0000 0000 0000 00000000 000007d0"
				PIO, NULL));
	assert_false(ra_is_good(255, "8600 0000 0000 0000 00000000 0000",
				NULL));
	assert_false(ra_is_good(255, RA_HEAD PIO "0e00 000000000000", NULL));
	assert_false(ra_is_good(255, RA_HEAD PIO "0e02 000000000000", NULL));
	assert_false(ra_is_good(255, RA_HEAD PIO "0e", NULL));
	assert_true(ra_is_good(255, RA_HEAD "0e01 000000000000" PIO, NULL));
	p = message(&t, 255, &server_ll, &client_ll, RA_HEAD PIO);
	t.b[60] ^= 1;
	assert_false(icmp6_parse_ra(&p, &ra));
	p = message(&t, 255, &native, &client_ll, RA_HEAD PIO);
	assert_false(icmp6_parse_ra(&p, &ra));
}

/* C-QUAL-10, C-QUAL-11 */
static void an_advertisement_has_exactly_one_prefix_of_64_bits(void **state)
{
	(void)state;
	assert_false(ra_is_good(255, RA_HEAD, NULL));
	assert_false(ra_is_good(255, RA_HEAD MTU("00000500"), NULL));
	assert_false(ra_is_good(255, RA_HEAD PIO PIO, NULL));
	assert_false(ra_is_good(255, RA_HEAD
		"0304 3040 ffffffff ffffffff 00000000"
		"20010000c63364010000000000000000", NULL));
	assert_false(ra_is_good(255, RA_HEAD
		"0304 3040 ffffffff ffffffff 00000000"
		"20010000c63364010000000000000000" PIO, NULL));
	assert_false(ra_is_good(255, RA_HEAD "0301 4040 ffffffff", NULL));
	assert_false(ra_is_good(255, RA_HEAD
		"0305 4040 ffffffff ffffffff 00000000"
		"20010000c63364010000000000000000 0000000000000000", NULL));
}

static void what_follows_the_prefix_is_not_the_prefix(void **state)
{
	struct teredo_addr want = ip6("2001:0:c633:6401::");
	struct test_packet t;
	struct wire_packet p = message(&t, 255, &server_ll, &client_ll, RA_HEAD
		"0304 4040 ffffffff ffffffff 00000000"
		"20010000c6336401ffffffffffffffff");
	struct icmp6_ra ra;

	(void)state;
	assert_true(icmp6_parse_ra(&p, &ra));
	assert_addr_equal(&ra.prefix, &want);
}

/* A-MTU-04 */
static void only_a_usable_mtu_is_taken(void **state)
{
	uint32_t mtu;

	(void)state;
	assert_true(ra_is_good(255, RA_HEAD PIO, &mtu));
	assert_int_equal(mtu, 0);
	assert_true(ra_is_good(255, RA_HEAD PIO MTU("00000578"), &mtu));
	assert_int_equal(mtu, 1400);
	assert_true(ra_is_good(255, RA_HEAD PIO MTU("000004ff"), &mtu));
	assert_int_equal(mtu, 0);
	assert_true(ra_is_good(255, RA_HEAD PIO MTU("0000ffe3"), &mtu));
	assert_int_equal(mtu, 65507);
	assert_true(ra_is_good(255, RA_HEAD PIO MTU("0000ffe4"), &mtu));
	assert_int_equal(mtu, 0);
	assert_true(ra_is_good(255, RA_HEAD PIO MTU("ffffffff"), &mtu));
	assert_int_equal(mtu, 0);
	assert_true(ra_is_good(255, RA_HEAD PIO
			       "0502 0000 00000578 0000000000000000", &mtu));
	assert_int_equal(mtu, 0);
}

/* A-ENC-08 */
static void a_cut_advertisement_is_refused_at_every_length(void **state)
{
	struct test_packet t = { 0 };
	struct icmp6_ra ra;

	(void)state;
	icmp6_put_ra(packet_more(&t, ICMP6_RA_LEN), &server_ll, &client_ll,
		     addr_default_prefix(), ip4("198.51.100.1"), 1280);
	for (size_t len = 40; len < t.len; len++) {
		struct test_packet cut = { .len = len };
		struct wire_packet p;

		memcpy(cut.b, t.b, len);
		if (len >= 44)
			seal(&cut, 0);
		else
			cut.b[5] = (uint8_t)(len - 40);
		assert_int_equal(wire_parse(&p, cut.b, len), WIRE_OK);
		/* the prefix ends at 88 and the MTU option is optional */
		assert_int_equal(icmp6_parse_ra(&p, &ra), len == 88);
	}
}

/* ---- echo ---- */

/* S-CHK-09; 5.2.9 of RFC 4380 */
static void an_echo_request_carries_its_data(void **state)
{
	struct test_packet t = { 0 };
	struct wire_packet p;
	const uint8_t *msg;
	size_t len;

	(void)state;
	icmp6_put_echo(packet_more(&t, ICMP6_ECHO_LEN(18)), ICMP6_ECHO_REQUEST,
		       &client, &native, 0x1234, 0x5678,
		       (const uint8_t *)"eighteen octets ok", 18);
	assert_int_equal(t.len, 66);
	assert_int_equal(wire_parse_ip6(&p, t.b, t.len), WIRE_OK);
	assert_addr_equal(&p.src, &client);
	assert_addr_equal(&p.dst, &native);
	msg = icmp6_message(&p, &len);
	assert_ptr_equal(msg, t.b + 40);
	assert_int_equal(len, 26);
	assert_memory_equal(msg, "\x80\0", 2);
	assert_memory_equal(msg + 4, "\x12\x34\x56\x78", 4);
	assert_memory_equal(msg + 8, "eighteen octets ok", 18);
}

static void odd_and_empty_echoes_have_a_right_checksum(void **state)
{
	(void)state;
	for (size_t n = 0; n < 9; n++) {
		struct test_packet t = { 0 };
		struct wire_packet p;
		size_t len;

		icmp6_put_echo(packet_more(&t, ICMP6_ECHO_LEN(n)),
			       ICMP6_ECHO_REPLY, &client, &native, 1, 2,
			       (const uint8_t *)"\xff\xee\xdd\xcc\xbb\xaa\x99"
			       "\x88\x77", n);
		assert_int_equal(wire_parse_ip6(&p, t.b, t.len), WIRE_OK);
		assert_non_null(icmp6_message(&p, &len));
		for (size_t bit = 0; bit < 8 * len; bit++) {
			t.b[40 + bit / 8] ^= (uint8_t)(1u << bit % 8);
			assert_null(icmp6_message(&p, &len));
			t.b[40 + bit / 8] ^= (uint8_t)(1u << bit % 8);
		}
	}
}

static void a_short_message_is_none(void **state)
{
	struct test_packet t;
	struct wire_packet p = message(&t, 64, &client, &native,
				       "8000 0000 000000");
	size_t len;

	(void)state;
	assert_null(icmp6_message(&p, &len));
}

/* ---- errors ---- */

/* C-TX-15 */
static void an_unreachable_error_quotes_the_packet(void **state)
{
	struct test_packet t = { 0 };
	struct wire_packet p;
	uint8_t out[ICMP6_ERROR_MAX];
	const uint8_t *msg;
	size_t len;

	(void)state;
	packet_ip6(&t, 17, &client, &native, 100);
	assert_int_equal(icmp6_put_unreachable(out, &server_ll, t.b, t.len),
			 188);
	assert_int_equal(wire_parse_ip6(&p, out, 188), WIRE_OK);
	assert_addr_equal(&p.src, &server_ll);
	assert_addr_equal(&p.dst, &client);
	msg = icmp6_message(&p, &len);
	assert_non_null(msg);
	assert_memory_equal(msg, "\1\3", 2);
	assert_memory_equal(msg + 4, "\0\0\0\0", 4);
	assert_memory_equal(msg + 8, t.b, t.len);
}

static void a_long_packet_is_quoted_in_part(void **state)
{
	struct test_packet t = { 0 };
	struct wire_packet p;
	uint8_t out[ICMP6_ERROR_MAX];
	size_t len;

	(void)state;
	packet_ip6(&t, 17, &client, &native, 1232 - 40);
	assert_int_equal(icmp6_put_unreachable(out, &client, t.b, t.len), 1280);
	packet_put(&t, "x", 1);
	t.b[5]++;
	assert_int_equal(icmp6_put_unreachable(out, &client, t.b, t.len), 1280);
	assert_int_equal(wire_parse_ip6(&p, out, 1280), WIRE_OK);
	assert_non_null(icmp6_message(&p, &len));
	assert_memory_equal(out + 48, t.b, 1232);
	/* so that its first 1280 octets are as good as all of it */
	t.b[4] = 0x20;
	t.len = 1280;
	assert_int_equal(icmp6_put_unreachable(out, &client, t.b, t.len), 1280);
	assert_memory_equal(out + 48, t.b, 1232);
}

static size_t error_about(uint8_t next_header, const char *src,
			  const char *dst, const char *hex)
{
	struct teredo_addr s = ip6(src), d = ip6(dst);
	struct test_packet t = { 0 };
	uint8_t out[ICMP6_ERROR_MAX];

	wire_put_ip6(packet_more(&t, 40), 0, next_header, 64, &s, &d);
	packet_hex(&t, hex);
	t.b[5] = (uint8_t)(t.len - 40);
	return icmp6_put_unreachable(out, &client, t.b, t.len);
}

/* A relay on a host without IPv6 address */
static void who_has_no_address_sends_no_error(void **state)
{
	const struct teredo_addr none = { { 0 } };
	struct test_packet t = { 0 };
	uint8_t out[ICMP6_ERROR_MAX];

	(void)state;
	packet_ip6(&t, 17, &client, &native, 100);
	assert_int_equal(icmp6_put_unreachable(out, &none, t.b, t.len), 0);
}

/* G-ICM-02 */
static void errors_are_not_sent_where_they_are_forbidden(void **state)
{
	static const char a[] = "2001:db8::1", b[] = "2001:db8::2";
	uint8_t out[ICMP6_ERROR_MAX] = { 0x60 };

	(void)state;
	assert_int_not_equal(error_about(17, a, b, "00"), 0);
	assert_int_not_equal(error_about(58, a, b, "8000"), 0);
	assert_int_not_equal(error_about(0, a, b, "3a00000000000000 80"), 0);
	assert_int_equal(icmp6_put_unreachable(out, &client, out, 39), 0);
	assert_int_equal(error_about(17, a, "ff0e::1", "00"), 0);
	assert_int_equal(error_about(17, "ff0e::1", b, "00"), 0);
	assert_int_equal(error_about(17, "::", b, "00"), 0);
	assert_int_equal(error_about(58, a, b, "0103"), 0);
	assert_int_equal(error_about(58, a, b, "7f00"), 0);
	assert_int_equal(error_about(58, a, b, "8900"), 0);
	assert_int_equal(error_about(58, a, b, ""), 0);
	assert_int_equal(error_about(0, a, b, "3a00000000000000 01"), 0);
}

static void an_advertisement_gets_another_destination(void **state)
{
	uint8_t ra[ICMP6_RA_LEN], whole[ICMP6_RA_LEN];
	struct teredo_addr src = ip6("fe80::1"), dst = ip6("::");
	uint64_t seed = 6;

	(void)state;
	icmp6_put_ra(ra, &src, &dst, addr_default_prefix(), ip4("192.0.2.1"),
		     1280);
	for (unsigned i = 0; i < 100000; i++) {
		test_env_random(&seed, dst.b, sizeof(dst.b));
		if (i % 100 == 0)
			memset(dst.b, i % 200 == 0 ? 0 : 0xff, sizeof(dst.b));
		icmp6_readdress_ra(ra, &dst);
		icmp6_put_ra(whole, &src, &dst, addr_default_prefix(),
			     ip4("192.0.2.1"), 1280);
		assert_memory_equal(ra, whole, sizeof(ra));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_advertisement_gets_another_destination),
		cmocka_unit_test(a_solicitation_is_what_deployed_clients_send),
		cmocka_unit_test(a_solicitation_that_breaks_a_rule_is_refused),
		cmocka_unit_test(
			an_advertisement_is_what_deployed_servers_send),
		cmocka_unit_test(
			an_advertisement_that_breaks_a_rule_is_refused),
		cmocka_unit_test(
			an_advertisement_has_exactly_one_prefix_of_64_bits),
		cmocka_unit_test(what_follows_the_prefix_is_not_the_prefix),
		cmocka_unit_test(only_a_usable_mtu_is_taken),
		cmocka_unit_test(
			a_cut_advertisement_is_refused_at_every_length),
		cmocka_unit_test(an_echo_request_carries_its_data),
		cmocka_unit_test(odd_and_empty_echoes_have_a_right_checksum),
		cmocka_unit_test(a_short_message_is_none),
		cmocka_unit_test(an_unreachable_error_quotes_the_packet),
		cmocka_unit_test(a_long_packet_is_quoted_in_part),
		cmocka_unit_test(who_has_no_address_sends_no_error),
		cmocka_unit_test(errors_are_not_sent_where_they_are_forbidden),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
