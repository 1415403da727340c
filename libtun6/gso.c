/*
 * gso.c - super-packets out of the tun: segments and their checksums
 *
 * The kernel describes a super-packet by a virtio-net header: where the
 * transport header begins (csum_start), how much payload each segment gets
 * (gso_size), and that the transport checksum holds the sum of the
 * pseudo-header only. hdr_len is a hint that is wrong for forwarded packets
 * (kernel: include/linux/virtio_net.h), so the length of the headers is taken
 * from the transport header itself.
 *
 * A segment's headers are a copy of the super-packet's with these changes, as
 * the kernel's own tcp_gso_segment() and udp_gso_segment() make them visible
 * on a wire: lengths; TCP: the sequence number goes on, FIN and PSH are the
 * last one's alone, CWR the first one's (RFC 3168 6.1.2); the checksum.
 * Extension headers before the transport header are copied as they are.
 *
 * An ordinary packet may come with a checksum to be finished as well: every
 * locally sent one does. A UDP checksum of zero becomes ffff (RFC 8200 8.1).
 *
 * Everything that the header says is checked against the packet: neither
 * comes from an enemy, but a wrong one must cost a packet and nothing else.
 *
 * gso_merge.c goes the other way.
 */
#include "config.h"

#include "gso.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#define IP6_HEAD   40u
#define TCP_HEAD   20u
#define UDP_HEAD   8u
#define PROTO_TCP  6
#define PROTO_UDP  17
#define TCP_SEQ	   4u
#define TCP_OFFSET 12u
#define TCP_FLAGS  13u
#define TCP_CHECK  16u
#define UDP_LEN	   4u
#define UDP_CHECK  6u
#define FIN	   0x01u
#define PSH	   0x08u
#define CWR	   0x80u

static void put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	       (uint32_t)p[2] << 8 | p[3];
}

static void put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v);
}

/* ---- checksums ---- */

/* One's complement addition does not care for the width of its terms nor for
 * their byte order: 32-bit words as they lie in memory are summed in 64 bits,
 * in a shape that the compiler turns into vector instructions. They cannot
 * overflow: even 4 GB are less than 2^62. */
uint64_t gso_sum(uint64_t sum, const void *data, size_t len)
{
	const uint8_t *p = data;
	uint64_t lane[4] = { 0 };
	uint32_t w[4], x[4];
	uint16_t half;

	for (; len >= 2 * sizeof(w); len -= 2 * sizeof(w), p += 2 * sizeof(w)) {
		memcpy(w, p, sizeof(w));
		memcpy(x, p + sizeof(w), sizeof(x));
		for (unsigned i = 0; i < 4; i++)
			lane[i] += (uint64_t)w[i] + x[i];
	}
	sum += lane[0] + lane[1] + lane[2] + lane[3];
	for (; len >= sizeof(*w); len -= sizeof(*w), p += sizeof(*w)) {
		memcpy(w, p, sizeof(*w));
		sum += *w;
	}
	if (len >= sizeof(half)) {
		memcpy(&half, p, sizeof(half));
		sum += half;
		p += sizeof(half);
	}
	if (len % 2 != 0) {
		half = 0;
		memcpy(&half, p, 1);
		sum += half;
	}
	return sum;
}

uint16_t gso_fold(uint64_t sum)
{
	sum = (sum >> 32) + (sum & 0xffffffffu);
	sum = (sum >> 32) + (sum & 0xffffffffu);
	sum = (sum >> 16) + (sum & 0xffffu);
	sum = (sum >> 16) + (sum & 0xffffu);
	sum = (sum >> 16) + (sum & 0xffffu);
	return (uint16_t)sum;
}

/* The addresses lie behind each other. */
uint64_t gso_sum_pseudo(const uint8_t *ip6, uint32_t len, uint8_t protocol)
{
	uint8_t tail[8] = { 0 };

	put32(tail, len);
	tail[7] = protocol;
	return gso_sum(0, ip6 + 8, 32) + gso_sum(0, tail, sizeof(tail));
}

static void put_check(uint8_t *at, uint64_t sum, uint8_t protocol)
{
	uint16_t check = (uint16_t)~gso_fold(sum);

	if (check == 0 && protocol == PROTO_UDP)
		check = 0xffff;
	memcpy(at, &check, sizeof(check));
}

/* ---- looking ---- */

