/*
 * miredoctl_pcapng.h - a capture file: two interfaces, comments
 */
#ifndef MIREDO_MIREDOCTL_PCAPNG_H
#define MIREDO_MIREDOCTL_PCAPNG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum pcapng_interface { PCAPNG_OUTER, PCAPNG_INNER };	/* IPv4, IPv6 */

struct pcapng_packet {
	enum pcapng_interface interface;
	bool inbound;
	uint64_t time;		/* ns since 1970 */
	/* `captured` octets of `length`, the header before them not counted */
	uint32_t captured, length;
	const uint8_t *data;
	/* outer: IPv4 and UDP headers are made of these, network order */
	uint32_t src_ip, dst_ip;
	uint16_t src_port, dst_port;
	const char *comment;
};

/* The file's beginning; `inner` is the interface's name. */
void pcapng_begin(FILE *out, const char *inner);
void pcapng_put(FILE *out, const struct pcapng_packet *p);

#endif
