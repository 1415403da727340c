/*
 * miredoctl_complete.c - what could stand next on the command line
 *
 * `miredoctl complete -- WORD...` is asked by the shells' completions: the
 * words after the command's name, the last one being typed, and perhaps empty.
 * It prints what that one may become, a line each, with a help text behind a
 * tab. So bash, zsh and fish know what the tables know, and no more has to be
 * kept up to date. Where it prints nothing, a shell offers files.
 */
#include "config.h"

#include <dirent.h>
#include <string.h>

#include "miredoctl.h"
#include "miredoctl_peers.h"
#include "miredoctl_status.h"
#include "text.h"

static void offer(const char *typed, const char *word, const char *help)
{
	if (strncmp(word, typed, strlen(typed)) == 0)
		printf("%s\t%s\n", word, help);
}

static void offer_commands(const char *typed)
{
	for (const struct miredoctl_command *c = miredoctl_commands;
	     c->name != NULL; c++)
		if (c->help[0] != '\0')
			offer(typed, c->name, c->help);
}

static void offer_options(const char *typed,
			  const struct miredoctl_command *command)
{
	char word[40];

	for (int o = 0; o < MIREDOCTL_OPTIONS; o++) {
		const struct miredoctl_option_row *row = miredoctl_option(
			(enum miredoctl_option)o);

		if (o > MIREDOCTL_COMMON &&
		    (command == NULL ||
		     (command->takes & MIREDOCTL_TAKES(o)) == 0))
			continue;
		snprintf(word, sizeof(word), "--%s", row->name);
		offer(typed, word, row->help);
	}
}

/* Names of the sockets, whether somebody listens or not. */
static void offer_instances(const char *typed, const char *run_dir)
{
	DIR *dir = opendir(run_dir);
	const struct dirent *entry;
	char name[256];

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		size_t len = strlen(entry->d_name);

		if (len < 6 || strcmp(entry->d_name + len - 5, ".sock") != 0)
			continue;
		snprintf(name, sizeof(name), "%.*s", (int)(len - 5),
			 entry->d_name);
		offer(typed, name, "an instance");
	}
	if (dir != NULL)
		closedir(dir);
}

static void offer_states(const char *typed)
{
	static const char *const states[] = {
		"address", "resolving", "probing", "offline", "qualified",
		"lost", "relaying", "not-announcing", "serving", "dormant",
	};

	for (unsigned i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		offer(typed, states[i], "a state");
}

/* The option that this word is and whose value follows; else
 * MIREDOCTL_OPTIONS. */
static int expects_value(const char *word)
{
	for (int o = 0; word[0] == '-' && o < MIREDOCTL_OPTIONS; o++) {
		const struct miredoctl_option_row *row = miredoctl_option(
			(enum miredoctl_option)o);
		bool is = word[1] == '-' ? strcmp(word + 2, row->name) == 0
					 : word[1] == row->letter &&
						   word[1] != '\0' &&
						   word[2] == '\0';

		if (is && row->value != NULL)
			return o;
	}
	return MIREDOCTL_OPTIONS;
}

/* A value or an operand that stands as "one|other" in its row. */
static void offer_choice(const char *typed, const char *choice)
{
	char word[40];

	for (size_t len; *choice != '\0'; choice += len + (choice[len] == '|')) {
		len = strcspn(choice, "|");
		snprintf(word, sizeof(word), "%.*s", (int)len, choice);
		offer(typed, word, "one of them");
	}
}

static void offer_peer(void *ctx, const struct ctl_peer *peer)
{
	const char *typed = ctx;
	char addr[TEXT_IP6_LEN];

	offer(typed, text_ip6(addr, peer->addr), miredoctl_way(peer->way));
}

/* The first operand; a command with more has all of one kind. */
static void offer_operands(const char *typed,
			   const struct miredoctl_args *asked,
			   const struct miredoctl_command *command)
{
	if (command->run == miredoctl_cmd_help)
		offer_commands(typed);
	else if (strchr(command->operands, '|') != NULL)
		offer_choice(typed, command->operands);
	else if (command->run == miredoctl_cmd_ping ||
		 command->run == miredoctl_cmd_explain ||
		 command->run == miredoctl_cmd_route)
		miredoctl_each_peer(asked, offer_peer, (void *)(uintptr_t)typed);
}

int miredoctl_cmd_complete(const struct miredoctl_args *args)
{
	const char *typed = args->n > 0 ? args->operand[args->n - 1] : "";
	const struct miredoctl_command *command = NULL;
	struct miredoctl_args asked = *args;
	int value = MIREDOCTL_OPTIONS;

	for (int i = 0; i + 1 < args->n; i++) {
		if (value != MIREDOCTL_OPTIONS) {	/* is its value */
			asked.value[value] = args->operand[i];
			value = MIREDOCTL_OPTIONS;
			continue;
		}
		value = expects_value(args->operand[i]);
		if (command == NULL)
			command = miredoctl_find(args->operand[i]);
	}
	if (value == OPT_INSTANCE)
		offer_instances(typed, asked.value[OPT_RUN_DIR]);
	else if (value == OPT_WAIT)
		offer_states(typed);
	else if (value == OPT_SORT)
		offer_choice(typed, miredoctl_option(OPT_SORT)->value);
	else if (value == MIREDOCTL_OPTIONS && typed[0] == '-')
		offer_options(typed, command);
	else if (value == MIREDOCTL_OPTIONS && command == NULL)
		offer_commands(typed);
	else if (value == MIREDOCTL_OPTIONS)
		offer_operands(typed, &asked, command);
	return fflush(stdout) == 0 ? CTL_EXIT_OK : CTL_EXIT_FAILED;
}
