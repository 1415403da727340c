/*
 * fuzz_wire.c - any octets as a datagram, and as a packet from the tun
 *
 * What was parsed lies within what was given, and writing it again gives the
 * same octets. An ICMPv6 message is tried with a right checksum, too, because
 * chance does not find one.
 * SEC-PRS-01
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "libteredo/addr.h"
#include "libteredo/icmp6.h"
#include "libteredo/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_elements(const struct wire_packet *p, const uint8_t *data)
{
	const uint8_t *at = data;
	uint8_t again[WIRE_AUTH_LEN];

	if (p->auth.present) {
		assert(p->auth.id == at + 4);
		assert(p->auth.value == at + 4 + p->auth.id_len);
		at = p->auth.value + p->auth.value_len;
		assert(memcmp(p->auth.nonce, at, WIRE_NONCE_LEN) == 0);
		assert(p->auth.confirmation == at[WIRE_NONCE_LEN]);
		at += WIRE_NONCE_LEN + 1;
		wire_put_auth(again, p->auth.nonce);
		again[WIRE_AUTH_LEN - 1] = p->auth.confirmation;
		assert(at != data + WIRE_AUTH_LEN ||
		       memcmp(data, again, WIRE_AUTH_LEN) == 0);
	}
	if (p->has_origin) {
		wire_put_origin(again, p->origin);
		assert(memcmp(at, again, WIRE_ORIGIN_LEN) == 0);
		at += WIRE_ORIGIN_LEN;
	}
	assert(p->ip6 == at);
	assert(p->ip6_off == (size_t)(at - data));
}

static void check_header(const struct wire_packet *p, uint32_t payload_len)
{
	uint8_t again[WIRE_IP6_LEN];

	wire_put_ip6(again, (uint16_t)payload_len, p->next_header,
		     p->hop_limit, &p->src, &p->dst);
	memcpy(again, p->ip6, 4);	/* traffic class and flow label */
	assert(p->ip6[0] >> 4 == 6);
	assert(memcmp(p->ip6, again, WIRE_IP6_LEN) == 0);
}

/* Whether a trailer asks to refuse the packet. */
static bool check_trailers(const struct wire_packet *p)
{
	const uint8_t *end = p->trailers;
	struct wire_trailer t;
	bool refuse = false;
	uint32_t at = 0;

	while (wire_next_trailer(p, &at, &t)) {
		assert(t.value == end + 2);
		assert(t.type == end[0] && t.len == end[1]);
		end = t.value + t.len;
		assert(at == (size_t)(end - p->trailers));
		refuse = refuse || (t.type & 0xc0) == 0x40;
	}
	assert(at <= p->trailers_len);
	assert(p->trailers_len - at < 2 ||
	       p->trailers_len - at < 2u + p->trailers[at + 1]);
	return refuse;
}

static void check_icmp6(const struct wire_packet *p)
{
	struct icmp6_ra ra;
	size_t len;
	const uint8_t *msg = icmp6_message(p, &len);
	bool is_rs = icmp6_is_rs(p), is_ra = icmp6_parse_ra(p, &ra);

	assert(!is_rs || !is_ra);
	assert(msg != NULL || (!is_rs && !is_ra));
	if (msg == NULL)
		return;
	assert(msg == p->ip6 + WIRE_IP6_LEN && len >= 8);
	assert(msg + len == p->ip6 + p->ip6_len);
	assert(icmp6_checksum(&p->src, &p->dst, msg, len) == 0);
	if (is_ra) {
		assert(ra.mtu == 0 ||
		       (ra.mtu >= TEREDO_MTU && ra.mtu <= TEREDO_MAX_UDP));
		for (unsigned i = 8; i < 16; i++)
			assert(ra.prefix.b[i] == 0);
	}
}

static void check_payload(const struct wire_packet *p)
{
	const uint8_t *upper;
	uint8_t type;
	size_t len;

	upper = wire_upper(p, &type, &len);
	assert(upper >= p->ip6 + WIRE_IP6_LEN);
	assert(upper + len == p->ip6 + p->ip6_len);
	assert(!wire_is_bubble(p) || (type == WIRE_NH_NONE && len == 0));
	assert(!wire_is_bubble(p) || !wire_has_rh0(p));
	check_icmp6(p);
}

/* An error about it is a valid message to its source, and never answered. */
static void check_error(const uint8_t *about, size_t len)
{
	static const struct teredo_addr us = { { 0x20, 0x01, 0x0d, 0xb8 } };
	uint8_t error[ICMP6_ERROR_MAX], second[ICMP6_ERROR_MAX];
	size_t n = icmp6_put_unreachable(error, &us, about, len), msg_len;
	struct wire_packet p;

	if (n == 0)
		return;
	assert(n >= 88 && n <= ICMP6_ERROR_MAX);
	assert(wire_parse_ip6(&p, error, n) == WIRE_OK);
	assert(icmp6_message(&p, &msg_len) != NULL);
	assert(memcmp(&p.dst, about + 8, 16) == 0);
	assert(icmp6_put_unreachable(second, &us, error, n) == 0);
}

/* The same packet with the checksum that an ICMPv6 message should have. */
static void check_sealed(const struct wire_packet *p)
{
	size_t len = p->ip6_len - WIRE_IP6_LEN;
	struct wire_packet sealed;
	uint16_t checksum;
	uint8_t *copy;

	if (p->next_header != ICMP6_NEXT_HEADER || len < 4)
		return;
	copy = malloc(p->ip6_len);
	assert(copy != NULL);
	memcpy(copy, p->ip6, p->ip6_len);
	copy[42] = copy[43] = 0;
	checksum = icmp6_checksum(&p->src, &p->dst, copy + WIRE_IP6_LEN, len);
	copy[42] = (uint8_t)(checksum >> 8);
	copy[43] = (uint8_t)checksum;
	assert(wire_parse_ip6(&sealed, copy, p->ip6_len) == WIRE_OK);
	check_icmp6(&sealed);
	assert((icmp6_message(&sealed, &len) != NULL) == (p->ip6_len >= 48));
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct wire_packet p;
	enum wire_error error = wire_parse(&p, data, len);

	if (error != WIRE_MALFORMED) {
		check_elements(&p, data);
		check_header(&p, p.ip6_len - WIRE_IP6_LEN);
		assert(p.trailers == p.ip6 + p.ip6_len);
		assert(p.trailers + p.trailers_len == data + len);
		assert(check_trailers(&p) == (error == WIRE_REFUSED));
		check_payload(&p);
		check_sealed(&p);
		assert(wire_parse_ip6(&p, p.ip6, p.ip6_len) == WIRE_OK);
		assert(p.trailers_len == 0);
	}
	if (wire_parse_ip6_head(&p, data, len) == WIRE_OK) {
		assert(p.ip6_len == len);
		check_payload(&p);
	}
	check_error(data, len);
	return 0;
}
