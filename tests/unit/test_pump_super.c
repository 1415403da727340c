/*
 * test_pump_super.c - the hot path with super-packets
 *
 * The tun is one end of a socket pair, with a virtio-net header before each
 * packet; the role sees what the core would see, and says what becomes of it.
 * tun6_write() goes by writev(), which is wrapped to refuse merged packets.
 */
#include "config.h"

#include "gso_packets.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../src/datapath.h"
#include "../../src/log.h"
#include "../../src/pump.h"
#include "../../src/udp.h"
#include "../../src/udp_tx.h"
#include "netns.h"

#define OFFLOADS                                                               \
	(DATAPATH_VNET | DATAPATH_TSO | DATAPATH_USO | DATAPATH_SEGMENT |      \
	 DATAPATH_GRO | DATAPATH_BATCH)
#define VNET sizeof(struct virtio_net_hdr)
#define PEER 7 /* its slot, as the role says */

ssize_t __real_writev(int fd, const struct iovec *piece, int n);
ssize_t __wrap_writev(int fd, const struct iovec *piece, int n);

static int refuse_merged; /* errno */

ssize_t __wrap_writev(int fd, const struct iovec *piece, int n)
{
	if (refuse_merged == 0 || n <= 2)
		return __real_writev(fd, piece, n);
	errno = refuse_merged;
	return -1;
}

struct fixture {
	struct loop *loop;
	struct pump *pump;
	struct snapshot *snap;
	int memfd, tun, stack, udp, peer;
	struct teredo_ep udp_ep, peer_ep;
	enum teredo_fate fate;
	unsigned calls, turns;
	unsigned off;		/* of the packet in a datagram */
	size_t more_packets, more_octets;
	size_t len[256];	/* of what the role saw */
	uint8_t last[70000];
};

static struct teredo_verdict see(struct fixture *f, const uint8_t *data,
				 size_t len)
{
	f->len[f->calls++ % COUNT(f->len)] = len;
	memcpy(f->last, data, len);
	return (struct teredo_verdict){ .fate = f->fate, .off = f->off,
					.len = (uint32_t)len - f->off,
					.to = f->peer_ep,
					.peer = PEER };
}

static struct teredo_verdict udp_in(void *role, const struct teredo_rx *rx,
				    teredo_time now, struct teredo_outbox *ob)
{
	(void)now;
	(void)ob;
	return see(role, rx->data, rx->len);
}

static struct teredo_verdict tun_in(void *role, const uint8_t *ip6, size_t len,
				    teredo_time now, struct teredo_outbox *ob)
{
	(void)now;
	(void)ob;
	return see(role, ip6, len);
}

static void sent_more(void *role, uint32_t peer, uint32_t packets,
		      size_t octets)
{
	struct fixture *f = role;

	assert_int_equal(peer, PEER);
	f->more_packets += packets;
	f->more_octets += octets;
}

static void prefetch(void *role, const struct teredo_addr *keys, unsigned n)
{
	(void)role;
	for (unsigned i = 0; i < n; i++)
		assert_int_equal(keys[i].b[0], 0x20);
}

static teredo_time deadline(const void *role)
{
	(void)role;
	return TEREDO_NEVER;
}

static const struct role_ops ops = { .udp_in = udp_in,
				     .tun_in = tun_in,
				     .sent_more = sent_more,
				     .peer = role_no_peer,
				     .prefetch = prefetch,
				     .expect = role_no_expect,
				     .deadline = deadline };

static void done(void *ctx)
{
	struct fixture *f = ctx;

	if (--f->turns == 0)
		loop_stop(f->loop, 0);
}

