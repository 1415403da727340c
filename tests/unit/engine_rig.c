/*
 * engine_rig.c - the real miredo-engine, with the test as its parent
 *
 * See engine_rig.h. Of a test's Internet there is the loopback of a namespace
 * of its own.
 */
#include "config.h"

#include "engine_rig.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../libteredo/addr.h"
#include "../../libteredo/icmp6.h"
#include "../../src/msg.h"
#include "../../src/snapshot.h"
#include "../../src/udp.h"
#include "datagram.h"

/* ---- the parent ---- */

void rig_send_all(struct rig *r, const void *data, size_t len, int fd)
{
	assert_int_equal(msg_send(r->parent, data, len, fd), 0);
}

void rig_send_word(struct rig *r, enum priv_verb verb, uint32_t value, int fd)
{
	const struct priv_word word = {.verb = verb, .value = value};

	if (verb != PRIV_FD || fd >= 0)
		rig_send_all(r, &word, sizeof(word), fd);
}

void rig_spawn(struct rig *r)
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
	rig_send_all(r, &r->config, sizeof(r->config), -1);
	rig_send_word(r, PRIV_FD, PRIV_FD_TUN, r->tun);
	rig_send_word(r, PRIV_FD, PRIV_FD_UDP, r->udp);
	rig_send_word(r, PRIV_FD, PRIV_FD_UDP2, r->udp2);
	rig_send_word(r, PRIV_FD, PRIV_FD_NATIVE6, r->native6);
	rig_send_word(r, PRIV_FD, PRIV_FD_CONTROL, r->control);
	rig_send_word(r, PRIV_FD, PRIV_FD_SNAPSHOT, r->memfd);
	rig_send_all(r, &net, sizeof(net), -1);
	rig_send_word(r, PRIV_START, 0, -1);
}

void rig_expect(struct rig *r, enum priv_verb verb, union message *m)
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

void rig_start(struct rig *r)
{
	union message m;

	rig_spawn(r);
	send_start(r);
	rig_expect(r, PRIV_READY, &m);
	rig_expect(r, PRIV_CARRIER, &m);
	assert_int_equal(m.word.value, 1);
}

int rig_await_end(struct rig *r)
{
	int status = 0;

	assert_int_equal(waitpid(r->pid, &status, 0), r->pid);
	r->pid = 0;
	return status;
}

void rig_kill(struct rig *r)
{
	kill(r->pid, SIGKILL);
	rig_await_end(r);
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

int rig_set_up_server(void **state)
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

int rig_set_up_client(void **state)
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

int rig_tear_down(void **state)
{
	struct rig *r = *state;

	if (r->pid > 0) {
		kill(r->pid, SIGKILL);
		rig_await_end(r);
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

struct ctl_status rig_get_status(const struct rig *r)
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

struct teredo_ep rig_receive(struct rig *r, struct wire_packet *p)
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

void rig_send_rs(struct rig *r, const uint8_t nonce[WIRE_NONCE_LEN])
{
	uint8_t rs[WIRE_AUTH_LEN + ICMP6_RS_LEN];
	struct teredo_addr src;

	addr_make_link_local(&src, 0, r->other_ep);
	wire_put_auth(rs, nonce);
	icmp6_put_rs(rs + WIRE_AUTH_LEN, &src);
	assert_int_equal(datagram_send(r->other, r->udp_ep, rs, sizeof(rs)), 0);
}

void rig_send_ra(struct rig *r, struct teredo_ep from,
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

struct teredo_ep rig_receive_rs(struct rig *r, struct wire_packet *rs)
{
	struct priv_resolved resolved = {
		.verb = PRIV_RESOLVED, .ip = SERVER, .ip2 = SERVER2};
	struct teredo_ep from;
	union message m;

	rig_expect(r, PRIV_RESOLVE, &m);
	assert_int_equal(m.word.value, 0);
	rig_send_all(r, &resolved, sizeof(resolved), -1);
	from = rig_receive(r, rs);
	assert_true(icmp6_is_rs(rs));
	return from;
}

struct priv_tun_up rig_qualify(struct rig *r)
{
	struct wire_packet rs;
	struct teredo_ep from;
	union message m;

	from = rig_receive_rs(r, &rs);
	rig_send_ra(r, from, &rs);
	rig_expect(r, PRIV_TUN_UP, &m);
	return m.tun_up;
}
