/*
 * fuzz_client.c - a client in a hostile world that knows all it can know
 *
 * The input is a list of actions: an octet says which, those behind it with
 * whom. Datagrams and tun packets are either raw or made up to fit what the
 * client said last (its nonces, cookies and tests), so that the world gets as
 * far as a world can get. After each action: nothing was lost in the outbox,
 * nothing was sent to where nothing may be sent, nothing reached the interface
 * but what is for the client's very address, and the clock can go on. Inputs of
 * an odd length are for a client that finds its refresh interval out; a third
 * of all lengths each for one that looks for no, some or all local clients.
 * SEC-PRS-01
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "libteredo/client.h"
#include "libteredo/icmp6.h"
#include "libteredo/wire.h"

#define PEERS	16u
#define SERVERS	3u

struct world {
	const uint8_t *at, *end;	/* of the input */
	struct teredo_client *c;
	struct teredo_env env;
	uint64_t seed;
	teredo_time now;
	struct local4 local;
	struct teredo_outbox ob;
	struct teredo_addr own;
	bool has_own, finds, second_wanted, second_open;
	enum teredo_discovery discovery;
	/* what the client said last */
	uint8_t nonce[WIRE_NONCE_LEN];
	struct teredo_ep solicited;
	enum teredo_via via;		/* of it */
	struct teredo_addr cookie, cookie_peer;
	uint8_t test[ICMP6_ECHO_LEN(8)];
	uint8_t packet[2048];		/* being made up */
	size_t len;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static uint8_t octet(struct world *w)
{
	return w->at < w->end ? *w->at++ : 0;
}

static void draw(void *ctx, void *buf, size_t len)
{
	uint64_t *x = ctx;
	uint8_t *out = buf;

	while (len-- > 0) {
		*x = *x * 6364136223846793005u + 1442695040888963407u;
		*out++ = (uint8_t)(*x >> 56);
	}
}

/* ---- a small world: few addresses, good ones and bad ones ---- */

static uint32_t ip_of(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
	const uint8_t octets[4] = { a, b, c, d };
	uint32_t ip;

	memcpy(&ip, octets, 4);
	return ip;
}

static uint16_t port_of(unsigned port)
{
	const uint8_t octets[2] = { (uint8_t)(port >> 8), (uint8_t)port };
	uint16_t p;

	memcpy(&p, octets, 2);
	return p;
}

static uint32_t some_ip(uint8_t n)
{
	switch (n % 12) {
	case 0:
		return ip_of(10, 0, 0, 1);
	case 1:
		return ip_of(127, 0, 0, 1);
	case 2:
		return ip_of(224, 0, 0, 1);
	case 3:
		return ip_of(198, 51, 100, 255);	/* in local */
	case 4:
	case 5:
	case 6:						/* servers */
		return ip_of(198, 51, 100, (uint8_t)(n % 12 - 3));
	default:
		return ip_of(203, 0, 113, n);
	}
}

static struct teredo_ep some_ep(struct world *w)
{
	uint8_t n = octet(w), port = octet(w);

	return (struct teredo_ep){ some_ip(n),
		port_of(port < 128 ? TEREDO_PORT : port) };
}

static struct teredo_addr some_addr(struct world *w)
{
	struct teredo_addr a = { { 0x20, 0x01, 0x0d, 0xb8 } };
	uint8_t kind = octet(w), n = octet(w);

	switch (kind % 8) {
	case 0:
		return w->own;
	case 1:
		return w->cookie;
	case 2:
		return w->cookie_peer;
	case 3:
	case 4:
		addr_make(&a, addr_default_prefix(), some_ip(n),
			  kind & ADDR_FLAGS_RANDOM, some_ep(w));
		return a;
	case 5:
		addr_make_link_local(&a, 0, some_ep(w));
		return a;
	case 6:
		for (unsigned i = 0; i < 16; i++)
			a.b[i] = octet(w);
		return a;
	default:
		a.b[15] = n;
		return a;
	}
}

/* ---- after each call ---- */

/* Local clients and their group are the only others (C-LCD-06). */
static bool may_be_sent_to(const struct world *w, struct teredo_ep to)
{
	return ep_is_acceptable(to, &w->local) ||
	       (w->discovery != TEREDO_DISCOVERY_OFF && to.port != 0 &&
		(to.ip == ip_of(224, 0, 0, 253) ||
		 local4_is_neighbour(&w->local, to.ip)));
}

