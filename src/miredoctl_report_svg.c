/*
 * miredoctl_report_svg.c - the pictures of the report
 *
 * Colours are classes, which the page's style sheet gives for a light and for
 * a dark ground: nothing here depends on either. Lengths are those of a
 * viewBox 900 wide; the page scales it.
 */
#include "config.h"

#include <inttypes.h>
#include <string.h>

#include "../libteredo/client.h"
#include "miredoctl_peers.h"
#include "miredoctl_report.h"
#include "miredoctl_status.h"
#include "text.h"

#define WIDTH	900
#define BOX	70  /* high */
#define ROW	86  /* from box to box */
#define PEERS	6   /* that are drawn */
#define RIGHT	560 /* where the far boxes begin */

struct box {
	int x, y, w;
	const char *class; /* "us", "nat", "good", "relay", "bad" */
	const char *title, *line1, *line2;
};

static void text_at(FILE *out, int x, int y, const char *class,
		    const char *text)
{
	fprintf(out, "<text x=\"%d\" y=\"%d\" class=\"%s\">", x, y, class);
	report_escape(text, out);
	fputs("</text>\n", out);
}

static void draw_box(FILE *out, const struct box *b)
{
	fprintf(out,
		"<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"8\" "
		"class=\"box %s\"/>\n",
		b->x, b->y, b->w, BOX, b->class);
	text_at(out, b->x + 14, b->y + 23, "title", b->title);
	text_at(out, b->x + 14, b->y + 42, "small", b->line1);
	text_at(out, b->x + 14, b->y + 59, "small", b->line2);
}

/* From (x, y) to the left side of a box, with what it takes on it. */
static void draw_way(FILE *out, int x, int y, const struct box *to,
		     const char *class, uint64_t rtt)
{
	int y2 = to->y + BOX / 2;
	char text[32];

	fprintf(out,
		"<path d=\"M %d %d C %d %d %d %d %d %d\" class=\"way %s\"/>\n",
		x, y, (x + to->x) / 2, y, (x + to->x) / 2, y2, to->x, y2, class);
	if (rtt == 0)
		return;
	snprintf(text, sizeof(text), "%.1f ms", (double)rtt / 1e6);
	text_at(out, to->x - 66, y2 - 8, "rtt", text);
}

static const char *way_class(const struct ctl_peer *p)
{
	if (p->way == TEREDO_WAY_DIRECT || p->way == TEREDO_WAY_LOCAL)
		return "good";
	return p->way == TEREDO_WAY_RELAY ? "relay" : "pending";
}

static void draw_peer(FILE *out, const struct ctl_peer *p, int from_x,
		      int from_y, int row)
{
	char addr[TEXT_IP6_LEN], line[REPORT_TEXT], ep[TEXT_EP_LEN];
	char title[64];
	struct box b = {.x = RIGHT,
			.y = 20 + ROW * row,
			.w = WIDTH - RIGHT - 10,
			.class = way_class(p),
			.title = title,
			.line1 = text_ip6(addr, p->addr),
			.line2 = line};

	if (p->way == TEREDO_WAY_RELAY)
		snprintf(title, sizeof(title), "native host, by relay");
	else
		snprintf(title, sizeof(title), "peer, %s",
			 p->way == TEREDO_WAY_NONE ? "silent"
						   : miredoctl_way(p->way));
	snprintf(line, sizeof(line), "%s",
		 p->ip != 0 ? text_ep(ep, p->ip, p->port) : "no path yet");
	draw_way(out, from_x, from_y, &b, b.class, p->rtt);
	draw_box(out, &b);
}

static void draw_server(FILE *out, const struct ctl_status *st, int x, int y)
{
	bool good = st->failures == 0 && st->last_answer_age != UINT64_MAX;
	char ip[TEXT_IP4_LEN], title[REPORT_TEXT], line[REPORT_TEXT],
		age[TEXT_AMOUNT_LEN];
	struct box b = {.x = RIGHT,
			.y = 20,
			.w = WIDTH - RIGHT - 10,
			.class = good ? "good" : "bad",
			.title = title,
			.line1 = ip,
			.line2 = line};

	text_ip4(ip, st->server_ip);
	snprintf(title, sizeof(title), "server %.34s",
		 strcmp(ip, st->server_name) != 0 ? st->server_name : "");
	if (st->server_ip == 0)
		b.line1 = "no address known";
	if (st->last_answer_age == UINT64_MAX)
		snprintf(line, sizeof(line), "never answered");
	else
		snprintf(line, sizeof(line), "answered %s ago",
			 text_duration(age, st->last_answer_age));
	draw_way(out, x, y, &b, good ? "server" : "bad", st->rtt);
	draw_box(out, &b);
}

