/*
 * fuzz_netcheck.c - whatever answers netcheck, and what it makes of that
 *
 * The input is a script of steps, an octet each and what follows it:
 *
 *	ANSWER	number of a question, of a mapping, of a sender, of a socket;
 *		mutations: offset and octet, up to an offset of 255
 *	RAW	number of a socket, of a sender; length and octets
 *	ERROR	number of a receiver, of a state, of an offender
 *	FOUND	number of an address: the second server's name has one, or none
 *	else	so many steps of 20 ms pass
 *
 * An answer is a real server's, which saw the question come from a mapping; 0
 * leaves sender and socket as they should be. Whatever comes: the check ends in
 * time, asks a bounded number of questions, says of a NAT nothing that its
 * facts do not say, and prints a screen and JSON. SEC-PRS-01
 */
#include "config.h"

#include <assert.h>
#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>

#include "../../libteredo/server.h"
#include "../../src/miredoctl_netcheck.h"
#include "script.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum step { PASS, ANSWER, RAW, ERROR, FOUND, STEPS };
enum { ASKED = 8, QUESTIONS_MOST = 40 };

struct world {
	struct script script;
	struct netcheck *nc;
	struct teredo_server *server;
	struct teredo_outbox ob;
	teredo_time now, end;
	struct netcheck_datagram asked[ASKED]; /* the last ones */
	unsigned questions;
	bool is_found;
};

static uint32_t address(uint8_t number)
{
	switch (number % 8) {
	case 0:
		return 0;
	case 1:
		return script_ip4(192, 0, 2, 1); /* the server */
	case 2:
		return script_ip4(192, 0, 2, 2); /* and its second one */
	case 3:
		return script_ip4(203, 0, 113, 9); /* the NAT */
	case 4:
		return script_ip4(10, 0, 0, 2); /* this host */
	case 5:
		return script_ip4(10, 0, 0, 1); /* the gateway */
	case 6:
		return script_ip4(198, 51, 100, 7);
	default:
		return script_ip4(127, 0, 0, 1);
	}
}

static struct teredo_ep endpoint(uint8_t number)
{
	static const uint16_t ports[] = {3544, 40000, 5351, 50000};

	return (struct teredo_ep){address(number),
				  htons(ports[number / 8 % 4])};
}

static void set_up(struct world *w)
{
	const struct teredo_env env = {.random = script_random};
	const struct teredo_server_config server = {
		.prefix = addr_default_prefix(),
		.ip = address(1),
		.ip2 = address(2),
		.mtu = 1280};
	struct netcheck_config config = {
		.began = 1,
		.servers = 2,
		.server = {{.ip = address(1),
			    .ip2 = address(2),
			    .local_ip = address(4)},
			   {.is_awaited = true}},
		.local_port = htons(40000),
		.gateway = address(5),
		.gateway_local = address(4)};

	w->now = config.began;
	w->end = config.began + NETCHECK_LIMIT;
	w->server = teredo_server_new(&server, &env);
	w->nc = netcheck_new(&config, &env, w->now);
	assert(w->nc != NULL && w->server != NULL);
}

static void ask(struct world *w)
{
	struct netcheck_datagram d;

	while (netcheck_next(w->nc, w->now, &d)) {
		assert(d.socket < NETCHECK_SOCKETS && d.len <= sizeof(d.data));
		assert(d.to.ip != 0 && d.to.port != 0 && w->now < w->end);
		w->asked[w->questions++ % ASKED] = d;
	}
	assert(w->questions <= QUESTIONS_MOST);
}

static void deliver(struct world *w, uint8_t socket, struct teredo_ep from,
		    const uint8_t *octets, size_t len)
{
	uint8_t *copy = malloc(len + 1); /* a sanitizer sees what is beyond */

	assert(copy != NULL);
	memcpy(copy, octets, len);
	netcheck_in(w->nc, socket % NETCHECK_SOCKETS, from, copy, len, w->now);
	free(copy);
}

static void answer(struct world *w)
{
	const struct netcheck_datagram *d =
		&w->asked[script_u8(&w->script) % ASKED];
	struct teredo_ep mapping = endpoint(script_u8(&w->script));
	uint8_t sender = script_u8(&w->script);
	uint8_t socket = script_u8(&w->script);
	uint8_t octets[OUTBOX_BYTES], at;
	struct teredo_rx rx = {.data = d->data,
			       .len = d->len,
			       .from = mapping,
			       .local_ip = d->to.ip,
			       .via = d->to.ip == address(2)
					      ? TEREDO_VIA_SECONDARY
					      : TEREDO_VIA_PRIMARY};
	struct teredo_ep from;
	const struct outbox_item *item;

	outbox_clear(&w->ob);
	if (d->len > 0)
		teredo_server_udp_in(w->server, &rx, w->now, &w->ob);
	item = &w->ob.item[0];
	if (w->ob.n == 0 || item->kind != OUTBOX_UDP)
		return;
	memcpy(octets, outbox_data(&w->ob, item), item->len);
	while ((at = script_u8(&w->script)) != 0 && at != 255 && at < item->len)
		octets[at] ^= script_u8(&w->script);
	from.ip = address(item->via == TEREDO_VIA_SECONDARY ? 2 : 1);
	from.port = htons(TEREDO_PORT);
	deliver(w, socket == 0 ? (uint8_t)d->socket : socket,
		sender == 0 ? from : endpoint(sender), octets, item->len);
}

