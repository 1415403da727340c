/*
 * client_bench.c - a client on the bench: the test is its server and its peers
 *
 * See client_bench.h. Nothing here knows the inside of the client. Another
 * seed than the usual one comes from the environment's TEST_SEED.
 */
#include "config.h"

#include "tests/unit/client_bench.h"

struct bench bench;

/* ---- the client, the clock and the log ---- */

void bench_open(unsigned servers, uint32_t max_peers)
{
	static const struct auth_key none;

	bench_open_keyed(servers, max_peers, &none, NULL);
}

static void open_client(const struct teredo_client_config *config,
			test_hmac_fn *hmac)
{
	static uint64_t seed;		/* no two clients are alike */
	const char *from = getenv("TEST_SEED");
	struct teredo_env env;

	memset(&bench, 0, sizeof(bench));
	if (seed == 0)
		seed = from != NULL ? strtoull(from, NULL, 0) : 4380;
	bench.seed = seed++;
	bench.now = bench.start = 1000 * S;
	bench.local_ip = ip4("10.0.0.2");
	env = test_env(&bench.seed);
	env.hmac = hmac;
	bench.c = teredo_client_new(config, &env);
	assert_non_null(bench.c);
}

static struct teredo_client_config plain_config(unsigned servers,
						uint32_t max_peers)
{
	return (struct teredo_client_config){
		.servers = servers,
		.max_peers = max_peers,
		.refresh = 30 * S,
		.local_port = htons(40001),
	};
}

void bench_open_refreshing(teredo_time refresh)
{
	struct teredo_client_config config = plain_config(2, 64);

	config.refresh = refresh;
	open_client(&config, NULL);
}

void bench_open_finding(teredo_time refresh)
{
	struct teredo_client_config config = plain_config(2, 64);

	config.refresh = refresh;
	config.find_refresh = true;
	open_client(&config, NULL);
}

void bench_open_keyed(unsigned servers, uint32_t max_peers,
		      const struct auth_key *key, test_hmac_fn *hmac)
{
	struct teredo_client_config config = plain_config(servers, max_peers);

	config.key = *key;
	open_client(&config, hmac);
}

static void discover_with(struct teredo_client_config config,
			  enum teredo_discovery discovery)
{
	config.discovery = discovery;
	open_client(&config, NULL);
	bench.discovery = discovery;
	bench.local = (struct local4){
		.n = 2, .ip = { bench.local_ip, ip4("10.0.0.255") },
		.nets = 1,
		.net = { { bench.local_ip, htonl(0xffffff00) } },
	};
	bench_net_changed(false);
}

void bench_open_discovering(enum teredo_discovery discovery)
{
	discover_with(plain_config(2, 64), discovery);
}

void bench_open_denying(const char *ip, enum teredo_discovery discovery)
{
	struct teredo_client_config config = plain_config(2, 64);

	config.access.rule[config.access.n].ip = ip4(ip);
	config.access.rule[config.access.n++].bits = 32;
	discover_with(config, discovery);
}

void bench_close(void)
{
	teredo_client_free(bench.c);
	bench.c = NULL;
}

int bench_setup(void **state)
{
	(void)state;
	bench_open(2, 64);
	return 0;
}

int bench_teardown(void **state)
{
	(void)state;
	bench_close();
	return 0;
}

/* A-V4G; what is not global is the link's, and only of who looks there */
static bool may_send_to(struct teredo_ep to)
{
	return ep_is_acceptable(to, &bench.local) ||
	       (bench.discovery != TEREDO_DISCOVERY_OFF &&
		(ep_equal(to, ep4("224.0.0.253", 3544)) ||
		 local4_is_neighbour(&bench.local, to.ip)));
}

static void collect_one(const struct outbox_item *item)
{
	struct sent *s = &bench.sent[bench.n++];

	assert_true(bench.n <= COUNT(bench.sent));
	assert_true(item->len <= sizeof(s->data));
	*s = (struct sent){ .at = bench.now, .kind = item->kind,
			    .via = item->via,
			    .to = item->to, .addr = item->addr,
			    .arg = item->arg, .len = item->len };
	if (item->len > 0)
		memcpy(s->data, outbox_data(&bench.ob, item), item->len);
	if (item->kind == OUTBOX_UDP)
		assert_true(may_send_to(item->to));
	if (item->kind == OUTBOX_ADDRESS) {
		bench.own = item->addr;
		bench.mtu = item->arg;
	}
}

static void collect(void)
{
	unsigned i;

	assert_int_equal(bench.ob.lost, 0);
	for (i = 0; i < bench.ob.n; i++)
		collect_one(&bench.ob.item[i]);
	outbox_clear(&bench.ob);
}

