/*
 * test_engine.c - the real miredo-engine, with the test as its parent
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "../../libteredo/addr.h"
#include "../../libteredo/icmp6.h"
#include "../../src/clock.h"
#include "../../src/snapshot.h"
#include "../../src/udp.h"
#include "datagram.h"
#include "engine_rig.h"
#include "netns.h"

static void a_server_answers_a_solicitation(void **state)
{
	static const uint8_t nonce[WIRE_NONCE_LEN] = "noncense";
	struct rig *r = *state;
	struct wire_packet p;
	struct icmp6_ra ra;
	struct teredo_ep from;
	struct ctl_status st;

	rig_start(r);
	rig_send_rs(r, nonce);
	from = rig_receive(r, &p);
	assert_true(ep_equal(from, r->udp_ep));
	assert_true(p.auth.present);
	assert_memory_equal(p.auth.nonce, nonce, sizeof(nonce));
	assert_true(p.has_origin);
	assert_true(ep_equal(p.origin, r->other_ep));
	assert_true(icmp6_parse_ra(&p, &ra));
	assert_int_equal(addr_server(&ra.prefix), SERVER);

	st = rig_get_status(r);
	assert_int_equal(st.role, PRIV_SERVER);
	assert_int_equal(st.pid, r->pid);
	assert_int_equal(st.generation, 1);
	assert_int_equal(st.n_counters, TEREDO_N_COUNTERS);
	assert_int_equal(st.server_ip, SERVER);
	assert_int_equal(st.server_ip2, SERVER2);
	assert_int_equal(st.local_port, r->udp_ep.port);
	assert_int_equal(st.counters[TEREDO_EV_rs_received], 1);
	assert_int_equal(st.counters[TEREDO_EV_ra_sent], 1);
	assert_int_equal(st.udp_rx.packets, 1);
	assert_int_equal(st.udp_tx.packets, 1);
}

static void a_client_gets_its_address(void **state)
{
	struct rig *r = *state;
	struct priv_answer done = {.verb = PRIV_ANSWER, .about = PRIV_TUN_UP};
	struct priv_tun_up up;
	struct teredo_addr addr;
	struct ctl_status st;

	rig_start(r);
	up = rig_qualify(r);
	rig_send_all(r, &done, sizeof(done), -1);
	assert_int_equal(up.mtu, 1280);
	memcpy(addr.b, up.addr, sizeof(addr.b));
	assert_true(addr_in_prefix(&addr, addr_default_prefix()));
	assert_int_equal(addr_server(&addr), SERVER);
	assert_true(ep_equal(addr_mapping(&addr), r->udp_ep));

	st = rig_get_status(r);
	assert_int_equal(st.role, PRIV_CLIENT);
	assert_memory_equal(st.addr, up.addr, sizeof(up.addr));
	assert_int_equal(st.server_ip, SERVER);
	assert_string_equal(st.server_name, "server.example");
	assert_string_equal(st.instance, "teredo");
	assert_int_equal(st.mapped_port, r->udp_ep.port);
	assert_int_equal(st.peers_max, PEERS);
}

/* C-RAND-04, C-SECQ-03: not from the time, the configuration or the place */
static void no_two_engines_draw_the_same_numbers(void **state)
{
	uint8_t nonce[4][WIRE_NONCE_LEN];
	struct rig *r = *state;
	struct wire_packet rs;

	for (unsigned i = 0; i < 4; i++) {
		rig_start(r);
		rig_receive_rs(r, &rs);
		memcpy(nonce[i], rs.auth.nonce, WIRE_NONCE_LEN);
		for (unsigned k = 0; k < i; k++)
			assert_memory_not_equal(nonce[i], nonce[k],
						WIRE_NONCE_LEN);
		rig_kill(r);
	}
}

/* The reason for the whole construction. */
static void an_engine_goes_on_where_the_killed_one_was(void **state)
{
	struct rig *r = *state;
	struct priv_tun_up first;
	struct wire_packet rs;
	struct teredo_ep from;
	struct ctl_status st;

	rig_start(r);
	first = rig_qualify(r);
	for (uint32_t generation = 2; generation <= 4; generation++) {
		rig_kill(r);
		/* qualified before any server said anything */
		rig_start(r);
		st = rig_get_status(r);
		assert_memory_equal(st.addr, first.addr, sizeof(first.addr));
		assert_int_equal(st.generation, generation);
		assert_int_equal(st.mapped_port, r->udp_ep.port);
	}
	/* and it confirms, from the same port, with a solicitation */
	do {
		from = rig_receive(r, &rs);
		assert_true(ep_equal(from, r->udp_ep));
	} while (!icmp6_is_rs(&rs));
}

/* When the memory of the peer says that it was heard; 0: it has none. */
static teredo_time recorded(const struct rig *r)
{
	struct snapshot *snap;
	struct snapshot_peer peer = {.heard = 0};
	uint32_t at = 0;

	assert_int_equal(snapshot_open(&snap, r->memfd, PEERS), 0);
	snapshot_next_peer(snap, &at, &peer);
	snapshot_close(snap);
	return peer.heard;
}

