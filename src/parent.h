/*
 * parent.h - the privileged helper and supervisor
 *
 * What the files of the parent share: parent.c (life of the engine),
 * parent_open.c (descriptors), parent_datapath.c (offloads),
 * parent_discovery.c (local clients),
 * parent_link.c (the interface and what the host has), parent_reload.c
 * (SIGHUP), parent_ask.c (the control socket), parent_stand_in.c (the same,
 * without an engine), parent_health.c (what is wrong), parent_sunset.c (when
 * not to serve), parent_names.c (names of our own addresses), resolve.c (of
 * servers), priv_serve.c (the engine's requests). One struct per process,
 * handed to everybody.
 */
#ifndef MIREDO_PARENT_H
#define MIREDO_PARENT_H

#include <stdbool.h>
#include <stdint.h>

#include "../libtun6/netconf.h"
#include "child.h"
#include "conf.h"
#include "firewall.h"
#include "keys.h"
#include "known.h"
#include "log_limit.h"
#include "loop.h"
#include "priv.h"

#define PARENT_FDS (PRIV_FD_SNAPSHOT + 1)
#define PARENT_DEATHS 6
#define PARENT_RELAY_METRIC 1024	/* of its prefix; Miredo 1.2.6's, too */
/* It needs 20 while it asks a resolver, of whom there may be eight, and
 * CTL_CONNECTIONS and two when it stands in for an engine. */
#define PARENT_DESCRIPTORS 56

/* How it was started; all paths are absolute. */
struct parent_options {
	const char *ident;	/* "miredo" or "miredo-server" */
	enum conf_program program;
	const char *conf_file;
	const char *server_name;	/* NULL: none given */
	const char *run_dir;
	const char *state_dir;	/* for what is kept until the next start */
	bool syslog;
	int launcher;		/* daemon: told when ready; else -1 */
	int notify;		/* service manager's socket or -1 */
	uint64_t watchdog;	/* ns between signs of life to it; 0: none */
	struct child_env child;
};

enum parent_timer {
	PARENT_TICK,		/* twice a second: who hangs? */
	PARENT_RESPAWN,
	PARENT_UNHEALTHY,	/* carrier falls */
	PARENT_NET,		/* notices have settled */
	PARENT_NATIVE,		/* IPv6 by other means came, or went, to stay */
	PARENT_TIMERS
};

/* What the interface shall look like; mended when it does not. */
struct parent_link {
	int ifindex;		/* 0: no interface (server, or deleted) */
	bool raised;		/* we set it up */
	bool down_said;		/* the administrator set it down, and we said so */
	int gone_said;		/* why it is not here, -errno, and we said so */
	bool up;		/* client: has an address */
	uint8_t addr[16];
	uint32_t mtu;
	int carrier;		/* as set last; -1: unknown */
	uint32_t carrier_at;	/* when that was, s of CLOCK_BOOTTIME */
	bool held;		/* the engine asked for no carrier */
	bool withheld;		/* and an administrator */
	bool broken;		/* what it shall have was refused */
	bool renamed;		/* its name is another one */
	bool no_ipv4;		/* no way out for us */
	bool many_said;		/* more addresses than are looked at */
	bool homeless;		/* the host lost the address we are bound to */
};

struct parent_engine {
	struct child child;
	bool ready;
	bool ending;		/* told to end, for a reload */
	bool stopped;		/* by a signal */
	unsigned silent;	/* quarters of ticks since it was heard */
	uint64_t used;		/* processor time it had at the last tick, ns */
	uint32_t health;	/* as it told last: bits of enum health */
	unsigned deaths;	/* counts on */
	uint64_t died[PARENT_DEATHS];
	unsigned recent;	/* deaths within a minute, at the last one */
	char fate[48];		/* how the last one ended */
	uint64_t down_since;	/* one ends after the other; 0: they do not */
	unsigned served;	/* engines that were ready */
	struct log_limit log_limit;
	unsigned log_lines, log_suppressed;
	uint64_t log_window;
};

/* One question, or two, to a resolver process of its own. */
struct parent_resolve {
	struct child child;	/* pid 0: free */
	struct parent *parent;
	unsigned server;
	uint64_t deadline;
	unsigned waiting;	/* bits: first, second name */
	uint32_t ip, ip2;
	uint32_t last;		/* given for the first name */
	bool again;		/* with its second resolver */
	bool failing;		/* the last answer was none, and was said */
	bool named;		/* not a dotted quad */
	bool recalled;		/* the engine has the last known one */
};

/* Names of our own addresses, for a reload. */
struct parent_names {
	struct child child;	/* pid 0: nobody is asked */
	uint64_t deadline;
	uint32_t waiting;	/* bits */
	struct conf conf;
};

