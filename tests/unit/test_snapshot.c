/*
 * test_snapshot.c - what outlives an engine, torn and corrupted
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../src/snapshot.h"

#define PEERS 8u
#define ROLE  7u

static const struct teredo_addr alice = {.b = {0x20, 1, [15] = 1}};
static const struct teredo_addr bob = {.b = {0x20, 1, [15] = 2}};
static const struct teredo_ep alice_ep = {.ip = 0x010200c0, .port = 0xd80d};
static const struct teredo_ep bob_ep = {.ip = 0x020200c0, .port = 0x1111};

struct state {
	uint8_t text[40];
};

static struct snapshot *reopen(int fd)
{
	struct snapshot *snap;

	assert_int_equal(snapshot_open(&snap, fd, PEERS), 0);
	return snap;
}

static struct state state_of(uint8_t fill)
{
	struct state s;

	memset(&s, fill, sizeof(s));
	return s;
}

static void put(struct snapshot *snap, uint8_t fill)
{
	struct state s = state_of(fill);

	snapshot_put_state(snap, ROLE, &s, sizeof(s));
}

/* The fill of the state that is there, 0 if there is none. */
static uint8_t got(const struct snapshot *snap)
{
	struct state s, all;

	if (!snapshot_get_state(snap, ROLE, &s, sizeof(s)))
		return 0;
	all = state_of(s.text[0]);
	assert_memory_equal(&s, &all, sizeof(s));
	return s.text[0];
}

static unsigned count_peers(const struct snapshot *snap)
{
	struct snapshot_peer p;
	uint32_t at = 0;
	unsigned n = 0;

	while (snapshot_next_peer(snap, &at, &p))
		n++;
	return n;
}

/* The whole image, as a crash would leave it. */
struct bytes {
	size_t len;
	uint8_t *data;
};

static struct bytes bytes_of(int fd)
{
	struct stat st;
	struct bytes b;

	assert_int_equal(fstat(fd, &st), 0);
	b.len = (size_t)st.st_size;
	b.data = malloc(b.len);
	assert_non_null(b.data);
	assert_int_equal(pread(fd, b.data, b.len, 0), b.len);
	return b;
}

static void write_bytes(int fd, const uint8_t *data, size_t len)
{
	assert_int_equal(pwrite(fd, data, len, 0), len);
}

static void a_new_snapshot_is_empty(void **ctx)
{
	int fd = snapshot_create(PEERS);
	struct snapshot *snap = reopen(fd);

	(void)ctx;
	assert_int_equal(got(snap), 0);
	assert_int_equal(count_peers(snap), 0);
	assert_int_equal(snapshot_generation(snap), 1);
	snapshot_close(snap);
	close(fd);
}

static void each_opening_is_a_generation(void **ctx)
{
	int fd = snapshot_create(PEERS);

	(void)ctx;
	for (uint32_t i = 1; i <= 3; i++) {
		struct snapshot *snap = reopen(fd);

		assert_int_equal(snapshot_generation(snap), i);
		snapshot_close(snap);
	}
	close(fd);
}

static void the_last_state_is_found_again(void **ctx)
{
	int fd = snapshot_create(PEERS);
	struct snapshot *snap = reopen(fd);

	(void)ctx;
	for (uint8_t i = 1; i <= 5; i++) {
		put(snap, i);
		assert_int_equal(got(snap), i);
		snapshot_close(snap);
		snap = reopen(fd);
		assert_int_equal(got(snap), i);
	}
	snapshot_close(snap);
	close(fd);
}

static void a_state_of_another_role_or_length_is_not_given(void **ctx)
{
	int fd = snapshot_create(PEERS);
	struct snapshot *snap = reopen(fd);
	struct state s;

	(void)ctx;
	put(snap, 1);
	assert_false(snapshot_get_state(snap, ROLE + 1, &s, sizeof(s)));
	assert_false(snapshot_get_state(snap, ROLE, &s, sizeof(s) - 1));
	assert_true(snapshot_get_state(snap, ROLE, &s, sizeof(s)));
	snapshot_close(snap);
	close(fd);
}

static void a_snapshot_for_another_number_of_peers_is_empty(void **ctx)
{
	int fd = snapshot_create(PEERS);
	struct snapshot *snap = reopen(fd), *other;

	(void)ctx;
	put(snap, 1);
	assert_int_equal(snapshot_open(&other, fd, PEERS + 1), 0);
	assert_int_equal(got(other), 0);
	/* it works for its own engine all the same, beside the memfd */
	put(other, 2);
	snapshot_put_peer(other, PEERS, &alice, alice_ep, 70);
	assert_int_equal(got(other), 2);
	assert_int_equal(got(snap), 1);
	snapshot_close(other);
	snapshot_close(snap);
	close(fd);
}

static void a_snapshot_of_another_version_is_empty(void **ctx)
{
	int fd = snapshot_create(PEERS);
	struct snapshot *snap = reopen(fd);
	const uint8_t version[] = {0x63, 0x64, 0x72, 0x6d, 9, 9};

	(void)ctx;
	put(snap, 1);
	snapshot_put_peer(snap, 0, &alice, alice_ep, 70);
	snapshot_close(snap);
	write_bytes(fd, version, sizeof(version));
	snap = reopen(fd);
	assert_int_equal(got(snap), 0);
	assert_int_equal(count_peers(snap), 0);
	assert_int_equal(snapshot_generation(snap), 1);
	snapshot_close(snap);
	close(fd);
}

