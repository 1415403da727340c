/*
 * udp_tx.c - datagrams out, many at a time
 *
 * What the pump adds is kept as *runs*: datagrams to one destination, one
 * after the other, all of one length but for a shorter last one. A run is one
 * message with UDP_SEGMENT, which the kernel cuts as late as it can; all runs
 * go out in one sendmmsg(). Nothing is copied: the runs are lists of pieces,
 * headers here and payload there.
 *
 * Only the run that was added to last can grow, so that order is kept.
 *
 * What may go wrong, and what becomes of it:
 * - EMSGSIZE, EIO, EINVAL for a run: it is sent one by one, and so is what
 *   follows to that destination for a while. EMSGSIZE: its datagrams with 28
 *   octets of headers exceed the link's MTU; single ones may be fragmented (DF
 *   is clear), segments never. EINVAL is the same in kernels before 2025, EIO
 *   an IPsec policy for that destination.
 * - EIO, EINVAL may also mean that kernel or card cannot at all (no checksum
 *   offload before Linux 6.11). When several destinations say so and none takes
 *   a run in between, UDP_SEGMENT is not used any more.
 * - ENOSYS for sendmmsg(): sendmsg() from then on.
 * - EAGAIN: 4 MB wait for the device. A run is 64 KB of somebody's window, and
 *   to lose many at once stalls TCP, while a device that is fast enough for
 *   such a queue has room again in no time: some milliseconds are waited for
 *   it, during which the tun holds its senders back. Then it is as below. A
 *   device that had no room when such a wait was over is stuck: it is not
 *   waited for again until something could be sent.
 * - anything else (no route): the datagrams are lost and counted.
 *
 * Without DATAPATH_SEGMENT a run is one datagram; without DATAPATH_BATCH each
 * is sent by sendmsg().
 */
#include "config.h"

#include "udp_tx.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "datapath.h"

#define RUNS	 64u
#define PIECES	 512u
#define SEGMENTS 64u /* before Linux 6.9 no more */
#define PATHS	 64u /* destinations that are remembered */
#define AWAY	 4096u /* runs until a destination is tried again */
#define REFUSERS 4u /* destinations that speak for all */
#define WAITS	 4u /* for a full buffer in one flush, 1 ms each at most */

struct run {
	int fd;
	struct teredo_ep to;
	uint32_t piece, n_pieces; /* in tx->piece[] */
	uint32_t n, size, len; /* datagrams, length of the first, of all */
};

struct udp_tx {
	uint32_t features;
	struct udp_tx_counts counts;
	unsigned n_runs, n_pieces;
	size_t used; /* of room[] */
	bool closed; /* the last run cannot grow */
	unsigned waits; /* that are left */
	bool stuck;	/* they were for nothing, and nothing went since */
	struct {
		uint32_t ip, left; /* runs to be sent one by one */
	} path[PATHS];
	unsigned n_refusers; /* since a run was taken */
	uint32_t refuser[REFUSERS];
	struct run run[RUNS];
	struct iovec piece[PIECES];
	uint8_t room[UDP_TX_ROOM];
	/* as sendmmsg() wants it */
	struct mmsghdr msg[RUNS];
	struct sockaddr_in name[RUNS];
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(uint16_t))];
	} control[RUNS];
};

int udp_tx_new(struct udp_tx **out, uint32_t features)
{
	struct udp_tx *tx = calloc(1, sizeof(*tx));

	if (tx == NULL)
		return -ENOMEM;
	tx->features = features & (DATAPATH_SEGMENT | DATAPATH_BATCH);
	*out = tx;
	return 0;
}

void udp_tx_free(struct udp_tx *tx)
{
	free(tx);
}

const struct udp_tx_counts *udp_tx_counts(const struct udp_tx *tx)
{
	return &tx->counts;
}

uint32_t udp_tx_features(const struct udp_tx *tx)
{
	return tx->features;
}

/* ---- destinations that take no runs ---- */

static uint32_t path_slot(uint32_t ip)
{
	return (ip ^ ip >> 8 ^ ip >> 16 ^ ip >> 24) % PATHS;
}

