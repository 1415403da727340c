/*
 * miredoctl_report_html.c - the report as one page that needs nothing else
 *
 * No script, no font, no picture from elsewhere: a file to keep or to attach,
 * and a policy in it that holds a browser to that. What comes from names is
 * escaped. It reads on a light and on a dark ground and down to the width of a
 * telephone, where tables scroll by themselves.
 */
#include "config.h"

#include <inttypes.h>
#include <string.h>

#include "health.h"
#include "miredoctl_peers.h"
#include "miredoctl_event_words.h"
#include "miredoctl_report.h"
#include "miredoctl_status.h"
#include "text.h"

static const char head[] =
	"<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src "
	"'none'; style-src 'unsafe-inline'\">\n"
	"<meta name=\"viewport\" content=\"width=device-width, "
	"initial-scale=1\">\n"
	"<meta name=\"color-scheme\" content=\"light dark\">\n"
	"<title>miredo report</title>\n<style>\n"
	":root{--bg:#f6f7f9;--card:#fff;--fg:#1b2430;--dim:#5b6776;"
	"--line:#d9dee5;--good:#1a7f4b;--goodbg:#e3f5ea;--relay:#2563a8;"
	"--relaybg:#e4eefa;--bad:#b3261e;--badbg:#fdeaea;--pending:#8a6100;"
	"--pendingbg:#fbf1d7}\n"
	"@media(prefers-color-scheme:dark){:root{--bg:#12161c;--card:#1b2129;"
	"--fg:#e6eaf0;--dim:#9aa6b4;--line:#323b47;--good:#5fd08f;"
	"--goodbg:#16301f;--relay:#7db4f0;--relaybg:#16283d;--bad:#ff8a80;"
	"--badbg:#3d1a1a;--pending:#e6b84c;--pendingbg:#352a10}}\n"
	"*{box-sizing:border-box}body{margin:0;background:var(--bg);"
	"color:var(--fg);font:15px/1.5 system-ui,sans-serif}\n"
	"main{max-width:980px;margin:0 auto;padding:24px 16px 48px}\n"
	"header{display:flex;flex-wrap:wrap;gap:8px 16px;align-items:center}\n"
	"h1{font-size:22px;margin:0}h2{font-size:15px;margin:0 0 10px;"
	"color:var(--dim);font-weight:600}\n"
	"header p{margin:0;color:var(--dim);flex-basis:100%}\n"
	".badge{padding:3px 12px;border-radius:99px;font-weight:600;"
	"font-size:14px}\n"
	"section{background:var(--card);border:1px solid var(--line);"
	"border-radius:12px;padding:16px 18px;margin-top:16px}\n"
	".scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;"
	"font-size:14px}\n"
	"th{text-align:left;color:var(--dim);font-weight:600}td,th{padding:4px "
	"14px 4px 0;white-space:nowrap;vertical-align:top}\n"
	"tr+tr td{border-top:1px solid var(--line)}\n"
	"td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}\n"
	"code,.mono{font-family:ui-monospace,monospace;font-size:13px}\n"
	"dl{display:grid;grid-template-columns:repeat(auto-fit,minmax(260px,"
	"1fr));gap:12px 24px;margin:0}dt{color:var(--dim);font-size:13px}"
	"dd{margin:0;overflow-wrap:anywhere}\n"
	"svg{display:block;width:100%;min-width:680px;height:auto}svg text{fill:var(--fg)}"
	"svg .title{font-weight:600;font-size:14px}svg .small,svg .rtt"
	"{font-size:12px;fill:var(--dim)}\n"
	".box{fill:var(--card);stroke:var(--line);stroke-width:1.5}"
	".box.us{fill:var(--bg);stroke:var(--fg)}\n"
	".way{fill:none;stroke-width:2;stroke:var(--dim)}"
	".way.pending{stroke-dasharray:5 5}\n"
	".good{color:var(--good)}.relay{color:var(--relay)}.bad"
	"{color:var(--bad)}.pending{color:var(--pending)}\n"
	".badge.good,.note.good{background:var(--goodbg)}.badge.bad,.note.bad"
	"{background:var(--badbg)}.badge.pending,.note.pending"
	"{background:var(--pendingbg)}\n"
	".box.good{stroke:var(--good);fill:var(--goodbg)}.box.relay"
	"{stroke:var(--relay);fill:var(--relaybg)}.box.bad{stroke:var(--bad);"
	"fill:var(--badbg)}.box.pending{stroke:var(--pending);"
	"fill:var(--pendingbg)}\n"
	".way.good{stroke:var(--good)}.way.relay{stroke:var(--relay)}"
	".way.bad{stroke:var(--bad);stroke-dasharray:5 5}.way.pending"
	"{stroke:var(--pending)}\n"
	".bar.good{fill:var(--good)}.bar.bad{fill:var(--bad)}.bar.pending"
	"{fill:var(--pending)}\n"
	".note{border-radius:8px;padding:8px 12px;margin:0 0 8px}"
	".note span{color:var(--fg)}.note:last-child{margin:0}\n"
	".meter{display:inline-block;height:8px;border-radius:4px;"
	"background:var(--relay);vertical-align:middle;margin-right:8px}\n"
	"ol{list-style:none;margin:12px 0 0;padding:0;font-size:14px}"
	"li{display:flex;gap:14px;padding:2px 0;overflow-wrap:anywhere}"
	"li time{flex:0 0 110px;text-align:right;color:var(--dim)}"
	"li span{min-width:0}\n"
	"</style>\n</head>\n<body>\n<main>\n";

