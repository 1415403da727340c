/*
 * miredoctl_ping.h - what a ping found, for who prints it
 */
#ifndef MIREDO_MIREDOCTL_PING_H
#define MIREDO_MIREDOCTL_PING_H

#include <stdbool.h>

#include "ctl_records.h"

#define PING_MOST 100u

struct ping_answer {
	unsigned seq;	/* from 0 */
	uint64_t rtt;	/* ns */
	bool known;	/* peer is filled */
	bool helped;	/* a server had to open the path */
	struct ctl_peer peer;
};

struct ping_view {
	const char *name;
	uint8_t addr[16];
	uint32_t server_ip;	/* of the instance */
	bool quiet;		/* answers are not printed one by one */
	bool refused;		/* an unreachable came */
	unsigned tries, answers;
	struct ping_answer answer[PING_MOST];
	/* what the engine knew before the first, and by now */
	struct ctl_lookup before, now;
};

void ping_print_answer(const struct ping_view *v, const struct ping_answer *a);
/* Why there was perhaps no answer, and what to do. */
void ping_print_silence(const struct ping_view *v);
/* false: out of memory */
bool ping_print_json(const struct ping_view *v);

#endif
