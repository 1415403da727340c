/*
 * script.h - a fuzz input as a script for relay or server
 *
 * A core behaves well or badly over several packets, so an input is a list of
 * steps. A packet in it is
 *
 *	source, destination, sender	an octet each: numbers in tables
 *	repair				bits: 1 payload length, 2 checksum
 *	length				an octet
 *	octets				of the datagram
 *
 * Number 0 leaves what the octets say. Else the address is written into the
 * IPv6 packet of the datagram, if it is well-formed, so that chance need not
 * find the addresses of one client in several packets. Sender 0 is the mapping
 * in the source address: rule 5 of the server, R-DEC-02 of the relay.
 */
#ifndef TESTS_FUZZ_SCRIPT_H
#define TESTS_FUZZ_SCRIPT_H

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "libteredo/addr.h"
#include "libteredo/icmp6.h"
#include "libteredo/outbox.h"
#include "libteredo/wire.h"

struct script {
	const uint8_t *at, *end;
};

/* 0 when it is over. */
static inline uint8_t script_u8(struct script *s)
{
	return s->at < s->end ? *s->at++ : 0;
}

static inline uint32_t script_ip4(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
	const uint8_t octets[4] = { a, b, c, d };
	uint32_t ip;

	memcpy(&ip, octets, 4);
	return ip;
}

static inline struct teredo_ep script_ep(uint32_t ip, uint8_t high, uint8_t low)
{
	const uint8_t octets[2] = { high, low };
	struct teredo_ep ep = { .ip = ip };

	memcpy(&ep.port, octets, 2);
	return ep;
}

#define SCRIPT_PACKET_MAX 256u

struct script_packet {
	uint8_t *data;		/* exactly len octets, from malloc() */
	size_t len;
	struct teredo_ep from;
};

struct script_tables {
	const struct teredo_addr *addr;
	const struct teredo_ep *ep;
	unsigned addrs, eps;
};

static inline void script_address(uint8_t *out, const struct script_tables *t,
				  uint8_t number)
{
	if (number != 0)
		memcpy(out, t->addr[number % t->addrs].b, 16);
}

static inline void script_repair(uint8_t *ip6, size_t len, uint8_t repair)
{
	struct teredo_addr src, dst;
	uint16_t checksum;

	if (repair & 1) {
		ip6[4] = 0;
		ip6[5] = (uint8_t)(len - 40);
	}
	if ((repair & 2) == 0 || len < 44 || ip6[6] != ICMP6_NEXT_HEADER)
		return;
	memcpy(src.b, ip6 + 8, 16);
	memcpy(dst.b, ip6 + 24, 16);
	ip6[42] = ip6[43] = 0;
	checksum = icmp6_checksum(&src, &dst, ip6 + 40, len - 40);
	ip6[42] = (uint8_t)(checksum >> 8);
	ip6[43] = (uint8_t)checksum;
}

/* Where the IPv6 packet begins in what may be a datagram. */
static inline size_t script_ip6_off(const uint8_t *data, size_t len)
{
	size_t off = 0;

	if (len - off >= 13 && data[0] == 0 && data[1] == 1)
		off += 13u + data[2] + data[3];
	if (off + 8 <= len && data[off] == 0 && data[off + 1] == 0)
		off += 8;
	return off;
}

/* The next packet; the caller frees its data. */
static inline struct script_packet script_packet(struct script *s,
						 const struct script_tables *t)
{
	uint8_t src = script_u8(s), dst = script_u8(s), from = script_u8(s);
	uint8_t repair = script_u8(s);
	struct script_packet p = { .len = script_u8(s) };
	struct teredo_addr a = { .b = { 0 } };
	size_t off;

	if (p.len > (size_t)(s->end - s->at))
		p.len = (size_t)(s->end - s->at);
	p.data = malloc(p.len + 1);
	assert(p.data != NULL);
	memcpy(p.data, s->at, p.len);
	s->at += p.len;
	off = script_ip6_off(p.data, p.len);
	if (off + 40 <= p.len) {
		script_address(p.data + off + 8, t, src);
		script_address(p.data + off + 24, t, dst);
		script_repair(p.data + off, p.len - off, repair);
		memcpy(a.b, p.data + off + 8, 16);
	}
	p.from = from == 0 ? addr_mapping(&a) : t->ep[from % t->eps];
	return p;
}

static inline void script_random(void *ctx, void *buf, size_t len)
{
	uint8_t *out = buf;

	(void)ctx;
	for (size_t i = 0; i < len; i++)
		out[i] = (uint8_t)(i * 41 + 7);
}

#endif