void bench_run(teredo_time for_how_long)
{
	teredo_time end = bench.now + for_how_long;
	unsigned calls = 0;

	while (teredo_client_deadline(bench.c) <= end) {
		if (teredo_client_deadline(bench.c) > bench.now)
			bench.now = teredo_client_deadline(bench.c);
		teredo_client_expire(bench.c, bench.now, &bench.ob);
		collect();
		assert_true(++calls < 100000);	/* a deadline that stays */
	}
	bench.now = end;
}

void bench_run_to(enum teredo_client_state state)
{
	teredo_time end = bench.now + 100 * S;

	while (bench_state() != state) {
		teredo_time next = teredo_client_deadline(bench.c);

		assert_true(next <= end);
		bench_run(next > bench.now ? next - bench.now : 0);
	}
}

unsigned bench_ms(void)
{
	return (unsigned)((bench.now - bench.start) / MS);
}

void bench_start(void)
{
	teredo_client_start(bench.c, bench.now, &bench.ob);
	collect();
}

bool bench_server(unsigned i, const char *ip, const char *ip2)
{
	bool ok = teredo_client_set_server(bench.c, i, ip4(ip),
					   ip2 != NULL ? ip4(ip2) : 0,
					   bench.now, &bench.ob);

	collect();
	return ok;
}

void bench_net_changed(bool solicit)
{
	teredo_client_net_changed(bench.c, &bench.local, solicit, bench.now,
				  &bench.ob);
	collect();
}

bool bench_restore(const struct teredo_client_saved *saved)
{
	bool ok = teredo_client_restore(bench.c, saved, bench.now, &bench.ob);

	collect();
	return ok;
}

void bench_restore_peer(const struct teredo_addr *addr, struct teredo_ep ep)
{
	bench_restore_heard(addr, ep, bench.now);
}

void bench_restore_heard(const struct teredo_addr *addr, struct teredo_ep ep,
			 teredo_time heard)
{
	teredo_client_restore_peer(bench.c, addr, ep, heard, bench.now,
				   &bench.ob);
	collect();
}

static struct teredo_verdict receive(const struct teredo_rx *rx)
{
	struct teredo_verdict v;

	bench.before = *teredo_client_counters(bench.c);
	v = teredo_client_udp_in(bench.c, rx, bench.now, &bench.ob);
	collect();
	return v;
}

struct teredo_verdict bench_discovery(struct teredo_ep from, uint32_t local_ip,
				      const struct test_packet *p)
{
	return receive(&(struct teredo_rx){
		.data = p->b, .len = p->len, .from = from,
		.local_ip = local_ip, .via = TEREDO_VIA_DISCOVERY });
}

void bench_secondary_opened(void)
{
	teredo_client_secondary_opened(bench.c, bench.now, &bench.ob);
	collect();
}

struct teredo_verdict bench_udp(struct teredo_ep from,
				const struct test_packet *p)
{
	return bench_udp_via(TEREDO_VIA_PRIMARY, from, p);
}

struct teredo_verdict bench_udp_via(enum teredo_via via, struct teredo_ep from,
				    const struct test_packet *p)
{
	struct teredo_verdict v = receive(&(struct teredo_rx){
		.data = p->b, .len = p->len, .from = from,
		.local_ip = bench.local_ip, .via = via });

	assert_true(v.fate == TEREDO_DROP || v.fate == TEREDO_TAKEN ||
		    v.fate == TEREDO_TO_TUN);
	if (v.fate == TEREDO_TO_TUN) {
		/* A-ADDR-09, C-RX-03 */
		assert_true((size_t)v.off + v.len <= p->len);
		assert_memory_equal(p->b + v.off + 24, &bench.own, 16);
	}
	return v;
}

struct teredo_verdict bench_tun(const struct test_packet *p)
{
	struct teredo_verdict v;

	bench.before = *teredo_client_counters(bench.c);
	v = teredo_client_tun_in(bench.c, p->b, p->len, bench.now, &bench.ob);
	collect();
	assert_true(v.fate == TEREDO_DROP || v.fate == TEREDO_TAKEN ||
		    v.fate == TEREDO_TO_UDP);
	if (v.fate == TEREDO_TO_UDP) {
		assert_int_equal(v.off, 0);		/* A-ENC-01 */
		assert_int_equal(v.len, p->len);
		assert_true(may_send_to(v.to));
	}
	return v;
}

const struct sent *bench_next(void)
{
	while (bench.read < bench.n) {
		const struct sent *s = &bench.sent[bench.read++];

		if (s->kind == OUTBOX_UDP || s->kind == OUTBOX_TUN)
			return s;
	}
	return NULL;
}

