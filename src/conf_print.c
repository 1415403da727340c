/*
 * conf_print.c - the effective configuration, a directive a line
 *
 * What is printed is a configuration in Miredo's syntax that gives the same
 * behaviour: defaults are spelt out, ignored directives are left out. Reading
 * it again and printing that prints the same, but for the origins, which stand
 * behind the values as comments: file and line, or "default".
 */
#include "config.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <string.h>

#include "../libteredo/teredo.h"
#include "conf.h"
#include "conf_directive.h"
#include "conf_value.h"
#include "date.h"

#define ORIGIN_COLUMN 40

struct printer {
	const struct conf *conf;
	FILE *out;
	bool origins;
};

/* Ends a line of so many columns; line 0: no line of the file says so. */
static void end_line(const struct printer *p, int columns, unsigned line)
{
	int pad = columns < ORIGIN_COLUMN ? ORIGIN_COLUMN - columns : 0;

	if (!p->origins)
		fputc('\n', p->out);
	else if (line == 0)
		fprintf(p->out, "%*s # default\n", pad, "");
	else
		fprintf(p->out, "%*s # %s:%u\n", pad, "", p->conf->file, line);
}

/* One value of several; nothing if it is "". */
static void put_at(const struct printer *p, const char *name, const char *value,
		   unsigned line)
{
	if (value[0] != '\0')
		end_line(p, fprintf(p->out, "%s %s", name, value), line);
}

static void put(const struct printer *p, const char *name, const char *value)
{
	put_at(p, name, value, p->conf->line[conf_directive_find(name)]);
}

static void put_number(const struct printer *p, const char *name, unsigned n)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", n);
	put(p, name, text);
}

static void print_datapath(const struct printer *p)
{
	const struct conf *conf = p->conf;
	static const char *const words[] = {
		[CONF_DATAPATH_AUTO] = "auto",
		[CONF_DATAPATH_OFFLOAD] = "offload",
		[CONF_DATAPATH_PLAIN] = "plain",
	};

	if (conf->max_peers != 0)
		put_number(p, "MaxPeers", conf->max_peers);
	put(p, "DataPath", words[conf->datapath]);
}

static void print_prefix(const struct printer *p)
{
	const struct conf *conf = p->conf;
	struct in6_addr prefix = {{{0}}};
	char text[INET6_ADDRSTRLEN + 4];

	memcpy(prefix.s6_addr, &conf->prefix, sizeof(conf->prefix));
	inet_ntop(AF_INET6, &prefix, text, INET6_ADDRSTRLEN);
	strcat(text, "/32");
	put(p, "Prefix", text);
	put_number(p, "InterfaceMTU", conf->mtu);
}

static void print_bind(const struct printer *p)
{
	const struct conf *conf = p->conf;

	put(p, "BindAddress",
	    conf->bind_address[0] != '\0' ? conf->bind_address : "0.0.0.0");
	put_number(p, "BindPort", conf->bind_port);
}

static void print_access(const struct printer *p)
{
	const struct conf *conf = p->conf;

	for (unsigned i = 0; i < conf->n_access; i++) {
		const struct conf_access *rule = &conf->access[i];
		char text[INET_ADDRSTRLEN];

		inet_ntop(AF_INET, &rule->ip, text, sizeof(text));
		end_line(p,
			 fprintf(p->out, "%s %s/%u",
				 rule->allow ? "PeerAllow" : "PeerDeny", text,
				 rule->bits),
			 rule->line);
	}
}

static void print_firewall(const struct printer *p)
{
	const struct conf *conf = p->conf;
	static const char *const protocol[] = {
		[CONF_INBOUND_TCP] = "tcp",
		[CONF_INBOUND_UDP] = "udp",
	};
	char addr[INET6_ADDRSTRLEN];
	int n;

	put(p, "InboundFirewall", conf->firewall ? "enabled" : "disabled");
	for (unsigned i = 0; i < conf->n_inbound; i++) {
		const struct conf_inbound *rule = &conf->inbound[i];

		n = fprintf(p->out, "InboundAllow ");
		if (rule->protocol == CONF_INBOUND_ANY)
			n += fprintf(p->out, "any");
		else
			n += fprintf(p->out, "%s/%u", protocol[rule->protocol],
				     rule->first);
		if (rule->last != rule->first)
			n += fprintf(p->out, "-%u", rule->last);
		if (rule->bits != 0)
			n += fprintf(p->out, "@%s/%u",
				     inet_ntop(AF_INET6, rule->addr, addr,
					       sizeof(addr)), rule->bits);
		end_line(p, n, rule->line);
	}
}

