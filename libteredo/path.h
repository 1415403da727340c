/*
 * path.h - how a peer is reached: the part that client and relay share
 *
 * RFC 4380 5.2.4, 5.2.6, 5.4.1. A packet to a trusted peer goes out at once.
 * Else it is held and the role probes: bubbles to a Teredo peer, a
 * connectivity test to a native one. Four probes, PATH_GAP apart; then what is
 * held is answered with ICMPv6 "address unreachable" and there is a pause, in
 * which packets are refused at once, but which is never a lock-out: after it,
 * traffic starts again, and a sign of life ends it (deliberate deviation from
 * the 300 s silence of C-BUB-05: one probe per pause instead).
 *
 * What a peer needs for that, a timer and what is held, is a *search*; it ends
 * with the last probe's wait or with the proof. There are PATH_SEARCHES of
 * them, so that peers at rest cost nothing. When they are used up, packets
 * that would begin another one are dropped as rate limited.
 *
 * A trusted peer to which we send, but from which nothing came for 3 s, is
 * probed beside the traffic, so that a restarted relay or NAT is noticed
 * within seconds and not after the 30 s of its validity.
 */
#ifndef LIBTEREDO_PATH_H
#define LIBTEREDO_PATH_H

#include "deadline.h"
#include "hold.h"
#include "outbox.h"
#include "outlook.h"
#include "peers.h"
#include "ratelimit.h"
#include "slots.h"

#define PATH_ATTEMPTS	4u
/* No two bubbles to one endpoint, and no two answers to it, are closer than
 * this (C-BUB-04, C-BUB-07). */
#define PATH_GAP_MIN	(2 * TEREDO_SECOND)
/* From one probe to the next (C-TX-04). More than the least, by what jitter is
 * likely to take away on the way: the peer keeps to the least too, and would
 * not answer a probe that comes closer to the last. Four of them are less than
 * 9 s (C-TX-15). */
#define PATH_GAP	(PATH_GAP_MIN + 50 * TEREDO_MS)
/* At 2000 probes a second, a relay's most, and four of them to a peer that does
 * not answer, 4100 peers are in search of a path, or 16400 that get one each;
 * twice that. */
#define PATH_SEARCHES	32768u
#define PATH_ONE_WAY	(3 * TEREDO_SECOND)
#define PATH_PATIENCE	TEREDO_SECOND	/* then it may be us */

struct path_ops {
	/* Sends probe number p->attempts (from 1; counts on after a pause). It
	 * has room for 4 items and 512 octets in the outbox. false: must not
	 * be sent now. */
	bool (*probe)(void *role, struct peer *p, teredo_time now,
		      struct teredo_outbox *ob);
	/* Pause after the last unanswered probe: PATH_GAP at least, and less
	 * than forget_after, with which it would be forgotten. */
	teredo_time (*pause)(void *role, const struct peer *p);
	/* Whether this packet of our own side may begin with a new peer. NULL:
	 * any may. */
	bool (*admit)(void *role, const uint8_t *ip6, teredo_time now);
	/* Packets go to a trusted peer and nothing came back for PATH_ONE_WAY,
	 * nor within PATH_PATIENCE after the first probe: the fault may be on
	 * our side. Said with every packet up to the second probe. NULL: it is
	 * of no interest. */
	void (*doubt)(void *role, teredo_time now, struct teredo_outbox *ob);
	/* The sweep, about once a second while there are peers: what else of
	 * the role's may be swept (table.h). NULL: nothing. */
	void (*sweep)(void *role, teredo_time now);
	/* When an unproven peer is forgotten that nobody wants. */
	teredo_time forget_after;
	/* When more octets than this wait, only one packet of each peer does:
	 * who asks for many leaves some room to the others (SEC-DOS-06). */
	size_t hold_many;
};

struct path_search {
	struct hold_queue held;
	uint32_t slot;			/* the peer's */
	struct teredo_ep from;		/* whence what is HOLD_IF_THERE came;
					 * port 0: nothing is */
};

