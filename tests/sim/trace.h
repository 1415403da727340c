/*
 * trace.h - what happened, for the reader of a failure
 *
 * Every packet and every event is recorded in a ring whose end is printed
 * when a scenario fails, and in a running hash: two runs are the same when
 * their hashes are. Records are kept raw and turned into text only when they
 * are printed.
 */
#ifndef SIM_TRACE_H
#define SIM_TRACE_H

#include <stdio.h>

#include "../../libteredo/teredo.h"

#define TRACE_RING  128
#define TRACE_HEAD  128 /* octets of a packet that are kept */
#define TRACE_WORDS 96

enum trace_kind {
	TRACE_NOTE,  /* words only */
	TRACE_SENT4, /* a datagram leaves `who` */
	TRACE_GOT4,  /* a datagram reaches `who` */
	TRACE_LOST4, /* a datagram is lost at `who`; words say why */
	TRACE_GOT6,  /* native IPv6 reaches `who` */
	TRACE_LOST6,
	TRACE_FROM_TUN, /* the stack of `who` sends */
	TRACE_TO_TUN,	/* the stack of `who` receives */
};

struct trace_record {
	teredo_time at;
	enum trace_kind kind;
	const char *who; /* lives as long as the trace */
	struct teredo_ep src, dst;
	size_t len;
	uint8_t head[TRACE_HEAD];
	char words[TRACE_WORDS];
};

struct trace {
	bool print; /* each record at once, on stdout */
	bool off;   /* nothing is recorded: who searches is in a hurry */
	uint64_t hash;
	uint64_t n; /* records so far */
	struct trace_record ring[TRACE_RING];
};

void trace_init(struct trace *t, bool print);

/* words may be NULL; data is the UDP payload or the IPv6 packet. */
void trace_packet(struct trace *t, teredo_time at, const char *who,
		  enum trace_kind kind, struct teredo_ep src,
		  struct teredo_ep dst, const void *data, size_t len,
		  const char *words);
void trace_note(struct trace *t, teredo_time at, const char *who,
		const char *words);

/* The end of the ring, one line a record, each behind "# ". */
void trace_dump(const struct trace *t, FILE *to);

/* Text of an address; a Teredo address shows its mapping. Returns out. */
#define TRACE_ADDR_LEN 64
const char *trace_addr(char out[TRACE_ADDR_LEN], const struct teredo_addr *a);
const char *trace_ep(char out[TRACE_ADDR_LEN], struct teredo_ep ep);

#endif
