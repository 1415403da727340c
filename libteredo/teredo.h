/*
 * teredo.h - the vocabulary of the protocol core
 *
 * The core is sans-I/O: a caller hands in packets and the time, and gets a
 * verdict for the packet and an outbox with what the protocol itself has to
 * say. Nothing here opens, reads a clock, logs or allocates after *_new().
 *
 * Addresses and ports are in network byte order everywhere. Times are
 * nanoseconds on the caller's clock, which never runs backwards.
 */
#ifndef LIBTEREDO_TEREDO_H
#define LIBTEREDO_TEREDO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "counters.h"

typedef uint64_t teredo_time;

#define TEREDO_MS	1000000ull
#define TEREDO_SECOND	1000000000ull
#define TEREDO_NEVER	UINT64_MAX

#define TEREDO_PORT	3544	/* RFC 4380 2.7, host order */
#define TEREDO_MTU	1280	/* RFC 4380 5.1.2 */
#define TEREDO_MAX_UDP	65507	/* longest UDP payload over IPv4 */

struct teredo_ep {
	uint32_t ip;
	uint16_t port;
};

struct teredo_addr {
	uint8_t b[16];
};

/* Which of the role's sockets: a server has two IPv4 addresses (S-GEN-02), a
 * client now and then a second port (RFC 4380 5.2.7); it hears local peers on
 * yet another (Q5), and never sends from there. */
enum teredo_via {
	TEREDO_VIA_PRIMARY,
	TEREDO_VIA_SECONDARY,
	TEREDO_VIA_DISCOVERY,
};

/* What a client takes part in (RFC 4380 5.2.8; C-CFG-08, C-LCD-07,
 * C-LCD-10). */
enum teredo_discovery {
	TEREDO_DISCOVERY_OFF,
	TEREDO_DISCOVERY_NAT,	/* of peers behind the same NAT */
	TEREDO_DISCOVERY_ANY,	/* of all peers on our link */
};

/* A datagram as it came from a socket. local_ip is the IPv4 address that it
 * was sent to, 0 when unknown. */
struct teredo_rx {
	const uint8_t *data;
	size_t len;
	struct teredo_ep from;
	uint32_t local_ip;
	enum teredo_via via;
};

/*
 * What becomes of the packet just given. TO_TUN, TO_UDP and TO_NATIVE6 speak
 * of octets off..off+len-1 of the caller's own buffer: nothing was copied.
 * TAKEN: the core used it up (answered or holds a copy). DROP: a counter
 * says why.
 */
enum teredo_fate {
	TEREDO_DROP,
	TEREDO_TO_TUN,
	TEREDO_TO_UDP,
	TEREDO_TO_NATIVE6,
	TEREDO_TAKEN,
};

struct teredo_verdict {
	enum teredo_fate fate;
	enum teredo_via via;
	uint32_t off, len;
	struct teredo_ep to;
	uint32_t peer;	/* TO_UDP to a peer: its slot in the peer table */
};

/* RFC 4380 5.2.2; the numbers are ours. */
enum teredo_hmac { TEREDO_HMAC_SHA1 = 1, TEREDO_HMAC_SHA256 };

/*
 * Randomness is handed in: the shell gives getrandom(), a test a seed. So are
 * keyed hashes, of which `out` gets all 20 or 32 octets; who configures no
 * secret need not have them (NULL). `table`, which may be NULL, is told of
 * memory of which pages of zeros may be given back (table.h).
 */
struct teredo_env {
	void *ctx;
	void (*random)(void *ctx, void *buf, size_t len);
	void (*hmac)(void *ctx, enum teredo_hmac algorithm, const uint8_t *key,
		     size_t key_len, const uint8_t *data, size_t len,
		     uint8_t *out);
	void (*table)(void *ctx, void *memory, size_t len);
};

/* Counts drops by reason and protocol events; the caller reads them. */
struct teredo_counters {
	uint64_t n[TEREDO_N_COUNTERS];
};

#endif
