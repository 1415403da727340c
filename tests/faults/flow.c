/*
 * flow.c - a steady flow of numbered UDP packets, there and back
 *
 *   flow echo PORT			sends back whatever comes
 *   flow send ADDRESS PORT RATE	RATE packets a second for ever
 *
 * Each packet carries its number and when it left. The sender reads words from
 * standard input, one a line, and answers each with a line of JSON about what
 * was sent since the last answer:
 *
 *   report	waits for at most 4 s (and as long as this program itself
 *		could not run) for what is on its way, then says how many
 *		were sent, lost, came twice or out of order, the longest time
 *		without an answer and the slowest answers (milliseconds)
 *
 * and ends when standard input does. It goes on sending while it waits. Lost
 * is a number without an answer; a pause of this program itself is not: what
 * is late is sent late, and what is very late not at all, and has no number.
 * Otherwise a busy machine would make one burst of it that no queue can take.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAX	(1u << 22)	/* more than an hour at 1000 a second */
#define PAYLOAD	64u
#define LINGER	4000000000ull
#define BURST	32u	/* packets at once, at most */
#define PAUSE	100000000ull	/* a turn takes less, unless we are not run */

struct flow {
	int fd;
	uint64_t start, period;
	uint32_t sent, from;	/* numbers; the first of this report */
	uint32_t highest, twice, reordered;
	uint64_t last_rx, gap;
	uint64_t report_at;	/* 0: nobody asked */
	uint32_t report_to;
	bool answered[MAX];
	uint32_t rtt[MAX];	/* us */
};

static void die(const char *what)
{
	fprintf(stderr, "flow: %s: %s\n", what, strerror(errno));
	exit(2);
}

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int udp6(struct in6_addr addr, unsigned port, bool server)
{
	struct sockaddr_in6 sa = { .sin6_family = AF_INET6, .sin6_addr = addr,
				   .sin6_port = htons((uint16_t)port) };
	int fd = socket(AF_INET6, SOCK_DGRAM, 0), size = 4 << 20;

	if (fd < 0 || (server ? bind : connect)(fd, (struct sockaddr *)&sa,
						sizeof(sa)) != 0)
		die("socket");
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size,
		       sizeof(size)) != 0)
		die("SO_RCVBUFFORCE");
	return fd;
}

static void echo(unsigned port)
{
	int fd = udp6(in6addr_any, port, true);
	uint8_t buf[2048];
	struct sockaddr_in6 from;

	for (;;) {
		socklen_t len = sizeof(from);
		ssize_t n = recvfrom(fd, buf, sizeof(buf), 0,
				     (struct sockaddr *)&from, &len);

		if (n >= 0)
			(void)!sendto(fd, buf, (size_t)n, MSG_DONTWAIT,
				      (struct sockaddr *)&from, len);
	}
}

static void take(struct flow *f)
{
	uint8_t buf[PAYLOAD];
	uint32_t n;
	uint64_t left, t;

	while (recv(f->fd, buf, sizeof(buf), MSG_DONTWAIT) ==
	       (ssize_t)sizeof(buf)) {
		memcpy(&n, buf, sizeof(n));
		memcpy(&left, buf + 8, sizeof(left));
		t = now();
		if (n >= f->sent)
			continue;
		f->twice += f->answered[n];
		f->reordered += !f->answered[n] && n < f->highest;
		f->answered[n] = true;
		f->rtt[n] = (uint32_t)((t - left) / 1000);
		if (n > f->highest)
			f->highest = n;
		if (t - f->last_rx > f->gap)
			f->gap = t - f->last_rx;
		f->last_rx = t;
	}
}

static void send_due(struct flow *f)
{
	uint64_t t = now();
	uint8_t buf[PAYLOAD] = { 0 };

	if (f->start + (f->sent + BURST) * f->period < t)
		f->start = t - (f->sent + BURST) * f->period;
	while (f->start + f->sent * f->period <= t) {
		if (f->sent >= MAX)
			die("too long a flow");
		memcpy(buf, &f->sent, sizeof(f->sent));
		memcpy(buf + 8, &t, sizeof(t));
		f->sent++;
		/* an ICMPv6 error of an earlier one is reported once; what
		 * cannot be sent counts as lost */
		(void)!send(f->fd, buf, sizeof(buf), MSG_DONTWAIT);
	}
}

static int by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static uint32_t lost_of(const struct flow *f)
{
	uint32_t lost = 0;

	for (uint32_t n = f->from; n < f->report_to; n++)
		lost += !f->answered[n];
	return lost;
}

/* When all have come, or time is up. */
static void report(struct flow *f)
{
	static uint32_t rtt[MAX];
	uint32_t lost = lost_of(f), count = 0;
	uint64_t t = now();

	if (lost > 0 && t < f->report_at)
		return;
	if (lost > 0 && t - f->last_rx > f->gap)
		f->gap = t - f->last_rx;
	for (uint32_t n = f->from; n < f->report_to; n++)
		if (f->answered[n])
			rtt[count++] = f->rtt[n];
	qsort(rtt, count, sizeof(*rtt), by_value);
	printf("{\"sent\": %u, \"lost\": %u, \"twice\": %u, "
	       "\"reordered\": %u, \"gap_ms\": %.1f, \"p50_ms\": %.3f, "
	       "\"p99_ms\": %.3f}\n", f->report_to - f->from, lost, f->twice,
	       f->reordered, (double)f->gap / 1e6,
	       count ? rtt[count / 2] / 1e3 : -1,
	       count ? rtt[(uint64_t)count * 99 / 100] / 1e3 : -1);
	fflush(stdout);
	f->from = f->report_to;
	f->twice = f->reordered = 0;
	f->gap = 0;
	f->report_at = 0;
}

static void flow(struct flow *f, double rate)
{
	struct pollfd fds[2] = { { .fd = f->fd, .events = POLLIN },
				 { .fd = 0, .events = POLLIN } };
	char line[256];
	uint64_t last;

	f->period = (uint64_t)(1e9 / rate);
	f->start = f->last_rx = last = now();
	for (;;) {
		uint64_t due = f->start + f->sent * f->period, t = now();
		struct timespec wait = { 0 };

		if (due > t) {
			wait.tv_sec = (time_t)((due - t) / 1000000000u);
			wait.tv_nsec = (long)((due - t) % 1000000000u);
		}
		if (ppoll(fds, 2, &wait, NULL) < 0)
			die("ppoll");
		/* who does not run may not be alone: others have time, too */
		t = now();
		if (f->report_at != 0 && t - last > f->period + PAUSE)
			f->report_at += t - last;
		last = t;
		take(f);
		send_due(f);
		if (fds[1].revents != 0) {
			if (read(0, line, sizeof(line)) <= 0)
				return;
			f->report_at = now() + LINGER;
			f->report_to = f->sent;
		}
		if (f->report_at != 0)
			report(f);
	}
}

int main(int argc, char **argv)
{
	static struct flow f;
	struct in6_addr addr;

	if (argc == 3 && strcmp(argv[1], "echo") == 0)
		echo((unsigned)atoi(argv[2]));
	if (argc != 5 || strcmp(argv[1], "send") != 0 ||
	    inet_pton(AF_INET6, argv[2], &addr) != 1 || atof(argv[4]) <= 0) {
		fprintf(stderr, "usage: flow echo PORT | "
			"flow send ADDRESS PORT RATE\n");
		return 2;
	}
	f.fd = udp6(addr, (unsigned)atoi(argv[3]), false);
	flow(&f, atof(argv[4]));
	return 0;
}
