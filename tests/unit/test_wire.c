/*
 * test_wire.c - the datagram, its elements, trailers and extension headers
 */
#include "tests/unit/testing.h"

static const uint8_t nonce[WIRE_NONCE_LEN] = {
	0x3a, 0xcf, 0x56, 0x44, 0xdb, 0xca, 0x1e, 0x9f,
};

static struct teredo_addr client, server;

static int setup(void **state)
{
	(void)state;
	client = ip6("2001:0:c633:6476:0:dfff:3fff:fdf5");
	server = ip6("fe80::8000:f227:39cc:9bfe");
	return 0;
}

/* Parses from a copy on the heap, so that a sanitizer sees every octet read
 * beyond the end. The pointers of *p are gone afterwards. */
static enum wire_error parse(struct wire_packet *p, const uint8_t *data,
			     size_t len)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);
	enum wire_error error;

	assert_non_null(copy);
	memcpy(copy, data, len);
	error = wire_parse(p, copy, len);
	free(copy);
	return error;
}

static void refused_hex(const char *hex)
{
	struct test_packet t = { 0 };
	struct wire_packet p;

	packet_hex(&t, hex);
	assert_int_equal(parse(&p, t.b, t.len), WIRE_MALFORMED);
}

/* A-ENC-01, A-ENC-09, A-ENC-11 */
static void a_bubble_is_a_bare_header(void **state)
{
	struct test_packet t = { 0 }, want = { 0 };
	struct wire_packet p;

	(void)state;
	packet_bubble(&t, &client, &server);
	packet_hex(&want, "60000000 0000 3b 00"
		   "20010000c63364760000dfff3ffffdf5"
		   "fe800000000000008000f22739cc9bfe");
	assert_int_equal(t.len, want.len);
	assert_memory_equal(t.b, want.b, t.len);
	memset(&p, 0xff, sizeof(p));
	assert_int_equal(wire_parse(&p, t.b, t.len), WIRE_OK);
	assert_true(wire_is_bubble(&p));
	assert_false(p.auth.present);
	assert_false(p.has_origin);
	assert_ptr_equal(p.ip6, t.b);
	assert_int_equal(p.ip6_off, 0);
	assert_int_equal(p.ip6_len, 40);
	assert_int_equal(p.trailers_len, 0);
	assert_addr_equal(&p.src, &client);
	assert_addr_equal(&p.dst, &server);
	assert_int_equal(p.next_header, 59);
	assert_int_equal(p.hop_limit, 0);
}

/* A-ENC-09, S-FWD-09 */
static void a_payload_or_another_header_is_no_bubble(void **state)
{
	struct test_packet t = { 0 }, u = { 0 }, v = { 0 };
	struct wire_packet p;

	(void)state;
	packet_ip6(&t, 59, &client, &server, 4);
	assert_int_equal(wire_parse(&p, t.b, t.len), WIRE_OK);
	assert_false(wire_is_bubble(&p));
	packet_ip6(&u, 58, &client, &server, 0);
	assert_int_equal(wire_parse(&p, u.b, u.len), WIRE_OK);
	assert_false(wire_is_bubble(&p));
	packet_bubble(&v, &client, &server);
	packet_trailer(&v, 1, nonce, 4);
	assert_int_equal(wire_parse(&p, v.b, v.len), WIRE_OK);
	assert_true(wire_is_bubble(&p));
	assert_int_equal(p.trailers_len, 6);
}

/* A-ENC-02 */
static void the_origin_is_inverted_on_the_wire(void **state)
{
	struct test_packet t = { 0 }, want = { 0 };
	struct wire_packet p;

	(void)state;
	packet_origin(&t, ep4("1.2.3.4", 337));
	packet_hex(&want, "0000 FEAE FEFDFCFB");
	assert_memory_equal(t.b, want.b, WIRE_ORIGIN_LEN);
	packet_bubble(&t, &client, &server);
	assert_int_equal(wire_parse(&p, t.b, t.len), WIRE_OK);
	assert_true(p.has_origin);
	assert_ep_equal(p.origin, ep4("1.2.3.4", 337));
	assert_int_equal(p.ip6_off, WIRE_ORIGIN_LEN);
	assert_ptr_equal(p.ip6, t.b + WIRE_ORIGIN_LEN);
}

