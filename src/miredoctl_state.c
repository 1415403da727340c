/*
 * miredoctl_state.c - what an instance's status means
 *
 * The engine gives numbers; here they get names and a judgement, the same for
 * the screen, the JSON, --wait and the exit code. A number without a name is
 * "unknown": what runs may have been taken over, and its answer is only data.
 */
#include "config.h"

#include "miredoctl_status.h"

#include <ctype.h>
#include <string.h>

#include "../libteredo/client.h"
#include "../libteredo/seen.h"

void miredoctl_clean_text(char *text, size_t size)
{
	text[size - 1] = '\0';
	text[strcspn(text, "\n")] = '\0';
	for (; *text != '\0'; text++)
		if (!isprint((unsigned char)*text))
			*text = '?';
}

void miredoctl_clean(struct ctl_status *st)
{
	miredoctl_clean_text(st->server_name, sizeof(st->server_name));
	miredoctl_clean_text(st->instance, sizeof(st->instance));
	miredoctl_clean_text(st->native, sizeof(st->native));
	miredoctl_clean_text(st->link.other, sizeof(st->link.other));
	miredoctl_clean_text(st->fate, sizeof(st->fate));
}

const char *miredoctl_role(const struct ctl_status *st)
{
	switch (st->role == PRIV_DORMANT ? st->configured : st->role) {
	case PRIV_CLIENT:
		return "client";
	case PRIV_RELAY:
		return "relay";
	case PRIV_SERVER:
		return "server";
	case PRIV_SERVER_RELAY:
		return "server-relay";
	default:
		return "unknown";
	}
}

static const char *client_state(uint32_t state)
{
	if (state >= TEREDO_CLIENT_STATES)
		return "unknown";
	if (state == TEREDO_CLIENT_REFRESHING)
		state = TEREDO_CLIENT_QUALIFIED;
	return teredo_client_state_name((enum teredo_client_state)state);
}

const char *miredoctl_state(const struct ctl_status *st)
{
	if (st->deaths != 0)
		return "no-engine";
	switch (st->role) {
	case PRIV_CLIENT:
		return client_state(st->state);
	case PRIV_RELAY:
		return (st->link.bits & PRIV_LINK_CARRIER) != 0
			       ? "relaying"
			       : "not-announcing";
	case PRIV_SERVER:
	case PRIV_SERVER_RELAY:
		return "serving";
	case PRIV_DORMANT:
		return "dormant";
	default:
		return "unknown";
	}
}

bool miredoctl_is_state(const char *name)
{
	static const char *const others[] = {"relaying", "not-announcing",
					     "serving", "dormant",
					     "no-engine"};

	for (unsigned i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (strcmp(name, others[i]) == 0)
			return true;
	for (uint32_t i = 0; i < TEREDO_CLIENT_STATES; i++)
		if (strcmp(name, client_state(i)) == 0)
			return true;
	return false;
}

bool miredoctl_has_address(const struct ctl_status *st)
{
	static const uint8_t none[sizeof(st->addr)];

	return memcmp(st->addr, none, sizeof(none)) != 0;
}

bool miredoctl_has_tunnel(const struct ctl_status *st)
{
	return st->role == PRIV_CLIENT || st->role == PRIV_RELAY ||
	       st->role == PRIV_SERVER_RELAY;
}

const char *miredoctl_nat(const struct ctl_status *st)
{
	if (st->role != PRIV_CLIENT || st->nat == TEREDO_NAT_UNKNOWN ||
	    st->nat >= TEREDO_NATS)
		return NULL;
	return teredo_nat_name((enum teredo_nat)st->nat);
}

const char *miredoctl_interval(const struct ctl_status *st)
{
	if (st->role != PRIV_CLIENT || st->interval >= TEREDO_INTERVALS)
		return NULL;
	return teredo_interval_name((enum teredo_interval)st->interval);
}

const char *miredoctl_nat_class(const struct ctl_status *st)
{
	static const char *const class[TEREDO_NATS] = {
		[TEREDO_NAT_NONE] = "none",
		[TEREDO_NAT_CONE_OR_RESTRICTED] = "easy",
		[TEREDO_NAT_SYMMETRIC] = "hard",
	};

	return miredoctl_nat(st) != NULL ? class[st->nat] : NULL;
}

int miredoctl_port_preserving(const struct ctl_status *st)
{
	if (!miredoctl_has_address(st) || st->mapped_port == 0 ||
	    st->local_port == 0)
		return -1;
	return st->mapped_port == st->local_port;
}

uint64_t miredoctl_since(const struct ctl_status *st)
{
	return miredoctl_has_address(st) ? st->address_age : st->uptime;
}

/* So many different ones are to be expected where so many places are used. */
uint64_t miredoctl_clients(const struct ctl_status *st)
{
	double n = 0;

	if (st->clients_seen >= SEEN_PLACES - SEEN_PLACES / 1000)
		return UINT64_MAX;
	for (uint32_t i = 0; i < st->clients_seen; i++)
		n += (double)SEEN_PLACES / (SEEN_PLACES - i);
	return (uint64_t)(n + 0.5);
}

uint64_t miredoctl_carrier_age(const struct ctl_status *st)
{
	uint64_t at = st->link.carrier_at * (uint64_t)1000000000u;

	return at == 0 || at > st->head.now ? UINT64_MAX : st->head.now - at;
}
