/*
 * sandbox_become.c - from root to the service user
 *
 * The order is what makes it stick: the bounding set while there is still
 * CAP_SETPCAP, groups before the uid, the uid with its capabilities kept, then
 * the capabilities down to the one that is needed. Afterwards everything is
 * read back from the kernel: a call that said it worked is not enough
 * (CVE-2011-3602: a daemon that went on as root).
 *
 * Started without root (User= and an ambient CAP_NET_ADMIN), there is no uid
 * to leave; the rest is the same, but the bounding set is the service
 * manager's: lowering it needs CAP_SETPCAP.
 */
#include "config.h"

#include <errno.h>
#include <grp.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "log.h"
#include "sandbox.h"

#define FAILED 77	/* EX_NOPERM */

static void must(bool done, const char *what)
{
	if (!done)
		die(FAILED, "cannot drop privileges: %s: %s", what,
		    strerror(errno));
}

/* Read back: the kernel says that it is so. */
static void verify(bool is_so, const char *what)
{
	if (!is_so)
		die(FAILED, "privileges were not dropped: %s", what);
}

bool sandbox_has_net_admin(void)
{
	cap_flag_value_t value = CAP_CLEAR;
	cap_t caps = cap_get_proc();

	if (caps == NULL ||
	    cap_get_flag(caps, CAP_NET_ADMIN, CAP_PERMITTED, &value) < 0)
		value = CAP_CLEAR;
	cap_free(caps);
	return value == CAP_SET;
}

static void drop_user(uid_t uid, gid_t gid)
{
	for (cap_value_t cap = 0; cap < cap_max_bits(); cap++)
		must(cap_drop_bound(cap) == 0, "bounding set");
	must(prctl(PR_SET_KEEPCAPS, 1L, 0L, 0L, 0L) == 0, "keepcaps");
	must(setgroups(0, NULL) == 0, "groups");
	must(setresgid(gid, gid, gid) == 0, "group");
	must(setresuid(uid, uid, uid) == 0, "user");
}

static void verify_user(uid_t uid, gid_t gid)
{
	uid_t u[3];
	gid_t g[3];

	must(getresuid(&u[0], &u[1], &u[2]) == 0 &&
		     getresgid(&g[0], &g[1], &g[2]) == 0,
	     "reading back");
	for (unsigned i = 0; i < 3; i++)
		verify(u[i] == uid && g[i] == gid, "user or group");
	verify(getgroups(0, NULL) == 0, "groups");
	verify(setresuid(0, 0, 0) < 0, "root can be had back");
	for (cap_value_t cap = 0; cap < cap_max_bits(); cap++)
		verify(cap_get_bound(cap) == 0, "bounding set");
}

/* The set of capabilities that shall be left; to be freed by cap_free(). */
static cap_t caps_left(bool keep_net_admin)
{
	const cap_value_t keep = CAP_NET_ADMIN;
	cap_t caps = cap_init();

	must(caps != NULL, "capabilities");
	if (keep_net_admin)
		must(cap_set_flag(caps, CAP_PERMITTED, 1, &keep, CAP_SET) ==
				     0 &&
			     cap_set_flag(caps, CAP_EFFECTIVE, 1, &keep,
					  CAP_SET) == 0,
		     "capabilities");
	return caps;
}

static void drop_caps(bool keep_net_admin)
{
	cap_t caps = caps_left(keep_net_admin), now;

	must(cap_set_proc(caps) == 0,
	     keep_net_admin ? "CAP_NET_ADMIN" : "capabilities");
	must(cap_reset_ambient() == 0, "ambient capabilities");
	now = cap_get_proc();
	verify(now != NULL && cap_compare(now, caps) == 0, "capabilities");
	for (cap_value_t cap = 0; cap < cap_max_bits(); cap++)
		verify(cap_get_ambient(cap) == 0, "ambient capabilities");
	cap_free(now);
	cap_free(caps);
}

void sandbox_become(uid_t uid, gid_t gid, bool keep_net_admin)
{
	const struct rlimit none = { 0, 0 };
	bool leave = geteuid() != uid;

	if (leave)
		drop_user(uid, gid);
	drop_caps(keep_net_admin);
	if (leave)
		verify_user(uid, gid);
	must(setrlimit(RLIMIT_CORE, &none) == 0, "core files");
	must(prctl(PR_SET_DUMPABLE, 0L, 0L, 0L, 0L) == 0, "dumpable");
	verify(prctl(PR_GET_DUMPABLE, 0L, 0L, 0L, 0L) == 0, "dumpable");
	must(prctl(PR_SET_NO_NEW_PRIVS, 1L, 0L, 0L, 0L) == 0, "no_new_privs");
	verify(prctl(PR_GET_NO_NEW_PRIVS, 0L, 0L, 0L, 0L) == 1,
	       "no_new_privs");
}
