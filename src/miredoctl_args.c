/*
 * miredoctl_args.c - the command line of miredoctl
 *
 * Options stand before or after the command, which says in its row which ones
 * it takes: one that would be ignored is an error, so that nobody believes to
 * have asked for something. Help is made of the same rows.
 */
#include "config.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "miredoctl.h"

static const struct miredoctl_option_row options[MIREDOCTL_OPTIONS] = {
	[OPT_HELP] = {"help", 'h', NULL, "say how it is used"},
	[OPT_VERSION] = {"version", 'V', NULL, "say which version this is"},
	[OPT_INSTANCE] = {"instance", 'i', "INSTANCE",
			  "the interface's name, or \"server\""},
	[OPT_RUN_DIR] = {"run-dir", 0, "DIR", "where the control sockets are"},
	[OPT_NO_COLOUR] = {"no-colour", 0, NULL, "no colours, as with NO_COLOR"},
	[OPT_JSON] = {"json", 0, NULL, "for machines: miredoctl(8) has the "
				       "schemas"},
	[OPT_WATCH] = {"watch", 0, NULL, "again each second, until Ctrl-C"},
	[OPT_WAIT] = {"wait", 0, "STATE", "until it is in this state"},
	[OPT_WRITE] = {"write", 0, "FILE", "replace this file as a whole"},
	[OPT_TIMEOUT] = {"timeout", 0, "SECONDS", "how long at most"},
	[OPT_CONFIG] = {"config", 0, "FILE", "whose servers are asked ["
		SYSCONFDIR "/miredo.conf]"},
	[OPT_LIFETIME] = {"lifetime", 0, NULL, "also how long a mapping lives: "
					       "takes 5 min, or --timeout"},
	[OPT_COUNT] = {"count", 'c', "N", "how many at most"},
	[OPT_SORT] = {"sort", 0, "rx|age", "by what; otherwise by age"},
	[OPT_OUTPUT] = {"output", 'o', "FILE", "where to; \"-\": stdout"},
	[OPT_PAST] = {"past", 0, NULL, "the last ones, and no others"},
	[OPT_HTML] = {"html", 0, NULL, "as a page with pictures"},
	[OPT_FULL] = {"full", 0, NULL, "with all addresses"},
};

/* What getopt_long() gives: a letter, or this and the option. */
#define NO_LETTER 256

const struct miredoctl_option_row *miredoctl_option(enum miredoctl_option o)
{
	return &options[o];
}

const struct miredoctl_command *miredoctl_find(const char *name)
{
	const struct miredoctl_command *c = miredoctl_commands;

	while (c->name != NULL && strcmp(c->name, name) != 0)
		c++;
	return c->name != NULL ? c : NULL;
}

/* ---- saying how it is used ---- */

static void help_option(FILE *out, enum miredoctl_option o)
{
	char text[48], letter[8] = "    ";

	if (options[o].letter != 0)
		snprintf(letter, sizeof(letter), "-%c, ", options[o].letter);
	snprintf(text, sizeof(text), "%s--%s %s", letter, options[o].name,
		 options[o].value != NULL ? options[o].value : "");
	fprintf(out, "  %-26s %s\n", text, options[o].help);
}

static void help_all(FILE *out)
{
	char text[48];

	fprintf(out, "usage: miredoctl [OPTIONS] COMMAND ...\n\nCommands:\n");
	for (const struct miredoctl_command *c = miredoctl_commands;
	     c->name != NULL; c++) {
		if (c->help[0] == '\0')
			continue;
		snprintf(text, sizeof(text), "%s %s", c->name, c->operands);
		fprintf(out, "  %-26s %s\n", text, c->help);
	}
	fprintf(out, "\nOptions with every command:\n");
	for (unsigned o = 0; o <= MIREDOCTL_COMMON; o++)
		help_option(out, (enum miredoctl_option)o);
	fprintf(out, "\n\"miredoctl help COMMAND\" has the others.\n");
}

void miredoctl_help(FILE *out, const struct miredoctl_command *command)
{
	if (command == NULL) {
		help_all(out);
		return;
	}
	fprintf(out, "usage: miredoctl %s%s%s%s\n\n  %s\n", command->name,
		command->takes != 0 ? " [OPTIONS]" : "",
		command->operands[0] != '\0' ? " " : "", command->operands,
		command->help);
	if (command->takes != 0)
		fprintf(out, "\nOptions:\n");
	for (unsigned o = 0; o < MIREDOCTL_OPTIONS; o++)
		if ((command->takes & MIREDOCTL_TAKES(o)) != 0)
			help_option(out, (enum miredoctl_option)o);
}

