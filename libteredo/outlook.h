/*
 * outlook.h - what is known of a peer, and what would become of a packet to it
 *
 * For who asks from outside: nothing here changes anything.
 */
#ifndef LIBTEREDO_OUTLOOK_H
#define LIBTEREDO_OUTLOOK_H

#include "peers.h"

enum teredo_way {
	TEREDO_WAY_NONE,	/* known, but none is known to it */
	TEREDO_WAY_PENDING,	/* it is probed */
	TEREDO_WAY_DIRECT,
	TEREDO_WAY_LOCAL,	/* direct, on our link */
	TEREDO_WAY_RELAY,	/* a native host by its relay */
};

struct teredo_view {
	struct teredo_addr addr;
	enum teredo_way way;
	unsigned probes;	/* unanswered ones in a row */
	struct teredo_ep ep;	/* where it is or was, ip 0: never proven */
	teredo_time age;	/* since it was heard, TEREDO_NEVER: never */
	teredo_time rtt;	/* 0: unknown; a relay's */
	struct peer_traffic traffic[PEER_WAYS]; /* zeros: a relay's */
};

enum teredo_would {
	TEREDO_WOULD_NOTHING,	/* this role sends nothing of its host's */
	TEREDO_WOULD_DROP,	/* for `reason` */
	TEREDO_WOULD_SEND,	/* at once, to peer.ep */
	TEREDO_WOULD_BUBBLE,	/* held; bubbles through server_ip */
	TEREDO_WOULD_TEST,	/* held; a connectivity test by server_ip */
	TEREDO_WOULD_WAIT,	/* held with others: it is probed */
	TEREDO_WOULD_REFUSE,	/* unreachable: it did not answer just now */
	TEREDO_WOULD_DELIVER,	/* it is our own address */
};

struct teredo_outlook {
	enum teredo_would would;
	enum teredo_counter reason;	/* of a DROP */
	uint32_t server_ip;		/* that would be asked, else 0 */
	bool known;			/* peer is filled */
	struct teredo_view peer;
};

#endif
