/*
 * sandbox_calls.c - which system calls a process may make: seccomp
 *
 * A table per process with a reason per row; everything else kills the whole
 * process. Filters stack like Landlock's rules: a child has its parent's and
 * its own. So the parent's is the union of what it needs itself and of what a
 * child needs from fork to its own filter (the dynamic linker, the drop of
 * what is left, these filters themselves); the child then tightens itself.
 *
 * The parent has to kill a child that hangs. A filter cannot tell a child's
 * pid from another's; it allows SIGKILL and no other signal, and
 * Landlock (from version 6 on) the parent's own children only. The engine and
 * the resolver, which share the parent's uid, have no kill, ptrace, pidfd or
 * process_vm call at all.
 *
 * The engine's table ends its start: from then on there is no call that takes
 * a path, makes a socket, or gets memory, which also proves that packets are
 * handled without the heap. Memory may be given back: what a flood filled. It
 * handles no signal, and ppoll() goes on by itself after SIGCONT.
 */
#include "config.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/if_tun.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "log.h"
#include "sandbox.h"

#define FAILED 77	/* EX_NOPERM */
#define PROGRAM_MAX 1024
#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* Every flag of clone() that makes a namespace. */
#define CLONE_SPACES                                                           \
	((unsigned)(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS |             \
		    CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID |              \
		    CLONE_NEWNET))

struct call {
	int nr;
	const char *why;
};

/* Allowed only when argument `arg`, masked, is `value`. With REFUSED the call
 * is survived, but fails with EACCES. With USUAL argument 2 has to be 0, too:
 * of socket(), the type's own protocol. */
#define REFUSED 0x100u
#define USUAL 0x200u
struct call_if {
	int nr;
	unsigned arg;
	uint64_t mask, value;
	const char *why;
};

static const struct call engine_calls[] = {
	{ SCMP_SYS(ppoll), "waits for packets" },
	{ SCMP_SYS(ppoll_time64), "the same, with 32 bits" },
	{ SCMP_SYS(epoll_pwait), "takes what else is ready" },
	{ SCMP_SYS(epoll_ctl), "connections of miredoctl come and go" },
	{ SCMP_SYS(timerfd_settime), "the one deadline" },
	{ SCMP_SYS(clock_gettime), "where the vdso has no BOOTTIME" },
	{ SCMP_SYS(read), "tun, timer" },
	{ SCMP_SYS(writev), "tun" },
	{ SCMP_SYS(recvmsg), "UDP sockets; parent" },
	{ SCMP_SYS(sendmsg), "UDP sockets; parent" },
	{ SCMP_SYS(recvmmsg), "UDP sockets" },
	{ SCMP_SYS(sendmmsg), "UDP sockets" },
	{ SCMP_SYS(recvfrom), "control socket" },
	{ SCMP_SYS(sendto), "UDP socket; control socket; native IPv6" },
	{ SCMP_SYS(accept4), "control socket" },
	{ SCMP_SYS(getsockopt), "who asks on the control socket" },
	{ SCMP_SYS(close), "a connection ends" },
	{ SCMP_SYS(getrandom), "nonces" },
	{ SCMP_SYS(exit_group), "the end" },
};

static const struct call_if engine_calls_if[] = {
	{ SCMP_SYS(prctl), 0, UINT64_MAX, PR_GET_SECCOMP, "reads it back" },
	{ SCMP_SYS(madvise), 2, UINT64_MAX, MADV_DONTNEED, "gives memory back" },
};

/* What a program needs from exec to main(), and to end. */
#define CALLS_OF_A_START                                                       \
	{ SCMP_SYS(execve), "a child's program" },                             \
	{ SCMP_SYS(brk), "memory" },                                           \
	{ SCMP_SYS(mmap), "memory; libraries" },                               \
	{ SCMP_SYS(munmap), "the same" },                                      \
	{ SCMP_SYS(mprotect), "libraries: RELRO" },                            \
	{ SCMP_SYS(mremap), "realloc()" },                                     \
	{ SCMP_SYS(madvise), "free()" },                                       \
	{ SCMP_SYS(open), "libraries" },                                       \
	{ SCMP_SYS(openat), "libraries; configuration; name resolution" },     \
	{ SCMP_SYS(access), "ld.so.preload" },                                 \
	{ SCMP_SYS(faccessat), "the same" },                                   \
	{ SCMP_SYS(fstat), "libraries" },                                      \
	{ SCMP_SYS(newfstatat), "libraries; has a file changed?" },            \
	{ SCMP_SYS(statx), "the same" },                                       \
	{ SCMP_SYS(pread64), "libraries" },                                    \
	{ SCMP_SYS(lseek), "stdio" },                                          \
	{ SCMP_SYS(readlink), "realpath() of resolv.conf" },                   \
	{ SCMP_SYS(readlinkat), "the same" },                                  \
	{ SCMP_SYS(getcwd), "realpath()" },                                    \
	{ SCMP_SYS(arch_prctl), "start of a program" },                        \
	{ SCMP_SYS(set_tid_address), "start of a program" },                   \
	{ SCMP_SYS(set_robust_list), "start of a program" },                   \
	{ SCMP_SYS(rseq), "start of a program" },                              \
	{ SCMP_SYS(prlimit64), "start of a program; limits" },                 \
	{ SCMP_SYS(uname), "start of a program" },                             \
	{ SCMP_SYS(futex), "locks in libc" }

