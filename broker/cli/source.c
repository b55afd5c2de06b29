/*
 * source.c -- where the tool's entries come from, and whom it believes.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "broker/audit/gone.h"
#include "broker/cli/tool.h"
#include "broker/log/evidence.h"
#include "broker/log/lone.h"
#include "keys/keyfile.h"
#include "lib/base/clock.h"
#include "lib/base/fs.h"
#include "lib/base/text.h"

void
ht_audit_say(const char *fmt, ...)
{
	HT_AUTO(ht_buf_fini) struct ht_buf safe = HT_BUF(16 * 1024);
	char text[4096];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	ht_text_safe(&safe, ht_slice_str(text));
	fprintf(stderr, "hutong-audit: %s\n",
	    ht_buf_text(&safe) != NULL ? ht_buf_text(&safe) : "");
}

static void
say_report(const struct ht_report *report)
{
	unsigned n = ht_report_count(report);

	for (unsigned i = 0; i < n && i < HT_FINDINGS_MAX; i++) {
		const char *where = ht_report_where(report, i);

		ht_audit_say("%s%s%s", where, where[0] != '\0' ? ": " : "",
		    ht_report_text(report, i));
	}
}

void
ht_audit_say_found(
    const struct ht_report *report, const char *path, enum ht_err err)
{
	bool is_bad = err == HT_EINTEGRITY || err == HT_EBADSIG;
	unsigned n = ht_report_count(report);

	for (unsigned i = 0; i < n && i < HT_FINDINGS_MAX; i++)
		ht_audit_say("%s%s: %s", is_bad ? "BAD: " : "",
		    ht_report_where(report, i), ht_report_text(report, i));
	if (n == 0)
		ht_audit_say("%s: %s", path,
		    err == HT_ESYSTEM ? strerror(errno) : ht_err_text(err));
}

/* ---- files ---- */

int
ht_audit_output(const char *path, struct ht_slice bytes)
{
	enum ht_err err;

	if (path == NULL) {
		if (fwrite(bytes.at, 1, bytes.len, stdout) == bytes.len &&
		    fflush(stdout) == 0)
			return HT_AUDIT_OK;
		ht_audit_say("standard output: %s", strerror(errno));
		return HT_AUDIT_GONE;
	}
	err = ht_fs_create(path, 0644, bytes);
	if (err == HT_OK)
		return HT_AUDIT_OK;
	ht_audit_say("%s cannot be written: %s", path,
	    err == HT_ESYSTEM ? strerror(errno) : ht_err_text(err));
	return HT_AUDIT_GONE;
}

int
ht_audit_input(const char *path, struct ht_buf *ret)
{
	enum ht_err err = ht_fs_read(path, ret);

	if (err == HT_OK)
		return HT_AUDIT_OK;
	ht_audit_say("%s cannot be read: %s", path,
	    err == HT_ESYSTEM ? strerror(errno) : ht_err_text(err));
	return HT_AUDIT_GONE;
}

/* ---- faith ---- */

int
ht_audit_root(const char *path, struct ht_root *ret)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	HT_AUTO(ht_buf_fini) struct ht_buf bytes = HT_BUF(HT_DOC_MAX);
	int code = ht_audit_input(path, &bytes);
	enum ht_err err;

	if (code != HT_AUDIT_OK)
		return code;
	err = ht_root_parse(ht_buf_slice(&bytes), path, report, ret);
	if (err == HT_OK)
		return HT_AUDIT_OK;
	say_report(report);
	ht_audit_say("%s is no valid root: %s", path, ht_err_text(err));
	return HT_AUDIT_BAD;
}

static int
load_trust(
    const char *dir, const struct ht_root *root, struct ht_audit_faith *faith)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	enum ht_err err =
	    ht_trust_load_dir(root, dir, NULL, report, &faith->trust);

	if (err == HT_OK)
		return HT_AUDIT_OK;
	say_report(report);
	ht_audit_say("the trust documents in %s are not in order: %s", dir,
	    ht_err_text(err));
	return err == HT_ENOMEM || err == HT_ENOTFOUND ? HT_AUDIT_GONE
	                                               : HT_AUDIT_BAD;
}

