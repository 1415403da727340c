/*
 * gso_merge.c - packets into the tun: merged to super-packets
 *
 * The rules are those of the kernel's own receive offload, so that what the
 * host's stack sees is what it would have merged itself, and what is cut again
 * (when we forward) are the packets that came:
 *
 * - the same flow: addresses, ports, traffic class and flow label, hop limit;
 *   no extension header, no fragment;
 * - TCP: nothing but ACK and PSH, the same acknowledgement, window, urgent
 *   pointer and options, the next sequence number; PSH ends the run;
 * - UDP: a checksum is there;
 * - all payloads of the first one's length, but for a shorter last one;
 * - a right checksum: the kernel takes the merged packet on our word, so one
 *   bad segment must never get in. It is passed on alone, unchanged, for the
 *   stack to count and drop.
 *
 * The first packet of a run is verified when a second one comes: what stays
 * alone is verified by the kernel, once.
 *
 * A few runs grow at a time, so that flows that alternate are merged too. A
 * packet that cannot go into its flow's run pushes that run out before it.
 */
#include "config.h"

#include "gso.h"

#include <string.h>

#define IP6_HEAD   40u
#define TCP_HEAD   20u
#define UDP_HEAD   8u
#define PROTO_TCP  6
#define PROTO_UDP  17
#define TCP_SEQ	   4u
#define TCP_OFFSET 12u
#define TCP_FLAGS  13u
#define TCP_WINDOW 14u
#define TCP_CHECK  16u
#define TCP_URGENT 18u
#define UDP_LEN	   4u
#define UDP_CHECK  6u
#define PSH	   0x08u
#define ACK	   0x10u
#define LENGTH_MAX 65535u /* what an IPv6 header or a UDP header can say */

/* A packet as the rules see it. head 0: it can be in no run. */
struct packet {
	const uint8_t *data;
	uint32_t len, head;
	bool flow; /* has ports */
};

static uint32_t get16(const uint8_t *p)
{
	return (uint32_t)p[0] << 8 | p[1];
}

static void put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static uint32_t get32(const uint8_t *p)
{
	return get16(p) << 16 | get16(p + 2);
}

/* ---- what may be merged ---- */

static uint32_t head_of_tcp(const uint8_t *tcp, uint32_t room)
{
	uint32_t head = (tcp[TCP_OFFSET] >> 4) * 4u;
	bool plain = (tcp[TCP_FLAGS] | PSH) == (ACK | PSH) &&
		     (tcp[TCP_OFFSET] & 0x0f) == 0;

	return plain && head >= TCP_HEAD && head < room ? head : 0;
}

static uint32_t head_of_udp(const uint8_t *udp, uint32_t room)
{
	bool plain = get16(udp + UDP_LEN) == room && room > UDP_HEAD &&
		     get16(udp + UDP_CHECK) != 0;

	return plain ? UDP_HEAD : 0;
}

static struct packet look(const struct gso_merger *m, const uint8_t *ip6,
			  uint32_t len)
{
	struct packet p = { .data = ip6, .len = len };
	uint32_t room, head = 0;

	if (len < IP6_HEAD + UDP_HEAD || get16(ip6 + 4) != len - IP6_HEAD)
		return p;
	room = len - IP6_HEAD;
	if (ip6[6] == PROTO_UDP) {
		p.flow = true;
		if (m->udp)
			head = head_of_udp(ip6 + IP6_HEAD, room);
	} else if (ip6[6] == PROTO_TCP && room >= TCP_HEAD) {
		p.flow = true;
		if (m->tcp)
			head = head_of_tcp(ip6 + IP6_HEAD, room);
	}
	p.head = head == 0 ? 0 : IP6_HEAD + head;
	return p;
}

static bool same_addresses(const uint8_t *a, const uint8_t *b)
{
	return memcmp(a + 8, b + 8, 32) == 0;
}

