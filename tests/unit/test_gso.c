/*
 * test_gso.c - super-packets out of the tun are cut as the kernel would
 */
#include "config.h"

#include "gso_packets.h"

#include <errno.h>

static uint8_t super[65600], plain[2048], head[GSO_HEADER_MAX + 1500];

/* ---- checksums ---- */

static void any_length_and_place_is_summed(void **state)
{
	uint64_t seed = 1;
	uint8_t data[600];

	(void)state;
	test_env_random(&seed, data, sizeof(data));
	for (size_t at = 0; at < 9; at++)
		for (size_t len = 0; len <= 300; len++) {
			uint16_t sum = gso_fold(gso_sum(0, data + at, len));
			uint8_t b[2];

			memcpy(b, &sum, 2);
			assert_int_equal(b[0] << 8 | b[1],
					 plain_sum(0, data + at, len));
		}
}

static void a_sum_goes_on_in_pieces(void **state)
{
	uint64_t seed = 2;
	uint8_t data[256];

	(void)state;
	test_env_random(&seed, data, sizeof(data));
	for (size_t cut = 0; cut <= 256; cut += 2)
		assert_int_equal(
			gso_fold(gso_sum(gso_sum(0, data, cut), data + cut,
					 256 - cut)),
			gso_fold(gso_sum(0, data, 256)));
}

static void a_sum_of_all_ones_does_not_overflow(void **state)
{
	(void)state;
	memset(super, 0xff, 65536);
	assert_int_equal(gso_fold(gso_sum(0, super, 65536)), 0xffff);
	assert_int_equal(gso_fold(UINT64_MAX), 0xffff);
	assert_int_equal(gso_fold(0), 0);
}

/* ---- ordinary packets ---- */

static void a_packet_with_its_checksum_is_left_alone(void **state)
{
	struct flow f = { .protocol = TCP, .port = 1 };
	struct virtio_net_hdr vnet = { 0 };
	struct gso_super s;
	size_t len = flow_packet(super, &f, 100);

	(void)state;
	memcpy(plain, super, len);
	assert_int_equal(gso_view(&s, &vnet, super, len), 0);
	assert_int_equal(s.count, 1);
	assert_int_equal(s.len, len);
	assert_memory_equal(plain, super, len);
}

static void a_partial_checksum_is_finished(void **state)
{
	const uint8_t protocols[] = { TCP, UDP };

	(void)state;
	for (size_t i = 0; i < 2; i++)
		for (size_t payload = 0; payload < 1200; payload += 7) {
			struct flow f = { .protocol = protocols[i],
					  .seq = (uint32_t)payload };
			size_t len = flow_packet(super, &f, payload);
			struct virtio_net_hdr vnet;
			struct gso_super s;

			memcpy(plain, super, len);
			vnet = make_super(super, len, 0);
			vnet.gso_type = VIRTIO_NET_HDR_GSO_NONE;
			assert_int_equal(gso_view(&s, &vnet, super, len), 0);
			assert_memory_equal(plain, super, len);
		}
}

/* A UDP checksum that comes out as zero is sent as ffff (RFC 8200 8.1). */
static void a_udp_checksum_is_never_zero(void **state)
{
	struct flow f = { .protocol = UDP };
	struct virtio_net_hdr vnet;
	struct gso_super s;
	size_t len = flow_packet(super, &f, 2);
	unsigned check = (unsigned)(super[46] << 8 | super[47]);
	unsigned word = (unsigned)(super[48] << 8 | super[49]);

	(void)state;
	be16(super + 48, (word + check) % 0xffff);
	vnet = make_super(super, len, 0);
	vnet.gso_type = VIRTIO_NET_HDR_GSO_NONE;
	assert_int_equal(gso_view(&s, &vnet, super, len), 0);
	assert_int_equal(super[46] << 8 | super[47], 0xffff);
}

/* ---- super-packets ---- */

/* Cuts and compares with packets that were made one by one. */
static void expect_segments(const struct flow *flow, size_t payload,
			    size_t size)
{
	size_t len = flow_packet(super, flow, payload);
	struct virtio_net_hdr vnet = make_super(super, len, size);
	struct gso_super s;
	struct flow f = *flow;

	assert_int_equal(gso_view(&s, &vnet, super, len), 0);
	assert_int_equal(s.count, (payload + size - 1) / size);
	for (uint32_t i = 0; i < s.count; i++) {
		size_t part = i + 1 < s.count ? size : payload - i * size;
		bool last = i + 1 == s.count;
		struct iovec iov = gso_segment(&s, i, head);
		size_t want;

		f.flags = (uint8_t)(flow->flags & (last ? 0xff : ~0x09) &
				    (i == 0 ? 0xff : ~0x80));
		want = flow_packet(plain, &f, part);
		f.seq += (uint32_t)part;
		assert_int_equal(s.head + iov.iov_len, want);
		memcpy(head + s.head, iov.iov_base, iov.iov_len);
		assert_memory_equal(head, plain, want);
	}
}

static void tcp_is_cut(void **state)
{
	struct flow f = { .protocol = TCP, .port = 1024, .flags = 0x10,
			  .seq = 0xfffff000, .options = 12 };

	(void)state;
	for (size_t size = 400; size <= 1208; size += 101)
		for (size_t payload = size + 1; payload < 60000; payload += 977)
			expect_segments(&f, payload, size);
}

/* FIN and PSH end the data; CWR is said once (RFC 3168 6.1.2). */
static void flags_of_tcp_go_where_they_belong(void **state)
{
	struct flow f = { .protocol = TCP, .port = 1024 };

	(void)state;
	for (unsigned flags = 0; flags < 256; flags++) {
		f.flags = (uint8_t)flags;
		expect_segments(&f, 3000, 1000);
	}
}

