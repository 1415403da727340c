/*
 * hostile_engine.c - what the parent would face if the engine were taken over
 *
 * Stands in for miredo-engine, in any role. It takes what the parent sends,
 * says READY and then anything that the border lets through as well-formed:
 * good and bad addresses, MTUs, resolutions, carrier, second ports, log lines,
 * health, a million messages, and in the name of an administrator who really has
 * connected holds and releases. It ends with one that is not well-formed, for
 * which it has to be killed. (faults.md P4)
 *
 * Before that it has lives that are shorter: one to have the administrator's
 * reload done, which is that life's end, and one for each socket that it could
 * pass off as an administrator's connection, for which it has to be killed.
 * Which life this is stands at the end of the snapshot.
 */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../src/msg.h"
#include "../../src/priv.h"

#define PARENT_FD 3
#define MESSAGES  1000000u
#define A_LIFE	  20000u	/* messages of a short one */

enum life { TO_RELOAD, TO_LISTENER, TO_PARENT, TO_PAIR, TO_THE_END, AFTER };

static uint64_t rng = 88172645463325252u;
static int given[PRIV_FD_SNAPSHOT + 1];
static int admin = -1;	/* an administrator's connection */
static bool resolved;	/* the parent has said, in this life */

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
	static union {
		struct priv_word word;
		uint8_t room[PRIV_MESSAGE_MAX];
	} m;
	struct pollfd pfd = { .fd = PARENT_FD, .events = POLLIN };
	ssize_t n;
	int fd;

	poll(&pfd, 1, timeout);
	/* descriptors are kept: they are ours now */
	while ((n = msg_recv(PARENT_FD, &m, sizeof(m), &fd)) > 0 || fd >= 0)
		if (fd >= 0 && m.word.value <= PRIV_FD_SNAPSHOT)
			given[m.word.value] = fd;
		else if (n > 0 && m.word.verb == PRIV_RESOLVED)
			resolved = true;
	if (n == 0)
		_exit(0);
}

/* Which life this is; the next one is another. */
static enum life begin_life(void)
{
	struct stat st;
	uint8_t *image, life;

	if (fstat(given[PRIV_FD_SNAPSHOT], &st) < 0)
		_exit(1);
	image = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE,
		     MAP_SHARED, given[PRIV_FD_SNAPSHOT], 0);
	if (image == MAP_FAILED)
		_exit(1);
	life = image[st.st_size - 1];
	if (life < AFTER)
		image[st.st_size - 1]++;
	return (enum life)life;
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

/* What an administrator may ask for, with this as the connection. */
static void say_for(int connection, uint32_t verb, uint32_t value)
{
	const struct priv_word word = { verb, value };

	if (connection >= 0)
		say_with(&word, sizeof(word), connection);
}

static void accept_administrator(void)
{
	if (admin < 0)
		admin = accept4(given[PRIV_FD_CONTROL], NULL, NULL,
				SOCK_NONBLOCK | SOCK_CLOEXEC);
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
	switch (any(12)) {
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
		say_for(admin, PRIV_ANNOUNCE, any(2));
		break;
	case 7:	/* one thing that is wrong, nothing, or much that is not */
		say_word(PRIV_HEALTH, any(4) != 0 ? 1u << any(32) : any(2) *
						    (any(1u << 31) << 1));
		break;
	default:
		say_tun_up();
		break;
	}
}

static void say_much(unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		say_something();
		if (i % 64 == 0) {
			listen_to_parent(0);
			accept_administrator();
		}
	}
}

/* For as long as we are let. */
static void live_on(void)
{
	for (;;) {
		listen_to_parent(500);
		say_word(PRIV_KEEPALIVE, 0);
	}
}

static void ask_for_reload(void)
{
	while (admin < 0) {
		listen_to_parent(100);
		say_word(PRIV_KEEPALIVE, 0);
		accept_administrator();
	}
	say_for(admin, PRIV_ANNOUNCE, any(2));
	say_for(admin, PRIV_RELOAD, any(2));
}

static void end_life(enum life life)
{
	int pair[2];

	if (life == TO_RELOAD) {
		ask_for_reload();
	} else if (life == TO_LISTENER) {
		say_for(given[PRIV_FD_CONTROL], PRIV_ANNOUNCE, 1);
	} else if (life == TO_PARENT) {
		say_for(PARENT_FD, PRIV_ANNOUNCE, 1);
	} else if (life == TO_PAIR) {
		if (msg_pair(pair) < 0)
			_exit(1);
		say_for(pair[0], PRIV_RELOAD, 0);
	} else if (life == TO_THE_END) {
		say("last words", 10);
	}
}

int main(void)
{
	enum life life;

	for (unsigned i = 0; i < 20; i++)
		listen_to_parent(5);
	life = begin_life();
	say_word(PRIV_READY, 0);
	/* or there is no good address yet, and what is refused or taken down
	 * uses the minute's allowance up */
	say_word(PRIV_RESOLVE, 0);
	for (unsigned i = 0; i < 200 && !resolved; i++)
		listen_to_parent(50);
	if (life < AFTER)
		say_much(life == TO_THE_END ? MESSAGES : A_LIFE);
	end_life(life);
	live_on();	/* until the parent has had enough */
}