const struct sent *bench_expect_udp(struct teredo_ep to)
{
	const struct sent *s = bench_next();

	assert_non_null(s);
	assert_int_equal(s->kind, OUTBOX_UDP);
	assert_ep_equal(s->to, to);
	return s;
}

const struct sent *bench_expect_tun(void)
{
	const struct sent *s = bench_next();

	assert_non_null(s);
	assert_int_equal(s->kind, OUTBOX_TUN);
	return s;
}

void bench_expect_silence(void)
{
	assert_null(bench_next());
}

unsigned bench_news(enum outbox_kind kind)
{
	unsigned i, n = 0;

	for (i = 0; i < bench.n; i++)
		n += bench.sent[i].kind == kind;
	return n;
}

void bench_forget(void)
{
	bench.n = 0;
	bench.read = 0;
}

unsigned bench_count_to(struct teredo_ep to)
{
	unsigned i, n = 0;

	for (i = 0; i < bench.n; i++)
		n += bench.sent[i].kind == OUTBOX_UDP &&
		     ep_equal(bench.sent[i].to, to);
	return n;
}

const uint8_t *bench_last_nonce(void)
{
	unsigned i = bench.n;

	while (i-- > 0)
		if (bench.sent[i].kind == OUTBOX_UDP && bench.sent[i].len == 61)
			return bench.sent[i].data + 4;
	fail_msg("no solicitation in the log");
	return NULL;
}

uint64_t bench_count(enum teredo_counter c)
{
	return teredo_client_counters(bench.c)->n[c];
}

struct teredo_client_status bench_status(void)
{
	struct teredo_client_status st;

	teredo_client_status(bench.c, bench.now, &st);
	return st;
}

enum teredo_client_state bench_state(void)
{
	return bench_status().state;
}

void bench_assert_dropped(struct teredo_verdict v, enum teredo_counter reason,
			  const char *file, int line)
{
	uint64_t before = bench.before.n[reason];

	if (v.fate != TEREDO_DROP || bench_count(reason) != before + 1) {
		print_error("not dropped as %s\n", teredo_counter_name(reason));
		_fail(file, line);
	}
}

/* ---- the server ---- */

/* C-QUAL-02, C-SECQ-03, C-SECQ-04, C-SECQ-10, C-CONE-01; the octets are those
 * that deployed clients send */
const uint8_t *bench_expect_rs(const char *server)
{
	static const uint8_t rs[] = {
		0x60, 0, 0, 0, 0, 8, 0x3a, 0xff,
		0xfe, 0x80, 0, 0, 0, 0, 0, 0,
		0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2,
		0x85, 0, 0x7d, 0x37, 0, 0, 0, 0,
	};
	const struct sent *s = bench_expect_udp(ep4(server, 3544));

	assert_int_equal(s->len, 61);
	assert_memory_equal(s->data, "\0\1\0\0", 4);
	assert_int_equal(s->data[12], 0);
	assert_memory_equal(s->data + 13, rs, sizeof(rs));
	return s->data + 4;
}

struct bench_ra bench_ra(const uint8_t *nonce, const char *server)
{
	return (struct bench_ra){ .nonce = nonce, .from = ep4(server, 3544),
				  .origin = ep4("192.0.2.45", 40000),
				  .prefix_ip = ip4(server), .mtu = 1280 };
}

struct teredo_ep bench_mapped(void)
{
	return ep4("192.0.2.45", 40000);
}

void bench_put_ra(struct test_packet *p, const struct bench_ra *ra)
{
	struct teredo_addr src, dst = ip6("fe80::ffff:ffff:ffff");

	p->len = 0;
	if (ra->nonce != NULL)
		packet_auth(p, ra->nonce);
	if (ra->origin.ip != 0)
		packet_origin(p, ra->origin);
	addr_make_link_local(&src, ADDR_FLAG_CONE, ra->from);
	icmp6_put_ra(packet_more(p, ICMP6_RA_LEN), &src, &dst,
		     addr_default_prefix(), ra->prefix_ip, ra->mtu);
}

struct teredo_verdict bench_answer(const struct bench_ra *ra)
{
	struct test_packet p;

	bench_put_ra(&p, ra);
	return bench_udp(ra->from, &p);
}

void bench_fix_checksum(struct test_packet *p, size_t off)
{
	struct teredo_addr src, dst;
	uint8_t *msg = p->b + off + WIRE_IP6_LEN;
	size_t len = p->len - off - WIRE_IP6_LEN;
	uint16_t sum;

	memcpy(&src, p->b + off + 8, 16);
	memcpy(&dst, p->b + off + 24, 16);
	msg[2] = msg[3] = 0;
	sum = icmp6_checksum(&src, &dst, msg, len);
	msg[2] = (uint8_t)(sum >> 8);
	msg[3] = (uint8_t)sum;
	assert_int_equal(icmp6_checksum(&src, &dst, msg, len), 0);
}

