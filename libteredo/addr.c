/*
 * addr.c - Teredo addresses, and which addresses are acceptable
 *
 *   octets 0-3    the prefix, 2001:0000 (RFC 4380 2.6)
 *          4-7    the client's server, plain
 *          8-9    flags; octet 8 holds the u and g bits 0x03, always clear
 *          10-11  mapped port, inverted
 *          12-15  mapped IPv4 address, inverted
 *
 * Reading an address never fails: every flag pattern gives the same server and
 * mapping (A-ADDR-06). Whether what was read may be used is another question,
 * and ep_is_acceptable() is the one answer to it for all roles (RFC 4380
 * 5.2.4: the format of a global unicast address). Special-purpose blocks that
 * the RFC does not name (100.64/10, documentation, benchmarking) are left
 * alone (A-V4G-11), but for 240/4, where nobody lives.
 *
 * An address has no validity beyond its 128 bits: whoever asks "is it mine"
 * compares all of them (A-ADDR-09).
 */
#include "addr.h"

#include <assert.h>
#include <string.h>

uint32_t addr_default_prefix(void)
{
	const uint8_t b[4] = { 0x20, 0x01, 0, 0 };
	uint32_t prefix;

	memcpy(&prefix, b, 4);
	return prefix;
}

/* Octets 8-15, the same in global and link-local addresses. */
static void put_identifier(struct teredo_addr *a, uint16_t flags,
			   struct teredo_ep mapped)
{
	uint16_t port = (uint16_t)~mapped.port;
	uint32_t ip = ~mapped.ip;

	assert((flags & 0x0300) == 0);	/* A-ADDR-04 */
	a->b[8] = (uint8_t)(flags >> 8);
	a->b[9] = (uint8_t)flags;
	memcpy(a->b + 10, &port, 2);
	memcpy(a->b + 12, &ip, 4);
}

void addr_make(struct teredo_addr *a, uint32_t prefix, uint32_t server_ip,
	       uint16_t flags, struct teredo_ep mapped)
{
	memcpy(a->b, &prefix, 4);
	memcpy(a->b + 4, &server_ip, 4);
	put_identifier(a, flags, mapped);
}

void addr_make_link_local(struct teredo_addr *a, uint16_t flags,
			  struct teredo_ep mapped)
{
	memset(a, 0, sizeof(*a));
	a->b[0] = 0xfe;
	a->b[1] = 0x80;
	put_identifier(a, flags, mapped);
}

bool addr_in_prefix(const struct teredo_addr *a, uint32_t prefix)
{
	return memcmp(a->b, &prefix, 4) == 0;
}

uint32_t addr_server(const struct teredo_addr *a)
{
	uint32_t ip;

	memcpy(&ip, a->b + 4, 4);
	return ip;
}

uint16_t addr_flags(const struct teredo_addr *a)
{
	return (uint16_t)(a->b[8] << 8 | a->b[9]);
}

struct teredo_ep addr_mapping(const struct teredo_addr *a)
{
	struct teredo_ep ep;

	memcpy(&ep.port, a->b + 10, 2);
	memcpy(&ep.ip, a->b + 12, 4);
	ep.port = (uint16_t)~ep.port;
	ep.ip = ~ep.ip;
	return ep;
}

struct teredo_ep addr_server_ep(uint32_t server_ip)
{
	const uint8_t b[2] = { TEREDO_PORT >> 8, TEREDO_PORT & 0xff };
	struct teredo_ep ep = { .ip = server_ip };

	memcpy(&ep.port, b, 2);
	return ep;
}