static int open_udp(struct teredo_ep *ep)
{
	int fd = udp_open((struct teredo_ep){ .ip = htonl(INADDR_LOOPBACK) });

	*ep = udp_bound(fd);
	return fd;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct pump_config c = { .ops = &ops, .role = f, .native6 = -1,
				 .done = done, .ctx = f,
				 .features = OFFLOADS };
	int pair[2];

	*state = f;
	refuse_merged = 0;
	assert_int_equal(loop_new(&f->loop), 0);
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair),
		0);
	f->tun = pair[0];
	f->stack = pair[1];
	f->udp = open_udp(&f->udp_ep);
	udp_offload(f->udp, DATAPATH_GRO);
	f->peer = open_udp(&f->peer_ep);
	f->memfd = snapshot_create(1);
	assert_int_equal(snapshot_open(&f->snap, f->memfd, 1), 0);
	c.loop = f->loop;
	c.snap = f->snap;
	c.tun = f->tun;
	for (unsigned i = 0; i < COUNT(c.udp); i++)
		c.udp[i] = i == TEREDO_VIA_PRIMARY ? f->udp : -1;
	assert_int_equal(pump_new(&f->pump, &c), 0);
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	pump_free(f->pump);
	snapshot_close(f->snap);
	loop_free(f->loop);
	close(f->memfd);
	close(f->tun);
	close(f->stack);
	close(f->udp);
	close(f->peer);
	free(f);
	return 0;
}

static void run(struct fixture *f)
{
	f->turns = 1;
	loop_run(f->loop);
}

/* ---- out ---- */

static void from_stack(struct fixture *f, struct flow flow, size_t payload,
		       size_t size)
{
	static uint8_t packet[VNET + 65600];
	size_t len = flow_packet(packet + VNET, &flow, payload);
	struct virtio_net_hdr vnet = make_super(packet + VNET, len, size);

	if (payload <= size)
		vnet.gso_type = VIRTIO_NET_HDR_GSO_NONE;
	memcpy(packet, &vnet, VNET);
	assert_int_equal(write(f->stack, packet, VNET + len), VNET + len);
}

/* The flow's next packet has come to the peer, whole. */
static void expect_at_peer(struct fixture *f, struct flow *flow,
			   size_t payload)
{
	static uint8_t want[65600], got[65600];
	size_t len = flow_packet(want, flow, payload);

	flow->seq += (uint32_t)payload;
	assert_int_equal(recv(f->peer, got, sizeof(got), 0), len);
	assert_memory_equal(got, want, len);
}

/* A packet or super-packet has come to the stack; how many it is cut to. */
static unsigned expect_at_stack(struct fixture *f, struct flow *flow,
				size_t payload)
{
	static uint8_t got[70000], want[2000], head[2000];
	ssize_t n = read(f->stack, got, sizeof(got));
	struct virtio_net_hdr vnet;
	struct gso_super s;

	assert_true(n >= (ssize_t)VNET);
	memcpy(&vnet, got, VNET);
	assert_int_equal(gso_view(&s, &vnet, got + VNET, (size_t)n - VNET), 0);
	for (uint32_t i = 0; i < s.count; i++) {
		size_t len = flow_packet(want, flow, payload);
		struct iovec rest = { got + VNET, len };

		if (s.count > 1) {
			rest = gso_segment(&s, i, head);
			memcpy(head + s.head, rest.iov_base, rest.iov_len);
			rest = (struct iovec){ head, s.head + rest.iov_len };
		} else {
			assert_int_equal(s.len, len);
		}
		assert_int_equal(rest.iov_len, len);
		assert_memory_equal(rest.iov_base, want, len);
		flow->seq += (uint32_t)payload;
	}
	return s.count;
}

static void a_super_packet_is_looked_at_once(void **state)
{
	struct fixture *f = *state;
	struct flow flow = { .protocol = TCP, .port = 1, .flags = 0x10 };

	f->fate = TEREDO_TO_UDP;
	from_stack(f, flow, 60000, 1208);
	run(f);
	assert_int_equal(f->calls, 1);
	assert_int_equal(f->len[0], 60 + 1208);
	assert_int_equal(f->more_packets, 60000 / 1208);
	assert_int_equal(f->more_octets,
			 60000 - 1208 + 60 * f->more_packets);
	for (unsigned i = 0; i < 60000 / 1208; i++)
		expect_at_peer(f, &flow, 1208);
	expect_at_peer(f, &flow, 60000 % 1208);
	assert_int_equal(recv(f->peer, f->last, 1, 0), -1);
}

