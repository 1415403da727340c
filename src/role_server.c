/*
 * role_server.c - the server's core in the engine
 *
 * A server has no state and no interface: it answers what it gets.
 */
#include "config.h"

#include <string.h>

#include "../libteredo/server.h"
#include "role.h"

static struct teredo_verdict udp_in(void *role, const struct teredo_rx *rx,
				    teredo_time now, struct teredo_outbox *ob)
{
	return teredo_server_udp_in(role, rx, now, ob);
}

static void expect(void *role, const struct teredo_ep *from, unsigned n)
{
	teredo_server_prefetch(role, from, n);
}

static void expire(void *role, teredo_time now, struct teredo_outbox *ob)
{
	(void)ob;
	teredo_server_expire(role, now);
}

static teredo_time deadline(const void *role)
{
	return teredo_server_deadline(role);
}

static void status(const void *role, teredo_time now, struct ctl_status *out)
{
	out->clients_seen = teredo_server_clients(role, now);
}

static const struct teredo_counters *counters(const void *role)
{
	return teredo_server_counters(role);
}

static void *open_server(const struct priv_config *config,
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
	return teredo_server_new(&core, env);
}

static void close_server(void *role)
{
	teredo_server_free(role);
}

static void netchange(void *role, const struct priv_netchange *n,
		      teredo_time now, struct teredo_outbox *ob)
{
	struct local4 local;

	(void)now;
	(void)ob;
	role_local4(&local, n);
	teredo_server_set_local(role, &local);
}

const struct role_ops role_server = {
	.udp_in = udp_in,
	.tun_in = role_no_tun_in,
	.sent_more = role_no_sent_more,
	.prefetch = role_no_prefetch,
	.expect = expect,
	.expire = expire,
	.deadline = deadline,
	.counters = counters,
	.open = open_server,
	.close = close_server,
	.start = role_no_start,
	.restore_peer = role_no_restore_peer,
	.resolved = role_no_resolved,
	.secondary = role_no_secondary,
	.netchange = netchange,
	.save = role_no_save,
	.report = role_no_report,
	.status = status,
	.peer = role_no_peer,
	.outlook = role_no_outlook,
};
