/*
 * holder.c - who has it? For messages at the start only
 *
 * The kernel tells which tun interface a descriptor is in the descriptor's
 * fdinfo. Processes of other network namespaces are passed over: the name
 * means another interface there.
 */
#include "config.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "holder.h"

#define PATH_LEN 320	/* /proc, a pid, fdinfo and a file name */

void holder_describe(pid_t pid, char *text, size_t size)
{
	char path[64], line[120] = "";
	FILE *f;
	size_t n = 0;

	snprintf(path, sizeof(path), "/proc/%ld/cmdline", (long)pid);
	f = fopen(path, "re");
	if (f != NULL) {
		n = fread(line, 1, sizeof(line) - 1, f);
		fclose(f);
	}
	for (size_t i = 0; i + 1 < n; i++)
		if (line[i] == '\0')
			line[i] = ' ';
	if (n > 0)
		snprintf(text, size, "PID %ld (%s)", (long)pid, line);
	else
		snprintf(text, size, "PID %ld", (long)pid);
}

static bool same_netns(const char *pid)
{
	char path[PATH_LEN], ours[64] = "", theirs[64] = "";

	snprintf(path, sizeof(path), "/proc/%s/ns/net", pid);
	return readlink("/proc/self/ns/net", ours, sizeof(ours) - 1) > 0 &&
	       readlink(path, theirs, sizeof(theirs) - 1) > 0 &&
	       strcmp(ours, theirs) == 0;
}

static bool fdinfo_names(const char *path, const char *ifname)
{
	char line[128], name[64];
	FILE *f = fopen(path, "re");
	bool found = false;

	while (f != NULL && !found && fgets(line, sizeof(line), f) != NULL)
		found = sscanf(line, "iff: %63s", name) == 1 &&
			strcmp(name, ifname) == 0;
	if (f != NULL)
		fclose(f);
	return found;
}

static bool process_has_tun(const char *pid, const char *ifname)
{
	char path[PATH_LEN], file[2 * PATH_LEN];
	struct dirent *e;
	bool found = false;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%s/fdinfo", pid);
	dir = opendir(path);
	while (dir != NULL && !found && (e = readdir(dir)) != NULL) {
		snprintf(file, sizeof(file), "%s/%s", path, e->d_name);
		found = e->d_name[0] != '.' && fdinfo_names(file, ifname);
	}
	if (dir != NULL)
		closedir(dir);
	return found;
}

bool holder_of_tun(const char *ifname, char *text, size_t size)
{
	DIR *dir = opendir("/proc");
	struct dirent *e;
	long pid = 0;

	while (dir != NULL && pid == 0 && (e = readdir(dir)) != NULL)
		if (strtol(e->d_name, NULL, 10) > 0 &&
		    same_netns(e->d_name) && process_has_tun(e->d_name, ifname))
			pid = strtol(e->d_name, NULL, 10);
	if (dir != NULL)
		closedir(dir);
	if (pid > 0)
		holder_describe((pid_t)pid, text, size);
	return pid > 0;
}
