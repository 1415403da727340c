/*
 * firewall.c - what may come in by the tunnel
 *
 * A host behind a NAT has services that were never meant for strangers, and a
 * Teredo address makes them reachable. InboundFirewall lets in what was asked
 * for, the ICMPv6 that nobody should drop (RFC 4890 4.4) and what InboundAllow
 * names; it does not concern what goes out, nor other interfaces.
 *
 * The rules stand in a table of our own, whose owner is our netlink socket:
 * nobody else changes it, "flush ruleset" leaves it, and the kernel removes it
 * when this process ends, however that is. Other tables are never looked at.
 * An accepted packet still passes theirs.
 *
 * A change is one transaction: there is no moment without rules, and what is
 * refused changes nothing.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nftables/libnftables.h>

#include "firewall.h"
#include "log.h"

struct firewall {
	struct nft_ctx *nft;
	char table[IF_NAMESIZE + 8];
	bool loaded;
};

static void put_rule(FILE *out, const struct conf_inbound *rule)
{
	static const char *const proto[] = {
		[CONF_INBOUND_TCP] = "tcp",
		[CONF_INBOUND_UDP] = "udp",
	};
	char text[INET6_ADDRSTRLEN];

	fputs("\t\t", out);
	if (rule->bits != 0) {
		inet_ntop(AF_INET6, rule->addr, text, sizeof(text));
		fprintf(out, "ip6 saddr %s/%u ", text, rule->bits);
	}
	if (rule->protocol != CONF_INBOUND_ANY)
		fprintf(out, "%s dport %u", proto[rule->protocol], rule->first);
	if (rule->last != rule->first)
		fprintf(out, "-%u", rule->last);
	fputs(" accept\n", out);
}

static void put_table(FILE *out, const struct firewall *f,
		      const struct conf *conf)
{
	if (f->loaded)
		fprintf(out, "delete table inet %s\n", f->table);
	fprintf(out,
		"table inet %s {\n"
		"\tflags owner;\n"
		"\tchain input {\n"
		"\t\ttype filter hook input priority filter; policy accept;\n"
		"\t\tiifname != \"%s\" accept\n"
		"\t\tct state established,related accept\n"
		"\t\ticmpv6 type { destination-unreachable, packet-too-big, "
		"time-exceeded, parameter-problem, echo-request, echo-reply } "
		"accept\n",
		f->table, conf->ifname);
	for (unsigned i = 0; i < conf->n_inbound; i++)
		put_rule(out, &conf->inbound[i]);
	fprintf(out,
		"\t\tcounter drop\n"
		"\t}\n"
		"\tchain forward {\n"
		"\t\ttype filter hook forward priority filter; policy accept;\n"
		"\t\tiifname != \"%s\" accept\n"
		"\t\tct state established,related accept\n"
		"\t\tcounter drop\n"
		"\t}\n"
		"}\n",
		conf->ifname);
}

static int run(struct firewall *f, const char *text)
{
	const char *said;

	if (nft_run_cmd_from_buffer(f->nft, text) == 0)
		return 0;
	said = nft_ctx_get_error_buffer(f->nft);
	log_line(LOG_ERR, "InboundFirewall: nftables: %.*s",
		 (int)strcspn(said, "\n"), said);
	return -EPERM;
}

static int load(struct firewall *f, const struct conf *conf)
{
	size_t size;
	char *text = NULL;
	FILE *out = open_memstream(&text, &size);
	int err;

	if (out == NULL)
		return -ENOMEM;
	put_table(out, f, conf);
	err = fclose(out) == 0 ? run(f, text) : -ENOMEM;
	free(text);
	f->loaded |= err == 0;
	return err;
}

static int firewall_new(struct firewall **out, const char *ifname)
{
	struct firewall *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return -ENOMEM;
	f->nft = nft_ctx_new(NFT_CTX_DEFAULT);
	if (f->nft == NULL || nft_ctx_buffer_error(f->nft) != 0) {
		firewall_free(f);
		return -ENOMEM;
	}
	snprintf(f->table, sizeof(f->table), "miredo-%s", ifname);
	*out = f;
	return 0;
}

int firewall_set(struct firewall **f, const struct conf *conf)
{
	struct firewall *fresh = NULL;
	int err = 0;

	if (!conf->firewall) {
		firewall_free(*f);
		*f = NULL;
		return 0;
	}
	if (*f != NULL)
		return load(*f, conf);
	err = firewall_new(&fresh, conf->ifname);
	if (err == 0)
		err = load(fresh, conf);
	if (err == 0)
		*f = fresh;
	else
		firewall_free(fresh);
	return err;
}

void firewall_free(struct firewall *f)
{
	if (f == NULL)
		return;
	if (f->nft != NULL)
		nft_ctx_free(f->nft);
	free(f);
}
