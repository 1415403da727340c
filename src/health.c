/*
 * health.c - what is wrong, by coded reasons
 *
 * A pure function of the status: the engine asks it once a second, logs what
 * comes and goes and tells the parent, which tells the service manager; miredoctl asks
 * it for screen, JSON, metrics and exit code. So all of them say the same.
 *
 * One fault shows in many places: where the interface is down, it is also
 * without the address, and nobody wants to read about routes. Each reason has
 * a set of causes and is not told while one of these is active. Causes stand
 * before what they cause in the table, so there is no circle.
 *
 * Nothing is guessed. That something drops our packets far away looks as if
 * the server were off; "udp-blocked" is said only when our own kernel told us
 * so (EPERM: a firewall on this host): to a client that hears nothing, and to
 * relay and server when of all packets of the last 10 to 20 s none left. Where
 * a firewall refuses some, to hosts that somebody does not want, all is well.
 */
#include "config.h"

#include "health.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../libteredo/client.h"
#include "ctl.h"
#include "date.h"

#define BIT(h)	(1u << HEALTH_##h)
#define MINUTE	60000000000u
#define UNSTABLE_CHANGES 3u	/* of the mapping, and more often than */
#define UNSTABLE_EACH	 (10u * MINUTE)
#define NEAR_DAYS	 30u

#define NO_IFACE   (BIT(IFACE_GONE) | BIT(IFACE_DOWN) | BIT(IFACE_BROKEN))
#define NO_SERVER  (BIT(NO_IPV4) | BIT(DNS_FAILED) | BIT(UDP_BLOCKED) | \
		    BIT(KEY_EXPIRED))
#define NO_ADDRESS (NO_SERVER | BIT(SERVER_UNREACHABLE))