static bool may_segment(struct udp_tx *tx, uint32_t ip)
{
	uint32_t at = path_slot(ip);

	if ((tx->features & DATAPATH_SEGMENT) == 0)
		return false;
	if (tx->path[at].ip != ip || tx->path[at].left == 0)
		return true;
	tx->path[at].left--;
	return false;
}

static void path_takes_none(struct udp_tx *tx, uint32_t ip)
{
	tx->path[path_slot(ip)].ip = ip;
	tx->path[path_slot(ip)].left = AWAY;
}

/* It may be the destination's fault, or that of everything. */
static void path_cannot(struct udp_tx *tx, uint32_t ip)
{
	path_takes_none(tx, ip);
	for (unsigned i = 0; i < tx->n_refusers; i++)
		if (tx->refuser[i] == ip)
			return;
	tx->refuser[tx->n_refusers++] = ip;
	if (tx->n_refusers == REFUSERS) {
		tx->n_refusers = 0;
		tx->features &= ~(uint32_t)DATAPATH_SEGMENT;
	}
}

/* ---- adding ---- */

uint8_t *udp_tx_next(struct udp_tx *tx, size_t len)
{
	uint8_t *at;

	assert(len <= sizeof(tx->room));
	if (sizeof(tx->room) - tx->used < len || tx->n_runs == RUNS ||
	    tx->n_pieces > PIECES - 2)
		udp_tx_flush(tx);
	at = tx->room + tx->used;
	tx->used += len;
	return at;
}

/* Whether a datagram may join the last run. */
static bool continues(const struct udp_tx *tx, int fd, struct teredo_ep to,
		      uint32_t len)
{
	const struct run *r;

	if (tx->n_runs == 0 || tx->closed)
		return false;
	r = &tx->run[tx->n_runs - 1];
	return r->fd == fd && r->to.ip == to.ip && r->to.port == to.port &&
	       len <= r->size && len > 0 && r->n < SEGMENTS &&
	       r->len + len <= TEREDO_MAX_UDP;
}

void udp_tx_add(struct udp_tx *tx, int fd, struct teredo_ep to,
		const struct iovec *piece, unsigned n)
{
	uint32_t len = 0;
	struct run *r;

	assert(n >= 1 && n <= 2 && tx->n_pieces + n <= PIECES);
	for (unsigned i = 0; i < n; i++)
		len += (uint32_t)piece[i].iov_len;
	if (!continues(tx, fd, to, len)) {
		assert(tx->n_runs < RUNS);
		tx->run[tx->n_runs++] = (struct run){ .fd = fd, .to = to,
						      .piece = tx->n_pieces,
						      .size = len };
		tx->closed = !may_segment(tx, to.ip);
	}
	r = &tx->run[tx->n_runs - 1];
	memcpy(&tx->piece[tx->n_pieces], piece, n * sizeof(*piece));
	tx->n_pieces += n;
	r->n_pieces += n;
	r->n++;
	r->len += len;
	if (len < r->size)
		tx->closed = true;
}

/* ---- sending ---- */

static void count(struct udp_tx *tx, uint32_t n, uint32_t len)
{
	tx->counts.packets += n;
	tx->counts.bytes += len;
	tx->counts.error = 0;
	tx->stuck = false;
}

static void lose(struct udp_tx *tx, uint32_t n, int error)
{
	tx->counts.drops += n;
	tx->counts.refused += error == -EPERM ? n : 0;
	tx->counts.error = -error;
}

static struct msghdr message(struct udp_tx *tx, unsigned i)
{
	const struct run *r = &tx->run[i];
	struct msghdr msg = {
		.msg_name = &tx->name[i],
		.msg_namelen = sizeof(tx->name[i]),
		.msg_iov = &tx->piece[r->piece],
		.msg_iovlen = r->n_pieces,
	};
	uint16_t size = (uint16_t)r->size;
	struct cmsghdr *c;

