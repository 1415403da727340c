/*
 * ctl_access.h - who may ask for more than the status
 */
#ifndef MIREDO_CTL_ACCESS_H
#define MIREDO_CTL_ACCESS_H

#include <stdbool.h>
#include <sys/types.h>

/* Whether the other end of this connection in the unix domain was made by
 * root, by `uid`, or by somebody of group `gid`; but nogroup (65534) is nobody's
 * friend. */
bool ctl_access_is_granted(int fd, uid_t uid, gid_t gid);

#endif
