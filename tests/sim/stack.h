/*
 * stack.h - the IPv6 stack and the applications of one host
 *
 * Small enough to see through: it has at most one address, sends numbered
 * packets and pings, answers pings, and writes down everything that reaches
 * it, in order. Numbered packets carry (flow, seq) so that loss, order and
 * repetition show.
 */
#ifndef SIM_STACK_H
#define SIM_STACK_H

#include "world.h"

enum arrival_kind {
	ARRIVAL_DATA, /* a numbered packet */
	ARRIVAL_PING, /* and it was answered */
	ARRIVAL_PONG,
	ARRIVAL_UNREACHABLE, /* ICMPv6, about a packet of ours */
};

struct arrival {
	teredo_time at;
	enum arrival_kind kind;
	struct teredo_addr peer; /* UNREACHABLE: who could not be reached */
	uint32_t flow, seq;	 /* of the packet itself or quoted */
};

struct stack {
	struct world *w;
	const char *name;
	bool has_addr;
	struct teredo_addr addr;
	unsigned addresses; /* that it has had so far */
	void (*send)(void *ctx, const uint8_t *ip6, size_t len);
	void *ctx;
	struct arrival *in;
	size_t n_in, room;
	unsigned strange;     /* packets that none of us sends */
	bool meets_strangers; /* it is no failure to get one */
	uint32_t flows;	      /* numbers given out */
};

struct stack *stack_new(struct world *w, const char *name,
			void (*send)(void *ctx, const uint8_t *ip6, size_t len),
			void *ctx);

/* Replaces the address. */
void stack_set_addr(struct stack *s, const struct teredo_addr *addr);

/* A packet for it. Fails the scenario when it is not addressed to it or not a
 * whole IPv6 packet. */
void stack_receive(struct stack *s, const uint8_t *ip6, size_t len);

/* Sends now; does nothing without an address, as a kernel. */
void stack_ping(struct stack *s, const struct teredo_addr *to, uint32_t flow,
		uint32_t seq);
void stack_data(struct stack *s, const struct teredo_addr *to, uint32_t flow,
		uint32_t seq, size_t len);
#define STACK_DATA_MIN 48u /* header and numbers */
#define STACK_DATA_MAX 1280u

/* Arrivals of this kind and flow; with any flow. */
unsigned stack_count(const struct stack *s, enum arrival_kind kind,
		     uint32_t flow);
unsigned stack_count_all(const struct stack *s, enum arrival_kind kind);

#endif