	tx->name[i] = (struct sockaddr_in){ .sin_family = AF_INET,
					    .sin_port = r->to.port,
					    .sin_addr.s_addr = r->to.ip };
	if (r->n == 1)
		return msg;
	msg.msg_control = &tx->control[i];
	msg.msg_controllen = sizeof(tx->control[i].space);
	c = CMSG_FIRSTHDR(&msg);
	c->cmsg_level = IPPROTO_UDP;
	c->cmsg_type = UDP_SEGMENT;
	c->cmsg_len = CMSG_LEN(sizeof(size));
	memcpy(CMSG_DATA(c), &size, sizeof(size));
	return msg;
}

/* After an error: whether it is worth another try. */
static bool wait_for_room(struct udp_tx *tx, int fd, int error)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	const struct timespec ms = { .tv_nsec = 1000000 };

	if (error == -EINTR)
		return true;
	if (error != -EAGAIN || tx->waits == 0 || tx->stuck)
		return false;
	tx->waits--;
	if (ppoll(&p, 1, &ms, NULL) == 0 && tx->waits == 0)
		tx->stuck = true;
	return true;
}

/* 0 or -errno. */
static int send_one(struct udp_tx *tx, int fd, const struct msghdr *msg)
{
	while (sendmsg(fd, msg, 0) < 0) {
		int error = -errno;

		if (!wait_for_room(tx, fd, error))
			return error;
	}
	return 0;
}

/* A run's datagrams, each by itself. */
static void send_singly(struct udp_tx *tx, unsigned i)
{
	const struct run *r = &tx->run[i];
	struct msghdr msg = message(tx, i);
	uint32_t left = r->len;
	int error;

	msg.msg_control = NULL;
	msg.msg_controllen = 0;
	while (left > 0) {
		uint32_t len = 0;

		msg.msg_iovlen = 0;
		while (len < r->size && len < left)
			len += (uint32_t)msg.msg_iov[msg.msg_iovlen++].iov_len;
		error = send_one(tx, r->fd, &msg);
		if (error == 0)
			count(tx, 1, len);
		else
			lose(tx, 1, error);
		msg.msg_iov += msg.msg_iovlen;
		left -= len;
	}
}

/* Sends runs from number i on; how many went, or -errno of the first. */
static int send_from(struct udp_tx *tx, unsigned i)
{
	unsigned n = 0;
	int sent;

	if ((tx->features & DATAPATH_BATCH) == 0) {
		struct msghdr msg = message(tx, i);

		return sendmsg(tx->run[i].fd, &msg, 0) >= 0 ? 1 : -errno;
	}
	for (; i + n < tx->n_runs && tx->run[i + n].fd == tx->run[i].fd; n++)
		tx->msg[n].msg_hdr = message(tx, i + n);
	sent = sendmmsg(tx->run[i].fd, tx->msg, n, 0);
	return sent >= 0 ? sent : -errno;
}

/* Run i was refused. Whether it is done with. */
static bool refused(struct udp_tx *tx, unsigned i, int error)
{
	bool many = tx->run[i].n > 1;

	if (wait_for_room(tx, tx->run[i].fd, error))
		return false;
	if (error == -ENOSYS && (tx->features & DATAPATH_BATCH) != 0) {
		tx->features &= ~(uint32_t)DATAPATH_BATCH;
		return false;
	}
	if (many && error == -EMSGSIZE)
		path_takes_none(tx, tx->run[i].to.ip);
	else if (many && (error == -EIO || error == -EINVAL))
		path_cannot(tx, tx->run[i].to.ip);
	else {
		lose(tx, tx->run[i].n, error);
		return true;
	}
	send_singly(tx, i);
	return true;
}

void udp_tx_flush(struct udp_tx *tx)
{
	unsigned i = 0;

	tx->waits = WAITS;
	while (i < tx->n_runs) {
		int sent = send_from(tx, i);

		if (sent <= 0 && refused(tx, i, sent))
			i++;
		for (; sent > 0; sent--, i++) {
			count(tx, tx->run[i].n, tx->run[i].len);
			if (tx->run[i].n > 1)
				tx->n_refusers = 0;
		}
	}
	tx->n_runs = tx->n_pieces = 0;
	tx->used = 0;
}
