/*
 * test_engine.c - the real miredo-engine, with the test as its parent
 *
 * The test plays the parent, the Internet (the loopback of a namespace of its
 * own, with documentation addresses) and the other end of the tun. The engine
 * is the program as it is built, in its sandbox.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../libteredo/addr.h"
#include "../../libteredo/icmp6.h"
#include "../../libteredo/wire.h"
#include "../../src/ctl.h"
#include "../../src/msg.h"
#include "../../src/snapshot.h"
#include "../../src/udp.h"
#include "datagram.h"
#include "netns.h"

#define PEERS	 16u
#define PATIENCE 10000 /* ms: when it takes longer, it does not come */

#define SERVER	htonl(0xc0000201) /* 192.0.2.1 */
#define SERVER2 htonl(0xc0000202)
#define CLIENT	htonl(0xc6336409) /* 198.51.100.9 */

union message {
	uint32_t verb;
	struct priv_word word;
	struct priv_tun_up tun_up;
	struct priv_log log;
};

/* What a parent holds while engines come and go. */
struct rig {
	struct priv_config config;
	pid_t pid;
	int parent; /* our end; -1: closed */
	int udp, udp2, native6, tun, stack, control, memfd;
	struct sockaddr_un control_name;
	socklen_t control_len;
	int other; /* who the engine talks to */
	struct teredo_ep other_ep, udp_ep;
	char last_log[PRIV_LOG_TEXT];
};

/* ---- the parent ---- */

static void send_all(struct rig *r, const void *data, size_t len, int fd)
{
	assert_int_equal(msg_send(r->parent, data, len, fd), 0);
}

static void send_word(struct rig *r, enum priv_verb verb, uint32_t value,
		      int fd)
{
	const struct priv_word word = {.verb = verb, .value = value};

	if (verb != PRIV_FD || fd >= 0)
		send_all(r, &word, sizeof(word), fd);
}

static void spawn(struct rig *r)
{
	const char *dir = getenv("top_builddir");
	char path[4096];
	int pair[2];

	snprintf(path, sizeof(path), "%s/miredo-engine",
		 dir != NULL ? dir : ".");
	assert_int_equal(msg_pair(pair), 0);
	r->pid = fork();
	assert_true(r->pid >= 0);
	if (r->pid == 0) {
		dup2(pair[1], 3);
		execl(path, path, (char *)NULL);
		perror(path);
		_exit(127);
	}
	close(pair[1]);
	r->parent = pair[0];
}

static void send_start(struct rig *r)
{
	static struct priv_netchange net;

	net = (struct priv_netchange){
		.verb = PRIV_NETCHANGE, .n4 = 1, .ip4 = {r->udp_ep.ip}};
	send_all(r, &r->config, sizeof(r->config), -1);
	send_word(r, PRIV_FD, PRIV_FD_TUN, r->tun);
	send_word(r, PRIV_FD, PRIV_FD_UDP, r->udp);
	send_word(r, PRIV_FD, PRIV_FD_UDP2, r->udp2);
	send_word(r, PRIV_FD, PRIV_FD_NATIVE6, r->native6);
	send_word(r, PRIV_FD, PRIV_FD_CONTROL, r->control);
	send_word(r, PRIV_FD, PRIV_FD_SNAPSHOT, r->memfd);
	send_all(r, &net, sizeof(net), -1);
	send_word(r, PRIV_START, 0, -1);
}

/* The next message of this verb; lines to be logged are noted, the rest is
 * passed over. */
static void expect(struct rig *r, enum priv_verb verb, union message *m)
{
	struct pollfd p = {.fd = r->parent, .events = POLLIN};
	ssize_t n;
	int fd;

	do {
		assert_int_equal(poll(&p, 1, PATIENCE), 1);
		n = msg_recv(r->parent, m, sizeof(*m), &fd);
		assert_int_equal(fd, -1);
		if (n == 0)
			fail_msg("the engine ended: %s", r->last_log);
		assert_true(n >= (ssize_t)sizeof(m->verb));
		if (m->verb == PRIV_LOG)
			memcpy(r->last_log, m->log.text, PRIV_LOG_TEXT);
	} while (m->verb != verb);
}

