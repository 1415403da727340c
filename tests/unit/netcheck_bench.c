/*
 * netcheck_bench.c - netcheck against our server, behind every kind of NAT
 *
 * All of it is simulated: the clock goes from one deadline to the next, a
 * datagram takes half a round trip each way. The NAT is as bad as they come: it
 * filters by address for the whole host, not by mapping.
 */
#include "config.h"

#include "netcheck_bench.h"

static uint16_t port_of(enum netcheck_socket s)
{
	return htons((uint16_t)(40000 + s));
}

static struct flight *fly(struct bench *b, struct teredo_ep from,
			  struct teredo_ep to, const uint8_t *data, size_t len)
{
	for (unsigned i = 0; i < FLIGHTS; i++) {
		struct flight *f = &b->flight[i];

		if (f->used)
			continue;
		*f = (struct flight){.used = true,
				     .at = b->now + b->is.rtt / 2,
				     .from = from,
				     .to = to,
				     .len = len};
		assert_true(len <= sizeof(f->data));
		memcpy(f->data, data, len);
		return f;
	}
	fail_msg("too many datagrams");
	return NULL;
}

/* ---- the NAT ---- */

static uint16_t outside_port(struct bench *b, struct teredo_ep inside,
			     struct teredo_ep to)
{
	unsigned i;

	if (b->is.kind != SYMMETRIC)
		return b->is.moves_ports
			       ? htons((uint16_t)(ntohs(inside.port) + 1000))
			       : inside.port;
	for (i = 0; i < b->entries; i++)
		if (ep_equal(b->entry[i].inside, inside) &&
		    ep_equal(b->entry[i].to, to))
			break;
	assert_true(i < COUNT(b->entry));
	b->entry[i].inside = inside;
	b->entry[i].to = to;
	if (i == b->entries)
		b->entries++;
	return htons((uint16_t)(50000 + i));
}

static bool was_asked(const struct bench *b, uint32_t ip)
{
	for (unsigned i = 0; i < b->n_asked; i++)
		if (b->asked[i] == ip)
			return true;
	return false;
}

static bool find_inside(const struct bench *b, const struct flight *f,
			enum netcheck_socket *socket)
{
	unsigned port = ntohs(f->to.port);

	if (b->is.kind == SYMMETRIC) {
		if (port < 50000 || port >= 50000 + b->entries ||
		    !ep_equal(b->entry[port - 50000].to, f->from))
			return false;
		port = ntohs(b->entry[port - 50000].inside.port);
	} else if (b->is.moves_ports) {
		port -= 1000;
	}
	*socket = (enum netcheck_socket)(port - 40000);
	if (b->is.kind == ADDRESS)
		return was_asked(b, f->from.ip);
	/* each socket but FILTER asks both of a server's addresses */
	if (b->is.kind == PORT)
		return f->from.ip == ip4(OUTSIDE) ||
		       (was_asked(b, f->from.ip) &&
			(*socket != NETCHECK_FILTER ||
			 f->from.ip != ip4(SECOND)));
	return true;
}

static void send_out(struct bench *b, const struct netcheck_datagram *d)
{
	const char *here = b->is.kind == NONE ? OUTSIDE : INSIDE;
	struct teredo_ep from = {ip4(here), port_of(d->socket)};

	if (d->socket >= NETCHECK_GATEWAY) {
		struct test_packet answer = {.len = 0};
		const char *text = d->len == 2 ? b->is.gateway : b->is.pcp;

		if (text == NULL || d->to.port != htons(5351))
			return;
		packet_hex(&answer, text);
		fly(b, d->to, from, answer.b, answer.len)->inward = true;
		return;
	}
	if (b->is.kind != NONE)
		from = (struct teredo_ep){ip4(OUTSIDE),
					  outside_port(b, from, d->to)};
	assert_true(b->n_asked < COUNT(b->asked));
	if (!was_asked(b, d->to.ip))
		b->asked[b->n_asked++] = d->to.ip;
	if (b->out++ < b->is.lost)
		return;
	if (d->to.ip == ip4(OUTSIDE) && b->is.kind != NONE && !b->is.hairpin)
		return;
	if (d->to.ip == ip4(OUTSIDE) && b->is.turner != NULL)
		from.ip = ip4(b->is.turner);
	fly(b, from, d->to, d->data, d->len);
}

/* ---- the servers ---- */

