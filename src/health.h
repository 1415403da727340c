/*
 * health.h - what is wrong, by coded reasons
 */
#ifndef MIREDO_HEALTH_H
#define MIREDO_HEALTH_H

#include <stdbool.h>
#include <stdint.h>

struct ctl_status;

/* Most important first. Their words are part of the interface: they are added
 * to, never changed. */
enum health {
	HEALTH_ENGINE_DOWN,
	HEALTH_IFACE_GONE,
	HEALTH_IFACE_DOWN,
	HEALTH_IFACE_BROKEN,
	HEALTH_NO_IPV4,
	HEALTH_BIND_LOST,
	HEALTH_DNS_FAILED,
	HEALTH_UDP_BLOCKED,
	HEALTH_KEY_EXPIRED,
	HEALTH_SERVER_UNREACHABLE,
	HEALTH_NOT_QUALIFIED,	/* yet */
	HEALTH_ANNOUNCE_HELD,
	HEALTH_ROUTE_SHADOWED,
	HEALTH_NAT_SYMMETRIC,
	HEALTH_MAPPING_UNSTABLE,
	HEALTH_TABLE_FULL,
	HEALTH_SERVICE_ENDED,
	HEALTH_SUNSET_NEAR,
	HEALTH_ONE_ADDRESS,
	HEALTHS
};

/* INFO is good to know and leaves all well. */
enum health_severity { HEALTH_INFO, HEALTH_WARNING, HEALTH_ERROR };

struct health_reason {
	const char *code;	/* "server-unreachable" */
	enum health_severity severity;
	const char *text;	/* one sentence */
	const char *remedy;	/* what to do or to look at, one line */
	uint32_t causes;	/* bits: not told while one of these is there */
};

/* h is less than HEALTHS. */
const struct health_reason *health_reason(enum health h);
const char *health_severity_name(enum health_severity s);

/* What is wrong by this status, a bit (1 << enum health) each, without what
 * has its cause in another of them. */
uint32_t health_find(const struct ctl_status *st);
/* Takes out of these bits what has its cause in another of them. */
uint32_t health_visible(uint32_t bits);
/* Of these bits those that are no information. */
uint32_t health_problems(uint32_t bits);
/* "a, b": their codes, most important first; "ok": none. */
#define HEALTH_CODES_LEN (HEALTHS * 22)
const char *health_codes(char buf[HEALTH_CODES_LEN], uint32_t bits);
/* Whether all is well but for information. */
bool health_is_well(uint32_t bits);
/* The most important one that is no information; HEALTHS: none. */
enum health health_worst(uint32_t bits);

#endif
