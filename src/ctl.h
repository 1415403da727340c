/*
 * ctl.h - the control socket, RUNDIR/INSTANCE.sock
 *
 * A SOCK_SEQPACKET socket in the unix domain. Whoever connects sends one
 * struct ctl_request per message and gets for each an answer that begins with
 * a struct ctl_head; then it may ask again. Both ends are of one build: of
 * another version nothing but the head of the answer, -EPROTONOSUPPORT, is
 * worth reading. The engine renders nothing and parses no text. What is not
 * the status is in ctl_records.h. While engine after engine ends, the parent
 * gives the status (parent_stand_in.c).
 *
 * Anybody gets the status, which names no peer. The rest is for root, the
 * service user and its group; others get -EPERM.
 */
#ifndef MIREDO_CTL_H
#define MIREDO_CTL_H

#include <stdint.h>

#include "../libteredo/counters.h"
#include "health.h"
#include "priv.h"

#define CTL_MAGIC	0x6d726463u	/* "mrdc" */
#define CTL_VERSION	6u

enum ctl_verb {
	CTL_STATUS = 1,	/* struct ctl_status */
	CTL_PEERS,	/* from place `value`, 0 first: struct ctl_peers */
	CTL_LOOKUP,	/* of `addr`: struct ctl_lookup */
	CTL_EVENTS,	/* enum ctl_events_wanted: struct ctl_events, again and
			 * again */
	CTL_CAPTURE,	/* `value` packets, 0: no end: struct ctl_packets, again
			 * and again */
	CTL_RELOAD,	/* struct ctl_report, when it is done */
	CTL_ANNOUNCE,	/* enum ctl_announce: struct ctl_report */
};

struct ctl_request {
	uint32_t magic, version, verb, value;
	uint8_t addr[16];
};

/* An error: nothing follows. */
struct ctl_head {
	uint32_t magic, version, verb;
	int32_t error;		/* 0 or -errno */
	uint64_t now;		/* the engine's clock, ns of CLOCK_BOOTTIME */
};

struct ctl_traffic {
	uint64_t packets, bytes;
};

/* Addresses and ports in network order; times in ns; 0: unknown. */
struct ctl_status {
	struct ctl_head head;
	uint32_t role;			/* enum priv_role */
	uint32_t pid;			/* of the engine */
	uint64_t uptime;		/* of the service */
	uint64_t engine_age;		/* counters count from its start */
	uint64_t address_age;		/* since the address was obtained */
	uint32_t generation;		/* engines so far, from 1 */
	/* 0, or there is no engine, and the parent answers: so many have ended
	 * within a minute, the last one in this way, and the next is started
	 * in `retry_in` */
	uint32_t deaths;
	char fate[48];
	/* client: enum teredo_client_state and enum teredo_nat */
	uint32_t state, nat;
	uint32_t mtu;
	uint8_t addr[16];		/* zero: none */
	uint32_t prefix;		/* octets 0-3 */
	uint32_t server_ip, server_ip2;	/* a server: its public addresses */
	uint32_t mapped_ip, local_ip;	/* local: what the socket is bound to */
	uint16_t mapped_port, local_port;	/* where no better is known */
	uint32_t failures;
	uint64_t rtt, last_answer_age;	/* age UINT64_MAX: never */
	/* client: what is tried and what failed, 0: nothing */
	uint64_t refresh, refresh_candidate, refresh_max;
	char server_name[PRIV_NAME_MAX];
	char instance[20];
	/* a relay: verified are direct, unverified are pending */
	uint32_t peers_direct, peers_relay, peers_pending, peers_max;
	/* a client's: direct ones on its link; who was heard there lately */
	uint32_t peers_local, neighbours;
	/* Authentication: how many keys; a client's: enum teredo_hmac, 0: none,
	 * and whether the server refuses it; a server's: whether required. */
	uint32_t auth_keys, auth_algorithm, auth_expired, auth_required;
	uint32_t configured;		/* the role by the configuration */
	uint32_t sunset;		/* days since 1970; 0: no date */
	char native[20];		/* has IPv6 by other means; "": none */
	uint32_t tun_drops, udp_drops;	/* the kernel would not take it */
	uint32_t interval;		/* enum teredo_interval */
	struct priv_link link;		/* as the parent told last */
	uint32_t udp_error;		/* errno of the last packet if it was
					 * not sent, else 0 */
	uint64_t udp_refused;		/* of udp_drops: by a firewall here */
	uint64_t retry_in;		/* the next solicitation; 0: now */
	uint32_t datapath;		/* enum datapath: in use */
	uint32_t firewall;		/* client: InboundFirewall */
	uint32_t clients_seen;		/* by a server: seen_places() */
	uint32_t n_counters;
	/* tun_tx: also what a server sent to native IPv6 */
	struct ctl_traffic udp_rx, udp_tx, tun_rx, tun_tx;
	uint64_t counters[TEREDO_N_COUNTERS];
	uint64_t health_age[HEALTHS];	/* for how long; UINT64_MAX: it is not,
					 * or has only just come */
	/* the same as they were `age` ago, 10 to 20 s where the engine is as
	 * old: for rates */
	struct ctl_sample {
		uint64_t age;
		struct ctl_traffic udp_rx, udp_tx, tun_rx, tun_tx;
		uint64_t udp_refused;
		uint64_t counters[TEREDO_N_COUNTERS];
	} then;
};

#endif