static const struct health_reason reasons[HEALTHS] = {
	[HEALTH_ENGINE_DOWN] = {
		"engine-down", HEALTH_ERROR,
		"The engine, which handles every packet, ends again and again.",
		"the log may say why: journalctl -u miredo -n 20", 0},
	[HEALTH_IFACE_GONE] = {
		"iface-gone", HEALTH_ERROR,
		"The interface was deleted or moved away, and cannot be made "
		"again.",
		"restart miredo", 0},
	[HEALTH_IFACE_DOWN] = {
		"iface-admin-down", HEALTH_ERROR,
		"Somebody set the interface down; it is left so.",
		"ip link set dev INTERFACE up", BIT(IFACE_GONE)},
	[HEALTH_IFACE_BROKEN] = {
		"iface-broken", HEALTH_ERROR,
		"The interface was renamed, or the kernel refuses its "
		"addresses or routes.",
		"the log says which: journalctl -u miredo -n 20",
		BIT(IFACE_GONE) | BIT(IFACE_DOWN)},
	[HEALTH_NO_IPV4] = {
		"no-ipv4", HEALTH_ERROR,
		"This host has no way into the IPv4 Internet.",
		"ip -4 address; ip -4 route", 0},
	[HEALTH_BIND_LOST] = {
		"bind-address-lost", HEALTH_ERROR,
		"BindAddress is no address of this host any more: nothing is "
		"relayed.",
		"give the address back, or change BindAddress", BIT(NO_IPV4)},
	[HEALTH_DNS_FAILED] = {
		"dns-failed", HEALTH_ERROR,
		"The server's name has no IPv4 address: DNS does not answer, "
		"or says no.",
		"getent ahostsv4 SERVER; check ServerAddress", BIT(NO_IPV4)},
	[HEALTH_UDP_BLOCKED] = {
		"udp-blocked", HEALTH_ERROR,
		"A firewall on this host refuses our UDP packets.",
		"nft list ruleset; let miredo's user send UDP",
		BIT(NO_IPV4)},
	[HEALTH_KEY_EXPIRED] = {
		"key-expired", HEALTH_ERROR,
		"The server says that the key in KeyFile is no longer valid.",
		"ask its operator for another key", BIT(NO_IPV4)},
	[HEALTH_SERVER_UNREACHABLE] = {
		"server-unreachable", HEALTH_ERROR,
		"The server does not answer. It is off, or something between "
		"you and it blocks UDP 3544.",
		"miredoctl netcheck", NO_SERVER},
	[HEALTH_NOT_QUALIFIED] = {
		"not-qualified", HEALTH_WARNING,
		"It has only just begun: no server has answered yet.",
		"wait some seconds: miredoctl status --wait qualified",
		NO_ADDRESS},
	[HEALTH_ANNOUNCE_HELD] = {
		"announce-held", HEALTH_WARNING,
		"An operator took the carrier away, so that no router sends "
		"anything here.",
		"miredoctl announce release", NO_IFACE | BIT(BIND_LOST)},
	[HEALTH_ROUTE_SHADOWED] = {
		"route-shadowed", HEALTH_WARNING,
		"Another route wins: what should go through the tunnel leaves "
		"elsewhere.",
		"miredoctl route 2000::1; ip -6 route",
		NO_IFACE | NO_ADDRESS | BIT(NOT_QUALIFIED)},
	[HEALTH_NAT_SYMMETRIC] = {
		"nat-symmetric", HEALTH_WARNING,
		"The NAT is symmetric (hard): native hosts are reached, many "
		"Teredo peers are not.",
		"a NAT that keeps mappings (cone), or a relay",
		NO_ADDRESS | BIT(NOT_QUALIFIED)},
	[HEALTH_MAPPING_UNSTABLE] = {
		"mapping-unstable", HEALTH_WARNING,
		"The NAT changes the mapping again and again, and with it the "
		"address.",
		"RefreshInterval below the NAT's time limit; a fixed BindPort",
		NO_ADDRESS | BIT(NOT_QUALIFIED)},
	[HEALTH_TABLE_FULL] = {
		"table-full", HEALTH_WARNING,
		"The peer table is full: strangers make room for each other.",
		"a larger MaxPeers", 0},
	[HEALTH_SERVICE_ENDED] = {
		"service-ended", HEALTH_INFO,
		"The SunsetDate has come: nothing is answered.",
		"use another server or relay, or change SunsetDate", 0},
	[HEALTH_SUNSET_NEAR] = {
		"sunset-near", HEALTH_INFO,
		"The SunsetDate is near: nothing will be answered from then "
		"on.",
		"tell those who use it", BIT(SERVICE_ENDED)},
	[HEALTH_ONE_ADDRESS] = {
		"one-address", HEALTH_INFO,
		"The server has one address: clients cannot tell a symmetric "
		"NAT.",
		"a second IPv4 address: ServerBindAddress2", 0},
};

const struct health_reason *health_reason(enum health h)
{
	return &reasons[h];
}

const char *health_severity_name(enum health_severity s)
{
	return s == HEALTH_ERROR ? "error"
	       : s == HEALTH_WARNING ? "warning" : "info";
}

static uint32_t if_so(bool so, uint32_t bits)
{
	return so ? bits : 0;
}

/* As the parent tells: of the interface, and of the host. */
static uint32_t find_link(const struct ctl_status *st)
{
	uint32_t l = st->link.bits;

	return if_so(l & PRIV_LINK_GONE, BIT(IFACE_GONE)) |
	       if_so(l & PRIV_LINK_DOWN, BIT(IFACE_DOWN)) |
	       if_so(l & PRIV_LINK_BROKEN, BIT(IFACE_BROKEN)) |
	       if_so(l & PRIV_LINK_HOMELESS, BIT(BIND_LOST)) |
	       if_so(l & PRIV_LINK_SHADOWED, BIT(ROUTE_SHADOWED)) |
	       if_so(l & PRIV_LINK_NO_IPV4, BIT(NO_IPV4)) |
	       if_so(l & PRIV_LINK_HELD, BIT(ANNOUNCE_HELD));
}

static bool mapping_is_unstable(const struct ctl_status *st)
{
	uint64_t n = st->counters[TEREDO_EV_mapping_changed];

	return n >= UNSTABLE_CHANGES && st->engine_age / n < UNSTABLE_EACH;
}

