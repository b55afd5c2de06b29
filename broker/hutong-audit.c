/*
 * hutong-audit.c -- hutong-audit(1): search, show and verify the audit log, of
 * a running broker or of a stopped or copied one.
 */
#include <errno.h>
#include <getopt.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "broker/cli/options.h"
#include "broker/cli/usage.h"
#include "lib/base/log.h"
#include "lib/base/process.h"
#include "lib/base/version.h"

/*
 * LMDB believes the pages it maps: a damaged database can end the process that
 * reads it.  So a folder is read in a child, and the parent tells what became
 * of it.
 */
static int
guarded(int (*run)(struct ht_audit_opts *o, int argc, char **argv),
    struct ht_audit_opts *o, int argc, char **argv)
{
	int status;
	pid_t pid;

	if (o->dir == NULL)
		return run(o, argc, argv);
	pid = fork();
	if (pid == -1) {
		ht_audit_say("cannot fork");
		return HT_AUDIT_GONE;
	}
	if (pid == 0)
		exit(run(o, argc, argv));
	while (waitpid(pid, &status, 0) == -1) {
		if (errno == EINTR)
			continue;
		ht_audit_say("cannot wait for the reader");
		return HT_AUDIT_GONE;
	}
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	if (WTERMSIG(status) != SIGSEGV && WTERMSIG(status) != SIGBUS &&
	    WTERMSIG(status) != SIGABRT) {
		if (WTERMSIG(status) != SIGPIPE) /* whoever reads has enough */
			ht_audit_say("signal %d ended it before the end",
			    WTERMSIG(status));
		return HT_AUDIT_GONE;
	}
	ht_audit_say("BAD: the database in %s is damaged below its entries: "
	             "reading it ended in signal %d; restore a good copy",
	    o->dir, WTERMSIG(status));
	return HT_AUDIT_BAD;
}

/* Of the verb it was asked with, if it was with one. */
static int
help(const char *name)
{
	const struct ht_audit_verb *verb =
	    name == NULL ? NULL : ht_audit_verb(name);

	if (name != NULL && verb == NULL)
		return ht_audit_no_verb();
	ht_audit_usage(verb, stdout);
	return fflush(stdout) == EOF ? HT_AUDIT_GONE : HT_AUDIT_OK;
}

int
main(int argc, char **argv)
{
	struct ht_audit_opts o = {.query = HT_QUERY_ALL};
	struct ht_given given = {0};
	const struct ht_audit_verb *verb;
	int code;

	(void)setlocale(LC_CTYPE, "");
	ht_process_guard();
	ht_log_init("hutong-audit", HT_WARN);
	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		puts("hutong-audit " HT_VERSION);
		return HT_AUDIT_OK;
	}
	code = ht_audit_options(argc, argv, &o, &given);
	if (code != HT_AUDIT_OK)
		return code;
	if (given.help)
		return help(argv[optind]);
	if (optind == argc) {
		ht_audit_usage(NULL, stderr);
		return HT_AUDIT_USAGE;
	}
	if (ht_keys_init() != HT_OK) {
		ht_audit_say("the cryptographic library cannot be used");
		return HT_AUDIT_GONE;
	}
	verb = ht_audit_verb(argv[optind]);
	if (verb == NULL)
		return ht_audit_no_verb();
	code = ht_audit_check_given(verb->name, &given, &o);
	if (code == HT_AUDIT_OK)
		code = guarded(
		    verb->run, &o, argc - optind - 1, argv + optind + 1);
	ht_audit_close_volume(&o);
	return code;
}
