/*
 * parent_names.c - names of our own addresses, where addresses are needed
 *
 * What we bind and advertise may be configured by name. At the start nobody
 * is served yet, and we wait. A reload asks while the old engine serves, and
 * whoever may need us in the meantime, an engine that dies, an administrator
 * who wants an end, has us: the answer comes as an event. All names are asked
 * of one resolver, like the engine's (resolve.c) in all else, and together have
 * ten seconds. A reload that comes in between asks again, for its own names.
 *
 * From then on they are addresses: one that means another address at the next
 * reload is a change like any other.
 */
#include "config.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/epoll.h>

#include "clock.h"
#include "log.h"
#include "parent.h"

#define NAMES	 5
#define PATIENCE 10000000000u	/* ns */

/* The n-th, of a configuration, that may be a name. */
static char *name_of(struct conf *c, unsigned n)
{
	static const size_t at[NAMES] = {
		offsetof(struct conf, bind_address),
		offsetof(struct conf, server_bind),
		offsetof(struct conf, server_bind2),
		offsetof(struct conf, server_public),
		offsetof(struct conf, server_public2),
	};

	return (char *)c + at[n];
}

static void set_address(char *name, uint32_t ip)
{
	inet_ntop(AF_INET, &ip, name, INET_ADDRSTRLEN);
}

static void drop(struct parent *p)
{
	struct parent_names *n = &p->names;

	if (n->child.pid == 0)
		return;
	loop_remove(p->loop, n->child.sock);
	child_end(&n->child);
}

/* 1: there is nothing to ask, 0: asked, -errno. */
static int ask(struct parent *p, const struct conf *conf)
{
	struct parent_names *n = &p->names;
	int err = 0;
	uint32_t ip;

	drop(p);
	n->conf = *conf;
	n->waiting = 0;
	for (unsigned i = 0; i < NAMES; i++) {
		char *name = name_of(&n->conf, i);

		if (inet_pton(AF_INET, name, &ip) == 1)
			set_address(name, ip);
		else if (name[0] != '\0')
			n->waiting |= 1u << i;
	}
	if (n->waiting == 0)
		return 1;
	err = child_start(&n->child, &p->opt.child, "miredo-resolver");
	for (unsigned i = 0; i < NAMES && err == 0; i++)
		if ((n->waiting & 1u << i) != 0)
			err = resolve_send(&n->child, 1u << i,
					   name_of(&n->conf, i));
	n->deadline = clock_now() + PATIENCE;
	return err;
}

static bool has_not_started(struct parent *p, int err)
{
	if (err >= 0)
		return false;
	log_line(LOG_ERR, "cannot start the resolver: %s", strerror(-err));
	drop(p);
	return true;
}

/* 1: that was the last one, 0: there are more, -1: said what is wrong. */
static int take(struct parent_names *n, const struct priv_told *told)
{
	for (unsigned i = 0; i < NAMES; i++) {
		if (told->id != 1u << i || (n->waiting & told->id) == 0)
			continue;
		if (told->error != 0 || told->n == 0) {
			log_line(LOG_ERR, "cannot resolve \"%s\": %s",
				 name_of(&n->conf, i),
				 gai_strerror(told->error));
			return -1;
		}
		set_address(name_of(&n->conf, i), told->ip[0]);
		n->waiting &= ~told->id;
		return n->waiting == 0;
	}
	log_line(LOG_ERR, "the resolver answers what was not asked");
	return -1;
}

/* The same; 0 also if it is too early. */
static int read_one(struct parent_names *n)
{
	struct priv_told told;
	int got = resolve_receive(&n->child, &told);

	if (got < 0)
		log_line(LOG_ERR, "the resolver failed");
	return got == 1 ? take(n, &told) : got;
}

static void say_late(struct parent_names *n)
{
	for (unsigned i = 0; i < NAMES; i++)
		if ((n->waiting & 1u << i) != 0)
			log_line(LOG_ERR, "no answer about \"%s\" within 10 s",
				 name_of(&n->conf, i));
}

/* ---- at the start ---- */

bool parent_names_wait(struct parent *p, struct conf *conf)
{
	struct parent_names *n = &p->names;
	int got = ask(p, conf);

	if (has_not_started(p, got))
		return false;
	while (got == 0) {
		struct pollfd pfd = {.fd = n->child.sock, .events = POLLIN};
		uint64_t now = clock_now();

		if (now < n->deadline &&
		    poll(&pfd, 1, (int)((n->deadline - now) / 1000000) + 1)
			    != 0) {
			got = read_one(n);
			continue;
		}
		say_late(n);
		got = -1;
	}
	drop(p);
	if (got == 1)
		*conf = n->conf;
	return got == 1;
}

/* ---- at a reload ---- */

static void end(struct parent *p, bool found)
{
	drop(p);
	parent_reload_named(p, &p->names.conf, found);
	parent_ask_listen(p, false);
}

static void readable(void *ctx, uint32_t events)
{
	struct parent *p = ctx;
	int got;

	(void)events;
	parent_ask_listen(p, true);
	got = read_one(&p->names);
	if (got != 0)
		end(p, got == 1);
	else
		parent_ask_listen(p, false);
}

int parent_names_ask(struct parent *p, const struct conf *conf)
{
	int err = ask(p, conf);

	if (err == 0)
		err = loop_add(p->loop, p->names.child.sock, EPOLLIN, readable,
			       p);
	return has_not_started(p, err) ? -1 : err;
}

void parent_names_tick(struct parent *p, uint64_t now)
{
	if (p->names.child.pid == 0 || now < p->names.deadline)
		return;
	if (now == UINT64_MAX) {
		drop(p);
		return;
	}
	parent_ask_listen(p, true);
	say_late(&p->names);
	end(p, false);
}