/* What the core looks at is a packet as it would be alone. */
static void the_core_sees_an_ordinary_packet(void **state)
{
	struct fixture *f = *state;
	struct flow flow = { .protocol = UDP, .port = 1 };
	uint8_t want[2000];
	size_t len = flow_packet(want, &flow, 1000);

	f->fate = TEREDO_DROP;
	from_stack(f, flow, 2000, 1000);
	run(f);
	assert_int_equal(f->calls, 2); /* each is judged by itself */
	from_stack(f, flow, 1000, 1000);
	run(f);
	assert_int_equal(f->calls, 3);
	assert_memory_equal(f->last, want, len);
}

static void taken_segments_are_taken_one_by_one(void **state)
{
	struct fixture *f = *state;
	struct flow flow = { .protocol = TCP, .port = 1, .flags = 0x10 };

	f->fate = TEREDO_TAKEN;
	from_stack(f, flow, 5000, 1000);
	run(f);
	assert_int_equal(f->calls, 5);
	assert_int_equal(recv(f->peer, f->last, 1, 0), -1);
}

/* Each is written before the next is built in its place. */
static void segments_go_where_the_verdict_says(void **state)
{
	struct fixture *f = *state;
	struct flow flow = { .protocol = UDP, .port = 1 }, out = flow;

	f->fate = TEREDO_TO_TUN;
	from_stack(f, flow, 5000, 1000);
	run(f);
	assert_int_equal(f->calls, 5);
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(expect_at_stack(f, &out, 1000), 1);
}

static void order_between_packets_is_kept(void **state)
{
	struct fixture *f = *state;
	struct flow flow = { .protocol = UDP, .port = 1 }, out = flow;

	f->fate = TEREDO_TO_UDP;
	for (unsigned i = 0; i < 6; i++) {
		size_t payload = i % 2 == 0 ? 3500 : 50;

		from_stack(f, flow, payload, 1000);
		flow.seq += (uint32_t)payload;
	}
	while (f->calls < 6)
		run(f);
	for (unsigned i = 0; i < 6; i++) {
		for (unsigned k = 0; i % 2 == 0 && k < 3; k++)
			expect_at_peer(f, &out, 1000);
		expect_at_peer(f, &out, i % 2 == 0 ? 500 : 50);
	}
}

static void a_wrong_header_costs_its_packet_alone(void **state)
{
	struct fixture *f = *state;
	struct flow flow = { .protocol = UDP, .port = 1 };
	struct ctl_status st = { 0 };

	f->fate = TEREDO_TO_UDP;
	from_stack(f, flow, 2000, 0); /* no segment size */
	assert_int_equal(write(f->stack, "short", 5), 5);
	from_stack(f, flow, 10, 1000);
	run(f);
	assert_int_equal(f->calls, 1);
	expect_at_peer(f, &flow, 10);
	pump_status(f->pump, &st);
	assert_int_equal(st.tun_drops, 2);
	assert_int_equal(st.datapath, OFFLOADS);
}

/* ---- in ---- */

/* A row as another Miredo sends it: with `off` octets before each packet. */
static void from_peer(struct fixture *f, struct flow flow, unsigned n,
		      size_t payload)
{
	struct udp_tx *tx;

	assert_int_equal(udp_tx_new(&tx, DATAPATH_SEGMENT), 0);
	for (; n > 0; n--) {
		uint8_t *room = udp_tx_next(tx, f->off + 60 + payload);
		size_t len = flow_packet(room + f->off, &flow, payload);
		const struct iovec piece = { room, f->off + len };

		flow.seq += (uint32_t)payload;
		udp_tx_add(tx, f->peer, f->udp_ep, &piece, 1);
	}
	udp_tx_flush(tx);
	udp_tx_free(tx);
}

