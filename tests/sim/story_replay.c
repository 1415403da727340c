/*
 * story_replay.c - somebody who can listen
 *
 * Who hears what the others say can say it again: later, elsewhere, or faster
 * than the one who was asked, and who sits on the path can change it. What was
 * once an answer must not be one for another, and where secure qualification
 * is on, not even the path decides which address a client gets (RFC 4380
 * 7.2.1, 7.2.2; SEC-MITM; faults.md A2, A7).
 *
 * A cookie is an answer for up to a minute, as often as it is said: who can
 * hear one may use it so long (nonce.h). Here it is said after that.
 */
#include "config.h"

#include <arpa/inet.h>
#include <string.h>

#include "../../libteredo/icmp6.h"
#include "../../libteredo/wire.h"
#include "lab.h"
#include "scenario.h"
#include "villain.h"

#define TICK	   (100 * TEREDO_MS)
#define COOKIE_AGE (61 * TEREDO_SECOND)

struct scene {
	struct lab *l;
	struct node *alice, *bob; /* symmetric and cone */
	struct villain *eve;
	struct flow *flow[3];
	struct tap *tap[4];
};

static struct scene *set_scene(struct world *w)
{
	struct scene *s = world_alloc(w, sizeof(*s));

	s->l = lab_new(w);
	s->alice = lab_client(s->l, "alice", NAT_SYMMETRIC);
	s->bob = lab_client(s->l, "bob", NAT_CONE);
	s->eve = villain_new(w, "eve", "192.0.2.66", 666);
	s->tap[0] = tap_new(s->alice->link[0], NULL, NULL);
	s->tap[1] = tap_new(s->bob->link[0], NULL, NULL);
	s->tap[2] = tap_new(s->l->relay->link[0], NULL, NULL);
	s->tap[3] = tap_new(s->l->server->link[0], NULL, NULL);
	qualify(s->alice);
	qualify(s->bob);
	s->flow[0] = flow_start(s->alice->stack, s->l->host, TICK);
	s->flow[1] = flow_start(s->l->host, s->bob->stack, TICK);
	s->flow[2] = flow_start(s->bob->stack, s->alice->stack, TICK);
	s->alice->stack->meets_strangers = true;
	s->bob->stack->meets_strangers = true;
	s->l->host->meets_strangers = true;
	world_run(w, 5 * TEREDO_SECOND);
	return s;
}

/* Answers that were said twice fill no gap afterwards. */
static void expect_unharmed(struct scene *s)
{
	struct world *w = s->l->w;

	world_run(w, 4 * TEREDO_SECOND);
	for (unsigned i = 0; i < 3; i++) {
		EXPECT_AT_MOST(w, flow_gap(s->flow[i], 3 * TEREDO_SECOND),
			       3 * TICK);
		EXPECT(w, flow_lost(s->flow[i], 30) <= 1);
	}
	EXPECT(w, s->alice->stack->addresses == 1);
	EXPECT(w, s->bob->stack->addresses == 1);
}

static bool is_believed_at(const struct node *n, uint32_t ip)
{
	for (unsigned i = 0; i < NODE_PEERS; i++)
		if (n->peer[i].up && n->peer[i].ep.ip == ip)
			return true;
	return false;
}

/* To whom it was said; a client's datagrams go to its mapping. */
static struct teredo_ep again_to(const struct scene *s, unsigned i)
{
	if (i < 2)
		return addr_mapping(i ? &s->bob->stack->addr
				      : &s->alice->stack->addr);
	return node_ep(i == 2 ? s->l->relay : s->l->server, 0);
}

static void replay(struct scene *s, bool elsewhere)
{
	unsigned kept[4];

	for (unsigned i = 0; i < 4; i++) {
		kept[i] = s->tap[i]->n;
		EXPECT(s->l->w, kept[i] > 0);
	}
	for (unsigned i = 0; i < 4; i++) {
		for (unsigned k = 0; k < kept[i]; k++) {
			const struct datagram *d = s->tap[i]->kept[k];

			net4_spoof(s->eve->link,
				   elsewhere ? s->eve->ep : d->src,
				   again_to(s, i), d->data, d->len);
			world_run(s->l->w, 2 * TEREDO_MS);
		}
	}
	world_run(s->l->w, TEREDO_SECOND);
}

