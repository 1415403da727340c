/*
 * role_server.c - the server's core in the engine
 *
 * A server has no state, no interface and no timer: it answers what it gets.
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

static struct teredo_verdict tun_in(void *role, const uint8_t *ip6, size_t len,
				    teredo_time now, struct teredo_outbox *ob)
{
	(void)role;
	(void)ip6;
	(void)len;
	(void)now;
	(void)ob;
	return (struct teredo_verdict){.fate = TEREDO_DROP};
}

static void expire(void *role, teredo_time now, struct teredo_outbox *ob)
{
	(void)role;
	(void)now;
	(void)ob;
}

static teredo_time deadline(const void *role)
{
	(void)role;
	return TEREDO_NEVER;
}

static const struct teredo_counters *counters(const void *role)
{
	return teredo_server_counters(role);
}

static void *open_server(const struct priv_config *config,
			 const struct auth_keys *keys,
			 const struct teredo_env *env)
{
	const struct teredo_server_config core = {
		.prefix = config->prefix,
		.ip = config->public_ip,
		.ip2 = config->public_ip2,
		.mtu = config->mtu,
		.keys = keys,
		.require_auth = config->require_auth != 0,
	};

	return teredo_server_new(&core, env);
}

static void close_server(void *role)
{
	teredo_server_free(role);
}

static bool start(void *role, const struct snapshot *snap, teredo_time now,
		  struct teredo_outbox *ob)
{
	(void)role;
	(void)snap;
	(void)now;
	(void)ob;
	return false;
}

static void restore_peer(void *role, const struct teredo_addr *addr,
			 struct teredo_ep ep, teredo_time now,
			 struct teredo_outbox *ob)
{
	(void)role;
	(void)addr;
	(void)ep;
	(void)now;
	(void)ob;
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
	struct local4 local;

	(void)now;
	(void)ob;
	role_local4(&local, n);
	teredo_server_set_local(role, &local);
}

static void save(void *role, struct snapshot *snap)
{
	(void)role;
	(void)snap;
}

static void report(void *role, teredo_time now)
{
	(void)role;
	(void)now;
}

static void status(const void *role, teredo_time now, struct ctl_status *out)
{
	(void)role;
	(void)now;
	(void)out;
}

const struct role_ops role_server = {
	.udp_in = udp_in,
	.tun_in = tun_in,
	.expire = expire,
	.deadline = deadline,
	.counters = counters,
	.open = open_server,
	.close = close_server,
	.start = start,
	.restore_peer = restore_peer,
	.resolved = resolved,
	.netchange = netchange,
	.save = save,
	.report = report,
	.status = status,
};
