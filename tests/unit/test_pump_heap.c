/*
 * test_pump_heap.c - no heap call in the data path
 *
 * Pump, relay's core and merger at work, with all offloads and with none:
 * super-packets both ways, packets that wait for a path, strangers. malloc()
 * and its kin are wrapped and counted while the loop runs. Whole processes of
 * every role: tests/net/t_heap.
 */
#include "config.h"

#include "gso_packets.h"

#include <sys/socket.h>
#include <unistd.h>

#include "../../src/clock.h"
#include "../../src/datapath.h"
#include "../../src/hmac.h"
#include "../../src/pump.h"
#include "../../src/udp.h"
#include "../../src/udp_tx.h"
#include "netns.h"

#define OFFLOADS                                                               \
	(DATAPATH_VNET | DATAPATH_TSO | DATAPATH_USO | DATAPATH_SEGMENT |      \
	 DATAPATH_GRO | DATAPATH_BATCH)
#define VNET  sizeof(struct virtio_net_hdr)
#define PEERS 64

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void __real_free(void *p);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);
void __wrap_free(void *p);

static volatile unsigned heap_calls; /* malloc() changes nothing, the compiler
				      * believes */

void *__wrap_malloc(size_t size)
{
	heap_calls++;
	return __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
	heap_calls++;
	return __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t size)
{
	heap_calls++;
	return __real_realloc(p, size);
}

void __wrap_free(void *p)
{
	heap_calls++;
	__real_free(p);
}

struct rig {
	const struct role_ops *ops;
	void *role;
	struct loop *loop;
	struct pump *pump;
	struct snapshot *snap;
	int memfd, tun, stack, udp, peer;
	struct teredo_ep udp_ep, peer_ep;
	struct teredo_addr client, native;
	unsigned turns;
};

static void done(void *ctx)
{
	struct rig *r = ctx;

	if (--r->turns == 0)
		loop_stop(r->loop, 0);
}

static int open_udp(const char *ip, struct teredo_ep *ep)
{
	int fd = udp_open((struct teredo_ep){ .ip = ip4(ip) });

	assert_true(fd >= 0);
	*ep = udp_bound(fd);
	return fd;
}

static void news(void *ctx, const struct outbox_item *item)
{
	(void)ctx;
	(void)item;
}

static void open_role(struct rig *r)
{
	static uint64_t seed = 1;
	static const struct auth_keys no_keys;
	const struct priv_config config = {
		.prefix = addr_default_prefix(),
		.max_peers = PEERS,
	};
	struct teredo_env env = test_env(&seed);

	env.hmac = hmac_compute;
	r->ops = role_ops(PRIV_RELAY);
	r->role = r->ops->open(&config, &no_keys, &env);
	assert_non_null(r->role);
}

static void open_rig(struct rig *r, uint32_t features)
{
	teredo_time now = clock_now();
	struct pump_config c = { .native6 = -1, .news = news, .done = done,
				 .ctx = r, .features = features };
	int pair[2];

	*r = (struct rig){ .turns = 0 };
	open_role(r);
	assert_int_equal(loop_new(&r->loop), 0);
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair),
		0);
	r->tun = pair[0];
	r->stack = pair[1];
	r->udp = open_udp("192.0.2.1", &r->udp_ep);
	r->peer = open_udp("203.0.113.9", &r->peer_ep);
	udp_offload(r->udp, features);
	r->memfd = snapshot_create(PEERS);
	assert_int_equal(snapshot_open(&r->snap, r->memfd, PEERS), 0);
	c.ops = r->ops;
	c.role = r->role;
	c.loop = r->loop;
	c.snap = r->snap;
	c.tun = r->tun;
	for (unsigned i = 0; i < COUNT(c.udp); i++)
		c.udp[i] = i == TEREDO_VIA_PRIMARY ? r->udp : -1;
	assert_int_equal(pump_new(&r->pump, &c), 0);
	addr_make(&r->client, addr_default_prefix(), ip4("192.0.2.50"), 0,
		  r->peer_ep);
	r->native = ip6("2001:db8::1");
	r->ops->restore_peer(r->role, &r->client, r->peer_ep, now, now,
			     pump_outbox(r->pump));
	pump_deliver(r->pump, now);
}

static void close_rig(struct rig *r)
{
	pump_free(r->pump);
	r->ops->close(r->role);
	snapshot_close(r->snap);
	loop_free(r->loop);
	close(r->memfd);
	close(r->tun);
	close(r->stack);
	close(r->udp);
	close(r->peer);
}

