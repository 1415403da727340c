/*
 * ctl_access.c - who may ask for more than the status
 *
 * The kernel says who was at the other end when it connected: uid and primary
 * group (SO_PEERCRED), and the supplementary groups (SO_PEERGROUPS). The
 * engine asks, and the parent again before it does something for somebody:
 * it need not believe the engine, which may have been taken over.
 *
 * A service user whose group is nogroup would share its rights with every other
 * daemon there; and by that number the kernel calls all groups that it cannot
 * name here. So it is no group at all.
 *
 * Who is in more groups than there is room for here is judged by the primary
 * one alone; memory for all of them is not to be had in the engine.
 */
#include "config.h"

#include "ctl_access.h"

#include <sys/socket.h>

#define GROUPS_MAX 1024
#define NOGROUP	   65534

static bool is_of_group(int fd, gid_t gid)
{
	gid_t group[GROUPS_MAX];
	socklen_t len = sizeof(group);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, group, &len) < 0)
		return false;
	for (unsigned i = 0; i < len / sizeof(group[0]); i++)
		if (group[i] == gid)
			return true;
	return false;
}

bool ctl_access_is_granted(int fd, uid_t uid, gid_t gid)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
		return false;
	if (peer.uid == 0 || peer.uid == uid)
		return true;
	return gid != NOGROUP && (peer.gid == gid || is_of_group(fd, gid));
}
