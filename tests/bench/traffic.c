/*
 * traffic.c - the benchmark's sources and sinks of UDP
 *
 *   sink PORT [gro]			counts datagrams until its stdin ends
 *   flood ADDR PORT SIZE SECONDS PPS GSO	sends; PPS 0: as fast as it goes;
 *			GSO > 1: that many datagrams a call, by UDP_SEGMENT
 *   echo PORT				answers each datagram
 *   ping ADDR PORT ROUNDS		one at a time; median and 99 % in us
 *   peers PORT				plays Teredo peers, see below
 *   spread COUNT PORT SECONDS PPS	sends to COUNT of them in turns
 *   meet FIRST END PORT PPS	once to each of these, from many networks
 *
 * Peer i has the mapping 198.18.0.1 + i % 2^15, at PORT + i / 2^15, and its
 * server is 198.18.128.1 + i % 2^15: all of 198.18.0.0/16 is local to the host
 * where `peers` runs. Whatever bubble comes in, directly or as to the server,
 * is answered from the mapping that its destination names. When its stdin ends
 * it prints how many peers have answered.
 *
 * `meet` sends from 64 addresses 2001:db8:4:N::1 in turns, as a relay has
 * limits for those who come from one network. Nobody answers them.
 *
 * What was done is printed as one line of numbers. A sink that says "ready"
 * counts what is sent from then on. Packets that the sender could not send
 * (full queue) are tried again: the measure is what arrives.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BATCH	  64u
#define SLOT	  65536u
#define PEERS_IP  0xc6120001u /* 198.18.0.1 */
#define SERVER_IP 0xc6128001u /* 198.18.128.1 */
#define BUBBLE	  40u
#define HOSTS	  32768u /* peers that differ in their address */
#define PORTS	  4u
#define NETWORKS  64u

static uint8_t room[BATCH][SLOT];

static void die(const char *what)
{
	fprintf(stderr, "traffic: %s: %s\n", what, strerror(errno));
	exit(2);
}

static double seconds_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static unsigned number(const char *text)
{
	return (unsigned)strtoul(text, NULL, 10);
}

static int bound(int family, unsigned port)
{
	struct sockaddr_in6 six = { .sin6_family = AF_INET6,
				    .sin6_port = htons((uint16_t)port) };
	struct sockaddr_in four = { .sin_family = AF_INET,
				    .sin_port = htons((uint16_t)port) };
	int fd = socket(family, SOCK_DGRAM, 0), size = 4 << 20, on = 1;
	bool is6 = family == AF_INET6;

	/* a client's discovery socket may have the port as well */
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (fd < 0 || bind(fd, is6 ? (void *)&six : (void *)&four,
			   is6 ? sizeof(six) : sizeof(four)) != 0)
		die("socket");
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
	return fd;
}

/* One's own or not. */
static int bound_to(unsigned network)
{
	struct sockaddr_in6 six = { .sin6_family = AF_INET6,
				    .sin6_addr.s6_addr = {
					    0x20, 0x01, 0x0d, 0xb8, 0, 4, 0,
					    (uint8_t)network, [15] = 1 } };
	int fd = socket(AF_INET6, SOCK_DGRAM, 0), on = 1;

	if (fd < 0 || setsockopt(fd, IPPROTO_IPV6, IPV6_FREEBIND, &on,
				 sizeof(on)) != 0 ||
	    bind(fd, (void *)&six, sizeof(six)) != 0)
		die("socket");
	return fd;
}

static int connected(const char *addr, const char *port)
{
	struct sockaddr_in6 to = { .sin6_family = AF_INET6,
				   .sin6_port =
					   htons((uint16_t)number(port)) };
	int fd = bound(AF_INET6, 0);

	if (inet_pton(AF_INET6, addr, &to.sin6_addr) != 1 ||
	    connect(fd, (void *)&to, sizeof(to)) != 0)
		die(addr);
	return fd;
}

static void say_ready(void)
{
	puts("ready");
	fflush(stdout);
}

/* ---- counting ---- */

