/*
 * test_outbox.c - the order, the room and the loss of made-up packets
 */
#include "tests/unit/testing.h"

#include "libteredo/outbox.h"

static struct teredo_outbox ob;

static int setup(void **state)
{
	(void)state;
	memset(&ob, 0, sizeof(ob));
	return 0;
}

static void items_keep_their_order_and_octets(void **state)
{
	struct teredo_addr addr = ip6("2001:db8::1");
	struct teredo_ep to = ep4("192.0.2.1", 3544);

	(void)state;
	memcpy(outbox_udp(&ob, TEREDO_VIA_SECONDARY, to, 3), "abc", 3);
	memcpy(outbox_packet(&ob, OUTBOX_TUN, 2), "de", 2);
	outbox_news(&ob, OUTBOX_PEER_UP, &addr, to, 7);
	memcpy(outbox_packet(&ob, OUTBOX_NATIVE6, 1), "f", 1);

	assert_int_equal(ob.n, 4);
	assert_int_equal(ob.lost, 0);
	assert_int_equal(ob.item[0].kind, OUTBOX_UDP);
	assert_int_equal(ob.item[0].via, TEREDO_VIA_SECONDARY);
	assert_ep_equal(ob.item[0].to, to);
	assert_int_equal(ob.item[0].len, 3);
	assert_memory_equal(outbox_data(&ob, &ob.item[0]), "abc", 3);
	assert_int_equal(ob.item[1].kind, OUTBOX_TUN);
	assert_memory_equal(outbox_data(&ob, &ob.item[1]), "de", 2);
	assert_int_equal(ob.item[2].kind, OUTBOX_PEER_UP);
	assert_addr_equal(&ob.item[2].addr, &addr);
	assert_ep_equal(ob.item[2].to, to);
	assert_int_equal(ob.item[2].arg, 7);
	assert_int_equal(ob.item[2].len, 0);
	assert_int_equal(ob.item[3].kind, OUTBOX_NATIVE6);
	assert_memory_equal(outbox_data(&ob, &ob.item[3]), "f", 1);
}

static void news_without_an_address_has_a_zero_one(void **state)
{
	struct teredo_addr zero = { { 0 } };

	(void)state;
	memset(&ob.item, 0xff, sizeof(ob.item));
	outbox_news(&ob, OUTBOX_STATE, NULL, (struct teredo_ep){ 0, 0 }, 0);
	assert_addr_equal(&ob.item[0].addr, &zero);
	assert_int_equal(ob.item[0].to.ip, 0);
	assert_int_equal(ob.item[0].to.port, 0);
	assert_int_equal(ob.item[0].via, TEREDO_VIA_PRIMARY);
}

static void room_ends_with_the_octets(void **state)
{
	(void)state;
	assert_true(outbox_room(&ob, 1, OUTBOX_BYTES));
	assert_false(outbox_room(&ob, 1, OUTBOX_BYTES + 1));
	assert_false(outbox_room(&ob, 1, SIZE_MAX));
	assert_non_null(outbox_packet(&ob, OUTBOX_TUN, OUTBOX_BYTES - 10));
	assert_true(outbox_room(&ob, 1, 10));
	assert_false(outbox_room(&ob, 1, 11));
	assert_null(outbox_packet(&ob, OUTBOX_TUN, 11));
	assert_int_equal(ob.lost, 1);
	assert_int_equal(ob.n, 1);
	assert_non_null(outbox_packet(&ob, OUTBOX_TUN, 10));
	assert_int_equal(ob.lost, 1);
}

static void room_ends_with_the_items(void **state)
{
	struct teredo_ep none = { 0, 0 };

	(void)state;
	assert_true(outbox_room(&ob, OUTBOX_ITEMS, 0));
	assert_false(outbox_room(&ob, OUTBOX_ITEMS + 1, 0));
	for (unsigned i = 0; i < OUTBOX_ITEMS; i++)
		outbox_news(&ob, OUTBOX_STATE, NULL, none, i);
	assert_int_equal(ob.lost, 0);
	assert_false(outbox_room(&ob, 1, 0));
	assert_true(outbox_room(&ob, 0, 0));
	outbox_news(&ob, OUTBOX_STATE, NULL, none, 0);
	assert_null(outbox_udp(&ob, TEREDO_VIA_PRIMARY, none, 1));
	assert_int_equal(ob.lost, 2);
	assert_int_equal(ob.n, OUTBOX_ITEMS);
}

static void clearing_makes_room_and_keeps_the_loss(void **state)
{
	(void)state;
	assert_non_null(outbox_packet(&ob, OUTBOX_TUN, OUTBOX_BYTES));
	assert_null(outbox_packet(&ob, OUTBOX_TUN, 1));
	outbox_clear(&ob);
	assert_int_equal(ob.n, 0);
	assert_int_equal(ob.lost, 1);
	assert_true(outbox_room(&ob, OUTBOX_ITEMS, OUTBOX_BYTES));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(items_keep_their_order_and_octets,
				       setup),
		cmocka_unit_test_setup(news_without_an_address_has_a_zero_one,
				       setup),
		cmocka_unit_test_setup(room_ends_with_the_octets, setup),
		cmocka_unit_test_setup(room_ends_with_the_items, setup),
		cmocka_unit_test_setup(clearing_makes_room_and_keeps_the_loss,
				       setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
