/*
 * stack.c - packets in, packets out, and a memory
 *
 * What it sends leaves as an event of its own, after the call that caused it
 * is over: a core is never entered from inside itself.
 */
#include "config.h"

#include "stack.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "../../libteredo/addr.h"
#include "../../libteredo/icmp6.h"
#include "../../libteredo/wire.h"

#define HOP_LIMIT	64
#define NUMBERS		8u /* octets of (flow, seq) */
#define UDP_NEXT_HEADER 17

static void stack_end(void *stack)
{
	free(((struct stack *)stack)->in);
}

struct stack *stack_new(struct world *w, const char *name,
			void (*send)(void *ctx, const uint8_t *ip6, size_t len),
			void *ctx)
{
	struct stack *s = world_alloc_with(w, sizeof(*s), stack_end);

	s->w = w;
	s->name = name;
	s->send = send;
	s->ctx = ctx;
	return s;
}

void stack_set_addr(struct stack *s, const struct teredo_addr *addr)
{
	s->has_addr = true;
	s->addr = *addr;
	s->addresses++;
}

/* ---- out ---- */

struct packet {
	size_t len;
	uint8_t data[];
};

static struct packet *packet_new(size_t len)
{
	struct packet *p = calloc(1, sizeof(*p) + len);

	assert(p);
	p->len = len;
	return p;
}

static void leave(struct world *w, void *stack, void *packet)
{
	static const struct teredo_ep none;
	struct stack *s = stack;
	struct packet *p = packet;

	trace_packet(&w->trace, w->now, s->name, TRACE_FROM_TUN, none, none,
		     p->data, p->len, NULL);
	s->send(s->ctx, p->data, p->len);
}

static void put_numbers(uint8_t *out, uint32_t flow, uint32_t seq)
{
	for (unsigned i = 0; i < 4; i++) {
		out[i] = (uint8_t)(flow >> (24 - 8 * i));
		out[4 + i] = (uint8_t)(seq >> (24 - 8 * i));
	}
}

static void get_numbers(const uint8_t *in, struct arrival *a)
{
	for (unsigned i = 0; i < 4; i++) {
		a->flow = a->flow << 8 | in[i];
		a->seq = a->seq << 8 | in[4 + i];
	}
}

static void send_echo(struct stack *s, uint8_t type,
		      const struct teredo_addr *to, uint32_t flow, uint32_t seq)
{
	struct packet *p = packet_new(ICMP6_ECHO_LEN(NUMBERS));
	uint8_t numbers[NUMBERS];

	put_numbers(numbers, flow, seq);
	icmp6_put_echo(p->data, type, &s->addr, to, (uint16_t)flow,
		       (uint16_t)seq, numbers, sizeof(numbers));
	world_at(s->w, s->w->now, leave, s, p);
}

void stack_ping(struct stack *s, const struct teredo_addr *to, uint32_t flow,
		uint32_t seq)
{
	if (s->has_addr)
		send_echo(s, ICMP6_ECHO_REQUEST, to, flow, seq);
}

void stack_data(struct stack *s, const struct teredo_addr *to, uint32_t flow,
		uint32_t seq, size_t len)
{
	struct packet *p;

	assert(len >= STACK_DATA_MIN && len <= STACK_DATA_MAX);
	if (!s->has_addr)
		return;
	p = packet_new(len);
	wire_put_ip6(p->data, (uint16_t)(len - WIRE_IP6_LEN), UDP_NEXT_HEADER,
		     HOP_LIMIT, &s->addr, to);
	put_numbers(p->data + WIRE_IP6_LEN, flow, seq);
	world_at(s->w, s->w->now, leave, s, p);
}

/* ---- in ---- */

static struct arrival *note(struct stack *s, enum arrival_kind kind,
			    const struct teredo_addr *peer)
{
	struct arrival *a;

	if (s->n_in == s->room) {
		s->room = s->room ? 2 * s->room : 64;
		s->in = realloc(s->in, s->room * sizeof(*s->in));
		assert(s->in);
	}
	a = &s->in[s->n_in++];
	*a = (struct arrival){.at = s->w->now, .kind = kind, .peer = *peer};
	return a;
}