static size_t make_packet(uint8_t *packet, const struct flow *flow,
			  const struct teredo_addr *src,
			  const struct teredo_addr *dst, size_t payload)
{
	size_t len = flow_packet(packet, flow, payload);

	memcpy(packet + 8, src->b, 16);
	memcpy(packet + 24, dst->b, 16);
	plain_checksum(packet, len);
	return len;
}

/* One from the stack, of segments of `size`. */
static void from_stack(struct rig *r, const struct teredo_addr *dst,
		       size_t payload, size_t size)
{
	static uint8_t packet[VNET + 65600];
	const struct flow flow = { .protocol = TCP, .port = 1, .flags = 0x10 };
	size_t len = make_packet(packet + VNET, &flow, &r->native, dst,
				 payload);
	struct virtio_net_hdr vnet = make_super(packet + VNET, len, size);

	if (payload <= size)
		vnet.gso_type = VIRTIO_NET_HDR_GSO_NONE;
	memcpy(packet, &vnet, VNET);
	assert_int_equal(write(r->stack, packet, VNET + len), VNET + len);
}

/* A row from the client. */
static void from_client(struct rig *r, unsigned n, size_t payload)
{
	struct flow flow = { .protocol = TCP, .port = 1, .flags = 0x10 };
	struct udp_tx *tx;

	assert_int_equal(udp_tx_new(&tx, DATAPATH_SEGMENT), 0);
	for (; n > 0; n--) {
		uint8_t *room = udp_tx_next(tx, 60 + payload);
		struct iovec piece = { room, 0 };

		piece.iov_len = make_packet(room, &flow, &r->client,
					    &r->native, payload);
		flow.seq += (uint32_t)payload;
		udp_tx_add(tx, r->peer, r->udp_ep, &piece, 1);
	}
	udp_tx_flush(tx);
	udp_tx_free(tx);
}

/* Runs for some wake-ups; without any heap call. */
static void run(struct rig *r, unsigned turns)
{
	r->turns = turns;
	heap_calls = 0;
	loop_run(r->loop);
	assert_int_equal(heap_calls, 0);
}

static void the_wrapping_counts(void **state)
{
	void *volatile p;

	(void)state;
	heap_calls = 0;
	p = malloc(1);
	p = realloc(p, 2);
	free(p);
	p = calloc(1, 1);
	free(p);
	assert_int_equal(heap_calls, 5);
}

static void super_packets_go_out_and_in(void **state)
{
	struct ctl_status st = { 0 };
	struct rig r;

	(void)state;
	open_rig(&r, OFFLOADS);
	from_stack(&r, &r.client, 60000, 1200);
	run(&r, 1);
	from_client(&r, 40, 1200);
	run(&r, 1);
	heap_calls = 0;
	pump_status(r.pump, &st);
	pump_expire(r.pump, clock_now());
	assert_int_equal(heap_calls, 0);
	assert_int_equal(st.udp_tx.packets, 50);
	assert_int_equal(st.tun_tx.packets, 40);
	assert_int_equal(st.udp_drops + st.tun_drops, 0);
	close_rig(&r);
}

static void packets_go_one_by_one(void **state)
{
	struct ctl_status st = { 0 };
	struct rig r;

	(void)state;
	open_rig(&r, DATAPATH_VNET);
	for (unsigned i = 0; i < 10; i++)
		from_stack(&r, &r.client, 1200, 1200);
	run(&r, 1);
	from_client(&r, 3, 1200);
	run(&r, 1);
	pump_status(r.pump, &st);
	assert_int_equal(st.udp_tx.packets, 10);
	assert_true(st.tun_tx.packets > 0);
	close_rig(&r);
}

/* Held packets, bubbles, and more of them than the table has room for. */
static void packets_to_strangers_wait(void **state)
{
	const struct teredo_counters *c;
	struct rig r;

	(void)state;
	open_rig(&r, OFFLOADS);
	for (unsigned i = 0; i < 2 * PEERS; i++) {
		struct teredo_ep ep = ep4("203.0.113.77", 2000 + i);
		struct teredo_addr stranger;

		addr_make(&stranger, addr_default_prefix(),
			  ip4("192.0.2.50"), 0, ep);
		from_stack(&r, &stranger, 2000, 1000);
		run(&r, 1);
	}
	c = r.ops->counters(r.role);
	assert_true(c->n[TEREDO_EV_bubble_indirect_sent] > 0);
	close_rig(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_wrapping_counts),
		cmocka_unit_test(super_packets_go_out_and_in),
		cmocka_unit_test(packets_go_one_by_one),
		cmocka_unit_test(packets_to_strangers_wait),
	};

	if (!netns_enter())
		return 0;
	if (!netns_add_ip4(ip4("192.0.2.1")) ||
	    !netns_add_ip4(ip4("203.0.113.9")))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
