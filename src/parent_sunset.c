/*
 * parent_sunset.c - when not to serve: RFC 4380 5.5
 *
 * Teredo is a last resort. While another interface has IPv6 (netconf_native:
 * a global address that is in use, and a default route; unique local addresses
 * of containers and VPNs are none), a client is dormant: it asks no server and
 * has no address and no route (A-SUN-01). NativeIPv6 says what it is instead:
 *
 *   relay	this host's own relay: Teredo peers are reached from the native
 *		address without any other relay, as the RFC suggests (A-SUN-03)
 *   sleep	nothing; the interface stays, without carrier
 *   ignore	a client all the same
 *
 * A relay beside it on the same host is IPv6 by other means, too, and the
 * better one: a client's routes, or those of a relay of its own, would win over
 * the relay's, and nobody else be served by it. So a client sleeps then.
 *
 * What came has to stay for some seconds before it counts, and so has its
 * absence: routers restart, links flap, and each turn costs a Teredo address.
 * At the start and after a reload what is there counts at once.
 *
 * Server and relay may announce the date of their end (A-SUN-04). From that
 * day on they are dormant for good: they answer nothing, and a relay's route is
 * gone, so that clients and routers turn elsewhere as with one that was shut
 * down. The process stays to tell why, and a service manager has nothing to
 * start again. The wall clock is asked with each tick, not armed for, because
 * it may be set.
 *
 * A turn is a reload's little sister: the engine is told to end, and the next
 * is started in the other role with the same descriptors.
 */
#include "config.h"

#include <net/if.h>

#include "clock.h"
#include "date.h"
#include "log.h"
#include "parent.h"

#define LASTS 5000000000u	/* ns */

uint32_t parent_role(const struct parent *p)
{
	if (p->ended)
		return PRIV_DORMANT;
	if (p->native == 0)
		return (uint32_t)p->conf.role;
	return p->conf.native == CONF_NATIVE_RELAY && !p->beside ? PRIV_RELAY
								 : PRIV_DORMANT;
}

/* ---- the date ---- */

/* How near the end is, from 1: the greater, the nearer. */
static unsigned sunset_stage(uint32_t date, uint32_t today)
{
	if (today >= date)
		return 5;
	return date - today <= 1   ? 4
	       : date - today <= 7 ? 3
	       : date - today <= 30 ? 2
				    : 1;
}

/* Said at the start and each time that it has come nearer. */
static void sunset_say(struct parent *p, uint32_t today)
{
	unsigned stage = sunset_stage(p->conf.sunset, today);
	char date[DATE_LEN];

	if (stage == p->sunset_said)
		return;
	p->sunset_said = stage;
	date_text(date, p->conf.sunset);
	if (stage == 5)
		log_line(LOG_WARNING, "ended on %s (SunsetDate): dormant, "
				      "nothing is answered", date);
	else
		log_line(stage > 1 ? LOG_WARNING : LOG_NOTICE,
			 "this service ends on %s (SunsetDate), in %u days",
			 date, p->conf.sunset - today);
}

static void look_at_date(struct parent *p)
{
	uint32_t today;

	p->ended = false;
	if (p->conf.sunset == 0)
		return;
	today = date_today();
	p->ended = today >= p->conf.sunset;
	sunset_say(p, today);
}

/* ---- IPv6 by other means ---- */

static int relay_now(struct parent *p)
{
	return netconf_relay(p->nc, p->link.ifindex, p->conf.prefix,
			     PARENT_RELAY_METRIC);
}

static int native_now(struct parent *p)
{
	int relay;

	if (p->conf.role != CONF_CLIENT ||
	    p->conf.native == CONF_NATIVE_IGNORE)
		return 0;
	relay = relay_now(p);
	return relay != 0 ? relay
			  : netconf_native(p->nc, p->link.ifindex,
					   p->conf.prefix);
}

static void native_becomes(struct parent *p, int native)
{
	char name[IF_NAMESIZE] = "?";

	if (native == p->native)
		return;
	p->native = native;
	p->beside = native != 0 && native == relay_now(p);
	if (native == 0) {
		log_line(LOG_NOTICE, "awake: %s",
			 p->conf.native == CONF_NATIVE_IGNORE
				 ? "native IPv6 is ignored"
				 : "no native IPv6 any more");
		return;
	}
	if_indextoname((unsigned)native, name);
	if (p->beside)
		log_line(LOG_NOTICE, "dormant: this host has a relay, %s",
			 name);
	else
		log_line(LOG_NOTICE, "dormant: native IPv6 on %s%s", name,
			 p->conf.native == CONF_NATIVE_RELAY
				 ? "; Teredo peers by a relay of our own"
				 : "");
}

void parent_sunset_native(struct parent *p)
{
	int native = native_now(p);

	if (native == p->native)	/* after all */
		return;
	native_becomes(p, native);
	parent_engine_renew(p);	/* also where it is another's IPv6 now */
}

void parent_sunset_look(struct parent *p, bool at_once)
{
	int native = native_now(p);

	if (at_once) {
		look_at_date(p);
		native_becomes(p, native);
	}
	if (native == p->native)
		parent_timer(p, PARENT_NATIVE, UINT64_MAX);
	else if (p->due[PARENT_NATIVE] == UINT64_MAX)
		parent_timer(p, PARENT_NATIVE, clock_now() + LASTS);
}

void parent_sunset_tick(struct parent *p)
{
	bool was = p->ended;

	look_at_date(p);
	if (p->ended != was)
		parent_engine_renew(p);
}

/* ---- another role ---- */

void parent_sunset_take(struct parent *p)
{
	if (parent_role(p) != p->config.role)
		parent_link_leave(p);
	parent_configure(p);
}
