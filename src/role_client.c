/*
 * role_client.c - the client's core in the engine
 *
 * A client that finds its state in the snapshot is qualified at once, with the
 * address and the mapping of the engine before, and confirms them with one
 * solicitation. The state changes with the address; trusted peers are recorded
 * by the pump as they come and go. The core knows servers by number, and a
 * reload may have numbered them anew: so their names tell which one it was, and
 * who was qualified with one that is not configured any more begins afresh.
 *
 * The log tells what an operator would act on, once per event: the address,
 * the kind of NAT, the server lost and back. Refreshing is no event.
 */
#include "config.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../libteredo/client.h"
#include "log.h"
#include "role.h"
#include "text.h"

#define SERVER_TEXT (PRIV_NAME_MAX + TEXT_IP4_LEN + 4)

struct client {
	struct teredo_client *core;
	unsigned servers;
	char server_name[PRIV_SERVERS][PRIV_NAME_MAX];
	struct teredo_client_status told; /* as the log knows it */
	bool told_silence;
	uint32_t algorithm; /* of our key; 0: we have none */
};

/* What the snapshot has of a client. */
struct client_saved {
	struct teredo_client_saved core;
	uint64_t server_name; /* its hash */
};

static_assert(sizeof(struct client_saved) <= SNAPSHOT_STATE_MAX, "fits");

static struct teredo_verdict udp_in(void *role, const struct teredo_rx *rx,
				    teredo_time now, struct teredo_outbox *ob)
{
	struct client *c = role;

	return teredo_client_udp_in(c->core, rx, now, ob);
}

static struct teredo_verdict tun_in(void *role, const uint8_t *ip6, size_t len,
				    teredo_time now, struct teredo_outbox *ob)
{
	struct client *c = role;

	return teredo_client_tun_in(c->core, ip6, len, now, ob);
}

static void sent_more(void *role, uint32_t peer, uint32_t packets,
		      size_t octets)
{
	struct client *c = role;

	teredo_client_sent_more(c->core, peer, packets, octets);
}

static void prefetch(void *role, const struct teredo_addr *keys, unsigned n)
{
	struct client *c = role;

	teredo_client_prefetch(c->core, keys, n);
}

static void expire(void *role, teredo_time now, struct teredo_outbox *ob)
{
	struct client *c = role;

	teredo_client_expire(c->core, now, ob);
}

static teredo_time deadline(const void *role)
{
	const struct client *c = role;

	return teredo_client_deadline(c->core);
}

static const struct teredo_counters *counters(const void *role)
{
	const struct client *c = role;

	return teredo_client_counters(c->core);
}

static void close_client(void *role)
{
	struct client *c = role;

	if (c != NULL)
		teredo_client_free(c->core);
	free(c);
}

static void *open_client(const struct priv_config *config,
			 const struct auth_keys *keys,
			 const struct teredo_env *env)
{
	struct teredo_client_config core = {
		.servers = config->servers,
		.max_peers = config->max_peers,
		.refresh = config->refresh * TEREDO_SECOND,
		.find_refresh = config->find_refresh != 0,
		.local_port = config->bind_port,
		.discovery = (enum teredo_discovery)config->discovery,
	};
	struct client *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	role_access(&core.access, config);
	if (keys->n > 0)
		core.key = keys->key[0];
	c->algorithm = core.key.algorithm;
	c->servers = config->servers;
	memcpy(c->server_name, config->server_name, sizeof(c->server_name));
	c->core = teredo_client_new(&core, env);
	explicit_bzero(&core.key, sizeof(core.key));
	if (c->core == NULL) {
		close_client(c);
		return NULL;
	}
	return c;
}

/* FNV */
static uint64_t name_hash(const char *name)
{
	uint64_t h = 0;

	while (*name != '\0')
		h = (h ^ (uint8_t)*name++) * 0x100000001b3u;
	return h;
}

/* Which number that server has now. false: none. */
static bool find_server(const struct client *c, struct client_saved *saved)
{
	for (unsigned i = 0; i < c->servers; i++)
		if (name_hash(c->server_name[i]) == saved->server_name) {
			saved->core.server = i;
			return true;
		}
	return false;
}

static bool start(void *role, const struct snapshot *snap, teredo_time now,
		  struct teredo_outbox *ob)
{
	struct client *c = role;
	struct client_saved saved;
	bool restored =
		snapshot_get_state(snap, PRIV_CLIENT, &saved, sizeof(saved)) &&
		find_server(c, &saved) &&
		teredo_client_restore(c->core, &saved.core, now, ob);