struct parent {
	struct parent_options opt;
	struct conf conf;
	struct loop *loop;
	struct netconf *nc;
	uint64_t due[PARENT_TIMERS];
	int fd[PARENT_FDS];	/* by enum priv_fd; -1: none */
	bool vnet;		/* the tun has virtio-net headers */
	bool datapath_said;
	struct priv_config config;	/* what an engine is told */
	struct auth_keys keys;		/* the same; for every next one, too */
	struct priv_policy policy;
	struct priv_netchange net;	/* what an engine is told of the host */
	struct priv_netchange net_told;	/* what it knows of that */
	int link_joined;	/* where local clients are listened to; 0: no */
	uint64_t way;
	int native;		/* interface with IPv6 by other means; 0: none */
	bool beside;		/* it is a relay's */
	bool ended;		/* the SunsetDate has come */
	unsigned sunset_said;	/* how near it was when that was said */
	struct parent_link link;
	struct firewall *firewall;	/* NULL: none is loaded */
	struct parent_engine engine;
	struct parent_resolve resolve[PRIV_SERVERS];
	struct parent_names names;
	struct known known;
	bool ever_ready;
	bool reload;		/* next engine has this: */
	struct conf next;
	struct auth_keys next_keys;
	uint64_t notified;
	struct priv_link told;		/* what the engine knows of p->link */
	char status_said[300];		/* to the service manager */
	char control[108];	/* path of the control socket; "": none */
	struct ctl_server *stand_in;	/* NULL: none; the engine serves */
	int asker;		/* who asked for the reload; -1: nobody */
};

/* ---- parent.c ---- */

/* Runs until a signal or a failure ends it: the exit status. */
int parent_run(const struct parent_options *opt, const struct conf *conf);
void parent_timer(struct parent *p, enum parent_timer t, uint64_t when);
/* The engine serves. */
void parent_ready(struct parent *p);
/* The engine said what it may not: it is killed. why NULL: it closed its end,
 * and is killed unless it was told to end. */
void parent_engine_bad(struct parent *p, const char *why);
/* Tells the engine to end; the next one is started when it has. */
void parent_engine_renew(struct parent *p);
/* One message to the engine; an engine that does not read is killed. */
void parent_send(struct parent *p, const void *msg, size_t len, int fd);

/* ---- parent_open.c ---- */

/* Opens everything; ends the process with a message and a remedy. */
void parent_open(struct parent *p);
/* Fills p->config from p->conf and the descriptors; sets the policy. */
void parent_configure(struct parent *p);
/* Sockets for `next`: changes p->fd, or says why not and changes nothing. */
int parent_reopen(struct parent *p, const struct conf *next);
/* Opens a client's second port, of any number, in the place of the one before,
 * or closes it. 0 or -errno. */
int parent_secondary(struct parent *p, bool open);

/* ---- parent_datapath.c ---- */

/* Sets p->config.datapath and the descriptors to what DataPath wants and this
 * kernel has; says what that is. */
void parent_datapath_set(struct parent *p);
/* The tun's part alone: asks for `want`, bits of enum datapath; what is got. */
uint32_t parent_datapath_tun(const struct parent *p, uint32_t want);

/* ---- parent_discovery.c ---- */

/* Opens or closes the client's ear for its link, as p->conf and the role in
 * p->config have it. What fails is said, and is no reason to end. */
void parent_discovery_open(struct parent *p);
/* Listens to the link that our packets leave by, as the host is now, and
 * fills p->net with its subnets. */
void parent_discovery_look(struct parent *p, const struct netconf_host *host);

/* ---- parent_link.c ---- */

/* Settings of a fresh interface; of a relay also address and route. */
int parent_link_begin(struct parent *p);
/* What it means that they, or parent_link_up(), gave that: a text that the next
 * call replaces. */
const char *parent_link_error(struct parent *p, int err);
int parent_link_up(struct parent *p, const uint8_t addr[16], uint32_t mtu);
/* Takes away what the role of p->config has on it; another role follows. */
void parent_link_leave(struct parent *p);
/* What `next` changes of it, before p->conf becomes `next`. */
void parent_link_reload(struct parent *p, const struct conf *next);
/* Carrier as health, the engine's and the administrator's wish want it. */
void parent_link_carrier(struct parent *p);
/* Without carrier: throws away what waits for an engine, and is old. */
void parent_link_discard(struct parent *p);
/* What changed on the host: mends the interface, tells the engine. */
int parent_net_watch(struct parent *p);
void parent_net_settled(struct parent *p);
/* Time has passed us by: the engine shall ask whether all is as it was. */
void parent_net_slept(struct parent *p);
/* Brings p->net, what an engine is told, up to date. */
void parent_net_look(struct parent *p);
/* Tells it, if there is any news, or `anyway`. */
void parent_net_tell(struct parent *p, bool anyway);
/* The resolver gave this address of a server. */
void parent_net_server(struct parent *p, uint32_t ip);

