/*
 * ctl_server.h - the engine's end of the control socket
 */
#ifndef MIREDO_CTL_SERVER_H
#define MIREDO_CTL_SERVER_H

#include "ctl_records.h"
#include "loop.h"
#include "priv.h"

#define CTL_CONNECTIONS 16		/* the oldest makes room for another */
#define CTL_IDLE	5000000000u	/* ns without a request: closed */

struct ctl_server;

/* What knows the answers. They are zeroed but for their head. Where a function
 * is NULL, that is not served; status is never NULL. */
struct ctl_ops {
	void (*status)(void *ctx, struct ctl_status *st);
	/* A page from that place on; it takes microseconds. */
	void (*peers)(void *ctx, uint32_t from, struct ctl_peers *page);
	void (*lookup)(void *ctx, const uint8_t addr[16],
		       struct ctl_lookup *l);
	/* CTL_RELOAD, CTL_ANNOUNCE: hands the connection on to the parent,
	 * which answers. 0 or -errno. */
	int (*parent)(void *ctx, const struct ctl_request *r, int fd);
	/* Whether anybody wants ctl_server_packets() has changed. */
	void (*capture)(void *ctx, bool wanted);
};

/* The part of a status that the configuration tells, of a service whose time is
 * `now`; the rest of it stays as it is, and no answer was ever had. */
void ctl_server_configured(const struct priv_config *c, uint64_t now,
			   struct ctl_status *st);

/* Serves the listening socket, which stays the caller's. 0 or -errno. */
int ctl_server_new(struct ctl_server **server, struct loop *loop, int listener,
		   const struct ctl_ops *ops, void *ctx);
void ctl_server_free(struct ctl_server *server);

/* Whether anybody listens to events. */
bool ctl_server_listens(const struct ctl_server *server);
/* Tells who listens; `past`: and who will ask for what has happened. */
void ctl_server_event(struct ctl_server *server, const struct ctl_event *event,
		      bool past);
/* Tells who captures: n records of struct ctl_packet, `len` octets. */
void ctl_server_packets(struct ctl_server *server, const void *records,
			size_t len, uint32_t n);

/* Closes who was idle for too long; called about once a second. */
void ctl_server_expire(struct ctl_server *server, uint64_t now);

#endif
