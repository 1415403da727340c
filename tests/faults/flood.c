/*
 * flood.c - a fast source of packets that are all a little different
 *
 * Sends frames by AF_PACKET and sendmmsg(), so that sources can be forged.
 * A frame is one of the given templates, chosen at random, after the given
 * operations were applied to it in order. Offsets count from the first octet
 * after the Ethernet header. Enough for every flood of the fault cases:
 *
 *   r:OFF:LEN		random octets
 *   b:OFF:MASK		random bits of one octet, where the mask has ones
 *   c:FROM:TO:LEN	a copy of octets, after what was done before
 *   x:FROM:TO:LEN	the same, inverted: how Teredo writes mappings
 *   n:OFF		the packet's number, 32 bits, network order
 *   m:OFF		mutation of what follows OFF: flipped bits, wild octets,
 *			a cut tail, a longer one, a repeated piece
 *
 * IPv4 lengths, the UDP length and the header checksum are put right
 * afterwards; the UDP checksum is left as it is: 0 in a template is none. Of
 * IPv6 only the payload length is put right. One line of JSON at the end.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define ETHER	14u
#define FRAME	2048u
#define BATCH	64u
#define MAX_TEMPLATES 64u
#define MAX_OPS	32u

struct template {
	uint8_t b[FRAME];
	unsigned len;
};

struct op {
	char kind;
	unsigned a[3];
};

struct flood {
	struct template templates[MAX_TEMPLATES];
	struct op ops[MAX_OPS];
	unsigned n_templates, n_ops;
	uint8_t ether[ETHER];
	uint64_t dice;
	uint64_t number, limit, errors;
	double rate, seconds;
	const char *dev;
};

static volatile sig_atomic_t stopped;

static void on_signal(int sig)
{
	(void)sig;
	stopped = 1;
}

static void die(const char *what)
{
	fprintf(stderr, "flood: %s: %s\n", what, strerror(errno));
	exit(2);
}

static void usage(const char *what)
{
	fprintf(stderr, "flood: %s\nusage: flood -i DEV -m GATEWAY-MAC -t HEX "
		"... [-o OPERATION ...] [-r RATE] [-n COUNT] [-s SECONDS] "
		"[-S SEED]\n", what);
	exit(2);
}

/* splitmix64: repeatable, and good enough for nonsense */
static uint64_t dice(struct flood *f)
{
	uint64_t z = f->dice += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static unsigned below(struct flood *f, unsigned n)
{
	return n == 0 ? 0 : (unsigned)(dice(f) % n);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void mutate_once(struct flood *f, struct template *t, unsigned off)
{
	unsigned len = t->len - off, at = off + below(f, len), n;

	switch (below(f, 6)) {
	case 0:
		t->b[at] ^= (uint8_t)(1u << below(f, 8));
		break;
	case 1:
		t->b[at] = (uint8_t)dice(f);
		break;
	case 2:
		t->b[at] = below(f, 2) ? 0xff : 0;
		break;
	case 3:
		t->len = at;
		break;
	case 4:
		for (n = below(f, 64); n > 0 && t->len < 1400; n--)
			t->b[t->len++] = (uint8_t)dice(f);
		break;
	default:
		n = below(f, t->len - at);
		if (t->len + n > 1400)
			break;
		memmove(t->b + at + n, t->b + at, t->len - at);
		t->len += n;
	}
}

static void apply(struct flood *f, const struct op *op, struct template *t)
{
	uint32_t number = htonl((uint32_t)f->number);
	unsigned n;

	switch (op->kind) {
	case 'r':
		for (n = 0; n < op->a[1]; n++)
			t->b[op->a[0] + n] = (uint8_t)dice(f);
		break;
	case 'b':
		t->b[op->a[0]] = (uint8_t)((t->b[op->a[0]] & ~op->a[1]) |
					   (dice(f) & op->a[1]));
		break;
	case 'n':
		memcpy(t->b + op->a[0], &number, 4);
		break;
	case 'm':
		for (n = 1 + below(f, 4); n > 0 && t->len > op->a[0]; n--)
			mutate_once(f, t, op->a[0]);
		break;
	default:	/* c, x */
		for (n = 0; n < op->a[2]; n++)
			t->b[op->a[1] + n] = op->kind == 'x'
				? (uint8_t)~t->b[op->a[0] + n]
				: t->b[op->a[0] + n];
	}
}

static void finish(struct template *t)
{
	uint32_t sum = 0;

	if (t->b[0] >> 4 == 6) {
		put16(t->b + 4, t->len - 40);
		return;
	}
	put16(t->b + 2, t->len);
	put16(t->b + 24, t->len - 20);
	put16(t->b + 10, 0);
	for (unsigned i = 0; i < 20; i += 2)
		sum += (unsigned)t->b[i] << 8 | t->b[i + 1];
	while (sum >> 16 != 0)
		sum = (sum & 0xffff) + (sum >> 16);
	put16(t->b + 10, ~sum & 0xffff);
}

static unsigned make(struct flood *f, uint8_t *frame)
{
	struct template t = f->templates[below(f, f->n_templates)];

	for (unsigned i = 0; i < f->n_ops; i++)
		apply(f, &f->ops[i], &t);
	finish(&t);
	f->number++;
	memcpy(frame, f->ether, ETHER);
	put16(frame + 12, t.b[0] >> 4 == 6 ? ETH_P_IPV6 : ETH_P_IP);
	memcpy(frame + ETHER, t.b, t.len);
	return ETHER + t.len;
}

static void send_batch(struct flood *f, int fd, unsigned n)
{
	static uint8_t frames[BATCH][ETHER + FRAME];
	struct mmsghdr m[BATCH];
	struct iovec iov[BATCH];
	unsigned done = 0;

	memset(m, 0, sizeof(m));
	for (unsigned i = 0; i < n; i++) {
		iov[i].iov_base = frames[i];
		iov[i].iov_len = make(f, frames[i]);
		m[i].msg_hdr.msg_iov = &iov[i];
		m[i].msg_hdr.msg_iovlen = 1;
	}
	while (done < n) {
		int sent = sendmmsg(fd, m + done, n - done, 0);

		if (sent < 0 && errno != ENOBUFS && errno != EAGAIN &&
		    errno != EINTR)
			die("sendmmsg");
		if (sent < 0)
			f->errors++;
		done += sent > 0 ? (unsigned)sent : 1;
	}
}

/* So many per second as asked for, in batches; late ones are made up for. */
static void run(struct flood *f, int fd)
{
	double start = now(), t = start;

	while (!stopped && f->number < f->limit && t - start < f->seconds) {
		double due = f->rate > 0 ? (t - start) * f->rate + 1
					 : (double)f->number + BATCH;
		uint64_t n = due > (double)f->number
			? (uint64_t)(due - (double)f->number) : 0;

		if (n > f->limit - f->number)
			n = f->limit - f->number;
		if (n > BATCH)
			n = BATCH;
		if (n > 0)
			send_batch(f, fd, (unsigned)n);
		else
			usleep(f->rate > 20000 ? 50 : 500);
		t = now();
	}
	printf("{\"sent\": %llu, \"seconds\": %.3f, \"rate\": %.0f, "
	       "\"errors\": %llu}\n", (unsigned long long)f->number, t - start,
	       (double)f->number / (t > start ? t - start : 1e-9),
	       (unsigned long long)f->errors);
}

static void add_template(struct flood *f, const char *hex)
{
	struct template *t = &f->templates[f->n_templates++];
	unsigned octet;

	if (f->n_templates > MAX_TEMPLATES || strlen(hex) / 2 > FRAME / 2)
		usage("too many or too long templates");
	for (; sscanf(hex, "%2x", &octet) == 1; hex += 2)
		t->b[t->len++] = (uint8_t)octet;
	if (t->len < 40)
		usage("a template is too short");
}

static void add_op(struct flood *f, const char *text)
{
	struct op *op = &f->ops[f->n_ops++];
	int n = sscanf(text, "%c:%i:%i:%i", &op->kind, (int *)&op->a[0],
		       (int *)&op->a[1], (int *)&op->a[2]);
	static const char kinds[] = "nmrbcx";
	static const int fields[] = { 2, 2, 3, 3, 4, 4 };
	const char *kind = n > 0 ? strchr(kinds, op->kind) : NULL;

	if (f->n_ops > MAX_OPS || kind == NULL || n != fields[kind - kinds])
		usage(text);
}

static void options(struct flood *f, int argc, char **argv)
{
	unsigned mac[6];
	int c;

	while ((c = getopt(argc, argv, "i:m:t:o:r:n:s:S:")) != -1) {
		switch (c) {
		case 'i': f->dev = optarg; break;
		case 'm':
			if (sscanf(optarg, "%x:%x:%x:%x:%x:%x", &mac[0],
				   &mac[1], &mac[2], &mac[3], &mac[4],
				   &mac[5]) != 6)
				usage("not a MAC address");
			for (unsigned i = 0; i < 6; i++)
				f->ether[i] = (uint8_t)mac[i];
			break;
		case 't': add_template(f, optarg); break;
		case 'o': add_op(f, optarg); break;
		case 'r': f->rate = atof(optarg); break;
		case 'n': f->limit = strtoull(optarg, NULL, 0); break;
		case 's': f->seconds = atof(optarg); break;
		case 'S': f->dice = strtoull(optarg, NULL, 0); break;
		default: usage("wrong option");
		}
	}
	if (f->dev == NULL || f->n_templates == 0 || optind != argc)
		usage("-i and -t are needed");
}

int main(int argc, char **argv)
{
	static struct flood f = { .limit = UINT64_MAX, .seconds = 1e9 };
	struct sockaddr_ll to = { .sll_family = AF_PACKET };
	int fd, one = 1;

	options(&f, argc, argv);
	signal(SIGTERM, on_signal);
	signal(SIGINT, on_signal);
	fd = socket(AF_PACKET, SOCK_RAW, 0);
	to.sll_ifindex = (int)if_nametoindex(f.dev);
	if (fd < 0 || to.sll_ifindex == 0 ||
	    bind(fd, (struct sockaddr *)&to, sizeof(to)) != 0)
		die(f.dev);
	if (setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &one,
		       sizeof(one)) != 0)
		die("PACKET_QDISC_BYPASS");
	run(&f, fd);
	return 0;
}
