/*
 * client.c - the Teredo client: its life, and the doors into it
 *
 * What a client is made of is in client_internal.h; what happens stands in
 * five places. client_qualify.c talks with the servers and owns the address.
 * client_path.c takes the packets, in the order of the cases of RFC 4380 5.2.3
 * and 5.2.4. path.c, shared with the relay, knows how a peer is reached, and
 * client_local.c how one on our own link is found. client_interval.c finds out
 * how often the mapping wants to be refreshed.
 * client_save.c carries a client from one process to the next.
 *
 * Here: memory is taken, once; what the shell tells us about the world (a
 * server resolved, the host's addresses changed, time passed) is handed to
 * whom it concerns; and the status is put together.
 *
 * Two invariants hold between any two calls. The address, its mapping, its MTU
 * and the server that gave it change together or not at all. And there is an
 * address exactly in the states QUALIFIED, REFRESHING and LOST: once we have
 * one, only another one ends it.
 */
#include "client_internal.h"

#include <stdlib.h>
#include <string.h>

static const char *const state_names[TEREDO_CLIENT_STATES] = {
	[TEREDO_CLIENT_RESOLVING] = "resolving",
	[TEREDO_CLIENT_PROBING] = "probing",
	[TEREDO_CLIENT_OFFLINE] = "offline",
	[TEREDO_CLIENT_QUALIFIED] = "qualified",
	[TEREDO_CLIENT_REFRESHING] = "refreshing",
	[TEREDO_CLIENT_LOST] = "lost",
};

static const char *const nat_names[TEREDO_NATS] = {
	[TEREDO_NAT_UNKNOWN] = "unknown",
	[TEREDO_NAT_NONE] = "none",
	[TEREDO_NAT_CONE_OR_RESTRICTED] = "restricted",
	[TEREDO_NAT_SYMMETRIC] = "symmetric",
};

static const char *const interval_names[TEREDO_INTERVALS] = {
	[TEREDO_INTERVAL_FIXED] = "fixed",
	[TEREDO_INTERVAL_DETERMINING] = "determining",
	[TEREDO_INTERVAL_DETERMINED] = "determined",
	[TEREDO_INTERVAL_UNDETERMINED] = "undetermined",
};

const char *teredo_client_state_name(enum teredo_client_state s)
{
	return s < TEREDO_CLIENT_STATES ? state_names[s] : "?";
}

const char *teredo_nat_name(enum teredo_nat n)
{
	return n < TEREDO_NATS ? nat_names[n] : "?";
}

const char *teredo_interval_name(enum teredo_interval i)
{
	return i < TEREDO_INTERVALS ? interval_names[i] : "?";
}

struct teredo_verdict client_drop(struct teredo_client *c,
				  enum teredo_counter reason)
{
	c->count.n[reason]++;
	return (struct teredo_verdict){ .fate = TEREDO_DROP };
}

static bool limits_init(struct teredo_client *c)
{
	/* C-BUB-04, C-BUB-05, C-BUB-07; SEC-REF-03, SEC-REF-04 */
	c->replies = (struct ratelimit){ .period = 20 * TEREDO_MS,
					 .burst = 50 };
	c->strangers = (struct ratelimit){ .period = TEREDO_SECOND / 64,
					   .burst = 128 };
	c->natives = c->strangers;
	/* half of what a server passes on for us (server.c) */
	c->native_tests = (struct ratelimit){ .period = 200 * TEREDO_MS,
					      .burst = 10 };
	return ratelimit_table_init(&c->reply_gap, &c->env, RATELIMIT_SETS,
				    1, PATH_GAP_MIN) &&
	       ratelimit_table_init(&c->reply_budget, &c->env, RATELIMIT_FEW,
				    PATH_ATTEMPTS, 30 * TEREDO_SECOND) &&
	       ratelimit_table_init(&c->strangers_by_ip, &c->env,
				    RATELIMIT_FEW, 128, TEREDO_SECOND / 4) &&
	       ratelimit_table_init(&c->natives_by_ip, &c->env,
				    RATELIMIT_FEW, 10, TEREDO_SECOND);
}

void client_sweep(void *role, teredo_time now)
{
	struct teredo_client *c = role;

	ratelimit_table_sweep(&c->reply_gap, now);
	ratelimit_table_sweep(&c->reply_budget, now);
	ratelimit_table_sweep(&c->strangers_by_ip, now);
	ratelimit_table_sweep(&c->natives_by_ip, now);
	client_census_sweep(c, now);
}

static void limits_fini(struct teredo_client *c)
{
	ratelimit_table_fini(&c->reply_gap);
	ratelimit_table_fini(&c->reply_budget);
	ratelimit_table_fini(&c->strangers_by_ip);
	ratelimit_table_fini(&c->natives_by_ip);
}

bool client_denies(const struct teredo_client *c,
		   const struct teredo_addr *peer)
{
	return addr_in_prefix(peer, addr_default_prefix()) &&
	       (ep_is_denied(addr_mapping(peer), &c->local) ||
		ep_is_denied(addr_server_ep(addr_server(peer)), &c->local));
}