_Noreturn void miredoctl_usage(const char *format, ...)
{
	va_list ap;

	fputs("miredoctl: ", stderr);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputs("\nusage: miredoctl [OPTIONS] COMMAND ...; \"miredoctl help\" "
	      "lists them\n", stderr);
	exit(CTL_EXIT_USAGE);
}

int miredoctl_cmd_help(const struct miredoctl_args *args)
{
	const struct miredoctl_command *command = NULL;

	if (args->n > 0) {
		command = miredoctl_find(args->operand[0]);
		if (command == NULL)
			miredoctl_usage("there is no command \"%s\"",
					args->operand[0]);
	}
	miredoctl_help(stdout, command);
	return fflush(stdout) == 0 ? CTL_EXIT_OK : CTL_EXIT_FAILED;
}

/* ---- reading ---- */

static void make_tables(struct option *table, char *letters)
{
	for (int o = 0; o < MIREDOCTL_OPTIONS; o++) {
		*table++ = (struct option){
			.name = options[o].name,
			.has_arg = options[o].value != NULL ? required_argument
							    : no_argument,
			.val = NO_LETTER + o,
		};
		if (options[o].letter == 0)
			continue;
		*letters++ = options[o].letter;
		if (options[o].value != NULL)
			*letters++ = ':';
	}
	/* as others spell it */
	*table++ = (struct option){"no-color", no_argument, NULL,
				   NO_LETTER + OPT_NO_COLOUR};
	*table = (struct option){0};
	*letters = '\0';
}

static enum miredoctl_option option_of(int c)
{
	int o = 0;

	if (c >= NO_LETTER)
		return (enum miredoctl_option)(c - NO_LETTER);
	while (options[o].letter != c)
		o++;
	return (enum miredoctl_option)o;
}

static void check(const struct miredoctl_args *args,
		  const struct miredoctl_command *command)
{
	const char *instance = args->value[OPT_INSTANCE];

	for (unsigned o = MIREDOCTL_COMMON + 1; o < MIREDOCTL_OPTIONS; o++)
		if (args->value[o] != NULL &&
		    (command->takes & MIREDOCTL_TAKES(o)) == 0)
			miredoctl_usage("\"%s\" does not take --%s",
					command->name, options[o].name);
	if (args->n < command->least)
		miredoctl_usage("\"%s\" wants %s", command->name,
				command->operands);
	if (args->n > command->most)
		miredoctl_usage("\"%s\" is too much for \"%s\"",
				args->operand[command->most], command->name);
	if (instance != NULL && strchr(instance, '/') != NULL)
		miredoctl_usage("an instance is a name, not a path");
}

const struct miredoctl_command *miredoctl_parse(struct miredoctl_args *args,
						int argc, char **argv)
{
	struct option table[MIREDOCTL_OPTIONS + 2];
	char letters[2 * MIREDOCTL_OPTIONS + 1];
	const struct miredoctl_command *command;
	int c;

	*args = (struct miredoctl_args){.value[OPT_RUN_DIR] = RUNDIR};
	make_tables(table, letters);
	while ((c = getopt_long(argc, argv, letters, table, NULL)) != -1) {
		if (c == '?')	/* it has said why */
			miredoctl_usage("the options are wrong");
		args->value[option_of(c)] = optarg != NULL ? optarg : "";
	}
	command = optind < argc ? miredoctl_find(argv[optind]) : NULL;
	if (args->value[OPT_HELP] != NULL) {
		miredoctl_help(stdout, command);
		exit(fflush(stdout) == 0 ? CTL_EXIT_OK : CTL_EXIT_FAILED);
	}
	if (args->value[OPT_VERSION] != NULL)
		exit(miredoctl_cmd_version(args));
	if (command == NULL && optind < argc)
		miredoctl_usage("there is no command \"%s\"", argv[optind]);
	if (command == NULL)
		miredoctl_usage("a command is missing");
	args->n = argc - optind - 1;
	args->operand = argv + optind + 1;
	check(args, command);
	return command;
}

uint64_t miredoctl_seconds(const struct miredoctl_args *args,
			   enum miredoctl_option option, double most,
			   uint64_t otherwise)
{
	const char *text = args->value[option];
	double seconds;
	char *end;

	if (text == NULL)
		return otherwise;
	seconds = strtod(text, &end);
	if (end == text || *end != '\0' || !(seconds >= 0 && seconds <= most))
		miredoctl_usage("--%s wants 0 to %g seconds",
				options[option].name, most);
	return (uint64_t)(seconds * 1e9);
}
