/*
 * snapshot.c - what outlives an engine, in a memfd that the parent holds
 *
 * An engine may be killed between any two instructions, and may have been
 * taken over by an attacker before. Its successor must find something sound
 * in either case:
 *
 * - The state (one struct of a role) has two slots. A new state goes to the
 *   slot that is not the current one and becomes current by its sequence
 *   number, which its checksum covers with all the rest. A torn slot has a
 *   wrong checksum and the other one is still whole.
 * - A peer record stands alone with a checksum of its own; a torn one is one
 *   peer that has to be contacted again. Zeros are no valid record. Where there
 *   are more slots than records, slots share them and the last peer announced
 *   is kept; the others cost a bubble exchange each. When a peer was heard is
 *   brought up to date every few seconds (record.c), not per packet.
 * - Nothing read from here is an index, a length or a pointer before it was
 *   checked, and what the roles take from it they check as hostile input.
 *
 * The checksum (FNV-1a) tells torn from whole, and is no defence against who
 * can write here. The memory is shared: a killed process's stores up to its
 * death are all there, so no flush is needed, only that the compiler does not
 * mix two updates.
 *
 * The size is fixed by seals when the parent creates it, so that no engine can
 * make its successor's mapping fault.
 */
#include "config.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "snapshot.h"

#define SNAPSHOT_MAGIC	 0x6d726473u /* "mrds" */
#define SNAPSHOT_VERSION 3u

struct state_slot {
	uint64_t sequence;
	uint32_t role, len;
	uint8_t data[SNAPSHOT_STATE_MAX];
	uint64_t check; /* of all before it */
};

struct peer_record {
	uint8_t addr[16];
	uint64_t heard;
	uint32_t ip;
	uint16_t port, used;
	uint32_t slot;
	uint32_t check; /* of all before it */
};

struct image {
	uint32_t magic, version, records, generation;
	struct state_slot state[2];
	struct peer_record peer[];
};

struct snapshot {
	struct image *image;
	size_t size;
	uint32_t max_peers, records; /* the image's own is not to be trusted */
	uint32_t n_left;
	struct peer_record *left; /* intact ones, as found at the start */
};

static_assert(sizeof(struct state_slot) == 24 + SNAPSHOT_STATE_MAX, "padding");
static_assert(sizeof(struct peer_record) == 40, "padding");

static uint32_t records_for(uint32_t max_peers)
{
	return max_peers < SNAPSHOT_PEERS ? max_peers : SNAPSHOT_PEERS;
}

static size_t image_size(uint32_t records)
{
	return sizeof(struct image) +
	       (size_t)records * sizeof(struct peer_record);
}

/* FNV-1a */
static uint64_t checksum(const void *data, size_t len)
{
	const uint8_t *p = data;
	uint64_t h = 0xcbf29ce484222325u;

	for (size_t i = 0; i < len; i++)
		h = (h ^ p[i]) * 0x100000001b3u;
	return h;
}

static uint64_t state_checksum(const struct state_slot *s)
{
	return checksum(s, offsetof(struct state_slot, check));
}

static uint32_t peer_checksum(const struct peer_record *p)
{
	return (uint32_t)checksum(p, offsetof(struct peer_record, check));
}

int snapshot_create(uint32_t max_peers)
{
	int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
	int error;
	int fd = memfd_create("miredo-snapshot",
			      MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return -errno;
	if (ftruncate(fd, (off_t)image_size(records_for(max_peers))) == 0 &&
	    fcntl(fd, F_ADD_SEALS, seals) == 0)
		return fd;
	error = -errno;
	close(fd);
	return error;
}

/* The image of fd, or one in plain memory if fd has a wrong size: the engine
 * then works, and only its successor starts afresh. */
static struct image *map(int fd, size_t size)
{
	struct stat st;
	int flags = MAP_SHARED;
	void *p;

	if (fstat(fd, &st) != 0 || st.st_size != (off_t)size) {
		flags = MAP_PRIVATE | MAP_ANONYMOUS;
		fd = -1;
	}
	p = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, fd, 0);
	return p != MAP_FAILED ? p : NULL;
}

/* Makes an image of another build, or a new one, an empty one of ours. */
static void adopt(struct image *image, size_t size, uint32_t records)
{
	if (image->magic == SNAPSHOT_MAGIC &&
	    image->version == SNAPSHOT_VERSION && image->records == records)
		return;
	memset(image, 0, size);
	image->magic = SNAPSHOT_MAGIC;
	image->version = SNAPSHOT_VERSION;
	image->records = records;
}

static bool peer_is_whole(const struct peer_record *p)
{
	return p->used == 1 && p->check == peer_checksum(p);
}

static int by_heard(const void *a, const void *b)
{
	const struct peer_record *p = a, *q = b;

	return (p->heard > q->heard) - (p->heard < q->heard);
}

/* Copies the intact records aside, in order. false: out of memory. */
static bool collect_peers(struct snapshot *snap)
{
	const struct peer_record *peer = snap->image->peer;
	uint32_t n = 0;

	for (uint32_t i = 0; i < snap->records; i++)
		n += peer_is_whole(&peer[i]);
	snap->left = calloc(n + 1u, sizeof(*snap->left));
	if (snap->left == NULL)
		return false;
	for (uint32_t i = 0; i < snap->records && snap->n_left < n; i++)
		if (peer_is_whole(&peer[i]))
			snap->left[snap->n_left++] = peer[i];
	qsort(snap->left, snap->n_left, sizeof(*snap->left), by_heard);
	return true;
}

