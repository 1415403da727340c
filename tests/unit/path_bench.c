/*
 * path_bench.c - a path on the bench, with a role that only counts its probes
 *
 * See path_bench.h.
 */
#include "path_bench.h"

struct path path;
struct teredo_counters count;
struct teredo_outbox ob;
struct teredo_ep ep;
struct teredo_addr us, dst;
uint64_t seed;
teredo_time now;

bool refuses;
unsigned n_probes, n_doubts;
teredo_time probed_at[128], doubted_at;
uint8_t probe_number[128];

static bool role_probe(void *role, struct peer *p, teredo_time when,
		       struct teredo_outbox *out)
{
	assert_ptr_equal(role, &seed);
	assert_true(outbox_room(out, 4, 512));
	assert_true(n_probes < COUNT(probed_at));
	probed_at[n_probes] = when;
	probe_number[n_probes] = p->attempts;
	n_probes++;
	if (refuses)
		return false;
	*outbox_udp(out, TEREDO_VIA_PRIMARY, ep, 1) = 'p';
	return true;
}

static teredo_time role_pause(void *role, const struct peer *p)
{
	assert_ptr_equal(role, &seed);
	assert_non_null(p);
	return PAUSE;
}

static void role_doubt(void *role, teredo_time when, struct teredo_outbox *out)
{
	assert_ptr_equal(role, &seed);
	assert_non_null(out);
	if (n_doubts++ == 0)
		doubted_at = when;
}

static const struct path_ops ops = {
	.probe = role_probe,
	.pause = role_pause,
	.forget_after = 60 * TEREDO_SECOND,
	.hold_many = 3 << 18,
	.doubt = role_doubt,
};

int path_bench_setup(void **state)
{
	struct teredo_env env = test_env(&seed);

	(void)state;
	seed = 7;
	now = T0;
	refuses = false;
	n_probes = n_doubts = 0;
	ep = ep4("192.0.2.10", 8192);
	us = ip6("2001:0:cb00:7178:0:efff:3fff:fdfe");
	dst = ip6("2001:0:c633:6476:0:dfff:3fff:fdf5");
	memset(&count, 0, sizeof(count));
	memset(&ob, 0, sizeof(ob));
	if (!path_init(&path, &ops, &seed, MAX, 1 << 20, &env, &count))
		return -1;
	path.error_src = ip6("fe80::1");
	return 0;
}

int path_bench_teardown(void **state)
{
	(void)state;
	assert_int_equal(ob.lost, 0);
	path_fini(&path);
	return 0;
}

struct teredo_addr dst_number(unsigned number)
{
	struct teredo_addr a = dst;

	a.b[8] = 0x3c;
	a.b[14] = (uint8_t)(number >> 8);
	a.b[15] = (uint8_t)number;
	return a;
}

struct teredo_verdict send_to(const struct teredo_addr *to, size_t len,
			      uint8_t mark)
{
	struct test_packet t = { 0 };

	packet_ip6(&t, 17, &us, to, len);
	t.b[40] = mark;
	outbox_clear(&ob);
	return path_send(&path, to, t.b, t.len, now, &ob);
}

enum teredo_fate send_one(uint8_t mark)
{
	return send_to(&dst, 100, mark).fate;
}

struct teredo_verdict receive(uint8_t mark)
{
	struct test_packet t = { 0 };

	packet_ip6(&t, 17, &dst, &us, 100);
	t.b[40] = mark;
	outbox_clear(&ob);
	return path_receive_unproven(&path, &dst, t.b, t.len, now, &ob);
}

void proven(void)
{
	outbox_clear(&ob);
	path_proven(&path, peers_get(path.peers, &dst, now), ep, now, &ob);
}

unsigned items_of(enum outbox_kind kind)
{
	unsigned n = 0;

	for (unsigned i = 0; i < ob.n; i++)
		n += ob.item[i].kind == kind;
	return n;
}

unsigned run_until(teredo_time end)
{
	unsigned errors = 0;

	while (path_deadline(&path) <= end) {
		if (path_deadline(&path) > now)
			now = path_deadline(&path);
		outbox_clear(&ob);
		path_expire(&path, now, &ob);
		errors += items_of(OUTBOX_TUN);
	}
	now = end;
	outbox_clear(&ob);
	return errors;
}

struct peer *peer(void)
{
	return peers_find(path.peers, &dst);
}
