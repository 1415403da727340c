/*
 * test_wire_lengths.c - a datagram of any length, whatever it says of lengths
 *
 * Small domains in full: each combination of what may stand in front, with
 * every payload length up to 300 in datagrams of every length up to 300; all
 * lengths that authentication, extension headers and trailers can name. What
 * must come of it is reckoned here, by the RFCs' figures alone. Everything is
 * parsed from memory of its own length, so that a sanitizer sees what is read
 * beyond. (faults.md section 11)
 */
#include "tests/unit/testing.h"

#define MOST 300u

static uint8_t *exact;		/* as much as the datagram has */

/* The first len octets of data, alone. */
static const uint8_t *alone(const uint8_t *data, size_t len)
{
	free(exact);
	exact = malloc(len > 0 ? len : 1);
	assert_non_null(exact);
	memcpy(exact, data, len);
	return exact;
}

static int teardown(void **state)
{
	(void)state;
	free(exact);
	exact = NULL;
	return 0;
}

/* An IPv6 header at `at`, of a payload that long. */
static void put_head(uint8_t *at, size_t payload, uint8_t next)
{
	memset(at, 0, WIRE_IP6_LEN);
	at[0] = 0x60;
	at[4] = (uint8_t)(payload >> 8);
	at[5] = (uint8_t)payload;
	at[6] = next;
}

static void check_one(const uint8_t *data, size_t len, size_t front,
		      size_t payload)
{
	size_t whole = front + WIRE_IP6_LEN + payload;
	const uint8_t *d = alone(data, len);
	enum wire_error error;
	struct wire_packet p;

	error = wire_parse(&p, d, len);
	if (len < whole) {
		assert_int_equal(error, WIRE_MALFORMED);
		return;
	}
	assert_int_equal(error, WIRE_OK);
	assert_int_equal(p.ip6_off, front);
	assert_int_equal(p.ip6_len, WIRE_IP6_LEN + payload);
	assert_ptr_equal(p.ip6, d + front);
	assert_ptr_equal(p.trailers, d + whole);
	assert_int_equal(p.trailers_len, len - whole);
}

/* What is in front: bit 0 an origin, above it which authentication. How long
 * it is. */
static size_t put_front(uint8_t *data, unsigned which)
{
	static const uint8_t lengths[][2] = { { 0, 0 }, { 5, 0 }, { 0, 20 },
					      { 16, 20 } };
	const uint8_t *l = lengths[which / 2 - (which > 1)];
	size_t len = 0;

	if (which > 1) {
		memcpy(data, (uint8_t[]){ 0, 1, l[0], l[1] }, 4);
		memset(data + 4, 0xaa, l[0] + l[1] + 9u);
		len = 13u + l[0] + l[1];
	}
	if (which % 2 == 1) {
		memset(data + len, 0xff, 8);
		memset(data + len, 0, 2);
		len += 8;
	}
	return len;
}

/* A-ENC-01..08, C-RX-02 */
static void every_front_payload_and_length(void **state)
{
	uint8_t data[3 * MOST];

	(void)state;
	for (unsigned which = 0; which < 10; which++)
		for (size_t payload = 0; payload <= MOST; payload++) {
			size_t front;

			memset(data, 0, sizeof(data)); /* trailers of no length */
			front = put_front(data, which);
			put_head(data + front, payload, 59);
			for (size_t len = 0; len <= MOST; len++)
				check_one(data, len, front, payload);
		}
}

/* A-ENC-03, A-ENC-08 */
static void every_length_of_authentication(void **state)
{
	uint8_t data[4 + 255 + 255 + 9 + WIRE_IP6_LEN];
	struct wire_packet p;

	(void)state;
	for (unsigned both = 0; both < 65536; both++) {
		uint8_t id = (uint8_t)both, value = (uint8_t)(both >> 8);
		size_t front = 13u + id + value, whole = front + WIRE_IP6_LEN;
		const uint8_t *d;

		memcpy(data, (uint8_t[]){ 0, 1, id, value }, 4);
		memset(data + 4, 0xaa, front - 4);
		put_head(data + front, 0, 59);
		d = alone(data, whole);
		assert_int_equal(wire_parse(&p, d, whole), WIRE_OK);
		assert_int_equal(p.auth.id_len, id);
		assert_int_equal(p.auth.value_len, value);
		assert_ptr_equal(p.auth.value, d + 4 + id);
		assert_int_equal(p.ip6_off, front);
		for (size_t cut = 1; cut <= 3; cut++)
			assert_int_equal(wire_parse(&p, alone(data, front - cut),
						    front - cut),
					 WIRE_MALFORMED);
	}
}

/* How long an extension header is that says n; RFC 8200 4, RFC 4302 2.2. */
static size_t extension_length(uint8_t type, unsigned n)
{
	return type == 44 ? 8u : type == 51 ? 4u * (n + 2) : 8u * (n + 1);
}

/* G-RH0-01, SEC-EXT-01 */
static void every_length_of_an_extension_header(void **state)
{
	static const uint8_t types[] = { 0, 43, 44, 51, 60 };
	uint8_t data[WIRE_IP6_LEN + MOST], type;
	struct wire_packet p;
	const uint8_t *upper;
	size_t left, payload, len;

	(void)state;
	for (unsigned i = 0; i < COUNT(types) * 256u; i++)
		for (payload = 1; payload <= MOST; payload++) {
			uint8_t first = types[i / 256];
			size_t step = extension_length(first, i % 256);

			len = WIRE_IP6_LEN + payload;
			memset(data, 0, len);
			put_head(data, payload, first);
			data[40] = 17;
			if (payload > 1)
				data[41] = (uint8_t)i;
			assert_int_equal(wire_parse_ip6(&p, alone(data, len),
							len), WIRE_OK);
			assert_false(wire_has_rh0(&p));
			if (payload < 8 || payload < step)
				step = 0;
			upper = wire_upper(&p, &type, &left);
			assert_ptr_equal(upper, p.ip6 + WIRE_IP6_LEN + step);
			assert_int_equal(left, payload - step);
			assert_int_equal(type, step > 0 ? 17 : first);
		}
}

/* X-TLV-01..06 */
static void every_type_and_length_of_a_trailer(void **state)
{
	uint8_t data[WIRE_IP6_LEN + 2 + 255];
	struct wire_packet p;
	struct wire_trailer t;

	(void)state;
	memset(data, 0, sizeof(data));
	put_head(data, 0, 59);
	for (unsigned both = 0; both < 65536; both++)
		for (unsigned cut = 0; cut <= 2; cut++) {
			size_t len = WIRE_IP6_LEN + 2u + (both & 255) - cut;
			bool unknown = both >> 8 >= 0x40 && both >> 8 < 0x80;
			uint32_t at = 0;
			enum wire_error error;

			data[40] = (uint8_t)(both >> 8);
			data[41] = (uint8_t)both;
			error = wire_parse(&p, alone(data, len), len);
			assert_int_equal(error, cut == 0 && unknown ?
					 WIRE_REFUSED : WIRE_OK);
			if (error != WIRE_OK)
				continue;
			assert_int_equal(wire_next_trailer(&p, &at, &t),
					 cut == 0);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(every_front_payload_and_length,
					  teardown),
		cmocka_unit_test_teardown(every_length_of_authentication,
					  teardown),
		cmocka_unit_test_teardown(every_length_of_an_extension_header,
					  teardown),
		cmocka_unit_test_teardown(every_type_and_length_of_a_trailer,
					  teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