/* With --root that root is believed; else the authority folder's own. */
static int
take_root(const struct ht_audit_opts *opts, struct ht_audit_faith *faith)
{
	HT_AUTO(ht_mem_free) struct ht_root *root = malloc(sizeof(*root));
	HT_AUTO(ht_mem_free) char *own = NULL;
	const char *path = opts->root;
	int code;

	if (path == NULL && opts->authority == NULL)
		return HT_AUDIT_OK;
	if (path == NULL) {
		own = ht_fs_join(opts->authority, "root.note");
		path = own;
	}
	if (root == NULL || path == NULL) {
		ht_audit_say("out of memory");
		return HT_AUDIT_GONE;
	}
	code = ht_audit_root(path, root);
	if (code != HT_AUDIT_OK)
		return code;
	faith->has_vkey = true;
	faith->vkey = root->log;
	faith->root = HT_TAKE(root);
	if (opts->authority == NULL)
		return HT_AUDIT_OK;
	return load_trust(opts->authority, faith->root, faith);
}

/* Its log is believed, too, unless there are several. */
static int
take_policy(const char *path, struct ht_audit_faith *faith)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	HT_AUTO(ht_buf_fini) struct ht_buf text = HT_BUF(HT_QUORUM_FILE_MAX);
	const struct ht_vkey *log;
	int code = ht_audit_input(path, &text);
	enum ht_err err;

	if (code != HT_AUDIT_OK)
		return code;
	err =
	    ht_quorum_parse(path, ht_buf_slice(&text), report, &faith->quorum);
	if (err != HT_OK) {
		say_report(report);
		ht_audit_say("%s is no policy: %s", path, ht_err_text(err));
		return HT_AUDIT_USAGE;
	}
	if (faith->has_vkey || ht_quorum_logs(faith->quorum) != 1)
		return HT_AUDIT_OK;
	log = ht_quorum_log(faith->quorum, 0);
	faith->has_vkey = true;
	faith->vkey = *log;
	return HT_AUDIT_OK;
}

static int
take_vkey(const char *text, struct ht_audit_faith *faith)
{
	struct ht_vkey vkey;

	if (ht_vkey_parse(ht_slice_str(text), &vkey) != HT_OK) {
		ht_audit_say("--vkey: '%s' is no verifier key; it looks like "
		             "gx.demo/log+1f2e3d4c+AX...",
		    text);
		return HT_AUDIT_USAGE;
	}
	if (faith->has_vkey &&
	    (strcmp(vkey.name, faith->vkey.name) != 0 ||
	        memcmp(vkey.pub.at, faith->vkey.pub.at, HT_PUB_SIZE) != 0)) {
		ht_audit_say("--vkey is not the log's key in the root; which "
		             "of the two is to be believed?");
		return HT_AUDIT_USAGE;
	}
	faith->has_vkey = true;
	faith->vkey = vkey;
	return HT_AUDIT_OK;
}

int
ht_audit_faith(const struct ht_audit_opts *opts, struct ht_audit_faith *ret)
{
	int code;

	*ret = (struct ht_audit_faith){0};
	code = take_root(opts, ret);
	if (code == HT_AUDIT_OK && opts->vkey != NULL)
		code = take_vkey(opts->vkey, ret);
	if (code == HT_AUDIT_OK && opts->policy != NULL)
		code = take_policy(opts->policy, ret);
	return code;
}

void
ht_audit_faith_fini(struct ht_audit_faith *faith)
{
	ht_trust_unref(&faith->trust);
	ht_quorum_free(&faith->quorum);
	ht_mem_free(&faith->root);
}

/* ---- checkpoints ---- */

#define COSIGNERS_SHOWN 8 /* more make no line that anybody reads */

/* By the policy, and by the log's key where there is one. */
static enum ht_err
judge(const struct ht_audit_faith *faith, struct ht_slice bytes,
    struct ht_quorum_seen *seen, struct ht_checkpoint *ret)
{
	struct ht_note note;
	enum ht_err err = HT_OK;

	if (faith->quorum != NULL) {
		err = ht_quorum_check(faith->quorum, bytes, seen);
		*ret = seen->cp;
	}
	if (err == HT_OK && faith->has_vkey)
		return ht_checkpoint_open(bytes, &faith->vkey, ret);
	if (err != HT_OK || faith->quorum != NULL)
		return err;
	err = ht_note_parse(bytes, &note);
	return err == HT_OK ? ht_checkpoint_parse(note.text, ret) : err;
}

