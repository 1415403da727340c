/*
 * msg.h - one struct, and at most one descriptor, per SOCK_SEQPACKET datagram
 */
#ifndef MIREDO_MSG_H
#define MIREDO_MSG_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* A connected pair: both ends close-on-exec and non-blocking. 0 or -errno. */
int msg_pair(int fds[2]);

/* Whoever sends to fd, or to what is accepted from it, may send no descriptor:
 * to close one can take as long as its sender likes (SO_LINGER). false: this
 * kernel has no such option (Linux 6.16). */
bool msg_refuse_fds(int fd);

/* Sends len octets with fd (-1: none). 0, or -errno; -EAGAIN when the other
 * end does not read. */
int msg_send(int sock, const void *data, size_t len, int fd);

/*
 * Receives one datagram: its length, 0 at the end of the connection, or
 * -errno (-EAGAIN: nothing there; -EMSGSIZE: longer than size). *fd gets the
 * descriptor, close-on-exec, or -1. More than one descriptor: all are closed,
 * -EPROTO.
 */
ssize_t msg_recv(int sock, void *data, size_t size, int *fd);

#endif