static void draw_nat(FILE *out, const struct ctl_status *st, int y)
{
	const char *type = miredoctl_nat(st), *class = miredoctl_nat_class(st);
	char title[64], ep[TEXT_EP_LEN];
	struct box b = {.x = 270,
			.y = y - BOX / 2,
			.w = 180,
			.class = "nat",
			.title = title,
			.line1 = st->mapped_ip != 0
					 ? text_ep(ep, st->mapped_ip,
						   st->mapped_port)
					 : "no mapping",
			.line2 = class == NULL		      ? ""
				 : strcmp(class, "hard") == 0 ? "hard"
				 : strcmp(class, "none") == 0 ? ""
							      : "easy"};

	if (type != NULL && strcmp(type, "none") == 0)
		snprintf(title, sizeof(title), "no NAT");
	else
		snprintf(title, sizeof(title), "NAT: %s",
			 type != NULL ? type : "unknown");
	if (class != NULL && strcmp(class, "hard") == 0)
		b.class = "bad";
	fprintf(out, "<path d=\"M 200 %d L 270 %d\" class=\"way server\"/>\n",
		y, y);
	draw_box(out, &b);
}

static void draw_us(FILE *out, const struct ctl_status *st, int y, int width)
{
	char title[64], ep[TEXT_EP_LEN];
	struct box b = {.x = 10,
			.y = y - BOX / 2,
			.w = width,
			.class = "us",
			.title = title,
			.line1 = st->instance,
			.line2 = st->local_ip != 0
					 ? text_ep(ep, st->local_ip,
						   st->local_port)
					 : miredoctl_state(st)};

	snprintf(title, sizeof(title), "this %s", miredoctl_role(st));
	draw_box(out, &b);
}

void report_draw_network(const struct report *r, FILE *out)
{
	bool client = r->st.role == PRIV_CLIENT;
	unsigned shown = r->n_peers < PEERS ? r->n_peers : PEERS;
	int rows = (int)shown + (client ? 1 : 0);
	int height, y, from = client ? 450 : 200;
	char more[64];

	if (rows == 0)
		rows = 1;
	height = 20 + ROW * rows + (r->n_peers > shown ? 16 : 0);
	y = 20 + (ROW * rows - (ROW - BOX)) / 2;
	fprintf(out,
		"<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"network\""
		">\n", WIDTH, height);
	for (unsigned i = 0; i < shown; i++)
		draw_peer(out, &r->peer[i], from, y, (int)i + (client ? 1 : 0));
	if (client) {
		draw_server(out, &r->st, from, y);
		draw_nat(out, &r->st, y);
	}
	draw_us(out, &r->st, y, 190);
	if (r->n_peers > shown) {
		snprintf(more, sizeof(more), "and %u more peers",
			 r->n_peers - shown);
		text_at(out, RIGHT + 14, height - 2, "small", more);
	}
	fputs("</svg>\n", out);
}

/* ---- the states ---- */

static const char *state_class(uint32_t state)
{
	switch ((enum teredo_client_state)state) {
	case TEREDO_CLIENT_QUALIFIED:
	case TEREDO_CLIENT_REFRESHING:
		return "good";
	case TEREDO_CLIENT_OFFLINE:
	case TEREDO_CLIENT_LOST:
		return "bad";
	case TEREDO_CLIENT_RESOLVING:
	case TEREDO_CLIENT_PROBING:
	case TEREDO_CLIENT_STATES:
	default:
		return "pending";
	}
}

static void draw_segment(FILE *out, double from, double to, uint32_t state)
{
	if (to - from < 1)
		to = from + 1;
	fprintf(out,
		"<rect x=\"%.1f\" y=\"6\" width=\"%.1f\" height=\"26\" "
		"class=\"bar %s\"/>\n",
		from, to - from, state_class(state));
}

void report_draw_states(const struct report *r, FILE *out)
{
	const struct ctl_event *last = NULL;
	uint64_t now = r->st.head.now, first = 0;
	char age[TEXT_AMOUNT_LEN], text[REPORT_TEXT];
	double scale, x = 0;

	for (unsigned i = 0; i < r->n_events && first == 0; i++)
		if (r->event[i].kind == CTL_EVENT_STATE)
			first = r->event[i].time;
	if (first == 0 || first >= now)
		return;
	scale = (WIDTH - 20.0) / (double)(now - first);
	fprintf(out, "<svg viewBox=\"0 0 %d 58\" role=\"img\" "
		     "aria-label=\"states\">\n", WIDTH);
	for (unsigned i = 0; i < r->n_events; i++) {
		const struct ctl_event *e = &r->event[i];

		if (e->kind != CTL_EVENT_STATE || e->time > now)
			continue;
		x = 10 + scale * (double)(e->time - first);
		if (last != NULL)
			draw_segment(out,
				     10 + scale * (double)(last->time - first),
				     x, last->value);
		last = e;
	}
	draw_segment(out, x, WIDTH - 10, last->value);
	snprintf(text, sizeof(text), "%s ago",
		 text_duration(age, now - first));
	text_at(out, 10, 52, "small", text);
	fprintf(out, "<text x=\"%d\" y=\"52\" class=\"small\" "
		     "text-anchor=\"end\">now</text>\n</svg>\n", WIDTH - 10);
}
