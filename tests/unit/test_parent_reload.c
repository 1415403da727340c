/*
 * test_parent_reload.c - the configuration is read again, and what if not all
 * of it can be had
 *
 * The rest of the parent is played by this file; the configuration is a file.
 */
#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../src/log.h"
#include "../../src/parent.h"

static struct world {
	struct parent p;
	char file[32];
	bool filtered;		/* rules are loaded */
	bool was_open;		/* there was a moment without */
	bool rules_fail, rules_once, sockets_fail, slow, no_resolver;
	unsigned renewed, asked_done, names;
	int done, status;
} w;

/* ---- the rest of the parent ---- */

int firewall_set(struct firewall **f, const struct conf *conf)
{
	(void)f;
	if (conf->firewall && w.rules_fail)
		return -EPERM;
	w.rules_fail |= w.rules_once;
	w.filtered = conf->firewall;
	w.was_open |= !w.filtered;
	return 0;
}

int parent_reopen(struct parent *p, const struct conf *next)
{
	(void)p;
	(void)next;
	return w.sockets_fail ? -1 : 0;
}

void loop_stop(struct loop *l, int status)
{
	(void)l;
	w.status = status;
}

int parent_names_ask(struct parent *p, const struct conf *conf)
{
	p->names.conf = *conf;
	p->names.child.pid = w.slow && !w.no_resolver;
	w.names += w.slow;
	return w.no_resolver ? -1 : !w.slow;
}

void resolve_tick(struct parent *p, uint64_t now)
{
	(void)p;
	(void)now;
}

void parent_ask_done(struct parent *p, int error)
{
	(void)p;
	w.asked_done++;
	w.done = error;
}

void parent_ask_listen(struct parent *p, bool on)
{
	(void)p;
	(void)on;
}

void parent_engine_renew(struct parent *p)
{
	(void)p;
	w.renewed++;
}

void parent_link_reload(struct parent *p, const struct conf *next)
{
	(void)p;
	(void)next;
}

void parent_sunset_look(struct parent *p, bool at_once)
{
	(void)p;
	(void)at_once;
}

void parent_sunset_take(struct parent *p)
{
	(void)p;
}

/* ---- */

static void swallow(void *ctx, int level, const char *line)
{
	(void)ctx;
	(void)level;
	(void)line;
}

/* The file is of a client, and these lines. */
static void write_conf(const char *lines)
{
	FILE *f = fopen(w.file, "w");

	assert_non_null(f);
	fprintf(f, "RelayType client\nServerAddress 192.0.2.1\n%s", lines);
	assert_int_equal(fclose(f), 0);
}

static int setup(void **state)
{
	(void)state;
	memset(&w, 0, sizeof(w));
	strcpy(w.file, "/tmp/reload-XXXXXX");
	close(mkstemp(w.file));
	w.p.opt.program = CONF_MIREDO;
	w.p.opt.conf_file = w.file;
	log_to_sink(swallow, NULL);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	return unlink(w.file);
}

/* The service runs with these lines. */
static void run_with(const char *lines)
{
	write_conf(lines);
	assert_true(parent_read_conf(&w.p.opt, &w.p.conf));
	assert_int_equal(firewall_set(&w.p.firewall, &w.p.conf), 0);
	w.was_open = false;
}

static bool reload_with(const char *lines)
{
	write_conf(lines);
	return parent_reload(&w.p);
}

static void a_new_configuration_is_taken_when_the_engine_is_gone(void **state)
{
	(void)state;
	run_with("InboundFirewall disabled\n");
	assert_true(reload_with("InboundFirewall enabled\nBindPort 4000\n"));
	assert_int_equal(w.renewed, 1);
	assert_false(w.p.conf.firewall);
	parent_reload_finish(&w.p);
	assert_true(w.p.conf.firewall);
	assert_true(w.filtered);
	assert_int_equal(w.asked_done, 0);	/* when it serves */
	assert_true(reload_with("InboundFirewall disabled\n"));
	parent_reload_finish(&w.p);
	assert_false(w.filtered);
}

/* What an administrator asked for is under way; a SIGHUP finds errors. */
static void errors_do_not_end_the_reload_before(void **state)
{
	(void)state;
	run_with("");
	assert_true(reload_with("BindPort 4000\n"));
	assert_false(reload_with("BindPort nonsense\n"));
	assert_int_equal(w.asked_done, 0);
	assert_int_equal(w.renewed, 1);
	parent_reload_finish(&w.p);
	assert_int_equal(w.p.conf.bind_port, 4000);
}

