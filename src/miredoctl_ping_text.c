/*
 * miredoctl_ping_text.c - ways and silence, in words and as JSON
 *
 * Silence is explained by what the engine knows afterwards: where the path is
 * proven the far host is at fault, where it is not, what was tried tells which
 * of server, relay and NATs may be.
 */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "../libteredo/addr.h"
#include "miredoctl_ping.h"
#include "text.h"

#define FLAGS	(JSON_INDENT(1) | JSON_REAL_PRECISION(9))
#define VIA_MAX 64

/* "direct 192.0.2.44:53687", "server 192.0.2.1 (bubble)" */
static const char *via(char buf[VIA_MAX], const struct ping_view *v,
		       const struct ping_answer *a)
{
	char ep[TEXT_EP_LEN], ip[TEXT_IP4_LEN];
	uint32_t server = v->before.server_ip != 0 ? v->before.server_ip
						   : v->server_ip;

	text_ep(ep, a->peer.ip, a->peer.port);
	if (a->helped)
		snprintf(buf, VIA_MAX, "server %s (bubble)",
			 text_ip4(ip, server));
	else if (a->known && a->peer.way == TEREDO_WAY_DIRECT)
		snprintf(buf, VIA_MAX, "direct %s", ep);
	else if (a->known && a->peer.way == TEREDO_WAY_LOCAL)
		snprintf(buf, VIA_MAX, "local %s", ep);
	else if (a->known && a->peer.way == TEREDO_WAY_RELAY)
		snprintf(buf, VIA_MAX, "relay %s", ep);
	else
		snprintf(buf, VIA_MAX, "an unknown way");
	return buf;
}

void ping_print_answer(const struct ping_view *v, const struct ping_answer *a)
{
	char text[TEXT_IP6_LEN], buf[VIA_MAX];

	printf("pong from %s via %s in %.1f ms\n", text_ip6(text, v->addr),
	       via(buf, v, a), (double)a->rtt / 1e6);
	fflush(stdout);
}

/* No path: by what was tried. */
static void print_no_path(const struct ping_view *v)
{
	const struct ctl_lookup *l = &v->now;
	char ip[TEXT_IP4_LEN];
	struct teredo_addr dst;
	uint32_t server = l->server_ip;

	memcpy(dst.b, v->addr, sizeof(dst.b));
	if (server == 0)
		server = v->before.server_ip;
	if (server == 0) /* it was given up before we asked */
		server = v->server_ip;

	if (l->would == TEREDO_WOULD_DROP) {
		printf(" (dropped here)\n"
		       "why: miredoctl explain %s\n",
		       v->name);
	} else if (!addr_in_prefix(&dst, addr_default_prefix())) {
		printf(" (no relay answered the test sent by server %s)\n"
		       "no relay near it serves 2001::/32, or it does not exist\n",
		       text_ip4(ip, server));
	} else {
		printf(" (no answer to bubbles by server %s)\n"
		       "it is off, its server is down, or the two NATs are too "
		       "hard: miredoctl netcheck\n",
		       text_ip4(ip, server));
	}
}

void ping_print_silence(const struct ping_view *v)
{
	const struct ctl_peer *peer = &v->now.peer;
	char text[TEXT_IP6_LEN], ep[TEXT_EP_LEN];
	bool proven = v->now.known != 0 && peer->way >= TEREDO_WAY_DIRECT;

	printf("no reply from %s in %u tr%s", text_ip6(text, v->addr), v->tries,
	       v->tries == 1 ? "y" : "ies");
	text_ep(ep, peer->ip, peer->port);
	if (proven && peer->way == TEREDO_WAY_RELAY)
		printf(" (relay %s answered the ping test)\n"
		       "the relay works; the host or its firewall does not "
		       "answer\n",
		       ep);
	else if (proven)
		printf(" (it was heard from %s)\n"
		       "the path works; the host or its firewall does not "
		       "answer\n",
		       ep);
	else
		print_no_path(v);
	if (v->refused)
		printf("miredo says that it is unreachable\n");
}

/* ---- JSON ---- */

static const char *way_name(const struct ping_answer *a)
{
	if (a->helped)
		return "server";
	if (!a->known)
		return NULL;
	switch ((enum teredo_way)a->peer.way) {
	case TEREDO_WAY_DIRECT:
		return "direct";
	case TEREDO_WAY_LOCAL:
		return "local";
	case TEREDO_WAY_RELAY:
		return "relay";
	case TEREDO_WAY_NONE:
	case TEREDO_WAY_PENDING:
	default:
		return NULL;
	}
}

static json_t *answers(const struct ping_view *v)
{
	json_t *list = json_array();
	char ep[TEXT_EP_LEN];

	for (unsigned i = 0; i < v->answers; i++) {
		const struct ping_answer *a = &v->answer[i];

		json_array_append_new(
			list,
			json_pack("{s:i,s:f,s:s?,s:s?}", "sequence",
				  (int)a->seq + 1, "rtt_ms",
				  (double)(a->rtt / 1000) / 1000, "via",
				  way_name(a), "endpoint",
				  a->known && a->peer.ip != 0
					  ? text_ep(ep, a->peer.ip,
						    a->peer.port)
					  : NULL));
	}
	return list;
}

bool ping_print_json(const struct ping_view *v)
{
	char text[TEXT_IP6_LEN];
	json_t *all = json_pack("{s:s,s:s,s:s,s:s,s:i,s:b,s:o}", "schema",
				"miredo.ping/1", "version", PACKAGE_VERSION,
				"destination", v->name, "address",
				text_ip6(text, v->addr), "sent", (int)v->tries,
				"unreachable", v->refused, "answers",
				answers(v));
	bool complete = all != NULL && json_dumpf(all, stdout, FLAGS) == 0;

	json_decref(all);
	putchar('\n');
	return complete;
}
