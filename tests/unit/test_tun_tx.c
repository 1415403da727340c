/*
 * test_tun_tx.c - packets into the tun, and what becomes of them when the
 * kernel refuses those that are merged
 *
 * There is no tun: writev() is wrapped, keeps what it takes packet by packet,
 * and fails as a test says.
 */
#include "config.h"

#include "gso_packets.h"

#include <errno.h>

#include "../../src/datapath.h"
#include "../../src/tun_tx.h"

#define OFFLOADS (DATAPATH_VNET | DATAPATH_TSO | DATAPATH_USO)
#define KEPT	 64u
#define VNET	 sizeof(struct virtio_net_hdr)

ssize_t __wrap_writev(int fd, const struct iovec *piece, int n);

static struct {
	uint8_t protocol;
	unsigned port;
	uint32_t number; /* of the packet in its flow */
} kept[KEPT];
static unsigned n_kept, n_writes;
static int refuse_tcp, refuse_udp, refuse_all; /* errno */
static struct tun_tx *tx;
static uint8_t packets[KEPT][1400];
static unsigned n_packets;

static void keep(const uint8_t *ip6, const uint8_t *payload)
{
	assert_true(n_kept < KEPT);
	kept[n_kept].protocol = ip6[6];
	kept[n_kept].port = (unsigned)(ip6[40] << 8 | ip6[41]);
	memcpy(&kept[n_kept].number, payload, 4);
	n_kept++;
}

ssize_t __wrap_writev(int fd, const struct iovec *piece, int n)
{
	static uint8_t all[70000], head[GSO_HEADER_MAX];
	struct virtio_net_hdr vnet;
	struct gso_super s;
	size_t len = 0;

	assert_int_equal(fd, -1);
	for (int i = 0; i < n; i++) {
		memcpy(all + len, piece[i].iov_base, piece[i].iov_len);
		len += piece[i].iov_len;
	}
	memcpy(&vnet, all, VNET);
	errno = refuse_all != 0 ? refuse_all :
		vnet.gso_type == VIRTIO_NET_HDR_GSO_TCPV6 ? refuse_tcp :
		vnet.gso_type == GSO_UDP_L4 ? refuse_udp : 0;
	if (errno != 0)
		return -1;
	n_writes++;
	assert_int_equal(gso_view(&s, &vnet, all + VNET, len - VNET), 0);
	if (s.count == 1)
		keep(s.data, s.data + (s.data[6] == TCP ? 60 : 48));
	for (uint32_t i = 0; s.count > 1 && i < s.count; i++) {
		struct iovec rest = gso_segment(&s, i, head);

		keep(head, rest.iov_base);
	}
	return (ssize_t)len;
}

static int setup(void **state)
{
	(void)state;
	refuse_tcp = refuse_udp = refuse_all = 0;
	n_kept = n_writes = n_packets = 0;
	return tun_tx_new(&tx, -1, OFFLOADS);
}

static int teardown(void **state)
{
	(void)state;
	tun_tx_free(tx);
	return 0;
}

/* The next one of its flow, which stays in its place. */
static void add(struct flow *f, uint32_t number, size_t payload)
{
	uint8_t *p = packets[n_packets++];
	size_t len = flow_packet(p, f, payload);

	memcpy(p + len - payload, &number, 4);
	plain_checksum(p, len);
	f->seq += (uint32_t)payload;
	tun_tx_add(tx, p, (uint32_t)len);
}

/* What was written: packets as "protocol port number". */
static void expect(const char *const *want, unsigned n)
{
	assert_int_equal(n_kept, n);
	for (unsigned i = 0; i < n; i++) {
		char got[32];

		snprintf(got, sizeof(got), "%s%u.%u",
			 kept[i].protocol == TCP ? "tcp" : "udp",
			 kept[i].port, (unsigned)kept[i].number);
		assert_string_equal(got, want[i]);
	}
}

static struct flow udp(uint16_t port)
{
	return (struct flow){ .protocol = UDP, .port = port };
}

static struct flow tcp(uint16_t port)
{
	return (struct flow){ .protocol = TCP, .port = port, .flags = 0x10 };
}

/* Two rows of UDP and one of TCP wait when the first is refused; what comes
 * then goes after what waits, of every flow. */
