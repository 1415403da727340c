/*
 * role_server.c - a server's node: no tun, nothing to save
 */
#include "config.h"

#include <assert.h>

#include "roles.h"

struct server_role *server_role(const struct node *n)
{
	return n->role;
}

static void open_core(struct node *n, bool restore)
{
	struct local4 local = {.n = 0};

	(void)restore;
	for (unsigned i = 0; i < 2; i++)
		if (n->link[i])
			local.ip[local.n++] = n->link[i]->ip;
	n->core = teredo_server_new(&server_role(n)->config, &n->env);
	assert(n->core);
	teredo_server_set_local(n->core, &local);
}

static void close_core(void *core)
{
	teredo_server_free(core);
}

static struct teredo_verdict udp_in(void *core, const struct teredo_rx *rx,
				    teredo_time now, struct teredo_outbox *ob)
{
	return teredo_server_udp_in(core, rx, now, ob);
}

static void expire(void *core, teredo_time now, struct teredo_outbox *ob)
{
	(void)ob;
	teredo_server_expire(core, now);
}

static teredo_time deadline(const void *core)
{
	return teredo_server_deadline(core);
}

static const struct teredo_counters *counters(const void *core)
{
	return teredo_server_counters(core);
}

static void news(struct node *n, const struct outbox_item *item)
{
	referee_foul(n, "news", "a server has no news (%d)", (int)item->kind);
}

static void check(struct node *n)
{
	(void)n; /* a server has no state to look at */
}

/* Without tun and snapshot there is nobody to call the others. */
static const struct node_ops server_ops = {
	.is_server = true,
	.open = open_core,
	.close = close_core,
	.udp_in = udp_in,
	.expire = expire,
	.deadline = deadline,
	.news = news,
	.counters = counters,
	.check = check,
};

struct node *server_new(struct world *w, const char *name)
{
	struct server_role *s = world_alloc(w, sizeof(*s));

	s->config.prefix = addr_default_prefix();
	s->config.mtu = TEREDO_MTU;
	return node_new(w, name, &server_ops, s);
}
