/*
 * miredoctl_event_words.c - what happened, in words
 *
 * One table for all who tell of events: miredoctl events as text and as JSON,
 * and the report. The words are part of the interface: they are added to,
 * never changed.
 *
 * A state is one word. Interface and health are sets: several things may be
 * the matter at once, and one may come while a worse one stays. They have a
 * word, too, that of the most important, and beside it what came and what
 * went, so that no event says that nothing has changed.
 */
#include "config.h"

#include "miredoctl_event_words.h"

#include <string.h>

#include "../libteredo/client.h"
#include "health.h"
#include "text.h"

/* The most important first: who looks wants to know why it does not work. */
static const struct {
	uint32_t bit;
	const char *word;
} link_words[] = {
	{PRIV_LINK_HELD, "held"},
	{PRIV_LINK_GONE, "gone"},
	{PRIV_LINK_DOWN, "down"},
	{PRIV_LINK_HOMELESS, "no-bind-address"},
	{PRIV_LINK_BROKEN, "broken"},
	{PRIV_LINK_NO_IPV4, "no-ipv4"},
	{PRIV_LINK_UNRESOLVED, "unresolved"},
	{PRIV_LINK_SHADOWED, "shadowed"},
	{PRIV_LINK_CARRIER, "carrier"},
	{PRIV_LINK_UP, "address"},
};
#define LINK_WORDS (sizeof(link_words) / sizeof(link_words[0]))

const char *event_name(const struct ctl_event *e)
{
	static const char *const name[] = {
		[CTL_EVENT_STARTED] = "started",
		[CTL_EVENT_STATE] = "state-changed",
		[CTL_EVENT_QUALIFIED] = "qualified",
		[CTL_EVENT_ADDRESS] = "address-changed",
		[CTL_EVENT_NAT] = "nat-changed",
		[CTL_EVENT_PEER] = "peer-direct",
		[CTL_EVENT_LINK] = "link-changed",
		[CTL_EVENT_HEALTH] = "health-changed",
	};

	if (e->kind == CTL_EVENT_PEER && e->value == TEREDO_WAY_RELAY)
		return "peer-relay";
	if (e->kind == CTL_EVENT_PEER && e->value == TEREDO_WAY_LOCAL)
		return "peer-local";
	if (e->kind < sizeof(name) / sizeof(name[0]) && name[e->kind] != NULL)
		return name[e->kind];
	return "unknown";
}

/* Having an address is no word of its own: that is told as such. */
static const char *link_word(uint32_t bits)
{
	for (size_t i = 0; i < LINK_WORDS; i++)
		if ((bits & link_words[i].bit & ~(uint32_t)PRIV_LINK_UP) != 0)
			return link_words[i].word;
	return "no-carrier";
}

static const char *health_word(uint32_t bits)
{
	enum health h = health_worst(bits);

	return h < HEALTHS ? health_reason(h)->code : "ok";
}

const char *event_word(const struct ctl_event *e, uint32_t value)
{
	if (e->kind == CTL_EVENT_STATE && value < TEREDO_CLIENT_STATES)
		return teredo_client_state_name(
			(enum teredo_client_state)value);
	if (e->kind == CTL_EVENT_NAT && value < TEREDO_NATS)
		return teredo_nat_name((enum teredo_nat)value);
	if (e->kind == CTL_EVENT_LINK)
		return link_word(value);
	if (e->kind == CTL_EVENT_HEALTH)
		return health_word(value);
	return "";
}

const char *event_bit(const struct ctl_event *e, unsigned bit)
{
	if (e->kind == CTL_EVENT_HEALTH && bit < HEALTHS)
		return health_reason((enum health)bit)->code;
	if (e->kind != CTL_EVENT_LINK || bit > 31)
		return NULL;
	for (size_t i = 0; i < LINK_WORDS; i++)
		if (link_words[i].bit == 1u << bit)
			return link_words[i].word;
	return NULL;
}

uint32_t event_came(const struct ctl_event *e)
{
	return e->value & ~e->old;
}

uint32_t event_went(const struct ctl_event *e)
{
	return e->old & ~e->value;
}

static void print_bits(const struct ctl_event *e, const char *what,
		       uint32_t bits, FILE *out)
{
	const char *between = what;

	for (unsigned bit = 0; bit < 32; bit++) {
		const char *word = event_bit(e, bit);

		if ((bits & 1u << bit) == 0 || word == NULL)
			continue;
		fprintf(out, "%s%s", between, word);
		between = ", ";
	}
}

static void print_words(const struct ctl_event *e, FILE *out)
{
	const char *word = event_word(e, e->value);
	const char *old = event_word(e, e->old);

	if (e->fresh)
		fprintf(out, "  %s", word);
	else if (strcmp(word, old) == 0)
		fprintf(out, "  still %s", word);
	else
		fprintf(out, "  %s, was %s", word, old);
	print_bits(e, e->fresh ? "  found: " : "  came: ", event_came(e),
		   out);
	print_bits(e, "  went: ", event_went(e), out);
}

static bool is_set(const uint8_t addr[16])
{
	static const uint8_t none[16];

	return memcmp(addr, none, sizeof(none)) != 0;
}

void event_print(const struct ctl_event *e, FILE *out)
{
	char addr[TEXT_IP6_LEN], ep[TEXT_EP_LEN];

	fprintf(out, "%-15s", event_name(e));
	if (event_word(e, e->value)[0] != '\0')
		print_words(e, out);
	else if (e->kind == CTL_EVENT_STARTED)
		fprintf(out, "  engine %u", e->value);
	if (is_set(e->addr))
		fprintf(out, "  %s", text_ip6(addr, e->addr));
	if (is_set(e->old_addr))
		fprintf(out, " replaces %s", text_ip6(addr, e->old_addr));
	if (e->ip != 0)
		fprintf(out, "  at %s", text_ep(ep, e->ip, e->port));
}