	teredo_client_start(c->core, now, ob);
	/* what the engine before had told is no news */
	if (restored)
		teredo_client_status(c->core, now, &c->told);
	return restored;
}

static void restore_peer(void *role, const struct teredo_addr *addr,
			 struct teredo_ep ep, teredo_time heard,
			 teredo_time now, struct teredo_outbox *ob)
{
	struct client *c = role;

	teredo_client_restore_peer(c->core, addr, ep, heard, now, ob);
}

static void resolved(void *role, const struct priv_resolved *r, teredo_time now,
		     struct teredo_outbox *ob)
{
	struct client *c = role;
	char ip[TEXT_IP4_LEN];

	if (r->server >= c->servers || r->ip == 0)
		return;
	if (!teredo_client_set_server(c->core, r->server, r->ip, r->ip2, now,
				      ob))
		log_line(LOG_WARNING,
			 "server %s: %s is not a global address: not used",
			 c->server_name[r->server], text_ip4(ip, r->ip));
}

static void netchange(void *role, const struct priv_netchange *n,
		      teredo_time now, struct teredo_outbox *ob)
{
	struct client *c = role;
	struct local4 local;

	role_local4(&local, n);
	teredo_client_net_changed(c->core, &local, n->solicit != 0, now, ob);
}

static void secondary(void *role, teredo_time now, struct teredo_outbox *ob)
{
	struct client *c = role;

	teredo_client_secondary_opened(c->core, now, ob);
}

static void save(void *role, struct snapshot *snap)
{
	struct client *c = role;
	struct client_saved saved;

	memset(&saved, 0, sizeof(saved));
	if (!teredo_client_save(c->core, &saved.core))
		return;
	saved.server_name = name_hash(c->server_name[saved.core.server]);
	snapshot_put_state(snap, PRIV_CLIENT, &saved, sizeof(saved));
}

static void report_address(struct client *c,
			   const struct teredo_client_status *st)
{
	char addr[TEXT_IP6_LEN], old[TEXT_IP6_LEN], ext[TEXT_EP_LEN];

	if (!st->has_address ||
	    (c->told.has_address && addr_equal(&st->addr, &c->told.addr)))
		return;
	text_ip6(addr, st->addr.b);
	text_ep(ext, st->mapped.ip, st->mapped.port);
	if (!c->told.has_address)
		log_line(LOG_NOTICE, "qualified: address %s, mapped to %s",
			 addr, ext);
	else
		log_line(LOG_NOTICE,
			 "mapping changed to %s: address %s replaces %s", ext,
			 addr, text_ip6(old, c->told.addr.b));
}

static void report_nat(struct client *c, const struct teredo_client_status *st)
{
	if (!st->has_address || st->nat == TEREDO_NAT_UNKNOWN ||
	    st->nat == c->told.nat)
		return;
	if (st->nat == TEREDO_NAT_SYMMETRIC)
		log_line(LOG_WARNING,
			 "NAT: symmetric. Native hosts are reached through "
			 "relays; many Teredo peers cannot be reached");
	else
		log_line(LOG_NOTICE, "NAT: %s", teredo_nat_name(st->nat));
}

/* Begins and ends; the steps between are in the status. */
static void report_interval(struct client *c,
			    const struct teredo_client_status *st)
{
	double seconds = (double)st->refresh / 1e9;

	if (st->interval == c->told.interval)
		return;
	if (st->interval == TEREDO_INTERVAL_DETERMINED)
		log_line(LOG_NOTICE, "refresh interval: %.1f s, determined",
			 seconds);
	else if (st->interval == TEREDO_INTERVAL_DETERMINING)
		log_line(LOG_INFO, "refresh interval: %.1f s, to be determined",
			 seconds);
	else if (c->told.interval == TEREDO_INTERVAL_DETERMINING)
		log_line(LOG_WARNING,
			 "refresh interval: %.1f s; cannot be determined: the "
			 "server does not answer a second port", seconds);
}

/* "name (address)", or the address alone where that is its name. */
static void describe_server(char text[SERVER_TEXT], const struct client *c,
			    const struct teredo_client_status *st)
{
	const char *name =
		st->server < c->servers ? c->server_name[st->server] : "?";
	char ip[TEXT_IP4_LEN];

	if (strcmp(name, text_ip4(ip, st->server_ip)) == 0)
		snprintf(text, SERVER_TEXT, "%s", ip);
	else
		snprintf(text, SERVER_TEXT, "%s (%s)", name, ip);
}

