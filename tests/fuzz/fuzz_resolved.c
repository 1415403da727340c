/*
 * fuzz_resolved.c - a resolver that was taken over, at the parent
 *
 * The engine asks about servers with and without a second name; the resolver
 * says anything: octets, answers about what was not asked, too many addresses,
 * descriptors, its end. Time passes. resolve.c is the parent's own; processes
 * and the event loop are this file. One answer to the engine for each question
 * that ends, about that server, with an address that was said and none where
 * none was; at its begin the last one, if there was any; what the policy learns is what the engine is told; no process is
 * left at the end.
 */
#include "config.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "../../src/clock.h"
#include "../../src/log.h"
#include "../../src/msg.h"
#include "../../src/parent.h"

#define SECOND	1000000000u
#define SERVERS 4u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct world {
	const uint8_t *at, *end;
	uint64_t now;
	struct parent p;
	unsigned started, ended;
	int resolver[SERVERS];		/* its end; -1: none */
	loop_fn *fn[SERVERS];
	void *ctx[SERVERS];
	uint32_t learnt;		/* by the policy, not told yet */
	bool failing;			/* processes cannot be started */
	uint32_t said[SERVERS];		/* the last address in a message */
	bool spoke[SERVERS];
} w;

static uint8_t octet(void)
{
	return w.at < w.end ? *w.at++ : 0;
}

uint64_t clock_now(void)
{
	return w.now;
}

/* ---- processes and loop ---- */

static unsigned number(int sock)
{
	for (unsigned i = 0; i < SERVERS; i++)
		if (w.p.resolve[i].child.sock == sock &&
		    w.p.resolve[i].child.pid != 0)
			return i;
	abort();
}

int child_start(struct child *c, const struct child_env *env,
		const char *name)
{
	int pair[2], error;

	(void)env;
	assert(strcmp(name, "miredo-resolver") == 0 && c->pid == 0);
	if (w.failing)
		return -EAGAIN;
	error = msg_pair(pair);
	assert(error == 0);
	c->pid = (pid_t)++w.started;
	c->sock = pair[0];
	w.resolver[number(pair[0])] = pair[1];
	w.spoke[number(pair[0])] = false;
	return 0;
}

void child_end(struct child *c)
{
	unsigned i = number(c->sock);

	assert(w.resolver[i] >= 0 && w.fn[i] == NULL);
	close(w.resolver[i]);
	w.resolver[i] = -1;
	close(c->sock);
	c->sock = -1;
	c->pid = 0;
	w.ended++;
}

int loop_add(struct loop *loop, int fd, uint32_t events, loop_fn *fn,
	     void *ctx)
{
	unsigned i = number(fd);

	(void)loop;
	assert(events == EPOLLIN && w.fn[i] == NULL);
	w.fn[i] = fn;
	w.ctx[i] = ctx;
	return 0;
}

void loop_remove(struct loop *loop, int fd)
{
	(void)loop;
	w.fn[number(fd)] = NULL;
}

/* ---- the rest of the parent ---- */

void parent_net_server(struct parent *p, uint32_t ip)
{
	(void)p;
	assert(ip != 0 && w.learnt == 0);
	w.learnt = ip;
}

void parent_send(struct parent *p, const void *msg, size_t len, int fd)
{
	struct priv_resolved m;
	uint32_t ip, ip2;

	(void)p;
	assert(len == sizeof(m) && fd == -1);
	memcpy(&m, msg, sizeof(m));
	assert(m.verb == PRIV_RESOLVED && m.server < SERVERS);
	assert(m.ip == w.learnt);
	assert(m.ip != 0 || m.ip2 == 0);
	assert(m.server == 3 || m.ip == 0 || w.spoke[m.server] ||
	       (known_find(&w.p.known, w.p.conf.server[m.server].name, &ip,
			   &ip2) && ip == m.ip));
	assert(m.server != 3 || m.ip == inet_addr("192.0.2.3"));
	w.learnt = 0;
}

static void forget_line(void *ctx, int level, const char *line)
{
	(void)ctx;
	(void)level;
	assert(strlen(line) <= LOG_LINE_MAX);
}

/* ---- the resolver ---- */

static void say(unsigned i)
{
	struct priv_told m = { .verb = PRIV_TOLD };
	uint8_t how = octet(), noise = octet();
	size_t len = sizeof(m);

	m.id = how & 3;
	m.error = how & 4 ? -(int)(noise % 16) : 0;
	m.n = how & 8 ? noise : how >> 6;
	for (unsigned k = 0; k < 8; k++)
		m.ip[k] = octet() * 0x01010101u;
	if (how & 16)
		((uint8_t *)&m)[noise % sizeof(m)] ^= octet();
	if (how & 32)
		len = noise;
	if (len > sizeof(m))
		len = sizeof(m);
	w.spoke[i] = true;
	msg_send(w.resolver[i], &m, len,
		 (how & 32) && (noise & 128) ? w.resolver[i] : -1);
}

static void act(void)
{
	uint8_t op = octet();
	unsigned i = op / 8 % SERVERS;

	switch (op % 8) {
	case 0:
	case 1:
		resolve_ask(&w.p, i);
		break;
	case 2:
		w.now += (op / 8) * (uint64_t)SECOND;
		resolve_tick(&w.p, w.now);
		break;
	case 3:
		w.failing = op & 8;
		break;
	default:
		if (w.resolver[i] < 0)
			break;
		if (op % 8 == 4)
			shutdown(w.resolver[i], 2);
		else
			say(i);
		if (w.fn[i] != NULL)
			w.fn[i](w.ctx[i], EPOLLIN);
	}
	assert(w.learnt == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const char *const name[SERVERS][2] = {
		{ "one.example", "" }, { "two.example", "second.example" },
		{ "three.example", "192.0.2.33" }, { "192.0.2.3", "" },
	};

	memset(&w, 0, sizeof(w));
	w.at = data;
	w.end = data + len;
	w.now = 3600 * (uint64_t)SECOND;
	w.p.known.fd = -1;
	log_to_sink(forget_line, NULL);
	for (unsigned i = 0; i < SERVERS; i++) {
		w.resolver[i] = -1;
		strcpy(w.p.conf.server[i].name, name[i][0]);
		strcpy(w.p.conf.server[i].name2, name[i][1]);
	}
	while (w.at < w.end)
		act();
	resolve_tick(&w.p, UINT64_MAX);
	assert(w.started == w.ended);
	return 0;
}
