/*
 * pump.h - the hot path between the sockets and the core
 *
 * No policy: packets go in, verdicts and the outbox come out and are carried
 * out. Everything is allocated by pump_new().
 */
#ifndef MIREDO_PUMP_H
#define MIREDO_PUMP_H

#include "loop.h"
#include "role.h"

struct pump_config {
	struct loop *loop;
	const struct role_ops *ops;
	void *role;
	struct snapshot *snap;
	/* non-blocking; -1: the role has none. They stay the caller's. */
	int tun, udp[3], native6;
	uint32_t features;	/* bits of enum datapath */
	struct relief *relief;	/* is told of buffers; or NULL */
	/* all news but PEER_DOWN, for the parent and who listens */
	void (*news)(void *ctx, const struct outbox_item *item);
	/* at the end of each wake-up, when pump_deadline() may have changed */
	void (*done)(void *ctx);
	void *ctx;
};

struct pump;

/* Watches the sockets from now on. 0 or -errno. */
int pump_new(struct pump **pump, const struct pump_config *config);
void pump_free(struct pump *pump);

/* For who calls the core beside the pump: pass this outbox, then deliver. */
struct teredo_outbox *pump_outbox(struct pump *pump);
void pump_deliver(struct pump *pump, teredo_time now);

/* The second UDP socket from now on; -1: none. The one before may be closed
 * then. 0 or -errno. */
int pump_secondary(struct pump *pump, int fd);

/* Who looks on from now on; NULL: nobody. It stays the caller's. */
struct capture;
void pump_capture(struct pump *pump, struct capture *capture);

/* Runs what is due at `now`. */
void pump_expire(struct pump *pump, teredo_time now);
teredo_time pump_deadline(const struct pump *pump);

/* Bits of enum datapath that are still in use. */
uint32_t pump_features(const struct pump *pump);

/* The traffic, the kernel's drops and the features in use. */
void pump_status(const struct pump *pump, struct ctl_status *st);

#endif
