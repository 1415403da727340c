/*
 * fuzz_secure.c - secure qualification between strangers
 *
 * A server with keys of both algorithms, one of them expired, and a client with
 * a key. The input makes solicitations and advertisements with elements by any
 * of the keys, over right or wrong octets, then spoils an octet here and there.
 * Whether an element is good is computed a second time, from the datagram
 * alone. The server answers only what is good, unless nobody has to be, and
 * signs what it answers; the client takes an address only from a good answer
 * to its last nonces.
 * C-SECQ-06, S-CHK-04, S-RS-13
 */
#include "config.h"

#include "script.h"

#include "../../libteredo/client.h"
#include "../../libteredo/server.h"
#include "../../src/hmac.h"

#define KEYS 3u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct teredo_outbox ob;

struct bench {
	struct script s;
	struct auth_keys keys;
	struct teredo_server *server;
	struct teredo_client *client;
	bool required;
	uint8_t nonce[WIRE_NONCE_LEN];	/* of the client's last */
	uint8_t packet[512];
	size_t len;
	teredo_time now;
};

static uint64_t seed;

static void draw(void *ctx, void *buf, size_t len)
{
	uint8_t *out = buf;

	(void)ctx;
	while (len-- > 0) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		*out++ = (uint8_t)(seed >> 56);
	}
}

static const struct teredo_env env = { .random = draw, .hmac = hmac_compute };

static void make_keys(struct auth_keys *keys)
{
	static const char *const id[KEYS] = { "alice", "bob", "carol" };

	for (unsigned i = 0; i < KEYS; i++) {
		struct auth_key *k = &keys->key[i];

		k->algorithm = i == 1 ? TEREDO_HMAC_SHA256 : TEREDO_HMAC_SHA1;
		k->expired = i == 2;
		k->id_len = (uint8_t)strlen(id[i]);
		memcpy(k->id, id[i], k->id_len);
		k->secret_len = (uint8_t)(16 + i);
		memset(k->secret, (int)i + 1, k->secret_len);
	}
	keys->n = KEYS;
}

/* The key that made the element of this datagram, NULL: none of ours. The
 * value covers nonce, confirmation and what follows. */
static const struct auth_key *signer(const struct bench *b,
				     const uint8_t *data, size_t len)
{
	if (len < 4 || data[0] != 0 || data[1] != 1 ||
	    len < 13u + data[2] + data[3])
		return NULL;
	for (unsigned i = 0; i < KEYS; i++) {
		const struct auth_key *k = &b->keys.key[i];
		size_t head = 4u + data[2] + data[3];
		uint8_t value[32];

		if (data[2] != k->id_len ||
		    memcmp(data + 4, k->id, k->id_len) != 0 ||
		    data[3] != (k->algorithm == TEREDO_HMAC_SHA1 ? 20 : 32))
			continue;
		hmac_compute(NULL, (enum teredo_hmac)k->algorithm, k->secret,
			     k->secret_len, data + head, len - head, value);
		if (memcmp(value, data + 4 + data[2], data[3]) == 0)
			return k;
	}
	return NULL;
}

/* An element in front of body octets that stand at the end of the buffer; then
 * up to three octets are other. */
static void seal(struct bench *b, const uint8_t *nonce, size_t body)
{
	static const struct auth_key none;
	uint8_t which = script_u8(&b->s), spoil = script_u8(&b->s) & 3;
	const struct auth_key *key = which % 8 == 7 ? &none :
				     &b->keys.key[which % 8 % KEYS];
	uint8_t confirmation = which & 64 ? script_u8(&b->s) : 0;
	size_t head = auth_len(key);

	memmove(b->packet + head, b->packet, body);
	auth_put(b->packet, &env, key, nonce, confirmation, body);
	b->len = head + body;
	while (spoil-- > 0) {
		uint8_t where = script_u8(&b->s);

		b->packet[where % b->len] ^= script_u8(&b->s);
	}
}

static void check_answer(const struct bench *b, struct teredo_ep from)
{
	const struct auth_key *in = signer(b, b->packet, b->len);
	const uint8_t *out;

	assert(ob.lost == 0 && ob.n <= 1);
	if (ob.n == 0 || ob.item[0].kind != OUTBOX_UDP)
		return;
	out = outbox_data(&ob, &ob.item[0]);
	assert(ob.item[0].to.ip == from.ip);
	assert(!b->required || in != NULL);
	if (in != NULL)
		assert(signer(b, out, ob.item[0].len) == in);
	if (in != NULL && in->expired)
		assert(out[4u + out[2] + out[3] + WIRE_NONCE_LEN] != 0);
}

