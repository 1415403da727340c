/*
 * fuzz_server.c - any packets at a server
 *
 * Whatever comes: at most one packet leaves for it, to an endpoint that is fit,
 * from the right socket, at most 8 octets longer unless it is an
 * advertisement, and that goes to who asked. Native IPv6 gets small echoes of
 * clients at their mapping. The rules are checked against the packet that went
 * in, read once more.
 * SEC-PRS-01, S-FWD-10
 */
#include "script.h"

#include "libteredo/server.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct teredo_outbox ob;

struct bench {
	struct teredo_server *s;
	struct teredo_server_config config;
	struct local4 own;
	struct teredo_addr addr[16];
	struct teredo_ep ep[12];
	struct script_tables tables;
	teredo_time now;
};

static const uint8_t known[][16] = {
	{ 0xff, 2, [15] = 2 },				/* all routers */
	{ 0xfe, 0x80, [10] = 0xff, 0xff, 0xff, 0xff, 0xff, 0xff },
	{ 0xfe, 0x80, [8] = 0x80, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff },
	{ 0xfe, 0x80, [15] = 1 },
	{ 0x20, 1, 0x0d, 0xb8, [15] = 1 },		/* native */
	{ 0x20, 2, 198, 51, 100, 1, [15] = 1 },		/* 6to4, ours */
	{ 0x20, 1, 0x0d, 0xb8, [10] = 0x5e, 0xfe, 198, 51, 100, 2 },
};

