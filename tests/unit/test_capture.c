/*
 * test_capture.c - the pump's packets with their verdicts
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../../src/capture.h"

#define LOCAL ((struct teredo_ep){1, 2})
#define THERE ((struct teredo_ep){3, 4})

static struct {
	unsigned calls;
	uint32_t n;
	size_t len;
	uint8_t record[CTL_PACKETS_MAX];
} got;

static void emit(void *ctx, const void *records, size_t len, uint32_t n)
{
	(void)ctx;
	assert_true(len <= CTL_PACKETS_MAX);
	memcpy(got.record, records, len);
	got.len = len;
	got.n += n;
	got.calls++;
}

static int setup(void **state)
{
	memset(&got, 0, sizeof(got));
	*state = capture_new(LOCAL, emit, NULL);
	return *state == NULL;
}

static int teardown(void **state)
{
	capture_free(*state);
	return 0;
}

/* The last message's first record, and what follows it. */
static struct ctl_packet first(const uint8_t **data)
{
	struct ctl_packet p;

	assert_true(got.len >= sizeof(p));
	memcpy(&p, got.record, sizeof(p));
	*data = got.record + sizeof(p);
	return p;
}

static void a_drop_has_the_reason_that_was_counted(void **state)
{
	const struct teredo_rx rx = {.data = (const uint8_t *)"datagram",
				     .len = 8, .from = THERE};
	const struct teredo_verdict v = {.fate = TEREDO_DROP};
	struct teredo_counters count = {.n = {[TEREDO_DROP_loop] = 7}};
	const uint8_t *data;
	struct ctl_packet p;

	capture_before(*state, &count);
	count.n[TEREDO_DROP_spoofed]++;
	capture_udp(*state, &rx, &v, &count, 4711);
	assert_int_equal(got.calls, 0);
	capture_flush(*state);
	p = first(&data);
	assert_int_equal(got.n, 1);
	assert_int_equal(p.from, CTL_FROM_UDP);
	assert_int_equal(p.reason, TEREDO_DROP_spoofed);
	assert_int_equal(p.time, 4711);
	assert_int_equal(p.src_ip, THERE.ip);
	assert_int_equal(p.src_port, THERE.port);
	assert_int_equal(p.dst_ip, LOCAL.ip);
	assert_int_equal(p.length, 8);
	assert_memory_equal(data, "datagram", 8);
	capture_flush(*state);
	assert_int_equal(got.calls, 1);
}

static void a_super_packet_is_its_first_segment(void **state)
{
	const struct teredo_verdict v = {.fate = TEREDO_TO_UDP, .len = 5,
					 .to = THERE};
	const struct teredo_counters count = {{0}};
	const uint8_t *data;
	struct ctl_packet p;

	capture_before(*state, &count);
	capture_tun(*state, (const uint8_t *)"inner", 5, 44, &v, &count, 1);
	capture_flush(*state);
	p = first(&data);
	assert_int_equal(p.segments, 44);
	assert_int_equal(p.fate, TEREDO_TO_UDP);
	assert_int_equal(p.reason, TEREDO_N_DROPS);
	assert_int_equal(p.to_ip, THERE.ip);
	/* padded with zeros */
	assert_int_equal(got.len, sizeof(p) + 8);
	assert_memory_equal(data, "inner\0\0\0", 8);
}

static void what_the_core_says_is_its_own(void **state)
{
	const struct outbox_item item = {.kind = OUTBOX_UDP, .len = 6,
					 .to = THERE};
	const uint8_t *data;
	struct ctl_packet p;

	capture_own(*state, &item, (const uint8_t *)"bubble", 1);
	capture_flush(*state);
	p = first(&data);
	assert_int_equal(p.from, CTL_OWN_UDP);
	assert_int_equal(p.fate, TEREDO_TO_UDP);
	assert_int_equal(p.len, 6);
	assert_int_equal(p.src_port, LOCAL.port);
}

static void records_are_handed_on_before_there_is_no_room(void **state)
{
	static uint8_t long_one[60000];
	const struct outbox_item item = {.kind = OUTBOX_TUN,
					 .len = sizeof(long_one)};
	const uint8_t *data;

	for (unsigned i = 0; i < 100; i++)
		capture_own(*state, &item, long_one, 1);
	assert_in_range(got.calls, 2, 99);
	assert_in_range(got.n, 50, 99);
	capture_flush(*state);
	assert_int_equal(got.n, 100);
	assert_int_equal(first(&data).captured, CTL_SNAPLEN);
	assert_int_equal(first(&data).length, sizeof(long_one));
	/* what nobody waits for any more is not for the next one */
	capture_own(*state, &item, long_one, 1);
	capture_clear(*state);
	capture_flush(*state);
	assert_int_equal(got.n, 100);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_drop_has_the_reason_that_was_counted),
		T(a_super_packet_is_its_first_segment),
		T(what_the_core_says_is_its_own),
		T(records_are_handed_on_before_there_is_no_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
