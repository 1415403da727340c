/*
 * server_relay.h - server and relay in one, RFC 4380 5.4.3
 *
 * Both cores on the same sockets and with the same public IPv4 address, as a
 * server is: a client's own server is then a relay for it, too.
 */
#ifndef LIBTEREDO_SERVER_RELAY_H
#define LIBTEREDO_SERVER_RELAY_H

#include "relay.h"
#include "server.h"

struct teredo_server_relay;

/* A relay for the server's prefix and whoever is routed to it. NULL: out of
 * memory. */
struct teredo_server_relay *
teredo_server_relay_new(const struct teredo_server_config *server,
			uint32_t max_peers, const struct teredo_env *env);
void teredo_server_relay_free(struct teredo_server_relay *sr);

/* As those of server.h and relay.h. */
void teredo_server_relay_set_local(struct teredo_server_relay *sr,
				   const struct local4 *local,
				   const struct teredo_addr *addr6,
				   unsigned n);
struct teredo_verdict
teredo_server_relay_udp_in(struct teredo_server_relay *sr,
			   const struct teredo_rx *rx, teredo_time now,
			   struct teredo_outbox *ob);
void teredo_server_relay_expire(struct teredo_server_relay *sr,
				teredo_time now, struct teredo_outbox *ob);
teredo_time
teredo_server_relay_deadline(const struct teredo_server_relay *sr);

/* For what is the relay's alone: the tun's side, status, what is saved.
 * It lives as long as sr. */
struct teredo_relay *
teredo_server_relay_relay(const struct teredo_server_relay *sr);
uint32_t teredo_server_relay_clients(const struct teredo_server_relay *sr,
				     teredo_time now);

/* The sums of both, until the next call. */
const struct teredo_counters *
teredo_server_relay_counters(const struct teredo_server_relay *sr);

#endif
