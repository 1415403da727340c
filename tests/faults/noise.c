/*
 * noise.c - an engine that does nothing but talk (B12)
 *
 * Stands in for miredo-engine. It says READY and then for some seconds, as fast
 * as the parent reads, the lines that engines say, with ever other numbers; then
 * lines of which each begins in another way; then nothing for longer than the
 * parent waits before it tells how many it left out. The last line says how
 * many there were of each kind, and how long it took.
 */
#include "config.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "../../src/msg.h"
#include "../../src/priv.h"

#define PARENT_FD 3
#define MS	  1000000u
#define LOUD	  (5000ull * MS)
#define QUIET	  (3000ull * MS)
#define NOTICE	  5

struct part {
	unsigned lines;
	uint64_t took;
};

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* Waits until something may be sent, and reads what has come; the end of the
 * connection is ours. */
static void wait_for_parent(int timeout_ms)
{
	static uint8_t room[PRIV_MESSAGE_MAX];
	struct pollfd pfd = { PARENT_FD, POLLIN, 0 };
	ssize_t n;
	int fd;

	if (poll(&pfd, 1, timeout_ms) <= 0)
		return;
	while ((n = msg_recv(PARENT_FD, room, sizeof(room), &fd)) > 0)
		if (fd >= 0)
			close(fd);
	if (n == 0)
		_exit(0);
}

static void say(const void *msg, size_t len)
{
	while (msg_send(PARENT_FD, msg, len, -1) < 0)
		wait_for_parent(1);
}

static void say_word(uint32_t verb)
{
	const struct priv_word word = { verb, 0 };

	say(&word, sizeof(word));
}

static void say_line(const char *begin, unsigned n)
{
	struct priv_log m = { .verb = PRIV_LOG, .level = NOTICE };

	(void)snprintf(m.text, sizeof(m.text), "%s %u", begin, n);
	say(&m, sizeof(m));
}

/* What is before the first digit is a reason of its own. */
static void say_other(unsigned n)
{
	char begin[] = "oh aaaaa";

	for (char *p = begin + sizeof(begin) - 2; *p != ' '; p--, n /= 26)
		*p = (char)('a' + n % 26);
	say_line(begin, 0);
}

static void say_usual(unsigned n)
{
	static const char *const usual[] = {
		"qualified: address",	"mapping changed to",
		"NAT:",			"server",
		"health server-silent:", "refresh interval:",
	};

	say_line(usual[n % (sizeof(usual) / sizeof(usual[0]))], n);
}

static struct part be_loud(void (*say_one)(unsigned))
{
	struct part part = { 0, 0 };
	uint64_t began = now();

	do {
		say_one(part.lines++);
		if (part.lines % 16 == 0) {
			wait_for_parent(1);
			say_word(PRIV_KEEPALIVE);
		}
		part.took = now() - began;
	} while (part.took < LOUD);
	return part;
}

static void be_quiet(uint64_t until)
{
	while (now() < until) {
		wait_for_parent(200);
		say_word(PRIV_KEEPALIVE);
	}
}

int main(void)
{
	struct priv_log end = { .verb = PRIV_LOG, .level = NOTICE };
	struct part usual, other;

	say_word(PRIV_READY);
	usual = be_loud(say_usual);
	be_quiet(now() + QUIET);
	other = be_loud(say_other);
	be_quiet(now() + QUIET);
	(void)snprintf(end.text, sizeof(end.text),
		       "that was all: %u lines in %" PRIu64 " ms, %u in %" PRIu64
		       " ms", usual.lines, usual.took / MS, other.lines,
		       other.took / MS);
	say(&end, sizeof(end));
	be_quiet(UINT64_MAX);
}
