/*
 * core_ns.c - what the core's operations cost, one by one
 *
 *   core_ns			each operation's name and nanoseconds
 *   core_ns NAME TIMES		does one, so often, inside measured()
 *
 * Time is noisy, instructions are not: tests/bench/core has callgrind count
 * them, with --toggle-collect=measured. Every operation is checked for its
 * verdict, so that no refusal is taken for a fast success.
 *
 * Packets carry 1220 octets of payload behind headers of 60, TCP's; gso_split
 * and gso_merge are per packet, of super-packets of 48.
 */
#include "config.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "libtun6/gso.h"

#include "libteredo/client.h"
#include "libteredo/icmp6.h"
#include "libteredo/peers.h"
#include "libteredo/relay.h"
#include "libteredo/server.h"

#define NOW	 (1000 * TEREDO_SECOND)
#define PEERS	 1000u
#define TCP_HEAD 60u
#define PAYLOAD	 1220u
#define PACKET	 (TCP_HEAD + PAYLOAD)
#define SEGMENTS 48u

struct bench {
	struct teredo_relay *relay;
	struct teredo_server *server;
	struct teredo_client *client;
	struct peers *peers;
	struct teredo_outbox ob;
	struct teredo_addr here, peer, native;
	struct gso_merger merger;
	uint64_t seed;
	teredo_time now;	/* goes on by 1 ns each time */
	uint8_t in[PACKET], out[PACKET], bubble[WIRE_BUBBLE_LEN];
	uint8_t rs[WIRE_AUTH_LEN + ICMP6_RS_LEN];
	uint8_t big[TCP_HEAD + SEGMENTS * PAYLOAD];
	uint8_t segment[SEGMENTS][PACKET];
};

static struct bench b;

static void want(bool right, const char *what)
{
	if (right)
		return;
	fprintf(stderr, "core_ns: %s: not as it should be\n", what);
	exit(1);
}

static uint32_t ip4(const char *text)
{
	return inet_addr(text);
}

static struct teredo_ep peer_ep(void)
{
	return addr_mapping(&b.peer);
}

/* Teredo address of the client at 192.0.2.45, port i */
static struct teredo_addr numbered(uint64_t i)
{
	struct teredo_addr a = b.peer;

	a.b[10] = (uint8_t)~(i >> 8);
	a.b[11] = (uint8_t)~i;
	return a;
}

/* ---- operations ---- */

static void do_parse(uint64_t i)
{
	struct wire_packet p;

	(void)i;
	want(wire_parse(&p, b.in, sizeof(b.in)) == WIRE_OK, "parse");
}

static void do_lookup_hit(uint64_t i)
{
	struct teredo_addr a = numbered(1 + i % PEERS);

	want(peers_find(b.peers, &a) != NULL, "lookup_hit");
}

static void do_lookup_miss(uint64_t i)
{
	struct teredo_addr a = numbered(1 + PEERS + i % PEERS);

	want(peers_find(b.peers, &a) == NULL, "lookup_miss");
}

static struct teredo_rx datagram(const uint8_t *data, size_t len)
{
	return (struct teredo_rx){ .data = data, .len = len,
				   .from = peer_ep() };
}

static void do_client_udp_in(uint64_t i)
{
	struct teredo_rx rx = datagram(b.in, sizeof(b.in));

	(void)i;
	memcpy(b.in + 24, b.here.b, 16);
	want(teredo_client_udp_in(b.client, &rx, b.now++, &b.ob).fate ==
	     TEREDO_TO_TUN, "client_udp_in");
}

static void do_client_tun_in(uint64_t i)
{
	(void)i;
	memcpy(b.out + 8, b.here.b, 16);
	want(teredo_client_tun_in(b.client, b.out, sizeof(b.out), b.now++,
				  &b.ob).fate == TEREDO_TO_UDP,
	     "client_tun_in");
}

static void do_relay_udp_in(uint64_t i)
{
	struct teredo_rx rx = datagram(b.in, sizeof(b.in));

	(void)i;
	memcpy(b.in + 24, b.native.b, 16);
	want(teredo_relay_udp_in(b.relay, &rx, b.now++, &b.ob).fate ==
	     TEREDO_TO_TUN, "relay_udp_in");
}