static uint32_t find_client(const struct ctl_status *st)
{
	uint32_t found = if_so(st->auth_expired != 0, BIT(KEY_EXPIRED)) |
			 if_so(st->nat == TEREDO_NAT_SYMMETRIC,
			       BIT(NAT_SYMMETRIC)) |
			 if_so(mapping_is_unstable(st), BIT(MAPPING_UNSTABLE));
	bool silent = st->failures > 0;

	switch (st->state) {
	case TEREDO_CLIENT_QUALIFIED:
	case TEREDO_CLIENT_REFRESHING:
		return found;
	case TEREDO_CLIENT_RESOLVING:
		found |= if_so(st->link.bits & PRIV_LINK_UNRESOLVED,
			       BIT(DNS_FAILED));
		silent = false;
		break;
	case TEREDO_CLIENT_OFFLINE:
	case TEREDO_CLIENT_LOST:
		silent = true;
		break;
	default:
		break;
	}
	return found | BIT(NOT_QUALIFIED) |
	       if_so(silent, BIT(SERVER_UNREACHABLE)) |
	       if_so(silent && st->udp_error == EPERM, BIT(UDP_BLOCKED));
}

static uint32_t find_sunset(const struct ctl_status *st)
{
	if (st->role == PRIV_DORMANT && st->native[0] == '\0')
		return BIT(SERVICE_ENDED);
	return if_so(st->sunset != 0 && st->link.sunset_days <= NEAR_DAYS,
		     BIT(SUNSET_NEAR));
}

/* For relay and server: nobody is missed when there is silence. */
static bool nothing_leaves(const struct ctl_status *st)
{
	return st->udp_refused > st->then.udp_refused &&
	       st->udp_tx.packets == st->then.udp_tx.packets;
}

static bool table_is_full(const struct ctl_status *st)
{
	return st->peers_max != 0 && st->role != PRIV_SERVER &&
	       (uint64_t)st->peers_direct + st->peers_relay +
			       st->peers_pending >= st->peers_max;
}

uint32_t health_find(const struct ctl_status *st)
{
	uint32_t found = find_sunset(st) |
			 if_so(st->deaths != 0, BIT(ENGINE_DOWN));

	switch (st->role) {
	case PRIV_CLIENT:
		found |= if_so(st->deaths == 0, find_client(st)) |
			 find_link(st);
		break;
	case PRIV_SERVER_RELAY:
	case PRIV_RELAY:
	case PRIV_SERVER:
		found |= find_link(st) |
			 if_so(nothing_leaves(st), BIT(UDP_BLOCKED));
		break;
	default:
		return health_visible(found);
	}
	if (st->role == PRIV_SERVER || st->role == PRIV_SERVER_RELAY)
		found |= if_so(st->server_ip2 == 0, BIT(ONE_ADDRESS));
	found |= if_so(table_is_full(st), BIT(TABLE_FULL));
	return health_visible(found);
}

uint32_t health_visible(uint32_t bits)
{
	uint32_t visible = bits;

	for (unsigned h = 0; h < HEALTHS; h++)
		if ((bits & reasons[h].causes) != 0)
			visible &= ~(1u << h);
	return visible;
}

uint32_t health_problems(uint32_t bits)
{
	for (unsigned h = 0; h < HEALTHS; h++)
		if (reasons[h].severity == HEALTH_INFO)
			bits &= ~(1u << h);
	return bits & ((1u << HEALTHS) - 1);
}

const char *health_codes(char buf[HEALTH_CODES_LEN], uint32_t bits)
{
	size_t n = 0;

	strcpy(buf, "ok");
	for (unsigned h = 0; h < HEALTHS; h++)
		if ((bits & 1u << h) != 0)
			n += (size_t)sprintf(buf + n, "%s%s", n > 0 ? ", " : "",
					     reasons[h].code);
	return buf;
}

enum health health_worst(uint32_t bits)
{
	unsigned h = 0;

	bits = health_problems(bits);
	while (h < HEALTHS && (bits & 1u << h) == 0)
		h++;
	return (enum health)h;
}

bool health_is_well(uint32_t bits)
{
	return health_worst(bits) == HEALTHS;
}