static const struct call parent_calls[] = {
	CALLS_OF_A_START,
	/* starting a child */
	{ SCMP_SYS(dup2), "the child's socket is descriptor 3" },
	{ SCMP_SYS(dup3), "the same, on newer architectures" },
	{ SCMP_SYS(close_range), "no other descriptor in a child" },
	{ SCMP_SYS(wait4), "children that ended" },
	{ SCMP_SYS(waitid), "the same" },
	{ SCMP_SYS(getppid), "did the parent die first?" },
	{ SCMP_SYS(setsid), "no signal of a terminal reaches a child" },
	{ SCMP_SYS(socketpair), "the border" },
	/* a child's own drop and sandbox */
	{ SCMP_SYS(prctl), "reads back; no_new_privs, dumpable" },
	{ SCMP_SYS(capget), "reads back" },
	{ SCMP_SYS(capset), "drops" },
	{ SCMP_SYS(seccomp), "tightens itself" },
	{ SCMP_SYS(memfd_create), "its filter is compiled into a file" },
	{ SCMP_SYS(landlock_create_ruleset), "tightens itself" },
	{ SCMP_SYS(landlock_add_rule), "tightens itself" },
	{ SCMP_SYS(landlock_restrict_self), "tightens itself" },
	{ SCMP_SYS(epoll_create1), "its event loop" },
	{ SCMP_SYS(timerfd_create), "its event loop" },
	{ SCMP_SYS(poll), "waits for its configuration; name servers" },
	{ SCMP_SYS(ppoll), "the same, on newer architectures" },
	{ SCMP_SYS(select), "waits, once the filter is on" },
	{ SCMP_SYS(pselect6), "libnftables waits for the kernel" },
	/* the parent and its children */
	{ SCMP_SYS(signalfd4), "the parent's and a child's event loop" },
	{ SCMP_SYS(epoll_pwait), "event loop" },
	{ SCMP_SYS(epoll_ctl), "event loop" },
	{ SCMP_SYS(timerfd_settime), "event loop" },
	{ SCMP_SYS(clock_gettime), "the processor time that a child had" },
	{ SCMP_SYS(clock_gettime64), "the same, with 32 bits" },
	{ SCMP_SYS(clock_getres), "has a child such a clock?" },
	{ SCMP_SYS(clock_getres_time64), "the same, with 32 bits" },
	{ SCMP_SYS(clock_nanosleep), "waits" },
	{ SCMP_SYS(read), "signals, timer, files" },
	{ SCMP_SYS(write), "messages on stderr; interface settings" },
	{ SCMP_SYS(writev), "stdio" },
	{ SCMP_SYS(close), "descriptors" },
	{ SCMP_SYS(fcntl), "descriptors" },
	{ SCMP_SYS(connect), "syslog; name servers" },
	{ SCMP_SYS(bind), "a UDP socket after a reload; netlink" },
	{ SCMP_SYS(setsockopt), "the same; the link of local discovery" },
	{ SCMP_SYS(getsockopt), "sockets; who asks on the control socket" },
	{ SCMP_SYS(getsockname), "which port it became; netlink" },
	{ SCMP_SYS(getpeername), "name resolution" },
	{ SCMP_SYS(recvmsg), "children, netlink, name servers, UDP" },
	{ SCMP_SYS(sendmsg), "children, netlink" },
	{ SCMP_SYS(recvfrom), "name servers; control socket" },
	{ SCMP_SYS(sendto), "syslog, systemd, name servers, UDP" },
	{ SCMP_SYS(sendmmsg), "name servers; UDP" },
	{ SCMP_SYS(recvmmsg), "UDP" },
	{ SCMP_SYS(accept4), "control socket" },
	{ SCMP_SYS(shutdown), "tells an engine to end" },
	{ SCMP_SYS(ftruncate), "the pid file at the end" },
	{ SCMP_SYS(getrandom), "nonces; query numbers; malloc" },
	{ SCMP_SYS(getpid), "syslog" },
	{ SCMP_SYS(gettid), "abort()" },
	{ SCMP_SYS(geteuid), "is there a uid to leave?" },
	{ SCMP_SYS(getegid), "the same" },
	{ SCMP_SYS(getuid), "name resolution" },
	{ SCMP_SYS(getgid), "name resolution" },
	{ SCMP_SYS(getgroups), "reads back" },
	{ SCMP_SYS(rt_sigaction), "signal dispositions in a child" },
	{ SCMP_SYS(rt_sigprocmask), "signal mask in a child" },
	{ SCMP_SYS(rt_sigreturn), "kernel" },
	{ SCMP_SYS(restart_syscall), "kernel, after SIGCONT" },
	{ SCMP_SYS(sysinfo), "qsort() in libc" },
	{ SCMP_SYS(exit), "the end" },
	{ SCMP_SYS(exit_group), "the end" },
};