void report_escape(const char *text, FILE *out)
{
	for (; *text != '\0'; text++) {
		if (*text == '<')
			fputs("&lt;", out);
		else if (*text == '>')
			fputs("&gt;", out);
		else if (*text == '&')
			fputs("&amp;", out);
		else if (*text == '"')
			fputs("&quot;", out);
		else
			fputc(*text, out);
	}
}

static const char *grade(const struct ctl_status *st)
{
	uint32_t bits = health_find(st);
	enum health h = health_worst(bits);

	if (health_is_well(bits) || h >= HEALTHS)
		return "good";
	return health_reason(h)->severity == HEALTH_ERROR ? "bad" : "pending";
}

static void write_header(const struct report *r, FILE *out)
{
	char up[TEXT_AMOUNT_LEN];

	fprintf(out, "<header><h1>miredo %s: ", PACKAGE_VERSION);
	report_escape(miredoctl_role(&r->st), out);
	if (r->st.role != PRIV_SERVER) {
		fputs(" ", out);
		report_escape(r->st.instance, out);
	}
	fprintf(out, "</h1><span class=\"badge %s\">%s</span>\n", grade(&r->st),
		miredoctl_state(&r->st));
	fprintf(out,
		"<p>%s, up %s. Made on this host, sent nowhere. %s</p>"
		"</header>\n",
		r->when, text_duration(up, r->st.uptime),
		r->masked ? "Addresses are numbered."
			  : "With all addresses: think before you share it.");
}

static void write_health(const struct report *r, FILE *out)
{
	uint32_t bits = health_find(&r->st);
	char buf[MIREDOCTL_REASON_MAX];

	fputs("<section><h2>Health</h2>\n", out);
	if (bits == 0)
		fputs("<p class=\"note good\">ok</p>\n", out);
	for (unsigned h = 0; h < HEALTHS; h++) {
		const struct health_reason *reason =
			health_reason((enum health)h);

		if ((bits & (1u << h)) == 0)
			continue;
		fprintf(out, "<p class=\"note %s\"><strong>%s</strong> <span>",
			reason->severity == HEALTH_ERROR ? "bad"
			: reason->severity == HEALTH_WARNING ? "pending"
							     : "good",
			reason->code);
		report_escape(miredoctl_health_text(buf, &r->st,
						    (enum health)h), out);
		fputs("<br>Try: ", out);
		report_escape(miredoctl_health_remedy(buf, &r->st,
						      (enum health)h), out);
		fputs("</span></p>\n", out);
	}
	fputs("</section>\n", out);
}

