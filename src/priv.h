/*
 * priv.h - the privilege border: what the processes say to each other
 *
 * Verbs, not data. The engine never names an interface, a route or a path;
 * the parent checks each request with priv_check.c, a pure function, and
 * carries it out in priv_serve.c. Structs are of fixed size, zeroed before
 * use and without padding; a wrong length ends that child.
 */
#ifndef MIREDO_PRIV_H
#define MIREDO_PRIV_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include "../libteredo/auth.h"

#define PRIV_SERVERS	8
#define PRIV_NAME_MAX	256
#define PRIV_ACCESS	32
#define PRIV_LOCAL4	2048
#define PRIV_LOCAL6	32
#define PRIV_NETS	8
#define PRIV_LOG_TEXT	488
#define PRIV_KEYS_EACH	16
#define PRIV_MESSAGE_MAX 16384	/* longer than any of them */

enum priv_verb {
	/* engine to parent */
	PRIV_READY = 1,		/* struct priv_word: I serve */
	PRIV_TUN_UP,		/* struct priv_tun_up */
	PRIV_CARRIER,		/* struct priv_word: value 0 or 1 */
	PRIV_RESOLVE,		/* struct priv_word: number of the server */
	PRIV_RELOAD,		/* struct priv_word + connection of who asks */
	PRIV_LOG,		/* struct priv_log */
	PRIV_KEEPALIVE,		/* struct priv_word */
	PRIV_SECONDARY,		/* struct priv_word: value 1, a client wants
				 * its second port; 0, it is done with it */
	PRIV_HEALTH,		/* struct priv_word: bits of enum health */
	PRIV_ANNOUNCE,		/* struct priv_word: enum ctl_announce, +
				 * connection of who asks */
	/* parent to engine */
	PRIV_CONFIG,		/* struct priv_config, first of all */
	PRIV_FD,		/* struct priv_word: enum priv_fd; + descriptor;
				 * after START only a client's UDP2 */
	PRIV_START,		/* struct priv_word: that is all, go */
	PRIV_NETCHANGE,		/* struct priv_netchange */
	PRIV_RESOLVED,		/* struct priv_resolved */
	PRIV_ANSWER,		/* struct priv_answer to TUN_UP or SECONDARY;
				 * 1 comes as FD when it is done */
	PRIV_KEYS,		/* struct priv_keys, any number before START */
	PRIV_LINK,		/* struct priv_link, before START and when it
				 * changes */
	/* parent to resolver and back */
	PRIV_ASK,		/* struct priv_ask */
	PRIV_TOLD,		/* struct priv_told */
};

/* DORMANT: none of the others for now (RFC 4380 5.5). */
enum priv_role {
	PRIV_CLIENT = 1,
	PRIV_RELAY,
	PRIV_SERVER,
	PRIV_SERVER_RELAY,
	PRIV_DORMANT,
};

enum priv_fd {
	PRIV_FD_TUN = 1,
	PRIV_FD_UDP,		/* primary socket */
	PRIV_FD_UDP2,		/* a server's second address, or a client's
				 * second port, now and then */
	PRIV_FD_NATIVE6,	/* a server's raw IPv6 socket */
	PRIV_FD_DISCOVERY,	/* a client's ear for its link */
	PRIV_FD_CONTROL,	/* listening unix socket */
	PRIV_FD_SNAPSHOT,	/* memfd */
};

/* What is the matter with interface and host. */
enum priv_link_bits {
	PRIV_LINK_CARRIER = 1,		/* the interface has it */
	PRIV_LINK_HELD = 2,		/* has none by an operator's wish */
	PRIV_LINK_DOWN = 4,		/* set down by the administrator */
	PRIV_LINK_HOMELESS = 8,		/* BindAddress is not on this host */
	PRIV_LINK_GONE = 16,		/* no interface, and none to be had */
	PRIV_LINK_BROKEN = 32,		/* address or route were refused */
	PRIV_LINK_SHADOWED = 64,	/* another route wins */
	PRIV_LINK_NO_IPV4 = 128,	/* no address, or no way to a server */
	PRIV_LINK_UNRESOLVED = 256,	/* a server's name has no address */
	PRIV_LINK_UP = 512,		/* address and routes are set */
};

struct priv_word {
	uint32_t verb, value;
};

struct priv_tun_up {
	uint32_t verb, mtu;
	uint8_t addr[16];
};

struct priv_log {
	uint32_t verb, level;
	char text[PRIV_LOG_TEXT];	/* NUL-terminated */
};

struct priv_access {
	uint32_t ip;
	uint8_t bits, allow, unused[2];
};

struct priv_config {
	uint32_t verb, role;
	uint32_t prefix;		/* octets 0-3, network order */
	uint32_t mtu;
	uint32_t max_peers;
	uint32_t bind_ip;		/* network order; 0: any */
	uint32_t public_ip, public_ip2;	/* server: advertised; ip2 0: none */
	uint16_t bind_port;		/* really bound, network order */
	uint8_t host_local, direct_bubbles;
	uint32_t servers;
	uint32_t require_auth;		/* server: RequireAuthentication */
	uint32_t datapath;		/* bits of enum datapath */
	uint32_t configured;		/* the role by the configuration */
	uint32_t sunset;		/* days since 1970; 0: no date */
	uint32_t started;		/* the service: s of CLOCK_BOOTTIME */
	uint32_t refresh;		/* client: seconds, not 0 */
	uint32_t find_refresh;		/* client: beginning with that */
	uint32_t discovery;		/* client: enum teredo_discovery */
	uint32_t firewall;		/* InboundFirewall, for the status */
	uint32_t n_access;
	struct priv_access access[PRIV_ACCESS];
	char native[20];		/* has IPv6 by other means; "": none */
	char instance[20];		/* interface name, or "server" */
	char server_name[PRIV_SERVERS][PRIV_NAME_MAX];	/* for the status */
};

