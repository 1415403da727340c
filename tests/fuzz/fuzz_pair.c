/*
 * fuzz_pair.c - two clients behind NATs, a server, and a network that is evil
 *
 * The stateful one. The input says what kind the NATs are, then what happens:
 * datagrams are delivered in any order, twice, spoilt, or never; hosts send to
 * each other, time passes, NATs forget, a client is replaced by its snapshot,
 * a stranger sends from anywhere. After each call: nothing lost in the outbox,
 * nothing sent to where nothing may be, only what is for us reaches the tun,
 * deadlines can be met.
 *
 * Then the network is good for a while. Whatever had happened: both clients
 * have the address that the server saw last, and packets pass in both
 * directions, unless the NATs cannot be passed.
 */
#include "script.h"

#include "libteredo/client.h"
#include "libteredo/server.h"

#define FLIGHTS	 32u
#define BOX	 600u
#define MAPS	 24u
#define PEERS	 8u
#define CALM	 600u	/* s */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum nat_kind { PUBLIC, CONE, ADDRESS, PORT, SYMMETRIC, NAT_KINDS };

struct flight {
	struct teredo_ep from, to;
	size_t len;
	uint8_t data[BOX];
};

/* From the inner socket to `to`, seen there as coming from `outer`. */
struct map {
	struct teredo_ep to;
	uint16_t outer;
};

struct host {
	enum nat_kind kind;
	uint32_t ip;			/* public */
	struct map map[MAPS];
	unsigned maps;
	uint16_t port;			/* the mapping of all but symmetric */
	struct teredo_client *c;
	struct teredo_addr addr;
	bool has_addr;
	unsigned heard;			/* packets of the other's */
};

static struct world {
	struct script s;
	struct host host[2];
	struct teredo_server *server;
	struct local4 own;
	struct flight flight[FLIGHTS];
	unsigned flights;
	uint16_t next_port;
	uint64_t seed;
	teredo_time now;
	struct teredo_env env;
	struct teredo_outbox ob;
} w;

static void draw(void *ctx, void *buf, size_t len)
{
	uint64_t *x = ctx;
	uint8_t *out = buf;

	while (len-- > 0) {
		*x = *x * 6364136223846793005u + 1442695040888963407u;
		*out++ = (uint8_t)(*x >> 56);
	}
}

static uint32_t server_ip(unsigned n)
{
	return script_ip4(198, 51, 100, (uint8_t)(1 + n));
}

/* ---- the network ---- */

static void fly(struct teredo_ep from, struct teredo_ep to,
		const uint8_t *data, size_t len)
{
	struct flight *f = &w.flight[w.flights];

	assert(ep_is_acceptable(to, &w.own) ||
	       (from.ip != server_ip(0) && from.ip != server_ip(1)));
	assert(len <= BOX);
	if (w.flights == FLIGHTS)
		return;
	w.flights++;
	f->from = from;
	f->to = to;
	f->len = len;
	memcpy(f->data, data, len);
}

static uint16_t fresh_port(void)
{
	uint16_t port;
	uint8_t b[2];

	w.next_port++;
	b[0] = (uint8_t)(0x40 + w.next_port / 256 % 64);
	b[1] = (uint8_t)w.next_port;
	memcpy(&port, b, 2);
	return port;
}

/* A full table forgets its oldest mapping. */
static struct teredo_ep nat_out(struct host *h, struct teredo_ep to)
{
	struct map *m;

	for (unsigned i = 0; i < h->maps; i++)
		if (ep_equal(h->map[i].to, to))
			return (struct teredo_ep){ h->ip, h->map[i].outer };
	if (h->maps == MAPS) {
		memmove(h->map, h->map + 1, (MAPS - 1) * sizeof(*m));
		h->maps--;
	}
	m = &h->map[h->maps++];
	m->to = to;
	m->outer = h->kind == SYMMETRIC ? fresh_port() : h->port;
	return (struct teredo_ep){ h->ip, m->outer };
}

static bool nat_in(const struct host *h, struct teredo_ep from,
		   uint16_t outer)
{
	if (h->kind == PUBLIC || (h->kind == CONE && h->maps > 0))
		return outer == h->port;
	for (unsigned i = 0; i < h->maps; i++)
		if (h->map[i].outer == outer &&
		    h->map[i].to.ip == from.ip &&
		    (h->kind == ADDRESS || h->map[i].to.port == from.port))
			return true;
	return false;
}

static void nat_forget(struct host *h)
{
	h->maps = 0;
	if (h->kind != PUBLIC)
		h->port = fresh_port();
}

/* ---- the hosts ---- */

static void to_tun(struct host *h, const uint8_t *ip6, size_t len)
{
	const struct host *other = &w.host[h == &w.host[0]];

	assert(len >= WIRE_IP6_LEN && h->has_addr);
	assert(memcmp(ip6 + 24, h->addr.b, 16) == 0);
	if (memcmp(ip6 + 8, other->addr.b, 16) == 0 && ip6[6] == 17)
		h->heard++;
}

