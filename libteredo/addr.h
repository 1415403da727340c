/*
 * addr.h - Teredo addresses, and which addresses are acceptable
 *
 * The only module that looks inside an address. RFC 4380 sections 2.13, 4 and
 * 5.2.4; RFC 5991 section 3.1.
 */
#ifndef LIBTEREDO_ADDR_H
#define LIBTEREDO_ADDR_H

#include "teredo.h"

#define ADDR_FLAG_CONE		0x8000u	/* host order; RFC 4380 section 4 */
#define ADDR_FLAGS_RANDOM	0x3cffu	/* RFC 5991 3.1 */

/* Octets 0-3 of 2001::/32, the global Teredo prefix, in network order. */
uint32_t addr_default_prefix(void);

/* Composes prefix:server:flags:~port:~ip. flags are in host order. */
void addr_make(struct teredo_addr *a, uint32_t prefix, uint32_t server_ip,
	       uint16_t flags, struct teredo_ep mapped);

/* Composes fe80::flags:~port:~ip (A-ADDR-08). */
void addr_make_link_local(struct teredo_addr *a, uint16_t flags,
			  struct teredo_ep mapped);

bool addr_in_prefix(const struct teredo_addr *a, uint32_t prefix);
uint32_t addr_server(const struct teredo_addr *a);	/* octets 4-7 */
uint16_t addr_flags(const struct teredo_addr *a);	/* host order */
struct teredo_ep addr_mapping(const struct teredo_addr *a);

/* Where a server with that address listens: port 3544 (A-ENC-10). */
struct teredo_ep addr_server_ep(uint32_t server_ip);

bool addr_equal(const struct teredo_addr *a, const struct teredo_addr *b);
bool ep_equal(struct teredo_ep a, struct teredo_ep b);

/* An endpoint as a key of a table: the struct has padding. */
#define EP_KEY_LEN 6u
void ep_key(uint8_t key[EP_KEY_LEN], struct teredo_ep ep);

bool addr_is_link_local(const struct teredo_addr *a);	/* fe80::/10 */
bool addr_is_multicast(const struct teredo_addr *a);
/* Unicast or multicast that no router forwards: neighbours, listeners (MLD). */
bool addr_is_of_link(const struct teredo_addr *a);
bool addr_is_all_nodes(const struct teredo_addr *a);	/* ff02::1 */
bool addr_is_all_routers(const struct teredo_addr *a);	/* ff02::2 */

/* Global-scope unicast IPv6 that may travel: not unspecified, loopback,
 * multicast, link-local, site-local, unique-local, v4-mapped or
 * v4-compatible (S-FWD-02, SEC-ING-01). Teredo addresses are global. */
bool addr_is_global(const struct teredo_addr *a);

bool addr_is_6to4(const struct teredo_addr *a);		/* 2002::/16 */

/* IPv4 address in the format of a global unicast address: RFC 4380 5.2.4,
 * A-V4G-01..09, and 240/4. Documentation ranges count as global. */
bool ipv4_is_global(uint32_t ip);

/*
 * IPv4 addresses that are ours or are a directed broadcast of an attached
 * subnet (A-V4G-10, SEC-LOOP): never a destination. A fixed small set that
 * the shell replaces when the host's addresses change.
 */
/*
 * Whom we speak with, as far as the administrator says. The rule with the
 * longest prefix decides. Of addresses that are not global, private ones are
 * fit when the rule that allows them names private space itself.
 */
#define ACCESS4_MAX 32
struct access4 {
	unsigned n;
	struct {
		uint32_t ip;	/* no bits behind the prefix */
		uint8_t bits;	/* 0..32 */
		bool allow;
	} rule[ACCESS4_MAX];
};
bool ipv4_is_private(uint32_t ip);	/* RFC 1918 */

#define LOCAL4_MAX 2048
#define LOCAL4_NETS 8
struct local4 {
	unsigned n;
	uint32_t ip[LOCAL4_MAX];
	/* the subnets of the link on which local peers are looked for; who
	 * looks for none has none */
	unsigned nets;
	struct {
		uint32_t ip, mask;	/* any address of it */
	} net[LOCAL4_NETS];
	const struct access4 *access;	/* the core's own; NULL: no rules */
};
/* To be called when ip[] was filled, before anything is asked. */
void local4_sort(struct local4 *l);
bool local4_has(const struct local4 *l, uint32_t ip);
/* A host of those subnets other than ourselves (C-LCD-06). */
bool local4_is_neighbour(const struct local4 *l, uint32_t ip);

/* Whether `a` is a 6to4 or ISATAP address with one of `l` in it: the route to
 * it would lead through another tunnel of this host (SEC-LOOP-03). */
bool addr_embeds_local(const struct teredo_addr *a, const struct local4 *l);

/* ipv4_is_global(), or private and allowed; not denied, not in `l`, and a
 * non-zero port: fit to be sent to. */
bool ep_is_acceptable(struct teredo_ep ep, const struct local4 *l);
/* A rule of the administrator's denies it. */
bool ep_is_denied(struct teredo_ep ep, const struct local4 *l);
/* The reason to drop what comes from, or goes to, one that is not. */
enum teredo_counter ep_objection(struct teredo_ep ep, const struct local4 *l);

#endif
