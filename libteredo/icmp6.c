/*
 * icmp6.c - the ICMPv6 messages that Teredo needs
 *
 * Solicitations and advertisements carry the qualification (RFC 4380 5.2.1,
 * 5.3.2), echo the connectivity test (5.2.9), unreachable errors tell the
 * local stack that a peer did not answer (C-TX-15).
 *
 * What comes in is checked as RFC 4861 6.1 asks: hop limit 255, checksum,
 * code, length, and options that have a length and end where the message
 * ends. The message has to stand directly behind the IPv6 header: extension
 * headers only hide it (SEC-EXT-01).
 *
 * Link-layer options of neighbour discovery mean nothing on this link, which
 * has no link-layer addresses.
 */
#include "icmp6.h"

#include <assert.h>
#include <string.h>

#include "addr.h"

#define OPTION_SOURCE	1	/* link-layer address */
#define OPTION_PREFIX	3
#define OPTION_MTU	5
#define REDIRECT	137
#define HEADER		8u	/* of RS, echo and errors */
#define RA_HEADER	16u

/* ---- checksum ---- */

static uint32_t sum(uint32_t acc, const uint8_t *b, size_t len)
{
	for (; len >= 2; len -= 2, b += 2)
		acc += (uint32_t)b[0] << 8 | b[1];
	if (len > 0)
		acc += (uint32_t)b[0] << 8;
	return acc;
}

/* At most 64 KiB are summed, which no 32 bits overflow by. */
uint16_t icmp6_checksum(const struct teredo_addr *src,
			const struct teredo_addr *dst,
			const uint8_t *msg, size_t len)
{
	uint32_t acc = (uint32_t)len + ICMP6_NEXT_HEADER;

	assert(len <= UINT16_MAX);
	acc = sum(acc, src->b, sizeof(src->b));
	acc = sum(acc, dst->b, sizeof(dst->b));
	acc = sum(acc, msg, len);
	while (acc >> 16 != 0)
		acc = (acc & 0xffff) + (acc >> 16);
	return (uint16_t)~acc;
}

/* ---- reading ---- */

bool icmp6_is_neighbour_discovery(const struct wire_packet *p)
{
	uint8_t type;
	size_t len;
	const uint8_t *msg = wire_upper(p, &type, &len);

	return type == ICMP6_NEXT_HEADER && len > 0 && msg[0] >= ICMP6_RS &&
	       msg[0] <= ICMP6_REDIRECT;
}

const uint8_t *icmp6_message(const struct wire_packet *p, size_t *len)
{
	const uint8_t *msg = p->ip6 + WIRE_IP6_LEN;

	*len = p->ip6_len - WIRE_IP6_LEN;
	if (p->next_header != ICMP6_NEXT_HEADER || *len < HEADER ||
	    icmp6_checksum(&p->src, &p->dst, msg, *len) != 0)
		return NULL;
	return msg;
}

/* A neighbour discovery message of that type with a fixed part of that
 * length, as far as RFC 4861 6.1.1 and 6.1.2 agree. */
static const uint8_t *discovery(const struct wire_packet *p, uint8_t type,
				size_t fixed, size_t *len)
{
	const uint8_t *msg = icmp6_message(p, len);

	if (msg == NULL || p->hop_limit != 255 || msg[0] != type ||
	    msg[1] != 0 || *len < fixed)
		return NULL;
	return msg;
}

/* Takes the option at *at. false at the end, where *at == len, and at a
 * malformed one, where it is not. */
static bool next_option(const uint8_t *msg, size_t len, size_t *at,
			const uint8_t **option, size_t *option_len)
{
	if (len - *at < 2)
		return false;
	*option = msg + *at;
	*option_len = 8u * (*option)[1];
	if (*option_len == 0 || *option_len > len - *at)
		return false;
	*at += *option_len;
	return true;
}

bool icmp6_is_rs(const struct wire_packet *p)
{
	static const struct teredo_addr unspecified;
	bool from_nobody = addr_equal(&p->src, &unspecified);
	size_t len, at = HEADER, option_len;
	const uint8_t *msg = discovery(p, ICMP6_RS, HEADER, &len), *option;

	if (msg == NULL)
		return false;
	while (next_option(msg, len, &at, &option, &option_len))
		if (option[0] == OPTION_SOURCE && from_nobody)
			return false;
	return at == len;
}

static uint32_t get32(const uint8_t *b)
{
	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 |
	       (uint32_t)b[2] << 8 | b[3];
}

/* C-QUAL-11: the prefix has 64 bits */
static bool get_prefix(const uint8_t *option, size_t len,
		       struct teredo_addr *prefix)
{
	if (len != 32 || option[2] != 64)
		return false;
	memset(prefix, 0, sizeof(*prefix));
	memcpy(prefix, option + 16, 8);
	return true;
}

/* A-MTU-04: an MTU out of range is as none */
static void get_mtu(const uint8_t *option, size_t len, uint32_t *mtu)
{
	if (len != 8)
		return;
	*mtu = get32(option + 4);
	if (*mtu < TEREDO_MTU || *mtu > TEREDO_MAX_UDP)
		*mtu = 0;
}

bool icmp6_parse_ra(const struct wire_packet *p, struct icmp6_ra *ra)
{
	size_t len, at = RA_HEADER, option_len;
	const uint8_t *msg = discovery(p, ICMP6_RA, RA_HEADER, &len), *option;
	unsigned prefixes = 0;

	memset(ra, 0, sizeof(*ra));
	if (msg == NULL || !addr_is_link_local(&p->src))
		return false;
	while (next_option(msg, len, &at, &option, &option_len)) {
		if (option[0] == OPTION_MTU)
			get_mtu(option, option_len, &ra->mtu);
		if (option[0] != OPTION_PREFIX)
			continue;
		if (!get_prefix(option, option_len, &ra->prefix))
			return false;
		prefixes++;
	}
	return at == len && prefixes == 1;
}

