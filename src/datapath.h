/*
 * datapath.h - which of the kernel's offloads the data path uses
 *
 * Bits of a word that the parent probes (DataPath in miredo.conf), hands to
 * the engine and takes back bit by bit what fails later. With none of them,
 * packets are read and written one by one, as everywhere.
 */
#ifndef MIREDO_DATAPATH_H
#define MIREDO_DATAPATH_H

#include <stdint.h>

enum datapath {
	DATAPATH_VNET = 1,	/* tun: a virtio-net header before packets; no
				 * offload, but what TSO and USO need */
	DATAPATH_TSO = 2,	/* tun: TCP in super-packets, with VNET */
	DATAPATH_USO = 4,	/* tun: UDP in super-packets, with VNET */
	DATAPATH_SEGMENT = 8,	/* UDP_SEGMENT: many datagrams in one send */
	DATAPATH_GRO = 16,	/* UDP_GRO: many datagrams in one receive */
	DATAPATH_BATCH = 32,	/* sendmmsg(), recvmmsg() */
	/* instead of TSO, USO: read so, but merged packets were refused; never
	 * asked for */
	DATAPATH_TSO_READ = 64,
	DATAPATH_USO_READ = 128,
};

/* What log and status call the i-th of the offloads; NULL behind the last. */
const char *datapath_name(unsigned i, uint32_t *bit);

/* All that are in `features`, with ", " between them; "plain": none. */
#define DATAPATH_TEXT_LEN 96
const char *datapath_text(char text[DATAPATH_TEXT_LEN], uint32_t features);

#endif
