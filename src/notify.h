/*
 * notify.h - telling a service manager how we are (sd_notify(3))
 */
#ifndef MIREDO_NOTIFY_H
#define MIREDO_NOTIFY_H

/* A socket connected to `path` ($NOTIFY_SOCKET; '@': abstract), or -1. */
int notify_open(const char *path);

/* Sends "READY=1" or the like; nothing happens when fd is -1. */
void notify_say(int fd, const char *what);

#endif