/* "..., cosigned by gx.demo/w1 at 2026-11-24T01:02:03Z, ..." */
static void
judged_text(const struct ht_audit_faith *faith,
    const struct ht_quorum_seen *seen, struct ht_audit_judged *j)
{
	struct ht_buf text = {.at = (uint8_t *)j->text,
	    .cap = sizeof(j->text),
	    .max = sizeof(j->text) - 1};
	unsigned shown = 0;

	ht_buf_str(&text, j->checked ? "signed by the log's key"
	                             : "signature NOT CHECKED: give --root, "
	                               "--authority, --policy or --vkey");
	for (unsigned i = 0;
	     faith->quorum != NULL && i < ht_quorum_witnesses(faith->quorum) &&
	     shown < COSIGNERS_SHOWN;
	     i++) {
		char time[HT_TIME_SIZE];
		struct ht_slice name;

		if (seen->time_s[i] == 0)
			continue;
		ht_time_text(time, seen->time_s[i] * 1000000);
		ht_buf_fmt(&text, "%s %s at %s",
		    shown++ > 0 ? "," : ", cosigned by",
		    ht_quorum_witness(faith->quorum, i, &name)->name, time);
	}
	if (seen->n_signed > shown)
		ht_buf_fmt(&text, " and %u more", seen->n_signed - shown);
	(void)ht_buf_text(&text);
}

static int
judged_bad(
    const struct ht_audit_faith *faith, const char *where, enum ht_err err)
{
	if (err == HT_EBADSIG)
		ht_audit_say("BAD: %s: its checkpoint is not signed by %s, or "
		             "a line of a key that is known is false",
		    where,
		    faith->has_vkey ? faith->vkey.name : "a log of the policy");
	else
		ht_audit_say("BAD: %s: its checkpoint is none: %s", where,
		    ht_err_text(err));
	return err == HT_ENOMEM ? HT_AUDIT_GONE : HT_AUDIT_BAD;
}

int
ht_audit_judge(const struct ht_audit_faith *faith, const char *where,
    struct ht_slice note, struct ht_audit_judged *ret)
{
	struct ht_quorum_seen seen = {.met = true};
	enum ht_err err;

	*ret = (struct ht_audit_judged){
	    .checked = faith->has_vkey || faith->quorum != NULL};
	err = judge(faith, note, &seen, &ret->cp);
	if (err != HT_OK)
		return judged_bad(faith, where, err);
	judged_text(faith, &seen, ret);
	if (seen.met)
		return HT_AUDIT_OK;
	ht_audit_say("%s: its checkpoint, of %llu entries, has too few "
	             "witnesses for the policy (%u); a later one may have "
	             "enough",
	    where, (unsigned long long)ret->cp.size, seen.n_signed);
	return HT_AUDIT_UNMET;
}

/* ---- a key file ---- */

int
ht_audit_open_key(const char *path, enum ht_key_for what, struct ht_key **ret,
    struct ht_keyfile *file)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	char *passphrase = NULL;
	enum ht_err err = ht_keyfile_look(path, file, report);

	if (err == HT_OK && file->locked)
		err = ht_passphrase_get("Passphrase of the key: ", &passphrase);
	if (err == HT_OK)
		err =
		    ht_keyfile_read(path, what, passphrase, ret, file, report);
	if (passphrase != NULL) {
		ht_wipe(passphrase, strlen(passphrase));
		free(passphrase);
	}
	if (err == HT_OK)
		return HT_AUDIT_OK;
	say_report(report);
	ht_audit_say("the key in %s cannot be used: %s", path,
	    err == HT_ESYSTEM ? strerror(errno) : ht_err_text(err));
	return HT_AUDIT_GONE;
}

/* ---- the subject ---- */

int
ht_audit_pseudonym(const char *subject, const char *path,
    struct ht_keyfile *ret_file, struct ht_pseudonym *ret)
{
	HT_AUTO(ht_key_free) struct ht_key *key = NULL;
	const char *colon = strchr(subject, ':'); /* ht_audit_identity() */
	struct ht_slice registry = HT_SLICE(subject, (size_t)(colon - subject));
	struct ht_slice id = ht_slice_str(colon + 1);
	enum ht_err err;
	int code = ht_audit_open_key(path, HT_KEY_TRACKER, &key, ret_file);

	if (code != HT_AUDIT_OK)
		return code;
	err = ht_pseudonym(key, registry, id, ret);
	if (err == HT_OK)
		return HT_AUDIT_OK;
	ht_audit_say("the subject has no pseudonym: %s", ht_err_text(err));
	return HT_AUDIT_USAGE;
}