static bool same_flow(const uint8_t *a, const uint8_t *b)
{
	return a[6] == b[6] && memcmp(a + IP6_HEAD, b + IP6_HEAD, 4) == 0;
}

/* All but sequence number, PSH and checksum. */
static bool same_tcp(const uint8_t *a, const uint8_t *b, uint32_t head)
{
	return memcmp(a + TCP_SEQ + 4, b + TCP_SEQ + 4, 5) == 0 &&
	       memcmp(a + TCP_WINDOW, b + TCP_WINDOW, 2) == 0 &&
	       memcmp(a + TCP_URGENT, b + TCP_URGENT, head - TCP_URGENT) == 0;
}

static bool is_right(const uint8_t *ip6, uint32_t len)
{
	uint64_t sum = gso_sum_pseudo(ip6, len - IP6_HEAD, ip6[6]);

	return gso_fold(gso_sum(sum, ip6 + IP6_HEAD, len - IP6_HEAD)) == 0xffff;
}

/* Whether p goes on where the run, of its flow, ends; checksums apart. */
static bool continues(const struct gso_run *r, const struct packet *p)
{
	const uint8_t *first = r->packet[0].iov_base;
	uint32_t payload = p->len - p->head;

	if (r->closed || p->head != r->head || r->n == GSO_SEGMENTS ||
	    payload > r->size ||
	    r->head - IP6_HEAD + r->payload + payload > LENGTH_MAX)
		return false;
	if (memcmp(first, p->data, 4) != 0 || first[7] != p->data[7])
		return false;
	if (p->data[6] == PROTO_UDP)
		return true;
	first += IP6_HEAD;
	return same_tcp(first, p->data + IP6_HEAD, r->head - IP6_HEAD) &&
	       get32(p->data + IP6_HEAD + TCP_SEQ) ==
		       get32(first + TCP_SEQ) + r->payload;
}

/* ---- runs ---- */

static void emit(struct gso_merger *m, struct gso_run *r)
{
	if (r->n > 0)
		m->emit(m->ctx, r);
	r->n = 0;
}

static void append(struct gso_run *r, const struct packet *p)
{
	uint32_t payload = p->len - p->head;
	bool pushed = p->head > 0 && p->data[6] == PROTO_TCP &&
		      (p->data[IP6_HEAD + TCP_FLAGS] & PSH) != 0;

	r->packet[r->n++] = (struct iovec){
		.iov_base = (void *)(uintptr_t)p->data, .iov_len = p->len };
	r->payload += payload;
	r->closed = pushed || payload < r->size;
}

static void begin(struct gso_run *r, const struct packet *p, bool verified)
{
	r->n = 0;
	r->head = p->head;
	r->size = p->len - p->head;
	r->payload = 0;
	r->verified = verified;
	append(r, p);
}

static void emit_alone(struct gso_merger *m, const struct packet *p)
{
	struct gso_run one;

	begin(&one, p, false);
	emit(m, &one);
}

/* The run of p's flow. Pushes out what p must not overtake and cannot join. */
static struct gso_run *find(struct gso_merger *m, const struct packet *p)
{
	for (unsigned i = 0; i < GSO_FLOWS; i++) {
		struct gso_run *r = &m->run[i];

		if (r->n == 0 || p->len < IP6_HEAD ||
		    !same_addresses(r->packet[0].iov_base, p->data))
			continue;
		if (!p->flow)
			emit(m, r);
		else if (same_flow(r->packet[0].iov_base, p->data))
			return r;
	}
	return NULL;
}

static struct gso_run *take(struct gso_merger *m)
{
	struct gso_run *r;

	for (unsigned i = 0; i < GSO_FLOWS; i++)
		if (m->run[i].n == 0)
			return &m->run[i];
	r = &m->run[m->victim];
	m->victim = (m->victim + 1) % GSO_FLOWS;
	emit(m, r);
	return r;
}