static unsigned datagrams(const struct msghdr *msg, unsigned len)
{
	int size;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c != NULL;
	     c = CMSG_NXTHDR((struct msghdr *)(uintptr_t)msg, c))
		if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO) {
			memcpy(&size, CMSG_DATA(c), sizeof(size));
			return (len + (unsigned)size - 1) / (unsigned)size;
		}
	return 1;
}

static unsigned receive(int fd)
{
	static char control[BATCH][CMSG_SPACE(sizeof(int))];
	struct mmsghdr msg[BATCH] = { 0 };
	struct iovec iov[BATCH];
	unsigned sum = 0;
	int n;

	for (unsigned i = 0; i < BATCH; i++) {
		iov[i] = (struct iovec){ room[i], SLOT };
		msg[i].msg_hdr.msg_iov = &iov[i];
		msg[i].msg_hdr.msg_iovlen = 1;
		msg[i].msg_hdr.msg_control = control[i];
		msg[i].msg_hdr.msg_controllen = sizeof(control[i]);
	}
	n = recvmmsg(fd, msg, BATCH, MSG_DONTWAIT, NULL);
	for (int i = 0; i < n; i++)
		sum += datagrams(&msg[i].msg_hdr, msg[i].msg_len);
	return sum;
}

static int sink(unsigned port, bool gro)
{
	struct pollfd p[2] = { { .fd = bound(AF_INET6, port),
				 .events = POLLIN },
			       { .fd = STDIN_FILENO, .events = POLLIN } };
	unsigned long long sum = 0;
	int on = 1;

	if (gro && setsockopt(p[0].fd, IPPROTO_UDP, UDP_GRO, &on, sizeof(on)))
		die("UDP_GRO");
	say_ready();
	for (;;) {
		if (poll(p, 2, -1) < 0)
			die("poll");
		if (p[0].revents != 0)
			sum += receive(p[0].fd);
		else if (p[1].revents != 0)
			break;
	}
	printf("%llu\n", sum);
	return 0;
}

/* ---- sending ---- */

struct source {
	int fd;
	struct mmsghdr msg[BATCH];
	struct iovec iov[BATCH];
	struct sockaddr_in6 to[BATCH];
	double seconds;
	unsigned pps, gso;
};

/* Calls next() before each batch, and keeps to the rate. */
static int send_all(struct source *s, void (*next)(struct source *, void *),
		    void *ctx)
{
	double start = seconds_now(), now = start;
	unsigned long long sent = 0;

	for (; now < start + s->seconds; now = seconds_now()) {
		int n;

		if (s->pps > 0 && (double)sent > (now - start) * s->pps) {
			usleep(200);
			continue;
		}
		if (next != NULL)
			next(s, ctx);
		n = sendmmsg(s->fd, s->msg, s->gso > 1 ? 1 : BATCH, 0);
		if (n < 0 && errno != ENOBUFS && errno != EAGAIN &&
		    errno != ECONNREFUSED)
			die("sendmmsg");
		if (n > 0)
			sent += (unsigned)n * s->gso;
	}
	printf("%llu %.3f\n", sent, now - start);
	return 0;
}

static int flood(char **argv)
{
	static struct source s;
	unsigned size = number(argv[2]);
	int segment = (int)size;

	s.fd = connected(argv[0], argv[1]);
	s.seconds = strtod(argv[3], NULL);
	s.pps = number(argv[4]);
	s.gso = number(argv[5]);
	if (size * s.gso > SLOT || s.gso == 0)
		die("too large");
	if (s.gso > 1 && setsockopt(s.fd, IPPROTO_UDP, UDP_SEGMENT, &segment,
				    sizeof(segment)) != 0)
		die("UDP_SEGMENT");
	for (unsigned i = 0; i < BATCH; i++) {
		s.iov[i] = (struct iovec){ room[0], (size_t)size * s.gso };
		s.msg[i].msg_hdr = (struct msghdr){ .msg_iov = &s.iov[i],
						    .msg_iovlen = 1 };
	}
	return send_all(&s, NULL, NULL);
}

/* ---- peers ---- */

