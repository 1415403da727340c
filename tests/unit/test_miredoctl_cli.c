/*
 * test_miredoctl_cli.c - the command itself: options, sockets, exit codes
 *
 * A child of the test answers at a socket as an engine does.
 */
#include "config.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../libteredo/client.h"
#include "../../src/ctl_server.h"

struct fixture {
	char dir[64];
	pid_t engine[2];
	char output[8192]; /* of the last command, both streams */
};

static void fill(void *ctx, struct ctl_status *st)
{
	const enum teredo_client_state *state = ctx;

	st->role = PRIV_CLIENT;
	st->state = *state;
	st->n_counters = TEREDO_N_COUNTERS;
	strcpy(st->instance, "teredo");
}

/* Like no good engine does. */
static void say_again(void *ctx, uint32_t from, struct ctl_peers *page)
{
	(void)ctx;
	page->next = from;
}

static const struct ctl_ops ops = {.status = fill, .peers = say_again};

static int listen_at(struct fixture *f, const char *instance)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0);

	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s/%s.sock", f->dir,
		 instance);
	assert_int_equal(bind(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	assert_int_equal(listen(fd, 16), 0);
	return fd;
}

/* Runs an engine that is in this state; the first or the second one. */
static void run_engine(struct fixture *f, int which, const char *instance,
		       enum teredo_client_state state)
{
	int fd = listen_at(f, instance);
	struct ctl_server *server;
	struct loop *loop;

	f->engine[which] = fork();
	if (f->engine[which] == 0) {
		if (loop_new(&loop) == 0 &&
		    ctl_server_new(&server, loop, fd, &ops, &state) == 0)
			loop_run(loop);
		_exit(1);
	}
	close(fd);
}

/* The exit code of the command with these arguments, run by `runner`. */
static int ctl_by(struct fixture *f, const char *runner, const char *args)
{
	const char *top = getenv("top_builddir");
	char command[512];
	size_t n;
	FILE *p;

	snprintf(command, sizeof(command),
		 "%s %s/miredoctl --run-dir %s %s 2>&1", runner,
		 top != NULL ? top : ".", f->dir, args);
	p = popen(command, "r");
	assert_non_null(p);
	n = fread(f->output, 1, sizeof(f->output) - 1, p);
	f->output[n] = '\0';
	return WEXITSTATUS(pclose(p));
}

static int ctl(struct fixture *f, const char *args)
{
	return ctl_by(f, "", args);
}

static void assert_says(const struct fixture *f, const char *text)
{
	if (strstr(f->output, text) == NULL)
		fail_msg("\"%s\" is missing in:\n%s", text, f->output);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	strcpy(f->dir, "/tmp/miredoctl.XXXXXX");
	*state = f;
	return mkdtemp(f->dir) != NULL ? 0 : -1;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	char command[128];

	for (int i = 0; i < 2; i++) {
		if (f->engine[i] <= 0)
			continue;
		kill(f->engine[i], SIGKILL);
		waitpid(f->engine[i], NULL, 0);
	}
	snprintf(command, sizeof(command), "rm -r %s", f->dir);
	assert_int_equal(system(command), 0);
	free(f);
	return 0;
}

static void what_does_not_run_is_3(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(ctl(f, "status"), 3);
	assert_says(f, "miredo is not running");
	assert_int_equal(ctl(f, "-i teredo status"), 3);
	assert_says(f, "teredo.sock");
}

static void a_qualified_client_is_0(void **state)
{
	struct fixture *f = *state;

	run_engine(f, 0, "teredo", TEREDO_CLIENT_QUALIFIED);
	assert_int_equal(ctl(f, "status"), 0);
	assert_says(f, "QUALIFIED");
	assert_int_equal(ctl(f, "-i teredo status --json"), 0);
	assert_says(f, "\"state\": \"qualified\"");
}

static void a_degraded_client_is_5(void **state)
{
	struct fixture *f = *state;

	run_engine(f, 0, "teredo", TEREDO_CLIENT_LOST);
	assert_int_equal(ctl(f, "status"), 5);
	assert_says(f, "server-unreachable");
}

static void who_is_gone_but_left_its_socket_is_passed_over(void **state)
{
	struct fixture *f = *state;

	close(listen_at(f, "stale"));
	assert_int_equal(ctl(f, "status"), 3);
	assert_int_equal(ctl(f, "-i stale status"), 3);
	run_engine(f, 0, "teredo", TEREDO_CLIENT_QUALIFIED);
	assert_int_equal(ctl(f, "status"), 0);
}

static void of_several_one_has_to_be_chosen(void **state)
{
	struct fixture *f = *state;

	run_engine(f, 0, "one", TEREDO_CLIENT_QUALIFIED);
	run_engine(f, 1, "two", TEREDO_CLIENT_PROBING);
	assert_int_equal(ctl(f, "status"), 2);
	assert_says(f, " one");
	assert_says(f, " two");
	assert_int_equal(ctl(f, "-i one status"), 0);
	assert_int_equal(ctl(f, "-i two status"), 5);
}

static void what_is_waited_for_comes_or_does_not(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(ctl(f, "status --wait qualified --timeout 0"), 1);
	assert_says(f, "no answer");
	run_engine(f, 0, "teredo", TEREDO_CLIENT_OFFLINE);
	assert_int_equal(ctl(f, "status --wait offline --json"), 0);
	assert_int_equal(ctl(f, "status --wait address --timeout 0.05"), 1);
	assert_says(f, "waited in vain for \"address\": offline");
}

static void a_socket_that_may_not_be_used_is_4(void **state)
{
	struct fixture *f = *state;
	/* root may always, by its capabilities */
	const char *runner =
		geteuid() != 0 ? ""
			       : "setpriv --inh-caps=-all --bounding-set=-all";

	run_engine(f, 0, "teredo", TEREDO_CLIENT_QUALIFIED);
	assert_int_equal(chmod(f->dir, 0), 0);
	assert_int_equal(ctl_by(f, runner, "-i teredo status"), 4);
	assert_int_equal(chmod(f->dir, 0700), 0);
}

static void a_wrong_command_line_is_2(void **state)
{
	struct fixture *f = *state;
	static const char *const wrong[] = {"",
					    "frobnicate",
					    "status now",
					    "--frobnicate status",
					    "-i a/b status",
					    "status --wait qualifed",
					    "status --timeout soon",
					    "help frobnicate"};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(ctl(f, wrong[i]), 2);
		assert_says(f, "usage: miredoctl");
	}
}