static void solicit(struct bench *b)
{
	uint8_t how = script_u8(&b->s), nonce[WIRE_NONCE_LEN];
	struct teredo_ep from = script_ep(script_ip4(192, 0, 2, how), 1, how);
	struct teredo_rx rx = { .from = from };
	struct teredo_addr src;

	for (unsigned i = 0; i < sizeof(nonce); i++)
		nonce[i] = (uint8_t)(how * i);
	addr_make_link_local(&src, how & 1 ? ADDR_FLAG_CONE : 0,
			     (struct teredo_ep){ 0, 0 });
	icmp6_put_rs(b->packet, &src);
	seal(b, nonce, ICMP6_RS_LEN);
	rx.data = b->packet;
	rx.len = b->len;
	teredo_server_udp_in(b->server, &rx, b->now, &ob);
	check_answer(b, from);
	outbox_clear(&ob);
}

/* What the client says: its nonce; an address only when `good`. */
static void hear_client(struct bench *b, bool good)
{
	assert(ob.lost == 0);
	for (unsigned i = 0; i < ob.n; i++) {
		const struct outbox_item *item = &ob.item[i];
		const uint8_t *data = outbox_data(&ob, item);
		struct wire_packet p;

		assert(item->kind != OUTBOX_ADDRESS || good);
		if (item->kind != OUTBOX_UDP)
			continue;
		assert(wire_parse(&p, data, item->len) == WIRE_OK);
		if (!p.auth.present)
			continue;
		assert(signer(b, data, item->len) == &b->keys.key[0]);
		memcpy(b->nonce, p.auth.nonce, sizeof(b->nonce));
	}
	outbox_clear(&ob);
}

static void advertise(struct bench *b)
{
	uint8_t how = script_u8(&b->s), nonce[WIRE_NONCE_LEN];
	struct teredo_ep server = addr_server_ep(script_ip4(198, 51, 100, 1));
	struct teredo_rx rx = { .from = server };
	struct teredo_addr src, dst;

	memcpy(nonce, b->nonce, sizeof(nonce));
	if (how & 1)
		nonce[how / 2 % WIRE_NONCE_LEN] ^= 1;
	addr_make_link_local(&src, 0, server);
	addr_make_link_local(&dst, 0, (struct teredo_ep){ 0, 0 });
	wire_put_origin(b->packet, script_ep(script_ip4(192, 0, 2, how), 9, 9));
	icmp6_put_ra(b->packet + WIRE_ORIGIN_LEN, &src, &dst,
		     addr_default_prefix(), server.ip, TEREDO_MTU);
	seal(b, nonce, WIRE_ORIGIN_LEN + ICMP6_RA_LEN);
	rx.data = b->packet;
	rx.len = b->len;
	teredo_client_udp_in(b->client, &rx, b->now, &ob);
	hear_client(b, signer(b, b->packet, b->len) == &b->keys.key[0]);
}

static void pass_time(struct bench *b, unsigned seconds)
{
	b->now += seconds * TEREDO_SECOND;
	for (unsigned i = 0; teredo_client_deadline(b->client) <= b->now; i++) {
		teredo_client_expire(b->client, b->now, &ob);
		hear_client(b, false);
		assert(i < 1000);
	}
}

static void open_bench(struct bench *b)
{
	uint8_t how = script_u8(&b->s);
	struct teredo_server_config sc = {
		.prefix = addr_default_prefix(), .mtu = TEREDO_MTU,
		.ip = script_ip4(198, 51, 100, 1), .keys = &b->keys,
		.require_auth = how & 1,
	};
	struct teredo_client_config cc = { .servers = 1, .max_peers = 8,
					   .refresh = 30 * TEREDO_SECOND };

	make_keys(&b->keys);
	b->required = sc.require_auth;
	b->now = 100 * TEREDO_SECOND;
	b->server = teredo_server_new(&sc, &env);
	cc.key = b->keys.key[0];
	b->client = teredo_client_new(&cc, &env);
	assert(b->server != NULL && b->client != NULL);
	teredo_client_start(b->client, b->now, &ob);
	hear_client(b, false);
	teredo_client_set_server(b->client, 0, sc.ip, sc.ip, b->now, &ob);
	hear_client(b, false);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct bench b;

	memset(&b, 0, sizeof(b));
	outbox_clear(&ob);
	seed = 1;
	b.s = (struct script){ data, data + len };
	open_bench(&b);
	while (b.s.at < b.s.end) {
		uint8_t op = script_u8(&b.s);

		if (op % 4 == 0)
			pass_time(&b, op / 4);
		else if (op % 4 == 1)
			solicit(&b);
		else
			advertise(&b);
	}
	teredo_server_free(b.server);
	teredo_client_free(b.client);
	return 0;
}
