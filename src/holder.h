/*
 * holder.h - who has it? For messages at the start only
 */
#ifndef MIREDO_HOLDER_H
#define MIREDO_HOLDER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Writes "PID 812 (miredo -f)" of the process that has the tun interface
 * open; false: nobody, or nobody that we may see. */
bool holder_of_tun(const char *ifname, char *text, size_t size);

/* "PID 812 (miredo -f)", or "PID 812" when there is no more to see. */
void holder_describe(pid_t pid, char *text, size_t size);

#endif
