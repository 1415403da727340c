/*
 * role_dormant.c - an engine that does nothing
 *
 * RFC 4380 5.5: a client while there is IPv6 by other means, and a server or
 * relay from its SunsetDate on. The parent decides that (parent_sunset.c) and
 * starts an engine in this role, which counts what it drops; descriptors and
 * status stay, so that a waking client has its UDP port still. What it knew of
 * its mapping has died with the silence: an empty state takes the place of the
 * client's in the snapshot, so that it begins afresh.
 */
#include "config.h"

#include <stdlib.h>

#include "role.h"

static struct teredo_verdict drop(struct teredo_counters *count)
{
	count->n[TEREDO_DROP_dormant]++;
	return (struct teredo_verdict){.fate = TEREDO_DROP};
}

static struct teredo_verdict udp_in(void *role, const struct teredo_rx *rx,
				    teredo_time now, struct teredo_outbox *ob)
{
	(void)rx;
	(void)now;
	(void)ob;
	return drop(role);
}

static struct teredo_verdict tun_in(void *role, const uint8_t *ip6, size_t len,
				    teredo_time now, struct teredo_outbox *ob)
{
	(void)ip6;
	(void)len;
	(void)now;
	(void)ob;
	return drop(role);
}

static const struct teredo_counters *counters(const void *role)
{
	return role;
}

static void *open_dormant(const struct priv_config *config,
			  const struct auth_keys *keys,
			  const struct teredo_env *env)
{
	(void)config;
	(void)keys;
	(void)env;
	return calloc(1, sizeof(struct teredo_counters));
}

static void close_dormant(void *role)
{
	free(role);
}

static void netchange(void *role, const struct priv_netchange *n,
		      teredo_time now, struct teredo_outbox *ob)
{
	(void)role;
	(void)n;
	(void)now;
	(void)ob;
}

static void save(void *role, struct snapshot *snap)
{
	(void)role;
	snapshot_put_state(snap, PRIV_DORMANT, "", 0);
}

const struct role_ops role_dormant = {
	.udp_in = udp_in,
	.tun_in = tun_in,
	.sent_more = role_no_sent_more,
	.prefetch = role_no_prefetch,
	.expect = role_no_expect,
	.expire = role_no_expire,
	.deadline = role_no_deadline,
	.counters = counters,
	.open = open_dormant,
	.close = close_dormant,
	.start = role_no_start,
	.restore_peer = role_no_restore_peer,
	.resolved = role_no_resolved,
	.secondary = role_no_secondary,
	.netchange = netchange,
	.save = save,
	.report = role_no_report,
	.status = role_no_status,
	.peer = role_no_peer,
	.outlook = role_no_outlook,
};
