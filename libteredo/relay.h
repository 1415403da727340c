/*
 * relay.h - the Teredo relay, RFC 4380 5.4
 *
 * Carries packets between native IPv6 and Teredo clients. A client is trusted
 * when it answered a bubble of ours: its answer names our cookie, so that the
 * mapping may be any (R-DEC-07), or it comes from the mapping that its address
 * names (R-DEC-04). A client that we do not know is asked before its packets
 * are believed.
 */
#ifndef LIBTEREDO_RELAY_H
#define LIBTEREDO_RELAY_H

#include "addr.h"
#include "outbox.h"
#include "outlook.h"
#include "siphash.h"
#include "teredo.h"

#define TEREDO_RELAY_LOCAL6 32

struct teredo_relay_config {
	uint32_t prefix;	/* octets 0-3 of the Teredo prefix */
	uint32_t max_peers;
	struct access4 access;	/* of clients and their servers */
	bool host_local;	/* serves this host's own addresses only */
	bool direct_bubbles;	/* we are behind a restricting NAT (R-ENC-13) */
	uint32_t server_ip;	/* of the server on the same socket (R-SRV-01),
				 * as clients know it; 0: there is none */
	/* Whether that server's limits let it send a bubble there; set where
	 * server_ip is. */
	bool (*may_send)(void *server, struct teredo_ep to, teredo_time now);
	void *server;
};

struct teredo_relay;

struct teredo_relay *teredo_relay_new(const struct teredo_relay_config *config,
				      const struct teredo_env *env);
void teredo_relay_free(struct teredo_relay *r);

/* This host's addresses: IPv4 ones are never destinations; n <=
 * TEREDO_RELAY_LOCAL6 global IPv6 ones are what a host-local relay serves,
 * and the first is the source of its ICMPv6 errors. */
void teredo_relay_set_local(struct teredo_relay *r, const struct local4 *local,
			    const struct teredo_addr *addr6, unsigned n);

/* Packets from or to these n <= 64 addresses come next: purely a hint. */
void teredo_relay_prefetch(struct teredo_relay *r, const struct teredo_addr *keys,
			   unsigned n);

struct teredo_verdict teredo_relay_udp_in(struct teredo_relay *r,
					  const struct teredo_rx *rx,
					  teredo_time now,
					  struct teredo_outbox *ob);
struct teredo_verdict teredo_relay_tun_in(struct teredo_relay *r,
					  const uint8_t *ip6, size_t len,
					  teredo_time now,
					  struct teredo_outbox *ob);
/* Whether `addr` is trusted to be at `from`. */
bool teredo_relay_trusts(const struct teredo_relay *r,
			 const struct teredo_addr *addr, struct teredo_ep from,
			 teredo_time now);
void teredo_relay_expire(struct teredo_relay *r, teredo_time now,
			 struct teredo_outbox *ob);
teredo_time teredo_relay_deadline(const struct teredo_relay *r);

struct teredo_relay_status {
	uint32_t peers_proven, peers_unproven, peers_max;
	size_t held;			/* octets that wait for a path */
};
void teredo_relay_status(const struct teredo_relay *r,
			 struct teredo_relay_status *st);
const struct teredo_counters *
teredo_relay_counters(const struct teredo_relay *r);

/* See client.h. */
bool teredo_relay_peer(const struct teredo_relay *r, uint32_t slot,
		       teredo_time now, struct teredo_view *v);
void teredo_relay_outlook(const struct teredo_relay *r,
			  const struct teredo_addr *addr, teredo_time now,
			  struct teredo_outlook *o);

/* What outlives the process; see client.h. */
struct teredo_relay_saved {
	uint8_t cookie_key[SIPHASH_KEY_LEN];
};
void teredo_relay_save(const struct teredo_relay *r,
		       struct teredo_relay_saved *saved);
void teredo_relay_restore(struct teredo_relay *r,
			  const struct teredo_relay_saved *saved,
			  teredo_time now);
void teredo_relay_restore_peer(struct teredo_relay *r,
			       const struct teredo_addr *addr,
			       struct teredo_ep ep, teredo_time heard,
			       teredo_time now, struct teredo_outbox *ob);

#endif
