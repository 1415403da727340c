/*
 * conf.h - the configuration: miredo.conf(5) and miredo-server.conf
 *
 * The only module that sees <confuse.h>. Both syntaxes, Miredo's own
 * "Directive value" (conf_miredo.c) and libconfuse's "Directive = value",
 * give the same struct. Nothing here resolves names or asks the kernel, so
 * that miredo-checkconf never needs DNS.
 */
#ifndef MIREDO_CONF_H
#define MIREDO_CONF_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define CONF_NAME_MAX	256	/* of a host name, with its NUL */
#define CONF_SERVERS	8
#define CONF_PATH_MAX	256
#define CONF_ID_MAX	65	/* with its NUL */
#define CONF_DIRECTIVES_MAX 48

/* Which of the kernel's offloads are used; OFFLOAD: a missing one is said. */
enum conf_datapath {
	CONF_DATAPATH_AUTO,
	CONF_DATAPATH_OFFLOAD,
	CONF_DATAPATH_PLAIN
};

/* What a client is while there is IPv6 by other means (RFC 4380 5.5). */
enum conf_native { CONF_NATIVE_RELAY, CONF_NATIVE_SLEEP, CONF_NATIVE_IGNORE };

enum conf_role {
	CONF_CLIENT = 1,
	CONF_RELAY,
	CONF_SERVER,
	CONF_SERVER_RELAY	/* both in one (RFC 4380 5.4.3) */
};

/* PeerAllow, PeerDeny: whom we speak with. */
#define CONF_ACCESS 32
struct conf_access {
	uint32_t ip;			/* no bits behind the prefix */
	uint8_t bits;
	bool allow;
	unsigned line;			/* of the file */
};

/* InboundAllow: who may come in by the tunnel, and to what. */
#define CONF_INBOUND 32
enum conf_inbound_protocol {
	CONF_INBOUND_ANY,
	CONF_INBOUND_TCP,
	CONF_INBOUND_UDP
};
struct conf_inbound {
	enum conf_inbound_protocol protocol;
	uint16_t first, last;		/* ports, host order; not of ANY */
	uint8_t addr[16];
	uint8_t bits;			/* of addr; 0: from anywhere */
	unsigned line;			/* of the file */
};

/* Where a value stands, for messages at start-up. line 0: in no file (default
 * or command line). Columns count octets from 1. */
struct conf_place {
	unsigned line, column;
};

struct conf_server {
	char name[CONF_NAME_MAX];	/* host name or dotted quad */
	char name2[CONF_NAME_MAX];	/* second address, "": first + 1 */
	struct conf_place place, place2;
};

struct conf {
	enum conf_role role;
	char file[256];
	/* where the setting of a directive stands that counts, by its number
	 * in the table; 0: in no file */
	unsigned line[CONF_DIRECTIVES_MAX];
	char ifname[IF_NAMESIZE];	/* client and relay: never "" */
	uint32_t mtu;			/* 1280..65507; client: 1280 */
	int facility;			/* LOG_DAEMON ... */
	uint32_t prefix;		/* octets 0-3, network order */
	unsigned n_access;
	struct conf_access access[CONF_ACCESS];
	enum conf_datapath datapath;
	uint32_t max_peers;		/* of client and relay; server: 0 */
	/* client and relay */
	char bind_address[CONF_NAME_MAX];	/* "": any (also 0.0.0.0) */
	struct conf_place bind_address_place;
	uint16_t bind_port;		/* host order; 0: any */
	struct conf_place bind_port_place;
	/* client */
	unsigned n_servers;
	struct conf_server server[CONF_SERVERS];
	char client_id[CONF_ID_MAX];	/* "": the only one of the key file */
	bool firewall;			/* InboundFirewall */
	unsigned n_inbound;
	struct conf_inbound inbound[CONF_INBOUND];
	enum conf_native native;	/* NativeIPv6 */
	uint32_t refresh;		/* s */
	bool find_refresh;		/* RefreshInterval auto */
	unsigned discovery;		/* enum teredo_discovery */
	/* client and server */
	char key_file[CONF_PATH_MAX];	/* "": none */
	struct conf_place key_file_place;
	/* relay and server */
	uint32_t sunset;		/* SunsetDate: days since 1970; 0: none */
	/* relay */
	bool host_local;		/* RelayScope host */
	bool restricted;		/* RelayType restricted */
	/* server */
	char server_bind[CONF_NAME_MAX];
	char server_bind2[CONF_NAME_MAX];	/* "": first + 1 */
	bool server_single;		/* ServerBindAddress2 none */
	bool require_auth;		/* RequireAuthentication yes */
	char server_public[CONF_NAME_MAX];	/* "": the bound one */
	/* "": server_public + 1 if that is set, else the bound one */
	char server_public2[CONF_NAME_MAX];
	struct conf_place server_bind_place, server_bind2_place;
	struct conf_place server_public_place, server_public2_place;
};

static inline bool conf_is_server(const struct conf *conf)
{
	return conf->role == CONF_SERVER || conf->role == CONF_SERVER_RELAY;
}

/* Which of the two programs reads: their directives differ. */
enum conf_program { CONF_MIREDO, CONF_MIREDO_SERVER };

/*
 * Reads `file` completely and says every error and warning on `err`, as
 * "file:line:column: error: ..." with the source line and a caret. Returns the
 * number of errors; 0: *conf is valid. -errno: the file cannot be read (said
 * on err too). server_name, when not NULL, is the command line's SERVER_NAME:
 * it overrides ServerAddress (client) or ServerBindAddress (server), and a
 * file that does not exist is then an empty one. Not for two threads.
 */
int conf_read(struct conf *conf, enum conf_program program, const char *file,
	      const char *server_name, FILE *err);

/* The same for len octets of text; `file` is their name in messages. */
int conf_parse(struct conf *conf, enum conf_program program, const char *file,
	       const char *text, size_t len, const char *server_name,
	       FILE *err);

/* Writes the effective configuration, a directive a line; with origins: behind
 * each, as a comment, which line of the file says so. */
void conf_print(const struct conf *conf, bool origins, FILE *out);

#endif
