/*
 * fuzz_priv.c - an engine that was taken over, at the privileged border
 *
 * The input is the role and then what the engine says: messages of any verb,
 * well-formed or not, with or without a descriptor, and time that passes.
 * priv_serve() reads them from a socket as in the parent; the rest of the
 * parent is this file, which holds against what was granted, not against what
 * was asked: addresses only of a client, in the prefix, of a server that the
 * resolver gave, with an MTU in range, at most ten changes in a minute, and of
 * its second port; names by numbers that exist; lines with an end. Who breaks
 * the rules is gone.
 */
#include "config.h"

#include <arpa/inet.h>
#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../src/clock.h"
#include "../../src/log.h"
#include "../../src/msg.h"
#include "../../src/parent.h"

#define SECOND	 1000000000u
#define MESSAGES 256u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct world {
	const uint8_t *at, *end;
	uint64_t now;
	struct parent p;
	int engine;
	bool gone;
	int null;			/* as good as a second port */
	unsigned changes, opened, lines;
	uint64_t changed[MESSAGES], port[MESSAGES];
} w;

static uint8_t octet(void)
{
	return w.at < w.end ? *w.at++ : 0;
}

/* ---- the rest of the parent ---- */

uint64_t clock_now(void)
{
	return w.now;
}

void parent_ready(struct parent *p)
{
	assert(p == &w.p && !w.gone);
}

void parent_engine_bad(struct parent *p, const char *why)
{
	(void)why;
	assert(!w.gone);
	w.gone = true;
	close(p->engine.child.sock);
	p->engine.child.sock = -1;
}

void parent_send(struct parent *p, const void *msg, size_t len, int fd)
{
	assert(p->engine.child.sock >= 0);
	assert(fd == -1 || (fd == w.null && w.opened > 0));
	msg_send(p->engine.child.sock, msg, len, fd);
}

/* At most ten in any minute, and a client's. */
static void check_rate(uint64_t *at, unsigned *n)
{
	assert(!w.gone && w.p.policy.role == PRIV_CLIENT && *n < MESSAGES);
	at[(*n)++] = w.now;
	assert(*n <= 10 || w.now - at[*n - 11] >= 60 * (uint64_t)SECOND);
}

int parent_link_up(struct parent *p, const uint8_t addr[16], uint32_t mtu)
{
	static const uint8_t good[4] = { 0x20, 1, 0, 0 };
	uint32_t server;

	(void)p;
	check_rate(w.changed, &w.changes);
	memcpy(&server, addr + 4, 4);
	assert(memcmp(addr, good, 4) == 0);
	assert(server == inet_addr("192.0.2.1") ||
	       server == inet_addr("192.0.2.9"));
	assert(mtu >= 1280 && mtu <= 1500);
	return -(int)(mtu & 1);
}

int parent_secondary(struct parent *p, bool open)
{
	if (open)
		check_rate(w.port, &w.opened);
	p->fd[PRIV_FD_UDP2] = w.null;
	return 0;
}

void parent_link_carrier(struct parent *p)
{
	(void)p;
	assert(!w.gone && w.p.policy.role != PRIV_SERVER);
}

void resolve_ask(struct parent *p, unsigned server)
{
	(void)p;
	assert(server < 2 && w.p.policy.role == PRIV_CLIENT);
}

void parent_health_tell(struct parent *p, bool anyway)
{
	(void)p;
	(void)anyway;
}

void parent_health_say(struct parent *p)
{
	(void)p;
}

void parent_ask(struct parent *p, uint32_t verb, uint32_t value, int fd)
{
	assert(p == &w.p && fd >= 0);
	assert(verb == PRIV_RELOAD || (verb == PRIV_ANNOUNCE && value <= 1));
	close(fd);
}

void parent_ask_refuse(struct parent *p, uint32_t verb, int fd)
{
	assert(p == &w.p && fd >= 0);
	assert(verb == PRIV_RELOAD || verb == PRIV_ANNOUNCE);
	close(fd);
}

static void count_line(void *ctx, int level, const char *line)
{
	(void)ctx;
	assert(level >= 0 && level <= 7 && strlen(line) <= LOG_LINE_MAX);
	w.lines++;
}

