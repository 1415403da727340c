/*
 * sandbox.h - dropping privileges, and what a process may still do
 *
 * Every drop is read back; what cannot be dropped ends the process with
 * exit status 77. Filters are tables with a reason per row in sandbox.c.
 * Builds with --disable-sandbox (sanitizers, valgrind) keep the capability
 * drop and leave out seccomp and Landlock; `-V` says so.
 */
#ifndef MIREDO_SANDBOX_H
#define MIREDO_SANDBOX_H

#include <stdbool.h>
#include <sys/types.h>

/* Becomes uid/gid with no groups, keeps CAP_NET_ADMIN alone (or nothing),
 * empties the bounding set, sets no_new_privs, dumpable 0, no core files. A
 * process that is not root keeps its uid. */
void sandbox_become(uid_t uid, gid_t gid, bool keep_net_admin);

/* Landlock for the parent and so for its children: reads and executes what
 * children need to start, reads `conf_dir`; nothing else. */
void sandbox_parent_files(const char *conf_dir, const char *child_dir,
			  const char *run_dir, const char *pidfile);

/* Seccomp filters, SCMP_ACT_KILL_PROCESS for the rest. The parent's is the
 * union of its own needs and its children's start. */
void sandbox_parent_calls(void);
void sandbox_engine(void);	/* after its start: no path, no memory */
void sandbox_resolver(void);

/* "seccomp, landlock 7" or "off (--disable-sandbox)"; static. */
const char *sandbox_describe(void);

#endif
