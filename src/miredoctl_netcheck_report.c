/*
 * miredoctl_netcheck_report.c - what netcheck found, in words and as JSON
 *
 * The names of the fields are those that readers of other tools' checks know.
 * The verdict uses both vocabularies: none, easy, hard; and the kinds of RFC
 * 3489, by which Windows names its NAT types. What can be reached behind which
 * NAT is what tests/net/t_interop shows.
 */
#include "config.h"

#include <inttypes.h>
#include <string.h>

#include <jansson.h>

#include "miredoctl.h"
#include "miredoctl_netcheck.h"
#include "text.h"

#define FLAGS (JSON_INDENT(1) | JSON_REAL_PRECISION(9))
#define SHOWN 32 /* columns of a server's name */

static const char *yes_no(enum netcheck_fact fact)
{
	static const char *const texts[] = {
		[NETCHECK_UNKNOWN] = "unknown",
		[NETCHECK_NO] = "no",
		[NETCHECK_YES] = "yes",
	};

	return texts[fact];
}

static void begin(FILE *out, const char *name)
{
	fprintf(out, "  * %s:%*s", name, 22 - (int)strlen(name), "");
}

static const struct netcheck_server *blocked(const struct netcheck_report *r)
{
	for (unsigned i = 0; i < r->servers; i++)
		if (r->server[i].state == NETCHECK_BLOCKED)
			return &r->server[i];
	return NULL;
}

static void print_udp(const struct netcheck_report *r, FILE *out)
{
	const struct netcheck_server *s = blocked(r);
	char ip[TEXT_IP4_LEN];

	begin(out, "UDP");
	if (r->udp == NETCHECK_YES)
		fprintf(out, "yes\n");
	else if (r->udp == NETCHECK_UNKNOWN || s == NULL)
		fprintf(out, "unknown (no server answered)\n");
	else if (s->offender == 0 || s->offender == s->local_ip)
		fprintf(out, "no (this host's own firewall refuses it)\n");
	else
		fprintf(out, "no (%s says that it is prohibited)\n",
			text_ip4(ip, s->offender));
}

static void print_ipv4(const struct netcheck_report *r, FILE *out)
{
	char local[TEXT_EP_LEN], mapped[TEXT_EP_LEN];

	begin(out, "IPv4");
	if (r->mapped.port == 0)
		fprintf(out, "unknown\n");
	else
		fprintf(out, "%s -> %s\n",
			text_ep(local, r->local.ip, r->local.port),
			text_ep(mapped, r->mapped.ip, r->mapped.port));
}

static void print_ipv6(const struct netcheck_findings *f, FILE *out)
{
	begin(out, "IPv6 (native)");
	if (f->native[0] != '\0')
		fprintf(out, "yes, by %s\n", f->native);
	else
		fprintf(out, "no, %s\n", f->has_ipv6 ? "but OS has support"
						     : "OS has no support");
}

static void print_varies(const struct netcheck_report *r, FILE *out)
{
	char a[TEXT_IP4_LEN], b[TEXT_IP4_LEN];

	begin(out, "MappingVariesByDestIP");
	if (r->varies == NETCHECK_UNKNOWN && r->seen_by[1] != 0)
		fprintf(out, "unknown (servers disagree)\n");
	else if (r->varies == NETCHECK_UNKNOWN && r->mapped.port != 0)
		fprintf(out, "unknown (needs a second server address)\n");
	else if (r->varies == NETCHECK_UNKNOWN)
		fprintf(out, "unknown\n");
	else
		fprintf(out, "%-8s(%s mapping at %s and %s)\n",
			yes_no(r->varies),
			r->varies == NETCHECK_YES ? "another" : "same",
			text_ip4(a, r->seen_by[0]), text_ip4(b, r->seen_by[1]));
}

static void print_filtering(const struct netcheck_report *r, FILE *out)
{
	begin(out, "Filtering");
	if (r->open == NETCHECK_YES)
		fprintf(out, "none    (anybody's packets come through)\n");
	else if (r->open == NETCHECK_NO)
		fprintf(out, "restricted (address or port: servers cannot tell)\n");
	else if (r->mapped.port != 0)
		fprintf(out, "unknown (needs a server with two addresses)\n");
	else
		fprintf(out, "unknown\n");
}

static void print_hairpin(const struct netcheck_report *r, FILE *out)
{
	begin(out, "HairPinning");
	if (r->nat == NETCHECK_NAT_NONE)
		fprintf(out, "not needed, there is no NAT\n");
	else
		fprintf(out, "%s\n", yes_no(r->hairpin));
}

static void print_portmap(const struct netcheck_findings *f, FILE *out)
{
	const struct netcheck_report *r = &f->report;

	begin(out, "PortMapping");
	if (!f->has_gateway)
		fprintf(out, "unknown (no gateway)\n");
	else
		fprintf(out, "NAT-PMP %s, PCP %s, UPnP %s\n",
			yes_no(r->nat_pmp), yes_no(r->pcp), yes_no(r->upnp));
}