static void serve(struct bench *b, const struct flight *f)
{
	bool second = f->to.ip == ip4(SECOND) || f->to.ip == ip4("192.0.2.9");
	unsigned n = ntohl(f->to.ip) % 256 > 5;
	struct teredo_rx rx = {.data = f->data,
			       .len = f->len,
			       .from = f->from,
			       .local_ip = f->to.ip,
			       .via = second ? TEREDO_VIA_SECONDARY
					     : TEREDO_VIA_PRIMARY};

	if (b->is.dead || b->server[n] == NULL || (second && b->is.single))
		return;
	outbox_clear(&b->ob);
	teredo_server_udp_in(b->server[n], &rx, b->now, &b->ob);
	for (unsigned i = 0; i < b->ob.n; i++) {
		const struct outbox_item *item = &b->ob.item[i];
		struct teredo_ep from = {ip4(n ? "192.0.2.8" : SERVER),
					 htons(TEREDO_PORT)};
		struct flight *answer;

		if (item->kind != OUTBOX_UDP)
			continue;
		if (item->via == TEREDO_VIA_SECONDARY)
			from.ip = ip4(n ? "192.0.2.9" : SECOND);
		answer = fly(b, from, item->to, outbox_data(&b->ob, item),
			     item->len);
		if (b->forge != NULL)
			b->forge(b, answer);
	}
}

static void arrive(struct bench *b, struct flight *f)
{
	enum netcheck_socket socket = NETCHECK_MAIN;

	f->used = false;
	if (f->inward)
		netcheck_in(b->nc,
			    (enum netcheck_socket)(ntohs(f->to.port) - 40000),
			    f->from, f->data, f->len, b->now);
	else if (f->to.ip != ip4(OUTSIDE))
		serve(b, f);
	else if (find_inside(b, f, &socket))
		netcheck_in(b->nc, socket, f->from, f->data, f->len, b->now);
}

struct bench *bench_setup(struct traits is)
{
	struct bench *b = calloc(1, sizeof(*b));
	struct teredo_server_config config = {.prefix = addr_default_prefix(),
					      .mtu = 1280};
	struct teredo_env env;

	assert_non_null(b);
	b->is = is;
	if (b->is.rtt == 0)
		b->is.rtt = RTT;
	b->seed = 1;
	b->now = 7 * TEREDO_SECOND;
	env = test_env(&b->seed);
	for (unsigned i = 0; i < 2; i++) {
		config.ip = ip4(i ? "192.0.2.8" : SERVER);
		config.ip2 = is.single ? 0 : ip4(i ? "192.0.2.9" : SECOND);
		b->server[i] = teredo_server_new(&config, &env);
		assert_non_null(b->server[i]);
	}
	return b;
}

/* Runs until the next thing happens. */
static void step(struct bench *b, teredo_time next,
		 const struct netcheck_server *first, teredo_time resolved)
{
	for (unsigned i = 0; i < FLIGHTS; i++)
		if (b->flight[i].used && b->flight[i].at < next)
			next = b->flight[i].at;
	if (resolved > b->now && resolved <= next) {
		b->now = resolved;
		netcheck_found(b->nc, 0, first, b->now);
		return;
	}
	b->now = next;
	for (unsigned i = 0; i < FLIGHTS; i++)
		if (b->flight[i].used && b->flight[i].at == next)
			arrive(b, &b->flight[i]);
}

teredo_time bench_run(struct bench *b, unsigned servers,
		      struct netcheck_report *r)
{
	const char *here = b->is.kind == NONE ? OUTSIDE : INSIDE;
	struct netcheck_config config = {
		.began = b->now,
		.servers = servers,
		.server = {{.ip = ip4(SERVER), .ip2 = ip4(SECOND)},
			   {.ip = ip4("192.0.2.8"), .ip2 = ip4("192.0.2.9")}},
		.local_port = port_of(NETCHECK_MAIN),
		.gateway = b->is.gateway != NULL ? ip4(GATEWAY) : 0,
		.gateway_local = ip4(here),
	};
	struct teredo_env env = test_env(&b->seed);
	struct netcheck_server first;
	struct netcheck_datagram d;
	teredo_time began = b->now, next, resolved = began + b->is.resolved;

	for (unsigned i = 0; i < servers; i++)
		config.server[i].local_ip =
			ip4(i > 0 && b->is.multihomed ? "10.9.9.9" : here);
	first = config.server[0];
	if (b->is.resolved == TEREDO_NEVER)
		resolved = TEREDO_NEVER;
	if (b->is.resolved != 0)
		config.server[0] = (struct netcheck_server){.is_awaited = true};
	b->nc = netcheck_new(&config, &env, b->now);
	assert_non_null(b->nc);
	for (;;) {
		while (netcheck_next(b->nc, b->now, &d))
			send_out(b, &d);
		next = netcheck_deadline(b->nc);
		if (next == TEREDO_NEVER)
			break;
		step(b, next, &first, resolved);
	}
	netcheck_report(b->nc, r);
	return b->now - began;
}

void bench_teardown(struct bench *b)
{
	netcheck_free(b->nc);
	teredo_server_free(b->server[0]);
	teredo_server_free(b->server[1]);
	free(b);
}

struct netcheck_report bench_look(struct traits is, unsigned servers)
{
	struct bench *b = bench_setup(is);
	struct netcheck_report r;

	assert_true(bench_run(b, servers, &r) < 4 * TEREDO_SECOND);
	bench_teardown(b);
	return r;
}
