/*
 * client_internal.h - what the files of the client share; nobody else's
 */
#ifndef LIBTEREDO_CLIENT_INTERNAL_H
#define LIBTEREDO_CLIENT_INTERNAL_H

#include "client.h"
#include "icmp6.h"
#include "nonce.h"
#include "path.h"
#include "ratelimit.h"
#include "wire.h"

#define CLIENT_RS_TRIES		3u			/* Q2: transmissions */
#define CLIENT_RS_GAP		(4 * TEREDO_SECOND)	/* C-QUAL-04 */
#define CLIENT_SOLICIT_MIN	TEREDO_SECOND	/* between two, whatever asks */
#ifndef CLIENT_HOLD_BYTES			/* fuzzers want less */
#define CLIENT_HOLD_BYTES	((size_t)1 << 20)	/* C-TX-16: in all */
#endif

/* Somebody that can be asked for an address. */
struct client_server {
	uint32_t ip;			/* 0: not resolved yet */
	uint32_t ip2;			/* 0: there is none to ask */
	struct nonce_ring nonces;	/* what was sent to ip */
	teredo_time asked;		/* last, 0: never */
};

/* A Teredo client on our link, by its last discovery bubble. */
#define CLIENT_NEIGHBOURS 64u
struct client_neighbour {
	struct teredo_addr addr;
	struct teredo_ep ep;		/* where it is on the link */
	teredo_time until;		/* 0: none */
};

struct client_local {
	struct client_neighbour neighbour[CLIENT_NEIGHBOURS];
	teredo_time at;			/* next announcement */
	teredo_time last;		/* announcement; 0: none */
	struct ratelimit own, asked;	/* announcements, by who causes them */
	struct ratelimit newcomers;
};

/* client_interval.c tells what follows what. */
enum client_interval_step {
	CLIENT_INTERVAL_IDLE,		/* not begun */
	CLIENT_INTERVAL_OPENING,	/* the port was asked for */
	CLIENT_INTERVAL_SOLICITING,
	CLIENT_INTERVAL_WAITING,
	CLIENT_INTERVAL_TESTING,
	CLIENT_INTERVAL_PAUSING,	/* the server is silent */
	CLIENT_INTERVAL_CONCLUDED,
	CLIENT_INTERVAL_UNUSABLE,	/* the port was never answered */
};

/* The secondary port (RFC 4380 5.2.7). */
struct client_interval {
	enum client_interval_step step;
	teredo_time timer;
	bool is_open;
	unsigned tries;			/* transmissions in this step */
	teredo_time tested_at;		/* the last of four bubbles */
	teredo_time candidate, max;	/* max 0: not qualified yet */
	struct teredo_addr addr;
	struct nonce_ring nonces;
};

/* What a native peer has beside its entry. */
struct client_native {
	uint64_t nonce;			/* of the test that runs; 0: none */
	struct teredo_addr addr;	/* whose the rest is */
	struct teredo_ep before;	/* where it was proven before, by another */
	teredo_time until;		/* relay, and how long that is good */
};

/* Trusted ones, directly and by a relay; others that are probed; and how many
 * of the direct ones are on our link. */
struct client_counts {
	uint32_t direct, relay, pending, local;
};

struct client_census {
	uint32_t at;			/* the place that is next */
	struct client_counts counting, counted;
};

struct teredo_client {
	struct teredo_client_config config;
	struct teredo_env env;
	struct teredo_counters count;
	struct local4 local;
	struct teredo_addr solicitor;	/* fe80::ffff:ffff:ffff */
	struct nonce_keys cookie;

	/* the servers and the talk with them: client_qualify.c */
	struct client_server server[TEREDO_CLIENT_SERVERS];
	enum teredo_client_state state;
	teredo_time state_since, timer;
	unsigned asked;			/* number of the server asked last */
	unsigned tries;			/* transmissions in this state */
	bool asking;			/* the last one is unanswered */
	unsigned failures;
	teredo_time last_solicit, last_resolve;
	teredo_time rtt, last_answer;
	teredo_time refresh;		/* the refresh interval */
	teredo_time interval;		/* of this refresh, randomised */
	bool out_of_touch;		/* peers may have missed us */
	bool key_expired;		/* said the last authentic answer */

	/* the address; all of it belongs together */
	bool has_address;
	struct teredo_addr addr;
	struct teredo_ep mapped;
	uint32_t local_ip, mtu;
	unsigned number;		/* of the server that it is of */
	struct client_server used;	/* that server as it was then */
	teredo_time since;

