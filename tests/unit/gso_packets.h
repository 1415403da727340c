/*
 * gso_packets.h - packets with and without offloads, made the plain way
 *
 * Checksums are summed octet by octet here, so that they share nothing with
 * gso_sum().
 */
#ifndef TESTS_UNIT_GSO_PACKETS_H
#define TESTS_UNIT_GSO_PACKETS_H

#include "testing.h"

#include "libtun6/gso.h"

#define TCP 6
#define UDP 17

static inline void be16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static inline void be32(uint8_t *p, uint32_t v)
{
	be16(p, v >> 16);
	be16(p + 2, v & 0xffff);
}

static inline uint32_t plain_sum(uint32_t sum, const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		sum += i % 2 == 0 ? (uint32_t)p[i] << 8 : p[i];
		sum = (sum & 0xffff) + (sum >> 16);
	}
	return sum;
}

static inline uint32_t plain_pseudo(const uint8_t *ip6, size_t carried,
				    uint8_t protocol)
{
	uint8_t tail[8] = { 0 };

	be32(tail, (uint32_t)carried);
	tail[7] = protocol;
	return plain_sum(plain_sum(0, ip6 + 8, 32), tail, 8);
}

/* Of a packet without extension headers. */
static inline void plain_checksum(uint8_t *ip6, size_t len)
{
	uint8_t *at = ip6 + (ip6[6] == TCP ? 56 : 46);
	uint32_t sum;

	be16(at, 0);
	sum = plain_sum(plain_pseudo(ip6, len - 40, ip6[6]), ip6 + 40,
			len - 40);
	sum = ~sum & 0xffff;
	be16(at, sum == 0 && ip6[6] == UDP ? 0xffff : sum);
}

struct flow {
	uint8_t protocol, hosts; /* hosts: last octet of both addresses */
	uint16_t port;
	uint32_t seq;
	uint8_t options; /* TCP: octets, a multiple of four */
	uint8_t flags;
};

/* A packet of a flow; its length. payload is of the flow's seq. */
static inline size_t flow_packet(uint8_t *ip6, const struct flow *f,
				 size_t payload)
{
	size_t head = f->protocol == TCP ? 20u + f->options : 8u;

	memset(ip6, 0, 40 + head);
	be32(ip6, 0x60012345);
	be16(ip6 + 4, (unsigned)(head + payload));
	ip6[6] = f->protocol;
	ip6[7] = 64;
	memcpy(ip6 + 8, "\x20\x01\x0d\xb8", 4);
	memcpy(ip6 + 24, "\x20\x01\x0d\xb8", 4);
	ip6[23] = f->hosts;
	ip6[39] = (uint8_t)~f->hosts;
	be16(ip6 + 40, f->port);
	be16(ip6 + 42, 443);
	if (f->protocol == TCP) {
		be32(ip6 + 44, f->seq);
		be32(ip6 + 48, 77777);
		ip6[52] = (uint8_t)(head / 4 << 4);
		ip6[53] = f->flags;
		be16(ip6 + 54, 501);
		memset(ip6 + 60, 1, f->options);
	} else {
		be16(ip6 + 44, (unsigned)(8 + payload));
	}
	for (size_t i = 0; i < payload; i++)
		ip6[40 + head + i] = (uint8_t)((f->seq + i) * 167 >> 3);
	plain_checksum(ip6, 40 + head + payload);
	return 40 + head + payload;
}

/* What the kernel puts before a super-packet made of such a packet; the
 * checksum field becomes the sum of the pseudo-header. */
static inline struct virtio_net_hdr make_super(uint8_t *ip6, size_t len,
					       size_t size)
{
	bool tcp = ip6[6] == TCP;

	be16(ip6 + (tcp ? 56 : 46), plain_pseudo(ip6, len - 40, ip6[6]));
	return (struct virtio_net_hdr){
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.gso_type = tcp ? VIRTIO_NET_HDR_GSO_TCPV6 : GSO_UDP_L4,
		.hdr_len = 0, /* no promise */
		.gso_size = (uint16_t)size,
		.csum_start = 40,
		.csum_offset = tcp ? 16 : 6,
	};
}

#endif