static void pages_that_do_not_go_on_are_no_answer(void **state)
{
	static const char *const commands[] = {"peers", "report"};
	struct fixture *f = *state;

	run_engine(f, 0, "teredo", TEREDO_CLIENT_QUALIFIED);
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(ctl_by(f, "timeout 20", commands[i]), 1);
}

static void the_version_needs_no_daemon(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(ctl(f, "version"), 0);
	assert_string_equal(f->output, "miredoctl " PACKAGE_VERSION "\n");
	assert_int_equal(ctl(f, "--help"), 0);
	assert_says(f, "usage: miredoctl");
	assert_int_equal(ctl(f, "version --json"), 0);
	assert_string_equal(f->output,
			    "{\"schema\":\"miredo.version/1\","
			    "\"version\":\"" PACKAGE_VERSION "\"}\n");
	assert_int_equal(ctl(f, "help status"), 0);
	assert_says(f, "usage: miredoctl status [OPTIONS]\n");
	assert_says(f, "--wait STATE");
}

static void an_option_that_would_be_ignored_is_refused(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(ctl(f, "version --watch"), 2);
	assert_says(f, "\"version\" does not take --watch");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(what_does_not_run_is_3),
		T(a_qualified_client_is_0),
		T(a_degraded_client_is_5),
		T(who_is_gone_but_left_its_socket_is_passed_over),
		T(of_several_one_has_to_be_chosen),
		T(what_is_waited_for_comes_or_does_not),
		T(a_socket_that_may_not_be_used_is_4),
		T(a_wrong_command_line_is_2),
		T(pages_that_do_not_go_on_are_no_answer),
		T(the_version_needs_no_daemon),
		T(an_option_that_would_be_ignored_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
