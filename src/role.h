/*
 * role.h - client, relay and server behind one face
 *
 * The pump and the control socket know this and no role. Functions that a
 * role does not need are empty ones, never NULL.
 */
#ifndef MIREDO_ROLE_H
#define MIREDO_ROLE_H

#include "../libteredo/outbox.h"
#include "../libteredo/teredo.h"
#include "ctl.h"
#include "priv.h"
#include "snapshot.h"

struct role_ops {
	const char *name;
	/* the data path: five functions */
	struct teredo_verdict (*udp_in)(void *role, const struct teredo_rx *rx,
					teredo_time now,
					struct teredo_outbox *ob);
	struct teredo_verdict (*tun_in)(void *role, const uint8_t *ip6,
					size_t len, teredo_time now,
					struct teredo_outbox *ob);
	void (*expire)(void *role, teredo_time now, struct teredo_outbox *ob);
	teredo_time (*deadline)(const void *role);
	const struct teredo_counters *(*counters)(const void *role);
	/* life: restore from the snapshot if it has something, else afresh */
	void *(*open)(const struct priv_config *config,
		      const struct teredo_env *env);
	void (*start)(void *role, struct snapshot *snap, teredo_time now,
		      struct teredo_outbox *ob);
	void (*resolved)(void *role, const struct priv_resolved *r,
			 teredo_time now, struct teredo_outbox *ob);
	void (*netchange)(void *role, const struct priv_netchange *n,
			  teredo_time now, struct teredo_outbox *ob);
	/* after a call that left news: brings the snapshot up to date */
	void (*save)(void *role, struct snapshot *snap);
	void (*status)(const void *role, teredo_time now,
		       struct ctl_status *st);
};

/* The operations of a role (enum priv_role), or NULL. */
const struct role_ops *role_ops(uint32_t role);

#endif
