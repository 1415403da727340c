/*
 * record.c - what the snapshot knows of the peers
 *
 * A peer is recorded when it comes up, and that it was heard since is noted
 * once a second, where there are more than RECORD_STEP in turn: so it costs
 * next to nothing per packet, and the next engine trusts no peer for longer
 * than this one would have (RFC 4380 5.2.4), and at most 8 s less. In a process
 * that goes on from the snapshot a peer comes up that may have been silent for
 * minutes: so the core is asked.
 */
#include "config.h"

#include "record.h"

/* 0: it is none, or never was. */
static teredo_time heard_at(const struct role_ops *ops, const void *role,
			    uint32_t slot, teredo_time now)
{
	struct teredo_view v;

	if (!ops->peer(role, slot, now, &v) || v.age > now)
		return 0;
	return now - v.age;
}

void record_peer(const struct role_ops *ops, const void *role,
		 struct snapshot *snap, const struct outbox_item *item,
		 teredo_time now)
{
	snapshot_put_peer(snap, item->arg, &item->addr, item->to,
			  heard_at(ops, role, item->arg, now));
}

void record_heard(struct record *r, teredo_time now)
{
	uint32_t records = snapshot_records(r->snap), slot;
	teredo_time was, is;

	for (uint32_t n = 0; n < records && n < RECORD_STEP; n++) {
		if (r->next >= records)
			r->next = 0;
		if (!snapshot_record(r->snap, r->next++, &slot, &was))
			continue;
		is = heard_at(r->ops, r->role, slot, now);
		if (is > was)
			snapshot_heard(r->snap, slot, is);
	}
}
