/*
 * miredoctl_capture.c - inner and outer packets, and what became of them
 *
 * The engine gives each packet once, as the core saw it, with the verdict
 * (ctl_records.h). Where a packet crosses, both halves go into the file: the
 * datagram on the interface "outer" and the packet in it on the tunnel's. A
 * comment says what became of it, or why it was dropped. The file is opened
 * with the engine's first answer: who may not capture overwrites nothing.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "../libteredo/teredo.h"
#include "ctl_records.h"
#include "miredoctl.h"
#include "miredoctl_pcapng.h"

#define COMMENT_LEN 120

struct film {
	const char *file;
	FILE *out;
	uint64_t offset;	/* of the wall's clock to the engine's */
	uint64_t wanted;	/* how many are left */
	uint64_t taken, lost;
};

static volatile sig_atomic_t interrupted;

static void interrupt(int signo)
{
	(void)signo;
	interrupted = 1;
}

/* ---- one record ---- */

static void describe(char text[COMMENT_LEN], const struct ctl_packet *p)
{
	static const char *const fate[] = {
		[TEREDO_DROP] = "dropped",
		[TEREDO_TO_TUN] = "to the host",
		[TEREDO_TO_UDP] = "sent",
		[TEREDO_TO_NATIVE6] = "to native IPv6",
		[TEREDO_TAKEN] = "taken: answered, or held for a path",
	};
	const char *what = p->fate < sizeof(fate) / sizeof(fate[0])
				   ? fate[p->fate] : "unknown";
	size_t n;

	snprintf(text, COMMENT_LEN, "%s%s",
		 p->from >= CTL_OWN_UDP ? "own or released: " : "", what);
	n = strlen(text);
	if (p->fate == TEREDO_DROP && p->reason < TEREDO_N_DROPS)
		snprintf(text + n, COMMENT_LEN - n, ": %s",
			 teredo_counter_name((enum teredo_counter)p->reason));
	else if (p->segments > 1)
		snprintf(text + n, COMMENT_LEN - n,
			 "; first of %u segments of a super-packet",
			 p->segments);
}

static void put_outer(struct film *f, struct pcapng_packet q,
		      const struct ctl_packet *p)
{
	q.interface = PCAPNG_OUTER;
	q.src_ip = p->src_ip;
	q.src_port = p->src_port;
	q.dst_ip = p->dst_ip;
	q.dst_port = p->dst_port;
	if (!q.inbound) {
		q.dst_ip = p->to_ip;
		q.dst_port = p->to_port;
	}
	/* what a server sends on leaves by what it came by */
	if (!q.inbound && p->from == CTL_FROM_UDP) {
		q.src_ip = p->dst_ip;
		q.src_port = p->dst_port;
	}
	pcapng_put(f->out, &q);
}

static void put_inner(struct film *f, struct pcapng_packet q)
{
	q.interface = PCAPNG_INNER;
	pcapng_put(f->out, &q);
}

/* The part that goes on. */
static struct pcapng_packet part(struct pcapng_packet q,
				 const struct ctl_packet *p)
{
	uint32_t off = p->off < q.captured ? p->off : q.captured;

	q.data += off;
	q.captured -= off;
	if (q.captured > p->len)
		q.captured = p->len;
	q.length = p->len;
	return q;
}

static void put(struct film *f, const struct ctl_packet *p,
		const uint8_t *data)
{
	char comment[COMMENT_LEN];
	struct pcapng_packet q = {
		.time = p->time + f->offset,
		.captured = p->captured,
		.length = p->length,
		.data = data,
		.comment = comment,
	}, on = part(q, p);

	describe(comment, p);
	if (p->from == CTL_FROM_UDP) {
		q.inbound = true;
		put_outer(f, q, p);
	} else if (p->from == CTL_FROM_TUN) {
		put_inner(f, q);
	}
	on.inbound = p->fate == TEREDO_TO_TUN;
	if (p->fate == TEREDO_TO_UDP)
		put_outer(f, on, p);
	else if (p->fate == TEREDO_TO_TUN || p->fate == TEREDO_TO_NATIVE6)
		put_inner(f, on);
}

/* ---- the stream ---- */

