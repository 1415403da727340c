/*
 * resolver.c - miredo-resolver: names to IPv4 addresses, for the parent
 *
 * A program of its own because name resolution reads files, opens sockets
 * and parses what strangers send. It has no privileges, can read the handful
 * of files that name resolution reads, and ask name servers; it is killed
 * after ten seconds or once it has answered. Names are looked up in
 * /etc/hosts and the DNS, whatever nsswitch.conf says: other services would
 * load libraries, and need more than the sandbox allows.
 *
 * A name server that does not answer is asked again every two seconds, so
 * that a look-up that began before the network was up ends soon after.
 */
#include "config.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <nss.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "log.h"
#include "msg.h"
#include "priv.h"
#include "sandbox.h"

#define PARENT_FD 3

static void resolver_look_up(const struct priv_ask *ask,
			     struct priv_told *told)
{
	const struct addrinfo hints = {
		.ai_family = AF_INET,
		.ai_socktype = SOCK_DGRAM,
	};
	struct addrinfo *list = NULL;

	told->error = getaddrinfo(ask->name, NULL, &hints, &list);
	for (struct addrinfo *a = list;
	     a != NULL && told->n < sizeof(told->ip) / sizeof(told->ip[0]);
	     a = a->ai_next) {
		struct sockaddr_in sin;

		memcpy(&sin, a->ai_addr, sizeof(sin));
		told->ip[told->n++] = sin.sin_addr.s_addr;
	}
	if (list != NULL)
		freeaddrinfo(list);
}

/* Waits for a question: false when there will be none. */
static bool resolver_receive(struct priv_ask *ask)
{
	struct pollfd pfd = { .fd = PARENT_FD, .events = POLLIN };
	ssize_t n;
	int fd;

	do {
		poll(&pfd, 1, -1);
		n = msg_recv(PARENT_FD, ask, sizeof(*ask), &fd);
	} while (n == -EAGAIN || n == -EINTR);
	return n == sizeof(*ask) && fd < 0 && ask->verb == PRIV_ASK &&
	       memchr(ask->name, '\0', sizeof(ask->name)) != NULL;
}

int main(void)
{
	struct priv_ask ask;

	log_to_stderr("miredo-resolver");
	setenv("RES_OPTIONS", "timeout:2 attempts:5", 1);
	sandbox_become(geteuid(), getegid(), false);
	__nss_configure_lookup("hosts", "files dns");
	sandbox_resolver();
	while (resolver_receive(&ask)) {
		struct priv_told told = { .verb = PRIV_TOLD, .id = ask.id };

		resolver_look_up(&ask, &told);
		if (msg_send(PARENT_FD, &told, sizeof(told), -1) < 0)
			break;
	}
	return 0;
}
