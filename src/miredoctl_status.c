/*
 * miredoctl_status.c - the commands status and version
 *
 * `--wait` asks again and again until the instance is in a state: a script
 * then waits for exactly as long as it takes. An instance that does not run
 * yet, or whose engine is just being replaced, is one to wait for, too.
 */
#include "config.h"

#include <string.h>
#include <time.h>

#include "clock.h"
#include "miredoctl.h"
#include "miredoctl_status.h"

#define POLL_NS	     20000000l /* between two questions of --wait */
#define WAIT_DEFAULT 60000000000u
#define EACH	     1000000000u /* it is said that one waits */

static bool is_reached(const char *wanted, const struct ctl_status *st)
{
	if (strcmp(wanted, "address") == 0)
		return miredoctl_has_address(st);
	return strcmp(wanted, miredoctl_state(st)) == 0;
}

static void say_waiting(const char *wanted, const struct ctl_status *st,
			uint64_t left)
{
	miredoctl_progress("waiting for \"%s\", for %.0f s at most; now: %s",
			   wanted, (double)left / 1e9,
			   st != NULL ? miredoctl_state(st) : "no answer");
}

/* Whether there is no more to wait for. */
static bool is_decided(int error, const char *wanted,
		       const struct ctl_status *st)
{
	if (error == 0)
		return is_reached(wanted, st);
	return error == CTL_EXIT_USAGE || error == CTL_EXIT_DENIED;
}

static int wait_for(const struct miredoctl_args *args, struct ctl_status *st)
{
	const struct timespec pause = {.tv_nsec = POLL_NS};
	const char *wanted = args->value[OPT_WAIT];
	uint64_t said = clock_now(),
		 end = said + miredoctl_seconds(args, OPT_TIMEOUT, 86400,
						WAIT_DEFAULT);
	int error = miredoctl_get_status(args, st, true);

	while (!is_decided(error, wanted, st) && clock_now() < end) {
		if (clock_now() >= said + EACH) {
			said += EACH;
			say_waiting(wanted, error == 0 ? st : NULL, end - said);
		}
		nanosleep(&pause, NULL);
		error = miredoctl_get_status(args, st, true);
	}
	miredoctl_progress(NULL);
	if (is_decided(error, wanted, st))
		return error;
	fprintf(stderr, "miredoctl: waited in vain for \"%s\": %s\n", wanted,
		error == 0 ? miredoctl_state(st) : "no answer");
	return CTL_EXIT_FAILED;
}

static int print_status(const struct miredoctl_args *args, FILE *out)
{
	const char *wanted = args->value[OPT_WAIT];
	bool watched = args->value[OPT_WATCH] != NULL;
	struct ctl_status st;
	int error = wanted != NULL ? wait_for(args, &st)
				   : miredoctl_get_status(args, &st, watched);

	if (error == CTL_EXIT_NOT_RUNNING && args->value[OPT_JSON] != NULL &&
	    !miredoctl_print_absence(args, out))
		return CTL_EXIT_FAILED;
	if (error != 0)
		return error;
	if (args->value[OPT_JSON] == NULL)
		miredoctl_print_text(&st, out);
	else if (!miredoctl_print_json(&st, out))
		return CTL_EXIT_FAILED;
	return wanted == NULL ? miredoctl_health_exit(&st) : CTL_EXIT_OK;
}

int miredoctl_cmd_status(const struct miredoctl_args *args)
{
	const char *wanted = args->value[OPT_WAIT];

	miredoctl_seconds(args, OPT_TIMEOUT, 86400, 0);
	if (wanted != NULL && strcmp(wanted, "address") != 0 &&
	    !miredoctl_is_state(wanted))
		miredoctl_usage("--wait: there is no state \"%s\"", wanted);
	return miredoctl_show(args, print_status);
}

int miredoctl_cmd_version(const struct miredoctl_args *args)
{
	if (args->value[OPT_JSON] != NULL)
		printf("{\"schema\":\"miredo.version/1\",\"version\":\"%s\"}\n",
		       PACKAGE_VERSION);
	else
		printf("miredoctl %s\n", PACKAGE_VERSION);
	return fflush(stdout) == 0 ? CTL_EXIT_OK : CTL_EXIT_FAILED;
}
