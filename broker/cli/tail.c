/*
 * tail.c -- hutong-audit tail: the newest entries, and with -f what follows.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>

#include "broker/cli/cursor.h"
#include "broker/cli/tool.h"

#define LAST_DEFAULT 10 /* as tail(1) */

struct follow {
	const struct ht_audit_opts *opts;
	struct ht_audit_out out;
	struct ht_audit_print *print;
	struct ht_audit_cursor cursor;
	struct ht_audit_result result;
};

/* ---- following ---- */

static enum ht_err
print_row(void *arg, const struct ht_row *row)
{
	struct follow *f = arg;

	return ht_audit_print_row(f->print, row);
}

/* Rows are seen when they come, not when a buffer is full. */
static enum ht_err
show_rows(void *arg)
{
	struct follow *f = arg;

	return fflush(f->out.file) == EOF || fflush(stdout) == EOF ? HT_ESYSTEM
	                                                           : HT_OK;
}

/* Whoever presses ^C wants the footer. */
static int
signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	if (sigprocmask(SIG_BLOCK, &set, NULL) == -1)
		return -1;
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int
end_footer(struct follow *f, int code)
{
	bool table = f->opts->format == HT_AUDIT_TABLE;
	FILE *footer = table ? stdout : stderr;
	enum ht_err err = ht_audit_out_close(&f->out, &f->result.output);

	if (code != HT_AUDIT_OK)
		return code;
	if (err != HT_OK)
		return ht_audit_unproven(err, 0);
	f->result.hashed = true;
	if (table)
		putc('\n', footer);
	ht_audit_footer(f->opts, &f->result, footer);
	return fflush(footer) == EOF ? HT_AUDIT_GONE : HT_AUDIT_OK;
}

static int
stream(struct follow *f, const struct ht_audit_faith *faith)
{
	HT_AUTO(ht_fd_close) int stop_fd = signals();
	const struct ht_audit_feed feed = {.each = print_row,
	    .pause = show_rows,
	    .arg = f,
	    .stop_fd = stop_fd,
	    .since = f->opts->cursor == NULL ? NULL : &f->cursor};
	struct signalfd_siginfo info;
	int code = ht_audit_stream(f->opts, faith, &feed, &f->result);

	/* Over, and nobody asked for it: the hour, or the broker. */
	if (code == HT_AUDIT_OK &&
	    read(stop_fd, &info, sizeof(info)) != sizeof(info))
		code = HT_AUDIT_CUT;
	return code;
}

static int
follow(struct ht_audit_opts *o, const struct ht_audit_faith *faith)
{
	struct follow f = {.opts = o};
	enum ht_err err;
	int code = HT_AUDIT_OK, end;

	o->query.mode = HT_QUERY_FOLLOW;
	if (o->cursor != NULL)
		code = ht_audit_cursor_open(o, &f.cursor);
	if (code != HT_AUDIT_OK)
		return code;
	if (f.cursor.size > 0)
		o->query.last = 0; /* go on, however much there is */
	err = ht_audit_out_open(&f.out);
	if (err == HT_OK)
		err = ht_audit_print_new(
		    o, f.result.checkpoint.origin, f.out.file, true, &f.print);
	code = err == HT_OK ? stream(&f, faith) : ht_audit_unproven(err, 0);
	ht_audit_print_free(&f.print);
	end = end_footer(&f, code == HT_AUDIT_CUT ? HT_AUDIT_OK : code);
	if (end == HT_AUDIT_OK && o->cursor != NULL)
		end = ht_audit_cursor_save(o, &f.cursor, &f.result, code);
	ht_audit_result_fini(&f.result);
	return end == HT_AUDIT_OK ? code : end;
}

/* ---- the verb ---- */

static int
newest(struct ht_audit_opts *o, const struct ht_audit_faith *faith)
{
	struct ht_audit_result result;
	int code = ht_audit_fetch(o, faith, &result);

	if (code != HT_AUDIT_OK)
		return code;
	code = ht_audit_print(o, &result);
	ht_audit_result_fini(&result);
	return code;
}

int
ht_audit_tail(const struct ht_audit_opts *opts)
{
	struct ht_audit_opts o = *opts;
	struct ht_audit_faith faith;
	int code = ht_audit_faith(opts, &faith);

	if (o.query.last == 0)
		o.query.last = LAST_DEFAULT;
	if (code == HT_AUDIT_OK)
		code = ht_audit_subject(&o, &faith);
	if (code == HT_AUDIT_OK)
		code = o.follow ? follow(&o, &faith) : newest(&o, &faith);
	ht_audit_faith_fini(&faith);
	return code;
}
