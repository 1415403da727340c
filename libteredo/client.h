/*
 * client.h - the Teredo client, RFC 4380 5.2
 *
 * Give it what comes from the UDP socket and the tun, and the time; do what
 * its verdicts and its outbox say; call expire() at deadline(). The address is
 * in use from the answer of the first server address on; the test with the
 * second runs beside and only tells the kind of NAT (deviation from
 * C-QUAL-15..18). Losing the server keeps the address and the peers.
 */
#ifndef LIBTEREDO_CLIENT_H
#define LIBTEREDO_CLIENT_H

#include "addr.h"
#include "auth.h"
#include "outbox.h"
#include "outlook.h"
#include "siphash.h"
#include "teredo.h"

#define TEREDO_CLIENT_SERVERS 8		/* at most, in failover order */

struct teredo_client_config {
	unsigned servers;		/* 1..TEREDO_CLIENT_SERVERS */
	uint32_t max_peers;
	teredo_time refresh;		/* 30 s (X-REF-01), 120 s at most if */
	bool find_refresh;		/* 5.2.7: begins there */
	uint16_t local_port;		/* of the UDP socket, network order */
	struct auth_key key;		/* sound, or algorithm 0 (C-CFG-02) */
	enum teredo_discovery discovery;
	struct access4 access;		/* of peers' and relays' endpoints */
};

enum teredo_client_state {
	TEREDO_CLIENT_RESOLVING,	/* no server address known yet */
	TEREDO_CLIENT_PROBING,		/* soliciting; no address yet */
	TEREDO_CLIENT_OFFLINE,		/* nobody answered; retrying */
	TEREDO_CLIENT_QUALIFIED,
	TEREDO_CLIENT_REFRESHING,	/* qualified, solicitation under way */
	TEREDO_CLIENT_LOST,		/* qualified, server silent; retrying */
	TEREDO_CLIENT_STATES
};
/* "resolving", "probing", ... */
const char *teredo_client_state_name(enum teredo_client_state s);

enum teredo_nat {
	TEREDO_NAT_UNKNOWN,
	TEREDO_NAT_NONE,
	TEREDO_NAT_CONE_OR_RESTRICTED,
	TEREDO_NAT_SYMMETRIC,
	TEREDO_NATS
};
/* "unknown", "none", "restricted", "symmetric" */
const char *teredo_nat_name(enum teredo_nat n);

/* The refresh interval (5.2.7). */
enum teredo_interval {
	TEREDO_INTERVAL_FIXED,		/* as configured */
	TEREDO_INTERVAL_DETERMINING,
	TEREDO_INTERVAL_DETERMINED,
	TEREDO_INTERVAL_UNDETERMINED,	/* not begun, or not possible */
	TEREDO_INTERVALS
};
/* "fixed", "determining", "determined", "undetermined" */
const char *teredo_interval_name(enum teredo_interval i);

struct teredo_client;

/* NULL: out of memory. config and env are copied. */
struct teredo_client *
teredo_client_new(const struct teredo_client_config *config,
		  const struct teredo_env *env);
void teredo_client_free(struct teredo_client *c);

/* Begins: asks for the servers' addresses by RESOLVE news. */
void teredo_client_start(struct teredo_client *c, teredo_time now,
			 struct teredo_outbox *ob);

/* Server number i resolved to ip, its second address is ip2 (0: ip + 1,
 * C-CFG-01; without one, say with ip again, the kind of NAT stays unknown). An
 * ip that is not global unicast is refused: false. */
bool teredo_client_set_server(struct teredo_client *c, unsigned i, uint32_t ip,
			      uint32_t ip2, teredo_time now,
			      struct teredo_outbox *ob);

/* The host's IPv4 side changed: `local` replaces the old set; solicits at
 * once when `solicit`. Peers at an address of a link that is ours no more are
 * forgotten. */
void teredo_client_net_changed(struct teredo_client *c,
			       const struct local4 *local, bool solicit,
			       teredo_time now, struct teredo_outbox *ob);

/* The port that OUTBOX_SECONDARY news asked for is there: datagrams via
 * TEREDO_VIA_SECONDARY go and come, until the same news with 0. */
void teredo_client_secondary_opened(struct teredo_client *c, teredo_time now,
				    struct teredo_outbox *ob);