static void print_keys(const struct printer *p)
{
	const struct conf *conf = p->conf;

	put(p, "KeyFile", conf->key_file);
	put(p, "ClientIdentifier", conf->client_id);
	if (conf->role != CONF_CLIENT && conf->key_file[0] != '\0')
		put(p, "RequireAuthentication",
		    conf->require_auth ? "yes" : "no");
}

static void print_native(const struct printer *p)
{
	const struct conf *conf = p->conf;
	static const char *const words[] = {
		[CONF_NATIVE_RELAY] = "relay",
		[CONF_NATIVE_SLEEP] = "sleep",
		[CONF_NATIVE_IGNORE] = "ignore",
	};

	put(p, "NativeIPv6", words[conf->native]);
}

static void print_sunset(const struct printer *p)
{
	const struct conf *conf = p->conf;
	char date[DATE_LEN];

	if (conf->sunset != 0)
		put(p, "SunsetDate", date_text(date, conf->sunset));
}

static void print_client(const struct printer *p)
{
	const struct conf *conf = p->conf;
	static const char *const discovery[] = {
		[TEREDO_DISCOVERY_OFF] = "disabled",
		[TEREDO_DISCOVERY_NAT] = "enabled",
		[TEREDO_DISCOVERY_ANY] = "forced",
	};

	put(p, "RelayType", "client");
	put(p, "InterfaceName", conf->ifname);
	for (unsigned i = 0; i < conf->n_servers; i++) {
		const struct conf_server *s = &conf->server[i];

		put_at(p, "ServerAddress", s->name, s->place.line);
		put_at(p, "ServerAddress2", s->name2, s->place2.line);
	}
	print_bind(p);
	if (conf->find_refresh)
		put(p, "RefreshInterval", "auto");
	else
		put_number(p, "RefreshInterval", conf->refresh);
	put(p, "LocalDiscovery", discovery[conf->discovery]);
	print_keys(p);
	print_firewall(p);
	print_native(p);
}

static void print_relay(const struct printer *p)
{
	const struct conf *conf = p->conf;

	put(p, "RelayType", conf->restricted ? "restricted" : "relay");
	put(p, "InterfaceName", conf->ifname);
	put(p, "RelayScope", conf->host_local ? "host" : "router");
	print_prefix(p);
	print_bind(p);
	print_sunset(p);
}

/* The second address: as given, or the one after the first if that is an
 * address. One after a name is only known when the name is resolved. */
static void print_second(const struct printer *p, const char *name,
			 const char *first, const char *second)
{
	char text[INET_ADDRSTRLEN];
	uint32_t ip;

	if (second[0] == '\0' && conf_value_is_ip(first, &ip)) {
		ip = htonl(ntohl(ip) + 1);
		second = inet_ntop(AF_INET, &ip, text, sizeof(text));
	}
	put(p, name, second);
}

static void print_server(const struct printer *p)
{
	const struct conf *conf = p->conf;

	put(p, "RelayType",
	    conf->role == CONF_SERVER ? "server" : "server-relay");
	put(p, "InterfaceName", conf->ifname);
	put(p, "ServerBindAddress", conf->server_bind);
	print_second(p, "ServerBindAddress2", conf->server_bind,
		     conf->server_single ? "none" : conf->server_bind2);
	put(p, "ServerPublicAddress", conf->server_public);
	if (!conf->server_single)
		print_second(p, "ServerPublicAddress2", conf->server_public,
			     conf->server_public2);
	print_prefix(p);
	print_keys(p);
	print_sunset(p);
}

void conf_print(const struct conf *conf, bool origins, FILE *out)
{
	const struct printer printer = {conf, out, origins}, *p = &printer;
	const struct conf_word *facilities;
	unsigned n = conf_value_facilities(&facilities);

	if (conf->role == CONF_CLIENT)
		print_client(p);
	else if (conf->role == CONF_RELAY)
		print_relay(p);
	else
		print_server(p);
	print_access(p);
	print_datapath(p);
	for (unsigned i = 0; i < n; i++)
		if (facilities[i].value == conf->facility && !facilities[i].old)
			put(p, "SyslogFacility", facilities[i].name);
}