static void start(struct rig *r)
{
	union message m;

	spawn(r);
	send_start(r);
	expect(r, PRIV_READY, &m);
	expect(r, PRIV_CARRIER, &m);
	assert_int_equal(m.word.value, 1);
}

static int await_end(struct rig *r)
{
	int status = 0;

	assert_int_equal(waitpid(r->pid, &status, 0), r->pid);
	r->pid = 0;
	return status;
}

static void kill_engine(struct rig *r)
{
	kill(r->pid, SIGKILL);
	await_end(r);
	close(r->parent);
	r->parent = -1;
}

/* ---- the rig ---- */

static struct rig *new_rig(uint32_t role, uint32_t ip, uint32_t other)
{
	struct rig *r = calloc(1, sizeof(*r));

	assert_non_null(r);
	r->parent = r->udp2 = r->native6 = r->tun = r->stack = -1;
	r->udp = udp_open((struct teredo_ep){.ip = ip});
	r->other = udp_open((struct teredo_ep){.ip = other});
	r->udp_ep = udp_bound(r->udp);
	r->other_ep = udp_bound(r->other);
	r->memfd = snapshot_create(PEERS);
	r->control = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0);
	r->control_name.sun_family = AF_UNIX;
	bind(r->control, (struct sockaddr *)&r->control_name,
	     sizeof(sa_family_t));
	r->control_len = sizeof(r->control_name);
	getsockname(r->control, (struct sockaddr *)&r->control_name,
		    &r->control_len);
	assert_int_equal(listen(r->control, 5), 0);
	r->config = (struct priv_config){
		.verb = PRIV_CONFIG,
		.role = role,
		.configured = role,
		.prefix = addr_default_prefix(),
		.mtu = 1280,
		.max_peers = PEERS,
		.bind_ip = ip,
		.bind_port = r->udp_ep.port,
		.refresh = 30,
	};
	return r;
}

static int set_up_server(void **state)
{
	struct rig *r;

	*state = r = new_rig(PRIV_SERVER, SERVER, CLIENT);
	r->udp2 = udp_open(
		(struct teredo_ep){.ip = SERVER2, .port = r->udp_ep.port});
	r->native6 = socket(AF_INET6, SOCK_RAW | SOCK_NONBLOCK, IPPROTO_RAW);
	r->config.public_ip = SERVER;
	r->config.public_ip2 = SERVER2;
	strcpy(r->config.instance, "server");
	return 0;
}

static int set_up_client(void **state)
{
	struct rig *r;
	int pair[2];

	*state = r = new_rig(PRIV_CLIENT, CLIENT, SERVER);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0,
				    pair), 0);
	r->tun = pair[0];
	r->stack = pair[1];
	r->config.servers = 1;
	strcpy(r->config.server_name[0], "server.example");
	strcpy(r->config.instance, "teredo");
	/* the client sends to port 3544 */
	close(r->other);
	r->other_ep = (struct teredo_ep){.ip = SERVER, .port = htons(3544)};
	r->other = udp_open(r->other_ep);
	assert_true(r->other >= 0);
	return 0;
}

static int tear_down(void **state)
{
	struct rig *r = *state;

	if (r->pid > 0) {
		kill(r->pid, SIGKILL);
		await_end(r);
	}
	close(r->udp);
	close(r->other);
	close(r->memfd);
	close(r->control);
	if (r->parent >= 0)
		close(r->parent);
	close(r->udp2);		/* or -1, like those that follow */
	close(r->native6);
	close(r->tun);
	close(r->stack);
	free(r);
	return 0;
}

static struct ctl_status get_status(const struct rig *r)
{
	const struct ctl_request request = {
		.magic = CTL_MAGIC, .version = CTL_VERSION, .verb = CTL_STATUS};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	struct pollfd p = {.fd = fd, .events = POLLIN};
	struct ctl_status st;

	assert_int_equal(
		connect(fd, (const struct sockaddr *)&r->control_name,
			r->control_len), 0);
	assert_int_equal(send(fd, &request, sizeof(request), 0),
			 sizeof(request));
	assert_int_equal(poll(&p, 1, PATIENCE), 1);
	assert_int_equal(recv(fd, &st, sizeof(st), 0), sizeof(st));
	close(fd);
	return st;
}