static void a_refusal_overtakes_nothing(void **state)
{
	static const char *const want[] = {
		/* udp1 is pushed out and refused */
		"udp1.0", "udp1.1", "udp1.2",
		/* udp2 has to go before its next packet, which is alone */
		"udp2.0", "udp2.1", "udp2.2",
		/* and so has udp1's, that waited when UDP ended */
		"udp1.3", "udp1.4",
		"tcp3.0", "tcp3.1", "tcp3.2",
	};
	struct flow a = udp(1), b = udp(2), c = tcp(3);

	(void)state;
	refuse_udp = EINVAL;
	add(&a, 0, 500);
	add(&b, 0, 500);
	add(&c, 0, 500);
	add(&a, 1, 500);
	add(&b, 1, 500);
	add(&c, 1, 500);
	add(&a, 2, 499); /* ends the row */
	add(&a, 3, 500);
	add(&b, 2, 500);
	add(&a, 4, 500);
	add(&c, 2, 500);
	tun_tx_flush(tx);
	expect(want, COUNT(want));
	assert_int_equal(n_writes, 9); /* TCP in one */
	assert_int_equal(tun_tx_features(tx),
			 DATAPATH_VNET | DATAPATH_TSO | DATAPATH_USO_READ);
	assert_int_equal(tun_tx_counts(tx)->packets, COUNT(want));
	assert_int_equal(tun_tx_counts(tx)->drops, 0);
}

/* The same when nothing at all is merged from then on. */
static void the_last_refusal_overtakes_nothing(void **state)
{
	static const char *const want[] = {
		"udp1.0", "udp1.1", "udp1.2", /* refused */
		"tcp3.0", "tcp3.1", "tcp3.2", /* refused */
		"udp1.3", "tcp3.3", "udp2.0", "udp2.1", /* what waited */
		"udp2.2", "udp1.4", "tcp3.4",
	};
	struct flow a = udp(1), b = udp(2), c = tcp(3);

	(void)state;
	refuse_udp = refuse_tcp = EIO;
	add(&a, 0, 500);
	add(&c, 0, 500);
	add(&b, 0, 500);
	add(&a, 1, 500);
	add(&c, 1, 500);
	add(&b, 1, 500);
	add(&a, 2, 499);
	add(&c, 2, 499);
	add(&a, 3, 500);
	add(&c, 3, 500);
	add(&b, 2, 500);
	add(&a, 4, 500);
	add(&c, 4, 500);
	tun_tx_flush(tx);
	expect(want, COUNT(want));
	assert_int_equal(tun_tx_features(tx), DATAPATH_VNET |
						      DATAPATH_TSO_READ |
						      DATAPATH_USO_READ);
	assert_int_equal(tun_tx_counts(tx)->drops, 0);
}

static void one_kind_refused_leaves_the_other(void **state)
{
	struct flow a = udp(1), c = tcp(3);

	(void)state;
	refuse_tcp = EINVAL;
	for (uint32_t i = 0; i < 5; i++) {
		add(&a, i, 500);
		add(&c, i, 500);
	}
	tun_tx_flush(tx);
	assert_int_equal(n_kept, 10);
	assert_int_equal(n_writes, 1 + 5);
	assert_int_equal(tun_tx_features(tx),
			 DATAPATH_VNET | DATAPATH_TSO_READ | DATAPATH_USO);
	for (uint32_t i = 5; i < 10; i++)
		add(&a, i, 500);
	tun_tx_flush(tx);
	assert_int_equal(n_writes, 1 + 5 + 1);
}

/* An interface that is down refuses everything, and says nothing of merging. */
static void a_refusal_of_everything_is_no_refusal_of_merging(void **state)
{
	struct flow a = udp(1);

	(void)state;
	refuse_all = EIO;
	for (uint32_t i = 0; i < 5; i++)
		add(&a, i, 500);
	tun_tx_flush(tx);
	assert_int_equal(tun_tx_counts(tx)->drops, 5);
	assert_int_equal(tun_tx_features(tx), OFFLOADS);
	refuse_all = 0;
	for (uint32_t i = 0; i < 5; i++)
		add(&a, i, 500);
	tun_tx_flush(tx);
	assert_int_equal(n_writes, 1);
	assert_int_equal(n_kept, 5);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_refusal_overtakes_nothing),
		T(the_last_refusal_overtakes_nothing),
		T(one_kind_refused_leaves_the_other),
		T(a_refusal_of_everything_is_no_refusal_of_merging),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
