/*
 * parent_reload.c - the configuration is read again
 *
 * At SIGHUP, or when an administrator asks at the control socket
 * (parent_ask.c), who is told how it went.
 *
 * A configuration with errors changes nothing: they are logged and everything
 * goes on. Else the engine is told to end, sockets whose address or port
 * changed are opened anew, and a new engine goes on from the snapshot: same
 * interface, same Teredo address, same UDP port where those were not what
 * changed.
 *
 * Names of our own addresses are looked up while the old engine still serves
 * (parent_names.c).
 *
 * What was made by root cannot be made again: the role and the interface's
 * name, which is in the name of the control socket, stay until a restart; and
 * so does the number of peers that the snapshot was made for. A configuration
 * that changes them is refused as a whole, so that what runs is always one
 * configuration.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "failure.h"
#include "log.h"
#include "parent.h"

static void log_lines(int level, char *text)
{
	char *line;

	while ((line = strsep(&text, "\n")) != NULL)
		if (line[0] != '\0')
			log_line(level, "%s", line);
}

bool parent_read_conf(const struct parent_options *opt, struct conf *conf)
{
	char *text = NULL;
	size_t size;
	FILE *err = open_memstream(&text, &size);
	int errors;

	if (err == NULL) {
		log_line(LOG_ERR, "out of memory");
		return false;
	}
	errors = conf_read(conf, opt->program, opt->conf_file,
			   opt->server_name, err);
	fclose(err);
	log_lines(errors != 0 ? LOG_ERR : LOG_WARNING, text);
	free(text);
	return errors == 0;
}

/* keys_read() with what it says logged. */
static int read_keys(const struct parent *p, const struct conf *conf,
		     struct auth_keys *keys)
{
	char *text = NULL;
	size_t size;
	FILE *err = open_memstream(&text, &size);
	int n;

	if (err == NULL) {
		log_line(LOG_ERR, "out of memory");
		return 1;
	}
	n = keys_read(keys, conf, p->opt.child.uid, err);
	if (n < 0)
		keys_say_unreadable(conf, -n, "error", err);
	if (n == -EACCES && access(conf->key_file, R_OK) == 0)
		fprintf(err, "a KeyFile in another directory than at the "
			     "start can be read after a restart only\n");
	fclose(err);
	log_lines(n != 0 ? LOG_ERR : LOG_WARNING, text);
	free(text);
	return n;
}

bool parent_read_keys(struct parent *p)
{
	return read_keys(p, &p->conf, &p->keys) == 0;
}

/*
 * The secrets of the next configuration. A file that was root's alone cannot
 * be read any more: then what was read from it stays.
 */
static bool reload_keys(const struct parent *p, const struct conf *next,
			struct auth_keys *keys)
{
	int n = read_keys(p, next, keys);

	if (n >= 0 || strcmp(next->key_file, p->conf.key_file) != 0 ||
	    strcmp(next->client_id, p->conf.client_id) != 0)
		return n == 0;
	log_line(LOG_WARNING, "reload: the old keys stay; make %s the service "
			      "user's", next->key_file);
	*keys = p->keys;
	return true;
}

static bool reload_may(const struct parent *p, const struct conf *next)
{
	if (next->role == p->conf.role &&
	    strcmp(next->ifname, p->conf.ifname) == 0 &&
	    next->max_peers == p->conf.max_peers)
		return true;
	log_line(LOG_ERR, "%s: RelayType, InterfaceName and MaxPeers cannot "
			  "change while running: restart", p->opt.conf_file);
	return false;
}

/* All of `next` is there but the keys, which are read last. */
static bool reload_begin(struct parent *p, const struct conf *next)
{
	static struct auth_keys keys;	/* p->next may have to stay */

	if (!reload_keys(p, next, &keys))
		return false;
	p->next = *next;
	p->next_keys = keys;
	keys_wipe(&keys);
	p->reload = true;
	parent_engine_renew(p);
	return true;
}

static void reload_refused(void)
{
	log_line(LOG_ERR, "reload: the old configuration stays");
}

void parent_reload_named(struct parent *p, const struct conf *next, bool found)
{
	if (found && reload_begin(p, next))
		return;
	reload_refused();
	parent_ask_done(p, -EINVAL);
}

bool parent_reload(struct parent *p)
{
	static struct conf next;
	bool waited = p->names.child.pid != 0;	/* for names of one before */
	int named = -1;

	if (parent_read_conf(&p->opt, &next) && reload_may(p, &next))
		named = parent_names_ask(p, &next);
	if (named == 0 || (named == 1 && reload_begin(p, &p->names.conf)))
		return true;
	if (waited && p->names.child.pid == 0) {	/* it has ended, too */
		parent_ask_listen(p, true);
		parent_reload_named(p, &next, false);
	} else {
		reload_refused();
	}
	return false;
}

/*
 * Sockets and rules of p->next, or those of p->conf. At no time is there less
 * of a firewall than the running configuration has: rules are loaded before
 * anything else, which changes nothing when it fails, and given up last, which
 * cannot fail.
 */
static int reload_open(struct parent *p)
{
	bool rules = p->next.firewall;

	if (rules && firewall_set(&p->firewall, &p->next) < 0)
		return -1;
	if (parent_reopen(p, &p->next) == 0)
		return rules ? 0 : firewall_set(&p->firewall, &p->next);
	if (rules && firewall_set(&p->firewall, &p->conf) < 0) {
		log_line(LOG_CRIT, "InboundFirewall: the old rules cannot be "
				   "loaded again: ending");
		failure_tell("gave up: the rules of InboundFirewall cannot be "
			     "loaded again after a reload that failed");
		loop_stop(p->loop, EX_OSERR);
	}
	return -1;
}

static void reload_take(struct parent *p)
{
	p->reload = false;
	resolve_tick(p, UINT64_MAX);	/* nobody waits for the answers */
	if (reload_open(p) < 0) {
		keys_wipe(&p->next_keys);
		reload_refused();
		parent_ask_done(p, -EINVAL);
		return;
	}
	if (p->next.facility != p->conf.facility && p->opt.syslog)
		log_to_syslog(p->opt.ident, p->next.facility);
	parent_link_reload(p, &p->next);
	p->conf = p->next;
	p->keys = p->next_keys;
	keys_wipe(&p->next_keys);
	p->sunset_said = 0;
	parent_sunset_look(p, true);
	log_line(LOG_NOTICE, "reloaded %s", p->opt.conf_file);
}

void parent_reload_finish(struct parent *p)
{
	parent_ask_listen(p, true);
	if (p->reload)
		reload_take(p);
	parent_sunset_take(p);
	parent_ask_listen(p, false);
}