int snapshot_open(struct snapshot **out, int fd, uint32_t max_peers)
{
	struct snapshot *snap = calloc(1, sizeof(*snap));

	if (snap == NULL)
		return -ENOMEM;
	snap->max_peers = max_peers;
	snap->records = records_for(max_peers);
	snap->size = image_size(snap->records);
	snap->image = map(fd, snap->size);
	if (snap->image == NULL) {
		free(snap);
		return -ENOMEM;
	}
	adopt(snap->image, snap->size, snap->records);
	if (!collect_peers(snap)) {
		snapshot_close(snap);
		return -ENOMEM;
	}
	snap->image->generation++;
	*out = snap;
	return 0;
}

void snapshot_close(struct snapshot *snap)
{
	if (snap == NULL)
		return;
	munmap(snap->image, snap->size);
	free(snap->left);
	free(snap);
}

uint32_t snapshot_generation(const struct snapshot *snap)
{
	return snap->image->generation;
}

static bool state_is_whole(const struct state_slot *s)
{
	return s->len <= SNAPSHOT_STATE_MAX && s->check == state_checksum(s);
}

/* The slot of the last published state, or NULL. Sequence numbers are
 * compared by their difference, so that no value that was left there can stop
 * the next one from being the newest. */
static struct state_slot *current(const struct snapshot *snap)
{
	struct state_slot *a = &snap->image->state[0];
	struct state_slot *b = &snap->image->state[1];

	if (!state_is_whole(a))
		return state_is_whole(b) ? b : NULL;
	if (!state_is_whole(b))
		return a;
	return (int64_t)(b->sequence - a->sequence) > 0 ? b : a;
}

void snapshot_put_state(struct snapshot *snap, uint32_t role, const void *state,
			size_t len)
{
	struct state_slot *now = current(snap);
	struct state_slot *s = &snap->image->state[0];

	assert(len <= SNAPSHOT_STATE_MAX);
	if (now == s)
		s = &snap->image->state[1];
	s->sequence = now != NULL ? now->sequence + 1 : 1;
	s->role = role;
	s->len = (uint32_t)len;
	memset(s->data, 0, sizeof(s->data));
	memcpy(s->data, state, len);
	s->check = state_checksum(s);
	atomic_signal_fence(memory_order_seq_cst);
}

bool snapshot_get_state(const struct snapshot *snap, uint32_t role, void *state,
			size_t len)
{
	const struct state_slot *s = current(snap);

	if (s == NULL || s->role != role || s->len != len)
		return false;
	memcpy(state, s->data, len);
	return true;
}

static struct peer_record *record_of(struct snapshot *snap, uint32_t slot)
{
	assert(slot < snap->max_peers);
	return &snap->image->peer[slot % snap->records];
}

void snapshot_put_peer(struct snapshot *snap, uint32_t slot,
		       const struct teredo_addr *addr, struct teredo_ep ep,
		       teredo_time heard)
{
	struct peer_record *p = record_of(snap, slot);

	memcpy(p->addr, addr->b, sizeof(p->addr));
	p->heard = heard;
	p->ip = ep.ip;
	p->port = ep.port;
	p->used = 1;
	p->slot = slot;
	p->check = peer_checksum(p);
	atomic_signal_fence(memory_order_seq_cst);
}

void snapshot_drop_peer(struct snapshot *snap, uint32_t slot)
{
	struct peer_record *p = record_of(snap, slot);

	if (p->slot == slot)
		memset(p, 0, sizeof(*p));
}

void snapshot_drop_peers(struct snapshot *snap)
{
	memset(snap->image->peer, 0,
	       snap->records * sizeof(struct peer_record));
}

void snapshot_heard(struct snapshot *snap, uint32_t slot, teredo_time heard)
{
	struct peer_record *p = record_of(snap, slot);

	if (p->used != 1 || p->slot != slot)
		return;
	p->heard = heard;
	p->check = peer_checksum(p);
	atomic_signal_fence(memory_order_seq_cst);
}

uint32_t snapshot_records(const struct snapshot *snap)
{
	return snap->records;
}

bool snapshot_record(const struct snapshot *snap, uint32_t n, uint32_t *slot,
		     teredo_time *heard)
{
	const struct peer_record *p = &snap->image->peer[n];

	assert(n < snap->records);
	*slot = p->slot;
	*heard = p->heard;
	return p->used == 1 && p->slot < snap->max_peers;
}

bool snapshot_next_peer(const struct snapshot *snap, uint32_t *at,
			struct snapshot_peer *peer)
{
	const struct peer_record *p;

	if (*at >= snap->n_left)
		return false;
	p = &snap->left[(*at)++];
	memcpy(peer->addr.b, p->addr, sizeof(peer->addr.b));
	peer->ep = (struct teredo_ep){.ip = p->ip, .port = p->port};
	peer->heard = p->heard;
	return true;
}
