/*
 * known.c - addresses of servers, as a resolver gave them, on disk
 *
 * A laptop wakes up, a gateway starts after a power failure: there may be no
 * DNS yet, or only through what we give. The last address of a server is good
 * nearly always, so a client that asks for it gets it at once, and what the
 * resolver says replaces it.
 *
 * The file is opened once, after root was left and before the sandbox is
 * closed, so that the service user's rights are what counts and no process
 * needs a path later. It is one record that is written in place by one write:
 * what was cut short, by a full disk or a power failure, has a wrong checksum
 * (FNV-1a) and counts as nothing.
 *
 * Who can write to the file is the service user or root, and could as well
 * answer for the resolver. All the same it is read as if a stranger had sent
 * it: a fixed length, names that end, addresses that are global, and nothing
 * is an index or a length.
 *
 * Elsewhere: when it is read and written (resolve.c).
 */
#include "config.h"

#include "known.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../libteredo/addr.h"

uint64_t known_check(const struct known_file *file)
{
	const uint8_t *p = (const uint8_t *)file;
	uint64_t h = 0xcbf29ce484222325u;

	for (size_t i = 0; i < offsetof(struct known_file, check); i++)
		h = (h ^ p[i]) * 0x100000001b3u;
	return h;
}

bool known_is_sound(const void *octets, size_t len)
{
	struct known_file f;

	if (len != sizeof(f))
		return false;
	memcpy(&f, octets, sizeof(f));
	if (f.magic != KNOWN_MAGIC || f.version != KNOWN_VERSION ||
	    f.check != known_check(&f))
		return false;
	for (unsigned i = 0; i < PRIV_SERVERS; i++)
		if (memchr(f.server[i].name, '\0', PRIV_NAME_MAX) == NULL ||
		    (f.server[i].name[0] != '\0' &&
		     !ipv4_is_global(f.server[i].ip)))
			return false;
	return true;
}

int known_prepare(const char *dir, uid_t uid, gid_t gid)
{
	if (mkdir(dir, 0755) < 0)
		return errno == EEXIST ? 0 : -errno;
	return lchown(dir, uid, gid) < 0 ? -errno : 0;
}

static int known_read(struct known *known)
{
	uint8_t octets[sizeof(known->file) + 1];	/* longer is wrong */
	ssize_t n = read(known->fd, octets, sizeof(octets));

	if (n < 0)
		return -errno;
	if (n == 0)
		return 0;
	if (!known_is_sound(octets, (size_t)n))
		return -EBADMSG;
	memcpy(&known->file, octets, sizeof(known->file));
	return 0;
}

int known_open(struct known *known, const char *dir, const char *instance)
{
	struct stat st;
	char *path;
	int err = 0;

	memset(known, 0, sizeof(*known));
	known->fd = -1;
	if (asprintf(&path, "%s/%s.servers", dir, instance) < 0)
		return -ENOMEM;
	known->fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK |
				       O_CLOEXEC, 0644);
	if (known->fd < 0 || fstat(known->fd, &st) < 0)
		err = -errno;
	else if (!S_ISREG(st.st_mode))
		err = -EINVAL;
	free(path);
	if (err == 0)
		err = known_read(known);
	if (err < 0 && err != -EBADMSG && known->fd >= 0) {
		close(known->fd);
		known->fd = -1;
	}
	return err;
}

bool known_find(const struct known *known, const char *name, uint32_t *ip,
		uint32_t *ip2)
{
	for (unsigned i = 0; i < PRIV_SERVERS; i++)
		if (name[0] != '\0' &&
		    strcmp(known->file.server[i].name, name) == 0) {
			*ip = known->file.server[i].ip;
			*ip2 = known->file.server[i].ip2;
			return true;
		}
	return false;
}

static int known_write(struct known *known)
{
	struct known_file *f = &known->file;
	ssize_t n;
	int err = 0;

	if (known->fd < 0)
		return 0;
	f->magic = KNOWN_MAGIC;
	f->version = KNOWN_VERSION;
	f->check = known_check(f);
	n = lseek(known->fd, 0, SEEK_SET) < 0
		    ? -1
		    : write(known->fd, f, sizeof(*f));
	if (n < 0 || ftruncate(known->fd, n) < 0)
		err = -errno;
	else if (n != sizeof(*f))
		err = -ENOSPC;
	if (err < 0) {
		close(known->fd);
		known->fd = -1;
	}
	return err;
}

/* Where that name is, or comes: a new one is the first, the last one falls
 * out. There is a place for each server of a configuration. */
static unsigned known_place(struct known_file *f, const char *name)
{
	for (unsigned i = 0; i < PRIV_SERVERS; i++)
		if (strcmp(f->server[i].name, name) == 0)
			return i;
	memmove(&f->server[1], &f->server[0],
		sizeof(f->server) - sizeof(f->server[0]));
	memset(&f->server[0], 0, sizeof(f->server[0]));
	snprintf(f->server[0].name, PRIV_NAME_MAX, "%s", name);
	return 0;
}

int known_put(struct known *known, const char *name, uint32_t ip, uint32_t ip2)
{
	uint32_t was, was2;
	unsigned i;

	if (name[0] == '\0' || strlen(name) >= PRIV_NAME_MAX ||
	    !ipv4_is_global(ip))
		return 0;
	if (known_find(known, name, &was, &was2) && was == ip && was2 == ip2)
		return 0;
	i = known_place(&known->file, name);
	known->file.server[i].ip = ip;
	known->file.server[i].ip2 = ip2;
	return known_write(known);
}