/* A-ENC-04, C-SECQ-04, C-SECQ-10 */
static void an_empty_authentication_has_13_octets(void **state)
{
	struct test_packet t = { 0 }, want = { 0 };
	struct wire_packet p;

	(void)state;
	packet_auth(&t, nonce);
	packet_hex(&want, "00010000 3acf5644dbca1e9f 00");
	assert_int_equal(want.len, WIRE_AUTH_LEN);
	assert_memory_equal(t.b, want.b, WIRE_AUTH_LEN);
	packet_bubble(&t, &client, &server);
	assert_int_equal(wire_parse(&p, t.b, t.len), WIRE_OK);
	assert_true(p.auth.present);
	assert_int_equal(p.auth.id_len, 0);
	assert_int_equal(p.auth.value_len, 0);
	assert_memory_equal(p.auth.nonce, nonce, WIRE_NONCE_LEN);
	assert_int_equal(p.auth.confirmation, 0);
	assert_int_equal(p.ip6_off, WIRE_AUTH_LEN);
}

static void put_long_auth(struct test_packet *t, uint8_t id, uint8_t value)
{
	memcpy(packet_more(t, 4), (uint8_t[]){ 0, 1, id, value }, 4);
	memset(packet_more(t, id), 0xaa, id);
	memset(packet_more(t, value), 0xbb, value);
	packet_put(t, nonce, WIRE_NONCE_LEN);
	packet_put(t, "\x07", 1);
}

/* A-ENC-03 */
static void authentication_of_any_length_is_read(void **state)
{
	static const uint8_t lengths[] = { 0, 1, 16, 20, 255 };

	(void)state;
	for (size_t i = 0; i < COUNT(lengths) * COUNT(lengths); i++) {
		uint8_t id = lengths[i / COUNT(lengths)];
		uint8_t value = lengths[i % COUNT(lengths)];
		struct test_packet t = { 0 };
		struct wire_packet p;

		put_long_auth(&t, id, value);
		packet_bubble(&t, &client, &server);
		assert_int_equal(wire_parse(&p, t.b, t.len), WIRE_OK);
		assert_int_equal(p.auth.id_len, id);
		assert_int_equal(p.auth.value_len, value);
		assert_ptr_equal(p.auth.id, t.b + 4);
		assert_ptr_equal(p.auth.value, t.b + 4 + id);
		assert_memory_equal(p.auth.nonce, nonce, WIRE_NONCE_LEN);
		assert_int_equal(p.auth.confirmation, 7);
		assert_int_equal(p.ip6_off, 13 + id + value);
		for (size_t cut = 0; cut < t.len; cut++)
			assert_int_equal(parse(&p, t.b, cut), WIRE_MALFORMED);
	}
}

/* A-ENC-08: not even if what follows would make sense without it */
static void lengths_beyond_the_datagram_are_malformed(void **state)
{
	static const uint8_t lengths[][2] = { { 200, 0 }, { 0, 200 },
					      { 255, 255 }, { 50, 0 } };

	(void)state;
	for (size_t i = 0; i < COUNT(lengths); i++) {
		struct test_packet t = { 0 };
		struct wire_packet p;

		packet_auth(&t, nonce);
		packet_bubble(&t, &client, &server);
		t.b[2] = lengths[i][0];
		t.b[3] = lengths[i][1];
		assert_int_equal(parse(&p, t.b, t.len), WIRE_MALFORMED);
	}
}

/* A-ENC-05, A-ENC-07 */
static void elements_have_one_order_and_appear_once(void **state)
{
	struct test_packet good = { 0 }, swapped = { 0 };
	struct test_packet two_auth = { 0 }, two_origins = { 0 };
	struct wire_packet p;

	(void)state;
	packet_auth(&good, nonce);
	packet_origin(&good, ep4("192.0.2.1", 1));
	packet_bubble(&good, &client, &server);
	assert_int_equal(parse(&p, good.b, good.len), WIRE_OK);
	assert_true(p.auth.present && p.has_origin);
	assert_int_equal(p.ip6_off, 21);

	packet_origin(&swapped, ep4("192.0.2.1", 1));
	packet_auth(&swapped, nonce);
	packet_bubble(&swapped, &client, &server);
	assert_int_equal(parse(&p, swapped.b, swapped.len), WIRE_MALFORMED);

	packet_auth(&two_auth, nonce);
	packet_auth(&two_auth, nonce);
	packet_bubble(&two_auth, &client, &server);
	assert_int_equal(parse(&p, two_auth.b, two_auth.len), WIRE_MALFORMED);

	packet_origin(&two_origins, ep4("192.0.2.1", 1));
	packet_origin(&two_origins, ep4("192.0.2.1", 1));
	packet_bubble(&two_origins, &client, &server);
	assert_int_equal(parse(&p, two_origins.b, two_origins.len),
			 WIRE_MALFORMED);
}