static void do_relay_tun_in(uint64_t i)
{
	(void)i;
	memcpy(b.out + 8, b.native.b, 16);
	want(teredo_relay_tun_in(b.relay, b.out, sizeof(b.out), b.now++,
				 &b.ob).fate == TEREDO_TO_UDP,
	     "relay_tun_in");
}

static void do_server_rs(uint64_t i)
{
	struct teredo_rx rx = datagram(b.rs, sizeof(b.rs));

	/* a second later each time: no limit is reached */
	want(teredo_server_udp_in(b.server, &rx, b.now + i * TEREDO_SECOND,
				  &b.ob).fate == TEREDO_TAKEN && b.ob.n == 1,
	     "server_rs");
	outbox_clear(&b.ob);
}

static void do_relay_bubble(uint64_t i)
{
	struct teredo_rx rx = datagram(b.bubble, sizeof(b.bubble));

	(void)i;
	want(teredo_relay_udp_in(b.relay, &rx, b.now++, &b.ob).fate !=
	     TEREDO_TO_TUN, "relay_bubble");
	outbox_clear(&b.ob);
}

static void do_gso_split(uint64_t i)
{
	struct virtio_net_hdr vnet = {
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.gso_type = VIRTIO_NET_HDR_GSO_TCPV6, .gso_size = PAYLOAD,
		.csum_start = 40, .csum_offset = 16 };
	static struct gso_super s;
	uint8_t head[TCP_HEAD];

	if (i % SEGMENTS == 0)
		want(gso_view(&s, &vnet, b.big, sizeof(b.big)) == 0 &&
		     s.count == SEGMENTS, "gso_split");
	want(gso_segment(&s, (uint32_t)(i % SEGMENTS), head).iov_len ==
	     PAYLOAD, "gso_split");
}

static void emit(void *ctx, const struct gso_run *run)
{
	uint8_t head[GSO_RUN_HEAD];
	struct iovec iov[1 + GSO_SEGMENTS];

	(void)ctx;
	want(run->n == SEGMENTS && gso_run_iov(run, head, iov) > SEGMENTS,
	     "gso_merge");
}

static void do_gso_merge(uint64_t i)
{
	gso_merge(&b.merger, b.segment[i % SEGMENTS], PACKET);
	if (i % SEGMENTS == SEGMENTS - 1)
		gso_flush(&b.merger);
}

static const struct {
	const char *name;
	void (*once)(uint64_t i);
} operation[] = {
	{ "parse", do_parse },
	{ "lookup_hit", do_lookup_hit },
	{ "lookup_miss", do_lookup_miss },
	{ "client_udp_in", do_client_udp_in },
	{ "client_tun_in", do_client_tun_in },
	{ "relay_udp_in", do_relay_udp_in },
	{ "relay_tun_in", do_relay_tun_in },
	{ "relay_bubble", do_relay_bubble },
	{ "server_rs", do_server_rs },
	{ "gso_split", do_gso_split },
	{ "gso_merge", do_gso_merge },
};

/* ---- what they work on ---- */

static void dice(void *ctx, void *buf, size_t len)
{
	uint64_t *seed = ctx;
	uint8_t *at = buf;

	for (size_t i = 0; i < len; i++) {
		*seed = *seed * 6364136223846793005u + 1442695040888963407u;
		at[i] = (uint8_t)(*seed >> 33);
	}
}

static void make_packets(void)
{
	uint8_t *tcp = b.big + 40;
	struct virtio_net_hdr vnet = {
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.gso_type = VIRTIO_NET_HDR_GSO_TCPV6, .gso_size = PAYLOAD,
		.csum_start = 40, .csum_offset = 16 };
	struct gso_super s;

	wire_put_ip6(b.in, PACKET - 40, 6, 64, &b.peer, &b.native);
	wire_put_ip6(b.out, PACKET - 40, 6, 64, &b.native, &b.peer);
	wire_put_bubble(b.bubble, &b.peer, &b.native);
	wire_put_auth(b.rs, (const uint8_t *)"a nonce.");
	icmp6_put_rs(b.rs + WIRE_AUTH_LEN,
		     &(struct teredo_addr){ { 0xfe, 0x80, [15] = 1 } });
	wire_put_ip6(b.big, (uint16_t)(sizeof(b.big) - 40), 6, 64, &b.native,
		     &b.peer);
	tcp[12] = 5 << 4;	/* 20 octets of header, ACK */
	tcp[13] = 0x10;
	want(gso_view(&s, &vnet, b.big, sizeof(b.big)) == 0, "a super-packet");
	for (uint32_t i = 0; i < SEGMENTS; i++) {
		struct iovec payload = gso_segment(&s, i, b.segment[i]);

		memcpy(b.segment[i] + TCP_HEAD, payload.iov_base, PAYLOAD);
	}
}