/* ... so that the next engine trusts no peer anew */
static void when_a_peer_was_heard_last_is_recorded(void **state)
{
	struct rig *r = *state;
	const struct teredo_ep at = {SERVER, htons(4000)};
	int fd = udp_open(at);
	uint8_t bubble[WIRE_BUBBLE_LEN];
	struct priv_tun_up up;
	struct teredo_addr peer, own;
	teredo_time since = clock_now(), first = 0, last;

	assert_true(fd >= 0);
	rig_start(r);
	up = rig_qualify(r);
	memcpy(own.b, up.addr, sizeof(own.b));
	addr_make(&peer, addr_default_prefix(), SERVER, 0, at);
	wire_put_bubble(bubble, &peer, &own);
	do {
		assert_true(clock_now() - since < 60 * TEREDO_SECOND);
		assert_int_equal(datagram_send(fd, r->udp_ep, bubble,
					       sizeof(bubble)), 0);
		poll(NULL, 0, 50);
		last = recorded(r);
		first = first != 0 ? first : last;
	} while (last == first);
	assert_true(first >= since && last > first && last <= clock_now());
	close(fd);
}

static void an_address_that_could_not_be_set_is_tried_again(void **state)
{
	struct rig *r = *state;
	struct priv_answer refused = {PRIV_ANSWER, PRIV_TUN_UP, -EPERM};
	struct priv_tun_up first;
	union message m;

	rig_start(r);
	first = rig_qualify(r);
	for (int i = 0; i < 3; i++) {
		rig_send_all(r, &refused, sizeof(refused), -1);
		rig_expect(r, PRIV_TUN_UP, &m);
		assert_memory_equal(&m.tun_up, &first, sizeof(first));
		refused.error = -EAGAIN;	/* no news for anybody */
	}
	assert_non_null(strstr(r->last_log, strerror(EPERM)));
}

/* As with ipv6.disable=1: there is no way to native hosts, and that is all. */
static void a_server_on_a_host_without_ipv6_serves(void **state)
{
	struct rig *r = *state;
	struct wire_packet p;

	close(r->native6);
	r->native6 = -1;
	rig_start(r);
	rig_send_rs(r, (const uint8_t *)"noncense");
	rig_receive(r, &p);
	assert_true(p.has_origin);
}

static void an_engine_says_that_it_lives(void **state)
{
	struct rig *r = *state;
	union message m;

	rig_start(r);
	rig_expect(r, PRIV_KEEPALIVE, &m);
}

static void an_engine_ends_with_its_parent(void **state)
{
	struct rig *r = *state;
	int status;

	rig_start(r);
	close(r->parent);
	r->parent = -1;
	status = rig_await_end(r);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void signals_to_the_whole_group_do_not_end_an_engine(void **state)
{
	struct rig *r = *state;

	rig_start(r);
	kill(r->pid, SIGINT);
	kill(r->pid, SIGHUP);
	kill(r->pid, SIGTERM);
	assert_int_equal(rig_get_status(r).pid, r->pid);
}

static void expect_failure(struct rig *r, const char *why)
{
	union message m;
	int status;

	rig_expect(r, PRIV_LOG, &m);
	assert_string_equal(m.log.text, why);
	status = rig_await_end(r);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), EX_SOFTWARE);
}

static void a_malformed_message_ends_an_engine(void **state)
{
	struct rig *r = *state;
	const uint32_t half[3] = {PRIV_RESOLVED};

	rig_start(r);
	rig_send_all(r, half, sizeof(half), -1);
	expect_failure(r, "malformed message from the parent");
}

static void an_engine_without_a_socket_does_not_start(void **state)
{
	struct rig *r = *state;

	rig_spawn(r);
	rig_send_all(r, &r->config, sizeof(r->config), -1);
	rig_send_word(r, PRIV_START, 0, -1);
	expect_failure(r, "the parent did not send all");
}

static void a_server_address_that_is_not_global_is_told(void **state)
{
	struct rig *r = *state;
	struct priv_resolved resolved = {.verb = PRIV_RESOLVED,
					 .ip = htonl(0x7f000001)};
	union message m;

	rig_start(r);
	rig_expect(r, PRIV_RESOLVE, &m);
	rig_send_all(r, &resolved, sizeof(resolved), -1);
	rig_expect(r, PRIV_LOG, &m);
	assert_string_equal(m.log.text, "server server.example: 127.0.0.1 is "
					"not a global address: not used");
}

int main(void)
{
#define SERVER_TEST(name)                                                      \
	cmocka_unit_test_setup_teardown(name, rig_set_up_server, rig_tear_down)
#define CLIENT_TEST(name)                                                      \
	cmocka_unit_test_setup_teardown(name, rig_set_up_client, rig_tear_down)
	const struct CMUnitTest tests[] = {
		SERVER_TEST(a_server_answers_a_solicitation),
		CLIENT_TEST(a_client_gets_its_address),
		CLIENT_TEST(no_two_engines_draw_the_same_numbers),
		CLIENT_TEST(an_engine_goes_on_where_the_killed_one_was),
		CLIENT_TEST(when_a_peer_was_heard_last_is_recorded),
		CLIENT_TEST(an_address_that_could_not_be_set_is_tried_again),
		SERVER_TEST(a_server_on_a_host_without_ipv6_serves),
		SERVER_TEST(an_engine_says_that_it_lives),
		SERVER_TEST(an_engine_ends_with_its_parent),
		SERVER_TEST(signals_to_the_whole_group_do_not_end_an_engine),
		SERVER_TEST(a_malformed_message_ends_an_engine),
		SERVER_TEST(an_engine_without_a_socket_does_not_start),
		CLIENT_TEST(a_server_address_that_is_not_global_is_told),
	};

	if (!netns_enter())
		return 0;
	if (!netns_add_ip4(SERVER) || !netns_add_ip4(SERVER2) ||
	    !netns_add_ip4(CLIENT))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
