/*
 * engine_rig.h - the real miredo-engine, with the test as its parent
 *
 * The test plays the parent, the Internet and the other end of the tun. The
 * engine is the program as it is built, in its sandbox. A test that uses this
 * has entered a namespace and has the addresses below there.
 */
#ifndef TESTS_UNIT_ENGINE_RIG_H
#define TESTS_UNIT_ENGINE_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>

#include <cmocka.h>

#include "../../libteredo/wire.h"
#include "../../src/ctl.h"
#include "../../src/priv.h"

#define PEERS	 16u
#define PATIENCE 10000 /* ms: when it takes longer, it does not come */

#define SERVER	htonl(0xc0000201) /* 192.0.2.1 */
#define SERVER2 htonl(0xc0000202)
#define CLIENT	htonl(0xc6336409) /* 198.51.100.9 */

union message {
	uint32_t verb;
	struct priv_word word;
	struct priv_tun_up tun_up;
	struct priv_log log;
};

/* What a parent holds while engines come and go. */
struct rig {
	struct priv_config config;
	pid_t pid;
	int parent; /* our end; -1: closed */
	int udp, udp2, native6, tun, stack, control, memfd;
	struct sockaddr_un control_name;
	socklen_t control_len;
	int other; /* who the engine talks to */
	struct teredo_ep other_ep, udp_ep;
	char last_log[PRIV_LOG_TEXT];
};

/* cmocka's setup and teardown: nothing runs yet. */
int rig_set_up_server(void **state);
int rig_set_up_client(void **state);
int rig_tear_down(void **state);

/* ---- the parent ---- */

void rig_send_all(struct rig *r, const void *data, size_t len, int fd);
void rig_send_word(struct rig *r, enum priv_verb verb, uint32_t value,
		   int fd);
/* Starts the process, and says nothing to it. */
void rig_spawn(struct rig *r);
/* Starts it and tells it all; it is ready. */
void rig_start(struct rig *r);
/* The next message of this verb; lines to be logged are noted, the rest is
 * passed over. */
void rig_expect(struct rig *r, enum priv_verb verb, union message *m);
/* How it ended. */
int rig_await_end(struct rig *r);
void rig_kill(struct rig *r);
struct ctl_status rig_get_status(const struct rig *r);

/* ---- the Internet ---- */

/* A datagram at the other end: its source, and its parsed content in *p. */
struct teredo_ep rig_receive(struct rig *r, struct wire_packet *p);
void rig_send_rs(struct rig *r, const uint8_t nonce[WIRE_NONCE_LEN]);
/* Answers a solicitation as a server does: `from` is the mapping. */
void rig_send_ra(struct rig *r, struct teredo_ep from,
		 const struct wire_packet *rs);
/* Resolves the server's name for a client until the client solicits. */
struct teredo_ep rig_receive_rs(struct rig *r, struct wire_packet *rs);
/* Plays the server for a client until the client wants its address. */
struct priv_tun_up rig_qualify(struct rig *r);

#endif
