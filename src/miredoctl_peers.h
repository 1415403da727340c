/*
 * miredoctl_peers.h - a peer in words
 */
#ifndef MIREDO_MIREDOCTL_PEERS_H
#define MIREDO_MIREDOCTL_PEERS_H

#include "ctl_records.h"
#include "miredoctl.h"

/* Of enum teredo_way: "direct", "relay", "pending", "local", "none". */
const char *miredoctl_way(uint32_t way);

/* Calls back for each peer of the instance. 0 or the exit code: who may not see
 * them is told so. */
int miredoctl_each_peer(const struct miredoctl_args *args,
			void (*back)(void *ctx, const struct ctl_peer *peer),
			void *ctx);

/* A row of miredo.peers/1; NULL: out of memory. The caller's. */
struct json_t *miredoctl_peer_json(const struct ctl_peer *p);

#endif