/* The checksum field holds the sum of the pseudo-header. */
static int finish_checksum(const struct virtio_net_hdr *vnet, uint8_t *data,
			   size_t len)
{
	size_t start = vnet->csum_start;
	size_t at = start + vnet->csum_offset;

	if ((vnet->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) == 0)
		return 0;
	if (start < IP6_HEAD || at + 2 > len)
		return -EINVAL;
	put_check(data + at, gso_sum(0, data + start, len - start),
		  vnet->csum_offset == UDP_CHECK ? PROTO_UDP : 0);
	return 0;
}

/* Length of the transport header and offset of its checksum by the kind of
 * super-packet; 0: a kind that was not asked for. */
static uint32_t view_transport(struct gso_super *s,
			       const struct virtio_net_hdr *vnet)
{
	uint32_t room = s->len - s->transport;
	uint32_t head;

	switch (vnet->gso_type & ~VIRTIO_NET_HDR_GSO_ECN) {
	case VIRTIO_NET_HDR_GSO_TCPV6:
		s->protocol = PROTO_TCP;
		if (room < TCP_HEAD || vnet->csum_offset != TCP_CHECK)
			return 0;
		head = (s->data[s->transport + TCP_OFFSET] >> 4) * 4u;
		return head < TCP_HEAD || head > room ? 0 : head;
	case GSO_UDP_L4:
		s->protocol = PROTO_UDP;
		if (room < UDP_HEAD || vnet->csum_offset != UDP_CHECK)
			return 0;
		return UDP_HEAD;
	default:
		return 0;
	}
}

static int view_super(struct gso_super *s, const struct virtio_net_hdr *vnet)
{
	uint32_t head;

	s->transport = vnet->csum_start;
	s->size = vnet->gso_size;
	if ((vnet->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) == 0 || s->size == 0 ||
	    s->transport < IP6_HEAD || s->transport >= s->len)
		return -EINVAL;
	head = view_transport(s, vnet);
	s->head = s->transport + head;
	if (head == 0 || s->head > GSO_HEADER_MAX)
		return -EINVAL;
	s->count = (s->len - s->head + s->size - 1) / s->size;
	return s->count == 0 ? -EINVAL : 0;
}

int gso_view(struct gso_super *s, const struct virtio_net_hdr *vnet,
	     uint8_t *data, size_t len)
{
	int error;

	*s = (struct gso_super){ .data = data, .len = (uint32_t)len,
				 .count = 1 };
	if (vnet->gso_type == VIRTIO_NET_HDR_GSO_NONE)
		return finish_checksum(vnet, data, len);
	if (len < IP6_HEAD || len > UINT16_MAX + IP6_HEAD)
		return -EINVAL;
	error = view_super(s, vnet);
	if (error == 0 && s->count == 1)
		return finish_checksum(vnet, data, len);
	return error;
}

/* ---- cutting ---- */

static void segment_tcp(const struct gso_super *s, uint32_t i, uint8_t *tcp)
{
	put32(tcp + TCP_SEQ, get32(tcp + TCP_SEQ) + i * s->size);
	if (i > 0)
		tcp[TCP_FLAGS] &= (uint8_t)~CWR;
	if (i + 1 < s->count)
		tcp[TCP_FLAGS] &= (uint8_t)~(FIN | PSH);
}

struct iovec gso_segment(const struct gso_super *s, uint32_t i, uint8_t *head)
{
	uint32_t at = s->head + i * s->size;
	uint32_t len = i + 1 < s->count ? s->size : s->len - at;
	uint32_t carried = s->head - s->transport + len;
	uint8_t *transport = head + s->transport;
	uint8_t *check;
	uint64_t sum;

	assert(s->count > 1 && i < s->count);
	memcpy(head, s->data, s->head);
	put16(head + 4, s->head - IP6_HEAD + len);
	if (s->protocol == PROTO_TCP) {
		segment_tcp(s, i, transport);
		check = transport + TCP_CHECK;
	} else {
		put16(transport + UDP_LEN, carried);
		check = transport + UDP_CHECK;
	}
	memset(check, 0, 2);
	sum = gso_sum_pseudo(head, carried, s->protocol);
	sum = gso_sum(sum, transport, s->head - s->transport);
	sum = gso_sum(sum, s->data + at, len);
	put_check(check, sum, s->protocol);
	return (struct iovec){ .iov_base = (void *)(uintptr_t)(s->data + at),
			       .iov_len = len };
}