static void remember(struct world *w, const struct outbox_item *item)
{
	const uint8_t *data = outbox_data(&w->ob, item);
	struct wire_packet p;

	assert(may_be_sent_to(w, item->to));
	assert(wire_parse(&p, data, item->len) == WIRE_OK);
	/* C-RID-10, C-RID-11 */
	assert(item->via == TEREDO_VIA_PRIMARY ||
	       (w->second_open && icmp6_is_rs(&p)));
	if (p.auth.present) {
		memcpy(w->nonce, p.auth.nonce, sizeof(w->nonce));
		w->solicited = item->to;
		w->via = item->via;
	} else if (wire_is_bubble(&p)) {
		w->cookie = p.src;
		w->cookie_peer = p.dst;
	} else if (item->len == sizeof(w->test)) {
		memcpy(w->test, data, sizeof(w->test));
	}
}

static void check(struct world *w)
{
	assert(w->ob.lost == 0);
	for (unsigned i = 0; i < w->ob.n; i++) {
		const struct outbox_item *item = &w->ob.item[i];

		if (item->kind == OUTBOX_UDP)
			remember(w, item);
		else if (item->kind == OUTBOX_TUN)
			assert(memcmp(outbox_data(&w->ob, item) + 24, &w->own,
				      16) == 0);
		else if (item->kind == OUTBOX_ADDRESS) {
			assert(item->arg >= TEREDO_MTU);
			w->own = item->addr;
			w->has_own = true;
		} else if (item->kind == OUTBOX_SECONDARY) {
			assert(w->finds && item->arg <= 1);
			w->second_wanted = item->arg == 1;
			w->second_open = false;
		}
		assert(item->kind != OUTBOX_NATIVE6);
	}
	outbox_clear(&w->ob);
}

/* Expires until the client has nothing more to do now. */
static void settle(struct world *w)
{
	unsigned calls = 0;

	while (teredo_client_deadline(w->c) <= w->now) {
		teredo_client_expire(w->c, w->now, &w->ob);
		check(w);
		assert(++calls < 1000);
	}
}

static void check_status(struct world *w)
{
	struct teredo_client_status st;

	teredo_client_status(w->c, w->now, &st);
	assert(st.has_address == w->has_own);
	assert(st.has_address == (st.state >= TEREDO_CLIENT_QUALIFIED));
	assert(!st.has_address || memcmp(&st.addr, &w->own, 16) == 0);
	assert(st.peers_direct + st.peers_relay + st.peers_pending <= PEERS);
	assert(st.state < TEREDO_CLIENT_STATES && st.nat < TEREDO_NATS);
	assert(st.refresh >= 30 * TEREDO_SECOND || w->finds);
	assert(st.refresh <= 120 * TEREDO_SECOND);
}

/* ---- actions ---- */

static uint64_t drops(const struct world *w)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < TEREDO_N_DROPS; i++)
		n += teredo_client_counters(w->c)->n[i];
	return n;
}

static void udp_in_via(struct world *w, enum teredo_via via,
		       struct teredo_ep from)
{
	struct teredo_rx rx = { .data = w->packet, .len = w->len, .from = from,
				.local_ip = ip_of(192, 0, 2, 7), .via = via };
	uint64_t before = drops(w);
	struct teredo_verdict v;

	if (via == TEREDO_VIA_DISCOVERY)
		rx.local_ip = ip_of(224, 0, 0, 253);
	v = teredo_client_udp_in(w->c, &rx, w->now, &w->ob);
	check(w);
	assert(v.fate == TEREDO_DROP || v.fate == TEREDO_TAKEN ||
	       (v.fate == TEREDO_TO_TUN && via == TEREDO_VIA_PRIMARY));
	if (v.fate == TEREDO_TO_TUN) {
		assert(v.len >= WIRE_IP6_LEN && v.off + v.len <= w->len);
		assert(memcmp(w->packet + v.off + 24, &w->own, 16) == 0);
	}
	assert(v.fate != TEREDO_DROP || drops(w) > before);
}

static void udp_in(struct world *w, struct teredo_ep from)
{
	udp_in_via(w, TEREDO_VIA_PRIMARY, from);
}

static void tun_in(struct world *w)
{
	uint64_t before = drops(w);
	struct teredo_verdict v;

	v = teredo_client_tun_in(w->c, w->packet, w->len, w->now, &w->ob);
	check(w);
	assert(v.fate == TEREDO_DROP || v.fate == TEREDO_TAKEN ||
	       v.fate == TEREDO_TO_UDP);
	if (v.fate == TEREDO_TO_UDP) {
		assert(v.off == 0 && v.len == w->len);
		assert(may_be_sent_to(w, v.to));
		assert(memcmp(w->packet + 8, &w->own, 16) == 0);
	}
	assert(v.fate != TEREDO_DROP || drops(w) > before);
}

