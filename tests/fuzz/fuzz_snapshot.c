/*
 * fuzz_snapshot.c - what an engine that was taken over may leave behind
 *
 * The input is the image in the shared memory, as it is: whatever it holds, it
 * can be read, and what is written then is found again. Chance does not find a
 * checksum, but an attacker can compute one: so the same octets are also put
 * in as a client's and a relay's state and as peers by the snapshot's own
 * functions, and both roles have to go on from them.
 * SEC-PRS-01
 */
#include "config.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../libteredo/client.h"
#include "../../libteredo/relay.h"
#include "../../src/role.h"

#define PEERS	    8u
#define PEER_OCTETS 22u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void draw(void *ctx, void *buf, size_t len)
{
	(void)ctx;
	memset(buf, 0x5a, len);
}

/* Slots of peers that are up, as the pump would record them. */
static void empty(struct teredo_outbox *ob)
{
	assert(ob->lost == 0);
	for (unsigned i = 0; i < ob->n; i++)
		assert(ob->item[i].kind != OUTBOX_PEER_UP ||
		       ob->item[i].arg < PEERS);
	outbox_clear(ob);
}

static void go_on(uint32_t role, const struct snapshot *snap)
{
	static struct teredo_outbox ob;
	const struct priv_config config = {.role = role,
					   .max_peers = PEERS,
					   .servers = 2,
					   .bind_port = 0x1234,
					   .refresh = 30,
					   .find_refresh = 1};
	const struct teredo_env env = {.random = draw};
	const struct role_ops *ops = role_ops(role);
	static const struct auth_keys no_keys;
	void *r = ops->open(&config, &no_keys, &env);
	teredo_time now = TEREDO_SECOND;
	struct ctl_status st = {0};
	struct snapshot_peer peer;
	uint32_t at = 0;

	assert(r != NULL);
	if (ops->start(r, snap, now, &ob)) {
		empty(&ob);
		while (snapshot_next_peer(snap, &at, &peer)) {
			ops->restore_peer(r, &peer.addr, peer.ep, peer.heard,
					  now, &ob);
			empty(&ob);
		}
	}
	empty(&ob);
	for (int i = 0; i < 50 && ops->deadline(r) != TEREDO_NEVER; i++) {
		if (now < ops->deadline(r))
			now = ops->deadline(r);
		ops->expire(r, now, &ob);
		empty(&ob);
	}
	ops->status(r, now, &st);
	ops->close(r);
}

/* Puts the input in as a state of that length, and what is left as peers. */
static void put(struct snapshot *snap, uint32_t role, size_t state_len,
		const uint8_t *data, size_t len)
{
	uint8_t state[SNAPSHOT_STATE_MAX] = {0};
	size_t n = len < state_len ? len : state_len;

	memcpy(state, data, n);
	snapshot_put_state(snap, role, state, state_len);
	data += n;
	len -= n;
	for (uint32_t i = 0; i < PEERS && len >= PEER_OCTETS; i++) {
		struct teredo_addr addr;
		struct teredo_ep ep;

		memcpy(addr.b, data, sizeof(addr.b));
		memcpy(&ep.ip, data + 16, sizeof(ep.ip));
		memcpy(&ep.port, data + 20, sizeof(ep.port));
		snapshot_put_peer(snap, i, &addr, ep,
				  data[21] * TEREDO_SECOND / 64);
		data += PEER_OCTETS;
		len -= PEER_OCTETS;
	}
}

static struct snapshot *reopen(int fd)
{
	struct snapshot *snap;
	int error = snapshot_open(&snap, fd, PEERS);

	assert(error == 0);
	return snap;
}

static void inherit(uint32_t role, size_t state_len, const uint8_t *data,
		    size_t len)
{
	int fd = snapshot_create(PEERS);
	struct snapshot *snap = reopen(fd);

	put(snap, role, state_len, data, len);
	snapshot_close(snap);
	snap = reopen(fd);
	go_on(role, snap);
	snapshot_close(snap);
	close(fd);
}

/* The input as the image itself. */
static void read_image(const uint8_t *data, size_t len)
{
	static const char text[] = "a state", other[sizeof(text)];
	char found[sizeof(text)];
	int fd = snapshot_create(PEERS);
	struct snapshot *snap;
	struct snapshot_peer peer;
	uint32_t at = 0, n = 0;
	bool done;

	/* beyond the sealed end the kernel refuses, which is no matter */
	(void)!pwrite(fd, data, len, 0);
	snap = reopen(fd);
	while (snapshot_next_peer(snap, &at, &peer))
		n++;
	assert(n <= PEERS);
	memcpy(found, other, sizeof(found));
	snapshot_put_state(snap, PRIV_CLIENT, text, sizeof(text));
	done = snapshot_get_state(snap, PRIV_CLIENT, found, sizeof(found));
	assert(done && memcmp(found, text, sizeof(text)) == 0);
	snapshot_close(snap);
	close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	read_image(data, len);
	/* behind the core's state: zeros, the hash of a server without a name */
	inherit(PRIV_CLIENT, sizeof(struct teredo_client_saved) + 12, data,
		len);
	inherit(PRIV_RELAY, sizeof(struct teredo_relay_saved), data, len);
	return 0;
}
