/*
 * node.h - a machine that runs a core, as the shell runs it
 *
 * A node has UDP sockets, perhaps a tun with a stack on it and perhaps a line
 * to native IPv6. It does what verdicts and outboxes say, in the shell's order,
 * calls expire() at deadline(), mirrors the trusted peers, and keeps the
 * snapshot that outlives the engine. A referee watches every step.
 */
#ifndef SIM_NODE_H
#define SIM_NODE_H

#include "../../libteredo/outlook.h"
#include "nat.h"
#include "referee.h"
#include "stack.h"

#define NODE_PEERS 64 /* size of every peer table */

enum node_life {
	NODE_OFF, /* what arrives is lost */
	NODE_ON,
	NODE_CRASHED, /* the descriptors are held: it waits */
	NODE_ASLEEP,  /* the host is suspended: nothing runs, its clock does */
};

struct node;

/* What tells the roles apart; `core` is the role's. */
struct node_ops {
	bool is_server, is_client;
	bool is_both; /* server and relay: also passes on others' bubbles */
	/* Between two bubbles once four went unanswered (C-BUB-05, R-ENC-07);
	 * a server sends none. */
	teredo_time bubble_pause;
	/* of silence, after which it begins anew */
	teredo_time bubble_forgotten;
	/* Makes n->core and starts it, perhaps from the snapshot. */
	void (*open)(struct node *n, bool restore);
	void (*close)(void *core);
	struct teredo_verdict (*udp_in)(void *core, const struct teredo_rx *rx,
					teredo_time now,
					struct teredo_outbox *ob);
	struct teredo_verdict (*tun_in)(void *core, const uint8_t *ip6,
					size_t len, teredo_time now,
					struct teredo_outbox *ob);
	void (*expire)(void *core, teredo_time now, struct teredo_outbox *ob);
	teredo_time (*deadline)(const void *core);
	/* Address and resolver news. */
	void (*news)(struct node *n, const struct outbox_item *item);
	/* Brings the snapshot up to date. */
	void (*save)(struct node *n);
	void (*restore_peer)(void *core, const struct teredo_addr *addr,
			     struct teredo_ep ep, teredo_time heard,
			     teredo_time now, struct teredo_outbox *ob);
	/* The peer in that slot; NULL: a server has none. */
	bool (*peer)(const void *core, uint32_t slot, teredo_time now,
		     struct teredo_view *v);
	const struct teredo_counters *(*counters)(const void *core);
	/* The referee's questions about the role's status. */
	void (*check)(struct node *n);
};

struct node_peer {
	bool up;
	struct teredo_addr addr;
	struct teredo_ep ep;
	teredo_time heard; /* last, when it crashed */
};

struct node {
	struct world *w;
	const char *name;
	const struct node_ops *ops;
	enum node_life life;
	unsigned lives; /* started so often */
	void *core;	/* while it is on */
	void *role;	/* what the role adds to a node */
	uint64_t sent;	/* packets, to IPv4 and native IPv6 */
	struct teredo_env env;
	struct rng rng;
	uint16_t port;
	struct link4 *link[2]; /* by enum teredo_via */
	bool discovers;	       /* listens to 224.0.0.253:3544 on its link */
	bool second_is_open;   /* a client's second port, link[1] */
	struct nat *nat;       /* it is behind; NULL: public */
	struct link6 *link6;
	struct stack *stack; /* on the tun */
	teredo_time wake;    /* the event that will call expire() */
	struct node_peer peer[NODE_PEERS];
	struct backlog *backlog; /* packets that wait while crashed */
	uint8_t routed[2048];	 /* the packet that passes, as a router */
	struct referee ref;
};

/* A node without sockets and lines yet. */
struct node *node_new(struct world *w, const char *name,
		      const struct node_ops *ops, void *role);

/* For link4.receive, and for what goes into the tun; ctx is the node. */
void node_udp_in(void *ctx, struct link4 *on, struct datagram *d);
void node_tun_in(void *ctx, const uint8_t *ip6, size_t len);

/* Whether it passes packets on between native IPv6 and its tunnel. */
bool node_is_router(const struct node *n);

/* Begins with an empty memory. */
void node_start(struct node *n);
/* Ends: sockets closed, memory gone. */
void node_stop(struct node *n);
/* The engine dies, and the next goes on from the snapshot: sockets, tun and
 * what waits in them are kept. */
void node_crash(struct node *n);
void node_respawn(struct node *n);

/* The host is suspended, and goes on where it was, later. */
void node_suspend(struct node *n);
void node_resume(struct node *n);

/* The world's outbox, empty, for a call into n->core; and what the shell does
 * after the call. */
struct teredo_outbox *node_enter(struct node *n);
void node_leave(struct node *n);

uint64_t node_counter(const struct node *n, enum teredo_counter c);
unsigned node_peers_up(const struct node *n);
struct teredo_ep node_ep(const struct node *n, enum teredo_via via);

#endif