/* Either a pseudonym in hex, or "registry:id" with the epoch's tracker key. */
static int
take_subject(const struct ht_audit_opts *opts,
    const struct ht_audit_faith *faith, const char *subject, struct ht_query *q)
{
	struct ht_keyfile file;
	int code;

	q->filter.has_subject = true;
	if (strchr(subject, ':') == NULL) {
		if (ht_unhex(subject, q->filter.subject.at,
		        HT_PSEUDONYM_SIZE) == HT_OK)
			return HT_AUDIT_OK;
		ht_audit_say("--subject: neither 32 hex digits of a pseudonym "
		             "nor REGISTRY:ID");
		return HT_AUDIT_USAGE;
	}
	if (opts->n_trackers != 1) {
		ht_audit_say("--subject REGISTRY:ID needs one epoch's tracker "
		             "key: --tracker FILE");
		return HT_AUDIT_USAGE;
	}
	code = ht_audit_identity(faith, subject);
	return code != HT_AUDIT_OK
	           ? code
	           : ht_audit_pseudonym(
	                 subject, opts->trackers[0], &file, &q->filter.subject);
}

int
ht_audit_subject(struct ht_audit_opts *opts, const struct ht_audit_faith *faith)
{
	const char *subject = HT_TAKE(opts->subject);

	return subject == NULL
	           ? HT_AUDIT_OK
	           : take_subject(opts, faith, subject, &opts->query);
}

/* ---- asking ---- */

int
ht_audit_code(enum ht_err err)
{
	switch (err) {
	case HT_EINTEGRITY:
	case HT_EBADSIG:
		return HT_AUDIT_BAD;
	case HT_EROLLBACK:
		return HT_AUDIT_OLD;
	case HT_EINVALID:
		return HT_AUDIT_USAGE;
	default:
		return HT_AUDIT_GONE;
	}
}

int
ht_audit_code_of(enum ht_err err)
{
	return err == HT_OK ? HT_AUDIT_OK : ht_audit_code(err);
}

int
ht_audit_pick(const char *what, struct ht_query *query)
{
	struct ht_filter *f = &query->filter;

	if (strlen(what) == 2 * HT_ID_SIZE &&
	    ht_unhex(what, f->exchange.at, HT_ID_SIZE) == HT_OK) {
		f->has_exchange = true;
		return HT_AUDIT_OK;
	}
	query->has_seq = true;
	if (ht_tree_size_parse(ht_slice_str(what), &query->seq) == HT_OK)
		return HT_AUDIT_OK;
	ht_audit_say("'%s' is neither an entry's number nor an exchange id (32 "
	             "hex digits)",
	    what);
	return HT_AUDIT_USAGE;
}

int
ht_audit_open_folder(const struct ht_audit_opts *opts, struct ht_log **ret)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	enum ht_err err = ht_log_open(opts->dir, NULL, NULL, report, ret);

	say_report(report);
	if (err != HT_OK && ht_audit_is_volume(opts))
		return HT_AUDIT_USAGE;
	if (err == HT_ENOTFOUND)
		ht_audit_say("%s: there is no log", opts->dir);
	else if (err != HT_OK && ht_report_count(report) == 0)
		ht_audit_say("%s: %s", opts->dir, ht_err_text(err));
	return err == HT_OK ? HT_AUDIT_OK : ht_audit_code(err);
}

int
ht_audit_not_yet(const struct ht_query *q, const struct ht_log *log)
{
	ht_audit_say("--at %llu: the log has %llu entries as yet",
	    (unsigned long long)q->filter.size,
	    (unsigned long long)ht_log_size(log));
	return HT_AUDIT_USAGE;
}

static int
said(const char *where, const struct ht_query *q, const struct ht_log *log,
    enum ht_err err)
{
	if (err == HT_EGONE)
		return ht_audit_not_here(q, log);
	if (err == HT_EINVALID)
		return ht_audit_not_yet(q, log);
	if (err == HT_EINTEGRITY)
		ht_audit_say("%s: an entry does not hold; run hutong-audit "
		             "verify, which names it",
		    where);
	else
		ht_audit_say("%s: %s", where, ht_err_text(err));
	return ht_audit_code(err);
}

/* @dir has the index, or is NULL: then every entry is looked at. */
static int
ask_log(const struct ht_query *q, struct ht_log *log, const char *where,
    const char *dir, struct ht_audit_result *ret)
{
	HT_AUTO(ht_index_close) struct ht_index *index = NULL;
	enum ht_err err = ht_index_open(dir, log, &index);

	if (err == HT_OK)
		err = ht_audit_answer(log, index, q, &ret->answer);
	if (err != HT_OK)
		return said(where, q, log, err);
	ret->indexed = ht_index_upto(index) > 0;
	ret->behind = ht_log_size(log) - ret->answer.size;
	ret->begin = ht_log_begin(log);
	ret->lost = ht_log_lost(log);
	return HT_AUDIT_OK;
}

static int
ask_open(const struct ht_audit_opts *opts, const struct ht_query *q,
    struct ht_audit_result *ret)
{
	uint64_t size = q->filter.size;