/* Packets from or to these n <= 64 addresses come next: purely a hint. */
void teredo_client_prefetch(struct teredo_client *c, const struct teredo_addr *keys,
			    unsigned n);

struct teredo_verdict teredo_client_udp_in(struct teredo_client *c,
					   const struct teredo_rx *rx,
					   teredo_time now,
					   struct teredo_outbox *ob);
/* ip6 is one packet as read from the tun. */
struct teredo_verdict teredo_client_tun_in(struct teredo_client *c,
					   const uint8_t *ip6, size_t len,
					   teredo_time now,
					   struct teredo_outbox *ob);
/* A TO_UDP verdict held for more packets of the same flow (a super-packet's
 * others): they are counted for its peer. */
void teredo_client_sent_more(struct teredo_client *c, uint32_t peer,
			     uint32_t packets, size_t octets);
void teredo_client_expire(struct teredo_client *c, teredo_time now,
			  struct teredo_outbox *ob);
teredo_time teredo_client_deadline(const struct teredo_client *c);

struct teredo_client_status {
	enum teredo_client_state state;
	enum teredo_nat nat;
	bool has_address;
	struct teredo_addr addr;
	struct teredo_ep mapped;	/* external, zero when unknown */
	struct teredo_ep local;		/* our end of it, ip 0 when unknown */
	uint32_t mtu;
	unsigned server;		/* number of the one in use */
	uint32_t server_ip, server_ip2;
	teredo_time rtt;		/* of the last answer, 0: unknown */
	teredo_time last_answer;	/* when, 0: never */
	teredo_time since;		/* when the address was obtained */
	unsigned failures;		/* solicitations without an answer */
	teredo_time next;		/* when the next one is due */
	bool key_expired;		/* says the server (C-SECQ-05) */
	enum teredo_interval interval;
	teredo_time refresh;		/* the interval in use */
	/* the next to be tried and what cannot be, 0: not determining */
	teredo_time refresh_candidate, refresh_max;
	/* trusted Teredo peers; trusted native ones; being contacted */
	uint32_t peers_direct, peers_relay, peers_pending, peers_max;
	uint32_t peers_local;		/* of the direct ones: on our link */
	uint32_t neighbours;		/* discovered within 600 s */
	size_t held;			/* octets that wait for a path */
};
void teredo_client_status(const struct teredo_client *c, teredo_time now,
			  struct teredo_client_status *st);
const struct teredo_counters *
teredo_client_counters(const struct teredo_client *c);

/* The peer in a slot below peers_max; false: there is none. */
bool teredo_client_peer(const struct teredo_client *c, uint32_t slot,
			teredo_time now, struct teredo_view *v);
void teredo_client_outlook(const struct teredo_client *c,
			   const struct teredo_addr *addr, teredo_time now,
			   struct teredo_outlook *o);

/*
 * What outlives the process. `saved` is hostile input to restore(): it is
 * checked, and false means that nothing was taken from it. After restore()
 * the client is qualified with that address and confirms it with one
 * solicitation. Call restore before start.
 */
struct teredo_client_saved {
	/* of what was restored before, too: times are on one clock */
	teredo_time since, last_answer, rtt;
	struct teredo_addr addr;
	struct teredo_ep mapped;
	uint32_t server_ip, server_ip2;
	uint32_t server, mtu, nat;
	uint32_t local_ip;		/* our own before the NAT, or 0 */
	uint32_t refresh_ms;		/* determined; 0: not yet */
	uint8_t cookie_key[SIPHASH_KEY_LEN];
};
/* false: there is nothing to save yet. */
bool teredo_client_save(const struct teredo_client *c,
			struct teredo_client_saved *saved);
bool teredo_client_restore(struct teredo_client *c,
			   const struct teredo_client_saved *saved,
			   teredo_time now, struct teredo_outbox *ob);
/* A peer that was proven, and heard last at `heard`, by which it is trusted or
 * not: says PEER_UP, because its slot is another now. Those heard last come
 * last. Ignored when it is not acceptable. */
void teredo_client_restore_peer(struct teredo_client *c,
				const struct teredo_addr *addr,
				struct teredo_ep ep, teredo_time heard,
				teredo_time now, struct teredo_outbox *ob);

#endif
