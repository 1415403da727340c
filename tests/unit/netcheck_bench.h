/*
 * netcheck_bench.h - netcheck, a NAT and two of our servers on the bench
 */
#ifndef TESTS_UNIT_NETCHECK_BENCH_H
#define TESTS_UNIT_NETCHECK_BENCH_H

#include "testing.h"

#include "../../libteredo/server.h"
#include "../../src/netcheck.h"

#define SERVER	"192.0.2.1"
#define SECOND	"192.0.2.2"
#define OUTSIDE "203.0.113.9"
#define INSIDE	"10.0.0.2"
#define GATEWAY "10.0.0.1"
#define RTT	(40 * TEREDO_MS)
#define FLIGHTS 256

enum kind { NONE, CONE, ADDRESS, PORT, SYMMETRIC };

struct flight {
	bool used, inward;
	teredo_time at;
	struct teredo_ep from, to;
	size_t len;
	uint8_t data[600];
};

/* By these the network differs. */
struct traits {
	enum kind kind;
	bool hairpin, moves_ports, dead, single;
	unsigned lost; /* of the first datagrams that go out */
	teredo_time rtt;
	/* what it answers to NAT-PMP and to PCP, in hexadecimal */
	const char *gateway, *pcp;
	const char *turner; /* whose address what is hairpinned bears */
	bool multihomed;    /* another way to the second server */
	/* when the first server's name has an address; TEREDO_NEVER */
	teredo_time resolved;
};

struct bench {
	struct traits is;
	uint64_t seed;
	teredo_time now;
	struct netcheck *nc;
	struct teredo_server *server[2];
	struct teredo_outbox ob;
	struct flight flight[FLIGHTS];
	uint32_t asked[16]; /* addresses that were sent to */
	unsigned n_asked, out;
	/* of the symmetric NAT: a port each for socket and destination */
	struct {
		struct teredo_ep inside, to;
	} entry[32];
	unsigned entries;
	void (*forge)(struct bench *b, struct flight *f);
};

struct bench *bench_setup(struct traits is);
void bench_teardown(struct bench *b);
/* Until netcheck is over; how long it took. */
teredo_time bench_run(struct bench *b, unsigned servers,
		      struct netcheck_report *r);
/* All of that. */
struct netcheck_report bench_look(struct traits is, unsigned servers);

#endif
