/*
 * villain.h - somebody who means no good, and what he can do
 *
 * A villain has a line to the core and sends with any source address. A tap
 * is for those who are on the path: it sees, keeps, changes and takes away
 * what a link is about to receive.
 */
#ifndef SIM_VILLAIN_H
#define SIM_VILLAIN_H

#include "../../libteredo/addr.h"
#include "net.h"

struct villain {
	struct world *w;
	struct link4 *link;
	struct teredo_ep ep; /* its own */
	unsigned got;	     /* datagrams that came to it */
	/* What it does with each; NULL: it counts. */
	void (*hears)(struct villain *v, const struct datagram *d);
	void *ctx;
};

/* ip: dotted. port: in host order, of its own endpoint. */
struct villain *villain_new(struct world *w, const char *name, const char *ip,
			    uint16_t port);

void villain_bubble(struct villain *v, struct teredo_ep from,
		    struct teredo_ep to, const struct teredo_addr *src,
		    const struct teredo_addr *dst);
/* Echo request or reply with random data. */
void villain_echo(struct villain *v, uint8_t type, struct teredo_ep from,
		  struct teredo_ep to, const struct teredo_addr *src,
		  const struct teredo_addr *dst);

/* Changes up to three octets, and sometimes the length. Returns that. */
size_t villain_damage(struct rng *rng, uint8_t *data, size_t len);

/* Makes the checksum of an ICMPv6 packet right again. */
void villain_fix_checksum(uint8_t *ip6);

/* An address of the server `server_ip` with this mapping. */
struct teredo_addr teredo_at(uint32_t server_ip, struct teredo_ep mapped);

#define TAP_KEPT 2048

struct tap {
	/* May change *d; false: it gets no further. NULL: it is only kept. */
	bool (*meddle)(struct tap *t, struct datagram *d);
	void *ctx;
	unsigned n;
	struct datagram *kept[TAP_KEPT]; /* the first ones, in order */
	struct link4 *on;
	void (*receive)(void *ctx, struct link4 *on, struct datagram *d);
	void *receive_ctx;
};

struct tap *tap_new(struct link4 *on,
		    bool (*meddle)(struct tap *t, struct datagram *d),
		    void *ctx);

#endif