/* ---- the Internet ---- */

/* A datagram at the other end: its source, and its parsed content in *p. */
static struct teredo_ep receive(struct rig *r, struct wire_packet *p)
{
	static uint8_t buf[2048];
	struct pollfd wait = {.fd = r->other, .events = POLLIN};
	struct teredo_ep from;
	uint32_t local;
	int n;

	assert_int_equal(poll(&wait, 1, PATIENCE), 1);
	n = datagram_recv(r->other, buf, sizeof(buf), &from, &local);
	assert_true(n > 0);
	assert_int_equal(wire_parse(p, buf, (size_t)n), WIRE_OK);
	return from;
}

static void send_rs(struct rig *r, const uint8_t nonce[WIRE_NONCE_LEN])
{
	uint8_t rs[WIRE_AUTH_LEN + ICMP6_RS_LEN];
	struct teredo_addr src;

	addr_make_link_local(&src, 0, r->other_ep);
	wire_put_auth(rs, nonce);
	icmp6_put_rs(rs + WIRE_AUTH_LEN, &src);
	assert_int_equal(datagram_send(r->other, r->udp_ep, rs, sizeof(rs)), 0);
}

/* Answers a solicitation as a server does: `from` is the mapping. */
static void send_ra(struct rig *r, struct teredo_ep from,
		    const struct wire_packet *rs)
{
	uint8_t ra[WIRE_AUTH_LEN + WIRE_ORIGIN_LEN + ICMP6_RA_LEN];
	struct teredo_addr src;

	addr_make_link_local(&src, ADDR_FLAG_CONE, r->other_ep);
	wire_put_auth(ra, rs->auth.nonce);
	wire_put_origin(ra + WIRE_AUTH_LEN, from);
	icmp6_put_ra(ra + WIRE_AUTH_LEN + WIRE_ORIGIN_LEN, &src, &rs->src,
		     addr_default_prefix(), SERVER, 1280);
	assert_int_equal(datagram_send(r->other, from, ra, sizeof(ra)), 0);
}

/* Resolves the server's name for a client until the client solicits. */
static struct teredo_ep receive_rs(struct rig *r, struct wire_packet *rs)
{
	struct priv_resolved resolved = {
		.verb = PRIV_RESOLVED, .ip = SERVER, .ip2 = SERVER2};
	struct teredo_ep from;
	union message m;

	expect(r, PRIV_RESOLVE, &m);
	assert_int_equal(m.word.value, 0);
	send_all(r, &resolved, sizeof(resolved), -1);
	from = receive(r, rs);
	assert_true(icmp6_is_rs(rs));
	return from;
}

/* Plays the server for a client until the client wants its address. */
static struct priv_tun_up qualify(struct rig *r)
{
	struct wire_packet rs;
	struct teredo_ep from;
	union message m;

	from = receive_rs(r, &rs);
	send_ra(r, from, &rs);
	expect(r, PRIV_TUN_UP, &m);
	return m.tun_up;
}

/* ---- the tests ---- */

static void a_server_answers_a_solicitation(void **state)
{
	static const uint8_t nonce[WIRE_NONCE_LEN] = "noncense";
	struct rig *r = *state;
	struct wire_packet p;
	struct icmp6_ra ra;
	struct teredo_ep from;
	struct ctl_status st;

	start(r);
	send_rs(r, nonce);
	from = receive(r, &p);
	assert_true(ep_equal(from, r->udp_ep));
	assert_true(p.auth.present);
	assert_memory_equal(p.auth.nonce, nonce, sizeof(nonce));
	assert_true(p.has_origin);
	assert_true(ep_equal(p.origin, r->other_ep));
	assert_true(icmp6_parse_ra(&p, &ra));
	assert_int_equal(addr_server(&ra.prefix), SERVER);

	st = get_status(r);
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

	start(r);
	up = qualify(r);
	send_all(r, &done, sizeof(done), -1);
	assert_int_equal(up.mtu, 1280);
	memcpy(addr.b, up.addr, sizeof(addr.b));
	assert_true(addr_in_prefix(&addr, addr_default_prefix()));
	assert_int_equal(addr_server(&addr), SERVER);
	assert_true(ep_equal(addr_mapping(&addr), r->udp_ep));

	st = get_status(r);
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
		start(r);
		receive_rs(r, &rs);
		memcpy(nonce[i], rs.auth.nonce, WIRE_NONCE_LEN);
		for (unsigned k = 0; k < i; k++)
			assert_memory_not_equal(nonce[i], nonce[k],
						WIRE_NONCE_LEN);
		kill_engine(r);
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

	start(r);
	first = qualify(r);
	for (uint32_t generation = 2; generation <= 4; generation++) {
		kill_engine(r);
		/* qualified before any server said anything */
		start(r);
		st = get_status(r);
		assert_memory_equal(st.addr, first.addr, sizeof(first.addr));
		assert_int_equal(st.generation, generation);
		assert_int_equal(st.mapped_port, r->udp_ep.port);
	}
	/* and it confirms, from the same port, with a solicitation */
	do {
		from = receive(r, &rs);
		assert_true(ep_equal(from, r->udp_ep));
	} while (!icmp6_is_rs(&rs));
}

