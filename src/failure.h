/*
 * failure.h - why the last start failed, kept for who asks later
 */
#ifndef MIREDO_FAILURE_H
#define MIREDO_FAILURE_H

/* From now on an exit(3) with another status than 0 leaves the first error
 * that was logged in RUNDIR/CONF.failed, CONF being the configuration's file
 * name. Both texts stay the caller's. */
void failure_keep(const char *run_dir, const char *conf_file);

/* All went well: removes it, and keeps nothing any more. Called before the
 * sandbox is entered. */
void failure_forget(void);

#endif