/* P17 */
static void the_firewall_stays_when_the_sockets_cannot_be_had(void **state)
{
	(void)state;
	run_with("InboundFirewall enabled\n");
	w.sockets_fail = true;
	assert_true(reload_with("InboundFirewall disabled\nBindPort 4000\n"));
	w.rules_fail = true;	/* nothing could be loaded again */
	parent_reload_finish(&w.p);
	assert_false(w.was_open);
	assert_true(w.p.conf.firewall);
	assert_int_equal(w.asked_done, 1);
	assert_int_equal(w.done, -EINVAL);
	assert_int_equal(w.status, 0);
}

static void without_the_new_rules_nothing_changes(void **state)
{
	(void)state;
	run_with("InboundFirewall disabled\n");
	w.rules_fail = true;
	assert_true(reload_with("InboundFirewall enabled\n"));
	parent_reload_finish(&w.p);
	assert_false(w.p.conf.firewall);
	assert_int_equal(w.done, -EINVAL);
}

static void new_rules_go_when_the_sockets_cannot_be_had(void **state)
{
	(void)state;
	run_with("InboundFirewall disabled\n");
	w.sockets_fail = true;
	assert_true(reload_with("InboundFirewall enabled\nBindPort 4000\n"));
	parent_reload_finish(&w.p);
	assert_false(w.filtered);
	assert_int_equal(w.status, 0);
}

/* It was let in what the configuration before does not let in. */
static void rules_that_do_not_come_back_end_the_service(void **state)
{
	(void)state;
	run_with("InboundFirewall enabled\n");
	assert_true(reload_with("InboundFirewall enabled\n"
				"InboundAllow tcp/22\nBindPort 4000\n"));
	w.sockets_fail = true;
	/* loaded once more, and then not */
	w.rules_once = true;
	parent_reload_finish(&w.p);
	assert_int_equal(w.status, EX_OSERR);
	assert_false(w.was_open);
}

/* Meanwhile the old engine serves. */
static void names_are_waited_for(void **state)
{
	struct conf *named = &w.p.names.conf;

	(void)state;
	run_with("");
	w.slow = true;
	assert_true(reload_with("BindAddress here.example.net\n"));
	assert_int_equal(w.names, 1);
	assert_int_equal(w.renewed, 0);
	strcpy(named->bind_address, "192.0.2.9");
	parent_reload_named(&w.p, named, true);
	assert_int_equal(w.renewed, 1);
	assert_int_equal(w.asked_done, 0);
	assert_string_equal(w.p.next.bind_address, "192.0.2.9");
}

static void a_name_that_is_not_found_changes_nothing(void **state)
{
	(void)state;
	run_with("");
	w.slow = true;
	assert_true(reload_with("BindAddress here.example.net\n"));
	parent_reload_named(&w.p, &w.p.names.conf, false);
	assert_int_equal(w.renewed, 0);
	assert_false(w.p.reload);
	assert_int_equal(w.asked_done, 1);
	assert_int_equal(w.done, -EINVAL);
}

/* A SIGHUP ends the wait for the names of a reload that somebody asked for, and
 * fails: nothing will come that could tell him. */
static void who_asked_is_told_when_a_later_reload_fails(void **state)
{
	(void)state;
	run_with("");
	w.slow = true;
	assert_true(reload_with("BindAddress here.example.net\n"));
	assert_false(reload_with("BindPort nonsense\n"));
	assert_int_equal(w.asked_done, 0);	/* the wait goes on */
	w.no_resolver = true;
	assert_false(reload_with("BindAddress there.example.net\n"));
	assert_int_equal(w.asked_done, 1);
	assert_int_equal(w.done, -EINVAL);
	assert_int_equal(w.renewed, 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_new_configuration_is_taken_when_the_engine_is_gone),
		T(errors_do_not_end_the_reload_before),
		T(the_firewall_stays_when_the_sockets_cannot_be_had),
		T(without_the_new_rules_nothing_changes),
		T(new_rules_go_when_the_sockets_cannot_be_had),
		T(rules_that_do_not_come_back_end_the_service),
		T(names_are_waited_for),
		T(a_name_that_is_not_found_changes_nothing),
		T(who_asked_is_told_when_a_later_reload_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