static uint8_t *more(struct world *w, size_t len)
{
	uint8_t *at = w->packet + w->len;

	assert(len <= sizeof(w->packet) - w->len);
	w->len += len;
	return at;
}

static void raw(struct world *w)
{
	size_t n = octet(w);

	while (n-- > 0)
		*more(w, 1) = octet(w);
}

/* [origin] packet [trailer] */
static void made_up(struct world *w)
{
	uint8_t how = octet(w), next = octet(w), n = octet(w) % 64;
	struct teredo_addr src, dst;

	if (how & 1)
		wire_put_origin(more(w, WIRE_ORIGIN_LEN), some_ep(w));
	if (how & 2)
		n = 0;
	src = some_addr(w);
	dst = how & 4 ? some_addr(w) : w->own;
	wire_put_ip6(more(w, WIRE_IP6_LEN), n, n == 0 ? 59 : next, how, &src,
		     &dst);
	while (n-- > 0)
		*more(w, 1) = octet(w);
	if (how & 8)
		raw(w);
}

static void advertise(struct world *w)
{
	struct teredo_addr src, dst;
	uint8_t how = octet(w);
	uint32_t prefix_ip = how & 1 ? some_ip(how) : w->solicited.ip;

	wire_put_auth(more(w, WIRE_AUTH_LEN), w->nonce);
	wire_put_origin(more(w, WIRE_ORIGIN_LEN),
			how & 2 ? some_ep(w) : (struct teredo_ep){
				ip_of(192, 0, 2, 7), port_of(40000) });
	addr_make_link_local(&src, 0, w->solicited);
	addr_make_link_local(&dst, 0, (struct teredo_ep){ 0, 0 });
	if (how & 4 && prefix_ip == ip_of(198, 51, 100, 2))
		prefix_ip = ip_of(198, 51, 100, 1);	/* the second address */
	icmp6_put_ra(more(w, ICMP6_RA_LEN), &src, &dst, addr_default_prefix(),
		     prefix_ip, 1200u + how * 2u);
	udp_in_via(w, how & 16 ? TEREDO_VIA_PRIMARY : w->via,
		   how & 8 ? some_ep(w) : w->solicited);
}

static void reply_to_test(struct world *w)
{
	struct teredo_addr src, dst;

	memcpy(&src, w->test + 24, 16);
	memcpy(&dst, w->test + 8, 16);
	icmp6_put_echo(more(w, ICMP6_ECHO_LEN(8)), ICMP6_ECHO_REPLY, &src, &dst,
		       1, 1, w->test + 48, 8);
	udp_in(w, some_ep(w));
}

/* An own bubble comes back to the second port. */
static void answer_cookie(struct world *w)
{
	if (w->second_open && addr_equal(&w->cookie, &w->own)) {
		wire_put_bubble(more(w, WIRE_BUBBLE_LEN), &w->cookie,
				&w->cookie_peer);
		udp_in_via(w, TEREDO_VIA_SECONDARY, w->solicited);
		return;
	}
	wire_put_bubble(more(w, WIRE_BUBBLE_LEN), &w->cookie_peer, &w->cookie);
	udp_in(w, some_ep(w));
}

/* A client of our link: behind our NAT or another, at any place there. */
static void be_local(struct world *w)
{
	uint8_t how = octet(w), host = octet(w), port = octet(w);
	const struct teredo_ep at = { ip_of(192, 168, 1, host),
				      port_of(0x4000u + port) };
	struct teredo_ep mapped = addr_mapping(&w->own);
	struct teredo_addr src, dst = { .b = { 0xff, 0x02, [15] = 1 } };

	mapped.port = at.port;
	if (how & 1)
		mapped = some_ep(w);
	addr_make(&src, addr_default_prefix(), ip_of(198, 51, 100, 1), 0,
		  mapped);
	if (how & 2)
		dst = w->own;
	if (how & 4)
		wire_put_ip6(more(w, WIRE_IP6_LEN + 8), 8, 17, 64, &src, &dst);
	else
		wire_put_bubble(more(w, WIRE_BUBBLE_LEN), &src, &dst);
	udp_in_via(w, how & 8 ? TEREDO_VIA_PRIMARY : TEREDO_VIA_DISCOVERY, at);
	if (!(how & 16))
		return;
	w->len = 0;
	wire_put_ip6(more(w, WIRE_IP6_LEN + 8), 8, 17, 64, &w->own, &src);
	tun_in(w);
}

