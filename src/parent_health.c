/*
 * parent_health.c - what is the matter, told inwards and outwards
 *
 * Inwards: the engine sees packets, and not the interface, the routes beside
 * it or DNS. The parent does, and tells it in bits, so that one place, the
 * engine's status, has all that health.c judges by. It looks when something
 * changed and twice a second, and speaks only when there is news.
 *
 * Outwards: the engine answers with the codes that it found, and the parent
 * puts the worst of them in words, and how many more there are, for the
 * service manager (STATUS=). The words are ours: an engine that was taken over
 * can choose among them and no more.
 */
#include "config.h"

#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "date.h"
#include "health.h"
#include "notify.h"
#include "parent.h"
#include "text.h"

static bool is_relay(const struct parent *p)
{
	return p->config.role == PRIV_RELAY ||
	       p->config.role == PRIV_SERVER_RELAY;
}

/* Which route wins where ours should: a client's for all of IPv6, a relay's
 * for its prefix. Of an interface that goes down the routes may be seen to go
 * first; that is no other's doing. */
static void look_at_route(struct parent *p, struct priv_link *m)
{
	uint8_t dst[16] = {0x20};
	uint32_t metric;
	int out;

	if (is_relay(p))
		memcpy(dst, &p->conf.prefix, sizeof(p->conf.prefix));
	else if (!p->link.up)
		return;
	dst[15] = 1;
	out = netconf_out6(p->nc, dst, &metric);
	if (out == p->link.ifindex) {
		m->metric = metric;
	} else if ((out != 0 || !p->link.broken) &&
		   netconf_is_up(p->nc, p->link.ifindex) == 1) {
		m->bits |= PRIV_LINK_SHADOWED;
		m->other_metric = metric;
		if (out != 0)
			if_indextoname((unsigned)out, m->other);
	}
}

static uint32_t bits_now(const struct parent *p)
{
	const struct parent_link *l = &p->link;
	uint32_t bits = 0;

	if (l->carrier == 1)
		bits |= PRIV_LINK_CARRIER;
	if (l->withheld)
		bits |= PRIV_LINK_HELD;
	if (l->homeless)
		bits |= PRIV_LINK_HOMELESS;
	if (l->ifindex == 0 && p->fd[PRIV_FD_TUN] >= 0)
		bits |= PRIV_LINK_GONE;
	else if (l->down_said)
		bits |= PRIV_LINK_DOWN;
	if (l->broken || l->renamed)
		bits |= PRIV_LINK_BROKEN;
	if (l->no_ipv4)
		bits |= PRIV_LINK_NO_IPV4;
	if (l->up)
		bits |= PRIV_LINK_UP;
	if (resolve_is_failing(p, clock_now()))
		bits |= PRIV_LINK_UNRESOLVED;
	return bits;
}

void parent_health_tell(struct parent *p, bool anyway)
{
	struct priv_link m = {
		.verb = PRIV_LINK,
		.bits = bits_now(p),
		.carrier_at = p->link.carrier_at,
	};
	uint32_t today = p->conf.sunset != 0 ? date_today() : 0;

	if (p->conf.sunset > today)
		m.sunset_days = p->conf.sunset - today;
	if (p->link.ifindex != 0 && p->link.raised && !p->link.down_said)
		look_at_route(p, &m);
	if (!anyway && memcmp(&m, &p->told, sizeof(m)) == 0)
		return;
	p->told = m;
	if (p->engine.child.pid != 0)
		parent_send(p, &m, sizeof(m), -1);
	parent_health_say(p);
}

static void describe_well(const struct parent *p, char *text, size_t size)
{
	char addr[TEXT_IP6_LEN];

	if (p->config.role == PRIV_DORMANT)
		snprintf(text, size, "Dormant%s%s",
			 p->config.native[0] ? ": native IPv6 on " : "",
			 p->config.native);
	else if (p->config.role == PRIV_CLIENT)
		snprintf(text, size, "%s%s",
			 p->link.up ? "Qualified " : "Not qualified",
			 p->link.up ? text_ip6(addr, p->link.addr) : "");
	else if (p->config.role == PRIV_RELAY)
		snprintf(text, size, "%s on %s",
			 p->link.carrier == 1 ? "Announcing" : "Not announcing",
			 p->config.instance);
	else
		snprintf(text, size, "Serving");
}

void parent_health_say(struct parent *p)
{
	uint32_t bits = p->engine.down_since != 0 ? 1u << HEALTH_ENGINE_DOWN
					    : p->engine.health;
	char line[300] = "STATUS=";
	size_t n = strlen(line);
	unsigned more;
	enum health h;

	if (!p->ever_ready)
		return;
	bits = health_problems(health_visible(bits & ((1u << HEALTHS) - 1)));
	h = health_worst(bits);
	more = (unsigned)__builtin_popcount(bits) - 1;
	if (h == HEALTHS)
		describe_well(p, line + n, sizeof(line) - n);
	else
		n += (size_t)snprintf(line + n, sizeof(line) - n, "%s: %s",
				      health_reason(h)->code,
				      health_reason(h)->text);
	if (h != HEALTHS && more > 0 && n < sizeof(line))
		snprintf(line + n, sizeof(line) - n, " +%u more", more);
	if (strcmp(line, p->status_said) == 0)
		return;
	memcpy(p->status_said, line, sizeof(line));
	notify_say(p->opt.notify, line);
}