static void nobody_can_resize_it(void **ctx)
{
	int fd = snapshot_create(PEERS);

	(void)ctx;
	assert_int_not_equal(ftruncate(fd, 0), 0);
	assert_int_not_equal(ftruncate(fd, 1 << 20), 0);
	/* nor keep the next engine from writing */
	assert_int_not_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE), 0);
	close(fd);
}

static void peers_are_found_by_the_next_engine(void **ctx)
{
	int fd = snapshot_create(PEERS);
	struct snapshot *snap = reopen(fd);
	struct snapshot_peer p;
	uint32_t at = 0;

	(void)ctx;
	snapshot_put_peer(snap, 5, &alice, alice_ep, 70);
	snapshot_put_peer(snap, 6, &bob, bob_ep, 60);
	snapshot_put_peer(snap, 7, &bob, bob_ep, 60);
	snapshot_drop_peer(snap, 6);
	snapshot_drop_peer(snap, 7);
	snapshot_close(snap);

	snap = reopen(fd);
	assert_true(snapshot_next_peer(snap, &at, &p));
	assert_memory_equal(&p.addr, &alice, sizeof(p.addr));
	assert_int_equal(p.ep.ip, alice_ep.ip);
	assert_int_equal(p.ep.port, alice_ep.port);
	assert_false(snapshot_next_peer(snap, &at, &p));
	snapshot_close(snap);
	close(fd);
}

static void of_slots_that_share_a_record_the_last_is_kept(void **ctx)
{
	const uint32_t max = SNAPSHOT_PEERS + 9;
	int fd = snapshot_create(max);
	struct snapshot *snap;
	struct snapshot_peer p;
	uint32_t at = 0;
	struct stat st;

	(void)ctx;
	assert_int_equal(fstat(fd, &st), 0);
	assert_true(st.st_size < 41 * (off_t)SNAPSHOT_PEERS);
	assert_int_equal(snapshot_open(&snap, fd, max), 0);
	snapshot_put_peer(snap, 8, &alice, alice_ep, 70);
	snapshot_put_peer(snap, SNAPSHOT_PEERS + 8, &bob, bob_ep, 60);
	snapshot_drop_peer(snap, 8);	/* which was pushed out */
	snapshot_put_peer(snap, SNAPSHOT_PEERS + 7, &bob, bob_ep, 60);
	snapshot_drop_peer(snap, SNAPSHOT_PEERS + 7);
	snapshot_close(snap);

	assert_int_equal(snapshot_open(&snap, fd, max), 0);
	assert_true(snapshot_next_peer(snap, &at, &p));
	assert_memory_equal(&p.addr, &bob, sizeof(p.addr));
	assert_false(snapshot_next_peer(snap, &at, &p));
	snapshot_close(snap);
	close(fd);
}

/* A restored peer gets a slot that another one had: nobody is lost by it. */
static void peers_can_change_their_slots_while_they_are_read(void **ctx)
{
	int fd = snapshot_create(PEERS);
	struct snapshot *snap = reopen(fd);
	struct snapshot_peer p;
	uint32_t at = 0, slot = 2;

	(void)ctx;
	snapshot_put_peer(snap, 1, &alice, alice_ep, 70);
	snapshot_put_peer(snap, 2, &bob, bob_ep, 60);
	snapshot_close(snap);

	snap = reopen(fd);
	snapshot_drop_peers(snap);
	while (snapshot_next_peer(snap, &at, &p))
		snapshot_put_peer(snap, slot--, &p.addr, p.ep, p.heard);
	assert_int_equal(slot, 0);
	snapshot_close(snap);

	snap = reopen(fd);
	assert_int_equal(count_peers(snap), 2);
	snapshot_close(snap);
	close(fd);
}

/* The order in which they are restored, and by which they are trusted */
static void peers_come_back_from_the_longest_silent_on(void **ctx)
{
	int fd = snapshot_create(PEERS);
	struct snapshot *snap = reopen(fd);
	const teredo_time order[] = {5, 60, 70};
	struct snapshot_peer p;
	teredo_time heard;
	uint32_t at = 0, slot;

	(void)ctx;
	snapshot_put_peer(snap, 1, &alice, alice_ep, 70);
	snapshot_put_peer(snap, 2, &bob, bob_ep, 60);
	snapshot_put_peer(snap, 3, &bob, bob_ep, 4);
	snapshot_heard(snap, 3, 5);
	snapshot_heard(snap, 4, 6);		/* who is nobody */
	assert_int_equal(snapshot_records(snap), PEERS);
	assert_true(snapshot_record(snap, 3, &slot, &heard));
	assert_int_equal(slot, 3);
	assert_int_equal(heard, 5);
	assert_false(snapshot_record(snap, 4, &slot, &heard));
	snapshot_close(snap);

	snap = reopen(fd);
	for (unsigned i = 0; i < 3; i++) {
		assert_true(snapshot_next_peer(snap, &at, &p));
		assert_int_equal(p.heard, order[i]);
	}
	assert_false(snapshot_next_peer(snap, &at, &p));
	snapshot_close(snap);
	close(fd);
}