static void a_row_is_judged_singly_and_written_as_one(void **state)
{
	struct fixture *f = *state;
	struct flow flow = { .protocol = TCP, .port = 1, .flags = 0x10 };
	struct ctl_status st = { 0 };

	f->fate = TEREDO_TO_TUN;
	f->off = 8; /* an origin indication */
	from_peer(f, flow, 40, 1200);
	run(f);
	assert_int_equal(f->calls, 40);
	assert_int_equal(f->len[39], 8 + 60 + 1200);
	assert_int_equal(expect_at_stack(f, &flow, 1200), 40);
	pump_status(f->pump, &st);
	assert_int_equal(st.tun_tx.packets, 40);
	assert_int_equal(st.tun_tx.bytes, 40 * 1260);
	assert_int_equal(st.udp_rx.packets, 40);
}

static unsigned lines;
static char last_line[LOG_LINE_MAX];

static void keep_line(void *ctx, int level, const char *line)
{
	(void)ctx;
	assert_int_equal(level, LOG_WARNING);
	lines++;
	strcpy(last_line, line);
}

/* Some kernels refuse valid merged packets: nothing is lost. */
static void a_refused_merged_packet_is_written_in_pieces(void **state)
{
	struct fixture *f = *state;
	struct flow flow = { .protocol = UDP, .port = 1 };
	struct ctl_status st = { 0 };

	f->fate = TEREDO_TO_TUN;
	lines = 0;
	log_to_sink(keep_line, NULL);
	refuse_merged = EINVAL;
	from_peer(f, flow, 30, 700);
	run(f);
	for (unsigned i = 0; i < 30; i++)
		assert_int_equal(expect_at_stack(f, &flow, 700), 1);
	pump_status(f->pump, &st);
	assert_int_equal(st.tun_drops, 0);
	assert_int_equal(st.tun_tx.packets, 30);
	assert_int_equal(st.datapath, (OFFLOADS & ~DATAPATH_USO) |
					      DATAPATH_USO_READ);
	/* and not tried again */
	refuse_merged = 0;
	from_peer(f, flow, 3, 700);
	run(f);
	assert_int_equal(expect_at_stack(f, &flow, 700), 1);
	expect_at_stack(f, &flow, 700);
	expect_at_stack(f, &flow, 700);
	/* TCP is another matter */
	flow.protocol = TCP;
	flow.flags = 0x10;
	from_peer(f, flow, 3, 700);
	run(f);
	assert_int_equal(expect_at_stack(f, &flow, 700), 3);
	log_to_stderr("");
	assert_int_equal(lines, 1);
	assert_string_equal(last_line, "the kernel refuses tun-uso; data path "
				       "from now on: tun-tso, tun-uso-read, "
				       "udp-segment, udp-gro, batch");
}

/* A full queue says nothing about merging. */
static void a_full_tun_drops_and_goes_on_merging(void **state)
{
	struct fixture *f = *state;
	struct flow flow = { .protocol = TCP, .port = 1, .flags = 0x10 };
	struct ctl_status st = { 0 };

	f->fate = TEREDO_TO_TUN;
	refuse_merged = ENOBUFS;
	from_peer(f, flow, 30, 700);
	run(f);
	pump_status(f->pump, &st);
	assert_int_equal(st.tun_drops, 30);
	assert_int_equal(st.datapath, OFFLOADS);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_super_packet_is_looked_at_once),
		T(the_core_sees_an_ordinary_packet),
		T(taken_segments_are_taken_one_by_one),
		T(segments_go_where_the_verdict_says),
		T(order_between_packets_is_kept),
		T(a_wrong_header_costs_its_packet_alone),
		T(a_row_is_judged_singly_and_written_as_one),
		T(a_refused_merged_packet_is_written_in_pieces),
		T(a_full_tun_drops_and_goes_on_merging),
	};

	if (!netns_enter())
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
