/*
 * miredoctl_netcheck_servers.c - which servers are asked, and where they are
 *
 * Those of the command line; else those of the configuration; else the one
 * that a running client uses. All names are looked up at once, by a process
 * each that is given up after a while: a check that is to say whether the
 * network works cannot wait for it.
 */
#include "config.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../libteredo/addr.h"
#include "clock.h"
#include "conf.h"
#include "miredoctl_netcheck.h"
#include "miredoctl_netcheck_io.h"
#include "miredoctl_status.h"

#define LOOKUP_LIMIT 2000000000u /* ns */

static void set_name(char out[NETCHECK_NAME], const char *name, size_t len)
{
	if (len >= NETCHECK_NAME)
		miredoctl_usage("\"%.20s...\" is no name of a server", name);
	memcpy(out, name, len);
	out[len] = '\0';
}

/* SERVER, or SERVER,SECOND */
static void take_operand(struct netcheck_names *names, const char *operand)
{
	const char *comma = strchr(operand, ',');
	size_t len = comma != NULL ? (size_t)(comma - operand)
				   : strlen(operand);

	if (names->n == NETCHECK_SERVERS)
		miredoctl_usage("more than %d servers", NETCHECK_SERVERS);
	set_name(names->first[names->n], operand, len);
	if (comma != NULL)
		set_name(names->second[names->n], comma + 1,
			 strlen(comma + 1));
	names->n++;
}

static void take_configuration(struct netcheck_names *names, const char *file)
{
	static struct conf conf;
	FILE *err = file != NULL ? stderr : fopen("/dev/null", "we");
	int errors = err == NULL
			     ? 1
			     : conf_read(&conf, CONF_MIREDO,
					 file != NULL
						 ? file
						 : SYSCONFDIR "/miredo.conf",
					 NULL, err);

	if (err != NULL && err != stderr)
		fclose(err);
	if (errors != 0 && file != NULL)
		exit(CTL_EXIT_FAILED);
	if (errors != 0 || conf.role != CONF_CLIENT)
		return;
	for (unsigned i = 0; i < conf.n_servers; i++) {
		set_name(names->first[i], conf.server[i].name,
			 strlen(conf.server[i].name));
		set_name(names->second[i], conf.server[i].name2,
			 strlen(conf.server[i].name2));
		names->n++;
	}
}

static void take_daemons(struct netcheck_names *names,
			 const struct miredoctl_args *args)
{
	struct ctl_status st;

	if (miredoctl_get_status(args, &st, true) != 0 ||
	    st.role != PRIV_CLIENT || st.server_name[0] == '\0')
		return;
	set_name(names->first[0], st.server_name, strlen(st.server_name));
	names->n = 1;
}

void netcheck_find_names(struct netcheck_names *names,
			 const struct miredoctl_args *args)
{
	memset(names, 0, sizeof(*names));
	for (int i = 0; i < args->n; i++)
		take_operand(names, args->operand[i]);
	if (names->n == 0)
		take_configuration(names, args->value[OPT_CONFIG]);
	if (names->n == 0)
		take_daemons(names, args);
}

/* ---- names into addresses ---- */

struct lookup {
	pid_t child; /* -1: none */
	int pipe;
};

/* Of the child: the address, if there is one that may be a server's. */
static _Noreturn void answer(const char *name, int out)
{
	static const struct addrinfo hints = {.ai_family = AF_INET,
					      .ai_socktype = SOCK_DGRAM};
	const struct sockaddr_in *sin;
	struct addrinfo *found;

	if (getaddrinfo(name, NULL, &hints, &found) != 0)
		_exit(1);
	sin = (const void *)found->ai_addr;
	_exit(!ipv4_is_global(sin->sin_addr.s_addr) ||
	      write(out, &sin->sin_addr.s_addr, 4) != 4);
}

static struct lookup begin(const char *name)
{
	struct lookup l = {.child = -1, .pipe = -1};
	int ends[2];

	if (name[0] == '\0' || pipe2(ends, O_CLOEXEC) != 0)
		return l;
	l.pipe = ends[0];
	l.child = fork();
	if (l.child == 0)
		answer(name, ends[1]);
	close(ends[1]);
	return l;
}

/* The address, 0: none in time. */
static uint32_t end(const struct lookup *l, uint64_t limit)
{
	struct pollfd p = {.fd = l->pipe, .events = POLLIN};
	uint64_t now = clock_now();
	uint32_t ip = 0;

	if (l->pipe < 0)
		return 0;
	poll(&p, 1, now < limit ? (int)((limit - now) / 1000000) : 0);
	if ((p.revents & POLLIN) == 0 || read(l->pipe, &ip, 4) != 4)
		ip = 0;
	close(l->pipe);
	if (l->child > 0) {
		kill(l->child, SIGKILL);
		waitpid(l->child, NULL, 0);
	}
	return ip;
}

void netcheck_look_up(const struct netcheck_names *names,
		      struct netcheck_config *config)
{
	struct lookup first[NETCHECK_SERVERS], second[NETCHECK_SERVERS];
	uint64_t limit = clock_now() + LOOKUP_LIMIT;

	for (unsigned i = 0; i < names->n; i++) {
		first[i] = begin(names->first[i]);
		second[i] = begin(names->second[i]);
	}
	config->servers = names->n;
	for (unsigned i = 0; i < names->n; i++) {
		struct netcheck_server *s = &config->server[i];

		s->ip = end(&first[i], limit);
		s->ip2 = end(&second[i], limit);
		if (s->ip != 0 && names->second[i][0] == '\0')
			s->ip2 = htonl(ntohl(s->ip) + 1); /* C-CFG-01 */
		if (s->ip2 == s->ip || !ipv4_is_global(s->ip2))
			s->ip2 = 0;
	}
}