static void put(uint8_t *at, const void *what, size_t len)
{
	memcpy(at, what, len);
}

/* RFC 4380 4: prefix, server, flags, mapped port and address inverted */
static struct in6_addr peer_address(unsigned i, unsigned port)
{
	uint32_t server = htonl(SERVER_IP + i % HOSTS);
	uint32_t ip = htonl(~(PEERS_IP + i % HOSTS));
	uint16_t mapped = htons((uint16_t)~(port + i / HOSTS));
	struct in6_addr a = { .s6_addr = { 0x20, 0x01 } };

	put(a.s6_addr + 4, &server, 4);
	put(a.s6_addr + 10, &mapped, 2);
	put(a.s6_addr + 12, &ip, 4);
	return a;
}

struct turns {
	unsigned count, port, at;
};

static void next_peers(struct source *s, void *ctx)
{
	struct turns *t = ctx;

	for (unsigned i = 0; i < BATCH; i++, t->at = (t->at + 1) % t->count)
		s->to[i] = (struct sockaddr_in6){
			.sin6_family = AF_INET6, .sin6_port = htons(9),
			.sin6_addr = peer_address(t->at, t->port) };
}

static int spread(char **argv)
{
	static struct source s;
	struct turns t = { .count = number(argv[0]),
			   .port = number(argv[1]) };

	s.fd = bound(AF_INET6, 0);
	s.seconds = strtod(argv[2], NULL);
	s.pps = number(argv[3]);
	s.gso = 1;
	for (unsigned i = 0; i < BATCH; i++) {
		s.iov[i] = (struct iovec){ room[0], 64 };
		s.msg[i].msg_hdr = (struct msghdr){
			.msg_name = &s.to[i], .msg_namelen = sizeof(s.to[i]),
			.msg_iov = &s.iov[i], .msg_iovlen = 1 };
	}
	return send_all(&s, next_peers, &t);
}

/* At no more than the rate, also when we were late. */
static int meet(char **argv)
{
	unsigned end = number(argv[1]), port = number(argv[2]);
	double period = 1 / strtod(argv[3], NULL), due = seconds_now();
	int fd[NETWORKS];

	for (unsigned i = 0; i < NETWORKS; i++)
		fd[i] = bound_to(i);
	for (unsigned i = number(argv[0]); i < end; i++) {
		struct sockaddr_in6 to = { .sin6_family = AF_INET6,
					   .sin6_port = htons(9),
					   .sin6_addr = peer_address(i, port) };
		double now;

		while ((now = seconds_now()) < due)
			usleep(200);
		due = (now - due > 0.1 ? now : due) + period;
		if (sendto(fd[i % NETWORKS], room[0], 64, 0, (void *)&to,
			   sizeof(to)) != 64)
			die("sendto");
	}
	return 0;
}

/* A bubble the other way, from the endpoint that its source names. */
static void answer(int fd, uint8_t *ip6, const struct sockaddr_in *from)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(struct in_pktinfo))];
	} control = { .space = { 0 } };
	struct iovec iov = { ip6, BUBBLE };
	struct msghdr msg = { .msg_name = (void *)(uintptr_t)from,
			      .msg_namelen = sizeof(*from), .msg_iov = &iov,
			      .msg_iovlen = 1, .msg_control = &control,
			      .msg_controllen = sizeof(control.space) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	struct in_pktinfo info = { 0 };
	uint8_t old[16];

	memcpy(old, ip6 + 8, 16);
	memcpy(ip6 + 8, ip6 + 24, 16);
	memcpy(ip6 + 24, old, 16);
	memcpy(&info.ipi_spec_dst, ip6 + 20, 4);
	info.ipi_spec_dst.s_addr = ~info.ipi_spec_dst.s_addr;
	c->cmsg_level = IPPROTO_IP;
	c->cmsg_type = IP_PKTINFO;
	c->cmsg_len = CMSG_LEN(sizeof(info));
	memcpy(CMSG_DATA(c), &info, sizeof(info));
	if (sendmsg(fd, &msg, 0) < 0 && errno != ENOBUFS)
		die("answer");
}

