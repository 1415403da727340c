/*
 * referee.h - the rules of the game, checked at every step of every node
 *
 * It sees what a node receives, sends and delivers, keeps its own book of
 * what was asked and answered, and fails the scenario at the first foul, by
 * the name of the invariant; referee.c lists them.
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

/* A packet that came to the node, by a hash over all but its hop limit. */
struct passing {
	uint64_t hash;
	uint8_t hops;
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
	bool is_uprooted; /* told of another network, and no answer since */
	teredo_time expired_at;
	unsigned expiries, idle_expiries; /* at that instant */
	unsigned answers; /* packets out since the last one in */
	struct passing passing[REFEREE_BOOK]; /* by hash */
	bool is_strange; /* what came in by this call: see one-for-one */
	unsigned sent;	 /* transmissions in this call */
	struct teredo_addr probed;
};

/* 224.0.0.253:3544, of local client discovery */
struct teredo_ep referee_group(void);

/* Ends the scenario: "[invariant] node: what happened". */
_Noreturn void referee_foul(struct node *n, const char *invariant,
			    const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* A packet of the node's own side. */
void referee_carries(struct node *n, const uint8_t *ip6, size_t len);
void referee_hears(struct node *n, const struct teredo_rx *rx);
/* own: the core made it up (outbox), or it is a packet passed on. */
void referee_sends(struct node *n, struct teredo_ep to, const uint8_t *data,
		   size_t len, bool own);
void referee_sends6(struct node *n, const uint8_t *ip6, size_t len);
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
