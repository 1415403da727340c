/*
 * story_secure.c - who has the key, and who has not
 *
 * RFC 4380 5.2.2, 5.3.2. A server that does not know the client's key, or that
 * knows none, gives it no address, ever; a key that is no longer valid takes
 * none away.
 */
#include "config.h"

#include <string.h>

#include "lab.h"
#include "scenario.h"

#define HOUR (3600 * TEREDO_SECOND)

static struct auth_key key_of(const char *id, uint8_t octet)
{
	struct auth_key key = {.algorithm = TEREDO_HMAC_SHA1,
			       .id_len = (uint8_t)strlen(id),
			       .secret_len = 20};

	memcpy(key.id, id, key.id_len);
	memset(key.secret, octet, key.secret_len);
	return key;
}

/* The server begins anew, with this key alone. */
static void give_server_key(struct node *server, struct auth_key key,
			    bool required)
{
	struct server_role *s = server_role(server);

	node_stop(server);
	s->keys.n = 1;
	s->keys.key[0] = key;
	s->config.keys = &s->keys;
	s->config.require_auth = required;
	node_start(server);
}

static struct node *client_with_key(struct lab *l, const char *name,
				    uint8_t octet)
{
	struct node *n = lab_client(l, name, NAT_PORT);

	client_role(n)->config.key = key_of("alice", octet);
	return n;
}

static void who_has_the_key_qualifies(struct world *w, unsigned required)
{
	struct lab *l = lab_new(w);
	struct node *alice = client_with_key(l, "alice", 1);
	struct node *bob = lab_client(l, "bob", NAT_PORT);

	give_server_key(l->server, key_of("alice", 1), required != 0);
	qualify(alice);
	node_start(bob);
	world_run(w, 600 * TEREDO_SECOND);
	EXPECT(w, is_qualified(alice));
	EXPECT(w, client_status(alice).nat == TEREDO_NAT_CONE_OR_RESTRICTED);
	EXPECT(w, alice->stack->addresses == 1);
	EXPECT(w, talks(alice->stack, l->host, 3));
	EXPECT(w, node_counter(alice, TEREDO_DROP_authentication) == 0);
	EXPECT(w, is_qualified(bob) == !required);
}

static void who_has_another_key_never_does(struct world *w, unsigned variant)
{
	struct lab *l = lab_new(w);
	struct node *alice = client_with_key(l, "alice", 1);

	(void)variant;
	give_server_key(l->server, key_of("alice", 2), true);
	node_start(alice);
	world_run(w, HOUR);
	EXPECT(w, !client_status(alice).has_address);
	EXPECT(w, alice->stack->addresses == 0);
	EXPECT(w, node_counter(l->server, TEREDO_EV_ra_sent) == 0);
	EXPECT(w, node_counter(l->server, TEREDO_DROP_authentication) > 100);
	EXPECT(w, node_counter(alice, TEREDO_EV_rs_sent) < 300);
	give_server_key(l->server, key_of("alice", 1), true);
	wait_qualified(alice, 34 * TEREDO_SECOND);
}

/* Fails closed: an answer that proves nothing is none. */
static void a_server_without_keys_is_not_believed(struct world *w,
						  unsigned variant)
{
	struct lab *l = lab_new(w);
	struct node *alice = client_with_key(l, "alice", 1);

	(void)variant;
	node_start(alice);
	world_run(w, HOUR);
	EXPECT(w, !client_status(alice).has_address);
	EXPECT(w, node_counter(l->server, TEREDO_EV_ra_sent) > 100);
	EXPECT(w, node_counter(alice, TEREDO_DROP_authentication) > 100);
	EXPECT(w, node_counter(alice, TEREDO_EV_ra_accepted) == 0);
}

static void a_key_that_expires_is_told_and_takes_nothing(struct world *w,
							 unsigned variant)
{
	struct lab *l = lab_new(w);
	struct node *alice = client_with_key(l, "alice", 1);
	struct auth_key expired = key_of("alice", 1);

	(void)variant;
	give_server_key(l->server, key_of("alice", 1), true);
	qualify(alice);
	expired.expired = 1;
	give_server_key(l->server, expired, true);
	world_run(w, 60 * TEREDO_SECOND);
	EXPECT(w, client_status(alice).key_expired);
	EXPECT(w, client_status(alice).has_address);
	EXPECT(w, client_status(alice).state == TEREDO_CLIENT_LOST);
	EXPECT(w, talks(alice->stack, l->host, 3));
	give_server_key(l->server, key_of("alice", 1), true);
	wait_qualified(alice, 34 * TEREDO_SECOND);
	EXPECT(w, !client_status(alice).key_expired);
	EXPECT(w, alice->stack->addresses == 1);
}

static void required_label(unsigned variant, char out[SCENARIO_LABEL])
{
	snprintf(out, SCENARIO_LABEL, "%s",
		 variant ? "required" : "not required");
}

const struct scenario story_secure[] = {
	STORY(who_has_the_key_qualifies,
	      "C-SECQ-01 C-CFG-02 S-RS-11 S-RS-12 S-CHK-04", .variants = 2,
	      .label = required_label),
	STORY(who_has_another_key_never_does, "C-SECQ-06 S-CHK-04"),
	STORY(a_server_without_keys_is_not_believed, "C-SECQ-01 SEC-MITM-01"),
	STORY(a_key_that_expires_is_told_and_takes_nothing,
	      "C-SECQ-05 S-RS-13"),
	{.name = NULL},
};