/* Every mixture of the old and the new image that a kill -9 can leave, octet
 * by octet and in both directions. */
static void a_torn_state_leaves_the_one_before(void **ctx)
{
	int fd = snapshot_create(PEERS), torn = snapshot_create(PEERS);
	struct snapshot *snap = reopen(fd);
	struct bytes old, new;

	(void)ctx;
	put(snap, 1);
	put(snap, 2);
	old = bytes_of(fd);
	put(snap, 3);
	new = bytes_of(fd);
	for (size_t i = 0; i <= new.len; i++) {
		struct snapshot *found;
		uint8_t fill;

		write_bytes(torn, old.data, old.len);
		write_bytes(torn, new.data, i);
		found = reopen(torn);
		fill = got(found);
		assert_true(fill == 2 || fill == 3);
		put(found, 4);
		assert_int_equal(got(found), 4);
		snapshot_close(found);

		write_bytes(torn, new.data, new.len);
		write_bytes(torn, old.data, i);
		found = reopen(torn);
		fill = got(found);
		assert_true(fill == 2 || fill == 3);
		snapshot_close(found);
	}
	free(old.data);
	free(new.data);
	snapshot_close(snap);
	close(fd);
	close(torn);
}

static void a_torn_peer_is_the_old_one_or_the_new_one_or_none(void **ctx)
{
	int fd = snapshot_create(PEERS), torn = snapshot_create(PEERS);
	struct snapshot *snap = reopen(fd);
	struct bytes old, new;

	(void)ctx;
	snapshot_put_peer(snap, 3, &alice, alice_ep, 70);
	old = bytes_of(fd);
	snapshot_put_peer(snap, 3, &bob, bob_ep, 60);
	new = bytes_of(fd);
	for (size_t i = 0; i <= new.len; i++) {
		struct snapshot *found;
		struct snapshot_peer p;
		uint32_t at = 0;

		write_bytes(torn, old.data, old.len);
		write_bytes(torn, new.data, i);
		found = reopen(torn);
		if (snapshot_next_peer(found, &at, &p)) {
			bool is_bob = memcmp(&p.addr, &bob, sizeof(p.addr)) == 0;

			assert_true(is_bob ||
				    memcmp(&p.addr, &alice, sizeof(p.addr)) == 0);
			assert_int_equal(p.ep.port,
					 is_bob ? bob_ep.port : alice_ep.port);
		}
		snapshot_close(found);
	}
	free(old.data);
	free(new.data);
	snapshot_close(snap);
	close(fd);
	close(torn);
}

static void random_corruption_gives_only_what_was_written(void **ctx)
{
	int fd = snapshot_create(PEERS), bad = snapshot_create(PEERS);
	struct snapshot *snap = reopen(fd);
	struct bytes whole;
	unsigned seed = 1;

	(void)ctx;
	put(snap, 1);
	put(snap, 2);
	for (uint32_t i = 0; i < PEERS; i++)
		snapshot_put_peer(snap, i, &alice, alice_ep, 70);
	whole = bytes_of(fd);
	for (unsigned run = 0; run < 5000; run++) {
		size_t at = (size_t)rand_r(&seed) % whole.len;
		uint8_t flip = (uint8_t)(1u << (rand_r(&seed) % 8));
		struct snapshot *found;

		write_bytes(bad, whole.data, whole.len);
		assert_int_equal(pwrite(bad, &(uint8_t){whole.data[at] ^ flip},
					1, (off_t)at),
				 1);
		found = reopen(bad);
		assert_true(got(found) <= 2);
		assert_true(count_peers(found) <= PEERS);
		put(found, 3);
		assert_int_equal(got(found), 3);
		snapshot_close(found);
	}
	free(whole.data);
	snapshot_close(snap);
	close(fd);
	close(bad);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_snapshot_is_empty),
		cmocka_unit_test(each_opening_is_a_generation),
		cmocka_unit_test(the_last_state_is_found_again),
		cmocka_unit_test(
			a_state_of_another_role_or_length_is_not_given),
		cmocka_unit_test(
			a_snapshot_for_another_number_of_peers_is_empty),
		cmocka_unit_test(a_snapshot_of_another_version_is_empty),
		cmocka_unit_test(nobody_can_resize_it),
		cmocka_unit_test(peers_are_found_by_the_next_engine),
		cmocka_unit_test(of_slots_that_share_a_record_the_last_is_kept),
		cmocka_unit_test(
			peers_can_change_their_slots_while_they_are_read),
		cmocka_unit_test(peers_come_back_from_the_longest_silent_on),
		cmocka_unit_test(a_torn_state_leaves_the_one_before),
		cmocka_unit_test(
			a_torn_peer_is_the_old_one_or_the_new_one_or_none),
		cmocka_unit_test(random_corruption_gives_only_what_was_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
