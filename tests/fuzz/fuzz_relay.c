/*
 * fuzz_relay.c - any packets, from both sides, at a relay
 *
 * Beside the relay stands a witness that reads what goes in and out and keeps
 * three lists: cookies that bubbles went out with, clients that the native
 * side sent to, and proofs. A proof is a bubble to a cookie of that client,
 * from an endpoint, or any packet from the mapping of a client that was sent
 * to. Nothing but bubbles goes to an endpoint without a proof, nothing but
 * errors comes out of the tun without one, nothing goes where it must not.
 * SEC-PRS-01
 */
#include "script.h"

#include "libteredo/relay.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define MAX_STEPS	64u
#define MAX_NOTES	1024u

enum note_kind { COOKIE, WANTED, PROOF };

struct note {
	enum note_kind kind;
	struct teredo_addr client, cookie;
	struct teredo_ep ep;
};

struct bench {
	struct teredo_relay *r;
	struct teredo_relay_config config;
	struct local4 own;
	struct teredo_addr addr[17];
	struct teredo_ep ep[10];
	struct script_tables tables;
	teredo_time now;
	struct note note[MAX_NOTES];
	unsigned notes;
	struct teredo_addr last_client;	/* of the last bubble */
};

static struct teredo_outbox ob;

static const uint8_t known[][16] = {
	{ 0x20, 1, 0x0d, 0xb8, [15] = 1 },		/* native, served */
	{ 0x20, 1, 0x0d, 0xb8, [15] = 2 },		/* native */
	{ 0xfe, 0x80, [15] = 1 },
	{ 0x20, 2, 192, 0, 2, 1, [15] = 1 },		/* 6to4 */
	{ 0x20, 2, 203, 0, 113, 1, [15] = 1 },		/* ours */
	{ 0x20, 1, 0x0d, 0xb8, [10] = 0x5e, 0xfe, 203, 0, 113, 1 },
	{ 0xfc, [15] = 1 },
	{ 0xff, 0x0e, [15] = 1 },
};

