/*
 * miredoctl_explain.c - what an address says, and which rule would act
 *
 * A Teredo address has its whole story in it (RFC 4380 section 4): the server,
 * the mapping, the flags. That needs no daemon. Which rule a packet to it
 * would meet only a running instance knows.
 */
#include "config.h"

#include <arpa/inet.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "../libteredo/addr.h"
#include "miredoctl.h"
#include "miredoctl_peers.h"
#include "text.h"

struct story {
	struct teredo_addr addr;
	bool is_teredo, is_asked;	/* an instance has answered: */
	struct ctl_lookup lookup;
};

/* What kind of address it is. */
static const char *kind(const struct story *s)
{
	if (s->is_teredo)
		return "teredo";
	if (addr_is_link_local(&s->addr))
		return "link-local";
	if (addr_is_multicast(&s->addr))
		return "multicast";
	return addr_is_global(&s->addr) ? "native" : "not-global";
}

static const char *would(uint32_t w)
{
	static const char *const name[] = {
		[TEREDO_WOULD_NOTHING] = "nothing",
		[TEREDO_WOULD_DROP] = "drop",
		[TEREDO_WOULD_SEND] = "send",
		[TEREDO_WOULD_BUBBLE] = "bubble",
		[TEREDO_WOULD_TEST] = "test",
		[TEREDO_WOULD_WAIT] = "wait",
		[TEREDO_WOULD_REFUSE] = "refuse",
		[TEREDO_WOULD_DELIVER] = "deliver",
	};

	return w < sizeof(name) / sizeof(name[0]) ? name[w] : "unknown";
}

static const char *reason(const struct ctl_lookup *l)
{
	if (l->would != TEREDO_WOULD_DROP || l->reason >= TEREDO_N_DROPS)
		return NULL;
	return teredo_counter_name((enum teredo_counter)l->reason);
}

/* ---- text ---- */

static void print_address(const struct story *s, FILE *out)
{
	static const struct local4 none;
	struct teredo_ep mapped = addr_mapping(&s->addr);
	unsigned flags = addr_flags(&s->addr);
	char text[TEXT_EP_LEN];

	fprintf(out, "  Server         %s%s\n",
		text_ip4(text, addr_server(&s->addr)),
		ipv4_is_global(addr_server(&s->addr)) ? "" : "  (not global)");
	fprintf(out, "  Mapped to      %s%s\n",
		text_ep(text, mapped.ip, mapped.port),
		ep_is_acceptable(mapped, &none)
			? ""
			: "  (not global: nobody may send there)");
	fprintf(out, "  Flags          0x%04x  cone bit %s%s\n", flags,
		(flags & ADDR_FLAG_CONE) != 0 ? "set" : "not set",
		(flags & ADDR_FLAGS_RANDOM) != 0 ? ", random bits" : "");
}

static void print_rule(const struct ctl_lookup *l, FILE *out)
{
	char server[TEXT_IP4_LEN], ep[TEXT_EP_LEN];
	const char *why = reason(l);

	text_ip4(server, l->server_ip);
	text_ep(ep, l->peer.ip, l->peer.port);
	switch (l->would) {
	case TEREDO_WOULD_NOTHING:
		fprintf(out, "this instance sends nothing of its host's\n");
		return;
	case TEREDO_WOULD_DROP:
		fprintf(out, "drop, counted as %s\n", why == NULL ? "?" : why);
		return;
	case TEREDO_WOULD_SEND:
		fprintf(out, "send at once to %s (%s)\n", ep,
			miredoctl_way(l->peer.way));
		return;
	case TEREDO_WOULD_BUBBLE:
		fprintf(out, "hold it, and send bubbles through %s\n", server);
		return;
	case TEREDO_WOULD_TEST:
		fprintf(out, "hold it, and test for a relay through %s\n",
			server);
		return;
	case TEREDO_WOULD_WAIT:
		fprintf(out, "hold it: %u of 4 probes sent, no answer yet\n",
			l->peer.probes);
		return;
	case TEREDO_WOULD_REFUSE:
		fprintf(out, "refuse as unreachable: it did not answer just "
			     "now\n");
		return;
	case TEREDO_WOULD_DELIVER:
		fprintf(out, "it is this host's own\n");
		return;
	default:
		fprintf(out, "unknown\n");
	}
}