	/* the kind of NAT, found out beside */
	enum teredo_nat nat;
	struct nonce_ring nat_nonces;
	unsigned nat_tries;
	teredo_time nat_timer;

	/* peers that are told again that we are here: client_path.c */
	uint32_t greet_slot;
	unsigned greet_left;
	teredo_time greet_at;		/* TEREDO_NEVER: nobody to greet */

	struct client_local discovery;	/* client_local.c */
	struct client_interval secondary;

	struct path path;
	struct client_census census;
	struct client_native *native;	/* by peer slot */
	struct ratelimit_table reply_gap;	/* per endpoint: 2 s; and the
						 * same, to cookies */
	struct ratelimit_table reply_budget;	/* per endpoint: 4, then 30 s */
	struct ratelimit replies;		/* all of them */
	struct ratelimit strangers;		/* peers that we did not ask */
	struct ratelimit_table strangers_by_ip;	/* ... of one IPv4 address */
	struct ratelimit natives;		/* the same, native hosts */
	struct ratelimit_table natives_by_ip;
	struct ratelimit native_tests;		/* ... all tests of them */
};

/* Instead of a reason for a drop. */
#define CLIENT_NO_OBJECTION TEREDO_N_COUNTERS

static inline bool client_is_teredo(const struct teredo_addr *a)
{
	return addr_in_prefix(a, addr_default_prefix());
}

/* The administrator denies this Teredo peer's mapping or its server: wherever
 * it is, nothing is taken from it. Others are denied by where they are. */
bool client_denies(const struct teredo_client *c,
		   const struct teredo_addr *peer);

/* Counts a reason and gives the verdict. */
struct teredo_verdict client_drop(struct teredo_client *c,
				  enum teredo_counter reason);

/* client_qualify.c */

/* Goes to `state`, or does its next step: sends and arms. */
void client_qualify_enter(struct teredo_client *c,
			  enum teredo_client_state state, teredo_time now,
			  struct teredo_outbox *ob);
/* Timers that are due. */
void client_qualify_expire(struct teredo_client *c, teredo_time now,
			   struct teredo_outbox *ob);
/* Asks for the addresses of all servers. */
void client_qualify_resolve(struct teredo_client *c, teredo_time now,
			    struct teredo_outbox *ob);
/* Server number i has a new address. */
void client_qualify_found(struct teredo_client *c, unsigned i, teredo_time now,
			  struct teredo_outbox *ob);
/* Something changed: starts a round of solicitations, now or when
 * CLIENT_SOLICIT_MIN is over. */
void client_qualify_again(struct teredo_client *c, teredo_time now,
			  struct teredo_outbox *ob);
/* A path fell silent under traffic, perhaps because the mapping is another
 * now: solicits, unless an answer is expected or just came (X-REF-04). */
void client_qualify_doubt(struct teredo_client *c, teredo_time now,
			  struct teredo_outbox *ob);
/* A packet came from the address of the server in use (C-RX-04): puts off the
 * next solicitation, up to 4 refresh intervals after the last answer. */
void client_qualify_heard(struct teredo_client *c, teredo_time now);
/* A packet to fe80::ffff:ffff:ffff. */
struct teredo_verdict client_qualify_answer(struct teredo_client *c,
					    const struct teredo_rx *rx,
					    const struct wire_packet *p,
					    teredo_time now,
					    struct teredo_outbox *ob);

/* A solicitation to that server address; its nonce goes into the ring. */
void client_qualify_send_rs(struct teredo_client *c, enum teredo_via via,
			    uint32_t ip, struct nonce_ring *ring,
			    teredo_time now, struct teredo_outbox *ob);
/* Why a packet is no good answer to any solicitation of ours, or
 * CLIENT_NO_OBJECTION: then *ra is filled. Its nonce and its source are still
 * to be looked at. */
enum teredo_counter client_qualify_objection(const struct teredo_client *c,
					     const struct wire_packet *p,
					     struct icmp6_ra *ra);
/* The answer is of this server. */
bool client_qualify_is_from(const struct client_server *s,
			    const struct teredo_rx *rx,
			    const struct icmp6_ra *ra);

/* client_interval.c */

/* There is an address with another mapping. */
void client_interval_begin(struct teredo_client *c, teredo_time now,
			   struct teredo_outbox *ob);
/* Its timer, if it is due. */
void client_interval_expire(struct teredo_client *c, teredo_time now,
			    struct teredo_outbox *ob);
