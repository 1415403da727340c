/*
 * miredoctl_peers.h - a peer in words
 */
#ifndef MIREDO_MIREDOCTL_PEERS_H
#define MIREDO_MIREDOCTL_PEERS_H

#include "ctl_records.h"

/* Of enum teredo_way: "direct", "relay", "pending", "local", "none". */
const char *miredoctl_way(uint32_t way);

/* A row of miredo.peers/1; NULL: out of memory. The caller's. */
struct json_t *miredoctl_peer_json(const struct ctl_peer *p);

#endif
