/*
 * refuse.c - runs a program whose offloads the kernel refuses
 *
 *	refuse FEATURE... -- PROGRAM ARGUMENT...
 *
 * A seccomp filter answers in the kernel's place, as a kernel without the
 * feature would. It stays for all that the program starts; the program's own
 * filters come on top. What a filter cannot see is refuse_calls.c's.
 */
#include "config.h"

#include <errno.h>
#include <linux/if_tun.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sysexits.h>
#include <unistd.h>

#define USO46 0x60 /* TUN_F_USO4, TUN_F_USO6; Debian 12's headers are older */
#define ARG(n, value) SCMP_CMP(n, SCMP_CMP_MASKED_EQ, UINT32_MAX, value)

/* 0, or -errno: -EINVAL no such feature. */
static int refuse(scmp_filter_ctx filter, const char *feature)
{
	if (strcmp(feature, "tun-offload") == 0)
		return seccomp_rule_add(filter, SCMP_ACT_ERRNO(EINVAL),
					SCMP_SYS(ioctl), 1,
					ARG(1, TUNSETOFFLOAD));
	if (strcmp(feature, "tun-uso") == 0)	/* before Linux 6.2 */
		return seccomp_rule_add(filter, SCMP_ACT_ERRNO(EINVAL),
					SCMP_SYS(ioctl), 2,
					ARG(1, TUNSETOFFLOAD),
					SCMP_CMP(2, SCMP_CMP_MASKED_EQ, USO46,
						 USO46));
	/* a virtio-net header, and the pieces of more than one packet */
	if (strcmp(feature, "tun-merged") == 0)
		return seccomp_rule_add(filter, SCMP_ACT_ERRNO(EINVAL),
					SCMP_SYS(writev), 1,
					SCMP_CMP(2, SCMP_CMP_GT, 2, 0));
	if (strcmp(feature, "udp-gro") == 0)
		return seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOPROTOOPT),
					SCMP_SYS(setsockopt), 2,
					ARG(1, IPPROTO_UDP), ARG(2, UDP_GRO));
	if (strcmp(feature, "udp-segment") == 0)
		return seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOPROTOOPT),
					SCMP_SYS(setsockopt), 2,
					ARG(1, IPPROTO_UDP),
					ARG(2, UDP_SEGMENT));
	if (strcmp(feature, "sendmmsg") == 0)
		return seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS),
					SCMP_SYS(sendmmsg), 0);
	if (strcmp(feature, "recvmmsg") == 0)
		return seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS),
					SCMP_SYS(recvmmsg), 0);
	return -EINVAL;
}

int main(int argc, char **argv)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int error = filter == NULL ? -ENOMEM : 0;
	int i = 1;

	/* no_new_privs is the program's own business */
	if (error == 0)
		error = seccomp_attr_set(filter, SCMP_FLTATR_CTL_NNP, 0);
	for (; error == 0 && i < argc && strcmp(argv[i], "--") != 0; i++)
		error = refuse(filter, argv[i]);
	if (error == 0 && i + 1 >= argc)
		error = -EINVAL;
	if (error == 0)
		error = seccomp_load(filter);
	if (error != 0) {
		fprintf(stderr, "refuse: %s\n", strerror(-error));
		return EX_USAGE;
	}
	execv(argv[i + 1], argv + i + 1);
	perror(argv[i + 1]);
	return EX_OSERR;
}
