/*
 * client_test.c - is a native host alive, and by which relay?
 *
 * RFC 4380 5.2.9. An echo request with a nonce goes to the host by way of our
 * server; the reply comes by the relay that is nearest to the host, and proves
 * that relay. One nonce serves a test and its repetitions, so that a slow
 * answer to an earlier one counts. A relay that was proven before is asked as
 * well: it may be there when the server is not.
 *
 * Nonces are kept by the peer's slot. One may be of the peer that was there
 * before, until a test is sent to this one; none is sent to a Teredo peer, and
 * so nothing counts as the answer of one.
 *
 * Where a host's way changes from one relay to another, and soon back again,
 * both have passed a test, and packets by either are the host's. So the relay
 * before is believed too, for as long as it would have been without the other,
 * and what comes by it is a reason for another test. Our packets go to the one
 * that passed the last.
 */
#include "client_internal.h"

#include <string.h>

#include "icmp6.h"

#define TEST_VALIDITY	(30 * TEREDO_SECOND)	/* C-DCT-04 */
#define TEST_DATA	8u			/* C-DCT-02, C-DCT-05 */

/* Room is a precondition of all callers. */
static void send_test(struct teredo_client *c, const struct peer *p,
		      uint64_t nonce, struct teredo_ep to,
		      struct teredo_outbox *ob)
{
	uint8_t *out = outbox_udp(ob, TEREDO_VIA_PRIMARY, to,
				  ICMP6_ECHO_LEN(TEST_DATA));
	uint16_t id;

	if (out == NULL)
		return;
	c->env.random(c->env.ctx, &id, sizeof(id));
	icmp6_put_echo(out, ICMP6_ECHO_REQUEST, &c->addr, &p->addr, id,
		       p->attempts, (const uint8_t *)&nonce, TEST_DATA);
	c->count.n[TEREDO_EV_test_sent]++;
}

/* C-DCT-02..05. Servers ration tests, so that those for strangers must leave
 * room for our own (SEC-REF-04). */
bool client_test_send(struct teredo_client *c, struct peer *p, teredo_time now,
		      struct teredo_outbox *ob)
{
	uint64_t *nonce = &c->native[peers_slot(c->path.peers, p)].nonce;

	if (!p->wanted && !ratelimit_take(&c->native_tests, now))
		return false;
	if (p->attempts <= 1 || p->last_attempt == 0 || *nonce == 0)
		c->env.random(c->env.ctx, nonce, sizeof(*nonce));
	if (*nonce == 0)		/* means: no test */
		*nonce = 1;
	send_test(c, p, *nonce, addr_server_ep(c->used.ip), ob);
	if (p->proven && ep_is_acceptable(p->ep, &c->local))
		send_test(c, p, *nonce, p->ep, ob);
	return true;
}

/* C-RX-08, C-RX-10 */
bool client_test_is_answered(struct teredo_client *c, const struct peer *peer,
			     const struct wire_packet *p, teredo_time now)
{
	uint64_t *nonce;
	const uint8_t *msg;
	size_t len;

	if (peer == NULL || client_is_teredo(&p->src) ||
	    p->next_header != ICMP6_NEXT_HEADER ||
	    peer_age(peer->last_attempt, now) > TEST_VALIDITY)
		return false;
	nonce = &c->native[peers_slot(c->path.peers, peer)].nonce;
	msg = icmp6_message(p, &len);
	if (*nonce == 0 || msg == NULL || msg[0] != ICMP6_ECHO_REPLY ||
	    len != 8 + TEST_DATA || !nonce_is_same(msg + 8, nonce, TEST_DATA))
		return false;
	*nonce = 0;
	peers_answered(c->path.peers, peer, now);
	c->count.n[TEREDO_EV_test_answered]++;
	return true;
}

void client_test_moves(struct teredo_client *c, const struct peer *peer,
		       struct teredo_ep at, teredo_time now)
{
	struct client_native *n = &c->native[peers_slot(c->path.peers, peer)];

	if (!peer_is_trusted(peer, now) || ep_equal(peer->ep, at))
		return;
	n->addr = peer->addr;
	n->before = peer->ep;
	n->until = now + PEER_VALIDITY - peer_age(peer->last_rx, now);
}

bool client_test_was_at(const struct teredo_client *c, const struct peer *peer,
			struct teredo_ep at, teredo_time now)
{
	const struct client_native *n;

	if (peer == NULL || !peer_is_trusted(peer, now))
		return false;
	n = &c->native[peers_slot(c->path.peers, peer)];
	return now < n->until && ep_equal(n->before, at) &&
	       addr_equal(&n->addr, &peer->addr);
}
