/*
 * priv_check.c - may the engine have what it asks for?
 *
 * Pure: a message, what the parent knows, and the time; no system call. The
 * engine reads packets from everywhere and counts as taken over. What it may
 * get even then: at most ten changes a minute of the tunnel's address, to an
 * address in the configured prefix that names a server whose address the
 * resolver itself gave to the parent; carrier; look-ups of configured names,
 * chosen by number; log lines; a client's second port, now and then; and so
 * often what an administrator asks for at the control socket, whose connection
 * it has to show.
 *
 * A message that our engine would never send is -EPROTO and its end. What a
 * confused but honest engine may ask is refused with -EPERM, what comes too
 * often with -EAGAIN.
 */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "ctl_records.h"
#include "priv.h"

#define MINUTE 60000000000u	/* ns */

uint32_t priv_length(uint32_t verb)
{
	switch (verb) {
	case PRIV_READY:
	case PRIV_CARRIER:
	case PRIV_RESOLVE:
	case PRIV_RELOAD:
	case PRIV_KEEPALIVE:
	case PRIV_SECONDARY:
	case PRIV_HEALTH:
	case PRIV_ANNOUNCE:
	case PRIV_FD:
	case PRIV_START:
		return sizeof(struct priv_word);
	case PRIV_TUN_UP:
		return sizeof(struct priv_tun_up);
	case PRIV_LOG:
		return sizeof(struct priv_log);
	case PRIV_CONFIG:
		return sizeof(struct priv_config);
	case PRIV_NETCHANGE:
		return sizeof(struct priv_netchange);
	case PRIV_RESOLVED:
		return sizeof(struct priv_resolved);
	case PRIV_ANSWER:
		return sizeof(struct priv_answer);
	case PRIV_KEYS:
		return sizeof(struct priv_keys);
	case PRIV_LINK:
		return sizeof(struct priv_link);
	case PRIV_ASK:
		return sizeof(struct priv_ask);
	case PRIV_TOLD:
		return sizeof(struct priv_told);
	default:
		return 0;
	}
}

bool priv_brings_fd(uint32_t verb)
{
	return verb == PRIV_RELOAD || verb == PRIV_ANNOUNCE;
}

void priv_policy_add(struct priv_policy *policy, uint32_t ip)
{
	for (unsigned i = 0;
	     i < policy->n_server_ips && i < PRIV_SERVER_IPS; i++)
		if (policy->server_ip[i] == ip)
			return;
	policy->server_ip[policy->n_server_ips++ % PRIV_SERVER_IPS] = ip;
}

static bool policy_has(const struct priv_policy *policy, uint32_t ip)
{
	for (unsigned i = 0;
	     i < policy->n_server_ips && i < PRIV_SERVER_IPS; i++)
		if (policy->server_ip[i] == ip)
			return true;
	return false;
}

static int limit_take(struct priv_limit *l, unsigned per_minute, uint64_t now)
{
	uint64_t *oldest = &l->at[l->taken % per_minute];

	if (l->taken >= per_minute && now - *oldest < MINUTE)
		return -EAGAIN;
	*oldest = now;
	if (++l->taken == 2 * per_minute)
		l->taken = per_minute;	/* the ring is full for ever */
	return 0;
}

static int check_tun_up(struct priv_policy *policy, const void *msg,
			uint64_t now)
{
	struct priv_tun_up m;
	uint32_t prefix, server;

	memcpy(&m, msg, sizeof(m));
	memcpy(&prefix, m.addr, 4);
	memcpy(&server, m.addr + 4, 4);
	if (policy->role != PRIV_CLIENT || prefix != policy->prefix ||
	    !policy_has(policy, server) || m.mtu < 1280 ||
	    m.mtu > policy->mtu_max)
		return -EPERM;
	return limit_take(&policy->tun, PRIV_TUN_PER_MINUTE, now);
}

static int check_log(const void *msg)
{
	struct priv_log m;

	memcpy(&m, msg, sizeof(m));
	return m.level <= 7 && memchr(m.text, '\0', sizeof(m.text)) != NULL
		       ? 0
		       : -EPROTO;
}

/* The verbs that are one word. */
static int check_word(struct priv_policy *policy, const void *msg,
		      uint64_t now)
{
	struct priv_word m;
	bool client = policy->role == PRIV_CLIENT;

	memcpy(&m, msg, sizeof(m));
	switch (m.verb) {
	case PRIV_READY:
	case PRIV_KEEPALIVE:
		return 0;
	case PRIV_CARRIER:
		if (m.value > 1)
			return -EPROTO;
		if (policy->role == PRIV_SERVER)
			return -EPERM;
		return limit_take(&policy->carrier, PRIV_CARRIER_PER_MINUTE,
				  now);
	case PRIV_RESOLVE:
		if (!client || m.value >= policy->n_servers)
			return -EPERM;
		return limit_take(&policy->resolve, PRIV_RESOLVE_PER_MINUTE,
				  now);
	case PRIV_SECONDARY:
		if (m.value > 1)
			return -EPROTO;
		if (!client)
			return -EPERM;
		return m.value == 0 ? 0
				    : limit_take(&policy->secondary,
						 PRIV_SECONDARY_PER_MINUTE,
						 now);
	case PRIV_HEALTH:	/* words of ours, for the service manager */
		return limit_take(&policy->health, PRIV_HEALTH_PER_MINUTE,
				  now);
	case PRIV_RELOAD:
		return limit_take(&policy->reload, PRIV_RELOAD_PER_MINUTE,
				  now);
	case PRIV_ANNOUNCE:
		if (m.value > 1)
			return -EPROTO;
		return m.value != CTL_HOLD
			       ? 0
			       : limit_take(&policy->hold,
					    PRIV_HOLD_PER_MINUTE, now);
	default:
		return -EPROTO;	/* a verb of the parent's or the resolver's */
	}
}

int priv_check(struct priv_policy *policy, const void *msg, uint32_t len,
	       uint64_t now)
{
	uint32_t verb;

	if (len < sizeof(verb))
		return -EPROTO;
	memcpy(&verb, msg, sizeof(verb));
	if (priv_length(verb) != len)
		return -EPROTO;
	if (verb == PRIV_TUN_UP)
		return check_tun_up(policy, msg, now);
	if (verb == PRIV_LOG)
		return check_log(msg);
	if (len == sizeof(struct priv_word))
		return check_word(policy, msg, now);
	return -EPROTO;
}
