/*
 * fuzz_gso.c - any virtio-net header with any packet, and any row of packets
 *
 * The first octet chooses. Either a packet is viewed and all its segments are
 * built; or packets cut from the input, a flow's headers before each, are
 * merged, and what comes out is cut again: it must be what went in, in the
 * same order within a flow.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "libtun6/gso.h"

#define PACKETS 128u
#define PACKET	2048u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static uint8_t in[PACKETS][PACKET];
static uint32_t in_len[PACKETS];
static bool came[PACKETS];
static unsigned n_in, n_out;

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

/* It is the first of its flow that has not come yet. */
static void see(const uint8_t *packet, size_t len)
{
	for (unsigned i = 0; i < n_in; i++) {
		if (came[i] || memcmp(in[i] + 8, packet + 8, 36) != 0 ||
		    in[i][6] != packet[6])
			continue;
		assert(in_len[i] == len && memcmp(in[i], packet, len) == 0);
		came[i] = true;
		n_out++;
		return;
	}
	assert(false && "a packet that nobody gave");
}

static void emitted(void *ctx, const struct gso_run *run)
{
	static uint8_t all[70000], one[GSO_HEADER_MAX + PACKET];
	uint8_t head[GSO_RUN_HEAD];
	struct iovec iov[1 + GSO_SEGMENTS], rest;
	unsigned n = gso_run_iov(run, head, iov);
	struct virtio_net_hdr vnet;
	struct gso_super s;
	size_t len = 0;

	(void)ctx;
	for (unsigned i = 0; i < n; i++) {
		memcpy(all + len, iov[i].iov_base, iov[i].iov_len);
		len += iov[i].iov_len;
	}
	memcpy(&vnet, all, sizeof(vnet));
	assert(gso_view(&s, &vnet, all + sizeof(vnet), len - sizeof(vnet)) ==
	       0);
	if (s.count == 1)
		see(s.data, s.len);
	for (uint32_t i = 0; s.count > 1 && i < s.count; i++) {
		rest = gso_segment(&s, i, one);
		memcpy(one + s.head, rest.iov_base, rest.iov_len);
		see(one, s.head + rest.iov_len);
	}
}

static void put16(uint8_t *p, size_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void finish(uint8_t *p, uint32_t len)
{
	uint8_t *at = p + (p[6] == 6 ? 56 : 46);
	uint16_t check;

	memset(at, 0, 2);
	check = (uint16_t)~gso_fold(
		gso_sum(gso_sum_pseudo(p, len - 40, p[6]), p + 40, len - 40));
	memcpy(at, &check, 2);
}

/* Three octets make a packet: which flow, how long, what is odd about it. */
static void give(const uint8_t *o, uint8_t next[4][4])
{
	uint8_t *p = in[n_in];
	unsigned flow = o[0] % 4;
	bool tcp = flow % 2 == 0;
	uint32_t head = tcp ? 60 : 48, len = head + 1u + o[1] * 4u;

	memset(p, 0, PACKET);
	p[0] = 0x60;
	put16(p + 4, len - 40);
	p[6] = tcp ? 6 : 17;
	p[7] = 64;
	p[23] = (uint8_t)flow;
	put16(p + 40, flow);
	memset(p + head, o[2], len - head);
	if (tcp) {
		memcpy(p + 44, next[flow], 4);
		p[52] = 0x50;
		p[53] = o[0] & 0x40 ? 0x18 : 0x10;
	} else {
		put16(p + 44, len - 40);
	}
	if (o[0] & 0x20)
		p[o[2] % head] ^= o[1];
	p[0] = 0x60 | (p[0] & 15);
	if ((o[0] & 0x10) == 0)
		finish(p, len);
	put16(next[flow] + 2, (size_t)(next[flow][2] << 8 | next[flow][3]) +
				      len - head);
	in_len[n_in++] = len;
}

static void merge(const uint8_t *data, size_t len)
{
	static struct gso_merger m;
	uint8_t next[4][4] = { { 0 } };

	m = (struct gso_merger){ .tcp = true, .udp = true, .emit = emitted };
	n_in = n_out = 0;
	memset(came, 0, sizeof(came));
	for (; len >= 3 && n_in < PACKETS; len -= 3, data += 3)
		give(data, next);
	for (unsigned i = 0; i < n_in; i++)
		gso_merge(&m, in[i], in_len[i]);
	gso_flush(&m);
	assert(n_out == n_in);
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