static void raw(struct world *w)
{
	uint8_t socket = script_u8(&w->script);
	struct teredo_ep from = endpoint(script_u8(&w->script));
	size_t len = script_u8(&w->script);

	if (len > (size_t)(w->script.end - w->script.at))
		len = (size_t)(w->script.end - w->script.at);
	deliver(w, socket, from, w->script.at, len);
	w->script.at += len;
}

static void find(struct world *w)
{
	struct netcheck_server s = {.ip = address(script_u8(&w->script))};

	if (w->is_found)
		return;
	s.ip2 = s.ip != 0 ? htonl(ntohl(s.ip) + 1) : 0;
	s.local_ip = address(4);
	netcheck_found(w->nc, 1, &s, w->now);
	w->is_found = true;
}

static void error(struct world *w)
{
	struct teredo_ep to = endpoint(script_u8(&w->script));
	enum netcheck_state why = script_u8(&w->script) % NETCHECK_INVALID;

	netcheck_error(w->nc, to, why, address(script_u8(&w->script)));
}

/* The clock of the script, or to the end once that is over. */
static void pass(struct world *w, uint8_t steps)
{
	if (w->script.at == w->script.end)
		w->now = netcheck_deadline(w->nc);
	else
		w->now += steps * 20 * TEREDO_MS;
}

static void run(struct world *w)
{
	for (;;) {
		uint8_t step;

		ask(w);
		if (netcheck_deadline(w->nc) == TEREDO_NEVER)
			return;
		assert(netcheck_deadline(w->nc) <= w->end);
		step = script_u8(&w->script);
		switch (step) {
		case ANSWER:
			answer(w);
			break;
		case RAW:
			raw(w);
			break;
		case ERROR:
			error(w);
			break;
		case FOUND:
			find(w);
			break;
		default:
			pass(w, step);
		}
	}
}

static void check_report(const struct netcheck_report *r)
{
	assert(r->servers == 2 && r->nearest < 2);
	assert((r->nat == NETCHECK_NAT_SYMMETRIC) ==
	       (r->varies == NETCHECK_YES));
	assert(r->nearest < 0 || (r->server[r->nearest].state == NETCHECK_OK &&
				  r->udp == NETCHECK_YES));
	assert((r->nearest < 0) == (r->mapped.port == 0));
	assert(r->mapped.port == 0 || ipv4_is_global(r->mapped.ip));
	assert(r->nat == NETCHECK_NAT_UNKNOWN || r->nearest >= 0);
	assert(r->nat != NETCHECK_NAT_CONE || r->open == NETCHECK_YES);
	assert(r->nat != NETCHECK_NAT_RESTRICTED || r->open == NETCHECK_NO);
}

static char *print(const struct netcheck_findings *f, bool json)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	bool done = true;

	assert(out != NULL);
	if (json)
		done = netcheck_print_json(f, out);
	else
		netcheck_print_text(f, out);
	fclose(out);
	assert(done && strlen(text) == size);
	return text;
}

static void check_words(const struct netcheck_report *r)
{
	static struct netcheck_findings f;
	char *text;
	json_t *json;

	f.report = *r;
	f.has_gateway = true;
	strcpy(f.name[0], "one.example");
	strcpy(f.name[1], "\xff\n");
	text = print(&f, false);
	for (const char *c = text; *c != '\0'; c++)
		assert(isprint((unsigned char)*c) || *c == '\n');
	free(text);
	text = print(&f, true);
	json = json_loads(text, 0, NULL);
	assert(json_is_object(json));
	json_decref(json);
	free(text);
	assert(netcheck_exit_code(&f) == (r->nearest < 0 ? 1
					  : r->varies == NETCHECK_YES ? 5
								      : 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct world w;
	struct netcheck_report r;

	memset(&w, 0, sizeof(w));
	w.script = (struct script){data, data + len};
	set_up(&w);
	run(&w);
	netcheck_report(w.nc, &r);
	check_report(&r);
	check_words(&r);
	netcheck_free(w.nc);
	teredo_server_free(w.server);
	return 0;
}
