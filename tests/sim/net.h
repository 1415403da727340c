/*
 * net.h - the wires: an IPv4 core and a native IPv6 Internet
 *
 * Everything is attached by a link. A link has a delay to the core, a chance
 * of loss and a state, each for both directions; a packet crosses two links,
 * the sender's and the receiver's. Packets are never reordered, duplicated or
 * damaged. Addresses and ports are in network order.
 */
#ifndef SIM_NET_H
#define SIM_NET_H

#include "world.h"

struct line {
	teredo_time delay;
	unsigned loss; /* of 1000 */
	bool down;
};

struct datagram {
	struct teredo_ep src, dst;
	size_t len;
	uint8_t data[];
};

/* ---- IPv4 ---- */

struct link4 {
	struct world *w;
	const char *name;
	uint32_t ip;
	struct line line;
	/* where what it sends goes: the core, or the NAT that it is behind */
	void (*out)(struct link4 *from, struct datagram *d);
	struct nat *nat; /* NULL: on the core */
	void (*receive)(void *ctx, struct link4 *on, struct datagram *d);
	void *ctx;
	struct link4 *next;
};

/* A link on the core. `name` lives as long as the world. */
struct link4 *net4_attach(struct world *w, const char *name, uint32_t ip,
			  void (*receive)(void *ctx, struct link4 *on,
					  struct datagram *d),
			  void *ctx);

void net4_send(struct link4 *from, uint16_t port, struct teredo_ep to,
	       const void *data, size_t len);

/* The same with any source, for strangers. */
void net4_spoof(struct link4 *from, struct teredo_ep src, struct teredo_ep to,
		const void *data, size_t len);

/* What link4.out is on the core. Takes d. */
void net4_forward(struct link4 *from, struct datagram *d);

/* Whether a packet gets over this line now; says in the trace if it does not.
 * For NATs. */
bool net4_crosses(struct link4 *l, const struct datagram *d);
void net4_drop(struct link4 *l, const struct datagram *d, const char *why);

/* No packet passes between these two addresses any more, or again. */
void net4_cut(struct world *w, uint32_t a, uint32_t b);
void net4_mend(struct world *w, uint32_t a, uint32_t b);

/* ---- native IPv6 ---- */

struct link6 {
	struct world *w;
	const char *name;
	struct teredo_addr addr;
	struct line line;
	void (*receive)(void *ctx, const uint8_t *ip6, size_t len);
	void *ctx;
	struct link6 *next;
};

struct link6 *
net6_attach(struct world *w, const char *name, const struct teredo_addr *addr,
	    void (*receive)(void *ctx, const uint8_t *ip6, size_t len),
	    void *ctx);

/* By its destination: a link's own address, or the route to 2001::/32. */
void net6_send(struct link6 *from, const uint8_t *ip6, size_t len);

/* 2001::/32 leads there from now on; NULL: nowhere. */
void net6_route(struct world *w, struct link6 *relay);

#endif
