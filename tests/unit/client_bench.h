/*
 * client_bench.h - a client on the bench: the test is its server and its peers
 *
 * The client's clock runs only when bench_run() lets it, with expire() called
 * at each deadline. All that the client says is logged with its time; a test
 * reads the packets of the log in order and may ask for news by kind. Every
 * outbox is checked: nothing was lost, nothing was sent to where nothing may
 * be sent.
 */
#ifndef TESTS_UNIT_CLIENT_BENCH_H
#define TESTS_UNIT_CLIENT_BENCH_H

#include "tests/unit/testing.h"

#include "libteredo/client.h"
#include "libteredo/icmp6.h"

#define MS	TEREDO_MS
#define S	TEREDO_SECOND

#define SERVER	"198.51.100.1"
#define SERVER2	"198.51.100.2"	/* its second address */
#define RESERVE	"198.51.100.11"	/* server number 1 */

struct sent {
	teredo_time at;
	enum outbox_kind kind;
	enum teredo_via via;
	struct teredo_ep to;
	struct teredo_addr addr;
	uint32_t arg;
	size_t len;
	uint8_t data[1500];
};

struct bench {
	struct teredo_client *c;
	uint64_t seed;
	teredo_time start, now;
	struct teredo_outbox ob;
	struct sent sent[1024];
	unsigned n, read;		/* logged; read as packets */
	enum teredo_discovery discovery;
	struct local4 local;
	uint32_t local_ip;		/* our end of the UDP socket */
	struct teredo_addr own;		/* as announced last */
	uint32_t mtu;
	struct teredo_counters before;	/* the last packet */
};

extern struct bench bench;

/* A client with that many servers, none of them resolved. cmocka's setup and
 * teardown make and free one with two servers. */
void bench_open(unsigned servers, uint32_t max_peers);
/* ... with a key of its own */
void bench_open_keyed(unsigned servers, uint32_t max_peers,
		      const struct auth_key *key, test_hmac_fn *hmac);
/* ... that looks for local peers in 10.0.0.0/24, and is 10.0.0.2 there */
void bench_open_discovering(enum teredo_discovery discovery);
/* ... and denies that address */
void bench_open_denying(const char *ip, enum teredo_discovery discovery);
/* ... with that refresh interval, or one that finds it out */
void bench_open_refreshing(teredo_time refresh);
void bench_open_finding(teredo_time refresh);
void bench_close(void);
int bench_setup(void **state);
int bench_teardown(void **state);

/* Lets the time pass; `ms` since the client was made. */
void bench_run(teredo_time for_how_long);
/* ... until it comes to be in this state, within 100 s */
void bench_run_to(enum teredo_client_state state);
unsigned bench_ms(void);

/* Calls into the client, with the outbox logged. */
void bench_start(void);
bool bench_server(unsigned i, const char *ip, const char *ip2);
void bench_net_changed(bool solicit);
bool bench_restore(const struct teredo_client_saved *saved);
void bench_restore_peer(const struct teredo_addr *addr, struct teredo_ep ep);
/* ... that was heard last then */
void bench_restore_heard(const struct teredo_addr *addr, struct teredo_ep ep,
			 teredo_time heard);
struct teredo_verdict bench_udp(struct teredo_ep from,
				const struct test_packet *p);
struct teredo_verdict bench_udp_via(enum teredo_via via, struct teredo_ep from,
				    const struct test_packet *p);
struct teredo_verdict bench_tun(const struct test_packet *p);
/* ... what comes to the discovery socket, sent to local_ip */
struct teredo_verdict bench_discovery(struct teredo_ep from, uint32_t local_ip,
				      const struct test_packet *p);
void bench_secondary_opened(void);

/* The next packet of the log, NULL: there is none. */
const struct sent *bench_next(void);
/* The next packet, which there is: a datagram to `to`. */
const struct sent *bench_expect_udp(struct teredo_ep to);
/* ... a packet for the tun */
const struct sent *bench_expect_tun(void);
void bench_expect_silence(void);
/* How often news of that kind were said since the last bench_forget(). */
unsigned bench_news(enum outbox_kind kind);
void bench_forget(void);
/* How many datagrams went to `to` since then, read or not. */
unsigned bench_count_to(struct teredo_ep to);
/* The nonce of the last solicitation in the log. */
const uint8_t *bench_last_nonce(void);

uint64_t bench_count(enum teredo_counter c);
enum teredo_client_state bench_state(void);
struct teredo_client_status bench_status(void);
/* The last packet was dropped for this reason. */
#define assert_dropped(v, reason) \
	bench_assert_dropped((v), TEREDO_DROP_##reason, __FILE__, __LINE__)
void bench_assert_dropped(struct teredo_verdict v, enum teredo_counter reason,
			  const char *file, int line);

/* ---- the server ---- */

/* The next packet is a solicitation to this server address; its nonce. */
const uint8_t *bench_expect_rs(const char *server);

struct bench_ra {
	const uint8_t *nonce;		/* NULL: no authentication */
	struct teredo_ep from, origin;
	uint32_t prefix_ip;		/* the server that the prefix names */
	uint32_t mtu;
};
/* A good answer of `server` to that nonce, for a client at 192.0.2.45:40000. */
struct bench_ra bench_ra(const uint8_t *nonce, const char *server);
void bench_put_ra(struct test_packet *p, const struct bench_ra *ra);
struct teredo_verdict bench_answer(const struct bench_ra *ra);
/* Corrects the checksum of the packet's ICMPv6 message at `off` (of the IPv6
 * header) after a change. */
void bench_fix_checksum(struct test_packet *p, size_t off);

/* Starts, resolves server 0, answers both of its addresses: qualified behind
 * a restricted NAT at 192.0.2.45:40000. The log is empty afterwards. */
void bench_qualify(void);
struct teredo_ep bench_mapped(void);

/* ---- peers ---- */

/* The Teredo address of a client of 203.0.113.9 */
struct teredo_addr bench_peer(struct teredo_ep mapped);
/* 203.0.113.9:3544 */
struct teredo_ep bench_peer_server(void);

/* Packets of the client's own host, and from a peer to the client: UDP with
 * `len` octets counting up. */
struct teredo_verdict bench_send(const struct teredo_addr *dst, size_t len);
struct teredo_verdict bench_receive(struct teredo_ep from,
				    const struct teredo_addr *src, size_t len);
/* A direct bubble, and one through the server with that origin. */
struct teredo_verdict bench_bubble(struct teredo_ep from,
				   const struct teredo_addr *src,
				   const struct teredo_addr *dst);
struct teredo_verdict bench_indirect(const struct teredo_addr *src,
				     struct teredo_ep origin);

/* `sent` is a bubble with these addresses; NULL: any. */
void bench_is_bubble(const struct sent *sent, const struct teredo_addr *src,
		     const struct teredo_addr *dst);
/* `sent` is a connectivity test for dst: the reply to it. */
void bench_test_reply(const struct sent *sent, const struct teredo_addr *dst,
		      struct test_packet *reply);

/* Makes a Teredo peer, or a native one at the relay `ep`, trusted; nothing of
 * that stays unread in the log. */
void bench_trust(const struct teredo_addr *peer, struct teredo_ep ep);

#endif