static const struct call_if parent_calls_if[] = {
	{ SCMP_SYS(clone), 0, CLONE_SPACES, 0, "fork(), no namespaces" },
	{ SCMP_SYS(kill), 1, UINT64_MAX, SIGKILL, "a child that hangs" },
	{ SCMP_SYS(socket), 0, UINT64_MAX, AF_UNIX, "syslog" },
	{ SCMP_SYS(socket), 0, UINT64_MAX, AF_INET, "UDP; name servers" },
	{ SCMP_SYS(socket), 0, UINT64_MAX, AF_INET6, "name servers" },
	{ SCMP_SYS(socket), 0, UINT64_MAX, AF_NETLINK, "name resolution" },
	{ SCMP_SYS(ioctl), 1, UINT32_MAX, TUNSETIFF, "interface made again" },
	{ SCMP_SYS(ioctl), 1, UINT32_MAX, TUNSETOFFLOAD, "the same; reload" },
	{ SCMP_SYS(ioctl), 1, UINT32_MAX, TUNSETCARRIER, "health" },
	{ SCMP_SYS(ioctl), 1, UINT32_MAX, SIOCGIFINDEX, "if_nametoindex()" },
	{ SCMP_SYS(ioctl), 1, UINT32_MAX, SIOCGIFNAME, "if_indextoname()" },
	{ SCMP_SYS(ioctl), 1, UINT32_MAX, FIONREAD, "name servers' answers" },
	{ SCMP_SYS(ioctl), 1, UINT32_MAX, TCGETS, "stdio" },
};

static const struct call resolver_calls[] = {
	{ SCMP_SYS(brk), "memory" },
	{ SCMP_SYS(munmap), "memory" },
	{ SCMP_SYS(mremap), "memory" },
	{ SCMP_SYS(madvise), "memory" },
	{ SCMP_SYS(open), "hosts, resolv.conf" },
	{ SCMP_SYS(openat), "hosts, resolv.conf" },
	{ SCMP_SYS(fstat), "the same" },
	{ SCMP_SYS(newfstatat), "the same" },
	{ SCMP_SYS(statx), "the same" },
	{ SCMP_SYS(lseek), "the same" },
	{ SCMP_SYS(fcntl), "the same" },
	{ SCMP_SYS(close), "the same" },
	{ SCMP_SYS(connect), "name servers" },
	{ SCMP_SYS(bind), "netlink: which addresses have we?" },
	{ SCMP_SYS(getsockopt), "name servers" },
	{ SCMP_SYS(getsockname), "which source would be used" },
	{ SCMP_SYS(getpeername), "name servers" },
	{ SCMP_SYS(poll), "waits for name servers and the parent" },
	{ SCMP_SYS(ppoll), "the same, on newer architectures" },
	{ SCMP_SYS(recvfrom), "answers" },
	{ SCMP_SYS(recvmsg), "answers; the parent's question" },
	{ SCMP_SYS(read), "files; answers by TCP" },
	{ SCMP_SYS(write), "messages on stderr" },
	{ SCMP_SYS(writev), "asks by TCP" },
	{ SCMP_SYS(clock_gettime), "where the vdso has none" },
	{ SCMP_SYS(getrandom), "query numbers; malloc" },
	{ SCMP_SYS(getpid), "netlink" },
	{ SCMP_SYS(uname), "host name" },
	{ SCMP_SYS(futex), "locks in libc" },
	{ SCMP_SYS(rt_sigreturn), "kernel" },
	{ SCMP_SYS(restart_syscall), "kernel, after SIGCONT" },
	{ SCMP_SYS(exit_group), "the end" },
};