static void fill_tables(struct bench *b)
{
	uint32_t server = b->config.ip, other = script_ip4(203, 0, 113, 99);
	uint32_t ip[4] = { script_ip4(192, 0, 2, 45),
			   script_ip4(203, 0, 113, 9), server,
			   script_ip4(10, 1, 2, 3) };
	unsigned n = 1;

	for (unsigned i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		memcpy(b->addr[n++].b, known[i], 16);
	addr_make_link_local(&b->addr[n++], ADDR_FLAG_CONE,
			     addr_server_ep(server));
	for (unsigned i = 0; i < 4; i++)
		addr_make(&b->addr[n++], b->config.prefix, server, 0,
			  script_ep(ip[i], 0x0d, 0xd8));
	addr_make(&b->addr[n++], b->config.prefix, other, 0,
		  script_ep(ip[1], 0x0d, 0xd8));
	assert(n <= sizeof(b->addr) / sizeof(b->addr[0]));
	b->tables.addrs = n;
	n = 1;
	for (unsigned i = 0; i < 4; i++) {
		b->ep[n++] = script_ep(ip[i], 0x0d, 0xd8);
		b->ep[n++] = script_ep(ip[i], 0x12, 0x34);
	}
	b->ep[n++] = script_ep(ip[0], 0, 0);
	b->ep[n++] = script_ep(b->config.ip2, 0x0d, 0xd8);
	b->tables.eps = n;
	b->tables.addr = b->addr;
	b->tables.ep = b->ep;
}

/* The advertisement: 104 octets, or 117 with the asker's nonce before it. */
static void check_ra(const struct bench *b, const struct wire_packet *in,
		     const struct teredo_rx *rx)
{
	const struct outbox_item *item = &ob.item[0];
	bool cone = (addr_flags(&in->src) & ADDR_FLAG_CONE) != 0;
	struct wire_packet out;
	struct icmp6_ra ra;

	assert(ep_equal(item->to, rx->from));
	assert(icmp6_is_rs(in) && addr_is_all_routers(&in->dst));
	assert(addr_is_link_local(&in->src) ||
	       ep_equal(addr_mapping(&in->src), rx->from));
	assert((item->via != rx->via) == cone);
	assert(wire_parse(&out, outbox_data(&ob, item), item->len) == WIRE_OK);
	assert(item->len == (in->auth.present ? 117 : 104));
	assert(out.auth.present == in->auth.present);
	assert(!in->auth.present ||
	       memcmp(out.auth.nonce, in->auth.nonce, WIRE_NONCE_LEN) == 0);
	assert(ep_equal(out.origin, rx->from));
	assert(addr_equal(&out.dst, &in->src));
	assert(icmp6_parse_ra(&out, &ra) && ra.mtu == b->config.mtu);
	assert(addr_server(&ra.prefix) == b->config.ip);
}

static bool is_echo(const struct wire_packet *p)
{
	size_t len;
	const uint8_t *msg = icmp6_message(p, &len);

	return msg != NULL && (msg[0] == ICMP6_ECHO_REQUEST ||
			       msg[0] == ICMP6_ECHO_REPLY);
}

/* Rules 5 and 6 */
static void check_source(const struct bench *b, const struct wire_packet *in,
			 const struct teredo_rx *rx)
{
	if (addr_in_prefix(&in->src, b->config.prefix)) {
		assert(ep_equal(addr_mapping(&in->src), rx->from));
		return;
	}
	assert(addr_is_link_local(&in->src) || addr_is_global(&in->src));
	assert(addr_in_prefix(&in->dst, b->config.prefix));
	assert(addr_server(&in->dst) == b->config.ip);
}

/* What passes on is the packet itself; an answer to an echo goes back. */
static void check_passed(const struct bench *b, const struct wire_packet *in,
			 const struct teredo_rx *rx)
{
	const struct outbox_item *item = &ob.item[0];
	bool own = addr_server(&in->dst) == b->config.ip;
	struct wire_packet out;

	check_source(b, in, rx);
	assert(item->len <= rx->len + 8);
	assert(wire_parse(&out, outbox_data(&ob, item), item->len) == WIRE_OK);
	assert(out.ip6_len <= 128 && out.trailers_len <= 64);
	assert(!out.auth.present);
	if (!addr_in_prefix(&in->dst, b->config.prefix)) {
		assert(ep_equal(item->to, rx->from) && item->via == rx->via);
		assert(out.ip6[40] == ICMP6_ECHO_REPLY);
		assert(in->ip6[40] == ICMP6_ECHO_REQUEST);
		assert(memcmp(out.ip6 + 44, in->ip6 + 44, out.ip6_len - 44) ==
		       0);
		assert(addr_is_all_routers(&in->dst) ||
		       addr_equal(&in->dst, &b->addr[8]));
		return;
	}
	assert(ep_equal(item->to, addr_mapping(&in->dst)));
	assert(item->via == TEREDO_VIA_PRIMARY);
	assert(out.has_origin == own);
	assert(!own || ep_equal(out.origin, rx->from));
	assert(out.ip6_len == in->ip6_len);
	assert(memcmp(out.ip6, in->ip6, in->ip6_len) == 0);
	assert(out.trailers_len == in->trailers_len);
	assert(wire_is_bubble(in) || is_echo(in));
}

static void check_native(const struct bench *b, const struct wire_packet *in,
			 const struct teredo_rx *rx, struct teredo_verdict v)
{
	assert(v.off == in->ip6_off && v.len == in->ip6_len);
	assert(v.len <= 128 && is_echo(in));
	assert(addr_in_prefix(&in->src, b->config.prefix));
	assert(ep_equal(addr_mapping(&in->src), rx->from));
	assert(addr_is_global(&in->dst));
	assert(!addr_in_prefix(&in->dst, b->config.prefix));
	assert(!addr_embeds_local(&in->dst, &b->own));
}

static void step(struct bench *b, struct script *s, enum teredo_via via)
{
	struct script_packet p = script_packet(s, &b->tables);
	struct teredo_rx rx = { .data = p.data, .len = p.len,
				.from = p.from, .via = via };
	const struct teredo_counters *count = teredo_server_counters(b->s);
	uint64_t ras = count->n[TEREDO_EV_ra_sent];
	struct teredo_verdict v;
	struct wire_packet in;

	outbox_clear(&ob);
	v = teredo_server_udp_in(b->s, &rx, b->now, &ob);
	assert(ob.lost == 0 && ob.n == (v.fate == TEREDO_TAKEN));
	if (v.fate != TEREDO_DROP) {
		assert(wire_parse(&in, p.data, p.len) == WIRE_OK);
		assert(ep_is_acceptable(p.from, &b->own));
	}
	if (v.fate == TEREDO_TO_NATIVE6)
		check_native(b, &in, &rx, v);
	if (v.fate == TEREDO_TAKEN) {
		assert(ob.item[0].kind == OUTBOX_UDP);
		assert(ep_is_acceptable(ob.item[0].to, &b->own));
		if (count->n[TEREDO_EV_ra_sent] != ras)
			check_ra(b, &in, &rx);
		else
			check_passed(b, &in, &rx);
	}
	free(p.data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct bench b;
	const struct teredo_env env = { .random = script_random };
	struct script s = { .at = data, .end = data + len };
	uint8_t how = script_u8(&s);

	memset(&b, 0, sizeof(b));
	b.config = (struct teredo_server_config){
		.prefix = addr_default_prefix(),
		.ip = script_ip4(198, 51, 100, 1),
		.ip2 = how & 1 ? 0 : script_ip4(198, 51, 100, 2),
		.mtu = 1280,
	};
	b.own.n = 2;
	b.own.ip[0] = b.config.ip;
	b.own.ip[1] = script_ip4(198, 51, 100, 2);
	b.s = teredo_server_new(&b.config, &env);
	assert(b.s != NULL);
	teredo_server_set_local(b.s, &b.own);
	fill_tables(&b);
	while (s.at < s.end) {
		uint8_t op = script_u8(&s);

		b.now += (op >> 1) * 10 * TEREDO_MS;
		step(&b, &s, op & 1 && b.config.ip2 != 0 ?
				     TEREDO_VIA_SECONDARY :
				     TEREDO_VIA_PRIMARY);
	}
	teredo_server_free(b.s);
	return 0;
}
