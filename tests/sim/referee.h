/*
 * referee.h - the rules of the game, checked at every step of every node
 *
 * It sees what a node receives, sends and delivers, keeps its own book of
 * what was asked and answered, and fails the scenario at the first foul:
 *
 *  - outbox.lost is 0; a timer that is due makes progress;
 *  - no datagram to an address that is not global unicast (A-V4G), to port 0
 *    or to the node itself (SEC-LOOP). A client that looks for local peers may
 *    send discovery bubbles, a second apart, to their group, and to where it
 *    heard one from (C-TX-12);
 *  - bubbles to one peer are 2 s apart (C-BUB-04); there are 4 without an
 *    answer, and one more in 30 s (C-BUB-05, with the deviation of path.h): of
 *    our own, and of those that answer an indirect one (C-BUB-07). The count
 *    begins anew after a minute without a bubble, when the peer is forgotten;
 *    when a server answers that did not; with another address or engine;
 *  - solicitations: at most 10 in 10 s;
 *  - a server sends at most one packet for one received (S-FWD-10);
 *  - nothing unproven reaches a tun: a packet comes from where its address
 *    says, or from where a cookie or a nonce came back (C-RX-06..11, C-RX-19,
 *    R-DEC-02, R-DEC-07). What a relay delivers, and what was held, is of
 *    somebody to whom our side sent or who answered (R-DEC-03, R-DEC-04);
 *  - no bubble, link-local or multicast source on a tun (C-RX-13, C-RX-21,
 *    R-DEC-08);
 *  - tables are within their bounds.
 */
#ifndef SIM_REFEREE_H
#define SIM_REFEREE_H

#include "../../libteredo/teredo.h"

#define REFEREE_BOOK 256 /* entries of each kind; the oldest goes */

struct node;

/* Where a peer has shown to be. */
struct proof {
	struct teredo_addr peer;
	struct teredo_ep ep;
};

/* A bubble's cookie or a test's nonce, waiting to come back. */
struct question {
	struct teredo_addr peer, cookie;
	size_t nonce_len;
	uint8_t nonce[64];
};

/* To one address: ours (ep is zero), part of which goes through a server, or
 * those that answer an indirect bubble, straight to one endpoint. */
struct bubbles {
	struct teredo_addr to;
	struct teredo_ep ep;
	bool sent; /* in this call */
	teredo_time last;
	teredo_time paid_at; /* when the whole budget is there again */
};

struct referee {
	struct proof proof[REFEREE_BOOK];
	struct question question[REFEREE_BOOK];
	struct bubbles bubbles[REFEREE_BOOK];
	struct proof neighbour[REFEREE_BOOK]; /* by their discovery bubbles */
	unsigned proofs, questions, targets, neighbours; /* ever written */
	teredo_time announced; /* the last of ours; 0: none */
	uint8_t wanted[8192];		     /* our side sent to them; hashed */
	teredo_time rs[10];		     /* the last solicitations */
	unsigned solicitations;
	teredo_time unheard; /* the first solicitation since the
				last answer; 0: none */
	teredo_time expired_at;
	unsigned expiries, idle_expiries; /* at that instant */
	unsigned answers; /* packets out since the last one in */
};

/* 224.0.0.253:3544, of local client discovery */
struct teredo_ep referee_group(void);

/* A packet of the node's own side. */
void referee_carries(struct node *n, const uint8_t *ip6, size_t len);
void referee_hears(struct node *n, const struct teredo_rx *rx);
/* own: the core made it up (outbox), or it is a packet passed on. */
void referee_sends(struct node *n, struct teredo_ep to, const uint8_t *data,
		   size_t len, bool own);
void referee_sends6(struct node *n);
/* from: NULL when it came out of the outbox. */
void referee_delivers(struct node *n, const struct teredo_ep *from,
		      const uint8_t *ip6, size_t len);
/* The count of bubbles begins anew. */
void referee_forgives(struct node *n);
/* Just after expire(), the outbox still full. */
void referee_expired(struct node *n);
/* After each call. */
void referee_looks(struct node *n);

#endif
