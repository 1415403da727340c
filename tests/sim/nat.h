/*
 * nat.h - home routers, by the classes of RFC 4380 section 3.1
 *
 * In the words of RFC 4787:
 *
 *   kind       mapping                      filtering
 *   cone       endpoint-independent         endpoint-independent
 *   address    endpoint-independent         address-dependent
 *   port       endpoint-independent         address- and port-dependent
 *   symmetric  address- and port-dependent  address- and port-dependent
 *
 * A story may set the two rules, and all else below, to what it likes. A NAT
 * may itself be behind a NAT (CGN). Hosts behind the same one reach each other
 * at their private addresses, through its switch, and by multicast.
 */
#ifndef SIM_NAT_H
#define SIM_NAT_H

#include "net.h"

enum nat_kind {
	NAT_NONE, /* a public host: there is no box */
	NAT_CONE,
	NAT_ADDRESS,
	NAT_PORT,
	NAT_SYMMETRIC,
	NAT_KINDS
};
/* "none", "cone", ... */
const char *nat_kind_name(enum nat_kind kind);

/* What a mapping, or who may come in by it, depends on of the remote. */
enum nat_rule { NAT_ANY, NAT_PER_ADDRESS, NAT_PER_PORT, NAT_RULES };

enum nat_ports {
	NAT_RANDOM,
	NAT_PRESERVED, /* where it can; random otherwise */
	NAT_SEQUENTIAL
};

struct nat {
	enum nat_kind kind; /* it was made as */
	enum nat_rule mapping, filtering;
	enum nat_ports ports;
	uint16_t next_port;    /* host order; of a sequential one */
	bool hairpin;	       /* inside to inside by the public address */
	bool ignores_inbound;  /* only what goes out keeps a mapping alive */
	teredo_time lifetime;  /* of an idle mapping; 60 s */
	struct link4 *outside; /* on the core, or behind another NAT */
	uint32_t inside;       /* the network there, host order; lab.c's */
	struct session *sessions;
	size_t n, room;
	struct rng rng;
};

struct nat *nat_new(struct world *w, const char *name, enum nat_kind kind,
		    uint32_t ip);

/* A host behind it, with a private address. */
struct link4 *nat_attach(struct nat *nat, const char *name, uint32_t ip,
			 void (*receive)(void *ctx, struct link4 *on,
					 struct datagram *d),
			 void *ctx);

/* Plugs a link in there; out of wherever it was. The outside of another NAT
 * makes a chain. */
void nat_plug(struct nat *nat, struct link4 *l, uint32_t ip);

/* Forgets every mapping, as a reboot does. */
void nat_flush(struct nat *nat);

/* The same with another public address. */
void nat_move(struct nat *nat, uint32_t ip);

#endif
