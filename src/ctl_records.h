/*
 * ctl_records.h - what is said over the control socket beside the status
 *
 * Addresses and ports in network order. Times are ns of CLOCK_BOOTTIME, ages
 * ns, UINT64_MAX: never. A message has as many records as it says and no
 * more octets than that.
 */
#ifndef MIREDO_CTL_RECORDS_H
#define MIREDO_CTL_RECORDS_H

#include "../libteredo/outlook.h"
#include "ctl.h"

/* ---- CTL_PEERS, CTL_LOOKUP ---- */

struct ctl_peer {
	uint8_t addr[16];
	uint32_t way;		/* enum teredo_way */
	uint32_t probes;	/* unanswered bubbles or tests in a row */
	uint32_t ip;		/* where it is or was, 0: not known */
	uint16_t port;
	uint16_t counted;	/* 1: rx and tx are known, clients only */
	uint64_t age;		/* since the last packet from it */
	uint64_t rtt;		/* of the last probe; 0: unknown */
	struct ctl_traffic rx, tx;
};

#define CTL_PEERS_MAX 64
#define CTL_PEERS_END UINT32_MAX

/* One page; it may be empty and not the last. */
struct ctl_peers {
	struct ctl_head head;
	uint32_t n;
	uint32_t next;		/* place to go on from, or CTL_PEERS_END */
	struct ctl_peer peer[CTL_PEERS_MAX];	/* n of them are sent */
};

struct ctl_lookup {
	struct ctl_head head;
	uint32_t would;		/* enum teredo_would: with a packet to it */
	uint32_t reason;	/* enum teredo_counter, of a drop */
	uint32_t server_ip;	/* that is asked, else 0 */
	uint32_t known;		/* 1: peer is filled */
	struct ctl_peer peer;
};

/* Readers of CTL_EVENTS and CTL_CAPTURE at once; another one gets -EBUSY. */
#define CTL_STREAMS 4u

/* ---- CTL_EVENTS ---- */

enum ctl_events_wanted {
	CTL_EVENTS_NEW,		/* what happens from now on */
	CTL_EVENTS_ALL,		/* and first the last ones before */
	CTL_EVENTS_PAST,	/* those alone, then the end */
};

enum ctl_event_kind {
	CTL_EVENT_STARTED = 1,	/* an engine; value: its generation */
	CTL_EVENT_STATE,	/* a client's, enum teredo_client_state */
	CTL_EVENT_QUALIFIED,	/* addr, its mapping ip, port */
	CTL_EVENT_ADDRESS,	/* addr replaces old_addr; mapping ip, port */
	CTL_EVENT_NAT,		/* enum teredo_nat */
	CTL_EVENT_PEER,		/* addr is reached at ip; value: enum teredo_way;
				 * not among the past ones */
	CTL_EVENT_LINK,		/* bits of enum priv_link */
	CTL_EVENT_HEALTH,	/* value, old: what was wrong before */
};

struct ctl_event {
	uint64_t time;
	uint32_t kind, value, old;	/* old: the value before */
	uint32_t ip;
	uint16_t port;
	uint16_t fresh;		/* 1: nobody knows what was before */
	uint16_t reserved[2];
	uint8_t addr[16], old_addr[16];
};

#define CTL_EVENTS_MAX 64

struct ctl_events {
	struct ctl_head head;
	uint32_t n;
	uint32_t lost;		/* before these: the reader was too slow */
	struct ctl_event event[CTL_EVENTS_MAX];	/* n of them are sent */
};

/* ---- CTL_CAPTURE ---- */

enum ctl_packet_from {
	CTL_FROM_UDP = 1,	/* a datagram */
	CTL_FROM_TUN,		/* a packet of our host's */
	CTL_OWN_UDP,		/* the engine's own, or released from hold */
	CTL_OWN_TUN,		/* the same, for our host */
	CTL_OWN_NATIVE6,	/* the same, for native IPv6 */
};

/* `captured` octets follow, and up to 7 of padding to a multiple of 8. */
struct ctl_packet {
	uint64_t time;
	uint8_t from, fate;	/* enum ctl_packet_from, teredo_fate */
	uint8_t via, out_via;	/* enum teredo_via: came by, leaves by */
	uint16_t reason;	/* enum teredo_counter of a drop */
	uint16_t segments;	/* more than 1: the first of a super-packet */
	uint32_t length, captured;
	uint32_t off, len;	/* the part of it that goes on */
	uint32_t src_ip, dst_ip;	/* outer; ours is 0 where unknown */
	uint32_t to_ip;			/* to which it goes on */
	uint16_t src_port, dst_port, to_port, reserved[3];
};

#define CTL_SNAPLEN	2048u
#define CTL_PACKETS_MAX 32768u	/* octets of records in a message */

struct ctl_packets {
	struct ctl_head head;
	uint32_t n;
	uint32_t lost;		/* before these: the reader was too slow */
	uint8_t record[CTL_PACKETS_MAX];
};

/* ---- CTL_RELOAD, CTL_ANNOUNCE ---- */

enum ctl_announce { CTL_HOLD, CTL_RELEASE };

/* A line of what there is to say; head.error is the result. */
struct ctl_report {
	struct ctl_head head;
	uint32_t more;		/* 1: not the last one */
	char text[500];		/* NUL-terminated; may be "" */
};

static_assert(sizeof(struct ctl_request) == 32, "padding");
static_assert(sizeof(struct ctl_head) == 24, "padding");
static_assert(sizeof(struct ctl_peer) == 80, "padding");
static_assert(sizeof(struct ctl_lookup) == 24 + 16 + 80, "padding");
static_assert(sizeof(struct ctl_event) == 64, "padding");
static_assert(sizeof(struct ctl_packet) == 56, "padding");
static_assert(sizeof(struct ctl_report) == 528, "padding");

#endif