/* ---- parent_health.c ---- */

/* Tells the engine how interface and host are, if that has changed, or
 * `anyway`. */
void parent_health_tell(struct parent *p, bool anyway);
/* Tells the service manager how we are, in one line. */
void parent_health_say(struct parent *p);

/* ---- parent_reload.c ---- */

/* Reads opt->conf_file; what is wrong with it is logged. */
bool parent_read_conf(const struct parent_options *opt, struct conf *conf);
/* Reads the secrets that p->conf names into p->keys; what is wrong is logged:
 * false. */
bool parent_read_keys(struct parent *p);
/* Reads the configuration again, and what it needs, which may take a while.
 * Errors: said, the old one stays, false. */
bool parent_reload(struct parent *p);
/* The names of `next` are addresses, or not `found`: which, was said. */
void parent_reload_named(struct parent *p, const struct conf *next, bool found);
/* The engine is gone: takes the new configuration over. */
void parent_reload_finish(struct parent *p);

/* ---- parent_names.c ---- */

/* Puts addresses in the place of names for what we bind and advertise; waits
 * for them, 10 s at most. false: said which cannot be resolved. */
bool parent_names_wait(struct parent *p, struct conf *conf);
/* The same for a reload, of a copy. 1: there were none, and p->names.conf has
 * the addresses as they are written usually; 0: parent_reload_named() follows;
 * -1: said why not. Who asked before gets no answer. */
int parent_names_ask(struct parent *p, const struct conf *conf);
/* Ends what takes longer than 10 s, and with `now` UINT64_MAX all, silently. */
void parent_names_tick(struct parent *p, uint64_t now);

/* ---- parent_ask.c ---- */

/* Does what PRIV_RELOAD or PRIV_ANNOUNCE want, and answers to the connection,
 * which it takes; one that nobody who may ask has made ends the engine. */
void parent_ask(struct parent *p, uint32_t verb, uint32_t value, int fd);
/* It is asked for too often. */
void parent_ask_refuse(struct parent *p, uint32_t verb, int fd);
/* Whether what is logged now is about the reload that somebody asked for. */
void parent_ask_listen(struct parent *p, bool on);
/* That reload has ended; nothing where nobody asked. */
void parent_ask_done(struct parent *p, int error);

/* ---- parent_stand_in.c ---- */

/* Engines end again and again, the last one in this way: answers at the
 * control socket until parent_stand_in_end(). */
void parent_stand_in(struct parent *p, const char *fate);
void parent_stand_in_tick(struct parent *p, uint64_t now);
void parent_stand_in_end(struct parent *p);

/* ---- parent_sunset.c ---- */

/* The role for now, enum priv_role. */
uint32_t parent_role(const struct parent *p);
/* Looks for IPv6 by other means, a change of which has to last; `at_once`,
 * which is at the start and with another configuration, not, and the date is
 * looked at, too. */
void parent_sunset_look(struct parent *p, bool at_once);
/* Looks at the date. */
void parent_sunset_tick(struct parent *p);
/* PARENT_NATIVE is due. */
void parent_sunset_native(struct parent *p);
/* Between two engines: makes the next one's role that for now. */
void parent_sunset_take(struct parent *p);

/* ---- resolve.c ---- */

/* Asks a resolver, which may be asked more. 0 or -errno. */
int resolve_send(const struct child *c, unsigned id, const char *name);
/* One answer. 1: got it, 0: nothing there yet, -1: no use of this child. */
int resolve_receive(const struct child *c, struct priv_told *told);
/* Asks for server number `server`; the answer goes to the engine. */
void resolve_ask(struct parent *p, unsigned server);
/* Whether a server's name has no address, or nobody has said so for 2 s. */
bool resolve_is_failing(const struct parent *p, uint64_t now);
/* Ends what takes longer than 10 s, and all with `now` UINT64_MAX. */
void resolve_tick(struct parent *p, uint64_t now);

/* ---- priv_serve.c ---- */

/* loop_fn for the engine's socket; ctx is the parent. */
void priv_serve(void *ctx, uint32_t events);
/* Tells how many of the engine's lines were not logged; UINT64_MAX: all. */
void priv_serve_tick(struct parent *p, uint64_t now);

#endif
