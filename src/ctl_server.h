/*
 * ctl_server.h - the engine's end of the control socket
 */
#ifndef MIREDO_CTL_SERVER_H
#define MIREDO_CTL_SERVER_H

#include "ctl_records.h"
#include "loop.h"

#define CTL_CONNECTIONS 16		/* the oldest makes room for another */
#define CTL_IDLE	5000000000u	/* ns without a request: closed */

struct ctl_server;

/* What knows the answers. They are zeroed but for their head. */
struct ctl_ops {
	void (*status)(void *ctx, struct ctl_status *st);
};

/* Serves the listening socket, which stays the caller's. 0 or -errno. */
int ctl_server_new(struct ctl_server **server, struct loop *loop, int listener,
		   const struct ctl_ops *ops, void *ctx);
void ctl_server_free(struct ctl_server *server);

/* Closes who was idle for too long; called about once a second. */
void ctl_server_expire(struct ctl_server *server, uint64_t now);

#endif