static void print_text(const struct story *s, FILE *out)
{
	char text[TEXT_IP6_LEN], age[TEXT_AMOUNT_LEN];
	const struct ctl_peer *peer = &s->lookup.peer;

	fprintf(out, "%s  %s\n", text_ip6(text, s->addr.b), kind(s));
	if (s->is_teredo)
		print_address(s, out);
	if (!s->is_asked)
		return;
	fprintf(out, "  Packets to it  ");
	print_rule(&s->lookup, out);
	if (s->lookup.known != 0 && peer->age != UINT64_MAX)
		fprintf(out, "  Last heard     %s ago\n",
			text_duration(age, peer->age));
	else
		fprintf(out, "  Last heard     never\n");
}

/* ---- JSON ---- */

static json_t *address_json(const struct story *s)
{
	struct teredo_ep mapped = addr_mapping(&s->addr);
	char server[TEXT_IP4_LEN], ep[TEXT_EP_LEN];

	if (!s->is_teredo)
		return json_null();
	return json_pack("{s:s,s:s,s:i,s:b}", "server",
			 text_ip4(server, addr_server(&s->addr)), "mapped",
			 text_ep(ep, mapped.ip, mapped.port), "flags",
			 (int)addr_flags(&s->addr), "cone",
			 (addr_flags(&s->addr) & ADDR_FLAG_CONE) != 0);
}

static json_t *rule_json(const struct story *s)
{
	const struct ctl_lookup *l = &s->lookup;
	char server[TEXT_IP4_LEN];

	if (!s->is_asked)
		return json_null();
	return json_pack("{s:s,s:s?,s:s?}", "action", would(l->would),
			 "reason", reason(l), "through",
			 l->server_ip == 0 ? NULL
					   : text_ip4(server, l->server_ip));
}

static int print_json(const struct story *s, FILE *out)
{
	bool known = s->is_asked && s->lookup.known != 0;
	char text[TEXT_IP6_LEN];
	json_t *json = json_pack(
		"{s:s,s:s,s:s,s:o,s:o,s:o}", "schema", "miredo.explain/1",
		"address", text_ip6(text, s->addr.b), "kind", kind(s),
		"teredo", address_json(s), "rule", rule_json(s), "peer",
		known ? miredoctl_peer_json(&s->lookup.peer) : json_null());
	bool done = json != NULL &&
		    json_dumpf(json, out, JSON_INDENT(1) |
					  JSON_REAL_PRECISION(9)) == 0;

	json_decref(json);
	fputc('\n', out);
	return done ? CTL_EXIT_OK : CTL_EXIT_FAILED;
}

/* ---- asking ---- */

/* What an instance knows. CTL_EXIT_OK also where none runs. */
static int ask(const struct miredoctl_args *args, struct story *s)
{
	size_t len;
	int fd, code;

	code = miredoctl_connect(args, &fd, args->value[OPT_INSTANCE] == NULL);
	if (code == CTL_EXIT_NOT_RUNNING)
		return args->value[OPT_INSTANCE] == NULL ? CTL_EXIT_OK : code;
	if (code != 0)
		return code;
	code = miredoctl_request(fd, CTL_LOOKUP, 0, s->addr.b, false);
	if (code == 0)
		code = miredoctl_answer(fd, &s->lookup, sizeof(s->lookup),
					sizeof(s->lookup), &len, false);
	close(fd);
	s->is_asked = code == 0;
	return code;
}

int miredoctl_cmd_explain(const struct miredoctl_args *args)
{
	struct story s = {0};
	int code, printed = CTL_EXIT_OK;

	if (inet_pton(AF_INET6, args->operand[0], s.addr.b) != 1)
		miredoctl_usage("\"%s\" is no IPv6 address", args->operand[0]);
	s.is_teredo = addr_in_prefix(&s.addr, addr_default_prefix());
	code = ask(args, &s);
	if (args->value[OPT_JSON] != NULL)
		printed = print_json(&s, stdout);
	else
		print_text(&s, stdout);
	if (fflush(stdout) != 0)
		printed = CTL_EXIT_FAILED;
	return code != 0 ? code : printed;
}