static void empty_outbox(struct host *h)
{
	assert(w.ob.lost == 0);
	for (unsigned i = 0; i < w.ob.n; i++) {
		const struct outbox_item *item = &w.ob.item[i];
		const uint8_t *data = outbox_data(&w.ob, item);

		if (item->kind == OUTBOX_UDP) {
			assert(ep_is_acceptable(item->to, &w.own));
			fly(nat_out(h, item->to), item->to, data, item->len);
		} else if (item->kind == OUTBOX_TUN) {
			to_tun(h, data, item->len);
		} else if (item->kind == OUTBOX_ADDRESS) {
			h->addr = item->addr;
			h->has_addr = true;
		}
	}
	outbox_clear(&w.ob);
}

static void settle(void)
{
	for (unsigned i = 0; i < 2; i++) {
		struct host *h = &w.host[i];
		unsigned calls = 0;

		while (teredo_client_deadline(h->c) <= w.now) {
			teredo_client_expire(h->c, w.now, &w.ob);
			empty_outbox(h);
			assert(++calls < 1000);
		}
	}
}

static void client_open(struct host *h)
{
	const struct teredo_client_config config = {
		.servers = 1, .max_peers = PEERS,
		.refresh = 30 * TEREDO_SECOND };

	h->c = teredo_client_new(&config, &w.env);
	assert(h->c != NULL);
}

static void client_start(struct host *h)
{
	teredo_client_start(h->c, w.now, &w.ob);
	empty_outbox(h);
	teredo_client_set_server(h->c, 0, server_ip(0), 0, w.now, &w.ob);
	empty_outbox(h);
}

static void client_replace(struct host *h)
{
	struct teredo_client_saved saved;
	bool has = teredo_client_save(h->c, &saved);

	teredo_client_free(h->c);
	client_open(h);
	h->has_addr = false;
	if (has) {
		teredo_client_restore(h->c, &saved, w.now, &w.ob);
		empty_outbox(h);
	}
	client_start(h);
}

static void send_packet(struct host *h)
{
	const struct host *other = &w.host[h == &w.host[0]];
	uint8_t packet[60] = { 0 };
	struct teredo_verdict v;

	wire_put_ip6(packet, 20, 17, 64, &h->addr, &other->addr);
	v = teredo_client_tun_in(h->c, packet, sizeof(packet), w.now, &w.ob);
	empty_outbox(h);
	if (v.fate == TEREDO_TO_UDP)
		fly(nat_out(h, v.to), v.to, packet, sizeof(packet));
}

/* ---- what the network does with a datagram ---- */

static void at_server(const struct flight *f, unsigned n)
{
	struct teredo_rx rx = { .data = f->data, .len = f->len,
				.from = f->from, .local_ip = server_ip(n),
				.via = n == 0 ? TEREDO_VIA_PRIMARY :
						TEREDO_VIA_SECONDARY };

	teredo_server_udp_in(w.server, &rx, w.now, &w.ob);
	assert(w.ob.lost == 0 && w.ob.n <= 1);
	for (unsigned i = 0; i < w.ob.n; i++) {
		const struct outbox_item *item = &w.ob.item[i];

		if (item->kind == OUTBOX_UDP)
			fly(addr_server_ep(server_ip(item->via ==
						     TEREDO_VIA_SECONDARY)),
			    item->to, outbox_data(&w.ob, item), item->len);
	}
	outbox_clear(&w.ob);
}

static void at_client(struct host *h, const struct flight *f)
{
	struct teredo_rx rx = { .data = f->data, .len = f->len,
				.from = f->from,
				.local_ip = script_ip4(10, 0, 0, 2) };
	struct teredo_verdict v =
		teredo_client_udp_in(h->c, &rx, w.now, &w.ob);

	empty_outbox(h);
	assert(v.fate != TEREDO_TO_NATIVE6);
	if (v.fate == TEREDO_TO_TUN) {
		assert(v.off + v.len <= f->len);
		to_tun(h, f->data + v.off, v.len);
	}
}

static void arrive(const struct flight *flight)
{
	struct flight f = *flight;	/* the table changes below */

	for (unsigned n = 0; n < 2; n++) {
		if (ep_equal(f.to, addr_server_ep(server_ip(n))))
			at_server(&f, n);
		if (f.to.ip == w.host[n].ip &&
		    nat_in(&w.host[n], f.from, f.to.port))
			at_client(&w.host[n], &f);
	}
}

static void drop(unsigned i)
{
	w.flights--;
	memmove(&w.flight[i], &w.flight[i + 1],
		(w.flights - i) * sizeof(w.flight[0]));
}

static void deliver_all(void)
{
	for (unsigned n = 0; w.flights > 0; n++) {
		struct flight f = w.flight[0];

		assert(n < 10000);	/* no storm within one moment */
		drop(0);
		arrive(&f);
	}
}