static void an_address_that_could_not_be_set_is_tried_again(void **state)
{
	struct rig *r = *state;
	struct priv_answer refused = {PRIV_ANSWER, PRIV_TUN_UP, -EPERM};
	struct priv_tun_up first;
	union message m;

	start(r);
	first = qualify(r);
	for (int i = 0; i < 3; i++) {
		send_all(r, &refused, sizeof(refused), -1);
		expect(r, PRIV_TUN_UP, &m);
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
	start(r);
	send_rs(r, (const uint8_t *)"noncense");
	receive(r, &p);
	assert_true(p.has_origin);
}

static void an_engine_says_that_it_lives(void **state)
{
	struct rig *r = *state;
	union message m;

	start(r);
	expect(r, PRIV_KEEPALIVE, &m);
}

static void an_engine_ends_with_its_parent(void **state)
{
	struct rig *r = *state;
	int status;

	start(r);
	close(r->parent);
	r->parent = -1;
	status = await_end(r);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void signals_to_the_whole_group_do_not_end_an_engine(void **state)
{
	struct rig *r = *state;

	start(r);
	kill(r->pid, SIGINT);
	kill(r->pid, SIGHUP);
	kill(r->pid, SIGTERM);
	assert_int_equal(get_status(r).pid, r->pid);
}

static void expect_failure(struct rig *r, const char *why)
{
	union message m;
	int status;

	expect(r, PRIV_LOG, &m);
	assert_string_equal(m.log.text, why);
	status = await_end(r);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), EX_SOFTWARE);
}

static void a_malformed_message_ends_an_engine(void **state)
{
	struct rig *r = *state;
	const uint32_t half[3] = {PRIV_RESOLVED};

	start(r);
	send_all(r, half, sizeof(half), -1);
	expect_failure(r, "malformed message from the parent");
}

static void an_engine_without_a_socket_does_not_start(void **state)
{
	struct rig *r = *state;

	spawn(r);
	send_all(r, &r->config, sizeof(r->config), -1);
	send_word(r, PRIV_START, 0, -1);
	expect_failure(r, "the parent did not send all");
}

static void a_server_address_that_is_not_global_is_told(void **state)
{
	struct rig *r = *state;
	struct priv_resolved resolved = {.verb = PRIV_RESOLVED,
					 .ip = htonl(0x7f000001)};
	union message m;

	start(r);
	expect(r, PRIV_RESOLVE, &m);
	send_all(r, &resolved, sizeof(resolved), -1);
	expect(r, PRIV_LOG, &m);
	assert_string_equal(m.log.text, "server server.example: 127.0.0.1 is "
					"not a global address: not used");
}

int main(void)
{
#define SERVER_TEST(name)                                                      \
	cmocka_unit_test_setup_teardown(name, set_up_server, tear_down)
#define CLIENT_TEST(name)                                                      \
	cmocka_unit_test_setup_teardown(name, set_up_client, tear_down)
	const struct CMUnitTest tests[] = {
		SERVER_TEST(a_server_answers_a_solicitation),
		CLIENT_TEST(a_client_gets_its_address),
		CLIENT_TEST(no_two_engines_draw_the_same_numbers),
		CLIENT_TEST(an_engine_goes_on_where_the_killed_one_was),
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
