/*
 * child.h - starting and ending the parent's programs
 */
#ifndef MIREDO_CHILD_H
#define MIREDO_CHILD_H

#include <stdint.h>
#include <sys/types.h>

#define CHILD_DIR_MAX 256

struct child {
	pid_t pid;		/* 0: none */
	int sock;		/* our end (msg.h); -1: closed */
};

/* How children are started. */
struct child_env {
	char dir[CHILD_DIR_MAX];	/* where their programs are */
	uid_t uid;		/* whom they run as, when we are root */
	gid_t gid;
	int stdio;		/* their 0, 1, 2; -1: ours */
};

/* Finds the directory where miredo-engine can be executed: beside our own
 * program (build tree), or LIBEXECDIR. 0 or -errno. */
int child_find(struct child_env *env);

/*
 * Starts program `name` with its end of the socket as descriptor 3, no other
 * descriptor but stdio, no signal blocked, a session of its own, and killed
 * when we die. 0 or -errno; a program that cannot be executed ends with 127.
 */
int child_start(struct child *c, const struct child_env *env,
		const char *name);

/* Kills it and waits for it. Harmless when there is none. */
void child_end(struct child *c);

/* The processor time it ever had, in ns; 0 when the kernel does not tell. */
uint64_t child_used(const struct child *c);

/* "killed by signal 9", "exit status 1"; static. */
const char *child_fate(int status);

#endif
