/*
 * miredoctl.c - asks a running instance, and says what it answered
 *
 * The table of commands, and nothing else: each has a file of its own, the
 * command line is read in miredoctl_args.c, and instances are asked in
 * miredoctl_connect.c. The engine renders nothing; names, screens, JSON and
 * judgement are this program's.
 */
#include "config.h"

#include "miredoctl.h"

#define JSON	 MIREDOCTL_TAKES(OPT_JSON)
#define WATCH	 MIREDOCTL_TAKES(OPT_WATCH)
#define SORT	 MIREDOCTL_TAKES(OPT_SORT)
#define PAST	 MIREDOCTL_TAKES(OPT_PAST)
#define WAITING	 (MIREDOCTL_TAKES(OPT_WAIT) | MIREDOCTL_TAKES(OPT_TIMEOUT))

const struct miredoctl_command miredoctl_commands[] = {
	{"status", miredoctl_cmd_status, "", 0, 0,
	 "how it is, why not better, and what to do", JSON | WATCH | WAITING},
	{"netcheck", miredoctl_cmd_netcheck, "[SERVER[,SECOND]...]", 0, 99,
	 "what NAT, firewall and servers do; needs no daemon",
	 JSON | MIREDOCTL_TAKES(OPT_CONFIG) | MIREDOCTL_TAKES(OPT_LIFETIME) |
		 MIREDOCTL_TAKES(OPT_TIMEOUT)},
	{"ping", miredoctl_cmd_ping, "DEST", 1, 1,
	 "whether it answers, and by which way", JSON | MIREDOCTL_TAKES(OPT_COUNT)},
	{"report", miredoctl_cmd_report, "", 0, 0,
	 "all of it to show to others, addresses numbered",
	 MIREDOCTL_TAKES(OPT_OUTPUT) | MIREDOCTL_TAKES(OPT_HTML) |
		 MIREDOCTL_TAKES(OPT_FULL)},
	{"route", miredoctl_cmd_route, "DEST", 1, 1,
	 "whether packets to it take the tunnel, and why not", JSON},
	{"peers", miredoctl_cmd_peers, "", 0, 0,
	 "who it talks to, and by which path", JSON | WATCH | SORT},
	{"explain", miredoctl_cmd_explain, "ADDRESS", 1, 1,
	 "what an address says, and what packets to it would meet", JSON},
	{"events", miredoctl_cmd_events, "", 0, 0,
	 "what happens, line by line", JSON | PAST},
	{"capture", miredoctl_cmd_capture, "", 0, 0,
	 "inner and outer packets, and what became of them",
	 MIREDOCTL_TAKES(OPT_OUTPUT) | MIREDOCTL_TAKES(OPT_COUNT)},
	{"reload", miredoctl_cmd_reload, "", 0, 0,
	 "read the configuration again, and say how that went", 0},
	{"announce", miredoctl_cmd_announce, "hold|release", 1, 1,
	 "take a relay out of service, and back", 0},
	{"metrics", miredoctl_cmd_metrics, "", 0, 0,
	 "counters and health as OpenMetrics text",
	 MIREDOCTL_TAKES(OPT_WRITE)},
	{"version", miredoctl_cmd_version, "", 0, 0,
	 "the version of this program", JSON},
	{"help", miredoctl_cmd_help, "[COMMAND]", 0, 1,
	 "how all, or one, of the commands are used", 0},
	{"complete", miredoctl_cmd_complete, "[WORD...]", 0, 999, "", 0},
	{0},
};

int main(int argc, char **argv)
{
	struct miredoctl_args args;
	const struct miredoctl_command *c = miredoctl_parse(&args, argc, argv);

	miredoctl_colour_init(&args);
	return c->run(&args);
}