/* ---- the engine ---- */

/* Any octets; `verb` in front makes them nearer to a message. */
static void say_raw(uint32_t verb)
{
	uint8_t msg[256];
	size_t n = octet();

	if (n > (size_t)(w.end - w.at))
		n = (size_t)(w.end - w.at);
	memcpy(msg, w.at, n);
	w.at += n;
	if (verb != 0 && n >= sizeof(verb))
		memcpy(msg, &verb, sizeof(verb));
	msg_send(w.engine, msg, n, -1);
}

static void say_word(void)
{
	const struct priv_word m = { octet() % 22, octet() % 4 };
	bool brings = priv_brings_fd(m.verb) != (octet() % 16 == 0);

	msg_send(w.engine, &m, sizeof(m), brings ? w.engine : -1);
}

static void say_up(void)
{
	struct priv_tun_up m = { .verb = PRIV_TUN_UP,
				 .addr = { 0x20, 1, 0, 0, 192, 0, 2 } };

	m.mtu = 1278u + octet();
	m.addr[7] = octet() % 16;
	m.addr[octet() % 8] ^= octet() & 1;
	m.addr[15] = octet();
	msg_send(w.engine, &m, sizeof(m), -1);
}

static void say_log(void)
{
	struct priv_log m = { .verb = PRIV_LOG, .level = octet() % 10 };

	memset(m.text, octet(), (octet() & 1) + sizeof(m.text) - 1);
	for (unsigned i = 0; i < 8; i++)
		m.text[i] = (char)octet();
	msg_send(w.engine, &m, sizeof(m), -1);
}

/* As long as that verb's messages are, whatever is in it. */
static void say_long(void)
{
	static uint8_t msg[PRIV_MESSAGE_MAX + 8];
	uint32_t verb = octet() % 22;
	size_t n = priv_length(verb) + octet() % 2;

	memset(msg, octet(), sizeof(msg));
	memcpy(msg, &verb, sizeof(verb));
	msg_send(w.engine, msg, n, octet() % 8 == 0 ? w.engine : -1);
}

static void say(uint8_t how)
{
	switch (how % 8) {
	case 0:
	case 1:
		say_word();
		break;
	case 2:
	case 3:
		say_up();
		break;
	case 4:
		say_log();
		break;
	case 5:
		say_long();
		break;
	case 6:
		say_raw(1 + how / 8 % 17);
		break;
	default:
		say_raw(0);
	}
}

static void read_answers(void)
{
	uint8_t m[PRIV_MESSAGE_MAX];
	ssize_t n;
	int fd;

	while ((n = msg_recv(w.engine, m, sizeof(m), &fd)) > 0) {
		assert((fd >= 0) == (n == sizeof(struct priv_word)));
		assert(fd >= 0 || n == sizeof(struct priv_answer) ||
		       n == sizeof(struct priv_resolved));
		if (fd >= 0)
			close(fd);
	}
}

static void open_world(void)
{
	int pair[2], error = msg_pair(pair);

	assert(error == 0);
	w.now = 3600 * (uint64_t)SECOND;
	w.p.engine.child.sock = pair[0];
	w.engine = pair[1];
	w.null = open("/dev/null", O_RDONLY);
	assert(w.null >= 0);
	w.p.policy.role = octet() % PRIV_DORMANT + PRIV_CLIENT;
	w.p.policy.prefix = htonl(0x20010000);
	w.p.policy.mtu_max = 1500;
	w.p.policy.n_servers = 2;
	priv_policy_add(&w.p.policy, inet_addr("192.0.2.1"));
	priv_policy_add(&w.p.policy, inet_addr("192.0.2.9"));
	log_to_sink(count_line, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	memset(&w, 0, sizeof(w));
	w.at = data;
	w.end = data + len;
	open_world();
	for (unsigned i = 0; i < MESSAGES && w.at < w.end && !w.gone; i++) {
		uint8_t how = octet();

		if (how >= 240)
			w.now += (how - 239) * (uint64_t)SECOND;
		else
			say(how);
		priv_serve(&w.p, 0);
		read_answers();
	}
	if (!w.gone)
		close(w.p.engine.child.sock);
	close(w.engine);
	close(w.null);
	return 0;
}
