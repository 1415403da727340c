/*
 * fuzz_ra.c - any solicitation or advertisement with a right checksum
 *
 *	kind	bits: 1 solicitation, 2 hop limit, 4 source, 8 code
 *	rest	the message from its fifth octet on
 *
 * RFC 4861 6.1.1 and 6.1.2 read a second time, by index and without icmp6.c:
 * both must agree whether the message is valid, and on prefix and MTU.
 * C-QUAL-08, C-QUAL-10, S-CHK-10, SEC-PRS-01
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "libteredo/icmp6.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

struct reading {
	bool whole;		/* the options fill the message */
	bool source;		/* a source link-layer address among them */
	bool bad_prefix;
	unsigned prefixes;
	uint8_t prefix[8];
	uint32_t mtu;
};

static void read_option(struct reading *r, const uint8_t *o, unsigned units)
{
	uint32_t mtu;

	if (o[0] == 1)
		r->source = true;
	if (o[0] == 3 && (units != 4 || o[2] != 64))
		r->bad_prefix = true;
	if (o[0] == 3 && units == 4) {
		r->prefixes++;
		memcpy(r->prefix, o + 16, 8);
	}
	if (o[0] == 5 && units == 1) {
		mtu = o[4] * 0x1000000u + o[5] * 0x10000u + o[6] * 0x100u +
		      o[7];
		r->mtu = mtu >= 1280 && mtu <= 65507 ? mtu : 0;
	}
}

static struct reading read_options(const uint8_t *msg, size_t from, size_t len)
{
	struct reading r = { .whole = false };

	while (from + 2 <= len && msg[from + 1] > 0 &&
	       from + 8u * msg[from + 1] <= len) {
		read_option(&r, msg + from, msg[from + 1]);
		from += 8u * msg[from + 1];
	}
	r.whole = from == len;
	return r;
}

static void check_ra(const struct wire_packet *p, uint8_t kind,
		     const uint8_t *msg, size_t len)
{
	struct reading r = read_options(msg, 16, len);
	struct icmp6_ra ra;
	bool valid = len >= 16 && r.whole && r.prefixes == 1 &&
		     !r.bad_prefix && (kind & 15) == 0;

	assert(icmp6_parse_ra(p, &ra) == valid);
	assert(!icmp6_is_rs(p));
	assert(!valid || (ra.mtu == r.mtu &&
			  memcmp(ra.prefix.b, r.prefix, 8) == 0));
}

static void check_rs(const struct wire_packet *p, uint8_t kind,
		     const uint8_t *msg, size_t len)
{
	struct reading r = read_options(msg, 8, len);
	struct icmp6_ra ra;
	/* bit 4: from nobody, who has no link-layer address */
	bool valid = r.whole && (kind & 10) == 0 &&
		     !((kind & 4) && r.source);

	assert(icmp6_is_rs(p) == valid);
	assert(!icmp6_parse_ra(p, &ra));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct teredo_addr src = { { 0 } }, dst = { { 0xfe, 0x80 } };
	uint8_t kind, *packet, *msg;
	struct wire_packet p;
	uint16_t checksum;
	size_t msg_len;

	if (len < 5 || len > 2000)
		return 0;
	kind = data[0];
	msg_len = len + 3;
	packet = malloc(WIRE_IP6_LEN + msg_len);
	assert(packet != NULL);
	msg = packet + WIRE_IP6_LEN;
	memcpy(src.b, dst.b, 2);
	if (kind & 4)
		memset(src.b, 0, 2);
	wire_put_ip6(packet, (uint16_t)msg_len, ICMP6_NEXT_HEADER,
		     kind & 2 ? 64 : 255, &src, &dst);
	msg[0] = kind & 1 ? ICMP6_RS : ICMP6_RA;
	msg[1] = kind & 8 ? 1 : 0;
	msg[2] = msg[3] = 0;
	memcpy(msg + 4, data + 1, len - 1);
	checksum = icmp6_checksum(&src, &dst, msg, msg_len);
	msg[2] = (uint8_t)(checksum >> 8);
	msg[3] = (uint8_t)checksum;
	assert(wire_parse_ip6(&p, packet, WIRE_IP6_LEN + msg_len) == WIRE_OK);
	assert(icmp6_is_neighbour_discovery(&p));
	if (kind & 1)
		check_rs(&p, kind, msg, msg_len);
	else
		check_ra(&p, kind, msg, msg_len);
	free(packet);
	return 0;
}
