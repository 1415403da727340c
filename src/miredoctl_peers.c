/*
 * miredoctl_peers.c - who we talk to, and how
 *
 * The engine gives page after page (ctl_records.h); sorting and words are done
 * here. A table that changes meanwhile may show a peer twice or not at all,
 * but no engine ever waits for a reader.
 */
#include "config.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "miredoctl.h"
#include "miredoctl_peers.h"
#include "text.h"

#define ROW_MAX 110	/* columns; a narrower terminal gets two lines each */

struct list {
	struct ctl_peer *peer;
	size_t n, room;
};

const char *miredoctl_way(uint32_t way)
{
	static const char *const name[] = {
		[TEREDO_WAY_NONE] = "none",
		[TEREDO_WAY_PENDING] = "pending",
		[TEREDO_WAY_DIRECT] = "direct",
		[TEREDO_WAY_LOCAL] = "local",
		[TEREDO_WAY_RELAY] = "relay",
	};

	return way < sizeof(name) / sizeof(name[0]) ? name[way] : "unknown";
}

/* ---- asking ---- */

static bool add_page(struct list *l, const struct ctl_peers *page)
{
	struct ctl_peer *more;

	if (page->n == 0)
		return true;
	if (l->n + page->n > l->room) {
		l->room = 2 * l->room + CTL_PEERS_MAX;
		more = realloc(l->peer, l->room * sizeof(*more));
		if (more == NULL)
			return false;
		l->peer = more;
	}
	memcpy(l->peer + l->n, page->peer, page->n * sizeof(page->peer[0]));
	l->n += page->n;
	return true;
}

/* A page from `from` on. 0 or the exit code. */
static int ask_page(int fd, uint32_t from, struct ctl_peers *page, bool quiet)
{
	size_t len, head = offsetof(struct ctl_peers, peer);
	int code = miredoctl_request(fd, CTL_PEERS, from, NULL, quiet);

	if (code == 0)
		code = miredoctl_answer(fd, page, sizeof(*page), head, &len,
					quiet);
	if (code == 0 && (page->n > CTL_PEERS_MAX || page->next <= from ||
			  len != head + page->n * sizeof(page->peer[0])))
		code = CTL_EXIT_FAILED;
	return code;
}

static int ask_all(const struct miredoctl_args *args, struct list *l,
		   bool quiet)
{
	struct ctl_peers page = {.next = 0};
	int fd, code = miredoctl_connect(args, &fd, quiet);

	if (code != 0)
		return code;
	do {
		code = ask_page(fd, page.next, &page, quiet);
		if (code == 0 && !add_page(l, &page))
			code = CTL_EXIT_FAILED;
	} while (code == 0 && page.next != CTL_PEERS_END);
	close(fd);
	return code;
}

int miredoctl_each_peer(const struct miredoctl_args *args,
			void (*back)(void *ctx, const struct ctl_peer *peer),
			void *ctx)
{
	struct list l = {0};
	int code = ask_all(args, &l, true);

	for (size_t i = 0; code == 0 && i < l.n; i++)
		back(ctx, &l.peer[i]);
	free(l.peer);
	return code;
}

/* ---- sorting ---- */

static int by_age(const void *a, const void *b)
{
	const struct ctl_peer *p = a, *q = b;

	return (p->age > q->age) - (p->age < q->age);
}

static int by_rx(const void *a, const void *b)
{
	const struct ctl_peer *p = a, *q = b;

	return (p->rx.bytes < q->rx.bytes) - (p->rx.bytes > q->rx.bytes);
}

/* ---- saying ---- */

static void print_amounts(const struct ctl_peer *p, FILE *out)
{
	char age[TEXT_AMOUNT_LEN] = "-", rtt[24] = "-";
	char rx[TEXT_AMOUNT_LEN] = "-", tx[TEXT_AMOUNT_LEN] = "-";

	if (p->age != UINT64_MAX)
		text_duration(age, p->age);
	if (p->rtt != 0)
		snprintf(rtt, sizeof(rtt), "%.*f ms", p->rtt < 10000000 ? 1 : 0,
			 (double)p->rtt / 1e6);
	if (p->counted != 0) {
		text_bytes(rx, p->rx.bytes);
		text_bytes(tx, p->tx.bytes);
	}
	fprintf(out, " %-9s %-7s %-10s %s\n", age, rtt, rx, tx);
}