static const struct call_if resolver_calls_if[] = {
	{ SCMP_SYS(mmap), 2, PROT_EXEC, 0, "memory, no code" },
	{ SCMP_SYS(mprotect), 2, PROT_EXEC, 0, "memory of malloc()" },
	/* MPTCP and fast open are TCP that Landlock does not look at; who may
	 * let a socket linger makes the parent wait that closes it. */
	{ SCMP_SYS(socket), USUAL | 0, UINT64_MAX, AF_INET, "name servers" },
	{ SCMP_SYS(socket), USUAL | 0, UINT64_MAX, AF_INET6, "name servers" },
	{ SCMP_SYS(socket), 0, UINT64_MAX, AF_NETLINK, "our addresses" },
	{ SCMP_SYS(socket), REFUSED | 0, UINT64_MAX, AF_UNIX, "to nscd" },
	{ SCMP_SYS(setsockopt), 1, UINT32_MAX, IPPROTO_IP, "name servers" },
	{ SCMP_SYS(setsockopt), 1, UINT32_MAX, IPPROTO_IPV6, "name servers" },
	{ SCMP_SYS(sendto), 3, MSG_FASTOPEN, 0, "asks" },
	{ SCMP_SYS(sendmmsg), 3, MSG_FASTOPEN, 0, "asks" },
	{ SCMP_SYS(sendmsg), 2, MSG_FASTOPEN, 0, "asks; answers the parent" },
	{ SCMP_SYS(ioctl), 1, UINT32_MAX, FIONREAD, "answers" },
	{ SCMP_SYS(prctl), 0, UINT64_MAX, PR_GET_SECCOMP, "reads it back" },
};

static void calls_failed(const char *what, int err)
{
	die(FAILED, "seccomp: %s: %s", what, strerror(err));
}

static int calls_add_if(scmp_filter_ctx filter, const struct call_if *c)
{
	const struct scmp_arg_cmp cmp[] = {
		SCMP_CMP(c->arg & ~(REFUSED | USUAL), SCMP_CMP_MASKED_EQ,
			 c->mask, c->value),
		SCMP_CMP(2, SCMP_CMP_MASKED_EQ, UINT32_MAX, 0),
	};
	uint32_t action = c->arg & REFUSED ? SCMP_ACT_ERRNO(EACCES)
					   : SCMP_ACT_ALLOW;

	return seccomp_rule_add_array(filter, action, c->nr,
				      c->arg & USUAL ? 2 : 1, cmp);
}

/* Compiles the tables into a filter program. Its length. */
static unsigned short calls_compile(const struct call *calls, size_t n,
				    const struct call_if *ifs, size_t m,
				    struct sock_filter program[PROGRAM_MAX])
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int fd = memfd_create("filter", MFD_CLOEXEC);
	ssize_t len;
	int err = filter == NULL || fd < 0 ? -ENOMEM : 0;

	/* A row for a call that this architecture lacks is no row. */
	for (size_t i = 0; i < n && err == 0; i++)
		if (calls[i].nr >= 0)
			err = seccomp_rule_add(filter, SCMP_ACT_ALLOW,
					       calls[i].nr, 0);
	for (size_t i = 0; i < m && err == 0; i++)
		err = calls_add_if(filter, &ifs[i]);
	if (err == 0)
		err = seccomp_export_bpf(filter, fd);
	if (err < 0)
		calls_failed("filter", -err);
	len = pread(fd, program, PROGRAM_MAX * sizeof(program[0]), 0);
	if (len <= 0 || len == (ssize_t)(PROGRAM_MAX * sizeof(program[0])))
		calls_failed("filter is too long", E2BIG);
	close(fd);
	seccomp_release(filter);
	return (unsigned short)((size_t)len / sizeof(program[0]));
}

/* The library would free memory after the load, when the engine may not. */
static void calls_load(const struct call *calls, size_t n,
		       const struct call_if *ifs, size_t m)
{
	struct sock_filter program[PROGRAM_MAX];
	struct sock_fprog prog = { .filter = program };

	if (!WITH_SANDBOX)
		return;
	prog.len = calls_compile(calls, n, ifs, m, program);
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0L, &prog) < 0)
		calls_failed("load", errno);
	if (prctl(PR_GET_SECCOMP, 0L, 0L, 0L, 0L) != SECCOMP_MODE_FILTER)
		calls_failed("is not in force", EPERM);
}

void sandbox_parent_calls(void)
{
	calls_load(parent_calls, COUNT(parent_calls), parent_calls_if,
		   COUNT(parent_calls_if));
}

void sandbox_engine(void)
{
	sandbox_no_files();
	calls_load(engine_calls, COUNT(engine_calls), engine_calls_if,
		   COUNT(engine_calls_if));
}

void sandbox_resolver(void)
{
	sandbox_resolver_files();
	calls_load(resolver_calls, COUNT(resolver_calls), resolver_calls_if,
		   COUNT(resolver_calls_if));
}
