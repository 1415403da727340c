/*
 * sandbox.h - dropping privileges, and what a process may still do
 *
 * Every drop is read back; what cannot be dropped ends the process with
 * exit status 77. Filters are tables with a reason per row in
 * sandbox_calls.c. Builds with --disable-sandbox (sanitizers, valgrind) keep
 * the capability drop and leave out seccomp and Landlock; `-V` says so.
 */
#ifndef MIREDO_SANDBOX_H
#define MIREDO_SANDBOX_H

#include <stdbool.h>
#include <sys/types.h>

/* ---- sandbox_become.c: capabilities ---- */

/* Becomes uid/gid with no groups, keeps CAP_NET_ADMIN alone (or nothing),
 * empties the bounding set, sets no_new_privs, dumpable 0, no core files. A
 * process that has this uid already keeps groups and bounding set. */
void sandbox_become(uid_t uid, gid_t gid, bool keep_net_admin);

/* Whether this process has CAP_NET_ADMIN. */
bool sandbox_has_net_admin(void);

/* ---- sandbox_files.c: Landlock ---- */

/* The parent's, and so its children's too: reads and executes what children
 * need to start, reads `conf_dir`, `key_dir` (NULL: none) and what the
 * resolver reads, writes the interface's settings; signals to children only; TCP to port 53 only. */
void sandbox_parent_files(const char *conf_dir, const char *key_dir,
			  const char *child_dir);
void sandbox_resolver_files(void);	/* part of sandbox_resolver() */
void sandbox_no_files(void);		/* part of sandbox_engine() */

/* "seccomp, landlock 7" or "off (--disable-sandbox)"; static. */
const char *sandbox_describe(void);

/* ---- sandbox_calls.c: seccomp; SCMP_ACT_KILL_PROCESS for the rest ---- */

/* The union of the parent's needs and its children's start. */
void sandbox_parent_calls(void);
/* After its start: no path, no memory, no file, no new socket. */
void sandbox_engine(void);
/* Reads what name resolution needs, asks name servers, answers. */
void sandbox_resolver(void);

#endif