static void print_row(const struct ctl_peer *p, const char *between, FILE *out)
{
	char addr[TEXT_IP6_LEN], ep[32] = "-";

	if (p->way == TEREDO_WAY_PENDING)
		snprintf(ep, sizeof(ep), "-  (probe %" PRIu32 ")", p->probes);
	else if (p->ip != 0)
		text_ep(ep, p->ip, p->port);
	fprintf(out, "%-39s%s%-8s %-21s", text_ip6(addr, p->addr), between,
		miredoctl_way(p->way), ep);
	print_amounts(p, out);
}

static void print_text(const struct list *l, FILE *out)
{
	const char *between = miredoctl_columns() < ROW_MAX ? "\n  " : " ";

	fprintf(out, "%-39s%s%-8s %-21s %-9s %-7s %-10s %s\n", "PEER", between,
		"PATH", "ENDPOINT", "AGE", "RTT", "RX", "TX");
	for (size_t i = 0; i < l->n; i++)
		print_row(&l->peer[i], between, out);
	if (l->n == 0)
		fprintf(out, "no peers\n");
}

static json_t *traffic_json(const struct ctl_traffic *t, bool counted)
{
	if (!counted)
		return json_null();
	return json_pack("{s:I,s:I}", "packets", (json_int_t)t->packets,
			 "bytes", (json_int_t)t->bytes);
}

static json_t *scaled_json(uint64_t ns, uint64_t unknown, double unit)
{
	return ns == unknown ? json_null() : json_real((double)ns / unit);
}

struct json_t *miredoctl_peer_json(const struct ctl_peer *p)
{
	char addr[TEXT_IP6_LEN], ep[TEXT_EP_LEN];

	return json_pack("{s:s,s:s,s:s?,s:I,s:o,s:o,s:o,s:o}", "address",
			 text_ip6(addr, p->addr), "path",
			 miredoctl_way(p->way), "endpoint",
			 p->ip == 0 ? NULL : text_ep(ep, p->ip, p->port),
			 "probes", (json_int_t)p->probes, "age_s",
			 scaled_json(p->age, UINT64_MAX, 1e9), "rtt_ms",
			 scaled_json(p->rtt, 0, 1e6), "rx",
			 traffic_json(&p->rx, p->counted != 0), "tx",
			 traffic_json(&p->tx, p->counted != 0));
}

/* Row by row: a million of them are not worth the memory of a tree. */
static int print_json(const struct list *l, FILE *out)
{
	fputs("{\"schema\": \"miredo.peers/1\", \"peers\": [", out);
	for (size_t i = 0; i < l->n; i++) {
		json_t *row = miredoctl_peer_json(&l->peer[i]);
		int error;

		fputs(i > 0 ? ",\n " : "\n ", out);
		error = row == NULL ||
			json_dumpf(row, out, JSON_REAL_PRECISION(9)) != 0;
		json_decref(row);
		if (error != 0)
			return CTL_EXIT_FAILED;
	}
	fputs("]}\n", out);
	return CTL_EXIT_OK;
}

static int print(const struct miredoctl_args *args, FILE *out)
{
	const char *sort = args->value[OPT_SORT];
	struct list l = {0};
	int code = ask_all(args, &l, args->value[OPT_WATCH] != NULL);

	if (code == 0 && l.n > 1)
		qsort(l.peer, l.n, sizeof(l.peer[0]),
		      sort != NULL && strcmp(sort, "rx") == 0 ? by_rx
							      : by_age);
	if (code == 0 && args->value[OPT_JSON] != NULL)
		code = print_json(&l, out);
	else if (code == 0)
		print_text(&l, out);
	free(l.peer);
	return code;
}

int miredoctl_cmd_peers(const struct miredoctl_args *args)
{
	const char *sort = args->value[OPT_SORT];

	if (sort != NULL && strcmp(sort, "rx") != 0 &&
	    strcmp(sort, "age") != 0)
		miredoctl_usage("--sort wants rx or age");
	return miredoctl_show(args, print);
}
