/*
 * fuzz_gso.c - any virtio-net header with any packet, and any row of packets
 *
 * The first octet chooses. Either a packet is viewed and all its segments are
 * built; or packets are merged that the input tells of: of a few flows, with
 * options, extension headers, wrong lengths or anything changed, or octets of
 * the input behind an IPv6 header. Each lies in memory of its own length.
 *
 * What comes out is judged here, by what RFCs and the virtio-net header say and
 * with none of the code under test: each field of a merged packet, and that its
 * segments are what went in, in the order that gso.h promises. gso_segment()
 * must then cut the same.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "libtun6/gso.h"

#define PACKETS	   128u
#define IP6	   40u
#define ROOM	   (IP6 + 8u + 60u + 1024u) /* extension, TCP, payload */
#define SEGMENT	   2048u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct given {
	uint8_t *data;		/* exactly len octets, for ASan */
	uint32_t len;
	bool flow, came;
} in[PACKETS];
static unsigned n_in, n_out;

static void put16(uint8_t *p, size_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static uint32_t get16(const uint8_t *p)
{
	return (uint32_t)p[0] << 8 | p[1];
}

static uint32_t get32(const uint8_t *p)
{
	return get16(p) << 16 | get16(p + 2);
}

/* RFC 1071 word by word; of the pseudo-header first (RFC 8200 8.1). */
static uint32_t sum(uint32_t s, const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		s += i % 2 == 0 ? (uint32_t)p[i] << 8 : p[i];
	while (s > 0xffff)
		s = (s & 0xffff) + (s >> 16);
	return s;
}

static uint32_t sum_pseudo(const uint8_t *ip6, size_t len, uint8_t protocol)
{
	return sum((uint32_t)((len >> 16) + (len & 0xffff)) + protocol, ip6 + 8,
		   32);
}

static void view(const uint8_t *data, size_t len)
{
	static uint8_t head[GSO_HEADER_MAX];
	struct virtio_net_hdr vnet;
	struct gso_super s;
	uint8_t *packet;
	size_t total = 0;

	if (len < sizeof(vnet))
		return;
	memcpy(&vnet, data, sizeof(vnet));
	len -= sizeof(vnet);
	packet = malloc(len + 1); /* exact, for ASan */
	assert(packet != NULL);
	memcpy(packet, data + sizeof(vnet), len);
	if (gso_view(&s, &vnet, packet, len) == 0 && s.count > 1) {
		for (uint32_t i = 0; i < s.count; i++)
			total += gso_segment(&s, i, head).iov_len;
		assert(total == len - s.head);
	}
	free(packet);
}

/* ---- what comes out ---- */

/* Has ports where they are looked for, and the length that it says. */
static bool is_of_flow(const uint8_t *packet, size_t len)
{
	size_t carried = len - IP6;

	return get16(packet + 4) == carried &&
	       ((packet[6] == 17 && carried >= 8) ||
		(packet[6] == 6 && carried >= 20));
}

static bool same_pair(const struct given *g, const uint8_t *packet)
{
	return memcmp(g->data + 8, packet + 8, 32) == 0;
}

static bool same_flow(const struct given *g, const uint8_t *packet)
{
	return same_pair(g, packet) && g->data[6] == packet[6] &&
	       memcmp(g->data + IP6, packet + IP6, 4) == 0;
}

/* A TCP checksum that is 0 may be ffff. */
static bool same_packet(const uint8_t *a, const uint8_t *b, size_t len,
			bool merged)
{
	const size_t at = IP6 + 16;

	if (!merged || a[6] != 6 || memcmp(a + at, b + at, 2) == 0)
		return memcmp(a, b, len) == 0;
	return memcmp(a, b, at) == 0 &&
	       memcmp(a + at + 2, b + at + 2, len - at - 2) == 0 &&
	       get16(a + at) % 0xffff == get16(b + at) % 0xffff;
}

/* Of those that have not come it is the first of its flow, and none that is of
 * no flow came before it between its addresses; or, if it is of none itself,
 * the first of all between them. */
static void see(const uint8_t *packet, size_t len, bool merged)
{
	for (unsigned i = 0; i < n_in; i++) {
		struct given *g = &in[i];

		if (g->came || !same_pair(g, packet))
			continue;
		if (g->len == len && same_packet(g->data, packet, len, merged)) {
			g->came = true;
			n_out++;
			return;
		}
		assert(g->flow && is_of_flow(packet, len) &&
		       !same_flow(g, packet));
	}
	assert(false && "a packet that nobody gave");
}

/* Every field of a merged packet's headers. */
static uint32_t check_heads(const struct virtio_net_hdr *vnet,
			    const uint8_t *p, size_t len)
{
	const uint8_t *transport = p + IP6;
	bool tcp = p[6] == 6;
	uint32_t head = IP6 + (tcp ? (transport[12] >> 4) * 4u : 8u);

	assert(len - IP6 <= 65535 && get16(p + 4) == len - IP6);
	assert(p[6] == 6 || p[6] == 17);
	assert(vnet->flags == VIRTIO_NET_HDR_F_NEEDS_CSUM);
	assert(vnet->gso_type == (tcp ? VIRTIO_NET_HDR_GSO_TCPV6 : GSO_UDP_L4));
	assert(vnet->hdr_len == head && vnet->csum_start == IP6);
	assert(vnet->csum_offset == (tcp ? 16 : 6));
	assert(vnet->gso_size > 0 && len > head + vnet->gso_size);
	assert(get16(transport + vnet->csum_offset) % 0xffff ==
	       sum_pseudo(p, len - IP6, p[6]) % 0xffff);
	if (tcp)
		assert((transport[13] & ~8) == 0x10 &&
		       (transport[12] & 15) == 0);
	else
		assert(get16(transport + 4) == len - IP6);
	return head;
}

/* Segment number i of a merged packet, as it will be on a wire. Its length. */
static size_t cut(const uint8_t *p, size_t len, uint32_t head, uint32_t size,
		  uint32_t i, uint8_t *out)
{
	size_t at = head + (size_t)i * size;
	size_t part = len - at < size ? len - at : size;
	bool tcp = p[6] == 6, last = at + part == len;
	uint8_t *transport = out + IP6, *check = transport + (tcp ? 16 : 6);
	uint32_t seq = tcp ? get32(p + IP6 + 4) + i * size : 0, all;

	memcpy(out, p, head);
	memcpy(out + head, p + at, part);
	put16(out + 4, head - IP6 + part);
	if (tcp) {
		put16(transport + 4, seq >> 16);
		put16(transport + 6, seq & 0xffff);
		transport[13] &= last ? 0xff : 0xf7;
	} else {
		put16(transport + 4, 8 + part);
	}
	put16(check, 0);
	all = sum(sum_pseudo(out, head - IP6 + part, out[6]), transport,
		  head - IP6 + part);
	put16(check, !tcp && all == 0xffff ? 0xffff : 0xffff - all);
	return head + part;
}

/* By gso_segment() and by ourselves. */
static void split(const struct virtio_net_hdr *vnet, uint8_t *p, size_t len)
{
	static uint8_t ours[SEGMENT], theirs[SEGMENT];
	uint32_t head = check_heads(vnet, p, len), size = vnet->gso_size;
	struct gso_super s;
	struct iovec rest;

	assert(gso_view(&s, vnet, p, len) == 0);
	assert(s.count == (len - head + size - 1) / size && s.count > 1);
	for (uint32_t i = 0; i < s.count; i++) {
		size_t n = cut(p, len, head, size, i, ours);

		rest = gso_segment(&s, i, theirs);
		memcpy(theirs + s.head, rest.iov_base, rest.iov_len);
		assert(s.head + rest.iov_len == n);
		assert(memcmp(ours, theirs, n) == 0);
		see(ours, n, true);
	}
}

static void emitted(void *ctx, const struct gso_run *run)
{
	static const struct virtio_net_hdr zero;
	uint8_t head[GSO_RUN_HEAD];
	struct iovec iov[1 + GSO_SEGMENTS];
	unsigned n = gso_run_iov(run, head, iov);
	struct virtio_net_hdr vnet;
	size_t len = 0, at = 0;
	uint8_t *all;

	(void)ctx;
	for (unsigned i = 0; i < n; i++)
		len += iov[i].iov_len;
	all = malloc(len);
	assert(all != NULL && len >= sizeof(vnet) + IP6);
	for (unsigned i = 0; i < n; at += iov[i++].iov_len)
		memcpy(all + at, iov[i].iov_base, iov[i].iov_len);
	memcpy(&vnet, all, sizeof(vnet));
	memmove(all, all + sizeof(vnet), len - sizeof(vnet));
	if (vnet.gso_type != VIRTIO_NET_HDR_GSO_NONE) {
		split(&vnet, all, len - sizeof(vnet));
	} else {
		assert(memcmp(&vnet, &zero, sizeof(vnet)) == 0);
		see(all, len - sizeof(vnet), false);
	}
	free(all);
}

/* ---- what goes in ---- */

/* The core lets nothing through that has no whole IPv6 header. */
static void give(const uint8_t *packet, uint32_t len)
{
	struct given *g = &in[n_in++];

	g->data = malloc(len);
	assert(g->data != NULL);
	memcpy(g->data, packet, len);
	g->len = len;
	g->came = false;
	g->flow = is_of_flow(packet, len);
}

static void finish(uint8_t *p, uint32_t at, uint32_t len, uint8_t protocol)
{
	uint8_t *check = p + at + (protocol == 6 ? 16 : 6);
	uint32_t all;

	put16(check, 0);
	all = sum(sum_pseudo(p, len - at, protocol), p + at, len - at);
	put16(check, protocol == 17 && all == 0xffff ? 0xffff : 0xffff - all);
}

/* Of one of four flows: o[0] says which, and what is unusual; o[1] how long;
 * o[2] the payload, or what is changed; o[3] extension header, options, what
 * is wrong with a length. */
static void give_flow(const uint8_t o[4], uint32_t next[4])
{
	static const uint8_t extension[4] = { 0, 60, 43, 44 };
	uint8_t p[ROOM] = { 0x60 };
	unsigned flow = o[0] % 4;
	uint8_t protocol = flow % 2 == 0 ? 6 : 17;
	uint32_t at = o[3] & 0x80 ? IP6 + 8 : IP6;
	uint32_t options = protocol == 6 ? o[3] >> 2 & 12u : 0;
	uint32_t head = at + (protocol == 6 ? 20 + options : 8);
	uint32_t len = head + o[1] * 4u + 1;

	put16(p + 4, len - IP6);
	p[6] = at == IP6 ? protocol : extension[o[3] & 3];
	p[7] = 64;
	p[23] = (uint8_t)(flow / 2);
	p[IP6] = protocol;	/* of the extension; else the port's */
	put16(p + at, flow);
	memset(p + head, o[2], len - head);
	if (protocol == 6) {
		put16(p + at + 4, next[flow] >> 16);
		put16(p + at + 6, next[flow] & 0xffff);
		p[at + 12] = (uint8_t)((head - at) * 4);
		p[at + 13] = o[0] & 0x08 ? 0x18 : 0x10;
	} else {
		put16(p + at + 4, len - at);
	}
	next[flow] += len - head;
	if (o[0] & 0x20)
		p[o[2] % head] ^= o[1];
	if ((o[0] & 0x10) == 0)
		finish(p, at, len, protocol);
	if (o[3] & 0x40)	/* cut off, or told so */
		len -= o[2] % (len - IP6 + 1);
	if (o[3] & 0x08)
		put16(p + 4, len - IP6);
	give(p, len);
}

/* Octets of the input. How many of them. */
static size_t give_raw(const uint8_t o[4], const uint8_t *data, size_t len)
{
	uint8_t p[IP6 + 256] = { 0x60 };
	uint32_t n = o[1] < len ? o[1] : (uint32_t)len;

	put16(p + 4, o[3] < 8 ? n + o[3] : n);
	p[6] = o[2] % 4 == 0 ? o[2] / 4 : o[2] % 2 ? 6 : 17;
	p[7] = 64;
	p[23] = o[0] & 1;
	memcpy(p + IP6, data, n);
	if (o[0] & 2 && n >= (p[6] == 6 ? 20 : 8))
		finish(p, IP6, IP6 + n, p[6]);
	give(p, IP6 + n);
	return n;
}

static void merge(const uint8_t *data, size_t len)
{
	static struct gso_merger m;
	uint32_t next[4] = { 0 };
	size_t at = 0;

	m = (struct gso_merger){ .tcp = true, .udp = true, .emit = emitted };
	n_in = n_out = 0;
	while (at + 4 <= len && n_in < PACKETS) {
		const uint8_t *o = data + at;

		at += 4;
		if (o[0] >= 0xc0)
			at += give_raw(o, data + at, len - at);
		else
			give_flow(o, next);
	}
	for (unsigned i = 0; i < n_in; i++)
		gso_merge(&m, in[i].data, in[i].len);
	gso_flush(&m);
	assert(n_out == n_in);
	for (unsigned i = 0; i < n_in; i++)
		free(in[i].data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	if (len == 0)
		return 0;
	if (data[0] % 2 == 0)
		view(data + 1, len - 1);
	else
		merge(data + 1, len - 1);
	return 0;
}
