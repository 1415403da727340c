/*
 * capture.h - the pump's packets with their verdicts, for who looks on
 */
#ifndef MIREDO_CAPTURE_H
#define MIREDO_CAPTURE_H

#include "../libteredo/outbox.h"
#include "../libteredo/teredo.h"
#include "ctl_records.h"

struct capture;

/* emit() gets n records of struct ctl_packet. `local` is the endpoint that the
 * primary socket is bound to. NULL: out of memory. */
struct capture *capture_new(struct teredo_ep local,
			    void (*emit)(void *ctx, const void *records,
					 size_t len, uint32_t n), void *ctx);
void capture_free(struct capture *c);

/* Before a packet goes to the core: what it has counted so far. */
void capture_before(struct capture *c, const struct teredo_counters *count);
/* After it: the datagram, or the packet of our host's and of how many segments
 * of a super-packet it is the first, and what became of it. */
void capture_udp(struct capture *c, const struct teredo_rx *rx,
		 const struct teredo_verdict *v,
		 const struct teredo_counters *count, teredo_time now);
void capture_tun(struct capture *c, const uint8_t *ip6, uint32_t len,
		 uint32_t segments, const struct teredo_verdict *v,
		 const struct teredo_counters *count, teredo_time now);
/* What the core itself says: a datagram or a packet of its outbox. */
void capture_own(struct capture *c, const struct outbox_item *item,
		 const uint8_t *data, teredo_time now);

/* Hands on what was recorded. */
void capture_flush(struct capture *c);
/* Forgets it. */
void capture_clear(struct capture *c);

#endif
