/*
 * netcheck.h - what the network between this host and Teredo servers does
 *
 * A pure state machine: datagrams and the time go in, datagrams and a report
 * come out. It needs no daemon. Addresses and ports in network order, times in
 * ns of the caller's clock. See netcheck.c for how each fact is found.
 */
#ifndef MIREDO_NETCHECK_H
#define MIREDO_NETCHECK_H

#include "../libteredo/teredo.h"

#define NETCHECK_SERVERS 8
#define NETCHECK_MAX	 512 /* octets of a datagram that is sent */

/* What is not known is not guessed. */
enum netcheck_fact { NETCHECK_UNKNOWN, NETCHECK_NO, NETCHECK_YES };

/* Sockets that the caller has, each on a port of its own. */
enum netcheck_socket {
	NETCHECK_MAIN,	  /* whose mapping is looked at */
	NETCHECK_FILTER,  /* never sends to a server's second address */
	NETCHECK_HAIRPIN, /* sends to our own mapping */
	NETCHECK_GATEWAY, /* asks the gateway, and the group for UPnP */
	NETCHECK_PCP,	  /* asks it for PCP */
	NETCHECK_SOCKETS
};

enum netcheck_state {
	NETCHECK_SILENT,
	NETCHECK_REFUSED,     /* nobody listens there, says ICMP */
	NETCHECK_UNREACHABLE, /* says ICMP or the kernel */
	NETCHECK_BLOCKED,     /* by a firewall that says so */
	NETCHECK_INVALID,     /* answers what a client would refuse */
	NETCHECK_OK
};

struct netcheck_server {
	/* given: 0: not known, ever or (awaited) so far; ip2: of its second
	 * address */
	uint32_t ip, ip2;
	bool is_awaited;
	uint32_t local_ip; /* from which we send to it */
	/* found */
	enum netcheck_state state;
	uint32_t offender; /* who said BLOCKED; 0: this host */
	teredo_time rtt;
	struct teredo_ep mapped, mapped2; /* as seen by both; port 0: not */
};

/* The whole of it, names included, but not the lifetime of a mapping. */
#define NETCHECK_LIMIT (3500 * TEREDO_MS)

struct netcheck_config {
	teredo_time began;
	unsigned servers;
	struct netcheck_server server[NETCHECK_SERVERS];
	uint16_t local_port; /* of NETCHECK_MAIN */
	uint32_t gateway;    /* 0: there is none */
	uint32_t gateway_local; /* our address towards it */
};

enum netcheck_nat {
	NETCHECK_NAT_UNKNOWN,
	NETCHECK_NAT_NONE,
	NETCHECK_NAT_CONE,
	NETCHECK_NAT_RESTRICTED,
	NETCHECK_NAT_EASY, /* cone or restricted */
	NETCHECK_NAT_SYMMETRIC
};

struct netcheck_report {
	enum netcheck_fact udp, varies, port_preserving, open, hairpin;
	enum netcheck_fact nat_pmp, pcp, upnp;
	struct teredo_ep local, mapped; /* port 0: unknown */
	/* who saw the mappings that were compared; 0: nobody */
	uint32_t seen_by[2];
	enum netcheck_nat nat;
	int nearest; /* number of a server, -1: none answered */
	unsigned servers;
	struct netcheck_server server[NETCHECK_SERVERS];
};

struct netcheck_datagram {
	enum netcheck_socket socket;
	struct teredo_ep to;
	size_t len;
	uint8_t data[NETCHECK_MAX];
};

struct netcheck;

/* Begins. NULL: out of memory. Both arguments are copied. */
struct netcheck *netcheck_new(const struct netcheck_config *config,
			      const struct teredo_env *env, teredo_time now);
void netcheck_free(struct netcheck *nc);

/* What came of looking up the server's name: addresses, or none. */
void netcheck_found(struct netcheck *nc, unsigned server,
		    const struct netcheck_server *found, teredo_time now);

/* The next datagram to be sent now; call it until it says false. */
bool netcheck_next(struct netcheck *nc, teredo_time now,
		   struct netcheck_datagram *out);
/* When to call netcheck_next() again; TEREDO_NEVER: it is over. */
teredo_time netcheck_deadline(const struct netcheck *nc);

/* A datagram that came; hostile like any other. */
void netcheck_in(struct netcheck *nc, enum netcheck_socket socket,
		 struct teredo_ep from, const uint8_t *data, size_t len,
		 teredo_time now);
/* Why what NETCHECK_MAIN sent to `to` will not arrive. */
void netcheck_error(struct netcheck *nc, struct teredo_ep to,
		    enum netcheck_state why, uint32_t offender);

/* What is known by now. */
void netcheck_report(const struct netcheck *nc, struct netcheck_report *r);

/* "none", "cone", "restricted", "symmetric"; NULL: unknown, or either */
const char *netcheck_nat_type(enum netcheck_nat nat);
/* "none", "easy", "hard"; NULL: unknown */
const char *netcheck_nat_class(enum netcheck_nat nat);
/* "ok", "silent", "refused", ... */
const char *netcheck_state_name(enum netcheck_state state);

/*
 * ---- netcheck_gateway.c: port mapping protocols, detected only ----
 *
 * No request makes a mapping. Each writes at most NETCHECK_MAX octets and
 * returns their number.
 */
#define NETCHECK_PMP_PORT  5351u /* RFC 6886 3.1, RFC 6887 19.1 */
#define NETCHECK_SSDP_PORT 1900u
uint32_t netcheck_ssdp_group(void); /* 239.255.255.250 */

/* External address request, RFC 6886 3.2 */
size_t netcheck_put_nat_pmp(uint8_t *out);
/* ANNOUNCE, RFC 6887 14.1 */
size_t netcheck_put_pcp(uint8_t *out, uint32_t local_ip);
/* M-SEARCH for an Internet gateway (UPnP device architecture 1.3.2) */
size_t netcheck_put_ssdp(uint8_t *out);

/* What an answer says; UNKNOWN: it is none of that protocol. */
enum netcheck_fact netcheck_get_nat_pmp(const uint8_t *data, size_t len);
enum netcheck_fact netcheck_get_pcp(const uint8_t *data, size_t len);
enum netcheck_fact netcheck_get_ssdp(const uint8_t *data, size_t len);

#endif
