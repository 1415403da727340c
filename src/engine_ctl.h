/*
 * engine_ctl.h - what the engine says at the control socket
 */
#ifndef MIREDO_ENGINE_CTL_H
#define MIREDO_ENGINE_CTL_H

#include "loop.h"
#include "pump.h"
#include "role.h"

struct engine_ctl;

/* All of it stays the caller's and lives longer. */
struct engine_ctl_config {
	struct loop *loop;
	int listener;		/* -1: there is no control socket */
	const struct priv_config *config;
	uint32_t n_keys;
	const struct role_ops *ops;
	void *role;
	struct pump *pump;
	const struct snapshot *snap;
	const struct priv_link *link;	/* as the parent told it last */
	int parent;		/* socket to it */
};

/* 0 or -errno. */
int engine_ctl_new(struct engine_ctl **ctl,
		   const struct engine_ctl_config *config);

/* The core has said this: an event for who listens. */
void engine_ctl_news(struct engine_ctl *ctl, const struct outbox_item *item);

/* Looks at the health: called about once a second, and when config->link is
 * another. true: it has changed to these bits of enum health. */
bool engine_ctl_look(struct engine_ctl *ctl, teredo_time now,
		     uint32_t *health);

/* Called about once a second. */
void engine_ctl_expire(struct engine_ctl *ctl, teredo_time now);

#endif
