/*
 * known.h - addresses of servers, as a resolver gave them, on disk
 *
 * For a start without DNS: STATEDIR/INSTANCE.servers has the last address of
 * each name. See known.c for what is believed of it.
 */
#ifndef MIREDO_KNOWN_H
#define MIREDO_KNOWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "priv.h"

#define KNOWN_MAGIC   0x6d72736eu /* "mrsn" */
#define KNOWN_VERSION 1u

/* The whole file, in the host's byte order; zeros are no server. */
struct known_file {
	uint32_t magic, version;
	struct {
		char name[PRIV_NAME_MAX];	/* NUL-terminated */
		uint32_t ip, ip2;		/* ip2 0: none was named */
	} server[PRIV_SERVERS];
	uint64_t check;		/* known_check() of all before it */
};

static_assert(sizeof(struct known_file) ==
	      16 + PRIV_SERVERS * (PRIV_NAME_MAX + 8), "padding");

struct known {
	int fd;			/* -1: nothing is kept */
	struct known_file file;
};

uint64_t known_check(const struct known_file *file);

/* Whether these octets are such a file, whole and with addresses that a
 * server can have. */
bool known_is_sound(const void *octets, size_t len);

/* Makes the directory, if it is missing, and gives it to that user. 0 or
 * -errno; one that is there is left as it is. */
int known_prepare(const char *dir, uid_t uid, gid_t gid);

/* Opens, or makes, dir/INSTANCE.servers. 0; -EBADMSG: what is there is no
 * such file or damaged, and will be written over; other -errno: nothing is
 * kept. In any case *known is good. */
int known_open(struct known *known, const char *dir, const char *instance);

/* The address of that name; false: none. */
bool known_find(const struct known *known, const char *name, uint32_t *ip,
		uint32_t *ip2);

/* A resolver gave these. 0, or -errno: they were not written, and nothing
 * will be any more; known_find() has them all the same. */
int known_put(struct known *known, const char *name, uint32_t ip, uint32_t ip2);

#endif
