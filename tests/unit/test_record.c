/*
 * test_record.c - what the snapshot knows of the peers
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../src/record.h"

#define MAX (2 * RECORD_STEP)
#define NOW (1000 * TEREDO_SECOND)

static teredo_time age; /* of each peer but the last */
static int memfd;
static struct snapshot *snap;

static bool peer(const void *role, uint32_t place, teredo_time now,
		 struct teredo_view *v)
{
	(void)role;
	(void)now;
	*v = (struct teredo_view){
		.age = place == MAX - 1 ? TEREDO_NEVER : age};
	return place != 5;
}

static const struct role_ops ops = {.peer = peer};

static int setup(void **state)
{
	(void)state;
	memfd = snapshot_create(MAX);
	age = 40 * TEREDO_SECOND;
	return snapshot_open(&snap, memfd, MAX);
}

static int teardown(void **state)
{
	(void)state;
	snapshot_close(snap);
	close(memfd);
	return 0;
}

static void come_up(uint32_t slot)
{
	const struct outbox_item item = {.kind = OUTBOX_PEER_UP,
					 .arg = slot,
					 .addr = {{0x20, 1, [15] = 1}},
					 .to = {.ip = 9, .port = 9}};

	record_peer(&ops, NULL, snap, &item, NOW);
}

static teredo_time heard(uint32_t slot)
{
	uint32_t found;
	teredo_time when;

	assert_true(snapshot_record(snap, slot, &found, &when));
	assert_int_equal(found, slot);
	return when;
}

/* It comes up in this process, and was heard by the one before. */
static void a_peer_is_recorded_with_when_it_was_heard(void **state)
{
	(void)state;
	come_up(2);
	assert_int_equal(heard(2), NOW - age);
	come_up(5);
	come_up(MAX - 1);
	assert_int_equal(heard(5), 0);
	assert_int_equal(heard(MAX - 1), 0);
}

static void that_it_was_heard_since_is_noted(void **state)
{
	struct record r = {&ops, NULL, snap, 0};
	uint32_t slot;
	teredo_time when;

	(void)state;
	come_up(2);
	come_up(5);		/* and is gone, which is not told yet */
	come_up(MAX - 1);
	age = 3 * TEREDO_SECOND;
	record_heard(&r, NOW);
	assert_int_equal(heard(2), NOW - age);
	assert_int_equal(heard(5), 0);
	assert_false(snapshot_record(snap, 3, &slot, &when));
	age = 9 * TEREDO_SECOND;	/* time does not run back */
	record_heard(&r, NOW);
	record_heard(&r, NOW);
	assert_int_equal(heard(2), NOW - 3 * TEREDO_SECOND);
	assert_int_equal(heard(MAX - 1), 0);
}

static void of_many_some_are_looked_at_in_turn(void **state)
{
	struct record r = {&ops, NULL, snap, 0};

	(void)state;
	come_up(0);
	come_up(RECORD_STEP);
	age = 0;
	record_heard(&r, NOW);
	assert_int_equal(heard(0), NOW);
	assert_int_not_equal(heard(RECORD_STEP), NOW);
	record_heard(&r, NOW);
	assert_int_equal(heard(RECORD_STEP), NOW);
	record_heard(&r, NOW + 1);
	assert_int_equal(heard(0), NOW + 1);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_peer_is_recorded_with_when_it_was_heard),
		T(that_it_was_heard_since_is_noted),
		T(of_many_some_are_looked_at_in_turn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