static void make_client(const struct teredo_env *env)
{
	struct teredo_client_config config = {
		.servers = 1, .max_peers = PEERS,
		.refresh = 30 * TEREDO_SECOND };
	struct teredo_client_saved saved = {
		.addr = b.here, .mapped = addr_mapping(&b.here),
		.server_ip = ip4("192.0.2.1"), .server_ip2 = ip4("192.0.2.2"),
		.mtu = TEREDO_MTU };

	b.client = teredo_client_new(&config, env);
	want(b.client != NULL, "a client");
	want(teredo_client_restore(b.client, &saved, NOW, &b.ob), "restore");
	teredo_client_restore_peer(b.client, &b.peer, peer_ep(), NOW, NOW,
				   &b.ob);
}

static void make_all(void)
{
	struct teredo_env env = { .ctx = &b.seed, .random = dice };
	struct teredo_relay_config relay = { .prefix = addr_default_prefix(),
					     .max_peers = PEERS };
	struct teredo_server_config server = {
		.prefix = addr_default_prefix(), .ip = ip4("192.0.2.1"),
		.ip2 = ip4("192.0.2.2"), .mtu = TEREDO_MTU };

	b.seed = 4380;
	b.now = NOW;
	b.native = (struct teredo_addr){ { 0x20, 1, 0x0d, 0xb8, [15] = 1 } };
	addr_make(&b.peer, addr_default_prefix(), ip4("192.0.2.1"), 0,
		  (struct teredo_ep){ ip4("203.0.113.45"), htons(40000) });
	addr_make(&b.here, addr_default_prefix(), ip4("192.0.2.1"), 0,
		  (struct teredo_ep){ ip4("203.0.113.46"), htons(40000) });
	make_packets();
	make_client(&env);
	b.relay = teredo_relay_new(&relay, &env);
	b.server = teredo_server_new(&server, &env);
	b.peers = peers_new(2 * PEERS, &env, NULL, NULL);
	want(b.relay != NULL && b.server != NULL && b.peers != NULL, "memory");
	teredo_relay_restore_peer(b.relay, &b.peer, peer_ep(), NOW, NOW,
				   &b.ob);
	for (uint64_t i = 1; i <= PEERS; i++) {
		struct teredo_addr a = numbered(i);

		want(peers_get(b.peers, &a, NOW) != NULL, "a peer");
	}
	outbox_clear(&b.ob);
	b.merger = (struct gso_merger){ .tcp = true, .udp = true,
					.emit = emit };
}

__attribute__((noinline)) void measured(void (*once)(uint64_t), uint64_t n);
void measured(void (*once)(uint64_t), uint64_t n)
{
	for (uint64_t i = 0; i < n; i++)
		once(i);
}

int main(int argc, char **argv)
{
	uint64_t n = argc > 2 ? strtoull(argv[2], NULL, 10) : 480000;

	make_all();
	for (unsigned i = 0; i < sizeof(operation) / sizeof(operation[0]); i++) {
		struct timespec from, to;

		if (argc > 1 && strcmp(argv[1], operation[i].name) != 0)
			continue;
		clock_gettime(CLOCK_MONOTONIC, &from);
		measured(operation[i].once, n);
		clock_gettime(CLOCK_MONOTONIC, &to);
		printf("%s %.1f\n", operation[i].name,
		       ((double)(to.tv_sec - from.tv_sec) * 1e9 +
			(double)(to.tv_nsec - from.tv_nsec)) / (double)n);
	}
	return 0;
}