void bench_qualify(void)
{
	struct bench_ra ra;

	bench_start();
	assert_true(bench_server(0, SERVER, NULL));
	ra = bench_ra(bench_expect_rs(SERVER), SERVER);
	assert_int_equal(bench_answer(&ra).fate, TEREDO_TAKEN);
	ra = bench_ra(bench_expect_rs(SERVER2), SERVER2);
	ra.prefix_ip = ip4(SERVER);
	assert_int_equal(bench_answer(&ra).fate, TEREDO_TAKEN);
	assert_int_equal(bench_state(), TEREDO_CLIENT_QUALIFIED);
	bench_expect_silence();
	bench_forget();
}

/* ---- peers ---- */

struct teredo_addr bench_peer(struct teredo_ep mapped)
{
	struct teredo_addr a;

	addr_make(&a, addr_default_prefix(), ip4("203.0.113.9"), 0x1034,
		  mapped);
	return a;
}

struct teredo_ep bench_peer_server(void)
{
	return ep4("203.0.113.9", 3544);
}

struct teredo_verdict bench_send(const struct teredo_addr *dst, size_t len)
{
	struct test_packet p = { .len = 0 };

	packet_ip6(&p, 17, &bench.own, dst, len);
	return bench_tun(&p);
}

struct teredo_verdict bench_receive(struct teredo_ep from,
				    const struct teredo_addr *src, size_t len)
{
	struct test_packet p = { .len = 0 };

	packet_ip6(&p, 17, src, &bench.own, len);
	return bench_udp(from, &p);
}

struct teredo_verdict bench_bubble(struct teredo_ep from,
				   const struct teredo_addr *src,
				   const struct teredo_addr *dst)
{
	struct test_packet p = { .len = 0 };

	packet_bubble(&p, src, dst);
	return bench_udp(from, &p);
}

struct teredo_verdict bench_indirect(const struct teredo_addr *src,
				     struct teredo_ep origin)
{
	struct test_packet p = { .len = 0 };

	packet_origin(&p, origin);
	packet_bubble(&p, src, &bench.own);
	return bench_udp(ep4(SERVER, 3544), &p);
}

void bench_is_bubble(const struct sent *sent, const struct teredo_addr *src,
		     const struct teredo_addr *dst)
{
	struct wire_packet p;

	assert_int_equal(sent->len, WIRE_BUBBLE_LEN);		/* A-ENC-09 */
	assert_int_equal(wire_parse(&p, sent->data, sent->len), WIRE_OK);
	assert_true(wire_is_bubble(&p));
	if (src != NULL)
		assert_addr_equal(&p.src, src);
	if (dst != NULL)
		assert_addr_equal(&p.dst, dst);
}

void bench_test_reply(const struct sent *sent, const struct teredo_addr *dst,
		      struct test_packet *reply)
{
	struct wire_packet p;
	const uint8_t *msg;
	size_t len;

	assert_int_equal(wire_parse(&p, sent->data, sent->len), WIRE_OK);
	assert_addr_equal(&p.src, &bench.own);
	assert_addr_equal(&p.dst, dst);
	msg = icmp6_message(&p, &len);		/* also checks the checksum */
	assert_non_null(msg);
	assert_int_equal(msg[0], ICMP6_ECHO_REQUEST);
	assert_in_range(len, 16, 88);		/* C-DCT-02, C-DCT-05 */
	reply->len = 0;
	icmp6_put_echo(packet_more(reply, ICMP6_ECHO_LEN(len - 8)),
		       ICMP6_ECHO_REPLY, dst, &bench.own,
		       (uint16_t)(msg[4] << 8 | msg[5]),
		       (uint16_t)(msg[6] << 8 | msg[7]), msg + 8, len - 8);
}

void bench_trust(const struct teredo_addr *peer, struct teredo_ep ep)
{
	struct test_packet reply;

	bench.read = bench.n;
	if (addr_in_prefix(peer, addr_default_prefix())) {
		assert_ep_equal(addr_mapping(peer), ep);
		assert_int_equal(bench_bubble(ep, peer, &bench.own).fate,
				 TEREDO_TAKEN);
		return;
	}
	assert_int_equal(bench_send(peer, 8).fate, TEREDO_TAKEN);
	bench_test_reply(bench_expect_udp(ep4(SERVER, 3544)), peer, &reply);
	assert_int_equal(bench_udp(ep, &reply).fate, TEREDO_TAKEN);
	bench_expect_udp(ep);
	bench_expect_silence();
}
