/*
 * net.h - the wires: an IPv4 core and a native IPv6 Internet
 *
 * Everything is attached by a link, whose line says how good it is, the same
 * in both directions; a packet crosses two lines, the sender's and the
 * receiver's, and one more for each NAT between. What is too long for a line
 * is lost and nobody is told: a black hole, the worst that a path can do.
 * Packets are never damaged. Addresses and ports are in network order.
 */
#ifndef SIM_NET_H
#define SIM_NET_H

#include "world.h"

struct line {
	teredo_time delay;
	teredo_time jitter; /* each packet takes up to so much more, and may
			       overtake another by it */
	unsigned loss;	    /* of 1000 */
	unsigned twice;	    /* of 1000 arrive a second time, later */
	unsigned late;	    /* of 1000 are held back and overtaken */
	size_t mtu;	    /* octets of IP; 0: any */
	unsigned island;    /* nothing passes between two of another number */
	bool down;
};
#define LINE_LATE (100 * TEREDO_MS) /* a second or late one, at most */

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
	struct nat *nat; /* NULL: on the core, or nowhere */
	void (*receive)(void *ctx, struct link4 *on, struct datagram *d);
	void *ctx;
	struct link4 *next;
};

/* A link of no network; `name` lives as long as the world. */
struct link4 *link4_new(struct world *w, const char *name,
			void (*receive)(void *ctx, struct link4 *on,
					struct datagram *d),
			void *ctx);

/* Plugs it in at the core, with this address; out of wherever it was, with
 * what is on its way there. A link behind a NAT: nat_plug(). */
void net4_plug(struct link4 *l, uint32_t ip);
void net4_unplug(struct link4 *l);

/* A new link on the core. */
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

/* For NATs: who has this address there (NULL: on the core); a packet goes over
 * the lines to him, or over the line from him to then(w, l, packet). */
struct link4 *net4_find(struct world *w, const struct nat *nat, uint32_t ip);
void net4_hand(struct link4 *to, const struct datagram *d,
	       const struct link4 *from);
void net4_carry(struct link4 *l, const struct datagram *d, world_event *then);
struct datagram *net4_copy(const struct datagram *d);
void net4_drop(struct link4 *l, const struct datagram *d, const char *why);
/* The same to all others there. */
void net4_flood(struct link4 *from, const struct datagram *d);
bool net4_is_multicast(uint32_t ip);

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
