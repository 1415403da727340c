/*
 * roles.h - nodes with one of the cores in them
 *
 * They come without lines: lab.h attaches them. What stands in the structs
 * may be changed before node_start(), the resolver's state at any time.
 */
#ifndef SIM_ROLES_H
#define SIM_ROLES_H

#include "../../libteredo/client.h"
#include "../../libteredo/relay.h"
#include "../../libteredo/server.h"
#include "../../libteredo/server_relay.h"
#include "node.h"

struct client_role {
	struct teredo_client_config config;
	/* what the resolver answers; ip2 0: it knows of none */
	struct {
		uint32_t ip, ip2;
	} server[TEREDO_CLIENT_SERVERS];
	teredo_time dns_delay;
	bool dns_down;
	bool has_saved;
	struct teredo_client_saved saved;
};

struct relay_role {
	struct teredo_relay_config config;
	struct teredo_addr addr6; /* of the host that it runs on */
	struct teredo_relay_saved saved;
};

struct server_role {
	struct teredo_server_config config;
	struct auth_keys keys; /* config.keys, where a story wants some */
};

/* Both in one; server_relay_new()'s. */
struct server_relay_role {
	struct teredo_server_config config;
	struct teredo_addr addr6; /* of the host that it runs on */
	struct teredo_relay_saved saved;
};

struct node *client_new(struct world *w, const char *name);
struct node *relay_new(struct world *w, const char *name);
struct node *server_new(struct world *w, const char *name);
struct node *server_relay_new(struct world *w, const char *name);

struct client_role *client_role(const struct node *n);
struct relay_role *relay_role(const struct node *n);
struct server_role *server_role(const struct node *n);
struct server_relay_role *server_relay_role(const struct node *n);

struct teredo_client_status client_status(const struct node *n);
/* The host's IPv4 address changed: tells the core. */
void client_net_changed(struct node *n);

#endif
