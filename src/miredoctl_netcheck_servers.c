/*
 * miredoctl_netcheck_servers.c - which servers are asked, and where they are
 *
 * Those of the command line; else those of the configuration; else the one
 * that a running client uses. All names are looked up at once, by a process
 * each, beside the check itself: one that is to say whether the network works
 * cannot wait for a resolver that may never answer.
 */
#include "config.h"

#include <errno.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../libteredo/addr.h"
#include "conf.h"
#include "miredoctl_netcheck.h"
#include "miredoctl_netcheck_io.h"
#include "miredoctl_status.h"

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

static void begin(struct netcheck_lookup *l, const char *name)
{
	int ends[2];

	*l = (struct netcheck_lookup){.child = -1, .pipe = -1};
	if (name[0] == '\0' || inet_pton(AF_INET, name, &l->ip) == 1 ||
	    pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
		return;
	l->pipe = ends[0];
	l->child = fork();
	if (l->child == 0)
		answer(name, ends[1]);
	close(ends[1]);
}

static void end(struct netcheck_lookup *l)
{
	if (l->pipe >= 0)
		close(l->pipe);
	l->pipe = -1;
	if (l->child > 0) {
		kill(l->child, SIGKILL);
		waitpid(l->child, NULL, 0);
	}
	l->child = -1;
}

/* Takes what there is; it is over with an address and without. */
static void take(struct netcheck_lookup *l)
{
	ssize_t got;

	if (l->pipe < 0)
		return;
	got = read(l->pipe, &l->ip, sizeof(l->ip));
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got != sizeof(l->ip))
		l->ip = 0;
	end(l);
}

void netcheck_begin_lookups(const struct netcheck_names *names,
			    struct netcheck_lookups *all)
{
	all->n = names->n;
	for (unsigned i = 0; i < names->n; i++) {
		begin(&all->of[i][0], names->first[i]);
		begin(&all->of[i][1], names->second[i]);
		all->is_second_named[i] = names->second[i][0] != '\0';
	}
}

bool netcheck_take_lookup(struct netcheck_lookups *all, unsigned i,
			  struct netcheck_server *s)
{
	struct netcheck_lookup *first = &all->of[i][0], *second = first + 1;

	take(first);
	take(second);
	*s = (struct netcheck_server){
		.is_awaited = first->pipe >= 0 || second->pipe >= 0};
	if (s->is_awaited)
		return false;
	s->ip = ipv4_is_global(first->ip) ? first->ip : 0;
	s->ip2 = second->ip;
	if (s->ip != 0 && !all->is_second_named[i])
		s->ip2 = htonl(ntohl(s->ip) + 1); /* C-CFG-01 */
	if (s->ip2 == s->ip || !ipv4_is_global(s->ip2))
		s->ip2 = 0;
	return true;
}

void netcheck_end_lookups(struct netcheck_lookups *all)
{
	for (unsigned i = 0; i < all->n; i++) {
		end(&all->of[i][0]);
		end(&all->of[i][1]);
	}
}