	if (size > 0 && size <= ht_log_begin(opts->log))
		return ht_audit_not_here(q, opts->log);
	return ask_log(q, opts->log,
	    opts->volume != NULL ? opts->volume : "the log", NULL, ret);
}

static int
ask_folder(const struct ht_audit_opts *opts, const struct ht_query *q,
    struct ht_audit_result *ret)
{
	HT_AUTO(ht_log_close) struct ht_log *log = NULL;
	HT_AUTO(ht_mem_free) char *path = ht_fs_join(opts->dir, "index");
	int code = ht_audit_open_folder(opts, &log);

	return code == HT_AUDIT_OK
	           ? ask_log(q, log, opts->dir, opts->scan ? NULL : path, ret)
	           : code;
}

static int
ask_broker(const struct ht_audit_opts *opts, const struct ht_query *q,
    const struct ht_audit_faith *faith, struct ht_audit_result *ret)
{
	HT_AUTO(ht_buf_fini) struct ht_buf why = HT_BUF(4096);
	HT_AUTO(ht_key_free) struct ht_key *key = NULL;
	struct ht_query salted = *q;
	struct ht_keyfile file;
	enum ht_err err;
	int code = ht_audit_open_key(opts->key, HT_KEY_AUDITOR, &key, &file);

	if (code != HT_AUDIT_OK)
		return code;
	err = ht_audit_ask(opts->socket,
	    faith->has_vkey ? faith->vkey.name : NULL, file.name, key, &salted,
	    &ret->answer, &ret->place, &why);
	ret->noted = ret->indexed = true;
	memcpy(ret->salt, salted.salt, sizeof(ret->salt));
	memcpy(ret->auditor, file.name, sizeof(ret->auditor));
	if (err == HT_OK)
		return HT_AUDIT_OK;
	ht_audit_say("%s", why.len > 0 ? ht_buf_text(&why) : ht_err_text(err));
	return ht_audit_code(err);
}

int
ht_audit_checkpoint(const struct ht_audit_faith *faith, struct ht_slice bytes,
    uint64_t size, struct ht_audit_result *r)
{
	int code = ht_audit_judge(faith, "the log", bytes, &r->judged);

	r->checkpoint = r->judged.cp;
	if (code != HT_AUDIT_OK || r->checkpoint.size == size)
		return code;
	ht_audit_say("the answer is of another size than its checkpoint");
	return HT_AUDIT_BAD;
}

/* In front of the rows: what was removed, proven like them. */
static int
take_gone(struct ht_audit_result *r)
{
	struct ht_audit_answer *a = &r->answer;
	struct ht_remove_said said;
	uint64_t seq = 0;
	enum ht_err err;

	if (a->n_frames == 0 || !ht_gone_is(ht_buf_slice(&a->frames[0])))
		return HT_AUDIT_OK;
	err = ht_gone_check(ht_buf_slice(&a->frames[0]), a->size,
	    &r->checkpoint.root, &seq, &said);
	if (err != HT_OK)
		return ht_audit_unproven(err, seq);
	r->begin = said.end;
	r->removed_by = seq;
	ht_buf_fini(&a->frames[0]);
	a->n_frames--;
	memmove(a->frames, a->frames + 1, a->n_frames * sizeof(*a->frames));
	return HT_AUDIT_OK;
}

int
ht_audit_fetch(const struct ht_audit_opts *opts,
    const struct ht_audit_faith *faith, struct ht_audit_result *ret)
{
	const struct ht_query *q = &opts->query;
	int code;

	*ret = (struct ht_audit_result){0};
	code = opts->log != NULL   ? ask_open(opts, q, ret)
	       : opts->dir != NULL ? ask_folder(opts, q, ret)
	                           : ask_broker(opts, q, faith, ret);
	if (code == HT_AUDIT_OK)
		code = ht_audit_checkpoint(faith,
		    ht_buf_slice(&ret->answer.checkpoint), ret->answer.size,
		    ret);
	if (code == HT_AUDIT_OK)
		code = take_gone(ret);
	if (code != HT_AUDIT_OK)
		ht_audit_result_fini(ret);
	return code;
}

void
ht_audit_result_fini(struct ht_audit_result *result)
{
	ht_audit_answer_fini(&result->answer);
}

/* ---- rows ---- */

enum ht_err
ht_row_about(const struct ht_row *row, struct ht_about *ret)
{
	enum ht_err err = ht_entry_about(NULL, &row->entry, ret);

	if (err != HT_OK || row->cited.len == 0 || ret->has_header)
		return err;
	/* Proven with the row; its slices live as long as the row's. */
	return ht_about_cited(row->cited, ret);
}
