/*
 * resolve.c - names, by way of disposable resolver processes
 *
 * getaddrinfo() blocks, reads files and parses answers of strangers: it runs
 * in a process that lives for one question of the engine's (a server's name,
 * and the name of its second address) and at most for ten seconds. Questions
 * about different servers run beside each other, so that one dead name does
 * not hold up the failover to another. A dotted quad needs no process.
 *
 * What the resolver says goes to the engine and is remembered in the policy:
 * the engine may ask for no address that names another server. An answer is
 * always given, "failed" too; the engine asks again when it wants to. A
 * failure is logged once, not each time that it goes on. A resolver that dies
 * over a question is replaced once.
 *
 * The engine asks when it has no server that answers: of a name with several
 * addresses it is given another one each time. What was the address last, in
 * this life or, by known.c, in one before, it is told at once, while a
 * resolver is being asked.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "clock.h"
#include "known.h"
#include "log.h"
#include "msg.h"
#include "parent.h"

#define LATE 2000000000u	/* by now others have had an answer */
#define PATIENCE 10000000000u	/* ns */
#define FIRST  1u
#define SECOND 2u

int resolve_send(const struct child *c, unsigned id, const char *name)
{
	struct priv_ask ask = { .verb = PRIV_ASK, .id = id };

	snprintf(ask.name, sizeof(ask.name), "%s", name);
	return msg_send(c->sock, &ask, sizeof(ask), -1);
}

int resolve_receive(const struct child *c, struct priv_told *told)
{
	int fd;
	ssize_t n = msg_recv(c->sock, told, sizeof(*told), &fd);

	if (fd >= 0)
		close(fd);
	if (n == -EAGAIN || n == -EINTR)
		return 0;
	return n == sizeof(*told) && fd < 0 && told->verb == PRIV_TOLD &&
			       told->n <= sizeof(told->ip) / sizeof(told->ip[0])
		       ? 1
		       : -1;
}

static void resolve_drop(struct parent_resolve *r)
{
	if (r->child.pid == 0)
		return;
	loop_remove(r->parent->loop, r->child.sock);
	child_end(&r->child);
}

static void resolve_answer(struct parent_resolve *r, uint32_t ip, uint32_t ip2)
{
	const struct priv_resolved m = {
		.verb = PRIV_RESOLVED,
		.server = r->server,
		.ip = ip,
		.ip2 = ip == 0 ? 0 : ip2,
	};

	if (ip != 0)
		parent_net_server(r->parent, ip);
	parent_send(r->parent, &m, sizeof(m), -1);
}

/* What it was last; the resolver's answer will replace it. */
static void resolve_recall(struct parent_resolve *r)
{
	const struct conf_server *s = &r->parent->conf.server[r->server];
	uint32_t ip, ip2;

	r->recalled = (r->waiting & FIRST) != 0 &&
		      known_find(&r->parent->known, s->name, &ip, &ip2);
	if (r->recalled)
		resolve_answer(r, ip, (r->waiting & SECOND) != 0 ? ip2
								 : r->ip2);
}

static void resolve_keep(struct parent_resolve *r)
{
	struct parent *p = r->parent;
	const struct conf_server *s = &p->conf.server[r->server];
	int err = 0;

	if (r->named && r->ip != 0)
		err = known_put(&p->known, s->name, r->ip, r->ip2);
	if (err < 0)
		log_line(LOG_WARNING, "addresses of servers are not kept: "
				      "%s/%s.servers: %s", p->opt.state_dir,
			 p->config.instance, strerror(-err));
}

static void resolve_finish(struct parent_resolve *r)
{
	resolve_drop(r);
	resolve_keep(r);
	r->failing = r->ip == 0;
	resolve_answer(r, r->ip, r->ip2);
}

/* The end of a message about a failure. */
static const char *resolve_comfort(const struct parent_resolve *r)
{
	return r->recalled ? "; its last known address is used" : "";
}

static uint32_t resolve_choose(const struct priv_told *told, uint32_t last)
{
	for (uint32_t i = 0; i < told->n; i++)
		if (told->ip[i] == last)
			return told->ip[(i + 1) % told->n];
	return told->ip[0];
}

