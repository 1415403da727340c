/*
 * role.h - client, relay and server behind one face
 *
 * The pump, the engine and the control socket know this and no role.
 * Functions that a role does not need are empty ones, never NULL.
 */
#ifndef MIREDO_ROLE_H
#define MIREDO_ROLE_H

#include "../libteredo/outbox.h"
#include "../libteredo/outlook.h"
#include "../libteredo/teredo.h"
#include "ctl.h"
#include "priv.h"
#include "snapshot.h"

struct role_ops {
	/* the data path */
	struct teredo_verdict (*udp_in)(void *role, const struct teredo_rx *rx,
					teredo_time now,
					struct teredo_outbox *ob);
	struct teredo_verdict (*tun_in)(void *role, const uint8_t *ip6,
					size_t len, teredo_time now,
					struct teredo_outbox *ob);
	/* A TO_UDP verdict held for more packets, a super-packet's others. */
	void (*sent_more)(void *role, uint32_t peer, uint32_t packets,
			  size_t octets);
	/* A hint: packets from or to these n <= 64 addresses come next. */
	void (*prefetch)(void *role, const struct teredo_addr *keys,
			 unsigned n);
	/* The same: datagrams of these n <= 64 senders. */
	void (*expect)(void *role, const struct teredo_ep *from, unsigned n);
	void (*expire)(void *role, teredo_time now, struct teredo_outbox *ob);
	teredo_time (*deadline)(const void *role);
	const struct teredo_counters *(*counters)(const void *role);

	/* Takes all memory. All three are copied. NULL: cannot be. A client
	 * has at most one key, its own. */
	void *(*open)(const struct priv_config *config,
		      const struct auth_keys *keys,
		      const struct teredo_env *env);
	void (*close)(void *role);
	/* Begins. true: it goes on from the snapshot's state; restore_peer is
	 * then called for each peer of the snapshot, from who was heard last
	 * longest ago on. */
	bool (*start)(void *role, const struct snapshot *snap, teredo_time now,
		      struct teredo_outbox *ob);
	void (*restore_peer)(void *role, const struct teredo_addr *addr,
			     struct teredo_ep ep, teredo_time heard,
			     teredo_time now, struct teredo_outbox *ob);
	void (*resolved)(void *role, const struct priv_resolved *r,
			 teredo_time now, struct teredo_outbox *ob);
	void (*netchange)(void *role, const struct priv_netchange *n,
			  teredo_time now, struct teredo_outbox *ob);
	/* The second socket that SECONDARY news asked for is there. */
	void (*secondary)(void *role, teredo_time now,
			  struct teredo_outbox *ob);
	/* After start, and after each call that left ADDRESS or STATE news:
	 * brings the snapshot up to date; logs what is new, once. */
	void (*save)(void *role, struct snapshot *snap);
	void (*report)(void *role, teredo_time now);
	/* Fills what the role knows of the zeroed *st. */
	void (*status)(const void *role, teredo_time now,
		       struct ctl_status *st);
	/* The peer at a place below max_peers; false: nobody is there. */
	bool (*peer)(const void *role, uint32_t place, teredo_time now,
		     struct teredo_view *v);
	void (*outlook)(const void *role, const struct teredo_addr *addr,
			teredo_time now, struct teredo_outlook *o);
};

extern const struct role_ops role_client, role_relay, role_server;
extern const struct role_ops role_server_relay, role_dormant;

/* For a role that has no use for one of them. A server has no tun. */
struct teredo_verdict role_no_tun_in(void *role, const uint8_t *ip6, size_t len,
				    teredo_time now, struct teredo_outbox *ob);
void role_no_sent_more(void *role, uint32_t peer, uint32_t packets,
		       size_t octets);
void role_no_prefetch(void *role, const struct teredo_addr *keys, unsigned n);
void role_no_expect(void *role, const struct teredo_ep *from, unsigned n);
void role_no_expire(void *role, teredo_time now, struct teredo_outbox *ob);
teredo_time role_no_deadline(const void *role);
bool role_no_start(void *role, const struct snapshot *snap, teredo_time now,
		  struct teredo_outbox *ob);
void role_no_restore_peer(void *role, const struct teredo_addr *addr,
			 struct teredo_ep ep, teredo_time heard,
			 teredo_time now, struct teredo_outbox *ob);
void role_no_resolved(void *role, const struct priv_resolved *r, teredo_time now,
		     struct teredo_outbox *ob);
void role_no_secondary(void *role, teredo_time now, struct teredo_outbox *ob);
void role_no_save(void *role, struct snapshot *snap);
void role_no_report(void *role, teredo_time now);
void role_no_status(const void *role, teredo_time now, struct ctl_status *out);
bool role_no_peer(const void *role, uint32_t place, teredo_time now,
		 struct teredo_view *v);
void role_no_outlook(const void *role, const struct teredo_addr *addr,
		    teredo_time now, struct teredo_outlook *o);

/* The operations of a role (enum priv_role), or NULL. */
const struct role_ops *role_ops(uint32_t role);

/* Whom we speak with, as the cores want it. */
struct access4;
void role_access(struct access4 *access, const struct priv_config *config);
/* The host's IPv4 addresses as the cores want them. */
struct local4;
void role_local4(struct local4 *local, const struct priv_netchange *n);
/* Its global IPv6 addresses: how many. */
unsigned role_local6(struct teredo_addr addr6[PRIV_LOCAL6],
		     const struct priv_netchange *n);

#endif
