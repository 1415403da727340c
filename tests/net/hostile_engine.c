/*
 * hostile_engine.c - what the parent would face if the engine were taken over
 *
 * Stands in for miredo-engine, in any role. It takes what the parent sends,
 * says READY and then anything that the border lets through as well-formed:
 * good and bad addresses, MTUs, resolutions, carrier, second ports, holds,
 * releases, reloads
 * (each of them is its own end; the next one begins anew), log lines, a million
 * messages. It ends with one that is not well-formed, for which it has to be
 * killed. (faults.md P4)
 */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "../../src/msg.h"
#include "../../src/priv.h"

#define PARENT_FD 3
#define MESSAGES  1000000u
#define A_LIFE	  20000u	/* messages before most ask for a reload */

static uint64_t rng = 88172645463325252u;

static uint32_t any(uint32_t below)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return (uint32_t)(rng >> 16) % below;
}

/* Reads all that is there, so that we are not ended for being deaf. */
static void listen_to_parent(int timeout)
{
	static uint8_t buf[PRIV_MESSAGE_MAX];
	struct pollfd pfd = { .fd = PARENT_FD, .events = POLLIN };
	ssize_t n;
	int fd;

	poll(&pfd, 1, timeout);
	while ((n = msg_recv(PARENT_FD, buf, sizeof(buf), &fd)) > 0 || fd >= 0)
		;	/* descriptors are kept: they are ours now */
	if (n == 0)
		_exit(0);
}

static void say_with(const void *msg, size_t len, int fd)
{
	int err;

	/* so many descriptors may be under way, and no more */
	while ((err = msg_send(PARENT_FD, msg, len, fd)) == -EAGAIN ||
	       err == -ETOOMANYREFS)
		listen_to_parent(1);
	if (err < 0)
		_exit(0);
}

static void say(const void *msg, size_t len)
{
	say_with(msg, len, -1);
}

static void say_word(uint32_t verb, uint32_t value)
{
	const struct priv_word word = { verb, value };

	say(&word, sizeof(word));
}

/* What an administrator may ask for, with a connection that we made as the
 * service user, before there was a sandbox. */
static void say_for_administrator(uint32_t verb, uint32_t value)
{
	const struct priv_word word = { verb, value };
	static int pair[2] = { -1, -1 };

	if (pair[0] < 0 && msg_pair(pair) < 0)
		_exit(1);
	say_with(&word, sizeof(word), pair[0]);
}

/* Half of them good, the rest off by a bit. */
static void say_tun_up(void)
{
	static const uint8_t good[8] = { 0x20, 1, 0, 0, 192, 0, 2, 1 };
	struct priv_tun_up m = { .verb = PRIV_TUN_UP,
				 .mtu = 1280 + any(100) };

	memcpy(m.addr, good, sizeof(good));
	for (unsigned i = 8; i < 16; i++)
		m.addr[i] = (uint8_t)any(256);
	if (any(2) == 0)
		m.addr[any(8)] ^= (uint8_t)(1u << any(8));
	if (any(4) == 0)
		m.mtu = any(4) == 0 ? any(1280) : 65508 + any(100000);
	say(&m, sizeof(m));
}

static void say_log(void)
{
	struct priv_log m = { .verb = PRIV_LOG, .level = any(8) };

	for (unsigned i = 0; i < 60; i++)
		m.text[i] = (char)any(256);
	say(&m, sizeof(m));
}

static void say_something(void)
{
	switch (any(11)) {
	case 0:
		say_log();
		break;
	case 1:
		say_word(PRIV_RESOLVE, any(10));
		break;
	case 2:
		say_word(PRIV_CARRIER, any(2));
		break;
	case 3:
		say_word(PRIV_READY, any(2));
		break;
	case 4:
		say_word(PRIV_SECONDARY, any(2));
		break;
	case 5:
		say_word(PRIV_KEEPALIVE, any(2));
		break;
	case 6:
		say_for_administrator(PRIV_ANNOUNCE, any(2));
		break;
	default:
		say_tun_up();
		break;
	}
}

int main(void)
{
	for (unsigned i = 0; i < 20; i++)
		listen_to_parent(5);
	say_word(PRIV_READY, 0);
	/* or there is no good address yet, and what is refused or taken down
	 * uses the minute's allowance up */
	say_word(PRIV_RESOLVE, 0);
	for (unsigned i = 0; i < 20; i++)
		listen_to_parent(50);
	for (unsigned i = 0; i < MESSAGES; i++) {
		say_something();
		if (i == A_LIFE - 1 && getpid() % 4 != 0)
			say_for_administrator(PRIV_RELOAD, any(2));
		if (i % 64 == 0)
			listen_to_parent(0);
	}
	say("last words", 10);
	for (;;)	/* until the parent has had enough */
		listen_to_parent(-1);
}
