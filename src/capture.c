/*
 * capture.c - the pump's packets with their verdicts, for who looks on
 *
 * A record is a packet as the core saw it, once, and what became of it: where
 * it came from and goes to stands in the verdict, so that its other half (the
 * datagram around a packet, the packet in a datagram) need not be copied. Of a
 * super-packet it is the first segment. A drop's reason is the counter that
 * the core has added to meanwhile.
 *
 * Records are gathered and handed on when there are enough of them, or when
 * the pump's turn ends. Where nobody captures none of this is called.
 */
#include "config.h"

#include "capture.h"

#include <stdlib.h>
#include <string.h>

struct capture {
	struct teredo_ep local;
	void (*emit)(void *ctx, const void *records, size_t len, uint32_t n);
	void *ctx;
	uint64_t before[TEREDO_N_DROPS];
	size_t used;
	uint32_t n;
	uint8_t record[CTL_PACKETS_MAX];
};

struct capture *capture_new(struct teredo_ep local,
			    void (*emit)(void *ctx, const void *records,
					 size_t len, uint32_t n), void *ctx)
{
	struct capture *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->local = local;
	c->emit = emit;
	c->ctx = ctx;
	return c;
}

void capture_free(struct capture *c)
{
	free(c);
}

void capture_clear(struct capture *c)
{
	c->used = 0;
	c->n = 0;
}

void capture_flush(struct capture *c)
{
	if (c->n > 0)
		c->emit(c->ctx, c->record, c->used, c->n);
	capture_clear(c);
}

void capture_before(struct capture *c, const struct teredo_counters *count)
{
	memcpy(c->before, count->n, sizeof(c->before));
}

static uint16_t reason(const struct capture *c,
		       const struct teredo_counters *count)
{
	for (unsigned i = 0; i < TEREDO_N_DROPS; i++)
		if (count->n[i] != c->before[i])
			return (uint16_t)i;
	return TEREDO_N_DROPS;
}

static void add(struct capture *c, struct ctl_packet *head,
		const uint8_t *data, size_t len)
{
	size_t captured = len < CTL_SNAPLEN ? len : CTL_SNAPLEN;
	size_t room = (captured + 7) & ~(size_t)7;

	if (sizeof(*head) + room > sizeof(c->record) - c->used)
		capture_flush(c);
	head->length = (uint32_t)len;
	head->captured = (uint32_t)captured;
	memcpy(c->record + c->used, head, sizeof(*head));
	c->used += sizeof(*head);
	memset(c->record + c->used, 0, room);
	memcpy(c->record + c->used, data, captured);
	c->used += room;
	c->n++;
}

static struct ctl_packet head_of(enum ctl_packet_from from, uint32_t segments,
				 const struct teredo_verdict *v,
				 teredo_time now)
{
	return (struct ctl_packet){
		.time = now,
		.from = (uint8_t)from,
		.fate = (uint8_t)v->fate,
		.out_via = (uint8_t)v->via,
		.segments = (uint16_t)segments,
		.off = v->off,
		.len = v->len,
		.to_ip = v->to.ip,
		.to_port = v->to.port,
		.reason = TEREDO_N_DROPS,
	};
}

void capture_udp(struct capture *c, const struct teredo_rx *rx,
		 const struct teredo_verdict *v,
		 const struct teredo_counters *count, teredo_time now)
{
	struct ctl_packet head = head_of(CTL_FROM_UDP, 1, v, now);

	head.via = (uint8_t)rx->via;
	head.src_ip = rx->from.ip;
	head.src_port = rx->from.port;
	head.dst_ip = rx->local_ip != 0 ? rx->local_ip : c->local.ip;
	head.dst_port = c->local.port;
	if (v->fate == TEREDO_DROP)
		head.reason = reason(c, count);
	add(c, &head, rx->data, rx->len);
}

void capture_tun(struct capture *c, const uint8_t *ip6, uint32_t len,
		 uint32_t segments, const struct teredo_verdict *v,
		 const struct teredo_counters *count, teredo_time now)
{
	struct ctl_packet head = head_of(CTL_FROM_TUN, segments, v, now);

	head.src_ip = c->local.ip;
	head.src_port = c->local.port;
	if (v->fate == TEREDO_DROP)
		head.reason = reason(c, count);
	add(c, &head, ip6, len);
}

void capture_own(struct capture *c, const struct outbox_item *item,
		 const uint8_t *data, teredo_time now)
{
	const struct teredo_verdict v = {
		.fate = item->kind == OUTBOX_UDP   ? TEREDO_TO_UDP
			: item->kind == OUTBOX_TUN ? TEREDO_TO_TUN
						   : TEREDO_TO_NATIVE6,
		.via = item->via,
		.len = item->len,
		.to = item->to,
	};
	enum ctl_packet_from from = item->kind == OUTBOX_UDP   ? CTL_OWN_UDP
				    : item->kind == OUTBOX_TUN ? CTL_OWN_TUN
							       : CTL_OWN_NATIVE6;
	struct ctl_packet head = head_of(from, 1, &v, now);

	head.src_ip = c->local.ip;
	head.src_port = c->local.port;
	add(c, &head, data, item->len);
}