/* Secrets: wiped by both sides as soon as they are handed on. */
struct priv_keys {
	uint32_t verb, n;
	struct auth_key key[PRIV_KEYS_EACH];
};

struct priv_netchange {
	uint32_t verb;
	uint32_t solicit;		/* the way to the server may differ */
	uint32_t n4, n6, nets;
	uint32_t ip4[PRIV_LOCAL4];	/* own addresses and broadcasts */
	/* subnets of the link that discovery listens to */
	uint32_t net_ip[PRIV_NETS], net_mask[PRIV_NETS];
	uint8_t addr6[PRIV_LOCAL6][16];	/* own global addresses */
};

struct priv_link {
	uint32_t verb, bits;
	uint32_t metric;		/* of our route; 0: there is none */
	uint32_t other_metric;		/* of the one that wins */
	char other[20];			/* its interface; "": unknown */
	uint32_t sunset_days;		/* until SunsetDate */
	uint32_t carrier_at;		/* since when the carrier is as it is, s
					 * of CLOCK_BOOTTIME; 0: unknown */
};

struct priv_resolved {
	uint32_t verb, server;
	uint32_t ip, ip2;		/* ip 0: failed; ip2 0: use ip + 1 */
};

struct priv_answer {
	uint32_t verb, about;
	int32_t error;			/* 0 or -errno */
};

/* Resolver: name (and perhaps a second one) to IPv4 addresses. */
struct priv_ask {
	uint32_t verb, id;
	char name[PRIV_NAME_MAX];
};
struct priv_told {
	uint32_t verb, id;
	int32_t error;			/* 0 or an EAI_ code */
	uint32_t n;
	uint32_t ip[8];
};

static_assert(sizeof(struct priv_word) == 8, "padding");
static_assert(sizeof(struct priv_tun_up) == 24, "padding");
static_assert(sizeof(struct priv_log) == 8 + PRIV_LOG_TEXT, "padding");
static_assert(sizeof(struct priv_config) ==
	      80 + 8 * PRIV_ACCESS + 2 * 20 + PRIV_SERVERS * PRIV_NAME_MAX, "padding");
static_assert(sizeof(struct priv_keys) ==
	      8 + PRIV_KEYS_EACH * (4 + AUTH_ID_MAX + AUTH_SECRET_MAX),
	      "padding");
static_assert(sizeof(struct priv_netchange) ==
	      20 + 4 * PRIV_LOCAL4 + 8 * PRIV_NETS + 16 * PRIV_LOCAL6,
	      "padding");
static_assert(sizeof(struct priv_netchange) <= PRIV_MESSAGE_MAX &&
	      sizeof(struct priv_config) <= PRIV_MESSAGE_MAX &&
	      sizeof(struct priv_keys) <= PRIV_MESSAGE_MAX, "longer than any");
static_assert(sizeof(struct priv_resolved) == 16, "padding");
static_assert(sizeof(struct priv_answer) == 12, "padding");
static_assert(sizeof(struct priv_link) == 44, "padding");
static_assert(sizeof(struct priv_ask) == 8 + PRIV_NAME_MAX, "padding");
static_assert(sizeof(struct priv_told) == 48, "padding");

/* ---- priv_check.c: pure ---- */

/* How often in any minute; n <= PRIV_LIMIT_MAX is the caller's. */
#define PRIV_LIMIT_MAX 64
struct priv_limit {
	unsigned taken;
	uint64_t at[PRIV_LIMIT_MAX];	/* ns; the last ones, as a ring */
};

#define PRIV_TUN_PER_MINUTE	10
#define PRIV_CARRIER_PER_MINUTE	30
#define PRIV_RESOLVE_PER_MINUTE	64
#define PRIV_RELOAD_PER_MINUTE	6
#define PRIV_HOLD_PER_MINUTE	10	/* a release is never too often */
#define PRIV_SECONDARY_PER_MINUTE 10
#define PRIV_HEALTH_PER_MINUTE	60
#define PRIV_SERVER_IPS		(PRIV_SERVERS * 8)

/* What the parent itself knows and holds a request against. */
struct priv_policy {
	uint32_t role;
	uint32_t prefix;
	uint32_t mtu_max;
	unsigned n_servers;
	unsigned n_server_ips;	/* counts on: a ring of the last ones */
	uint32_t server_ip[PRIV_SERVER_IPS];	/* given by the resolver */
	struct priv_limit tun, carrier, resolve, reload, secondary, hold,
		health;
};

/* The resolver gave this address for a server. */
void priv_policy_add(struct priv_policy *policy, uint32_t ip);

/* Length that a message with this verb must have; 0: unknown verb. */
uint32_t priv_length(uint32_t verb);

/* Whether a descriptor comes with this verb; with no other one may. */
bool priv_brings_fd(uint32_t verb);

/* Whether an engine's message (len octets, from its first) may be carried
 * out now. 0; -EPROTO: malformed, the engine must be ended; -EPERM or -EAGAIN
 * (rate): refused. */
int priv_check(struct priv_policy *policy, const void *msg, uint32_t len,
	       uint64_t now);

#endif
