/*
 * server.h - the Teredo server, RFC 4380 5.3
 *
 * Stateless: answers router solicitations, passes bubbles to its clients with
 * the sender's endpoint in front, and passes connectivity tests on to native
 * IPv6. One packet out for a packet in, never to itself, never to an address
 * that is not global.
 */
#ifndef LIBTEREDO_SERVER_H
#define LIBTEREDO_SERVER_H

#include "addr.h"
#include "auth.h"
#include "outbox.h"
#include "teredo.h"
#include "wire.h"

struct teredo_server_config {
	uint32_t prefix;	/* octets 0-3 of the Teredo prefix */
	uint32_t ip;		/* advertised: global unicast */
	uint32_t ip2;		/* its second address; 0: there is none */
	uint32_t mtu;		/* advertised, 1280..65507 */
	struct access4 access;	/* of who asks and who is passed on to */
	bool no_6to4;		/* no tests of 6to4 hosts (SEC-LOOP-03) */
	/* Secure qualification (S-CHK-04): the clients' keys, each sound;
	 * NULL: none. Copied. Whether a solicitation without is refused. */
	const struct auth_keys *keys;
	bool require_auth;
};

struct teredo_server;

struct teredo_server *
teredo_server_new(const struct teredo_server_config *config,
		  const struct teredo_env *env);
void teredo_server_free(struct teredo_server *s);

/* This host's IPv4 addresses: never a source or destination of clients. */
void teredo_server_set_local(struct teredo_server *s,
			     const struct local4 *local);

/* rx->via tells which of the two addresses it was sent to. Answers are in the
 * outbox (fate TAKEN); a connectivity test gets TO_NATIVE6. */
struct teredo_verdict teredo_server_udp_in(struct teredo_server *s,
					   const struct teredo_rx *rx,
					   teredo_time now,
					   struct teredo_outbox *ob);
/* Datagrams from these n endpoints come next: purely a hint. */
void teredo_server_prefetch(const struct teredo_server *s,
			    const struct teredo_ep *from, unsigned n);
/* Whether the packet may be a connectivity test that the server passes on: a
 * small echo of a client at its mapping. */
bool teredo_server_may_test(const struct teredo_server *s,
			    const struct wire_packet *p,
			    struct teredo_ep from);
/* Takes what a bubble of ours (config.ip) that we pass on to `to` would take of
 * the limits; false: it would be dropped. */
bool teredo_server_take(struct teredo_server *s, struct teredo_ep to,
			teredo_time now);
/* Once a second while there are packets, and soon after: sweeps the tables of
 * limits (table.h). */
void teredo_server_expire(struct teredo_server *s, teredo_time now);
teredo_time teredo_server_deadline(const struct teredo_server *s);
/* Whom it answered within the last five minutes: seen_places(). */
uint32_t teredo_server_clients(const struct teredo_server *s, teredo_time now);
const struct teredo_counters *
teredo_server_counters(const struct teredo_server *s);

#endif
