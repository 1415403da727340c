/*
 * record.h - what the snapshot knows of the peers
 */
#ifndef MIREDO_RECORD_H
#define MIREDO_RECORD_H

#include "role.h"

#define RECORD_STEP 8192u	/* looked at in one record_heard() */

struct record {
	const struct role_ops *ops;
	const void *role;
	struct snapshot *snap;
	uint32_t next;	/* record_heard()'s own: 0 */
};

/* PEER_UP news: the peer and when it was heard. */
void record_peer(const struct role_ops *ops, const void *role,
		 struct snapshot *snap, const struct outbox_item *item,
		 teredo_time now);

/* Brings up to date when the next RECORD_STEP recorded peers were heard. */
void record_heard(struct record *r, teredo_time now);

#endif