/* ---- the input ---- */

static void one_flight(uint8_t op)
{
	struct flight *f = &w.flight[op / 16 % (w.flights + !w.flights)];
	uint8_t where;

	if (w.flights == 0)
		return;
	switch (op % 4) {
	case 0:
		arrive(f);		/* and again, some time */
		break;
	case 1:
		drop((unsigned)(f - w.flight));
		break;
	case 2:
		where = script_u8(&w.s);
		f->data[where % f->len] ^= script_u8(&w.s);
		break;
	default:
		f->from.ip = script_ip4(203, 0, 113, script_u8(&w.s));
		break;
	}
}

/* From anybody to anybody: octets, or a bubble between the two. */
static void stranger(void)
{
	uint8_t how = script_u8(&w.s), data[WIRE_BUBBLE_LEN + 255];
	const struct host *h = &w.host[how & 1];
	struct teredo_ep from = script_ep(script_ip4(203, 0, 113, how / 4),
					  how, 1);
	size_t len = 0, n = script_u8(&w.s);

	if (how & 2) {
		wire_put_bubble(data, &w.host[!(how & 1)].addr, &h->addr);
		len = WIRE_BUBBLE_LEN;
	}
	while (n-- > 0 && w.s.at < w.s.end)
		data[len++] = script_u8(&w.s);
	if (len > 0)
		fly(how & 64 ? addr_server_ep(server_ip(0)) : from,
		    (struct teredo_ep){ h->ip, h->port }, data, len);
}

static void act(void)
{
	uint8_t op = script_u8(&w.s);
	struct host *h = &w.host[op / 8 & 1];

	switch (op % 8) {
	case 0:
		w.now += (op / 8) * 100 * TEREDO_MS;
		break;
	case 1:
		w.now += (op / 8) * TEREDO_SECOND;
		break;
	case 2:
		send_packet(h);
		break;
	case 3:
	case 4:
		one_flight(op / 8);
		break;
	case 5:
		deliver_all();
		break;
	case 6:
		stranger();
		break;
	default:
		if (op & 16)
			nat_forget(h);
		else if (op & 32)
			client_replace(h);
		else
			teredo_client_net_changed(h->c, &w.own, op & 64, w.now,
						  &w.ob);
		empty_outbox(h);
	}
	settle();
}

/* ---- and in the end ---- */

/* Who is behind a symmetric NAT is found from outside if at all: with both
 * sending at once that is not certain. */
static bool can_pass(void)
{
	return w.host[0].kind != SYMMETRIC && w.host[1].kind != SYMMETRIC;
}

static bool is_at_rest(void)
{
	return w.host[0].heard > 0 && w.host[1].heard > 0;
}

static void calm(void)
{
	unsigned t;

	for (t = 0; t < CALM && !(is_at_rest() && t > 60); t++) {
		w.now += TEREDO_SECOND;
		settle();
		deliver_all();
		if (t == 59)
			w.host[0].heard = w.host[1].heard = 0;
		for (unsigned i = 0; i < 2 && t >= 59; i++)
			send_packet(&w.host[i]);
		deliver_all();
	}
	for (unsigned i = 0; i < 2; i++) {
		struct host *h = &w.host[i];
		struct teredo_ep seen = nat_out(h, addr_server_ep(server_ip(0)));

		assert(h->has_addr && addr_server(&h->addr) == server_ip(0));
		assert(ep_equal(addr_mapping(&h->addr), seen));
	}
	assert(is_at_rest() || !can_pass());
}

static void open_world(const uint8_t *data, size_t len)
{
	const struct teredo_server_config config = {
		.prefix = addr_default_prefix(), .mtu = TEREDO_MTU,
		.ip = server_ip(0), .ip2 = server_ip(1) };
	uint8_t kinds;

	memset(&w, 0, offsetof(struct world, ob));
	memset(&w.ob, 0, offsetof(struct teredo_outbox, item));
	w.s = (struct script){ data, data + len };
	w.now = 1000 * TEREDO_SECOND;
	w.env = (struct teredo_env){ .ctx = &w.seed, .random = draw };
	w.server = teredo_server_new(&config, &w.env);
	assert(w.server != NULL);
	kinds = script_u8(&w.s);
	for (unsigned i = 0; i < 2; i++) {
		struct host *h = &w.host[i];

		h->kind = (enum nat_kind)((i == 0 ? kinds : kinds / 16) %
					  NAT_KINDS);
		h->ip = script_ip4(192, 0, 2, (uint8_t)(10 + i));
		h->port = fresh_port();
		client_open(h);
		client_start(h);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	open_world(data, len);
	for (unsigned i = 0; i < 300 && w.s.at < w.s.end; i++)
		act();
	calm();
	for (unsigned i = 0; i < 2; i++)
		teredo_client_free(w.host[i].c);
	teredo_server_free(w.server);
	return 0;
}
