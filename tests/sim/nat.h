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
 * No hairpin. Traffic in both directions keeps a mapping alive.
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

struct nat {
	enum nat_kind kind;
	teredo_time lifetime; /* of an idle mapping; 60 s */
	bool preserves_port;  /* where it can; random otherwise */
	struct link4 *outside;
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

/* Forgets every mapping, as a reboot does. */
void nat_flush(struct nat *nat);

/* The same with another public address. */
void nat_move(struct nat *nat, uint32_t ip);

#endif
