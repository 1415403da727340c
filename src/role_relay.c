/*
 * role_relay.c - the relay's core in the engine
 *
 * The state that outlives an engine is the key of its cookies, for a minute:
 * clients that answer a bubble of the engine before are then still believed.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "../libteredo/relay.h"
#include "role.h"

static_assert((int)PRIV_LOCAL6 <= (int)TEREDO_RELAY_LOCAL6, "all must fit");

static struct teredo_verdict udp_in(void *role, const struct teredo_rx *rx,
				    teredo_time now, struct teredo_outbox *ob)
{
	return teredo_relay_udp_in(role, rx, now, ob);
}

static struct teredo_verdict tun_in(void *role, const uint8_t *ip6, size_t len,
				    teredo_time now, struct teredo_outbox *ob)
{
	return teredo_relay_tun_in(role, ip6, len, now, ob);
}

static void prefetch(void *role, const struct teredo_addr *keys, unsigned n)
{
	teredo_relay_prefetch(role, keys, n);
}

static void expire(void *role, teredo_time now, struct teredo_outbox *ob)
{
	teredo_relay_expire(role, now, ob);
}

static teredo_time deadline(const void *role)
{
	return teredo_relay_deadline(role);
}

static const struct teredo_counters *counters(const void *role)
{
	return teredo_relay_counters(role);
}

static void *open_relay(const struct priv_config *config,
			const struct auth_keys *keys,
			const struct teredo_env *env)
{
	struct teredo_relay_config core = {
		.prefix = config->prefix,
		.max_peers = config->max_peers,
		.host_local = config->host_local != 0,
		.direct_bubbles = config->direct_bubbles != 0,
	};

	(void)keys;
	role_access(&core.access, config);
	return teredo_relay_new(&core, env);
}

static void close_relay(void *role)
{
	teredo_relay_free(role);
}

static bool start(void *role, const struct snapshot *snap, teredo_time now,
		  struct teredo_outbox *ob)
{
	struct teredo_relay_saved saved;

	(void)ob;
	if (!snapshot_get_state(snap, PRIV_RELAY, &saved, sizeof(saved)))
		return false;
	teredo_relay_restore(role, &saved, now);
	return true;
}

static void restore_peer(void *role, const struct teredo_addr *addr,
			 struct teredo_ep ep, teredo_time heard,
			 teredo_time now, struct teredo_outbox *ob)
{
	teredo_relay_restore_peer(role, addr, ep, heard, now, ob);
}

static void resolved(void *role, const struct priv_resolved *r, teredo_time now,
		     struct teredo_outbox *ob)
{
	(void)role;
	(void)r;
	(void)now;
	(void)ob;
}

static void netchange(void *role, const struct priv_netchange *n,
		      teredo_time now, struct teredo_outbox *ob)
{
	struct teredo_addr addr6[PRIV_LOCAL6];
	unsigned n6 = role_local6(addr6, n);
	struct local4 local;

	(void)now;
	(void)ob;
	role_local4(&local, n);
	teredo_relay_set_local(role, &local, addr6, n6);
}

static void save(void *role, struct snapshot *snap)
{
	struct teredo_relay_saved saved;

	memset(&saved, 0, sizeof(saved));
	teredo_relay_save(role, &saved);
	snapshot_put_state(snap, PRIV_RELAY, &saved, sizeof(saved));
}

static void report(void *role, teredo_time now)
{
	(void)role;
	(void)now;
}

static void status(const void *role, teredo_time now, struct ctl_status *out)
{
	struct teredo_relay_status st;

	(void)now;
	teredo_relay_status(role, &st);
	out->peers_direct = st.peers_proven;
	out->peers_pending = st.peers_unproven;
	out->peers_max = st.peers_max;
}

static bool peer(const void *role, uint32_t place, teredo_time now,
		 struct teredo_view *v)
{
	return teredo_relay_peer(role, place, now, v);
}

static void outlook(const void *role, const struct teredo_addr *addr,
		    teredo_time now, struct teredo_outlook *o)
{
	teredo_relay_outlook(role, addr, now, o);
}

const struct role_ops role_relay = {
	.udp_in = udp_in,
	.tun_in = tun_in,
	.sent_more = role_no_sent_more,
	.prefetch = prefetch,
	.expect = role_no_expect,
	.expire = expire,
	.deadline = deadline,
	.counters = counters,
	.open = open_relay,
	.close = close_relay,
	.start = start,
	.restore_peer = restore_peer,
	.resolved = resolved,
	.secondary = role_no_secondary,
	.netchange = netchange,
	.save = save,
	.report = report,
	.status = status,
	.peer = peer,
	.outlook = outlook,
};
