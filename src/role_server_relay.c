/*
 * role_server_relay.c - server and relay in one engine
 *
 * RFC 4380 5.4.3: the two cores composed by libteredo/server_relay.c, on the
 * server's sockets and one tun. There is no raw IPv6 socket: what the server
 * passes on to native IPv6 goes to the tun and is forwarded by the kernel, as
 * everything that the relay delivers is. What outlives an engine is the
 * relay's.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "../libteredo/server_relay.h"
#include "role.h"

static struct teredo_verdict udp_in(void *role, const struct teredo_rx *rx,
				    teredo_time now, struct teredo_outbox *ob)
{
	struct teredo_verdict v =
		teredo_server_relay_udp_in(role, rx, now, ob);

	if (v.fate == TEREDO_TO_NATIVE6)
		v.fate = TEREDO_TO_TUN;
	return v;
}

static struct teredo_verdict tun_in(void *role, const uint8_t *ip6, size_t len,
				    teredo_time now, struct teredo_outbox *ob)
{
	return teredo_relay_tun_in(teredo_server_relay_relay(role), ip6, len,
				   now, ob);
}

static void prefetch(void *role, const struct teredo_addr *keys, unsigned n)
{
	teredo_relay_prefetch(teredo_server_relay_relay(role), keys, n);
}

static void expire(void *role, teredo_time now, struct teredo_outbox *ob)
{
	teredo_server_relay_expire(role, now, ob);
}

static teredo_time deadline(const void *role)
{
	return teredo_server_relay_deadline(role);
}

static const struct teredo_counters *counters(const void *role)
{
	return teredo_server_relay_counters(role);
}

static void *open_both(const struct priv_config *config,
		       const struct auth_keys *keys,
		       const struct teredo_env *env)
{
	struct teredo_server_config core = {
		.prefix = config->prefix,
		.ip = config->public_ip,
		.ip2 = config->public_ip2,
		.mtu = config->mtu,
		.keys = keys,
		.require_auth = config->require_auth != 0,
	};

	role_access(&core.access, config);
	return teredo_server_relay_new(&core, config->max_peers, env);
}

static void close_both(void *role)
{
	teredo_server_relay_free(role);
}

static bool start(void *role, const struct snapshot *snap, teredo_time now,
		  struct teredo_outbox *ob)
{
	struct teredo_relay_saved saved;

	(void)ob;
	if (!snapshot_get_state(snap, PRIV_SERVER_RELAY, &saved,
				sizeof(saved)))
		return false;
	teredo_relay_restore(teredo_server_relay_relay(role), &saved, now);
	return true;
}

static void restore_peer(void *role, const struct teredo_addr *addr,
			 struct teredo_ep ep, teredo_time heard,
			 teredo_time now, struct teredo_outbox *ob)
{
	teredo_relay_restore_peer(teredo_server_relay_relay(role), addr, ep,
				  heard, now, ob);
}

static void netchange(void *role, const struct priv_netchange *n,
		      teredo_time now, struct teredo_outbox *ob)
{
	struct teredo_addr addr6[PRIV_LOCAL6];
	struct local4 local;
	unsigned n6 = role_local6(addr6, n);

	(void)now;
	(void)ob;
	role_local4(&local, n);
	teredo_server_relay_set_local(role, &local, addr6, n6);
}

static void save(void *role, struct snapshot *snap)
{
	struct teredo_relay_saved saved;

	memset(&saved, 0, sizeof(saved));
	teredo_relay_save(teredo_server_relay_relay(role), &saved);
	snapshot_put_state(snap, PRIV_SERVER_RELAY, &saved, sizeof(saved));
}

static void status(const void *role, teredo_time now, struct ctl_status *out)
{
	struct teredo_relay_status st;

	out->clients_seen = teredo_server_relay_clients(role, now);
	teredo_relay_status(teredo_server_relay_relay(role), &st);
	out->peers_direct = st.peers_proven;
	out->peers_pending = st.peers_unproven;
	out->peers_max = st.peers_max;
}

static bool peer(const void *role, uint32_t place, teredo_time now,
		 struct teredo_view *v)
{
	return teredo_relay_peer(teredo_server_relay_relay(role), place, now, v);
}

static void outlook(const void *role, const struct teredo_addr *addr,
		    teredo_time now, struct teredo_outlook *o)
{
	teredo_relay_outlook(teredo_server_relay_relay(role), addr, now, o);
}

const struct role_ops role_server_relay = {
	.udp_in = udp_in,
	.tun_in = tun_in,
	.sent_more = role_no_sent_more,
	.prefetch = prefetch,
	.expect = role_no_expect,
	.expire = expire,
	.deadline = deadline,
	.counters = counters,
	.open = open_both,
	.close = close_both,
	.start = start,
	.restore_peer = restore_peer,
	.resolved = role_no_resolved,
	.netchange = netchange,
	.secondary = role_no_secondary,
	.save = save,
	.report = role_no_report,
	.status = status,
	.peer = peer,
	.outlook = outlook,
};
