/*
 * fuzz_tun.c - any packets from the host's own IPv6 stack, at client and relay
 *
 * The input is a list of packets: two octets of length with flags above, then
 * octets; source and destination may be mended to those of a qualified client,
 * of a relay's host, and of a proven or an unknown peer, so that a packet gets
 * past the first checks. What leaves as a datagram is the packet itself, to an
 * endpoint that is fit; what comes back is an error about it to its source.
 * SEC-PRS-01
 */
#include "script.h"

#include "libteredo/client.h"
#include "libteredo/relay.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct teredo_outbox ob;

struct bench {
	struct teredo_client *client;
	struct teredo_relay *relay;
	struct local4 own;
	struct teredo_addr host;	/* native */
	struct teredo_addr teredo;	/* the client's */
	struct teredo_addr peer, stranger;
	teredo_time now;
};

static void open_client(struct bench *b, const struct teredo_env *env)
{
	const struct teredo_client_config config = {
		.servers = 1, .max_peers = 8, .refresh = 30 * TEREDO_SECOND };
	struct teredo_client_saved saved = {
		.server_ip = script_ip4(198, 51, 100, 1), .mtu = TEREDO_MTU,
		.mapped = script_ep(script_ip4(192, 0, 2, 7), 0x9c, 0x40) };
	bool restored;

	addr_make(&b->teredo, addr_default_prefix(), saved.server_ip, 0,
		  saved.mapped);
	saved.addr = b->teredo;
	b->client = teredo_client_new(&config, env);
	assert(b->client != NULL);
	teredo_client_net_changed(b->client, &b->own, false, b->now, &ob);
	restored = teredo_client_restore(b->client, &saved, b->now, &ob);
	assert(restored);
	teredo_client_restore_peer(b->client, &b->peer,
				   addr_mapping(&b->peer), b->now, b->now,
				   &ob);
	outbox_clear(&ob);
	teredo_client_start(b->client, b->now, &ob);
	outbox_clear(&ob);
}

static void open_relay(struct bench *b, const struct teredo_env *env)
{
	const struct teredo_relay_config config = {
		.prefix = addr_default_prefix(), .max_peers = 8 };

	b->relay = teredo_relay_new(&config, env);
	assert(b->relay != NULL);
	teredo_relay_set_local(b->relay, &b->own, &b->host, 1);
	teredo_relay_restore_peer(b->relay, &b->peer, addr_mapping(&b->peer),
				  b->now, b->now, &ob);
	outbox_clear(&ob);
}

static void open_bench(struct bench *b, const struct teredo_env *env)
{
	uint32_t server = script_ip4(198, 51, 100, 1);

	memset(b, 0, sizeof(*b));
	memset(&ob, 0, offsetof(struct teredo_outbox, item));
	b->now = 100 * TEREDO_SECOND;
	b->own.n = 1;
	b->own.ip[0] = script_ip4(203, 0, 113, 1);
	b->host = (struct teredo_addr){ { 0x20, 1, 0x0d, 0xb8, [15] = 1 } };
	addr_make(&b->peer, addr_default_prefix(), server, 0x1234 & 0x3cff,
		  script_ep(script_ip4(192, 0, 2, 45), 0x9c, 0x40));
	addr_make(&b->stranger, addr_default_prefix(), server, 0,
		  script_ep(script_ip4(192, 0, 2, 46), 0x9c, 0x40));
	open_client(b, env);
	open_relay(b, env);
}

static void check(const struct bench *b, const uint8_t *packet, size_t len,
		  struct teredo_verdict v)
{
	assert(ob.lost == 0);
	assert(v.fate == TEREDO_DROP || v.fate == TEREDO_TAKEN ||
	       v.fate == TEREDO_TO_UDP);
	if (v.fate == TEREDO_TO_UDP) {
		assert(v.off == 0 && v.len == len);
		assert(ep_is_acceptable(v.to, &b->own));
	}
	for (unsigned i = 0; i < ob.n; i++) {
		const struct outbox_item *item = &ob.item[i];
		const uint8_t *data = outbox_data(&ob, item);
		struct wire_packet p;

		if (item->kind == OUTBOX_UDP) {
			assert(ep_is_acceptable(item->to, &b->own));
			assert(wire_parse(&p, data, item->len) == WIRE_OK);
		} else if (item->kind == OUTBOX_TUN) {
			assert(item->len <= ICMP6_ERROR_MAX);
			assert(memcmp(data + 24, packet + 8, 16) == 0);
		}
	}
	outbox_clear(&ob);
}

static void mend(const struct bench *b, uint8_t *packet, size_t len,
		 unsigned how, const struct teredo_addr *own)
{
	if (len < 40)
		return;
	if (how & 1)
		packet[0] = (uint8_t)(0x60 | (packet[0] & 15));
	if (how & 2) {
		packet[4] = (uint8_t)((len - 40) >> 8);
		packet[5] = (uint8_t)(len - 40);
	}
	if (how & 4)
		memcpy(packet + 8, own->b, 16);
	if (how & 8)
		memcpy(packet + 24, how & 16 ? b->peer.b : b->stranger.b, 16);
}

/* Exactly as long, so that a sanitizer sees what is beyond. */
static uint8_t *copy_of(const uint8_t *data, size_t len)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);

	assert(copy != NULL);
	memcpy(copy, data, len);
	return copy;
}

static void give(struct bench *b, const uint8_t *data, size_t len,
		 unsigned how)
{
	uint8_t *packet = copy_of(data, len);

	mend(b, packet, len, how, &b->teredo);
	check(b, packet, len,
	      teredo_client_tun_in(b->client, packet, len, b->now, &ob));
	mend(b, packet, len, how, &b->host);
	check(b, packet, len,
	      teredo_relay_tun_in(b->relay, packet, len, b->now, &ob));
	free(packet);
}

static void pass_time(struct bench *b)
{
	static const uint8_t none[40];
	const struct teredo_verdict nothing = { .fate = TEREDO_TAKEN };

	b->now += TEREDO_SECOND;
	if (teredo_client_deadline(b->client) <= b->now) {
		teredo_client_expire(b->client, b->now, &ob);
		outbox_clear(&ob);
	}
	if (teredo_relay_deadline(b->relay) <= b->now) {
		teredo_relay_expire(b->relay, b->now, &ob);
		assert(ob.lost == 0);
		outbox_clear(&ob);
	}
	check(b, none, sizeof(none), nothing);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct bench b;
	const struct teredo_env env = { .random = script_random };

	open_bench(&b, &env);
	while (len > 2) {
		size_t n = (data[0] & 7u) * 256u + data[1];
		unsigned how = data[0] / 8u;

		data += 2;
		len -= 2;
		if (n > len)
			n = len;
		give(&b, data, n, how);
		if (n == 0)
			pass_time(&b);
		data += n;
		len -= n;
	}
	teredo_client_free(b.client);
	teredo_relay_free(b.relay);
	return 0;
}