struct teredo_client *
teredo_client_new(const struct teredo_client_config *config,
		  const struct teredo_env *env)
{
	struct teredo_client *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->config = *config;
	c->local.access = &c->config.access;
	c->env = *env;
	c->timer = TEREDO_NEVER;
	c->nat_timer = TEREDO_NEVER;
	c->greet_at = TEREDO_NEVER;
	c->secondary.timer = TEREDO_NEVER;
	c->refresh = config->refresh;
	c->mtu = TEREDO_MTU;
	addr_make_link_local(&c->solicitor, 0, (struct teredo_ep){ 0, 0 });
	nonce_keys_new(&c->cookie, env);
	client_local_init(c);
	c->native = calloc(config->max_peers, sizeof(*c->native));
	if (c->native == NULL || !limits_init(c) ||
	    !path_init(&c->path, &client_path_ops, c, config->max_peers,
		       CLIENT_HOLD_BYTES, env, &c->count) ||
	    !peers_traffic_new(c->path.peers)) {
		path_fini(&c->path);
		limits_fini(c);
		free(c->native);
		free(c);
		return NULL;
	}
	/*
	 * Errors come from the interface's own link-local address: nothing
	 * global is forged, and Linux hands an error to the socket that the
	 * quoted packet names, whatever unicast address it comes from.
	 */
	c->path.error_src = c->solicitor;
	return c;
}

void teredo_client_free(struct teredo_client *c)
{
	if (c == NULL)
		return;
	path_fini(&c->path);
	limits_fini(c);
	free(c->native);
	free(c);
}

void teredo_client_start(struct teredo_client *c, teredo_time now,
			 struct teredo_outbox *ob)
{
	c->state_since = now;
	if (c->state == TEREDO_CLIENT_RESOLVING)
		client_qualify_enter(c, TEREDO_CLIENT_RESOLVING, now, ob);
	else
		client_qualify_resolve(c, now, ob);
}

/* The next IPv4 address, with carry (C-CFG-01, Q18). */
static uint32_t ip_after(uint32_t ip)
{
	uint8_t b[4];
	unsigned i = 4;

	memcpy(b, &ip, 4);
	while (i-- > 0 && ++b[i] == 0)
		;
	memcpy(&ip, b, 4);
	return ip;
}

bool teredo_client_set_server(struct teredo_client *c, unsigned i, uint32_t ip,
			      uint32_t ip2, teredo_time now,
			      struct teredo_outbox *ob)
{
	struct client_server *s;
	bool is_new;

	if (i >= c->config.servers || !ipv4_is_global(ip))
		return false;
	s = &c->server[i];
	if (ip2 == 0)
		ip2 = ip_after(ip);
	if (ip2 == ip || !ipv4_is_global(ip2))
		ip2 = 0;
	is_new = s->ip != ip;
	if (is_new)
		*s = (struct client_server){ .ip = ip };
	s->ip2 = ip2;
	if (c->has_address && i == c->number && ip == c->used.ip)
		c->used.ip2 = ip2;
	if (is_new)
		client_qualify_found(c, i, now, ob);
	return true;
}

void teredo_client_net_changed(struct teredo_client *c,
			       const struct local4 *local, bool solicit,
			       teredo_time now, struct teredo_outbox *ob)
{
	const struct local4 was = c->local;

	c->local = *local;
	local4_sort(&c->local);
	c->local.access = &c->config.access;
	client_local_net_changed(c, &was);
	if (solicit)
		client_qualify_again(c, now, ob);
}

void teredo_client_prefetch(struct teredo_client *c,
			    const struct teredo_addr *keys, unsigned n)
{
	peers_prefetch(c->path.peers, keys, n);
}

void teredo_client_sent_more(struct teredo_client *c, uint32_t peer,
			     uint32_t packets, size_t octets)
{
	const struct peer *p = peers_at(c->path.peers, peer);

	if (p != NULL)
		peers_traffic_add(c->path.peers, p, PEER_TX, packets, octets);
}

void teredo_client_expire(struct teredo_client *c, teredo_time now,
			  struct teredo_outbox *ob)
{
	client_qualify_expire(c, now, ob);
	client_interval_expire(c, now, ob);
	if (now >= c->greet_at)
		client_path_greet(c, now, ob);
	client_local_expire(c, now, ob);
	path_expire(&c->path, now, ob);
}

teredo_time teredo_client_deadline(const struct teredo_client *c)
{
	teredo_time t = path_deadline(&c->path);

	if (c->timer < t)
		t = c->timer;
	if (c->nat_timer < t)
		t = c->nat_timer;
	if (c->greet_at < t)
		t = c->greet_at;
	if (c->discovery.at < t)
		t = c->discovery.at;
	if (c->secondary.timer < t)
		t = c->secondary.timer;
	return t;
}

static void status_count_peers(const struct teredo_client *c, teredo_time now,
			       struct teredo_client_status *st)
{
	struct client_counts n = client_census(c, now);

	st->peers_max = peers_max(c->path.peers);
	st->peers_direct = n.direct;
	st->peers_relay = n.relay;
	st->peers_pending = n.pending;
	st->peers_local = n.local;
	st->neighbours = client_local_count(c, now);
}

void teredo_client_status(const struct teredo_client *c, teredo_time now,
			  struct teredo_client_status *st)
{
	const struct client_server *s =
		c->has_address ? &c->used : &c->server[c->asked];

	*st = (struct teredo_client_status){
		.state = c->state,
		.nat = c->nat,
		.has_address = c->has_address,
		.addr = c->addr,
		.mapped = c->mapped,
		.local = { c->local_ip, c->config.local_port },
		.mtu = c->mtu,
		.server = c->has_address ? c->number : c->asked,
		.server_ip = s->ip,
		.server_ip2 = s->ip2,
		.rtt = c->rtt,
		.last_answer = c->last_answer,
		.since = c->since,
		.failures = c->failures,
		.next = c->timer,
		.key_expired = c->key_expired,
		.interval = client_interval_state(c),
		.refresh = c->refresh,
		.held = hold_used(c->path.hold),
	};
	if (st->interval == TEREDO_INTERVAL_DETERMINING) {
		st->refresh_candidate = c->secondary.candidate;
		st->refresh_max = c->secondary.max;
	}
	status_count_peers(c, now, st);
}

const struct teredo_counters *
teredo_client_counters(const struct teredo_client *c)
{
	return &c->count;
}