/* p goes on where r ends: it joins if both are right. */
static void join(struct gso_merger *m, struct gso_run *r,
		 const struct packet *p)
{
	if (!is_right(p->data, p->len)) {
		emit(m, r);
		emit_alone(m, p);
		return;
	}
	if (!r->verified && !is_right(r->packet[0].iov_base, 
				      (uint32_t)r->packet[0].iov_len)) {
		emit(m, r);
		begin(r, p, true);
		return;
	}
	r->verified = true;
	append(r, p);
}

void gso_merge(struct gso_merger *m, const uint8_t *ip6, uint32_t len)
{
	struct packet p = look(m, ip6, len);
	struct gso_run *r = find(m, &p);

	if (r != NULL && p.head > 0 && continues(r, &p)) {
		join(m, r, &p);
		return;
	}
	if (r != NULL)
		emit(m, r);
	if (p.head > 0)
		begin(r != NULL ? r : take(m), &p, false);
	else
		emit_alone(m, &p);
}

void gso_flush(struct gso_merger *m)
{
	for (unsigned i = 0; i < GSO_FLOWS; i++)
		emit(m, &m->run[i]);
}

/* ---- writing ---- */

/* The headers of all: lengths, PSH if the last one has it, and for a checksum
 * the sum of the pseudo-header, which the kernel or a network card goes on
 * with. */
static void merge_heads(const struct gso_run *r, uint8_t *ip6)
{
	const uint8_t *last = r->packet[r->n - 1].iov_base;
	uint32_t carried = r->head - IP6_HEAD + r->payload;
	uint8_t *transport = ip6 + IP6_HEAD;
	uint16_t sum = gso_fold(gso_sum_pseudo(ip6, carried, ip6[6]));

	put16(ip6 + 4, carried);
	if (ip6[6] == PROTO_TCP) {
		transport[TCP_FLAGS] |= last[IP6_HEAD + TCP_FLAGS] & PSH;
		memcpy(transport + TCP_CHECK, &sum, sizeof(sum));
	} else {
		put16(transport + UDP_LEN, carried);
		memcpy(transport + UDP_CHECK, &sum, sizeof(sum));
	}
}

static struct virtio_net_hdr vnet_of(const struct gso_run *r, uint8_t protocol)
{
	bool tcp = protocol == PROTO_TCP;

	if (r->n == 1)
		return (struct virtio_net_hdr){ 0 };
	return (struct virtio_net_hdr){
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.gso_type = tcp ? VIRTIO_NET_HDR_GSO_TCPV6 :
				  GSO_UDP_L4,
		.hdr_len = (uint16_t)r->head,
		.gso_size = (uint16_t)r->size,
		.csum_start = IP6_HEAD,
		.csum_offset = tcp ? TCP_CHECK : UDP_CHECK,
	};
}

bool gso_run_is_tcp(const struct gso_run *run)
{
	const uint8_t *first = run->packet[0].iov_base;

	return first[6] == PROTO_TCP;
}

unsigned gso_run_iov(const struct gso_run *run, uint8_t head[GSO_RUN_HEAD],
		     struct iovec iov[1 + GSO_SEGMENTS])
{
	const uint8_t *first = run->packet[0].iov_base;
	const struct virtio_net_hdr vnet = vnet_of(run, first[6]);
	/* one packet goes out as it came */
	uint32_t kept = run->n == 1 ? 0 : run->head;

	memcpy(head, &vnet, sizeof(vnet));
	iov[0] = (struct iovec){ .iov_base = head,
				 .iov_len = sizeof(vnet) + kept };
	if (kept > 0) {
		memcpy(head + sizeof(vnet), first, kept);
		merge_heads(run, head + sizeof(vnet));
	}
	for (unsigned i = 0; i < run->n; i++)
		iov[1 + i] = (struct iovec){
			.iov_base = (uint8_t *)run->packet[i].iov_base + kept,
			.iov_len = run->packet[i].iov_len - kept };
	return 1 + run->n;
}
