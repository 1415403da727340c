/*
 * ctl_bench.h - the engine's end of the control socket on the bench
 *
 * The test is what knows the answers, and whoever asks.
 */
#ifndef TESTS_UNIT_CTL_BENCH_H
#define TESTS_UNIT_CTL_BENCH_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../src/clock.h"
#include "../../src/ctl_server.h"

struct ctl_bench {
	struct loop *loop;
	struct ctl_server *server;
	struct sockaddr_un name;
	socklen_t name_len;
	int listener;
	unsigned fills;		/* of the status, of which the pid is 4711 */
	uint32_t from;		/* asked for peers, of which there are 100 */
	uint8_t addr[16];	/* looked up */
	struct ctl_request handed;	/* on to the parent */
	int handed_fd;		/* a copy of it; -1: none */
	int parent_error;	/* what the parent says to that */
	unsigned captures, ends;	/* began, ended */
};

int ctl_bench_setup(void **state);
int ctl_bench_teardown(void **state);

int ctl_bench_connect(struct ctl_bench *b);
struct ctl_request ctl_bench_request(enum ctl_verb verb, uint32_t value);
/* Connects and says that. */
int ctl_bench_ask(struct ctl_bench *b, const struct ctl_request *r);
/* A turn of the loop and the next ones for a millisecond. */
void ctl_bench_serve(struct ctl_bench *b);
/* Serves until fd has an answer or is closed. */
void ctl_bench_await(struct ctl_bench *b, int fd);
/* Awaits a message that begins with that head; its length. */
size_t ctl_bench_answer(struct ctl_bench *b, int fd, void *m, size_t size,
			enum ctl_verb verb, int error);
bool ctl_bench_is_closed(int fd);

#endif
