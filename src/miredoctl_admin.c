/*
 * miredoctl_admin.c - reload, announce: what the parent does and reports
 *
 * The answer is lines, the last of which has the result. A reload takes as
 * long as names take to resolve and an engine to start.
 */
#include "config.h"

#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "ctl_records.h"
#include "miredoctl.h"

#define PATIENCE 60	/* s */

/* Until there is something to hear, or patience ends. */
static void wait_for_line(int fd, const char *what)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	for (int s = 0; s < PATIENCE && poll(&p, 1, 1000) == 0; s++)
		miredoctl_progress("%s ... %d s", what, s + 1);
	miredoctl_progress(NULL);
}

/* Says the lines. 0 or the exit code of the result. */
static int hear(int fd, const char *what)
{
	struct ctl_report m;
	int code;

	do {
		wait_for_line(fd, what);
		code = miredoctl_report(fd, &m);
		if (code == 0 && m.text[0] != '\0')
			fprintf(m.more != 0 ? stderr : stdout, "%s\n", m.text);
	} while (code == 0 && m.more != 0);
	return code;
}

static int ask(const struct miredoctl_args *args, enum ctl_verb verb,
	       uint32_t value)
{
	int fd, code = miredoctl_connect(args, &fd, false);

	if (code != 0)
		return code;
	code = miredoctl_request(fd, verb, value, NULL, false);
	if (code == 0)
		code = hear(fd, verb == CTL_RELOAD ? "reloading"
					      : "waiting for the parent");
	close(fd);
	return code;
}

int miredoctl_cmd_reload(const struct miredoctl_args *args)
{
	return ask(args, CTL_RELOAD, 0);
}

int miredoctl_cmd_announce(const struct miredoctl_args *args)
{
	if (strcmp(args->operand[0], "hold") == 0)
		return ask(args, CTL_ANNOUNCE, CTL_HOLD);
	if (strcmp(args->operand[0], "release") == 0)
		return ask(args, CTL_ANNOUNCE, CTL_RELEASE);
	miredoctl_usage("\"announce\" wants hold or release");
}