static void report_server(struct client *c,
			  const struct teredo_client_status *st)
{
	bool silent = st->state == TEREDO_CLIENT_LOST ||
		      st->state == TEREDO_CLIENT_OFFLINE;
	char server[SERVER_TEXT];

	describe_server(server, c, st);
	if (st->key_expired && !c->told.key_expired)
		log_line(LOG_WARNING,
			 "server %s: our key is no longer valid: ask for "
			 "another%s", server,
			 st->has_address ? "; address and peers kept" : "");
	silent &= !st->key_expired || c->told_silence;
	if (silent && !c->told_silence)
		log_line(LOG_WARNING,
			 "server %s does not answer; trying again%s", server,
			 st->has_address ? ", address and peers kept" : "");
	else if (st->state == TEREDO_CLIENT_QUALIFIED && c->told_silence)
		log_line(LOG_NOTICE, "server %s answers again", server);
	else if (st->state == TEREDO_CLIENT_QUALIFIED &&
		 st->server_ip != c->told.server_ip)
		log_line(LOG_NOTICE, "server: %s", server);
	else
		return;
	c->told_silence = silent;
	c->told.server_ip = st->server_ip;
}

static void report(void *role, teredo_time now)
{
	struct client *c = role;
	struct teredo_client_status st;

	teredo_client_status(c->core, now, &st);
	report_server(c, &st);
	report_address(c, &st);
	report_nat(c, &st);
	report_interval(c, &st);
	st.server_ip = c->told.server_ip;
	if (st.nat == TEREDO_NAT_UNKNOWN)
		st.nat = c->told.nat;
	c->told = st;
}

static void status(const void *role, teredo_time now, struct ctl_status *out)
{
	const struct client *c = role;
	struct teredo_client_status st;

	teredo_client_status(c->core, now, &st);
	out->state = (uint32_t)st.state;
	out->nat = (uint32_t)st.nat;
	out->server_ip = st.server_ip;
	out->server_ip2 = st.server_ip2;
	out->failures = st.failures;
	out->retry_in = st.next > now ? st.next - now : 0;
	out->auth_algorithm = c->algorithm;
	out->auth_expired = st.key_expired;
	out->rtt = st.rtt;
	out->last_answer_age =
		st.last_answer != 0 ? now - st.last_answer : UINT64_MAX;
	if (st.server < c->servers)
		memcpy(out->server_name, c->server_name[st.server],
		       sizeof(out->server_name));
	if (st.has_address) {
		out->address_age = now - st.since;
		out->mtu = st.mtu;
		memcpy(out->addr, st.addr.b, sizeof(out->addr));
		out->mapped_ip = st.mapped.ip;
		out->mapped_port = st.mapped.port;
	}
	if (st.local.ip != 0) {
		out->local_ip = st.local.ip;
		out->local_port = st.local.port;
	}
	out->interval = (uint32_t)st.interval;
	out->refresh = st.refresh;
	out->refresh_candidate = st.refresh_candidate;
	out->refresh_max = st.refresh_max;
	out->peers_direct = st.peers_direct;
	out->peers_relay = st.peers_relay;
	out->peers_pending = st.peers_pending;
	out->peers_max = st.peers_max;
	out->peers_local = st.peers_local;
	out->neighbours = st.neighbours;
}

static bool peer(const void *role, uint32_t place, teredo_time now,
		 struct teredo_view *v)
{
	const struct client *c = role;

	return teredo_client_peer(c->core, place, now, v);
}

static void outlook(const void *role, const struct teredo_addr *addr,
		    teredo_time now, struct teredo_outlook *o)
{
	const struct client *c = role;

	teredo_client_outlook(c->core, addr, now, o);
}

const struct role_ops role_client = {
	.udp_in = udp_in,
	.tun_in = tun_in,
	.sent_more = sent_more,
	.prefetch = prefetch,
	.expect = role_no_expect,
	.expire = expire,
	.deadline = deadline,
	.counters = counters,
	.open = open_client,
	.close = close_client,
	.start = start,
	.restore_peer = restore_peer,
	.resolved = resolved,
	.netchange = netchange,
	.secondary = secondary,
	.save = save,
	.report = report,
	.status = status,
	.peer = peer,
	.outlook = outlook,
};