static void fact(FILE *out, const char *name, const char *value)
{
	fprintf(out, "<div><dt>%s</dt><dd>", name);
	report_escape(value, out);
	fputs("</dd></div>\n", out);
}

static void write_client_facts(const struct ctl_status *st, FILE *out)
{
	const char *type = miredoctl_nat(st), *class = miredoctl_nat_class(st);
	char text[TEXT_IP6_LEN], a[TEXT_EP_LEN], b[TEXT_EP_LEN];
	char line[REPORT_TEXT], age[TEXT_AMOUNT_LEN];

	fact(out, "Teredo address", miredoctl_has_address(st)
					    ? text_ip6(text, st->addr)
					    : "none");
	snprintf(line, sizeof(line), "%s%s%s%s",
		 type != NULL ? type : "unknown", class != NULL ? " (" : "",
		 class != NULL ? class : "", class != NULL ? ")" : "");
	fact(out, "NAT", line);
	if (!miredoctl_has_address(st))
		return;
	snprintf(line, sizeof(line), "%s%s%s, for %s",
		 st->local_ip != 0
			 ? text_ep(a, st->local_ip, st->local_port) : "",
		 st->local_ip != 0 ? " to " : "",
		 text_ep(b, st->mapped_ip, st->mapped_port),
		 text_duration(age, st->address_age));
	fact(out, "Mapping", line);
	snprintf(line, sizeof(line), "every %.4g s", (double)st->refresh / 1e9);
	fact(out, "Refresh", line);
}

static void write_server_facts(const struct ctl_status *st, FILE *out)
{
	char ep[TEXT_EP_LEN];

	fact(out, "Primary address",
	     text_ep(ep, st->server_ip, st->local_port));
	fact(out, "Secondary address",
	     st->server_ip2 != 0 ? text_ep(ep, st->server_ip2, st->local_port)
				 : "none");
}

static void write_peer_facts(const struct ctl_status *st, FILE *out)
{
	char line[REPORT_TEXT];

	snprintf(line, sizeof(line),
		 "%" PRIu32 " direct, %" PRIu32 " by relays, %" PRIu32
		 " pending (%" PRIu32 " at most)",
		 st->peers_direct, st->peers_relay, st->peers_pending,
		 st->peers_max);
	fact(out, "Peers", line);
}

static void write_facts(const struct report *r, FILE *out)
{
	const struct ctl_status *st = &r->st;
	char line[REPORT_TEXT], a[TEXT_AMOUNT_LEN], b[TEXT_AMOUNT_LEN];

	fputs("<section><h2>Facts</h2><dl>\n", out);
	if (st->role == PRIV_CLIENT)
		write_client_facts(st, out);
	if (st->role == PRIV_SERVER || st->role == PRIV_SERVER_RELAY)
		write_server_facts(st, out);
	snprintf(line, sizeof(line), "%" PRIu32, st->mtu);
	fact(out, "MTU", line);
	if (st->role != PRIV_SERVER)
		write_peer_facts(st, out);
	snprintf(line, sizeof(line), "received %s, sent %s",
		 text_bytes(a, st->tun_tx.bytes),
		 text_bytes(b, st->tun_rx.bytes));
	fact(out, "Traffic", line);
	fact(out, "Kernel", r->kernel);
	fact(out, "System", r->system);
	fputs("</dl></section>\n", out);
}

/* A bar beside the number, as long as it is slow; nothing where it is not
 * known of anybody. */
static void write_rtt(uint64_t rtt, uint64_t slowest, FILE *out)
{
	if (slowest == 0)
		return;
	if (rtt != 0)
		fprintf(out, "<td><span class=\"meter\" style=\"width:%" PRIu64
			     "px\"></span>%.1f ms",
			2 + 58 * rtt / slowest, (double)rtt / 1e6);
	else
		fputs("<td>-", out);
}