struct path {
	const struct path_ops *ops;
	void *role;
	struct peers *peers;
	struct hold *hold;
	struct deadlines *timers;	/* by number of the search */
	struct path_search *search;
	struct slots searches;		/* those in use */
	struct teredo_counters *count;
	struct teredo_addr error_src;	/* of ICMPv6 errors to the tun */
	struct ratelimit errors;
	struct ratelimit_table errors_to;	/* per /64 that gets them */
	struct ratelimit_table evicted;	/* who was probed a moment before */
	teredo_time next_sweep;
	/* slots whose PEER_DOWN is still to be said: a bit each, how many */
	uint64_t *down;
	uint32_t n_down;
};

/* Fills *path and takes its memory. false: out of memory (nothing kept). */
bool path_init(struct path *path, const struct path_ops *ops, void *role,
	       uint32_t max_peers, size_t hold_bytes,
	       const struct teredo_env *env, struct teredo_counters *count);
void path_fini(struct path *path);

/* peers_get(), and counts who had to go for the new one. */
struct peer *path_peer(struct path *path, const struct teredo_addr *addr,
		       teredo_time now);

/* A checked packet from the tun to dst: TO_UDP, TAKEN (held) or DROP. */
struct teredo_verdict path_send(struct path *path,
				const struct teredo_addr *dst,
				const uint8_t *ip6, size_t len,
				teredo_time now, struct teredo_outbox *ob);

/* A packet from a peer that is not proven yet, to be delivered to the tun
 * once it is; starts the probes. TAKEN or DROP. */
struct teredo_verdict path_receive_unproven(struct path *path,
					    const struct teredo_addr *src,
					    const uint8_t *ip6, size_t len,
					    teredo_time now,
					    struct teredo_outbox *ob);

/* The same where the source says nothing of the endpoint, which another than
 * the peer may have sent from: delivered if it is proven at that very endpoint,
 * and, where it is trusted elsewhere, before it is heard there; else dropped as
 * spoofed. One such endpoint at a time, beside the one of its last proof. */
struct teredo_verdict path_receive_from(struct path *path,
					const struct teredo_addr *src,
					struct teredo_ep from,
					const uint8_t *ip6, size_t len,
					teredo_time now,
					struct teredo_outbox *ob);

/* Starts to probe p, unless that is going on already, or was in vain just now,
 * or too many are probed. Room as for ops->probe(). */
void path_probe(struct path *path, struct peer *p, teredo_time now,
		struct teredo_outbox *ob);

/* Whether a probe of p is on its way or about to be sent. */
bool path_is_probing(const struct peer *p);

/* A packet came from a trusted peer at its very endpoint: path_proven() for
 * next to nothing. What waits from elsewhere waits on for the probe. */
void path_heard(struct path *path, struct peer *p, teredo_time now);

/* p proved to be at ep: trusts it, ends its probes, releases what is held.
 * Says PEER_UP when that is new. */
void path_proven(struct path *path, struct peer *p, struct teredo_ep ep,
		 teredo_time now, struct teredo_outbox *ob);

/* A peer that another process knew to be at ep, and heard last at `heard`: as if
 * it had proved so then. Ignored when that is to come, or when it would be
 * forgotten by now. */
void path_restore(struct path *path, const struct teredo_addr *addr,
		  struct teredo_ep ep, teredo_time heard, teredo_time now,
		  struct teredo_outbox *ob);

/* What is known of p; its way is DIRECT where it is trusted. */
void path_view(const struct path *path, const struct peer *p, teredo_time now,
	       struct teredo_view *v);
/* What path_send() would do, the limits aside; BUBBLE: probe. */
void path_outlook(const struct path *path, const struct teredo_addr *dst,
		  teredo_time now, struct teredo_outlook *o);

/* Timers that are due, and the sweep. Stops when the outbox is nearly full:
 * path_deadline() is then still in the past and the caller comes again. */
void path_expire(struct path *path, teredo_time now, struct teredo_outbox *ob);
teredo_time path_deadline(const struct path *path);

#endif
