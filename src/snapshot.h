/*
 * snapshot.h - what outlives an engine, in a memfd that the parent holds
 *
 * Mapped, versioned and crash-consistent: the state is written to the older of
 * two slots and published by its sequence number and checksum; each peer
 * record has a checksum of its own, so that a record torn by kill -9 is
 * ignored. The next engine reads it as hostile input.
 */
#ifndef MIREDO_SNAPSHOT_H
#define MIREDO_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../libteredo/teredo.h"

#define SNAPSHOT_STATE_MAX 256
/* Records of peers, 2.5 MB: a relay with all it has by default, and what a larger
 * one can ask again in half a minute (2000 probes a second, relay.c). */
#define SNAPSHOT_PEERS	   65536u

struct snapshot;

/* Parent: a new memfd for max_peers, sealed against shrinking and growing.
 * The descriptor or -errno. */
int snapshot_create(uint32_t max_peers);

/* Engine: maps fd. A wrong size or version is an empty snapshot. 0 or -errno;
 * the fd may be closed afterwards. */
int snapshot_open(struct snapshot **snap, int fd, uint32_t max_peers);
void snapshot_close(struct snapshot *snap);

/* Which engine this is, from 1: counted up by each snapshot_open(). */
uint32_t snapshot_generation(const struct snapshot *snap);

/* Publishes len <= SNAPSHOT_STATE_MAX octets as the state of `role`. */
void snapshot_put_state(struct snapshot *snap, uint32_t role,
			const void *state, size_t len);
/* Copies the last published state; false: none of that role and length. */
bool snapshot_get_state(const struct snapshot *snap, uint32_t role,
			void *state, size_t len);

/* Records, or forgets, the proven peer in `slot` < max_peers, and when it was
 * heard last. Of slots that are equal modulo SNAPSHOT_PEERS the last one is
 * kept. */
void snapshot_put_peer(struct snapshot *snap, uint32_t slot,
		       const struct teredo_addr *addr, struct teredo_ep ep,
		       teredo_time heard);
void snapshot_drop_peer(struct snapshot *snap, uint32_t slot);
void snapshot_drop_peers(struct snapshot *snap);

/* The peer recorded for that slot was heard; nothing if there is none. */
void snapshot_heard(struct snapshot *snap, uint32_t slot, teredo_time heard);
/* How many records there are; the slot of number n, and when it was heard as
 * far as is recorded. false: it is empty. */
uint32_t snapshot_records(const struct snapshot *snap);
bool snapshot_record(const struct snapshot *snap, uint32_t n, uint32_t *slot,
		     teredo_time *heard);

/* A peer that the engine before left. */
struct snapshot_peer {
	struct teredo_addr addr;
	struct teredo_ep ep;
	teredo_time heard;
};
/*
 * All of them, as snapshot_open() found them, from who was heard last longest
 * ago on; start with *at = 0, false: no more. Puts and drops since do not
 * change them: a role drops all records and records each restored peer in its
 * new slot.
 */
bool snapshot_next_peer(const struct snapshot *snap, uint32_t *at,
			struct snapshot_peer *peer);

#endif
