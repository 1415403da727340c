/*
 * server_relay.c - whose packet is it, the server's or the relay's?
 *
 * RFC 4380 5.4.3: the rules of 5.3.1 and of 5.4.2 in one. The destination
 * tells nearly always:
 *
 *	a Teredo address, a multicast one	the server (5.3.1)
 *	a link-local one	a bubble: the relay's cookie; else the server
 *	a native one		the relay (5.4.2)
 *
 * But a small echo to a native host is a connectivity test of somebody whom the
 * relay may not know (5.2.9): it goes out at once, by the server's rules and
 * within its limits, so that a client is not asked back before it has found
 * out whom to talk to. The host's answer then makes it known. Who is trusted
 * is the relay's with all that it sends. What the relay never delivers, 6to4,
 * the server does not either: it would take the same route.
 *
 * The relay's packets leave from the primary address, so only what came to
 * that one is for it. It is on the server's host and drops what claims to come
 * from there; so it cannot ask its own server over the wire for a bubble to one
 * of the server's clients. It sends what the server would (relay.c, server_ip):
 * that client's NAT lets it in, because the client talks to this very socket.
 * And within the server's limits, or whoever sends to invented clients of ours
 * got around them.
 */
#include "server_relay.h"

#include <stdlib.h>

#include "wire.h"

struct teredo_server_relay {
	struct teredo_server *server;
	struct teredo_relay *relay;
	uint32_t prefix;
	uint32_t public_ip[2];
	struct teredo_counters *sum;
};

static bool may_send(void *server, struct teredo_ep to, teredo_time now)
{
	return teredo_server_take(server, to, now);
}

struct teredo_server_relay *
teredo_server_relay_new(const struct teredo_server_config *server,
			uint32_t max_peers, const struct teredo_env *env)
{
	struct teredo_relay_config relay = {
		.prefix = server->prefix,
		.max_peers = max_peers,
		.access = server->access,
		.server_ip = server->ip,
		.may_send = may_send,
	};
	struct teredo_server_relay *sr = calloc(1, sizeof(*sr));
	struct teredo_server_config beside = *server;

	if (sr == NULL)
		return NULL;
	beside.no_6to4 = true;
	sr->prefix = server->prefix;
	sr->public_ip[0] = server->ip;
	sr->public_ip[1] = server->ip2;
	sr->sum = calloc(1, sizeof(*sr->sum));
	relay.server = sr->server = teredo_server_new(&beside, env);
	sr->relay = teredo_relay_new(&relay, env);
	if (sr->sum != NULL && sr->server != NULL && sr->relay != NULL)
		return sr;
	teredo_server_relay_free(sr);
	return NULL;
}

void teredo_server_relay_free(struct teredo_server_relay *sr)
{
	if (sr == NULL)
		return;
	teredo_server_free(sr->server);
	teredo_relay_free(sr->relay);
	free(sr->sum);
	free(sr);
}

/* Behind a 1:1 NAT the public addresses are none of the host's. */
void teredo_server_relay_set_local(struct teredo_server_relay *sr,
				   const struct local4 *local,
				   const struct teredo_addr *addr6, unsigned n)
{
	struct local4 own = { .n = 0 };

	for (unsigned i = 0; i < 2; i++)
		if (sr->public_ip[i] != 0)
			own.ip[own.n++] = sr->public_ip[i];
	for (unsigned i = 0; i < local->n && own.n < LOCAL4_MAX; i++)
		own.ip[own.n++] = local->ip[i];
	teredo_server_set_local(sr->server, local);
	teredo_relay_set_local(sr->relay, &own, addr6, n);
}

/* Where the two rule sets meet; see above. */
static bool is_for_relay(const struct teredo_server_relay *sr,
			 const struct wire_packet *p, struct teredo_ep from,
			 teredo_time now)
{
	if (addr_in_prefix(&p->dst, sr->prefix) || addr_is_multicast(&p->dst))
		return false;
	if (wire_is_bubble(p))
		return true;
	if (addr_is_link_local(&p->dst))
		return false;
	return !teredo_server_may_test(sr->server, p, from) ||
	       teredo_relay_trusts(sr->relay, &p->src, from, now);
}

struct teredo_verdict
teredo_server_relay_udp_in(struct teredo_server_relay *sr,
			   const struct teredo_rx *rx, teredo_time now,
			   struct teredo_outbox *ob)
{
	struct wire_packet p;

	if (rx->via == TEREDO_VIA_PRIMARY &&
	    wire_parse(&p, rx->data, rx->len) == WIRE_OK &&
	    is_for_relay(sr, &p, rx->from, now))
		return teredo_relay_udp_in(sr->relay, rx, now, ob);
	return teredo_server_udp_in(sr->server, rx, now, ob);
}

void teredo_server_relay_expire(struct teredo_server_relay *sr,
				teredo_time now, struct teredo_outbox *ob)
{
	teredo_server_expire(sr->server, now);
	teredo_relay_expire(sr->relay, now, ob);
}

teredo_time teredo_server_relay_deadline(const struct teredo_server_relay *sr)
{
	teredo_time server = teredo_server_deadline(sr->server);
	teredo_time relay = teredo_relay_deadline(sr->relay);

	return server < relay ? server : relay;
}

struct teredo_relay *
teredo_server_relay_relay(const struct teredo_server_relay *sr)
{
	return sr->relay;
}

uint32_t teredo_server_relay_clients(const struct teredo_server_relay *sr,
				     teredo_time now)
{
	return teredo_server_clients(sr->server, now);
}

const struct teredo_counters *
teredo_server_relay_counters(const struct teredo_server_relay *sr)
{
	const struct teredo_counters *a = teredo_server_counters(sr->server);
	const struct teredo_counters *b = teredo_relay_counters(sr->relay);

	for (unsigned i = 0; i < TEREDO_N_COUNTERS; i++)
		sr->sum->n[i] = a->n[i] + b->n[i];
	return sr->sum;
}