/* A-ENC-06 */
static void anything_else_in_front_is_malformed(void **state)
{
	static const char rest[] = "00 0000000000 3b00"
		"20010000c63364760000dfff3ffffdf5"
		"20010000c63364760000dfff3ffffdf5";
	static const char *const start[] = {
		"0002", "00ff", "0100", "45", "50", "70", "00", "ff",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(start); i++) {
		char hex[128];

		snprintf(hex, sizeof(hex), "%s%s", start[i], rest);
		refused_hex(hex);
	}
	refused_hex("");
	refused_hex("60");
	refused_hex("00");
	refused_hex("0000");
	refused_hex("0001");
}

/* A-ENC-08, C-RX-02, X-TLV-01: what may be missing at the end is trailers */
static void a_datagram_cut_anywhere_before_its_trailers_is_malformed(
	void **state)
{
	struct test_packet t = { 0 };
	struct wire_packet p;
	size_t whole;

	(void)state;
	put_long_auth(&t, 3, 20);
	packet_origin(&t, ep4("192.0.2.1", 1));
	packet_ip6(&t, 17, &client, &server, 50);
	whole = t.len;
	packet_trailer(&t, 1, nonce, 4);
	for (size_t cut = 0; cut < whole; cut++)
		assert_int_equal(parse(&p, t.b, cut), WIRE_MALFORMED);
	for (size_t cut = whole; cut <= t.len; cut++) {
		assert_int_equal(parse(&p, t.b, cut), WIRE_OK);
		assert_int_equal(p.ip6_len, 90);
		assert_int_equal(p.trailers_len, cut - whole);
	}
}

static void the_longest_datagram_is_read_and_a_longer_one_not(void **state)
{
	uint8_t *data = calloc(1, TEREDO_MAX_UDP + 1);
	struct wire_packet p;

	(void)state;
	assert_non_null(data);
	wire_put_ip6(data, TEREDO_MAX_UDP - 40, 17, 64, &client, &server);
	assert_int_equal(wire_parse(&p, data, TEREDO_MAX_UDP), WIRE_OK);
	assert_int_equal(p.ip6_len, TEREDO_MAX_UDP);
	assert_int_equal(wire_parse(&p, data, TEREDO_MAX_UDP + 1),
			 WIRE_MALFORMED);
	free(data);
}

static void a_packet_from_the_tun_is_exactly_as_long_as_it_says(void **state)
{
	struct test_packet t = { 0 }, o = { 0 };
	struct wire_packet p;

	(void)state;
	packet_ip6(&t, 17, &client, &server, 20);
	for (size_t len = 0; len < t.len; len++)
		assert_int_equal(wire_parse_ip6(&p, t.b, len), WIRE_MALFORMED);
	memset(&p, 0xff, sizeof(p));
	assert_int_equal(wire_parse_ip6(&p, t.b, t.len), WIRE_OK);
	assert_int_equal(p.ip6_len, 60);
	assert_int_equal(p.trailers_len, 0);
	assert_false(p.has_origin || p.auth.present);
	assert_int_equal(wire_parse_ip6(&p, t.b, t.len + 1), WIRE_MALFORMED);
	t.b[0] = 0x45;
	assert_int_equal(wire_parse_ip6(&p, t.b, t.len), WIRE_MALFORMED);
	packet_origin(&o, ep4("192.0.2.1", 1));
	packet_bubble(&o, &client, &server);
	assert_int_equal(wire_parse_ip6(&p, o.b, o.len), WIRE_MALFORMED);
}

static void the_head_of_a_packet_is_read_as_far_as_it_goes(void **state)
{
	struct test_packet t = { 0 };
	struct wire_packet p;

	(void)state;
	packet_ip6(&t, 17, &client, &server, 20);
	for (size_t len = 0; len < 40; len++)
		assert_int_equal(wire_parse_ip6_head(&p, t.b, len),
				 WIRE_MALFORMED);
	for (size_t len = 40; len <= 60; len++) {
		assert_int_equal(wire_parse_ip6_head(&p, t.b, len), WIRE_OK);
		assert_int_equal(p.ip6_len, len);
	}
	assert_int_equal(wire_parse_ip6_head(&p, t.b, 61), WIRE_MALFORMED);
}

/* ---- trailers ---- */

static enum wire_error parse_trailers(struct test_packet *t,
				      struct wire_packet *p, const char *hex)
{
	t->len = 0;
	packet_bubble(t, &client, &server);
	packet_hex(t, hex);
	return wire_parse(p, t->b, t->len);
}