static void fill_tables(struct bench *b)
{
	uint32_t server = script_ip4(198, 51, 100, 1);
	uint32_t ip[4] = { script_ip4(192, 0, 2, 45),
			   script_ip4(192, 0, 2, 46), b->own.ip[0],
			   script_ip4(10, 1, 2, 3) };
	unsigned n = 2;	/* 1: the cookie of the last bubble */

	for (unsigned i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		memcpy(b->addr[n++].b, known[i], 16);
	for (unsigned i = 0; i < 4; i++)
		addr_make(&b->addr[n++], b->config.prefix, server, 0,
			  script_ep(ip[i], 0x9c, 0x40));
	addr_make(&b->addr[n++], b->config.prefix, server, ADDR_FLAG_CONE,
		  script_ep(ip[0], 0x9c, 0x40));
	addr_make(&b->addr[n++], b->config.prefix, ip[2], 0,
		  script_ep(ip[0], 0x9c, 0x40));
	addr_make(&b->addr[n++], b->config.prefix, ip[3], 0,
		  script_ep(ip[0], 0x9c, 0x40));
	assert(n <= sizeof(b->addr) / sizeof(b->addr[0]));
	b->tables.addrs = n;
	n = 1;
	for (unsigned i = 0; i < 4; i++) {
		b->ep[n++] = script_ep(ip[i], 0x9c, 0x40);
		b->ep[n++] = script_ep(ip[i], 0x12, 0x34);
	}
	b->ep[n++] = script_ep(ip[0], 0, 0);
	b->tables.eps = n;
	b->tables.addr = b->addr;
	b->tables.ep = b->ep;
}

/* ---- the witness ---- */

static void note(struct bench *b, struct note n)
{
	assert(b->notes < MAX_NOTES);
	b->note[b->notes++] = n;
}

static bool has_cookie(const struct bench *b, const struct teredo_addr *client,
		       const struct teredo_addr *cookie)
{
	for (unsigned i = 0; i < b->notes; i++)
		if (b->note[i].kind == COOKIE &&
		    addr_equal(&b->note[i].client, client) &&
		    addr_equal(&b->note[i].cookie, cookie))
			return true;
	return false;
}

static bool is_wanted(const struct bench *b, const struct teredo_addr *client)
{
	for (unsigned i = 0; i < b->notes; i++)
		if (b->note[i].kind == WANTED &&
		    addr_equal(&b->note[i].client, client))
			return true;
	return false;
}

/* Whether the client, from that endpoint or (ep NULL) from any, proved. */
static bool has_proof(const struct bench *b, const struct teredo_addr *client,
		      const struct teredo_ep *ep)
{
	for (unsigned i = 0; i < b->notes; i++)
		if (b->note[i].kind == PROOF &&
		    addr_equal(&b->note[i].client, client) &&
		    (ep == NULL || ep_equal(b->note[i].ep, *ep)))
			return true;
	return false;
}

static void watch_udp_in(struct bench *b, const struct script_packet *in)
{
	struct wire_packet p;

	if (wire_parse(&p, in->data, in->len) != WIRE_OK ||
	    p.auth.present || p.has_origin)
		return;
	if ((wire_is_bubble(&p) && has_cookie(b, &p.src, &p.dst)) ||
	    (ep_equal(addr_mapping(&p.src), in->from) &&
	     (is_wanted(b, &p.src) || has_proof(b, &p.src, NULL))))
		note(b, (struct note){ .kind = PROOF, .client = p.src,
				       .ep = in->from });
}

static bool is_native(const struct bench *b, const struct teredo_addr *a)
{
	return addr_is_global(a) && !addr_in_prefix(a, b->config.prefix) &&
	       !addr_embeds_local(a, &b->own) &&
	       (!b->config.host_local || addr_equal(a, &b->addr[2]));
}

/* Whom we may talk about at all. */
static bool is_client(const struct bench *b, const struct teredo_addr *a)
{
	return addr_in_prefix(a, b->config.prefix) &&
	       ep_is_acceptable(addr_mapping(a), &b->own) &&
	       ep_is_acceptable(addr_server_ep(addr_server(a)), &b->own);
}

static bool is_discovery(const struct wire_packet *p)
{
	uint8_t type;
	size_t len;
	const uint8_t *upper = wire_upper(p, &type, &len);

	return type == ICMP6_NEXT_HEADER && len > 0 && upper[0] >= 133 &&
	       upper[0] <= 137;
}

static void check_to_tun(const struct bench *b, const uint8_t *ip6, size_t len,
			 const struct teredo_ep *from)
{
	struct wire_packet p;

	assert(wire_parse_ip6(&p, ip6, len) == WIRE_OK);
	assert(is_native(b, &p.dst) && p.next_header != WIRE_NH_NONE);
	if (p.next_header == ICMP6_NEXT_HEADER && p.ip6_len > 40 &&
	    addr_equal(&p.src, &b->addr[2]) && p.ip6[40] == ICMP6_UNREACHABLE)
		return;	/* an error of ours */
	assert(!addr_is_6to4(&p.dst) && !wire_has_rh0(&p));
	assert(is_client(b, &p.src) && !is_discovery(&p));
	assert(has_proof(b, &p.src, from));
}

static void check_to_udp(struct bench *b, const uint8_t *ip6, size_t len,
			 struct teredo_ep to)
{
	struct wire_packet p;

	assert(ep_is_acceptable(to, &b->own));
	assert(wire_parse_ip6(&p, ip6, len) == WIRE_OK);
	assert(is_client(b, &p.dst));
	if (!wire_is_bubble(&p) || !addr_is_link_local(&p.src)) {
		assert(is_native(b, &p.src) && !wire_has_rh0(&p));
		assert(has_proof(b, &p.dst, &to));
		return;
	}
	assert(ep_equal(to, addr_server_ep(addr_server(&p.dst))) ||
	       (b->config.direct_bubbles &&
		ep_equal(to, addr_mapping(&p.dst))));
	note(b, (struct note){ .kind = COOKIE, .client = p.dst,
			       .cookie = p.src });
	b->addr[1] = p.src;
	b->last_client = p.dst;
}

static void check_outbox(struct bench *b)
{
	assert(ob.lost == 0);
	for (unsigned i = 0; i < ob.n; i++) {
		const struct outbox_item *item = &ob.item[i];
		const uint8_t *data = outbox_data(&ob, item);

		if (item->kind == OUTBOX_UDP)
			check_to_udp(b, data, item->len, item->to);
		else if (item->kind == OUTBOX_TUN)
			check_to_tun(b, data, item->len, NULL);
		else if (item->kind == OUTBOX_PEER_UP)
			assert(is_client(b, &item->addr) &&
			       has_proof(b, &item->addr, &item->to));
		else
			assert(item->kind == OUTBOX_PEER_DOWN);
	}
}

/* What was not dropped came from somewhere fit, bare, and if it is kept, from
 * where the client may be. */
static void check_accepted(const struct bench *b,
			   const struct script_packet *in)
{
	struct wire_packet p;

	assert(wire_parse(&p, in->data, in->len) == WIRE_OK);
	assert(ep_is_acceptable(in->from, &b->own) && is_client(b, &p.src));
	assert(!p.auth.present && !p.has_origin);
	assert(ep_equal(addr_mapping(&p.src), in->from) ||
	       has_proof(b, &p.src, &in->from));
}

/* ---- the steps ---- */

static void udp_in(struct bench *b, struct script_packet p)
{
	struct teredo_rx rx = { .data = p.data, .len = p.len,
				.from = p.from };
	struct teredo_verdict v;

	watch_udp_in(b, &p);
	outbox_clear(&ob);
	v = teredo_relay_udp_in(b->r, &rx, b->now, &ob);
	check_outbox(b);
	assert(v.fate == TEREDO_DROP || v.fate == TEREDO_TAKEN ||
	       v.fate == TEREDO_TO_TUN);
	if (v.fate != TEREDO_DROP)
		check_accepted(b, &p);
	if (v.fate == TEREDO_TO_TUN)
		check_to_tun(b, p.data + v.off, v.len, &p.from);
	free(p.data);
}

static void tun_in(struct bench *b, struct script_packet p)
{
	struct teredo_verdict v;
	struct wire_packet in;

	if (wire_parse_ip6(&in, p.data, p.len) == WIRE_OK &&
	    is_native(b, &in.src))
		note(b, (struct note){ .kind = WANTED, .client = in.dst });
	outbox_clear(&ob);
	v = teredo_relay_tun_in(b->r, p.data, p.len, b->now, &ob);
	check_outbox(b);
	assert(v.fate == TEREDO_DROP || v.fate == TEREDO_TAKEN ||
	       v.fate == TEREDO_TO_UDP);
	if (v.fate == TEREDO_TO_UDP)
		check_to_udp(b, p.data + v.off, v.len, v.to);
	free(p.data);
}

/* The client of the last bubble answers, from its mapping or elsewhere. */
static void answer(struct bench *b, uint8_t from)
{
	struct script_packet p = { .len = 40, .data = malloc(40) };

	assert(p.data != NULL);
	wire_put_bubble(p.data, &b->last_client, &b->addr[1]);
	p.from = from == 0 ? addr_mapping(&b->last_client) :
			     b->ep[from % b->tables.eps];
	udp_in(b, p);
}

static void pass_time(struct bench *b, teredo_time t)
{
	teredo_time until = b->now + t, next;

	while ((next = teredo_relay_deadline(b->r)) <= until) {
		if (next > b->now)
			b->now = next;
		outbox_clear(&ob);
		teredo_relay_expire(b->r, b->now, &ob);
		check_outbox(b);
	}
	b->now = until;
}

static void step(struct bench *b, struct script *s)
{
	uint8_t op = script_u8(s);

	switch (op % 4) {
	case 0:
		tun_in(b, script_packet(s, &b->tables));
		break;
	case 1:
		udp_in(b, script_packet(s, &b->tables));
		break;
	case 2:
		answer(b, script_u8(s));
		break;
	default:
		pass_time(b, (op >> 2) * TEREDO_SECOND);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct bench b;
	const struct teredo_env env = { .random = script_random };
	struct script s = { .at = data, .end = data + len };
	uint8_t how = script_u8(&s);

	memset(&b, 0, sizeof(b));
	b.config = (struct teredo_relay_config){
		.prefix = addr_default_prefix(),
		.max_peers = how & 4 ? 2 : 64,
		.host_local = how & 1,
		.direct_bubbles = how & 2,
	};
	b.now = 100 * TEREDO_SECOND;
	b.own.n = 2;
	b.own.ip[0] = script_ip4(203, 0, 113, 1);
	b.own.ip[1] = script_ip4(203, 0, 113, 255);
	b.r = teredo_relay_new(&b.config, &env);
	assert(b.r != NULL);
	fill_tables(&b);
	teredo_relay_set_local(b.r, &b.own, &b.addr[2], 1);
	for (unsigned i = 0; i < MAX_STEPS && s.at < s.end; i++)
		step(&b, &s);
	teredo_relay_free(b.r);
	return 0;
}
