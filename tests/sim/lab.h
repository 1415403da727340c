/*
 * lab.h - the cast of a story, and its verbs
 *
 * lab_new() builds what most stories need: a server with two addresses, a
 * relay that 2001::/32 leads to, and a native host, all running. Clients and
 * more are added by name and started by the story. Lines have delays of a few
 * milliseconds and no loss.
 */
#ifndef SIM_LAB_H
#define SIM_LAB_H

#include "flow.h"
#include "nat.h"
#include "roles.h"

struct lab {
	struct world *w;
	struct node *server, *relay;
	struct stack *host;
	unsigned clients, hosts, relays, servers, nats, privates;
};

struct lab *lab_new(struct world *w);
/* The same with nobody in it. */
struct lab *lab_empty(struct world *w);

/* A running server. has_second: it has two addresses. */
struct node *lab_server(struct lab *l, const char *name, bool has_second);

/* Server and relay in one, running, to which 2001::/32 leads from now on.
 * nat: it is behind that NAT, all of whose port 3544 is its; NULL: public. */
struct node *lab_server_relay(struct lab *l, const char *name,
			      struct nat *nat);

/* A native host: answers what it gets, sends what the story wants. */
struct stack *lab_host(struct lab *l, const char *name);

/* A running relay. host: it serves only this one (host-local), and does it
 * from now on; NULL: a router, to which 2001::/32 leads from now on. */
struct node *lab_relay(struct lab *l, const char *name, struct stack *host);

struct nat *lab_nat(struct lab *l, const char *name, enum nat_kind kind);
/* Its outside gets a private address of a carrier's NAT. */
void lab_nat_behind(struct lab *l, struct nat *nat, struct nat *carrier);

/* Gives it another address there, and no mappings. */
void lab_move_nat(struct lab *l, struct nat *nat);
/* Off for a while; then it knows nothing of before. */
void lab_reboot_nat(struct nat *nat, teredo_time duration);

/* A client of l->server, not running, behind a NAT of its own, or in public
 * (NAT_NONE), or behind `nat`. */
struct node *lab_client(struct lab *l, const char *name, enum nat_kind kind);
struct node *lab_client_behind(struct lab *l, const char *name,
			       struct nat *nat);

/* The client's host is now behind that NAT, or in public (NULL), and is told. */
void lab_move_client(struct lab *l, struct node *n, struct nat *nat);

/* lab_client_behind(), looking for local peers. Those behind one NAT are on one
 * link when no other NAT is made between them. */
struct node *lab_neighbour(struct lab *l, const char *name, struct nat *nat);

/* Adds a server to the client's list, before it starts. */
void lab_add_server(struct node *client, const struct node *server);

/* ---- verbs ---- */

/* The line between the core and this node, or the NAT before it. */
struct line *access_line(const struct node *n);

bool is_qualified(const struct node *client);
/* Starts it; it must be qualified within 2 s. Returns it. */
struct node *qualify(struct node *client);
/* Until it is (again); fails after `limit`. */
void wait_qualified(struct node *client, teredo_time limit);

/* Time to the answer of one ping; TEREDO_NEVER: none within `limit`. */
teredo_time ping(struct stack *from, const struct stack *to, teredo_time limit);

/* n packets at once, numbered 0..n-1, of different lengths. */
void burst(struct stack *from, const struct stack *to, unsigned n);
/* Whether a burst of n arrived: all of it, in order, once. */
bool got_in_order(const struct stack *to, const struct stack *from, unsigned n);

/* `n` pings, 100 ms apart, are all answered within 1 s each. */
bool talks(struct stack *from, const struct stack *to, unsigned n);

#endif