static void print_lifetime(const struct netcheck_life *life, FILE *out)
{
	char alive[TEXT_AMOUNT_LEN], gone[TEXT_AMOUNT_LEN];

	begin(out, "Mapping lifetime");
	if (!life->measured)
		fprintf(out, "not measured (--lifetime does; takes minutes)\n");
	else if (life->gone != 0 && life->alive != 0)
		fprintf(out, "more than %s, less than %s\n",
			text_duration(alive, life->alive),
			text_duration(gone, life->gone));
	else if (life->gone != 0)
		fprintf(out, "less than %s\n", text_duration(gone, life->gone));
	else if (life->alive != 0)
		fprintf(out, "more than %s\n",
			text_duration(alive, life->alive));
	else
		fprintf(out, "unknown (the server did not answer, or "
			     "forward)\n");
}

static const char *state_text(const struct netcheck_server *s)
{
	if (s->is_awaited)
		return "the name server did not answer";
	if (s->ip == 0)
		return "no such name, or no fit address";
	switch (s->state) {
	case NETCHECK_OK:
		return s->mapped2.port != 0 ? "ok, two addresses" : "ok";
	case NETCHECK_REFUSED:
		return "nobody listens there";
	case NETCHECK_UNREACHABLE:
		return "unreachable";
	case NETCHECK_BLOCKED:
		return "blocked by a firewall";
	case NETCHECK_INVALID:
		return "gives answers that no client takes";
	case NETCHECK_SILENT:
	default:
		return "no answer";
	}
}

/* Names may come from a daemon or a file: nothing but ASCII is printed. */
static void put_name(char out[SHOWN + 1], const char *name)
{
	size_t i;

	for (i = 0; i < SHOWN && name[i] != '\0'; i++)
		out[i] = (char)(name[i] > ' ' && name[i] < 0x7f ? name[i] :
								  '?');
	out[i] = '\0';
}

static int widest(const struct netcheck_findings *f)
{
	size_t width = 0;

	for (unsigned i = 0; i < f->report.servers; i++)
		if (strlen(f->name[i]) > width)
			width = strlen(f->name[i]);
	return width > SHOWN ? SHOWN : (int)width;
}

static void print_servers(const struct netcheck_findings *f, FILE *out)
{
	const struct netcheck_report *r = &f->report;
	char ip[TEXT_IP4_LEN], rtt[32], name[SHOWN + 1];

	fprintf(out, "  * Servers:\n");
	for (unsigned i = 0; i < r->servers; i++) {
		const struct netcheck_server *s = &r->server[i];

		snprintf(rtt, sizeof(rtt), s->state == NETCHECK_OK
						   ? "%.1f ms" : "-",
			 (double)s->rtt / 1e6);
		put_name(name, f->name[i]);
		fprintf(out, "      - %-*s  %-15s  %-9s  %s\n", widest(f), name,
			s->ip != 0 ? text_ip4(ip, s->ip) : "-", rtt,
			state_text(s));
	}
	if (r->nearest < 0)
		return;
	put_name(name, f->name[r->nearest]);
	begin(out, "Nearest server");
	fprintf(out, "%s\n", name);
}

static void print_no_verdict(const struct netcheck_report *r, FILE *out)
{
	unsigned known = 0;

	for (unsigned i = 0; i < r->servers; i++)
		known += r->server[i].ip != 0;
	fprintf(out, "Verdict: not usable from here: no server %s.\n         %s\n",
		known > 0 ? "answered" : "has an address",
		known > 0 ? "Is there one that works? Something on the way may "
			    "block UDP port 3544."
			  : "Does the name server answer? Name a server by its "
			    "IPv4 address.");
}

static void print_verdict(const struct netcheck_report *r, FILE *out)
{
	static const char *const texts[] = {
		[NETCHECK_NAT_UNKNOWN] =
			"usable, but of which kind the NAT is takes a server "
			"with two\n"
			"         addresses, or two servers, to find out.",
		[NETCHECK_NAT_NONE] =
			"no NAT (Windows name: \"none\"). Direct paths work to "
			"everyone.",
		[NETCHECK_NAT_CONE] =
			"easy NAT (Windows name: \"cone\"). Direct paths work to "
			"everyone.",
		[NETCHECK_NAT_RESTRICTED] =
			"easy NAT (Windows name: \"restricted\"). Direct paths "
			"work to everyone,\n"
			"         but for some hosts behind a symmetric NAT.",
		[NETCHECK_NAT_EASY] =
			"easy NAT (Windows name: \"cone\" or \"restricted\"). "
			"Direct paths work to\n"
			"         everyone, but perhaps for some hosts behind a "
			"symmetric NAT.",
		[NETCHECK_NAT_SYMMETRIC] =
			"hard NAT (Windows name: \"symmetric\"). Native IPv6 "
			"hosts can be reached,\n"
			"         and no Teredo host that is behind such a NAT or "
			"a restricted one.",
	};

	if (r->nearest >= 0)
		fprintf(out, "Verdict: %s\n", texts[r->nat]);
	else
		print_no_verdict(r, out);
}