static void resolve_told(struct parent_resolve *r,
			 const struct priv_told *told)
{
	const struct conf_server *s = &r->parent->conf.server[r->server];

	if ((told->error != 0 || told->n == 0) && !r->failing)
		log_line(LOG_WARNING, "cannot resolve \"%s\": %s%s",
			 told->id == FIRST ? s->name : s->name2,
			 gai_strerror(told->error), resolve_comfort(r));
	else if (told->n > 0 && told->id == FIRST)
		r->ip = r->last = resolve_choose(told, r->last);
	else if (told->n > 0)
		r->ip2 = told->ip[0];
	r->waiting &= ~told->id;
}

static void resolve_readable(void *ctx, uint32_t events);

/* Notes what needs no resolver, asks for the rest. 0 or -errno. */
static int resolve_start(struct parent_resolve *r)
{
	struct parent *p = r->parent;
	const struct conf_server *s = &p->conf.server[r->server];
	int err;

	r->ip = r->ip2 = 0;
	r->waiting = 0;
	if (inet_pton(AF_INET, s->name, &r->ip) != 1)
		r->waiting |= FIRST;
	r->named = r->waiting != 0;
	if (s->name2[0] != '\0' && inet_pton(AF_INET, s->name2, &r->ip2) != 1)
		r->waiting |= SECOND;
	if (r->waiting == 0)
		return 0;
	err = child_start(&r->child, &p->opt.child, "miredo-resolver");
	if (err == 0 && (r->waiting & FIRST) != 0)
		err = resolve_send(&r->child, FIRST, s->name);
	if (err == 0 && (r->waiting & SECOND) != 0)
		err = resolve_send(&r->child, SECOND, s->name2);
	if (err == 0)
		err = loop_add(p->loop, r->child.sock, EPOLLIN,
			       resolve_readable, r);
	r->deadline = clock_now() + PATIENCE;
	return err;
}

/* Another resolver for the same question. */
static bool resolve_again(struct parent_resolve *r)
{
	if (r->again)
		return false;
	r->again = true;
	resolve_drop(r);
	return resolve_start(r) == 0;
}

static void resolve_readable(void *ctx, uint32_t events)
{
	struct parent_resolve *r = ctx;
	struct priv_told told;
	int got = resolve_receive(&r->child, &told);

	(void)events;
	if (got == 1 && (told.id & r->waiting) != 0)
		resolve_told(r, &told);
	else if (got != 0 && !resolve_again(r)) {
		if (!r->failing)
			log_line(LOG_ERR, "the resolver failed");
		r->waiting = 0;
	}
	if (r->waiting == 0)
		resolve_finish(r);
}

void resolve_ask(struct parent *p, unsigned server)
{
	struct parent_resolve *r = &p->resolve[server];
	int err;

	if (r->child.pid != 0)
		return;		/* is being asked already */
	r->parent = p;
	r->server = server;
	r->again = false;
	err = resolve_start(r);
	if (err < 0 && !r->failing)
		log_line(LOG_ERR, "cannot start the resolver: %s",
			 strerror(-err));
	resolve_recall(r);
	if (err < 0)
		r->waiting = 0;
	if (r->waiting == 0)
		resolve_finish(r);
}

bool resolve_is_failing(const struct parent *p, uint64_t now)
{
	for (unsigned i = 0; i < PRIV_SERVERS; i++) {
		const struct parent_resolve *r = &p->resolve[i];

		if (r->failing || (r->child.pid != 0 &&
				   now + PATIENCE >= r->deadline + LATE))
			return true;
	}
	return false;
}

void resolve_tick(struct parent *p, uint64_t now)
{
	for (unsigned i = 0; i < PRIV_SERVERS; i++) {
		struct parent_resolve *r = &p->resolve[i];

		if (r->child.pid == 0 || now < r->deadline)
			continue;
		if (now != UINT64_MAX && !r->failing)
			log_line(LOG_WARNING,
				 "no answer about \"%s\" within 10 s%s",
				 p->conf.server[i].name, resolve_comfort(r));
		resolve_finish(r);
	}
}
