/*
 * trace.c - the recorder and its pretty-printer
 *
 * A line reads: time, who, what, outer endpoints, then the packet in words:
 *
 *    12.003410 alice    > 192.168.1.2:40000 198.51.100.1:3544 nonce RS
 *
 * The hash is FNV-1a over everything recorded, the whole packets included.
 */
#include "config.h"

#include "trace.h"

#include <arpa/inet.h>
#include <string.h>

#include "../../libteredo/addr.h"
#include "../../libteredo/icmp6.h"
#include "../../libteredo/wire.h"

static const char *const marks[] = {
	[TRACE_NOTE] = "*",	 [TRACE_SENT4] = ">",	[TRACE_GOT4] = "<",
	[TRACE_LOST4] = "x",	 [TRACE_GOT6] = "<6",	[TRACE_LOST6] = "x6",
	[TRACE_FROM_TUN] = ">t", [TRACE_TO_TUN] = "<t",
};

void trace_init(struct trace *t, bool print)
{
	memset(t, 0, sizeof(*t));
	t->print = print;
	t->hash = 0xcbf29ce484222325u;
}

static void hash(struct trace *t, const void *data, size_t len)
{
	const uint8_t *p = data;

	while (len--)
		t->hash = (t->hash ^ *p++) * 0x100000001b3u;
}

const char *trace_ep(char out[TRACE_ADDR_LEN], struct teredo_ep ep)
{
	char ip[INET_ADDRSTRLEN];

	inet_ntop(AF_INET, &ep.ip, ip, sizeof(ip));
	snprintf(out, TRACE_ADDR_LEN, "%s:%u", ip, ntohs(ep.port));
	return out;
}

const char *trace_addr(char out[TRACE_ADDR_LEN], const struct teredo_addr *a)
{
	char ep[TRACE_ADDR_LEN];

	if (addr_in_prefix(a, addr_default_prefix()))
		snprintf(out, TRACE_ADDR_LEN, "T[%.30s %04x]",
			 trace_ep(ep, addr_mapping(a)), addr_flags(a));
	else
		inet_ntop(AF_INET6, a->b, out, TRACE_ADDR_LEN);
	return out;
}

static const char *icmp_name(uint8_t type)
{
	switch (type) {
	case ICMP6_UNREACHABLE:
		return "unreachable";
	case ICMP6_ECHO_REQUEST:
		return "echo";
	case ICMP6_ECHO_REPLY:
		return "reply";
	case ICMP6_RS:
		return "RS";
	case ICMP6_RA:
		return "RA";
	default:
		return "icmp6";
	}
}

/* The packet in words; a long one only by its length. */
static void describe(const struct trace_record *r, char *out, size_t room)
{
	char src[TRACE_ADDR_LEN], dst[TRACE_ADDR_LEN], from[TRACE_ADDR_LEN];
	struct wire_packet p;
	const char *what;

	if (r->len > TRACE_HEAD || wire_parse(&p, r->head, r->len) != WIRE_OK) {
		snprintf(out, room, "%zu octets", r->len);
		return;
	}
	if (wire_is_bubble(&p))
		what = "bubble";
	else if (p.next_header == ICMP6_NEXT_HEADER && p.ip6_len > 40)
		what = icmp_name(p.ip6[40]);
	else
		what = "data";
	snprintf(out, room, "%s%s%s%s%s %s > %s",
		 p.auth.present ? "nonce " : "", p.has_origin ? "origin " : "",
		 p.has_origin ? trace_ep(from, p.origin) : "",
		 p.has_origin ? " " : "", what, trace_addr(src, &p.src),
		 trace_addr(dst, &p.dst));
}

static void print(const struct trace_record *r, FILE *to)
{
	char src[TRACE_ADDR_LEN], dst[TRACE_ADDR_LEN], what[256] = "";
	bool outer = r->kind == TRACE_SENT4 || r->kind == TRACE_GOT4 ||
		     r->kind == TRACE_LOST4;

	if (r->len)
		describe(r, what, sizeof(what));
	fprintf(to, "# %12.6f %-10s %-2s %s%s%s%s%s%s%s\n", (double)r->at / 1e9,
		r->who, marks[r->kind], outer ? trace_ep(src, r->src) : "",
		outer ? " " : "", outer ? trace_ep(dst, r->dst) : "",
		outer ? " " : "", what, what[0] ? " " : "", r->words);
}

static struct trace_record *next_record(struct trace *t, teredo_time at,
					const char *who, enum trace_kind kind,
					const char *words)
{
	struct trace_record *r = &t->ring[t->n++ % TRACE_RING];

	memset(r, 0, sizeof(*r));
	r->at = at;
	r->kind = kind;
	r->who = who;
	if (words)
		snprintf(r->words, sizeof(r->words), "%s", words);
	hash(t, &at, sizeof(at));
	hash(t, &kind, sizeof(kind));
	hash(t, who, strlen(who));
	hash(t, r->words, strlen(r->words));
	return r;
}

void trace_packet(struct trace *t, teredo_time at, const char *who,
		  enum trace_kind kind, struct teredo_ep src,
		  struct teredo_ep dst, const void *data, size_t len,
		  const char *words)
{
	struct trace_record *r;

	if (t->off)
		return;
	r = next_record(t, at, who, kind, words);
	r->src = src;
	r->dst = dst;
	r->len = len;
	memcpy(r->head, data, len < TRACE_HEAD ? len : TRACE_HEAD);
	hash(t, &src.ip, sizeof(src.ip));
	hash(t, &src.port, sizeof(src.port));
	hash(t, &dst.ip, sizeof(dst.ip));
	hash(t, &dst.port, sizeof(dst.port));
	hash(t, data, len);
	if (t->print)
		print(r, stdout);
}

void trace_note(struct trace *t, teredo_time at, const char *who,
		const char *words)
{
	struct trace_record *r;

	if (t->off)
		return;
	r = next_record(t, at, who, TRACE_NOTE, words);
	if (t->print)
		print(r, stdout);
}

void trace_dump(const struct trace *t, FILE *to)
{
	uint64_t i = t->n > TRACE_RING ? t->n - TRACE_RING : 0;

	for (; i < t->n; i++)
		print(&t->ring[i % TRACE_RING], to);
}
