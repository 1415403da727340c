/*
 * miredoctl_connect.c - finding an instance, and asking it
 *
 * An instance is a socket that somebody listens at: one who was killed leaves
 * its socket behind. Where only one instance runs it needs no name.
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "ctl_records.h"
#include "miredoctl.h"
#include "miredoctl_status.h"

#define ANSWER_TIMEOUT 2	 /* s */

/* ---- which instance ---- */

/* The address of an instance's socket; false: too long, which is said. */
static bool name_socket(struct sockaddr_un *sun, const char *dir,
			const char *instance)
{
	int n;

	sun->sun_family = AF_UNIX;
	n = snprintf(sun->sun_path, sizeof(sun->sun_path), "%s/%s.sock", dir,
		     instance);
	if (n < (int)sizeof(sun->sun_path))
		return true;
	fprintf(stderr, "miredoctl: %s/%s.sock: too long for a socket\n", dir,
		instance);
	return false;
}

static bool is_alive(const struct sockaddr_un *sun)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK,
			0);
	bool refused =
		connect(fd, (const struct sockaddr *)sun, sizeof(*sun)) != 0 &&
		(errno == ECONNREFUSED || errno == ENOENT);

	if (fd >= 0)
		close(fd);
	return !refused;
}

/* The instance whose socket has this file name; "" if it is none. */
static void instance_of(char name[256], const char *file)
{
	size_t len = strlen(file);

	snprintf(name, 256, "%s", file);
	if (len > 5 && len < 256 && strcmp(file + len - 5, ".sock") == 0)
		name[len - 5] = '\0';
	else
		name[0] = '\0';
}

/* Finds the only instance that runs. 0, or an exit code. Several are listed;
 * that there is none is for the caller to say. */
static int find_instance(const char *run_dir, struct sockaddr_un *found)
{
	DIR *dir = opendir(run_dir);
	const struct dirent *entry;
	struct sockaddr_un sun = {0};
	char first[256] = "", name[256];
	unsigned n = 0;

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		instance_of(name, entry->d_name);
		if (name[0] == '\0' || !name_socket(&sun, run_dir, name) ||
		    !is_alive(&sun))
			continue;
		*found = sun;
		n++;
		if (n == 1)
			memcpy(first, name, sizeof(first));
		else
			fprintf(stderr, "%s %s",
				n == 2 ? "miredoctl: choose one with -i:" : "",
				name);
	}
	if (dir != NULL)
		closedir(dir);
	if (n > 1)
		fprintf(stderr, " %s\n", first);
	return n == 0 ? CTL_EXIT_NOT_RUNNING : n == 1 ? 0 : CTL_EXIT_USAGE;
}

static int find_socket(const struct miredoctl_args *args,
		       struct sockaddr_un *sun, bool quiet)
{
	const char *dir = args->value[OPT_RUN_DIR];
	int error;

	if (args->value[OPT_INSTANCE] != NULL)
		return name_socket(sun, dir, args->value[OPT_INSTANCE])
			       ? 0
			       : CTL_EXIT_USAGE;
	error = find_instance(dir, sun);
	if (error == CTL_EXIT_NOT_RUNNING && !quiet)
		miredoctl_say_absence(args);
	return error;
}

/* ---- one question ---- */

static int explain(const struct miredoctl_args *args, const char *path,
		   int error, bool quiet)
{
	switch (error) {
	case ENOENT:
	case ECONNREFUSED:
		if (!quiet)
			miredoctl_say_absence(args);
		return CTL_EXIT_NOT_RUNNING;
	case EACCES:
	case EPERM:
		fprintf(stderr, "miredoctl: %s: %s\n", path, strerror(error));
		return CTL_EXIT_DENIED;
	default:
		if (!quiet)
			fprintf(stderr, "miredoctl: %s: %s\n", path,
				strerror(error));
		return CTL_EXIT_FAILED;
	}
}

int miredoctl_connect(const struct miredoctl_args *args, int *out, bool quiet)
{
	const struct timeval limit = {.tv_sec = ANSWER_TIMEOUT};
	struct sockaddr_un sun = {0};
	int fd, error = find_socket(args, &sun, quiet);

	if (error != 0)
		return error;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return explain(args, sun.sun_path, errno, false);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	if (connect(fd, (const struct sockaddr *)&sun, sizeof(sun)) != 0) {
		error = explain(args, sun.sun_path, errno, quiet);
		close(fd);
		return error;
	}
	*out = fd;
	return 0;
}

/* ---- one request, one answer ---- */

