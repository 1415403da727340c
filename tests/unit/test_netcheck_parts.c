/*
 * test_netcheck_parts.c - netcheck's gateway protocols and lifetimes
 */
#include "config.h"

#include "testing.h"

#include "../../libteredo/icmp6.h"
#include "../../libteredo/server.h"
#include "../../src/netcheck_lifetime.h"

#define SERVER	"192.0.2.1"
#define OUTSIDE "203.0.113.9"

/* ---- port mapping ---- */

static void pcp_answers_are_read(void **state)
{
	uint8_t answer[24] = {2, 0x80};

	(void)state;
	assert_int_equal(netcheck_get_pcp(answer, 24), NETCHECK_YES);
	assert_int_equal(netcheck_get_pcp(answer, 23), NETCHECK_UNKNOWN);
	answer[3] = 12; /* there is another NAT between us */
	assert_int_equal(netcheck_get_pcp(answer, 24), NETCHECK_NO);
	answer[1] = 0; /* a request */
	assert_int_equal(netcheck_get_pcp(answer, 24), NETCHECK_UNKNOWN);
	memcpy(answer, "\0\200\0\1", 4); /* NAT-PMP: version not supported */
	assert_int_equal(netcheck_get_pcp(answer, 8), NETCHECK_NO);
}

static void upnp_answers_are_read(void **state)
{
	static const struct {
		const char *text;
		enum netcheck_fact fact;
	} cases[] = {
		{"HTTP/1.1 200 OK\r\nst:urn:schemas-upnp-org:device:"
		 "InternetGatewayDevice:1\r\n\r\n",
		 NETCHECK_YES},
		{"HTTP/1.1 200 OK\r\nST: urn:schemas-upnp-org:device:"
		 "MediaServer:1\r\n\r\n",
		 NETCHECK_UNKNOWN},
		{"NOTIFY * HTTP/1.1\r\nST: urn:schemas-upnp-org:device:"
		 "InternetGatewayDevice:1\r\n\r\n",
		 NETCHECK_UNKNOWN},
		{"", NETCHECK_UNKNOWN},
		{"\r\n\r\n", NETCHECK_UNKNOWN},
	};

	(void)state;
	for (unsigned i = 0; i < COUNT(cases); i++)
		assert_int_equal(
			netcheck_get_ssdp((const uint8_t *)cases[i].text,
					  strlen(cases[i].text)),
			cases[i].fact);
}

/* ---- lifetimes: a NAT that forgets, and our server ---- */

struct bench {
	uint64_t seed;
	teredo_time now, forgets, used[NETCHECK_STEPS + 1];
	unsigned deaf; /* the server is, for so many datagrams */
	bool selfish;  /* it forwards nothing */
	struct netcheck_lifetime *l;
	struct teredo_server *server;
	struct teredo_outbox ob;
};

static unsigned socket_of(uint16_t port)
{
	return ntohs(port) - 40000u;
}

/* There and back in no time. */
static void carry(struct bench *b, unsigned socket,
		  const struct netcheck_datagram *d)
{
	struct teredo_rx rx = {.data = d->data,
			       .len = d->len,
			       .from = ep4(OUTSIDE, 40000 + socket),
			       .local_ip = ip4(SERVER),
			       .via = TEREDO_VIA_PRIMARY};

	assert_ep_equal(d->to, ep4(SERVER, 3544));
	b->used[socket] = b->now;
	if (b->deaf > 0 && b->deaf--)
		return;
	if (b->selfish && d->len == WIRE_BUBBLE_LEN)
		return;
	outbox_clear(&b->ob);
	teredo_server_udp_in(b->server, &rx, b->now, &b->ob);
	for (unsigned i = 0; i < b->ob.n; i++) {
		const struct outbox_item *item = &b->ob.item[i];
		unsigned to = socket_of(item->to.port);

		assert_true(to <= NETCHECK_ASKER);
		if (b->now - b->used[to] > b->forgets)
			continue;
		b->used[to] = b->now;
		netcheck_lifetime_in(b->l, to, ep4(SERVER, 3544),
				     outbox_data(&b->ob, item), item->len,
				     b->now);
	}
}

static struct netcheck_life measure_by(unsigned longest, unsigned forgets,
				       unsigned deaf, bool selfish)
{
	struct bench *b = calloc(1, sizeof(*b));
	struct teredo_server_config config = {.prefix = addr_default_prefix(),
					      .ip = ip4(SERVER),
					      .mtu = 1280};
	struct netcheck_datagram d;
	struct netcheck_life life;
	struct teredo_env env;
	unsigned socket;

	assert_non_null(b);
	env = test_env(&b->seed);
	b->now = TEREDO_SECOND;
	b->forgets = forgets * TEREDO_SECOND + 1;
	b->deaf = deaf;
	b->selfish = selfish;
	b->server = teredo_server_new(&config, &env);
	b->l = netcheck_lifetime_new(ip4(SERVER), longest * TEREDO_SECOND, &env,
				     b->now);
	assert_non_null(b->l);
	while (b->now != TEREDO_NEVER) {
		while (netcheck_lifetime_next(b->l, b->now, &socket, &d))
			carry(b, socket, &d);
		assert_true(b->now < (longest + 20) * TEREDO_SECOND);
		b->now = netcheck_lifetime_deadline(b->l);
	}
	netcheck_lifetime_result(b->l, &life);
	netcheck_lifetime_free(b->l);
	teredo_server_free(b->server);
	free(b);
	return life;
}

static struct netcheck_life measure(unsigned longest, unsigned forgets,
				    unsigned deaf)
{
	return measure_by(longest, forgets, deaf, false);
}

static void a_lifetime_is_found_between_two_steps(void **state)
{
	struct netcheck_life life = measure(300, 61, 0);

	(void)state;
	assert_true(life.measured);
	assert_int_equal(life.alive, 60 * TEREDO_SECOND);
	assert_int_equal(life.gone, 90 * TEREDO_SECOND);
}

static void the_ends_of_the_scale_are_open(void **state)
{
	struct netcheck_life life = measure(300, 1000, 0);

	(void)state;
	assert_int_equal(life.alive, 300 * TEREDO_SECOND);
	assert_int_equal(life.gone, 0);
	life = measure(300, 5, 0);
	assert_int_equal(life.alive, 0);
	assert_int_equal(life.gone, 15 * TEREDO_SECOND);
}

static void a_deaf_server_says_nothing_of_lifetimes(void **state)
{
	struct netcheck_life life = measure(300, 1000, 1000);

	(void)state;
	assert_int_equal(life.alive, 0);
	assert_int_equal(life.gone, 0);
	life = measure(300, 61, 3); /* some are lost */
	assert_int_equal(life.gone, 90 * TEREDO_SECOND);
}

/* What never came through is no mapping that is gone. */
static void a_server_that_does_not_forward_says_nothing(void **state)
{
	struct netcheck_life life = measure_by(300, 1000, 0, true);

	(void)state;
	assert_true(life.measured);
	assert_int_equal(life.alive, 0);
	assert_int_equal(life.gone, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pcp_answers_are_read),
		cmocka_unit_test(upnp_answers_are_read),
		cmocka_unit_test(a_lifetime_is_found_between_two_steps),
		cmocka_unit_test(the_ends_of_the_scale_are_open),
		cmocka_unit_test(a_deaf_server_says_nothing_of_lifetimes),
		cmocka_unit_test(a_server_that_does_not_forward_says_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