/* Which peer a bubble is for. */
static unsigned peer_number(const uint8_t *ip6, unsigned port)
{
	uint32_t ip;
	uint16_t mapped;

	memcpy(&mapped, ip6 + 34, sizeof(mapped));
	memcpy(&ip, ip6 + 36, sizeof(ip));
	port = (uint16_t)~ntohs(mapped) - port;
	return port % PORTS * HOSTS + (~ntohl(ip) - PEERS_IP) % HOSTS;
}

static int peers(unsigned port)
{
	static bool answered[PORTS * HOSTS];
	struct pollfd p[PORTS + 1] = { [PORTS] = { .fd = STDIN_FILENO,
						   .events = POLLIN } };
	unsigned sum = 0;

	for (unsigned i = 0; i < PORTS; i++)
		p[i] = (struct pollfd){ .fd = bound(AF_INET, port + i),
					.events = POLLIN };
	say_ready();
	while (poll(p, PORTS + 1, -1) >= 0 && p[PORTS].revents == 0)
		for (unsigned i = 0; i < PORTS; i++) {
			struct sockaddr_in from;
			socklen_t size = sizeof(from);
			ssize_t n = p[i].revents == 0 ? 0 :
				recvfrom(p[i].fd, room[0], SLOT, 0,
					 (void *)&from, &size);
			unsigned who;

			if (n != BUBBLE || room[0][6] != 59)
				continue;
			who = peer_number(room[0], port);
			answered[who] = true;
			answer(p[who / HOSTS].fd, room[0], &from);
		}
	for (unsigned i = 0; i < PORTS * HOSTS; i++)
		sum += answered[i];
	printf("%u\n", sum);
	return 0;
}

/* ---- latency ---- */

_Noreturn static void echo(unsigned port)
{
	int fd = bound(AF_INET6, port);

	say_ready();
	for (;;) {
		struct sockaddr_in6 from;
		socklen_t size = sizeof(from);
		ssize_t n = recvfrom(fd, room[0], SLOT, 0, (void *)&from,
				     &size);

		if (n >= 0)
			sendto(fd, room[0], (size_t)n, 0, (void *)&from, size);
	}
}

static int by_size(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static int ping(char **argv)
{
	unsigned rounds = number(argv[2]), lost = 0;
	struct timeval limit = { .tv_usec = 200000 };
	double *took = calloc(rounds + 1, sizeof(*took));
	int fd = connected(argv[0], argv[1]);

	if (took == NULL || rounds == 0)
		die("rounds");
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	for (unsigned i = 0; i < rounds && lost < 50;) {
		double start = seconds_now();

		memcpy(room[0], &start, sizeof(start));
		if (send(fd, room[0], 64, 0) != 64 ||
		    recv(fd, room[0], SLOT, 0) != 64 ||
		    memcmp(room[0], &start, sizeof(start)) != 0) {
			lost++;
			usleep(100000); /* refused at once: not up yet */
		} else {
			took[i++] = (seconds_now() - start) * 1e6;
		}
	}
	if (lost == 50)
		return 1;
	qsort(took, rounds, sizeof(*took), by_size);
	printf("%.1f %.1f %u\n", took[rounds / 2], took[rounds * 99 / 100],
	       lost);
	free(took);
	return 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (strcmp(what, "sink") == 0 && argc >= 3)
		return sink(number(argv[2]), argc > 3);
	if (strcmp(what, "flood") == 0 && argc == 8)
		return flood(argv + 2);
	if (strcmp(what, "echo") == 0 && argc == 3)
		echo(number(argv[2]));
	if (strcmp(what, "ping") == 0 && argc == 5)
		return ping(argv + 2);
	if (strcmp(what, "peers") == 0 && argc == 3)
		return peers(number(argv[2]));
	if (strcmp(what, "spread") == 0 && argc == 6)
		return spread(argv + 2);
	if (strcmp(what, "meet") == 0 && argc == 6)
		return meet(argv + 2);
	fputs("traffic: see the head of traffic.c\n", stderr);
	return 2;
}