static void udp_is_cut(void **state)
{
	struct flow f = { .protocol = UDP, .port = 1024 };

	(void)state;
	for (size_t size = 1; size <= 1232; size += 11)
		for (size_t n = 2; n <= 64 && n * size < 65000; n += 3) {
			/* the payload of a flow's packets goes on with seq */
			f.seq = (uint32_t)size;
			expect_segments(&f, n * size - size / 2, size);
		}
}

/* Before TCP or UDP, whose checksums ignore them. */
static void expect_extension_copied(uint8_t protocol)
{
	struct flow f = { .protocol = protocol, .flags = 0x10 };
	const uint32_t transport = protocol == TCP ? 20 : 8;
	size_t len = flow_packet(super, &f, 2500);
	struct virtio_net_hdr vnet = make_super(super, len, 1000);
	struct gso_super s;

	memmove(super + 48, super + 40, len - 40);
	super[40] = super[6];
	memset(super + 41, 0, 7);
	super[42] = 1; /* PadN */
	super[43] = 4;
	super[6] = 60; /* destination options */
	be16(super + 4, (unsigned)(len - 40 + 8));
	vnet.csum_start = 48;
	assert_int_equal(gso_view(&s, &vnet, super, len + 8), 0);
	assert_int_equal(s.head, 48 + transport);
	assert_int_equal(s.count, 3);
	for (uint32_t i = 0; i < 3; i++) {
		struct iovec iov = gso_segment(&s, i, head);

		memcpy(head + s.head, iov.iov_base, iov.iov_len);
		assert_memory_equal(head + 40, super + 40, 8);
		assert_int_equal(head[4] << 8 | head[5],
				 8 + transport + iov.iov_len);
		head[6] = protocol;
		memmove(head + 40, head + 48, transport + iov.iov_len);
		memcpy(plain, head, 40 + transport + iov.iov_len);
		plain_checksum(plain, 40 + transport + iov.iov_len);
		assert_memory_equal(plain, head, 40 + transport + iov.iov_len);
	}
}

static void extension_headers_are_copied(void **state)
{
	(void)state;
	expect_extension_copied(TCP);
	expect_extension_copied(UDP);
}

static void a_header_that_does_not_fit_is_refused(void **state)
{
	struct flow f = { .protocol = TCP, .flags = 0x10 };
	size_t len = flow_packet(super, &f, 2500);
	const struct virtio_net_hdr good = make_super(super, len, 1000);
	struct virtio_net_hdr vnet;
	struct gso_super s;

	(void)state;
	assert_int_equal(gso_view(&s, &good, super, len), 0);
#define REFUSED(change)                                                        \
	(vnet = good, vnet.change,                                             \
	 assert_int_equal(gso_view(&s, &vnet, super, len), -EINVAL))
	REFUSED(gso_size = 0);
	REFUSED(flags = 0);
	REFUSED(gso_type = VIRTIO_NET_HDR_GSO_TCPV4);
	REFUSED(gso_type = VIRTIO_NET_HDR_GSO_UDP);
	REFUSED(gso_type = 99);
	REFUSED(csum_start = 39);
	REFUSED(csum_start = (uint16_t)(len - 19));
	REFUSED(csum_start = 65535);
	REFUSED(csum_offset = 6);
	super[1300 + 12] = 0x50; /* it would be one, but so late */
	REFUSED(csum_start = 1300);
#undef REFUSED
	super[52] = 0x40; /* TCP header of 16 octets */
	assert_int_equal(gso_view(&s, &good, super, len), -EINVAL);
	super[52] = 0x50;
	assert_int_equal(gso_view(&s, &good, super, 59), -EINVAL);
	assert_int_equal(gso_view(&s, &good, super, 60), -EINVAL);
}

/* No header, however wrong, makes us read or write outside. */
static void any_header_is_survived(void **state)
{
	uint64_t seed = 3;
	unsigned seen = 0;

	(void)state;
	for (unsigned i = 0; i < 200000; i++) {
		struct virtio_net_hdr vnet;
		struct gso_super s;
		size_t len = (size_t)(test_random(&seed) % 2000);
		uint8_t *packet = malloc(len + 1); /* exact, for ASan */

		test_env_random(&seed, packet, len);
		test_env_random(&seed, &vnet, sizeof(vnet));
		vnet.gso_type &= 0x85;
		vnet.gso_size %= 700;
		vnet.csum_start %= 128;
		vnet.csum_offset = test_random(&seed) % 2 == 0 ? 16 : 6;
		if (gso_view(&s, &vnet, packet, len) == 0 && s.count > 1) {
			uint32_t at = (uint32_t)test_random(&seed) % s.count;

			gso_segment(&s, at, head);
			seen++;
		}
		free(packet);
	}
	assert_true(seen > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_length_and_place_is_summed),
		cmocka_unit_test(a_sum_goes_on_in_pieces),
		cmocka_unit_test(a_sum_of_all_ones_does_not_overflow),
		cmocka_unit_test(a_packet_with_its_checksum_is_left_alone),
		cmocka_unit_test(a_partial_checksum_is_finished),
		cmocka_unit_test(a_udp_checksum_is_never_zero),
		cmocka_unit_test(tcp_is_cut),
		cmocka_unit_test(flags_of_tcp_go_where_they_belong),
		cmocka_unit_test(udp_is_cut),
		cmocka_unit_test(extension_headers_are_copied),
		cmocka_unit_test(a_header_that_does_not_fit_is_refused),
		cmocka_unit_test(any_header_is_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
