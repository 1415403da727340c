/*
 * ctl_bench.c - the engine's end of the control socket on the bench
 */
#include "config.h"

#include "ctl_bench.h"

#include <poll.h>
#include <stdlib.h>

static void fill(void *ctx, struct ctl_status *st)
{
	struct ctl_bench *b = ctx;

	b->fills++;
	st->pid = 4711;
}

/* 100 peers: all pages but the last are full. */
static void peers(void *ctx, uint32_t from, struct ctl_peers *page)
{
	struct ctl_bench *b = ctx;

	b->from = from;
	while (from < 100 && page->n < CTL_PEERS_MAX)
		page->peer[page->n++].probes = from++;
	page->next = from < 100 ? from : CTL_PEERS_END;
}

static void lookup(void *ctx, const uint8_t addr[16], struct ctl_lookup *l)
{
	struct ctl_bench *b = ctx;

	memcpy(b->addr, addr, sizeof(b->addr));
	l->would = TEREDO_WOULD_DELIVER;
}

static int parent(void *ctx, const struct ctl_request *r, int fd)
{
	struct ctl_bench *b = ctx;

	b->handed = *r;
	if (b->parent_error == 0)
		b->handed_fd = dup(fd);
	return b->parent_error;
}

static void capture(void *ctx, bool wanted)
{
	struct ctl_bench *b = ctx;

	if (wanted)
		b->captures++;
	else
		b->ends++;
}

static const struct ctl_ops ops = {
	.status = fill,
	.peers = peers,
	.lookup = lookup,
	.parent = parent,
	.capture = capture,
};

static void stop(void *ctx, uint32_t events)
{
	struct ctl_bench *b = ctx;

	(void)events;
	loop_stop(b->loop, 0);
}

int ctl_bench_setup(void **state)
{
	struct ctl_bench *b = calloc(1, sizeof(*b));

	/* bound to no name: the kernel gives an abstract one */
	b->name.sun_family = AF_UNIX;
	b->handed_fd = -1;
	b->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(b->listener, (struct sockaddr *)&b->name,
			      sizeof(sa_family_t)),
			 0);
	b->name_len = sizeof(b->name);
	getsockname(b->listener, (struct sockaddr *)&b->name, &b->name_len);
	assert_int_equal(listen(b->listener, 64), 0);
	assert_int_equal(loop_new(&b->loop), 0);
	assert_int_equal(
		ctl_server_new(&b->server, b->loop, b->listener, &ops, b), 0);
	*state = b;
	return 0;
}

int ctl_bench_teardown(void **state)
{
	struct ctl_bench *b = *state;

	ctl_server_free(b->server);
	loop_free(b->loop);
	close(b->listener);
	if (b->handed_fd >= 0)
		close(b->handed_fd);
	free(b);
	return 0;
}

int ctl_bench_connect(struct ctl_bench *b)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&b->name, b->name_len),
			 0);
	return fd;
}

struct ctl_request ctl_bench_request(enum ctl_verb verb, uint32_t value)
{
	return (struct ctl_request){
		.magic = CTL_MAGIC,
		.version = CTL_VERSION,
		.verb = verb,
		.value = value,
	};
}

int ctl_bench_ask(struct ctl_bench *b, const struct ctl_request *r)
{
	int fd = ctl_bench_connect(b);

	assert_int_equal(send(fd, r, sizeof(*r), 0), sizeof(*r));
	return fd;
}

void ctl_bench_serve(struct ctl_bench *b)
{
	loop_deadline(b->loop, clock_now() + 1000000, stop, b);
	loop_run(b->loop);
}

void ctl_bench_await(struct ctl_bench *b, int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	for (int i = 0; i < 5000 && poll(&p, 1, 0) == 0; i++)
		ctl_bench_serve(b);
	assert_int_equal(poll(&p, 1, 0), 1);
}

size_t ctl_bench_answer(struct ctl_bench *b, int fd, void *m, size_t size,
			enum ctl_verb verb, int error)
{
	struct ctl_head head;
	ssize_t n;

	ctl_bench_await(b, fd);
	n = recv(fd, m, size, MSG_TRUNC);
	assert_in_range(n, sizeof(head), size);
	memcpy(&head, m, sizeof(head));
	assert_int_equal(head.magic, CTL_MAGIC);
	assert_int_equal(head.version, CTL_VERSION);
	assert_int_equal(head.verb, verb);
	assert_int_equal(head.error, error);
	assert_true(head.now > clock_now() - 10000000000u);
	return (size_t)n;
}

bool ctl_bench_is_closed(int fd)
{
	char c;

	return recv(fd, &c, 1, 0) == 0;
}