/* ---- writing ---- */

static void put32(uint8_t *out, uint32_t x)
{
	out[0] = (uint8_t)(x >> 24);
	out[1] = (uint8_t)(x >> 16);
	out[2] = (uint8_t)(x >> 8);
	out[3] = (uint8_t)x;
}

/* Writes the IPv6 header and the first 8 octets, all but the type zero. */
static uint8_t *start(uint8_t *out, uint8_t type, size_t len,
		      uint8_t hop_limit, const struct teredo_addr *src,
		      const struct teredo_addr *dst)
{
	uint8_t *msg = out + WIRE_IP6_LEN;

	assert(len <= UINT16_MAX);
	wire_put_ip6(out, (uint16_t)len, ICMP6_NEXT_HEADER, hop_limit, src,
		     dst);
	memset(msg, 0, HEADER);
	msg[0] = type;
	return msg;
}

/* The checksum comes last. */
static void finish(uint8_t *msg, size_t len, const struct teredo_addr *src,
		   const struct teredo_addr *dst)
{
	uint16_t checksum = icmp6_checksum(src, dst, msg, len);

	msg[2] = (uint8_t)(checksum >> 8);
	msg[3] = (uint8_t)checksum;
}

void icmp6_put_rs(uint8_t *out, const struct teredo_addr *src)
{
	const struct teredo_addr all_routers = {
		.b = { [0] = 0xff, [1] = 0x02, [15] = 2 },
	};
	uint8_t *msg = start(out, ICMP6_RS, HEADER, 255, src, &all_routers);

	finish(msg, HEADER, src, &all_routers);
}

void icmp6_put_ra(uint8_t *out, const struct teredo_addr *src,
		  const struct teredo_addr *dst, uint32_t prefix,
		  uint32_t server_ip, uint32_t mtu)
{
	const size_t len = ICMP6_RA_LEN - WIRE_IP6_LEN;
	uint8_t *msg = start(out, ICMP6_RA, len, 255, src, dst);
	uint8_t *option = msg + RA_HEADER;

	memset(msg + HEADER, 0, len - HEADER);
	put32(msg + 12, 2000);		/* retransmission timer, ms */
	option[0] = OPTION_PREFIX;
	option[1] = 4;
	option[2] = 64;
	option[3] = 0x40;		/* A: autonomous configuration */
	put32(option + 4, UINT32_MAX);	/* valid */
	put32(option + 8, UINT32_MAX);	/* preferred */
	memcpy(option + 16, &prefix, 4);
	memcpy(option + 20, &server_ip, 4);
	option += 32;
	option[0] = OPTION_MTU;
	option[1] = 1;
	put32(option + 4, mtu);
	finish(msg, len, src, dst);
}

/* What RFC 1624 says of a change: out with the old address, in with the new. */
void icmp6_readdress_ra(uint8_t *ra, const struct teredo_addr *dst)
{
	uint8_t *at = ra + 24, *check = ra + WIRE_IP6_LEN + 2;
	uint32_t acc = (uint16_t)~(check[0] << 8 | check[1]);

	for (unsigned i = 0; i < 16; i += 2)
		acc += (uint16_t)~(at[i] << 8 | at[i + 1]);
	acc = sum(acc, dst->b, sizeof(dst->b));
	while (acc >> 16 != 0)
		acc = (acc & 0xffff) + (acc >> 16);
	check[0] = (uint8_t)(~acc >> 8);
	check[1] = (uint8_t)~acc;
	memcpy(at, dst->b, sizeof(dst->b));
}

void icmp6_put_echo(uint8_t *out, uint8_t type, const struct teredo_addr *src,
		    const struct teredo_addr *dst, uint16_t id, uint16_t seq,
		    const uint8_t *data, size_t data_len)
{
	size_t len = HEADER + data_len;
	uint8_t *msg = start(out, type, len, 64, src, dst);

	put32(msg + 4, (uint32_t)id << 16 | seq);
	if (data_len > 0)
		memcpy(msg + HEADER, data, data_len);
	finish(msg, len, src, dst);
}

/* RFC 4443 2.4(e) */
static bool may_be_answered(const struct wire_packet *p)
{
	static const struct teredo_addr unspecified;
	size_t len;
	uint8_t type;
	const uint8_t *upper = wire_upper(p, &type, &len);

	if (addr_is_multicast(&p->src) || addr_is_multicast(&p->dst) ||
	    addr_equal(&p->src, &unspecified))
		return false;
	if (type != ICMP6_NEXT_HEADER)
		return true;
	/* errors have types below 128; without a type it might be one */
	return len > 0 && upper[0] >= 128 && upper[0] != REDIRECT;
}

size_t icmp6_put_unreachable(uint8_t *out, const struct teredo_addr *src,
			     const uint8_t *about, size_t about_len)
{
	static const struct teredo_addr unspecified;
	const size_t quote_max = ICMP6_ERROR_MAX - WIRE_IP6_LEN - HEADER;
	size_t quote = about_len < quote_max ? about_len : quote_max;
	struct wire_packet p;
	uint8_t *msg;

	if (addr_equal(src, &unspecified) ||
	    wire_parse_ip6_head(&p, about, about_len) != WIRE_OK ||
	    !may_be_answered(&p))
		return 0;
	msg = start(out, ICMP6_UNREACHABLE, HEADER + quote, 64, src, &p.src);
	msg[1] = 3;
	memcpy(msg + HEADER, about, quote);
	finish(msg, HEADER + quote, src, &p.src);
	return WIRE_IP6_LEN + HEADER + quote;
}