static int say_silence(int error, bool quiet)
{
	if (!quiet)
		fprintf(stderr, "miredoctl: the engine %s\n",
			error == EAGAIN ? "gave no answer in time"
					: "ended the connection");
	return CTL_EXIT_FAILED;
}

static int say_misunderstood(bool quiet)
{
	if (!quiet)
		fprintf(stderr,
			"miredoctl: the engine gave an answer that this "
			"version does not understand: is it another "
			"version?\n");
	return CTL_EXIT_FAILED;
}

static int say_refused(int error, bool quiet)
{
	if (error == EPERM) {
		fprintf(stderr,
			"miredoctl: this is only for root and for members of "
			"the service user's group\n");
		return CTL_EXIT_DENIED;
	}
	if (error == EPROTONOSUPPORT)
		return say_misunderstood(quiet);
	if (!quiet && error == EBUSY)
		fprintf(stderr,
			"miredoctl: the limit is %u readers of events and "
			"packets at once: end one of them\n"
			"           who they are:  pgrep -af "
			"'miredoctl .*(events|capture)'\n",
			CTL_STREAMS);
	else if (!quiet && error == EOPNOTSUPP)
		fprintf(stderr,
			"miredoctl: there is no engine now: see miredoctl "
			"status\n");
	else if (!quiet)
		fprintf(stderr, "miredoctl: the engine refuses: %s\n",
			strerror(error));
	return CTL_EXIT_FAILED;
}

int miredoctl_request(int fd, enum ctl_verb verb, uint32_t value,
		      const uint8_t addr[16], bool quiet)
{
	struct ctl_request request = {
		.magic = CTL_MAGIC,
		.version = CTL_VERSION,
		.verb = verb,
		.value = value,
	};

	if (addr != NULL)
		memcpy(request.addr, addr, sizeof(request.addr));
	if (send(fd, &request, sizeof(request), MSG_NOSIGNAL) < 0)
		return say_silence(errno, quiet);
	return 0;
}

int miredoctl_answer(int fd, void *answer, size_t size, size_t least,
		     size_t *len, bool quiet)
{
	struct ctl_head head;
	ssize_t n = recv(fd, answer, size, MSG_TRUNC);

	if (n <= 0)
		return say_silence(n < 0 ? errno : 0, quiet);
	if (n < (ssize_t)sizeof(head) || (size_t)n > size)
		return say_misunderstood(quiet);
	memcpy(&head, answer, sizeof(head));
	if (head.magic != CTL_MAGIC)
		return say_misunderstood(quiet);
	if (head.error != 0)
		return say_refused(-head.error, quiet);
	if (head.version != CTL_VERSION || (size_t)n < least)
		return say_misunderstood(quiet);
	*len = (size_t)n;
	return 0;
}

int miredoctl_report(int fd, struct ctl_report *m)
{
	ssize_t n = recv(fd, m, sizeof(*m), MSG_TRUNC);

	if (n < 0 || n == 0)
		return say_silence(n < 0 ? errno : 0, false);
	if ((n != sizeof(*m) && n != sizeof(m->head)) ||
	    m->head.magic != CTL_MAGIC)
		return say_misunderstood(false);
	if (n == sizeof(m->head))
		return say_refused(-m->head.error, false);
	m->text[sizeof(m->text) - 1] = '\0';
	for (char *c = m->text; *c != '\0'; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	if (m->head.error == 0)
		return 0;
	if (m->text[0] != '\0')
		fprintf(stderr, "miredoctl: %s\n", m->text);
	return CTL_EXIT_FAILED;
}

static int ask_status(const struct miredoctl_args *args, struct ctl_status *st,
		      bool quiet)
{
	int fd, error = miredoctl_connect(args, &fd, quiet);
	size_t len;

	if (error != 0)
		return error;
	error = miredoctl_request(fd, CTL_STATUS, 0, NULL, quiet);
	if (error == 0)
		error = miredoctl_answer(fd, st, sizeof(*st), sizeof(*st), &len,
					 quiet);
	close(fd);
	if (error == 0 && st->n_counters != TEREDO_N_COUNTERS)
		error = say_misunderstood(quiet);
	if (error == 0)
		miredoctl_clean(st);
	return error;
}

/* An engine may end, or hang until it is killed, while we ask: there is
 * another one a moment later, or the parent answers. */
int miredoctl_get_status(const struct miredoctl_args *args,
			 struct ctl_status *st, bool quiet)
{
	int error = ask_status(args, st, true);

	if (error == CTL_EXIT_FAILED || error == CTL_EXIT_NOT_RUNNING)
		error = ask_status(args, st, quiet);
	return error;
}
