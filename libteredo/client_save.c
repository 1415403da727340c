/*
 * client_save.c - a client that goes on in another process
 *
 * The snapshot lies in memory that a dead engine could write until the end, so
 * it is read like a packet from a stranger: an address is taken only if it is
 * one that this client could have made, out of the very mapping and server
 * that stand beside it (A-ADDR-02..05, A-ADDR-07), and all of it is checked
 * before any of it is used.
 *
 * What is restored is at work at once. One solicitation confirms it, or brings
 * a new address, as in any refresh. How long the address has been there, and
 * when the server was heard, is no other process's business and goes on. The
 * key of the cookies comes along for a minute, so that the answer to a bubble
 * of the process before still counts (nonce.h). A refresh interval
 * that was determined comes along too; the determination (client_interval.c)
 * does not, and begins anew with another port when the address is confirmed.
 */
#include "client_internal.h"

#include <string.h>

bool teredo_client_save(const struct teredo_client *c,
			struct teredo_client_saved *saved)
{
	if (!c->has_address)
		return false;
	memset(saved, 0, sizeof(*saved));
	saved->addr = c->addr;
	saved->mapped.ip = c->mapped.ip;
	saved->mapped.port = c->mapped.port;
	saved->local_ip = c->local_ip;
	saved->server_ip = c->used.ip;
	saved->server_ip2 = c->used.ip2;
	saved->server = c->number;
	saved->mtu = c->mtu;
	saved->nat = (uint32_t)c->nat;
	saved->since = c->since;
	saved->last_answer = c->last_answer;
	saved->rtt = c->rtt;
	if (client_interval_state(c) == TEREDO_INTERVAL_DETERMINED)
		saved->refresh_ms = (uint32_t)(c->refresh / TEREDO_MS);
	memcpy(saved->cookie_key, c->cookie.own, sizeof(saved->cookie_key));
	return true;
}

static bool is_address_sound(const struct teredo_client_saved *s)
{
	struct teredo_addr made;
	uint16_t flags = addr_flags(&s->addr);

	if ((flags & ~ADDR_FLAGS_RANDOM) != 0)
		return false;
	addr_make(&made, addr_default_prefix(), s->server_ip, flags, s->mapped);
	return addr_equal(&made, &s->addr) && ipv4_is_global(s->mapped.ip) &&
	       s->mapped.port != 0;
}

/* An answer brought the address, and its question was earlier. */
static bool is_time_sound(const struct teredo_client_saved *s, teredo_time now)
{
	return s->since <= s->last_answer && s->last_answer <= now &&
	       s->rtt <= s->last_answer;
}

static bool is_sound(const struct teredo_client *c,
		     const struct teredo_client_saved *s, teredo_time now)
{
	return is_address_sound(s) && is_time_sound(s, now) &&
	       ipv4_is_global(s->server_ip) &&
	       (s->server_ip2 == 0 || (ipv4_is_global(s->server_ip2) &&
				       s->server_ip2 != s->server_ip)) &&
	       s->server < c->config.servers && s->mtu >= TEREDO_MTU &&
	       s->mtu <= TEREDO_MAX_UDP && s->nat < TEREDO_NATS &&
	       client_interval_is_sound(s->refresh_ms);
}

bool teredo_client_restore(struct teredo_client *c,
			   const struct teredo_client_saved *saved,
			   teredo_time now, struct teredo_outbox *ob)
{
	if (c->state != TEREDO_CLIENT_RESOLVING || !is_sound(c, saved, now))
		return false;
	c->has_address = true;
	c->addr = saved->addr;
	c->mapped = saved->mapped;
	c->local_ip = saved->local_ip;	/* only told in the status */
	c->mtu = saved->mtu;
	c->nat = (enum teredo_nat)saved->nat;
	c->since = saved->since;
	c->last_answer = saved->last_answer;
	c->rtt = saved->rtt;
	client_interval_restore(c, saved->refresh_ms);
	c->used = (struct client_server){ .ip = saved->server_ip,
					  .ip2 = saved->server_ip2 };
	c->number = saved->server;
	c->asked = saved->server;
	/* until the resolver says otherwise: LOST needs somebody to ask */
	c->server[saved->server] = c->used;
	nonce_keys_inherit(&c->cookie, saved->cookie_key, now);
	outbox_news(ob, OUTBOX_ADDRESS, &c->addr, (struct teredo_ep){ 0, 0 },
		    c->mtu);
	client_local_start(c, now);
	client_qualify_enter(c, TEREDO_CLIENT_REFRESHING, now, ob);
	return true;
}

void teredo_client_restore_peer(struct teredo_client *c,
				const struct teredo_addr *addr,
				struct teredo_ep ep, teredo_time heard,
				teredo_time now, struct teredo_outbox *ob)
{
	if (!c->has_address || !addr_is_global(addr) ||
	    addr_equal(addr, &c->addr) || ep_equal(ep, c->mapped) ||
	    client_denies(c, addr) ||
	    !(ep_is_acceptable(ep, &c->local) ||
	      client_local_fits(c, addr, ep)))
		return;
	path_restore(&c->path, addr, ep, heard, now, ob);
}