bool addr_equal(const struct teredo_addr *a, const struct teredo_addr *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

bool ep_equal(struct teredo_ep a, struct teredo_ep b)
{
	return a.ip == b.ip && a.port == b.port;
}

void ep_key(uint8_t key[EP_KEY_LEN], struct teredo_ep ep)
{
	memcpy(key, &ep.ip, 4);
	memcpy(key + 4, &ep.port, 2);
}

bool addr_is_link_local(const struct teredo_addr *a)
{
	return a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80;
}

bool addr_is_multicast(const struct teredo_addr *a)
{
	return a->b[0] == 0xff;
}

bool addr_is_of_link(const struct teredo_addr *a)
{
	return addr_is_link_local(a) ||
	       (addr_is_multicast(a) && (a->b[1] & 0x0f) <= 2);
}

/* ff02::`last` */
static bool is_well_known(const struct teredo_addr *a, uint8_t last)
{
	const struct teredo_addr group = {
		.b = { [0] = 0xff, [1] = 0x02, [15] = last },
	};

	return addr_equal(a, &group);
}

bool addr_is_all_nodes(const struct teredo_addr *a)
{
	return is_well_known(a, 1);
}

bool addr_is_all_routers(const struct teredo_addr *a)
{
	return is_well_known(a, 2);
}

bool addr_is_global(const struct teredo_addr *a)
{
	/* ::/96 has the unspecified, loopback and v4-compatible ones */
	static const uint8_t compatible[12] = { 0 };
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	bool site_local = a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0xc0;
	bool unique_local = (a->b[0] & 0xfe) == 0xfc;

	return memcmp(a->b, compatible, 12) != 0 &&
	       memcmp(a->b, mapped, 12) != 0 &&
	       !addr_is_multicast(a) && !addr_is_link_local(a) &&
	       !site_local && !unique_local;
}

bool addr_is_6to4(const struct teredo_addr *a)
{
	return a->b[0] == 0x20 && a->b[1] == 0x02;
}

static uint32_t host_order(uint32_t ip)
{
	uint8_t b[4];

	memcpy(b, &ip, 4);
	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 |
	       (uint32_t)b[2] << 8 | b[3];
}

bool ipv4_is_global(uint32_t ip)
{
	uint32_t host = host_order(ip);

	switch (host >> 24) {
	case 0:		/* A-V4G-01 */
	case 10:	/* A-V4G-03 */
	case 127:	/* A-V4G-02 */
		return false;
	case 169:	/* A-V4G-06: 169.254/16 */
		return host >> 16 != 0xa9fe;
	case 172:	/* A-V4G-04: 172.16/12 */
		return host >> 20 != 0xac1;
	case 192:	/* A-V4G-05: 192.168/16; A-V4G-07: 192.88.99/24 */
		return host >> 16 != 0xc0a8 && host >> 8 != 0xc05863;
	default:	/* A-V4G-08, A-V4G-09 and the rest of 240/4 */
		return host >> 24 < 224;
	}
}

/* In whatever order the machine's numbers have. They come in short runs, and
 * seldom, so that insertion will do. */
void local4_sort(struct local4 *l)
{
	assert(l->n <= LOCAL4_MAX);
	for (unsigned i = 1; i < l->n; i++) {
		uint32_t ip = l->ip[i];
		unsigned k = i;

		for (; k > 0 && l->ip[k - 1] > ip; k--)
			l->ip[k] = l->ip[k - 1];
		l->ip[k] = ip;
	}
}

bool local4_has(const struct local4 *l, uint32_t ip)
{
	unsigned from = 0, to = l->n;

	assert(l->n <= LOCAL4_MAX);
	while (from < to) {
		unsigned i = (from + to) / 2;

		if (l->ip[i] == ip)
			return true;
		if (l->ip[i] < ip)
			from = i + 1;
		else
			to = i;
	}
	return false;
}

bool local4_is_neighbour(const struct local4 *l, uint32_t ip)
{
	assert(l->nets <= LOCAL4_NETS);
	for (unsigned i = 0; i < l->nets; i++) {
		uint32_t mask = l->net[i].mask;
		uint32_t host = host_order(ip & ~mask);

		if (mask == 0 || ((ip ^ l->net[i].ip) & mask) != 0)
			continue;
		/* no network and no broadcast address (but RFC 3021) */
		if (host_order(~mask) > 1 &&
		    (host == 0 || host == host_order(~mask)))
			return false;
		return !local4_has(l, ip);
	}
	return false;
}

bool addr_embeds_local(const struct teredo_addr *a, const struct local4 *l)
{
	/* RFC 5214 6.1: ::0:5efe:V4, or ::200:5efe:V4 for a global V4 */
	bool is_isatap = (a->b[8] & ~0x02) == 0 && a->b[9] == 0 &&
			 a->b[10] == 0x5e && a->b[11] == 0xfe;
	uint32_t router, host;

	memcpy(&router, a->b + 2, 4);
	memcpy(&host, a->b + 12, 4);
	return (addr_is_6to4(a) && local4_has(l, router)) ||
	       (is_isatap && local4_has(l, host));
}

bool ipv4_is_private(uint32_t ip)
{
	uint32_t host = host_order(ip);

	return host >> 24 == 10 || host >> 20 == 0xac1 ||
	       host >> 16 == 0xc0a8;
}

/* The number of the rule that decides; access->n: none does. */
static unsigned access_rule(const struct access4 *a, uint32_t ip)
{
	unsigned best = a->n;

	assert(a->n <= ACCESS4_MAX);
	for (unsigned i = 0; i < a->n; i++) {
		unsigned rest = 32u - a->rule[i].bits;
		uint32_t other = host_order(a->rule[i].ip ^ ip);

		if ((rest == 32 || other >> rest == 0) &&
		    (best == a->n || a->rule[i].bits > a->rule[best].bits))
			best = i;
	}
	return best;
}

bool ep_is_denied(struct teredo_ep ep, const struct local4 *l)
{
	unsigned i;

	if (l->access == NULL)
		return false;
	i = access_rule(l->access, ep.ip);
	return i < l->access->n && !l->access->rule[i].allow;
}

static bool is_private_allowed(uint32_t ip, const struct local4 *l)
{
	unsigned i;

	if (l->access == NULL || !ipv4_is_private(ip))
		return false;
	i = access_rule(l->access, ip);
	return i < l->access->n && l->access->rule[i].allow &&
	       l->access->rule[i].bits >= 8 &&
	       ipv4_is_private(l->access->rule[i].ip);
}

bool ep_is_acceptable(struct teredo_ep ep, const struct local4 *l)
{
	return ep.port != 0 && !local4_has(l, ep.ip) &&
	       (ipv4_is_global(ep.ip) || is_private_allowed(ep.ip, l)) &&
	       !ep_is_denied(ep, l);
}

enum teredo_counter ep_objection(struct teredo_ep ep, const struct local4 *l)
{
	return ep_is_denied(ep, l) ? TEREDO_DROP_denied
				   : TEREDO_DROP_martian_v4;
}
