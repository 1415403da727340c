/*
 * test_miredoctl_events.c - each event has its words
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>

#include "../../libteredo/client.h"
#include "../../src/miredoctl_event_words.h"

#define BIT(h) (1u << HEALTH_##h)

static void expect(const struct ctl_event *e, const char *wanted)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	event_print(e, out);
	fclose(out);
	assert_string_equal(text, wanted);
	free(text);
}

static void a_state_stands_beside_the_one_before(void **state)
{
	(void)state;
	expect(&(struct ctl_event){.kind = CTL_EVENT_STATE,
				   .value = TEREDO_CLIENT_LOST,
				   .old = TEREDO_CLIENT_QUALIFIED},
	       "state-changed    lost, was qualified");
	expect(&(struct ctl_event){.kind = CTL_EVENT_STATE,
				   .value = TEREDO_CLIENT_PROBING, .fresh = 1},
	       "state-changed    probing");
	expect(&(struct ctl_event){.kind = CTL_EVENT_NAT,
				   .value = TEREDO_NAT_SYMMETRIC},
	       "nat-changed      symmetric, was unknown");
	expect(&(struct ctl_event){.kind = CTL_EVENT_STARTED, .value = 3},
	       "started          engine 3");
}

static void an_address_stands_with_its_mapping(void **state)
{
	struct ctl_event e = {
		.kind = CTL_EVENT_QUALIFIED,
		.ip = htonl(0xc0000201), .port = htons(40000),
		.addr = {0x20, 1, [15] = 1},
	};

	(void)state;
	expect(&e, "qualified        2001::1  at 192.0.2.1:40000");
	e.kind = CTL_EVENT_ADDRESS;
	e.old_addr[0] = 0x20;
	expect(&e, "address-changed  2001::1 replaces 2000::  at "
		   "192.0.2.1:40000");
}

static void a_peer_has_the_name_of_its_path(void **state)
{
	static const struct {
		uint32_t way;
		const char *name;
	} row[] = {
		{TEREDO_WAY_DIRECT, "peer-direct"},
		{TEREDO_WAY_LOCAL, "peer-local"},
		{TEREDO_WAY_RELAY, "peer-relay"},
	};

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		assert_string_equal(
			event_name(&(struct ctl_event){.kind = CTL_EVENT_PEER,
						       .value = row[i].way}),
			row[i].name);
}

/* Each bit that the parent may tell has a word that no other one has. */
static void each_state_of_the_link_has_its_word(void **state)
{
	struct ctl_event e = {.kind = CTL_EVENT_LINK};
	const char *seen[32];
	unsigned n = 0;

	(void)state;
	for (unsigned bit = 0; 1u << bit <= PRIV_LINK_UP; bit++) {
		const char *word = event_bit(&e, bit);

		assert_non_null(word);
		for (unsigned i = 0; i < n; i++)
			assert_string_not_equal(word, seen[i]);
		seen[n++] = word;
		if (1u << bit != PRIV_LINK_UP)
			assert_string_equal(event_word(&e, 1u << bit), word);
	}
	assert_null(event_bit(&e, n));
	assert_string_equal(event_word(&e, 0), "no-carrier");
}

static void the_link_tells_what_came_and_what_went(void **state)
{
	struct ctl_event e = {
		.kind = CTL_EVENT_LINK,
		.value = PRIV_LINK_CARRIER | PRIV_LINK_UP,
	};

	(void)state;
	expect(&e, "link-changed     carrier, was no-carrier  came: carrier, "
		   "address");
	e.old = PRIV_LINK_CARRIER;
	expect(&e, "link-changed     still carrier  came: address");
	e.value = PRIV_LINK_CARRIER | PRIV_LINK_GONE | PRIV_LINK_SHADOWED;
	e.old = PRIV_LINK_CARRIER | PRIV_LINK_UP;
	expect(&e, "link-changed     gone, was carrier  came: gone, shadowed  "
		   "went: address");
	e.value = PRIV_LINK_CARRIER;
	e.old = 0;
	e.fresh = 1;
	expect(&e, "link-changed     carrier  found: carrier");
}

static void health_tells_all_codes_that_came_and_went(void **state)
{
	struct ctl_event e = {
		.kind = CTL_EVENT_HEALTH,
		.value = BIT(NAT_SYMMETRIC) | BIT(TABLE_FULL),
		.old = BIT(NAT_SYMMETRIC),
	};

	(void)state;
	expect(&e, "health-changed   still nat-symmetric  came: table-full");
	e.value = BIT(SERVER_UNREACHABLE);
	expect(&e, "health-changed   server-unreachable, was nat-symmetric  "
		   "came: server-unreachable  went: nat-symmetric");
	e.value = 0;
	expect(&e, "health-changed   ok, was nat-symmetric  went: "
		   "nat-symmetric");
	e.value = BIT(ONE_ADDRESS);	/* information leaves all well */
	e.old = 0;
	expect(&e, "health-changed   still ok  came: one-address");
}

static void a_kind_of_a_later_build_is_unknown(void **state)
{
	struct ctl_event e = {.kind = 99, .value = 7};

	(void)state;
	assert_string_equal(event_name(&e), "unknown");
	assert_null(event_bit(&e, 0));
	expect(&e, "unknown        ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_state_stands_beside_the_one_before),
		cmocka_unit_test(an_address_stands_with_its_mapping),
		cmocka_unit_test(a_peer_has_the_name_of_its_path),
		cmocka_unit_test(each_state_of_the_link_has_its_word),
		cmocka_unit_test(the_link_tells_what_came_and_what_went),
		cmocka_unit_test(health_tells_all_codes_that_came_and_went),
		cmocka_unit_test(a_kind_of_a_later_build_is_unknown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
