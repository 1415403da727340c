/*
 * counters.h - every reason for a drop and every countable event, by name
 *
 * One list, so that the status, its JSON and the tests cannot disagree. Names
 * are part of the interface: they are added to, never changed.
 */
#ifndef LIBTEREDO_COUNTERS_H
#define LIBTEREDO_COUNTERS_H

/* The packet was dropped because ... */
#define TEREDO_DROPS(X) \
	X(malformed)		/* not a Teredo packet (A-ENC-06..08) */ \
	X(trailer)		/* a trailer asked for it (X-TLV-04) */ \
	X(too_big)		/* longer than we carry */ \
	X(not_qualified)	/* no Teredo address yet (C-CFG-04) */ \
	X(not_for_us)		/* inner destination is not ours */ \
	X(not_teredo)		/* an address had to be a Teredo address */ \
	X(martian_v4)		/* IPv4 address not global unicast (A-V4G) */ \
	X(martian_v6)		/* inner source or destination unfit */ \
	X(link_local)		/* link-local does not cross (C-LL-01) */ \
	X(routing_header)	/* type 0 routing header (G-RH0-01) */ \
	X(loop)			/* would come back to us (SEC-LOOP) */ \
	X(spoofed)		/* outer source is not the mapping */ \
	X(unknown_peer)		/* nobody we know and no room to ask */ \
	X(bad_ra)		/* router advertisement invalid */ \
	X(bad_rs)		/* router solicitation invalid */ \
	X(nonce)		/* nonce or cookie not ours, or too late */ \
	X(confirmation)		/* server refused our authentication */ \
	X(not_relayed)		/* server: no bubble, no small ICMPv6 */ \
	X(no_second_address)	/* server: cone RS, one address */ \
	X(hold_full)		/* too many packets wait for this path */ \
	X(unreachable)		/* given up: the peer did not answer */ \
	X(table_full)		/* no room for another peer */ \
	X(rate_limited)		/* an outsider asked too often */ \
	X(authentication)	/* no, or a wrong, authentication value */ \
	X(not_local)		/* discovery bubble of no neighbour (C-LCD) */ \
	X(denied)		/* by PeerDeny of the configuration */ \
	X(dormant)		/* asleep, or at its end (RFC 4380 5.5) */

/* The protocol did ... */
#define TEREDO_EVENTS(X) \
	X(rs_sent)	/* solicitations sent */ \
	X(rs_received)	/* solicitations received */ \
	X(ra_sent)	/* advertisements sent */ \
	X(ra_accepted)	/* advertisements that were taken */ \
	X(mapping_changed)	/* the NAT gave us another address or port */ \
	X(server_lost)	/* the server fell silent */ \
	X(bubble_direct_sent)	/* bubbles sent to a peer */ \
	X(bubble_indirect_sent)	/* bubbles sent by way of a server */ \
	X(bubble_reply_sent)	/* bubbles sent as an answer */ \
	X(bubble_received)	/* bubbles received */ \
	X(bubble_forwarded)	/* server: bubbles passed on */ \
	X(test_sent)	/* connectivity tests of native hosts sent */ \
	X(test_answered)	/* their answers */ \
	X(echo_forwarded)	/* server: connectivity tests passed on */ \
	X(echo_answered)	/* server: answers to tests of itself */ \
	X(packet_held)	/* packets that had to wait for a path */ \
	X(packet_released)	/* of these, sent or delivered later */ \
	X(unreachable_sent)	/* "unreachable" errors to this host */ \
	X(peer_up)	/* peers that became trusted */ \
	X(peer_down)	/* peers that are trusted no more */ \
	X(peer_evicted)	/* peers that made room for another */ \
	X(discovery_sent)	/* local discovery bubbles sent */ \
	X(discovery_received)	/* local discovery bubbles received */

enum teredo_counter {
#define X(name) TEREDO_DROP_##name,
	TEREDO_DROPS(X)
#undef X
#define X(name) TEREDO_EV_##name,
	TEREDO_EVENTS(X)
#undef X
	TEREDO_N_COUNTERS
};

#define TEREDO_N_DROPS TEREDO_EV_rs_sent	/* drops come first */

/* The name as in the lists above, for example "martian_v4"; c is in range. */
const char *teredo_counter_name(enum teredo_counter c);

#endif
