/*
 * miredoctl.h - the command's parts: its command line, how an instance is
 * asked, what the answer means, how it is said
 *
 * A command is a row of the table in miredoctl.c and a function
 * miredoctl_cmd_NAME() in a file of its own. An option is a row of the table
 * in miredoctl_args.c. Help, completion and the check which option goes with
 * which command come from these two tables.
 */
#ifndef MIREDO_MIREDOCTL_H
#define MIREDO_MIREDOCTL_H

#include <stdbool.h>
#include <stdio.h>

#include "ctl.h"

/* Exit codes, for all commands (miredoctl(8)). */
enum {
	CTL_EXIT_OK = 0,
	CTL_EXIT_FAILED = 1,
	CTL_EXIT_USAGE = 2,
	CTL_EXIT_NOT_RUNNING = 3,
	CTL_EXIT_DENIED = 4,
	CTL_EXIT_DEGRADED = 5,
};

/* ---- miredoctl_args.c: the command line ---- */

/* In the order of the table. Up to MIREDOCTL_COMMON they go with every
 * command. */
enum miredoctl_option {
	OPT_HELP,
	OPT_VERSION,
	OPT_INSTANCE,
	OPT_RUN_DIR,
	OPT_NO_COLOUR,
	MIREDOCTL_COMMON = OPT_NO_COLOUR,
	OPT_JSON,
	OPT_WATCH,
	OPT_WAIT,
	OPT_TIMEOUT,
	OPT_WRITE,
	OPT_CONFIG,
	OPT_LIFETIME,
	OPT_COUNT,
	OPT_SORT,
	OPT_PAST,
	OPT_OUTPUT,
	OPT_HTML,
	OPT_FULL,
	MIREDOCTL_OPTIONS
};

#define MIREDOCTL_TAKES(option) (1u << (option))

struct miredoctl_option_row {
	const char *name;
	char letter;		/* 0: none */
	const char *value;	/* "SECONDS"; NULL: has none */
	const char *help;
};
const struct miredoctl_option_row *miredoctl_option(enum miredoctl_option o);

struct miredoctl_args {
	/* as given last; NULL: not; "" for one without a value */
	const char *value[MIREDOCTL_OPTIONS];
	int n;			/* operands, the command's name not counted */
	char **operand;
};

struct miredoctl_command {
	const char *name;
	int (*run)(const struct miredoctl_args *args);	/* the exit code */
	const char *operands;	/* "DEST", "[SERVER...]", "" */
	int least, most;	/* how many of them */
	const char *help;	/* one line, without a stop; "": not for users */
	uint32_t takes;		/* MIREDOCTL_TAKES() beside the common ones */
};

/* The table of commands, ended by one without a name. */
extern const struct miredoctl_command miredoctl_commands[];

/* The command of that name, or NULL. */
const struct miredoctl_command *miredoctl_find(const char *name);
/* Reads the command line; --help, --version and a wrong one end the process.
 * The command that it names. */
const struct miredoctl_command *miredoctl_parse(struct miredoctl_args *args,
						int argc, char **argv);
/* Says why the command line is wrong, and ends the process with 2. */
_Noreturn void miredoctl_usage(const char *format, ...)
	__attribute__((format(printf, 1, 2)));
/* A number of seconds within 0 and `most`, in ns; `otherwise` if the option is
 * not given. What is none ends the process with 2. */
uint64_t miredoctl_seconds(const struct miredoctl_args *args,
			   enum miredoctl_option option, double most,
			   uint64_t otherwise);
/* Says how all, or (named) one, of the commands are used. */
void miredoctl_help(FILE *out, const struct miredoctl_command *command);

/* ---- miredoctl_connect.c: asking ---- */

/* Connects to the instance that was chosen, or to the only one that runs, with
 * a limit of 2 s on each transfer. 0 and the descriptor, or the exit code:
 * then it was said why, unless `quiet` and there is hope. */
int miredoctl_connect(const struct miredoctl_args *args, int *fd, bool quiet);
/* Sends a request; addr may be NULL. 0 or the exit code, said why unless
 * `quiet`. */
int miredoctl_request(int fd, enum ctl_verb verb, uint32_t value,
		      const uint8_t addr[16], bool quiet);
/* One message of the answer, of `least` to `size` octets, into *answer, which
 * begins with a struct ctl_head. 0 and its length, or the exit code, said why
 * unless `quiet`: it is silent for 2 s, ends the connection, refuses, or is
 * another version. Who may not ask is told so in any case. */
int miredoctl_answer(int fd, void *answer, size_t size, size_t least,
		     size_t *len, bool quiet);
/* One line of a report, fit to print. 0, or the exit code: its result, then
 * its text has been said, or as above. */
struct ctl_report;
int miredoctl_report(int fd, struct ctl_report *m);
/* The whole status, made fit to print. 0 or the exit code, as above. */
int miredoctl_get_status(const struct miredoctl_args *args,
			 struct ctl_status *st, bool quiet);

/* ---- miredoctl_screen.c: terminals ---- */

enum miredoctl_colour { PLAIN, BOLD, RED, GREEN, YELLOW };

/* Whether stdout is a terminal that shall have colours: not with --no-colour,
 * NO_COLOR or TERM=dumb. Called once, before the next one. */
void miredoctl_colour_init(const struct miredoctl_args *args);
/* The escape sequence, or "" where there are no colours. */
const char *miredoctl_colour(enum miredoctl_colour c);
/* Writes text and a newline, broken at spaces to lines of `width`; each begins
 * with a space, and all but the first are indented before it. */
void miredoctl_wrap(FILE *out, const char *text, int indent, size_t width);
/* On stderr, if that is a terminal: a line in the place of the one before,
 * which says that something goes on. NULL: nothing does any more. */
void miredoctl_progress(const char *format, ...)
	__attribute__((format(printf, 1, 2)));
/* How wide stdout is: a terminal's columns, else UINT16_MAX. */
unsigned miredoctl_columns(void);
/* Once, or with --watch each second until it is interrupted: calls print(),
 * which writes a screen, or one line of JSON, to `out` and gives an exit code.
 * With --watch it does not say that there was no answer. The last one's
 * code. */
int miredoctl_show(const struct miredoctl_args *args,
		   int (*print)(const struct miredoctl_args *args, FILE *out));

/* ---- commands ---- */

int miredoctl_cmd_announce(const struct miredoctl_args *args);
int miredoctl_cmd_capture(const struct miredoctl_args *args);
int miredoctl_cmd_events(const struct miredoctl_args *args);
int miredoctl_cmd_explain(const struct miredoctl_args *args);
int miredoctl_cmd_complete(const struct miredoctl_args *args);
int miredoctl_cmd_help(const struct miredoctl_args *args);
int miredoctl_cmd_metrics(const struct miredoctl_args *args);
int miredoctl_cmd_netcheck(const struct miredoctl_args *args);
int miredoctl_cmd_ping(const struct miredoctl_args *args);
int miredoctl_cmd_report(const struct miredoctl_args *args);
int miredoctl_cmd_route(const struct miredoctl_args *args);
int miredoctl_cmd_peers(const struct miredoctl_args *args);
int miredoctl_cmd_reload(const struct miredoctl_args *args);
int miredoctl_cmd_status(const struct miredoctl_args *args);
int miredoctl_cmd_version(const struct miredoctl_args *args);

#endif
