/*
 * outbox.h - what the protocol makes up itself, in order
 *
 * Router solicitations, bubbles, connectivity tests, ICMPv6 errors, packets
 * released from hold, and news for the shell. The shell empties it after each
 * call into the core and before the next, and before it does what the call's
 * verdict says: what was held came before the packet that released it. The
 * core never overruns it: whoever puts in asks outbox_room() first or has it
 * as a precondition, so lost == 0 is an invariant that the simulation checks.
 */
#ifndef LIBTEREDO_OUTBOX_H
#define LIBTEREDO_OUTBOX_H

#include "teredo.h"

#define OUTBOX_ITEMS	64
#define OUTBOX_BYTES	49152

enum outbox_kind {
	OUTBOX_UDP,		/* send data to `to` from socket `via` */
	OUTBOX_TUN,		/* hand data to the local IPv6 stack */
	OUTBOX_NATIVE6,		/* send data to the IPv6 Internet (server) */
	OUTBOX_ADDRESS,		/* news: use `addr` with MTU `arg` */
	OUTBOX_RESOLVE,		/* news: look up server number `arg` again */
	OUTBOX_PEER_UP,		/* news: `addr` at `to` trusted, slot `arg` */
	OUTBOX_PEER_DOWN,	/* news: slot `arg` is no longer trusted */
	OUTBOX_STATE,		/* news: the role's status changed */
	OUTBOX_SECONDARY,	/* news: open (`arg` 1) or close the client's
				 * second port */
};

struct outbox_item {
	enum outbox_kind kind;
	enum teredo_via via;
	uint32_t off, len;	/* into data[] */
	struct teredo_ep to;
	struct teredo_addr addr;
	uint32_t arg;
};

struct teredo_outbox {
	unsigned n;
	unsigned lost;		/* items that did not fit: always 0 */
	size_t used;
	struct outbox_item item[OUTBOX_ITEMS];
	uint8_t data[OUTBOX_BYTES];
};

/* Empties it; also the way to initialise one (lost is kept by clear only if
 * the caller asked for zero at init: start from a zeroed struct). */
void outbox_clear(struct teredo_outbox *ob);

/* Whether `items` more items with together `bytes` octets fit. */
bool outbox_room(const struct teredo_outbox *ob, unsigned items, size_t bytes);

/* Appends a datagram; returns where its len octets are to be written, or NULL
 * (and lost + 1) if it does not fit. */
uint8_t *outbox_udp(struct teredo_outbox *ob, enum teredo_via via,
		    struct teredo_ep to, size_t len);

/* The same for a packet to the tun or to native IPv6. */
uint8_t *outbox_packet(struct teredo_outbox *ob, enum outbox_kind kind,
		       size_t len);

/* Appends news; fields that the kind does not use are zero. */
void outbox_news(struct teredo_outbox *ob, enum outbox_kind kind,
		 const struct teredo_addr *addr, struct teredo_ep to,
		 uint32_t arg);

/* The octets of an item. */
const uint8_t *outbox_data(const struct teredo_outbox *ob,
			   const struct outbox_item *item);

#endif
