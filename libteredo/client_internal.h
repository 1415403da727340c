/*
 * client_internal.h - what the files of the client share; nobody else's
 */
#ifndef LIBTEREDO_CLIENT_INTERNAL_H
#define LIBTEREDO_CLIENT_INTERNAL_H

#include "client.h"
#include "nonce.h"
#include "path.h"
#include "ratelimit.h"
#include "wire.h"

#define CLIENT_RS_TRIES		3u			/* Q2: transmissions */
#define CLIENT_RS_GAP		(4 * TEREDO_SECOND)	/* C-QUAL-04 */
#define CLIENT_SOLICIT_MIN	TEREDO_SECOND	/* between two, whatever asks */
#define CLIENT_HOLD_BYTES	((size_t)1 << 20)	/* C-TX-16: in all */

/* Somebody that can be asked for an address. */
struct client_server {
	uint32_t ip;			/* 0: not resolved yet */
	uint32_t ip2;			/* 0: there is none to ask */
	struct nonce_ring nonces;	/* what was sent to ip */
	teredo_time asked;		/* last, 0: never */
};

struct teredo_client {
	struct teredo_client_config config;
	struct teredo_env env;
	struct teredo_counters count;
	struct local4 local;
	struct teredo_addr solicitor;	/* fe80::ffff:ffff:ffff */
	uint8_t cookie_key[SIPHASH_KEY_LEN];

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

	struct path path;
	struct ratelimit_table reply_gap;	/* per endpoint: 2 s */
	struct ratelimit_table reply_budget;	/* per endpoint: 4, then 30 s */
	struct ratelimit replies;		/* all of them */
	struct ratelimit strangers;		/* peers that we did not ask */
	struct ratelimit natives;		/* the same, native hosts */
	struct ratelimit_table natives_by_ip;	/* ... of one IPv4 address */
	struct ratelimit native_tests;		/* ... all tests of them */
};

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
/* A packet came from the server in use (C-RX-04). */
void client_qualify_heard(struct teredo_client *c, teredo_time now);
/* A packet to fe80::ffff:ffff:ffff. */
struct teredo_verdict client_qualify_answer(struct teredo_client *c,
					    const struct teredo_rx *rx,
					    const struct wire_packet *p,
					    teredo_time now,
					    struct teredo_outbox *ob);

/* client_path.c */

extern const struct path_ops client_path_ops;

/* Probes once each peer that was in use lately, at most 32, after we were out
 * of reach. client_path_greet() goes on with it at greet_at. */
void client_path_greet_start(struct teredo_client *c, teredo_time now);
void client_path_greet(struct teredo_client *c, teredo_time now,
		       struct teredo_outbox *ob);

#endif