static void open_client(struct world *w)
{
	struct teredo_client_config config = { .servers = SERVERS,
		.max_peers = PEERS, .refresh = 30 * TEREDO_SECOND,
		.find_refresh = w->finds, .discovery = w->discovery,
		.local_port = port_of(40000) };

	w->c = teredo_client_new(&config, &w->env);
	assert(w->c != NULL);
	teredo_client_net_changed(w->c, &w->local, false, w->now, &w->ob);
	check(w);
}

/* The next process, with the snapshot as it is or with an octet of it other. */
static void restart(struct world *w)
{
	struct teredo_client_saved saved;
	struct teredo_addr peer = some_addr(w);
	uint8_t where = octet(w);

	if (!teredo_client_save(w->c, &saved))
		return;
	teredo_client_free(w->c);
	open_client(w);
	((uint8_t *)&saved)[where % sizeof(saved)] ^= octet(w);
	w->has_own = w->second_wanted = w->second_open = false;
	teredo_client_restore(w->c, &saved, w->now, &w->ob);
	check(w);
	teredo_client_restore_peer(w->c, &peer, some_ep(w),
				   w->now - where % 2 * 40 * TEREDO_SECOND, w->now,
				   &w->ob);
	check(w);
	teredo_client_start(w->c, w->now, &w->ob);
	check(w);
}

/* Any address that is not in `local`: it is the operator who names servers. */
static void resolve(struct world *w)
{
	unsigned i = octet(w) % (SERVERS + 1);
	uint32_t ip = some_ip(octet(w)), ip2 = some_ip(octet(w));

	if (!local4_has(&w->local, ip) && !local4_has(&w->local, ip2))
		teredo_client_set_server(w->c, i, ip, ip2, w->now, &w->ob);
}

static void act(struct world *w)
{
	uint8_t what = octet(w);

	w->len = 0;
	switch (what >= 248 ? 12 : what % 12) {
	case 0:
		w->now += octet(w) * 10 * TEREDO_MS;
		break;
	case 1:
		w->now += octet(w) * TEREDO_SECOND;
		break;
	case 2:
		raw(w);
		udp_in(w, some_ep(w));
		break;
	case 3:
		raw(w);
		tun_in(w);
		break;
	case 4:
		made_up(w);
		udp_in(w, some_ep(w));
		break;
	case 5:
		made_up(w);
		if (w->len >= 24 && w->packet[0] != 0)
			memcpy(w->packet + 8, &w->own, 16);
		tun_in(w);
		break;
	case 6:
		advertise(w);
		break;
	case 7:
		reply_to_test(w);
		break;
	case 8:
		answer_cookie(w);
		break;
	case 9:
		resolve(w);
		break;
	case 10:
		teredo_client_net_changed(w->c, &w->local, octet(w) & 1,
					  w->now, &w->ob);
		break;
	case 11:
		restart(w);
		break;
	default:
		be_local(w);
		break;
	}
	check(w);
	settle(w);
	if (w->second_wanted && !w->second_open) {
		w->second_open = true;
		teredo_client_secondary_opened(w->c, w->now, &w->ob);
		check(w);
	}
	check_status(w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct world w;

	w = (struct world){ .at = data, .end = data + len,
			    .now = 1000 * TEREDO_SECOND, .finds = len & 1,
			    .discovery = (enum teredo_discovery)(len % 3) };
	w.env = (struct teredo_env){ .ctx = &w.seed, .random = draw };
	w.local.n = 1;
	w.local.ip[0] = ip_of(198, 51, 100, 255);
	w.local.nets = w.discovery != TEREDO_DISCOVERY_OFF;
	w.local.net[0].ip = ip_of(192, 168, 1, 9);
	w.local.net[0].mask = ip_of(255, 255, 255, 0);
	open_client(&w);
	teredo_client_start(w.c, w.now, &w.ob);
	check(&w);
	/* usually the second server address is the one after the first */
	teredo_client_set_server(w.c, 0, ip_of(198, 51, 100, 1), 0, w.now,
				 &w.ob);
	check(&w);
	while (w.at < w.end)
		act(&w);
	teredo_client_free(w.c);
	return 0;
}