/* A packet that nobody here made like this. */
static void strange(struct stack *s, const char *what)
{
	s->strange++;
	if (!s->meets_strangers)
		world_fail(s->w, "%s: got %s", s->name, what);
}

/* The numbers of one of our own packets, quoted in an error. */
static void receive_error(struct stack *s, const uint8_t *quote, size_t len)
{
	struct teredo_addr src, dst;
	struct arrival *a;
	size_t at = WIRE_IP6_LEN;

	if (len < WIRE_IP6_LEN) {
		strange(s, "an error without a quote");
		return;
	}
	memcpy(&src, quote + 8, sizeof(src));
	memcpy(&dst, quote + 24, sizeof(dst));
	if (!addr_equal(&src, &s->addr)) {
		strange(s, "an error about somebody else's packet");
		return;
	}
	a = note(s, ARRIVAL_UNREACHABLE, &dst);
	if (quote[6] == ICMP6_NEXT_HEADER)
		at += 8;
	if (len >= at + NUMBERS)
		get_numbers(quote + at, a);
}

static void receive_icmp6(struct stack *s, const struct wire_packet *p)
{
	size_t len;
	const uint8_t *msg = icmp6_message(p, &len);
	struct arrival *a;

	if (!msg) {
		strange(s, "a wrong ICMPv6 checksum");
		return;
	}
	if (msg[0] == ICMP6_UNREACHABLE) {
		receive_error(s, msg + 8, len - 8);
	} else if (msg[0] == ICMP6_ECHO_REPLY) {
		a = note(s, ARRIVAL_PONG, &p->src);
		if (len >= 8 + NUMBERS)
			get_numbers(msg + 8, a);
	} else if (msg[0] == ICMP6_ECHO_REQUEST) {
		struct packet *reply = packet_new(p->ip6_len);

		a = note(s, ARRIVAL_PING, &p->src);
		if (len >= 8 + NUMBERS)
			get_numbers(msg + 8, a);
		icmp6_put_echo(reply->data, ICMP6_ECHO_REPLY, &s->addr, &p->src,
			       (uint16_t)(msg[4] << 8 | msg[5]),
			       (uint16_t)(msg[6] << 8 | msg[7]), msg + 8,
			       len - 8);
		world_at(s->w, s->w->now, leave, s, reply);
	} else {
		strange(s, "an ICMPv6 message that is not for hosts");
	}
}

void stack_receive(struct stack *s, const uint8_t *ip6, size_t len)
{
	static const struct teredo_ep none;
	struct wire_packet p;

	trace_packet(&s->w->trace, s->w->now, s->name, TRACE_TO_TUN, none, none,
		     ip6, len, NULL);
	if (wire_parse_ip6(&p, ip6, len) != WIRE_OK)
		world_fail(s->w, "%s: got no IPv6 packet", s->name);
	if (!s->has_addr || !addr_equal(&p.dst, &s->addr))
		world_fail(s->w, "%s: got a packet for somebody else", s->name);
	if (p.next_header == ICMP6_NEXT_HEADER)
		receive_icmp6(s, &p);
	else if (p.next_header == UDP_NEXT_HEADER && p.ip6_len >= 48)
		get_numbers(ip6 + WIRE_IP6_LEN, note(s, ARRIVAL_DATA, &p.src));
	else
		strange(s, "an unknown next header");
}

unsigned stack_count(const struct stack *s, enum arrival_kind kind,
		     uint32_t flow)
{
	unsigned n = 0;

	for (size_t i = 0; i < s->n_in; i++)
		n += s->in[i].kind == kind && s->in[i].flow == flow;
	return n;
}

unsigned stack_count_all(const struct stack *s, enum arrival_kind kind)
{
	unsigned n = 0;

	for (size_t i = 0; i < s->n_in; i++)
		n += s->in[i].kind == kind;
	return n;
}
