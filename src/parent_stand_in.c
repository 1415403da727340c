/*
 * parent_stand_in.c - who answers at the control socket when no engine does
 *
 * An engine that ends is followed by the next at once. When they end again and
 * again, the next one waits for seconds, and whoever asks in the meantime, or
 * while it starts, has to be told: that there is none, how the last one ended
 * and when the next is to come. So the parent serves the socket until an
 * engine is ready. It has the status alone, with what it knows itself; what
 * only an engine knows is unknown, not nothing. Its own business, reload and
 * hold, it does as ever, and no more often than when an engine hands it on.
 *
 * Anybody may connect, and the parent is not what may be stopped, or go short of
 * descriptors for its next engine. So it serves only where the kernel refuses
 * descriptors that are sent to us (Linux 6.16: the last close() of a socket that
 * lingers is ours otherwise), and where all connections fit beside its own
 * descriptors. Elsewhere who asks waits for the next engine, as with the first
 * crash. What is read there has a fixed size, what is sent is not waited for.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "clock.h"
#include "ctl_server.h"
#include "msg.h"
#include "parent.h"

static void fill_status(void *ctx, struct ctl_status *st)
{
	const struct parent *p = ctx;
	const struct priv_config *c = &p->config;
	const struct parent_engine *e = &p->engine;
	uint64_t now = clock_now(), next = p->due[PARENT_RESPAWN];

	ctl_server_configured(c, now, st);
	st->generation = e->served;
	st->deaths = e->recent;
	memcpy(st->fate, e->fate, sizeof(st->fate));
	st->retry_in = next != UINT64_MAX && next > now ? next - now : 0;
	st->mtu = p->link.mtu;
	st->peers_max = c->max_peers;
	memcpy(st->server_name, c->server_name[0], sizeof(st->server_name));
	st->auth_keys = p->keys.n;
	st->datapath = c->datapath;
	st->link = p->told;
	for (unsigned h = 0; h < HEALTHS; h++)
		st->health_age[h] = UINT64_MAX;
	st->health_age[HEALTH_ENGINE_DOWN] = now - e->down_since;
}

/* The connection is the server's; what we do with it is done with a copy. */
static int ask(void *ctx, const struct ctl_request *r, int fd)
{
	struct parent *p = ctx;
	const struct priv_word m = {
		.verb = r->verb == CTL_RELOAD ? PRIV_RELOAD : PRIV_ANNOUNCE,
		.value = r->verb == CTL_RELOAD ? 0 : r->value,
	};
	int copy, err = priv_check(&p->policy, &m, sizeof(m), clock_now());

	if (err == -EPROTO)
		return -EINVAL;
	copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (copy < 0)
		return -errno;
	if (err == 0)
		parent_ask(p, m.verb, m.value, copy);
	else
		parent_ask_refuse(p, m.verb, copy);
	return 0;
}

static bool is_safe(const struct parent *p)
{
	struct rlimit limit;

	return p->fd[PRIV_FD_CONTROL] >= 0 &&
	       getrlimit(RLIMIT_NOFILE, &limit) == 0 &&
	       limit.rlim_cur >= PARENT_DESCRIPTORS &&
	       msg_refuse_fds(p->fd[PRIV_FD_CONTROL]);
}

void parent_stand_in(struct parent *p, const char *fate)
{
	static const struct ctl_ops ops = {.status = fill_status, .parent = ask};

	snprintf(p->engine.fate, sizeof(p->engine.fate), "%s", fate);
	if (p->engine.down_since != 0)
		return;
	p->engine.down_since = clock_now();
	/* without it nobody is told, and that is all */
	if (is_safe(p))
		(void)ctl_server_new(&p->stand_in, p->loop,
				     p->fd[PRIV_FD_CONTROL], &ops, p);
	parent_health_say(p);
}

void parent_stand_in_tick(struct parent *p, uint64_t now)
{
	if (p->stand_in != NULL)
		ctl_server_expire(p->stand_in, now);
}

void parent_stand_in_end(struct parent *p)
{
	ctl_server_free(p->stand_in);
	p->stand_in = NULL;
	p->engine.down_since = 0;
}