static void what_was_said_is_no_answer_later(struct world *w,
					     unsigned elsewhere)
{
	struct scene *s = set_scene(w);

	world_run(w, COOKIE_AGE);
	replay(s, elsewhere);
	EXPECT(w, !is_believed_at(s->alice, s->eve->ep.ip));
	EXPECT(w, !is_believed_at(s->bob, s->eve->ep.ip));
	EXPECT(w, !is_believed_at(s->l->relay, s->eve->ep.ip));
	expect_unharmed(s);
}

static uint64_t open_tests(const struct node *n)
{
	return node_counter(n, TEREDO_EV_test_sent) -
	       node_counter(n, TEREDO_EV_test_answered);
}

/* Advertisements and answers to tests count once, however soon. */
static void answers_with_a_nonce_count_once(struct world *w, unsigned variant)
{
	struct scene *s = set_scene(w);
	uint64_t before = node_counter(s->bob, TEREDO_EV_ra_accepted);
	uint64_t open = open_tests(s->bob);
	uint8_t data[2048];
	struct wire_packet p;
	unsigned kept = s->tap[1]->n, said = 0;

	(void)variant;
	for (unsigned i = 0; i < kept; i++) {
		const struct datagram *d = s->tap[1]->kept[i];

		if (wire_parse(&p, d->data, d->len) != WIRE_OK ||
		    (!p.auth.present && p.next_header != ICMP6_NEXT_HEADER))
			continue;
		said++;
		memcpy(data, d->data, d->len);
		net4_spoof(s->eve->link, d->src, again_to(s, 1), data, d->len);
		if (p.auth.present)
			wire_put_origin(data + WIRE_AUTH_LEN, s->eve->ep);
		net4_spoof(s->eve->link, d->src, again_to(s, 1), data, d->len);
		net4_spoof(s->eve->link, s->eve->ep, again_to(s, 1), d->data,
			   d->len);
		world_run(w, TEREDO_MS);
	}
	world_run(w, TEREDO_SECOND);
	EXPECT(w, said >= 3); /* two advertisements and a test at least */
	EXPECT(w, node_counter(s->bob, TEREDO_EV_ra_accepted) == before);
	/* it asked anew who was heard elsewhere, and no more was answered */
	EXPECT(w, open_tests(s->bob) >= open);
	EXPECT(w, !is_believed_at(s->bob, s->eve->ep.ip));
	expect_unharmed(s);
}

static void where_label(unsigned v, char out[SCENARIO_LABEL])
{
	snprintf(out, SCENARIO_LABEL, "from_%s", v ? "elsewhere" : "there");
}

/* ---- on the path, against a key ---- */

enum meddling {
	CHANGE_ORIGIN,	/* in the server's answer */
	CHANGE_MTU,
	CHANGE_PREFIX,
	CLEAR_KEY,	/* answer as a server without keys */
	SWAP_NONCE,	/* an older answer, with the nonce of this question */
	MEDDLINGS
};

static const char *const meddling_names[MEDDLINGS] = {
	"origin", "mtu", "prefix", "no_key", "old_answer",
};

struct path_attack {
	enum meddling how;
	bool is_off; /* lets pass for now */
	size_t old_len;
	uint8_t old[512];
	unsigned changed;
};

static void clear_key(struct datagram *d, const struct wire_packet *p)
{
	uint8_t nonce[WIRE_NONCE_LEN];
	size_t auth = WIRE_AUTH_LEN + p->auth.id_len + p->auth.value_len;

	memcpy(nonce, p->auth.nonce, sizeof(nonce));
	memmove(d->data + WIRE_AUTH_LEN, d->data + auth, d->len - auth);
	wire_put_auth(d->data, nonce);
	d->len -= auth - WIRE_AUTH_LEN;
}

static void swap_nonce(struct path_attack *a, struct datagram *d,
		       const struct wire_packet *p)
{
	size_t at = (size_t)(p->auth.value - d->data) + p->auth.value_len;
	uint8_t nonce[WIRE_NONCE_LEN];

	if (a->old_len != d->len)
		return;
	memcpy(nonce, p->auth.nonce, sizeof(nonce));
	memcpy(d->data, a->old, d->len);
	memcpy(d->data + at, nonce, sizeof(nonce));
}