/* Faults A4: its length would stand in an option that nobody here reads. */
static void a_jumbogram_is_malformed(void **state)
{
	(void)state;
	refused_hex("6000000000000040"	/* hop-by-hop, length 0 */
		    "20010db8000000000000000000000001"
		    "20010000c0000201000063bf3fffff9b"
		    "1100c20400011170" "0004000400080000");
}

/* X-TLV-02, X-TLV-03, X-TLV-05 */
static void trailers_come_in_order_and_unknown_ones_are_there_too(void **state)
{
	struct test_packet t;
	struct wire_trailer tr;
	struct wire_packet p;
	uint32_t at = 0;

	(void)state;
	assert_int_equal(parse_trailers(&t, &p, "8002aabb 0104 01020304 c000"
					"0502 04b1 02020000"), WIRE_OK);
	assert_true(wire_next_trailer(&p, &at, &tr));
	assert_int_equal(tr.type, 0x80);
	assert_int_equal(tr.len, 2);
	assert_memory_equal(tr.value, "\xaa\xbb", 2);
	assert_true(wire_next_trailer(&p, &at, &tr));
	assert_int_equal(tr.type, 1);
	assert_memory_equal(tr.value, "\1\2\3\4", 4);
	assert_true(wire_next_trailer(&p, &at, &tr));
	assert_int_equal(tr.type, 0xc0);
	assert_int_equal(tr.len, 0);
	assert_true(wire_next_trailer(&p, &at, &tr));
	assert_int_equal(tr.type, 5);
	assert_memory_equal(tr.value, "\x04\xb1", 2);
	assert_true(wire_next_trailer(&p, &at, &tr));
	assert_int_equal(tr.type, 2);
	assert_false(wire_next_trailer(&p, &at, &tr));
	assert_false(wire_next_trailer(&p, &at, &tr));
	assert_int_equal(at, p.trailers_len);
}

/* X-TLV-06 */
static void the_first_malformed_trailer_ends_the_list(void **state)
{
	static const char *const tail[] = {
		"", "05", "0502", "050212", "41", "4101", "05ff4100",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(tail); i++) {
		struct test_packet t;
		struct wire_trailer tr;
		struct wire_packet p;
		uint32_t at = 0;
		char hex[64];

		snprintf(hex, sizeof(hex), "010401020304%s", tail[i]);
		assert_int_equal(parse_trailers(&t, &p, hex), WIRE_OK);
		assert_true(wire_next_trailer(&p, &at, &tr));
		assert_int_equal(tr.type, 1);
		assert_false(wire_next_trailer(&p, &at, &tr));
		assert_false(wire_next_trailer(&p, &at, &tr));
	}
}

/* X-TLV-04, X-TLV-05 */
static void every_unknown_type_of_01_refuses_the_packet_and_no_other(
	void **state)
{
	(void)state;
	for (unsigned type = 0; type <= 0xff; type++) {
		bool refuses = type >= 0x40 && type <= 0x7f;
		struct test_packet t;
		struct wire_packet p;
		char hex[64];

		snprintf(hex, sizeof(hex), "0104 01020304 %02x01ff", type);
		assert_int_equal(parse_trailers(&t, &p, hex),
				 refuses ? WIRE_REFUSED : WIRE_OK);
		/* out of reach behind a malformed one */
		snprintf(hex, sizeof(hex), "0105 %02x01ff", type);
		assert_int_equal(parse_trailers(&t, &p, hex), WIRE_OK);
	}
}

/* ---- extension headers ---- */

static bool has_rh0(uint8_t next_header, const char *hex)
{
	struct test_packet t = { 0 }, body = { 0 };
	struct wire_packet p;

	packet_hex(&body, hex);
	wire_put_ip6(packet_more(&t, 40), (uint16_t)body.len, next_header, 64,
		     &client, &server);
	packet_put(&t, body.b, body.len);
	assert_int_equal(wire_parse_ip6(&p, t.b, t.len), WIRE_OK);
	return wire_has_rh0(&p);
}

#define RH0	"3b 00 00 01 00000000"
#define SKIP(next) next " 00 0000 00000000"
#define EIGHT(next)							\
	SKIP("00") SKIP("00") SKIP("00") SKIP("00")			\
	SKIP("00") SKIP("00") SKIP("00") SKIP(next)

/* G-RH0-01 */
static void a_routing_header_of_type_0_is_found(void **state)
{
	(void)state;
	assert_true(has_rh0(43, RH0));
	assert_true(has_rh0(0, SKIP("2b") RH0));
	assert_true(has_rh0(0, SKIP("3c") SKIP("2b") RH0));
	assert_true(has_rh0(60, "2b 01 0000 00000000 0000000000000000" RH0));
	assert_true(has_rh0(44, "2b 00 0001 00000000" RH0));
	assert_true(has_rh0(51, "2b 01 0000 00000000 00000000" RH0));
	assert_true(has_rh0(43, SKIP("2b") RH0));
}