static void write_peer(const struct ctl_peer *p, uint64_t slowest, FILE *out)
{
	char addr[TEXT_IP6_LEN], ep[TEXT_EP_LEN], age[TEXT_AMOUNT_LEN];
	char rx[TEXT_AMOUNT_LEN], tx[TEXT_AMOUNT_LEN];
	const char *class = p->way == TEREDO_WAY_RELAY	   ? "relay"
			    : p->way <= TEREDO_WAY_PENDING ? "pending"
							   : "good";

	fprintf(out, "<tr><td class=\"mono\">%s<td class=\"%s\">%s"
		     "<td class=\"mono\">%s<td class=\"n\">%s",
		text_ip6(addr, p->addr), class, miredoctl_way(p->way),
		p->ip != 0 ? text_ep(ep, p->ip, p->port) : "-",
		p->age == UINT64_MAX ? "never" : text_duration(age, p->age));
	write_rtt(p->rtt, slowest, out);
	fprintf(out, "<td class=\"n\">%s<td class=\"n\">%s</tr>\n",
		text_bytes(rx, p->rx.bytes), text_bytes(tx, p->tx.bytes));
}

static void write_peers(const struct report *r, FILE *out)
{
	unsigned shown = r->n_peers < REPORT_SHOWN ? r->n_peers : REPORT_SHOWN;
	uint64_t slowest = 0;

	for (unsigned i = 0; i < shown; i++)
		if (r->peer[i].rtt > slowest)
			slowest = r->peer[i].rtt;
	fprintf(out, "<section><h2>Peers: %u</h2><div class=\"scroll\"><table>"
		     "<tr><th>Peer<th>Path<th>Endpoint<th class=\"n\">Heard"
		     "%s<th class=\"n\">Received<th class=\"n\">Sent</tr>\n",
		r->n_peers, slowest != 0 ? "<th>Round trip" : "");
	for (unsigned i = 0; i < shown; i++)
		write_peer(&r->peer[i], slowest, out);
	fputs("</table></div></section>\n", out);
}

static void write_timeline(const struct report *r, FILE *out)
{
	unsigned shown = r->n_events < REPORT_SHOWN ? r->n_events
						    : REPORT_SHOWN;
	char age[TEXT_AMOUNT_LEN];

	fputs("<section><h2>Timeline</h2><div class=\"scroll\">\n", out);
	report_draw_states(r, out);
	fputs("</div><ol>\n", out);
	for (unsigned i = 0; i < shown; i++) {
		const struct ctl_event *e = &r->event[r->n_events - 1 - i];

		fprintf(out, "<li><time>%s ago</time><span>",
			text_duration(age, r->st.head.now - e->time));
		event_print(e, out);
		fputs("</span></li>\n", out);
	}
	fputs("</ol></section>\n", out);
}

static void write_counters(const struct report *r, FILE *out)
{
	fputs("<section><h2>Counters</h2><dl>\n", out);
	for (unsigned i = 0; i < TEREDO_N_COUNTERS; i++)
		if (r->st.counters[i] != 0)
			fprintf(out,
				"<div><dt><code>%s</code></dt><dd>%" PRIu64
				"</dd></div>\n",
				teredo_counter_name((enum teredo_counter)i),
				r->st.counters[i]);
	fputs("</dl></section>\n", out);
}

void report_write_html(const struct report *r, FILE *out)
{
	fputs(head, out);
	write_header(r, out);
	write_health(r, out);
	if (r->st.role != PRIV_SERVER) { /* it knows nobody */
		fputs("<section><h2>Network</h2><div class=\"scroll\">\n",
		      out);
		report_draw_network(r, out);
		fputs("</div></section>\n", out);
	}
	write_facts(r, out);
	if (r->allowed) {
		if (r->n_peers > 0)
			write_peers(r, out);
		write_timeline(r, out);
	}
	write_counters(r, out);
	fputs("</main>\n</body>\n</html>\n", out);
}