static bool meddle(struct tap *t, struct datagram *d)
{
	const struct teredo_ep victim = {inet_addr("192.0.2.42"), htons(42)};
	struct path_attack *a = t->ctx;
	struct wire_packet p;
	uint8_t *ra;

	if (wire_parse(&p, d->data, d->len) != WIRE_OK || !p.auth.present)
		return true;
	if (a->is_off) {
		memcpy(a->old, d->data, d->len);
		a->old_len = d->len;
		return true;
	}
	a->changed++;
	ra = d->data + p.ip6_off;
	switch (a->how) {
	case CHANGE_ORIGIN:
		wire_put_origin(ra - WIRE_ORIGIN_LEN, victim);
		break;
	case CHANGE_MTU:
		ra[ICMP6_RA_LEN - 1] ^= 100;
		villain_fix_checksum(ra);
		break;
	case CHANGE_PREFIX:
		ra[WIRE_IP6_LEN + 16 + 16 + 7] ^= 1;
		villain_fix_checksum(ra);
		break;
	case CLEAR_KEY:
		clear_key(d, &p);
		break;
	case SWAP_NONCE:
		swap_nonce(a, d, &p);
		break;
	case MEDDLINGS:
		break;
	}
	return true;
}

static void give_keys(struct node *server, struct node *client)
{
	struct server_role *s = server_role(server);
	struct auth_key *key = &client_role(client)->config.key;

	*key = (struct auth_key){.algorithm = TEREDO_HMAC_SHA1,
				 .id_len = 5,
				 .secret_len = 20};
	memcpy(key->id, "alice", 5);
	memset(key->secret, 7, key->secret_len);
	node_stop(server);
	s->keys.n = 1;
	s->keys.key[0] = *key;
	s->config.keys = &s->keys;
	s->config.require_auth = true;
	node_start(server);
}

static void the_path_gives_no_address_to_who_has_a_key(struct world *w,
						       unsigned how)
{
	struct lab *l = lab_new(w);
	struct node *alice = lab_client(l, "alice", NAT_PORT);
	struct path_attack attack = {.how = (enum meddling)how};
	struct teredo_addr before;

	give_keys(l->server, alice);
	tap_new(alice->link[0], meddle, &attack);
	if (how == SWAP_NONCE) {
		attack.is_off = true;
		qualify(alice);
		before = alice->stack->addr;
		attack.is_off = false;
		world_run(w, 300 * TEREDO_SECOND);
		EXPECT(w, addr_equal(&before, &alice->stack->addr));
		EXPECT(w, !is_qualified(alice));
	} else {
		node_start(alice);
		world_run(w, 300 * TEREDO_SECOND);
		EXPECT(w, alice->stack->addresses == 0);
	}
	EXPECT(w, attack.changed > 5);
	EXPECT(w, node_counter(alice, TEREDO_DROP_authentication) ==
			  attack.changed);
	/* nothing that it did lasts */
	attack.is_off = true;
	wait_qualified(alice, 34 * TEREDO_SECOND);
	EXPECT(w, alice->stack->addresses == 1);
	EXPECT(w, talks(alice->stack, l->host, 3));
}

static void meddling_label(unsigned v, char out[SCENARIO_LABEL])
{
	snprintf(out, SCENARIO_LABEL, "%s", meddling_names[v]);
}

const struct scenario story_replay[] = {
	STORY(what_was_said_is_no_answer_later,
	      "SEC-MITM-01 SEC-MITM-04 R-DEC-07 A1 A2 A7", .variants = 2,
	      .label = where_label),
	STORY(answers_with_a_nonce_count_once,
	      "C-SECQ-02 C-DCT-04 SEC-MITM-01 SEC-MITM-04 A2 A7"),
	STORY(the_path_gives_no_address_to_who_has_a_key,
	      "C-SECQ-06 SEC-DOS-02", .variants = MEDDLINGS,
	      .label = meddling_label),
	{.name = NULL},
};
