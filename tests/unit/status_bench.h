/*
 * status_bench.h - the status of a healthy client, and of one that is not
 */
#ifndef TESTS_STATUS_BENCH_H
#define TESTS_STATUS_BENCH_H

#include <arpa/inet.h>
#include <stdint.h>

#include "../../libteredo/client.h"
#include "../../src/ctl.h"

#define SECOND 1000000000ull

static inline struct ctl_status client(void)
{
	struct ctl_status st = {
		.role = PRIV_CLIENT,
		.pid = 812,
		.uptime = 11600 * SECOND,
		.address_age = 11520 * SECOND,
		.generation = 2,
		.state = TEREDO_CLIENT_QUALIFIED,
		.nat = TEREDO_NAT_CONE_OR_RESTRICTED,
		.mtu = 1280,
		.addr = {0x20, 1, [4] = 192, [6] = 2, [7] = 1, [15] = 0xd2},
		.prefix = htonl(0x20010000),
		.server_ip = htonl(0xc0000201),
		.server_ip2 = htonl(0xc0000202),
		.mapped_ip = htonl(0xc000022d),
		.mapped_port = htons(51123),
		.local_ip = htonl(0xc0a80102),
		.local_port = htons(51123),
		.rtt = 18412345,
		.refresh = 30 * SECOND,
		.last_answer_age = 11 * SECOND,
		.server_name = "vps.example.net",
		.instance = "teredo",
		.peers_direct = 6,
		.peers_relay = 2,
		.peers_max = 4096,
		.udp_drops = 3,
		.n_counters = TEREDO_N_COUNTERS,
		.udp_rx = {.packets = 10, .bytes = 14889779},
		.tun_rx = {.packets = 7, .bytes = 700},
		.link = {.bits = PRIV_LINK_CARRIER, .metric = 1029},
	};

	st.counters[TEREDO_DROP_nonce] = 2;
	st.counters[TEREDO_EV_rs_sent] = 5;
	return st;
}

static inline struct ctl_status unqualified(void)
{
	return (struct ctl_status){
		.role = PRIV_CLIENT,
		.uptime = 41 * SECOND,
		.generation = 1,
		.state = TEREDO_CLIENT_OFFLINE,
		.failures = 4,
		.last_answer_age = UINT64_MAX,
		.server_name = "teredo.example.net",
		.instance = "teredo",
		.n_counters = TEREDO_N_COUNTERS,
	};
}

#endif