void netcheck_print_text(const struct netcheck_findings *f, FILE *out)
{
	const struct netcheck_report *r = &f->report;

	fprintf(out, "Report (%.1f s):\n", (double)f->took / 1e9);
	print_udp(r, out);
	print_ipv4(r, out);
	print_ipv6(f, out);
	print_varies(r, out);
	begin(out, "PortPreserving");
	fprintf(out, "%s\n", yes_no(r->port_preserving));
	print_filtering(r, out);
	print_hairpin(r, out);
	print_portmap(f, out);
	print_lifetime(&f->life, out);
	print_servers(f, out);
	print_verdict(r, out);
}

int netcheck_exit_code(const struct netcheck_findings *f)
{
	if (f->report.nearest < 0)
		return CTL_EXIT_FAILED;
	return f->report.nat == NETCHECK_NAT_SYMMETRIC ? CTL_EXIT_DEGRADED
						       : CTL_EXIT_OK;
}

/* ---- JSON: what is unknown is null ---- */

static json_t *fact(enum netcheck_fact fact)
{
	return fact == NETCHECK_UNKNOWN ? json_null()
					: json_boolean(fact == NETCHECK_YES);
}

static json_t *endpoint(struct teredo_ep ep)
{
	char text[TEXT_EP_LEN];

	return ep.port != 0 ? json_string(text_ep(text, ep.ip, ep.port))
			    : json_null();
}

static json_t *ip4(uint32_t ip)
{
	char text[TEXT_IP4_LEN];

	return ip != 0 ? json_string(text_ip4(text, ip)) : json_null();
}

static json_t *name_of(const char *name)
{
	json_t *value = json_string(name);

	return value != NULL ? value : json_null(); /* no UTF-8 */
}

static json_t *milliseconds(uint64_t ns)
{
	return json_real((double)(ns / 1000) / 1000);
}

static json_t *seconds(uint64_t ns)
{
	return ns != 0 ? json_real((double)(ns / 1000000) / 1000) : json_null();
}

static json_t *servers(const struct netcheck_findings *f)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < f->report.servers; i++) {
		const struct netcheck_server *s = &f->report.server[i];
		bool ok = s->state == NETCHECK_OK;

		json_array_append_new(
			list,
			json_pack("{s:o,s:o,s:o,s:s,s:o,s:o}", "name",
				  name_of(f->name[i]), "ipv4", ip4(s->ip),
				  "ipv4_secondary",
				  ip4(s->mapped2.port != 0 ? s->ip2 : 0),
				  "state",
				  s->ip != 0 ? netcheck_state_name(s->state)
					     : "unresolved",
				  "rtt_ms",
				  ok ? milliseconds(s->rtt) : json_null(),
				  "external", endpoint(s->mapped)));
	}
	return list;
}

static json_t *lifetime(const struct netcheck_life *life)
{
	if (!life->measured)
		return json_null();
	return json_pack("{s:o,s:o}", "alive_s", seconds(life->alive), "gone_s",
			 seconds(life->gone));
}

static const char *filtering(enum netcheck_fact open)
{
	return open == NETCHECK_UNKNOWN ? NULL
	       : open == NETCHECK_YES	? "none"
					: "restricted";
}

static json_t *nat(const struct netcheck_report *r)
{
	return json_pack("{s:s?,s:s?,s:o,s:o,s:s?,s:o,s:o,s:o}", "type",
			 netcheck_nat_type(r->nat), "class",
			 netcheck_nat_class(r->nat), "mapping_varies",
			 fact(r->varies), "port_preserving",
			 fact(r->port_preserving), "filtering",
			 filtering(r->open), "hairpin", fact(r->hairpin),
			 "local", endpoint(r->local), "external",
			 endpoint(r->mapped));
}

bool netcheck_print_json(const struct netcheck_findings *f, FILE *out)
{
	const struct netcheck_report *r = &f->report;
	json_t *all = json_pack(
		"{s:s,s:s,s:o,s:o,s:{s:b,s:s?},s:o,s:{s:o,s:o,s:o},s:o,s:o,"
		"s:o,s:b}",
		"schema", "miredo.netcheck/1", "version", PACKAGE_VERSION,
		"took_s", seconds(f->took), "udp", fact(r->udp), "ipv6",
		"os_support", f->has_ipv6, "native_interface",
		f->native[0] != '\0' ? f->native : NULL, "nat", nat(r),
		"portmap", "nat_pmp", fact(r->nat_pmp), "pcp", fact(r->pcp),
		"upnp", fact(r->upnp), "mapping_lifetime", lifetime(&f->life),
		"servers", servers(f), "nearest",
		r->nearest >= 0 ? name_of(f->name[r->nearest]) : json_null(),
		"usable", r->nearest >= 0);
	bool complete = all != NULL && json_dumpf(all, out, FLAGS) == 0;

	json_decref(all);
	fputc('\n', out);
	return complete;
}