/* A datagram from the secondary port. */
struct teredo_verdict client_interval_in(struct teredo_client *c,
					 const struct teredo_rx *rx,
					 teredo_time now,
					 struct teredo_outbox *ob);
enum teredo_interval client_interval_state(const struct teredo_client *c);
/* What another process determined. */
bool client_interval_is_sound(uint32_t ms);
void client_interval_restore(struct teredo_client *c, uint32_t ms);

/* client_test.c */

/* Tests a native peer by way of our server, and of the relay where it was
 * proven (C-DCT-01..05). Room for two items is a precondition. false: not now,
 * tests of strangers are limited. */
bool client_test_send(struct teredo_client *c, struct peer *p, teredo_time now,
		      struct teredo_outbox *ob);
/* Whether this is the answer to the test that runs for `peer`, which may be
 * NULL; it ends the test (C-RX-08, C-RX-10). */
bool client_test_is_answered(struct teredo_client *c, const struct peer *peer,
			     const struct wire_packet *p, teredo_time now);
/* That answer came from `at`: notes where the peer was trusted before. */
void client_test_moves(struct teredo_client *c, const struct peer *peer,
		       struct teredo_ep at, teredo_time now);
/* Whether the peer, which may be NULL, is trusted, and was at that other relay
 * when that was last heard, less than PEER_VALIDITY ago. */
bool client_test_was_at(const struct teredo_client *c, const struct peer *peer,
			struct teredo_ep at, teredo_time now);

/* client_census.c */

/* About once a second while there are peers. */
void client_census_sweep(struct teredo_client *c, teredo_time now);
/* Looks at no more peers than takes some microseconds; of a large table it is
 * what there was within the last minute. */
struct client_counts client_census(const struct teredo_client *c,
				   teredo_time now);

/* client_path.c */

/* path_ops.sweep */
void client_sweep(void *role, teredo_time now);
extern const struct path_ops client_path_ops;

/* Probes once each peer that was in use lately, at most 32, after we were out
 * of reach. client_path_greet() goes on with it at greet_at. */
void client_path_greet_start(struct teredo_client *c, teredo_time now);
void client_path_greet(struct teredo_client *c, teredo_time now,
		       struct teredo_outbox *ob);
/* A bubble from our address to dst at `to`; there is room for it. */
void client_path_bubble(struct teredo_client *c, struct teredo_ep to,
			const struct teredo_addr *dst,
			enum teredo_counter kind, struct teredo_outbox *ob);
/* Whether a bubble of somebody else may be answered to there (C-BUB-07). */
bool client_path_may_reply(struct teredo_client *c, struct teredo_ep to,
			   const struct teredo_addr *dst, bool is_trusted,
			   teredo_time now);
/* Why a packet of our host's must not leave, or CLIENT_NO_OBJECTION. */
enum teredo_counter client_path_objection(const struct teredo_client *c,
					  const struct wire_packet *p);
/* The peer is trusted, and there. */
bool client_path_is_at(const struct peer *p, struct teredo_ep ep,
		       teredo_time now);

/* client_local.c: all of it does nothing while discovery is off */

void client_local_init(struct teredo_client *c);
/* The address is another: neighbours know us by the old one, and may be behind
 * another NAT than we are. Announces us at once. */
void client_local_start(struct teredo_client *c, teredo_time now);
/* Announces us where that is due. */
void client_local_expire(struct teredo_client *c, teredo_time now,
			 struct teredo_outbox *ob);
/* What came to the discovery socket. */
struct teredo_verdict client_local_in(struct teredo_client *c,
				      const struct teredo_rx *rx,
				      const struct wire_packet *p,
				      teredo_time now,
				      struct teredo_outbox *ob);
/* C-TX-05. false: p is not known to be local. Has room for 2 items. */
bool client_local_probe(struct teredo_client *c, const struct peer *p,
			teredo_time now, struct teredo_outbox *ob);
/* Whether this peer's discovery bubble came from there (C-RX-18). */
bool client_local_is_at(const struct teredo_client *c,
			const struct teredo_addr *addr, struct teredo_ep ep,
			teredo_time now);
/* Whether this Teredo client could be there: the only non-global addresses to
 * which anything may be sent. */
bool client_local_fits(const struct teredo_client *c,
		       const struct teredo_addr *addr, struct teredo_ep ep);
/* The host's addresses were `was` and are c->local: forgets who is no
 * neighbour any more, and announces us on another link. */
void client_local_net_changed(struct teredo_client *c,
			      const struct local4 *was);
/* How many are known. */
uint32_t client_local_count(const struct teredo_client *c, teredo_time now);

#endif