/* false: what came is no message of records. */
static bool put_all(struct film *f, const struct ctl_packets *m, size_t len)
{
	size_t at = offsetof(struct ctl_packets, record);
	struct ctl_packet p;

	f->lost += m->lost;
	for (uint32_t i = 0; i < m->n && f->wanted > 0; i++) {
		if (len - at < sizeof(p))
			return false;
		memcpy(&p, (const uint8_t *)m + at, sizeof(p));
		at += sizeof(p);
		if (p.captured > CTL_SNAPLEN || p.captured > len - at ||
		    p.length < p.captured || p.len > UINT16_MAX ||
		    p.length > UINT16_MAX)
			return false;
		put(f, &p, (const uint8_t *)m + at);
		at += (p.captured + 7) & ~(size_t)7;
		if (at > len)
			return false;
		f->taken++;
		f->wanted--;
	}
	return true;
}

static int fail(const struct film *f)
{
	fprintf(stderr, "miredoctl: %s: %s\n", f->file, strerror(errno));
	return CTL_EXIT_FAILED;
}

static int film(struct film *f, int fd, const char *instance)
{
	static struct ctl_packets m;
	size_t len, head = offsetof(struct ctl_packets, record);
	static const struct timeval for_ever;
	int code = miredoctl_answer(fd, &m, sizeof(m), head, &len, false);

	if (code != 0)
		return code;
	f->out = strcmp(f->file, "-") == 0 ? stdout : fopen(f->file, "wb");
	if (f->out == NULL)
		return fail(f);
	pcapng_begin(f->out, instance);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &for_ever, sizeof(for_ever));
	fprintf(stderr, "capturing; Ctrl-C ends it\n");
	while (code == 0 && interrupted == 0) {
		if (!put_all(f, &m, len))
			return CTL_EXIT_FAILED;
		if (fflush(f->out) != 0 || ferror(f->out))
			return fail(f);
		if (f->wanted == 0)
			break;
		code = miredoctl_answer(fd, &m, sizeof(m), head, &len, true);
	}
	if (code != 0 && interrupted == 0)
		fprintf(stderr, "miredoctl: the engine has ended the "
				"capture\n");
	return interrupted != 0 ? 0 : code;
}

static uint64_t clock_ns(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static void say_hint(const struct ctl_status *st, const struct film *f)
{
	unsigned port = ntohs(st->local_port);

	fprintf(stderr, "%llu packets, %llu lost: ",
		(unsigned long long)f->taken, (unsigned long long)f->lost);
	if (port == TEREDO_PORT)
		fprintf(stderr, "wireshark %s\n", f->file);
	else
		fprintf(stderr, "wireshark -d udp.port==%u,teredo %s\n", port,
			f->file);
}

static uint64_t count_of(const struct miredoctl_args *args)
{
	const char *text = args->value[OPT_COUNT];
	unsigned long n;
	char *end;

	if (text == NULL)
		return UINT64_MAX;
	errno = 0;
	n = strtoul(text, &end, 10);
	if (*text < '0' || *text > '9' || *end != '\0' || errno != 0 ||
	    n == 0 || n > UINT32_MAX)
		miredoctl_usage("--count wants 1 to %u", UINT32_MAX);
	return n;
}

static int capture(const struct miredoctl_args *args, struct film *f)
{
	const struct sigaction action = {.sa_handler = interrupt};
	struct ctl_status st;
	int fd, code = miredoctl_get_status(args, &st, false);

	if (code == 0)
		code = miredoctl_connect(args, &fd, false);
	if (code != 0)
		return code;
	code = miredoctl_request(fd, CTL_CAPTURE,
				 f->wanted > UINT32_MAX ? 0
							: (uint32_t)f->wanted,
				 NULL, false);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	if (code == 0)
		code = film(f, fd, st.instance);
	close(fd);
	if (f->out != NULL && fclose(f->out) != 0 && code == 0)
		code = fail(f);
	if (code == 0)
		say_hint(&st, f);
	return code;
}

int miredoctl_cmd_capture(const struct miredoctl_args *args)
{
	struct film f = {
		.file = args->value[OPT_OUTPUT],
		.offset = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_BOOTTIME),
		.wanted = count_of(args),
	};

	if (f.file == NULL)
		miredoctl_usage("\"capture\" wants --output FILE");
	umask(077);	/* packets are nobody else's business */
	return capture(args, &f);
}
