/*
 * sandbox_files.c - which files a process may touch: Landlock
 *
 * Rules stack: a child has its parent's and its own. The parent's are what it
 * needs itself and what its children need to be started, again and again:
 * their programs, the dynamic linker and libraries, and for the resolver the
 * files of name resolution, which other programs replace at any time, so that
 * a rule on the file itself would go stale: their directory is named. Each
 * resolver lives for one question and names the very files. The engine gets
 * nothing.
 *
 * Landlock grew by versions. On an older kernel what it does not know is left
 * out; without Landlock there is none, and `-V` says which it is. What was
 * opened before is not affected.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "compat.h"
#include "log.h"
#include "sandbox.h"

#define FAILED 77	/* EX_NOPERM */

#define READ	((uint64_t)LANDLOCK_ACCESS_FS_READ_FILE)
#define EXECUTE (READ | LANDLOCK_ACCESS_FS_EXECUTE)
#define WRITE	((uint64_t)LANDLOCK_ACCESS_FS_WRITE_FILE)

struct rule {
	const char *path;
	uint64_t access;
	const char *why;
};

static const struct rule libraries[] = {
	{ "/lib", EXECUTE, "the dynamic linker, libraries" },
	{ "/lib64", EXECUTE, "the same" },
	{ "/usr/lib", EXECUTE, "the same" },
	{ "/usr/lib64", EXECUTE, "the same" },
	{ "/usr/local/lib", EXECUTE, "the same" },
};

static const struct rule parent_rules[] = {
	{ "/etc", READ, "ld.so.cache; hosts, resolv.conf, ..." },
	{ "/proc/sys/net/ipv6/conf", READ | WRITE,
	  "settings of an interface made again" },
};

static const struct rule resolver_rules[] = {
	{ "/etc/hosts", READ, "names" },
	{ "/etc/resolv.conf", READ, "name servers" },
	{ "/etc/host.conf", READ, "glibc's resolver reads it" },
	{ "/etc/gai.conf", READ, "order of addresses" },
	{ "/etc/nsswitch.conf", READ, "read, though we name the services" },
};

static int landlock_version(void)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, (size_t)0,
			       LANDLOCK_CREATE_RULESET_VERSION);

	return version < 0 ? 0 : (int)version;
}

const char *sandbox_describe(void)
{
	static char text[40];

	if (!WITH_SANDBOX)
		return "off (--disable-sandbox)";
	if (landlock_version() == 0)
		return "seccomp, no landlock in this kernel";
	snprintf(text, sizeof(text), "seccomp, landlock %d",
		 landlock_version());
	return text;
}

/* Everything that this version can forbid is forbidden. */
static int rules_new(int version)
{
	struct compat_landlock_ruleset r = {
		.fs = (1ULL << 13) - 1,	/* EXECUTE .. MAKE_SYM */
	};
	size_t size = sizeof(r.fs);

	if (version >= 2)
		r.fs |= LANDLOCK_ACCESS_FS_REFER;
	if (version >= 3)
		r.fs |= LANDLOCK_ACCESS_FS_TRUNCATE;
	if (version >= 4) {
		r.net = LANDLOCK_ACCESS_NET_BIND_TCP |
			LANDLOCK_ACCESS_NET_CONNECT_TCP;
		size = sizeof(r.fs) + sizeof(r.net);
	}
	if (version >= 5)
		r.fs |= LANDLOCK_ACCESS_FS_IOCTL_DEV;
	if (version >= 6) {
		r.scoped = LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET |
			   LANDLOCK_SCOPE_SIGNAL;
		size = sizeof(r);
	}
	return (int)syscall(SYS_landlock_create_ruleset, &r, size, 0);
}

static void rules_add(int rules, const char *path, uint64_t access)
{
	struct landlock_path_beneath_attr at = { .allowed_access = access };

	at.parent_fd = open(path, O_PATH | O_CLOEXEC);
	if (at.parent_fd < 0)
		return;		/* what is not there needs no permission */
	if (syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH,
		    &at, 0) < 0)
		die(FAILED, "landlock: %s: %s", path, strerror(errno));
	close(at.parent_fd);
}

static void rules_add_table(int rules, const struct rule *table, size_t n)
{
	for (size_t i = 0; i < n; i++)
		rules_add(rules, table[i].path, table[i].access);
}

/* A name server may want TCP for a long answer. */
static void rules_add_dns(int rules, int version)
{
	const struct compat_landlock_port dns = {
		.allowed = LANDLOCK_ACCESS_NET_CONNECT_TCP,
		.port = 53,
	};

	if (version >= 4 && syscall(SYS_landlock_add_rule, rules,
				    LANDLOCK_RULE_NET_PORT, &dns, 0) < 0)
		die(FAILED, "landlock: port 53: %s", strerror(errno));
}

static int rules_begin(int *version)
{
	int rules;

	*version = WITH_SANDBOX ? landlock_version() : 0;
	if (*version == 0)
		return -1;
	rules = rules_new(*version);
	if (rules < 0)
		die(FAILED, "landlock: %s", strerror(errno));
	return rules;
}

/* Reads back, in the only way there is: a directory that must not open. */
static void rules_enforce(int rules)
{
	if (syscall(SYS_landlock_restrict_self, rules, 0) < 0)
		die(FAILED, "landlock: %s", strerror(errno));
	close(rules);
	if (open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC) >= 0)
		die(FAILED, "landlock: is not in force");
}

/* /etc/resolv.conf is often a link into /run, to a file that is replaced. */
static void rules_add_resolv_conf(int rules)
{
	char path[PATH_MAX];

	if (realpath("/etc/resolv.conf", path) != NULL)
		rules_add(rules, dirname(path),
			  READ);
}

void sandbox_parent_files(const char *conf_dir, const char *key_dir,
			  const char *child_dir)
{
	int version, rules = rules_begin(&version);

	if (rules < 0)
		return;
	rules_add_table(rules, libraries,
			sizeof(libraries) / sizeof(libraries[0]));
	rules_add_table(rules, parent_rules,
			sizeof(parent_rules) / sizeof(parent_rules[0]));
	rules_add_resolv_conf(rules);
	rules_add(rules, conf_dir, READ);
	if (key_dir != NULL)
		rules_add(rules, key_dir, READ);
	rules_add(rules, child_dir, EXECUTE);
	rules_add_dns(rules, version);
	rules_enforce(rules);
}

void sandbox_resolver_files(void)
{
	int version, rules = rules_begin(&version);

	if (rules < 0)
		return;
	rules_add_table(rules, resolver_rules,
			sizeof(resolver_rules) / sizeof(resolver_rules[0]));
	rules_add_dns(rules, version);
	rules_enforce(rules);
}

void sandbox_no_files(void)
{
	int version, rules = rules_begin(&version);

	if (rules >= 0)
		rules_enforce(rules);
}