static void other_packets_have_no_routing_header(void **state)
{
	(void)state;
	assert_false(has_rh0(59, ""));
	assert_false(has_rh0(17, RH0));
	assert_false(has_rh0(43, "3b 00 00 00 00000000"));	/* none left */
	assert_false(has_rh0(43, "3b 00 02 01 00000000"));	/* type 2 */
	assert_false(has_rh0(43, "3b 00 00 01 000000"));	/* cut */
	assert_false(has_rh0(43, "3b 01 00 01 00000000"));
	assert_false(has_rh0(44, "2b 00 0008 00000000" RH0));	/* later one */
	assert_false(has_rh0(0, EIGHT("3b")));
	assert_false(has_rh0(0, EIGHT("3a") "80000000 00000000"));
}

/* SEC-EXT-01: a ninth header, and whatever it hides, is not looked at */
static void more_than_8_headers_count_as_a_routing_header(void **state)
{
	(void)state;
	assert_true(has_rh0(0, EIGHT("2b") RH0));
	assert_true(has_rh0(0, EIGHT("3c") SKIP("3a") "86000000 00000000"));
	assert_true(has_rh0(0, EIGHT("3c") SKIP("3b")));
}

static void the_upper_layer_is_found_behind_extension_headers(void **state)
{
	struct test_packet t = { 0 };
	struct wire_packet p;
	const uint8_t *upper;
	uint8_t type;
	size_t len;

	(void)state;
	wire_put_ip6(packet_more(&t, 40), 26, 0, 64, &client, &server);
	packet_hex(&t, SKIP("2c") "3a 00 0001 00000000 8000 0102030405060708");
	assert_int_equal(wire_parse_ip6(&p, t.b, t.len), WIRE_OK);
	upper = wire_upper(&p, &type, &len);
	assert_int_equal(type, 58);
	assert_int_equal(len, 10);
	assert_ptr_equal(upper, t.b + 56);

	t.len = 0;
	wire_put_ip6(packet_more(&t, 40), 80, 0, 64, &client, &server);
	for (unsigned i = 0; i < 10; i++)
		packet_hex(&t, SKIP("00"));
	assert_int_equal(wire_parse_ip6(&p, t.b, t.len), WIRE_OK);
	upper = wire_upper(&p, &type, &len);
	assert_int_equal(type, 0);	/* the walk ends after 8 headers */
	assert_ptr_equal(upper, t.b + 40 + 64);

	t.len = 0;
	packet_bubble(&t, &client, &server);
	assert_int_equal(wire_parse_ip6(&p, t.b, t.len), WIRE_OK);
	upper = wire_upper(&p, &type, &len);
	assert_int_equal(type, 59);
	assert_int_equal(len, 0);
	assert_ptr_equal(upper, t.b + 40);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_jumbogram_is_malformed),
		cmocka_unit_test(a_bubble_is_a_bare_header),
		cmocka_unit_test(a_payload_or_another_header_is_no_bubble),
		cmocka_unit_test(the_origin_is_inverted_on_the_wire),
		cmocka_unit_test(an_empty_authentication_has_13_octets),
		cmocka_unit_test(authentication_of_any_length_is_read),
		cmocka_unit_test(lengths_beyond_the_datagram_are_malformed),
		cmocka_unit_test(elements_have_one_order_and_appear_once),
		cmocka_unit_test(anything_else_in_front_is_malformed),
		cmocka_unit_test(
		  a_datagram_cut_anywhere_before_its_trailers_is_malformed),
		cmocka_unit_test(
			the_longest_datagram_is_read_and_a_longer_one_not),
		cmocka_unit_test(
			a_packet_from_the_tun_is_exactly_as_long_as_it_says),
		cmocka_unit_test(
			the_head_of_a_packet_is_read_as_far_as_it_goes),
		cmocka_unit_test(
			trailers_come_in_order_and_unknown_ones_are_there_too),
		cmocka_unit_test(the_first_malformed_trailer_ends_the_list),
		cmocka_unit_test(
		  every_unknown_type_of_01_refuses_the_packet_and_no_other),
		cmocka_unit_test(a_routing_header_of_type_0_is_found),
		cmocka_unit_test(more_than_8_headers_count_as_a_routing_header),
		cmocka_unit_test(other_packets_have_no_routing_header),
		cmocka_unit_test(
			the_upper_layer_is_found_behind_extension_headers),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
