/*
 * export.c -- hutong-audit export: one case as one file, for somebody who has
 * openssl, coreutils and no reason to believe us (docs/proofs.md, "A case").
 */
#include "broker/cli/export.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "broker/audit/look.h"
#include "broker/core.h"
#include "broker/log/bundles.h"
#include "broker/log/tar.h"
#include "lib/base/clock.h"
#include "lib/base/fs.h"
#include "lib/base/text.h"
#include "lib/base/version.h"
#include "schemas/content.h"

static const char readme[] =
    "A case: entries of an audit log, with all that proves them.\n"
    "\n"
    "    sh verify.sh SHA256-OF-THE-ROOT-NOTE\n"
    "\n"
    "checks everything in this folder, says what each step proves, and ends\n"
    "with a failure if any of it was changed.  It needs a Debian (12 or "
    "later)\n"
    "with openssl and coreutils, and no program of the exchange.  It is "
    "short:\n"
    "whoever does not trust the one in this folder reads it, or takes it from\n"
    "the sources of Hutong (broker/cli/verify.sh).\n"
    "\n"
    "Everything rests on the root note, which has the public keys of the\n"
    "authority's officers and of the log.  Ask the authority for its SHA-256;\n"
    "without it, verify.sh says that this is open.\n"
    "\n"
    "  case.note       which entries these are; signed by the auditor who "
    "made\n"
    "                  it, if there was one\n"
    "  files.sha256    the SHA-256 of every other file, for sha256sum -c\n"
    "  root.note       the authority's keys, signed by its officers\n"
    "  checkpoints/    the log's size and root, signed by the log, cosigned "
    "by\n"
    "                  witnesses\n"
    "  entries/N/      leaf: the entry as it was logged; path: to the root;\n"
    "                  bundle, bundle.path, bundle.signature: what its sender\n"
    "                  signed; opening: its content, if a party showed it;\n"
    "                  tag, annex: fields of the sealed annex, if shown\n"
    "  trust/          the directory, catalog and grants in force then, each\n"
    "                  signed, each with its place in the snapshot\n"
    "\n"
    "What it does not show: that there are no other entries of the exchange,\n"
    "and that what the parties wrote is true.\n";

/* ---- the case's files ---- */

void
ht_case_fini(struct ht_case *c)
{
	ht_buf_fini(&c->tar);
	ht_buf_fini(&c->files);
	ht_buf_fini(&c->checkpoints);
	ht_buf_fini(&c->snapshots);
	for (size_t i = 0; i < c->n_trusts; i++) {
		ht_trust_unref(&c->trusts[i].trust);
		free(c->trusts[i].lines);
		free(c->trusts[i].leaves);
		free(c->trusts[i].added);
	}
	free(c->entries);
	free(c->sizes);
}

static enum ht_err
add_to_tar(struct ht_case *c, const char *name, struct ht_slice bytes)
{
	char path[600];

	(void)snprintf(path, sizeof(path), "case/%s", name);
	return ht_tar_add(&c->tar, path,
	    strcmp(name, "verify.sh") == 0 ? 0755 : 0644, c->time_s, bytes);
}

enum ht_err
ht_case_add(struct ht_case *c, struct ht_slice bytes, const char *fmt, ...)
{
	struct ht_hash sum = ht_sha256(bytes);
	char name[512], hex[2 * HT_HASH_SIZE + 1];
	enum ht_err err;
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(name, sizeof(name), fmt, ap);
	va_end(ap);
	err = add_to_tar(c, name, bytes);
	if (err != HT_OK)
		return err;
	ht_hex(hex, sum.at, HT_HASH_SIZE);
	ht_buf_fmt(&c->files, "%s  %s\n", hex, name);
	return c->files.err;
}

void
ht_case_path(struct ht_buf *out, const struct ht_hash *path, size_t n_path)
{
	char hex[2 * HT_HASH_SIZE + 1];

	for (size_t i = 0; i < n_path; i++) {
		ht_hex(hex, path[i].at, HT_HASH_SIZE);
		ht_buf_fmt(out, "%s\n", hex);
	}
}

static bool
has_number(const uint64_t *at, size_t n, uint64_t number)
{
	for (size_t i = 0; i < n; i++)
		if (at[i] == number)
			return true;
	return false;
}

static enum ht_err
keep_number(uint64_t **at, size_t *n, uint64_t number)
{
	uint64_t *more = realloc(*at, (*n + 1) * sizeof(*more));

	if (more == NULL)
		return HT_ENOMEM;
	*at = more;
	more[(*n)++] = number;
	return HT_OK;
}

/* ---- one answer ---- */

struct export
{
	const struct ht_audit_opts *opts;
	struct ht_audit_faith faith;
	struct ht_case c;
	struct ht_audit_result result; /* at hand */
	struct ht_rows rows;           /* of the frame at hand */
	struct ht_known known;
	struct ht_bundle bundle;
	struct ht_header header;
	struct ht_audit_cut cut;
	bool shown[HT_AUDIT_OPENINGS]; /* of opts->openings */
};

/* All that a frame tells of its tree: the rows, and the gaps beside them. */
static enum ht_err
know_frame(struct export *x)
{
	const struct ht_rows *r = &x->rows;
	uint64_t from = 0;
	size_t left = 0, used = 0;
	enum ht_err err = HT_OK;

	x->known.n = 0;
	for (size_t i = 0; i < r->n && err == HT_OK; i++) {
		err = ht_known_cover(&x->known, from, r->places[i],
		    r->left + left, r->n_left - left, &used);
		left += used;
		from = r->places[i] + 1;
		if (err == HT_OK)
			err = ht_known_cover(&x->known, r->places[i], from,
			    &r->hashes[i], 1, &used);
	}
	return err == HT_OK
	           ? ht_known_cover(&x->known, from, x->result.answer.size,
	                 r->left + left, r->n_left - left, &used)
	           : err;
}

static enum ht_err
add_path(struct export *x, uint64_t seq)
{
	HT_AUTO(ht_buf_fini) struct ht_buf text = HT_BUF(8192);
	struct ht_hash path[HT_PROOF_MAX];
	size_t n;
	enum ht_err err = ht_prove_inclusion(
	    ht_known_load, &x->known, seq, x->result.answer.size, path, &n);

	if (err != HT_OK)
		return err;
	ht_buf_fmt(&text, "size %" PRIu64 "\n", x->result.answer.size);
	ht_case_path(&text, path, n);
	return text.err == HT_OK ? ht_case_add(&x->c, ht_buf_slice(&text),
	                               "entries/%" PRIu64 "/path", seq)
	                         : text.err;
}

static enum ht_err
add_checkpoint(struct export *x)
{
	uint64_t size = x->result.answer.size;

	if (has_number(x->c.sizes, x->c.n_sizes, size))
		return HT_OK;
	ht_buf_fmt(&x->c.checkpoints, "  - %" PRIu64 "\n", size);
	return keep_number(&x->c.sizes, &x->c.n_sizes, size) == HT_OK
	           ? ht_case_add(&x->c,
	                 ht_buf_slice(&x->result.answer.checkpoint),
	                 "checkpoints/%" PRIu64 ".note", size)
	           : HT_ENOMEM;
}

/* ---- the sender's signature ---- */

static enum ht_err
open_bundle(struct export *x, const struct ht_row *row)
{
	struct ht_bundle *b = &x->bundle;
	enum ht_err err =
	    ht_header_decode(row->entry.payload, &x->header, NULL, NULL);

	if (err == HT_OK)
		err = ht_evidence_unpack(row->bundle, b);
	if (err == HT_OK && b->n_records != 1)
		err = HT_EMALFORMED;
	if (err != HT_OK)
		return err;
	b->records[0].hash = ht_header_hash(row->entry.payload);
	return ht_evidence_root(b);
}

/* The record and the gaps beside it, in the tree of its bundle. */
static enum ht_err
bundle_path(
    const struct ht_bundle *b, struct ht_known *known, struct ht_buf *out)
{
	uint32_t at = b->records[0].index;
	struct ht_hash path[HT_PROOF_MAX];
	size_t left = 0, used, n;
	enum ht_err err;

	known->n = 0;
	err = ht_known_cover(known, 0, at, b->left, b->n_left, &left);
	if (err == HT_OK)
		err = ht_known_cover(
		    known, at, at + 1, &b->records[0].hash, 1, &used);
	if (err == HT_OK)
		err = ht_known_cover(known, at + 1, b->count, b->left + left,
		    b->n_left - left, &used);
	if (err == HT_OK)
		err = ht_prove_inclusion(
		    ht_known_load, known, at, b->count, path, &n);
	if (err != HT_OK)
		return err;
	ht_case_path(out, path, n);
	return out->err;
}

static enum ht_err
add_bundle(struct export *x, const struct ht_row *row)
{
	HT_AUTO(ht_buf_fini) struct ht_buf path = HT_BUF(8192);
	HT_AUTO(ht_buf_fini) struct ht_buf said = HT_BUF(1024);
	HT_AUTO(ht_mem_free) struct ht_known *known = malloc(sizeof(*known));
	enum ht_err err;

	if (known == NULL)
		return HT_ENOMEM;
	err = bundle_path(&x->bundle, known, &path);
	ht_buf_str(&said, HT_BUNDLE_LABEL);
	ht_bundle_signed(&said, &x->bundle);
	if (err == HT_OK)
		err = said.err;
	if (err == HT_OK)
		err = ht_case_add(&x->c, ht_buf_slice(&said),
		    "entries/%" PRIu64 "/bundle", row->seq);
	if (err == HT_OK)
		err = ht_case_add(&x->c, ht_buf_slice(&path),
		    "entries/%" PRIu64 "/bundle.path", row->seq);
	return err == HT_OK
	           ? ht_case_add(&x->c, HT_SLICE(x->bundle.sig.at, HT_SIG_SIZE),
	                 "entries/%" PRIu64 "/bundle.signature", row->seq)
	           : err;
}

/* ---- what is shown of the contents ---- */

/* "N=FILE": the file has r and the content of entry N. */
static int
add_opening(struct export *x, const struct ht_row *row, const char *given)
{
	HT_AUTO(ht_buf_fini) struct ht_buf bytes = HT_BUF(HT_BODY_MAX);
	struct ht_hash hash;
	int code = ht_audit_input(strchr(given, '=') + 1, &bytes);

	if (code != HT_AUDIT_OK)
		return code;
	if (bytes.len >= HT_CONTENT_R) {
		hash = ht_content_commit(
		    bytes.at, HT_SLICE(bytes.at + HT_CONTENT_R,
		                  bytes.len - HT_CONTENT_R));
		if (ht_hash_eq(&hash, &x->header.commitment))
			return ht_audit_code_of(
			    ht_case_add(&x->c, ht_buf_slice(&bytes),
			        "entries/%" PRIu64 "/opening", row->seq));
	}
	ht_audit_say("BAD: --opening %s: this is not the content that the "
	             "record of entry %llu commits to",
	    given, (unsigned long long)row->seq);
	return HT_AUDIT_BAD;
}

static int
add_openings(struct export *x, const struct ht_row *row)
{
	int code = HT_AUDIT_OK;

	for (unsigned i = 0; i < x->opts->n_openings && code == HT_AUDIT_OK;
	     i++) {
		if (strtoull(x->opts->openings[i], NULL, 10) != row->seq)
			continue;
		x->shown[i] = true;
		code = add_opening(x, row, x->opts->openings[i]);
	}
	return code;
}

/* Is the field among --show's? */
static bool
is_shown(const char *list, struct ht_slice name)
{
	while (list != NULL && *list != '\0') {
		size_t len = strcspn(list, ",");

		if (len == name.len && memcmp(list, name.at, len) == 0)
			return true;
		list += len + (list[len] == ',');
	}
	return false;
}

/* A shown field by name, salt and value; of the others what binds them. */
static enum ht_err
annex_text(
    const struct export *x, const struct ht_annex *annex, struct ht_buf *out)
{
	struct ht_annex_field fields[HT_ANNEX_FIELDS];
	size_t n = ht_annex_fields(annex, fields);

	for (size_t i = 0; i < n; i++) {
		HT_AUTO(ht_mem_free)
		char *value = malloc(HT_B64_SIZE(fields[i].value.len));
		char salt64[HT_B64_SIZE(HT_SALT_SIZE)];
		char hash64[HT_B64_SIZE(HT_HASH_SIZE)];
		uint8_t salt[HT_SALT_SIZE];
		struct ht_hash hash;
		enum ht_err err;

		if (value == NULL)
			return HT_ENOMEM;
		ht_annex_salt(annex->entry, fields[i].name, salt);
		err = ht_annex_commit(&fields[i], salt, &hash);
		if (err != HT_OK)
			return err;
		ht_b64(salt64, salt, sizeof(salt));
		ht_b64(hash64, hash.at, HT_HASH_SIZE);
		ht_b64(value, fields[i].value.at, fields[i].value.len);
		if (is_shown(x->opts->show, fields[i].name))
			ht_buf_fmt(out, "shown %.*s %s %s\n",
			    (int)fields[i].name.len,
			    (const char *)fields[i].name.at, salt64, value);
		else
			ht_buf_fmt(out, "hidden %s\n", hash64);
	}
	return out->err;
}

static int
add_annex(struct export *x, const struct ht_row *row, const struct ht_tag *tag,
    const struct ht_key *key)
{
	HT_AUTO(ht_buf_fini) struct ht_buf text = HT_BUF(8 * HT_TAG_MAX);
	HT_AUTO(ht_json_free) json_t *json = NULL;
	struct ht_annex annex = {0};
	bool good = false;
	enum ht_err err = ht_look_annex(tag, key, &json, &annex, &good);

	if (err == HT_OK && !good) {
		ht_audit_say("BAD: entry %llu: its annex does not say what its "
		             "sender committed to, so no field of it can be "
		             "shown",
		    (unsigned long long)row->seq);
		return HT_AUDIT_BAD;
	}
	if (err == HT_OK)
		err = annex_text(x, &annex, &text);
	ht_wipe(annex.entry, sizeof(annex.entry));
	if (err == HT_OK)
		err = ht_case_add(&x->c, ht_buf_slice(&text),
		    "entries/%" PRIu64 "/annex", row->seq);
	if (err == HT_OK)
		err = ht_case_add(
		    &x->c, row->tag, "entries/%" PRIu64 "/tag", row->seq);
	return ht_audit_code_of(err);
}

/* By the key of the tag's epoch, if it was given. */
static int
add_annexes(struct export *x, const struct ht_row *row)
{
	struct ht_tag tag;
	int code = HT_AUDIT_OK;

	if (x->opts->n_annexes > 0 && row->entry.tag_len > 0 &&
	    row->tag.len == 0)
		ht_audit_say("entry %llu: its tag %s: nothing of its annex is "
		             "shown",
		    (unsigned long long)row->seq,
		    row->erased ? "was erased" : "is not here");
	if (x->opts->n_annexes == 0 || row->tag.len == 0 ||
	    ht_tag_decode(row->tag, &tag, NULL) != HT_OK)
		return HT_AUDIT_OK;
	for (unsigned i = 0; i < x->opts->n_annexes; i++) {
		HT_AUTO(ht_key_free) struct ht_key *key = NULL;
		struct ht_keyfile file;

		code = ht_audit_open_key(
		    x->opts->annexes[i], HT_KEY_ANNEX, &key, &file);
		if (code != HT_AUDIT_OK)
			return code;
		if (ht_slice_is(tag.epoch, file.name))
			return add_annex(x, row, &tag, key);
	}
	ht_audit_say("entry %llu: its annex is sealed in epoch %.*s, and its "
	             "--annex key is not given: nothing of it is shown",
	    (unsigned long long)row->seq, (int)tag.epoch.len,
	    (const char *)tag.epoch.at);
	return code;
}

/* ---- rows ---- */

static int
add_record(struct export *x, const struct ht_row *row)
{
	enum ht_err err = open_bundle(x, row);
	int code;

	if (err == HT_OK)
		err = add_bundle(x, row);
	if (err != HT_OK) {
		ht_audit_say("entry %llu: the evidence of its bundle: %s",
		    (unsigned long long)row->seq, ht_err_text(err));
		return ht_audit_code_of(err);
	}
	code = ht_case_trust_add(&x->c, &row->entry, &x->header, &x->bundle);
	if (code == HT_AUDIT_OK)
		code = add_openings(x, row);
	return code == HT_AUDIT_OK ? add_annexes(x, row) : code;
}

static int
add_row(struct export *x, const struct ht_row *row)
{
	enum ht_err err;

	if (has_number(x->c.entries, x->c.n_entries, row->seq))
		return HT_AUDIT_OK;
	err = keep_number(&x->c.entries, &x->c.n_entries, row->seq);
	if (err == HT_OK)
		err = ht_case_add(
		    &x->c, row->leaf, "entries/%" PRIu64 "/leaf", row->seq);
	if (err == HT_OK)
		err = add_path(x, row->seq);
	if (err != HT_OK) {
		ht_audit_say("entry %llu cannot be exported: %s",
		    (unsigned long long)row->seq, ht_err_text(err));
		return ht_audit_code_of(err);
	}
	return ht_entry_has_header(&row->entry) ? add_record(x, row)
	                                        : HT_AUDIT_OK;
}

static int
add_frame(struct export *x, struct ht_slice frame)
{
	uint64_t bad = 0;
	enum ht_err err = ht_rows_open(frame, x->result.answer.size,
	    &x->result.checkpoint.root, &x->rows, &bad);
	int code = HT_AUDIT_OK;

	if (err == HT_OK)
		err = know_frame(x);
	if (err != HT_OK)
		return ht_audit_unproven(err, bad);
	ht_audit_cut_add(&x->cut, &x->rows);
	for (size_t i = 0; i < x->rows.n && code == HT_AUDIT_OK; i++)
		code = add_row(x, &x->rows.at[i]);
	return code;
}

static int
not_there(const struct export *x, const char *what)
{
	if (x->opts->volume == NULL)
		ht_audit_say("%s: there is no such entry or exchange among the "
		             "%llu entries of the newest checkpoint",
		    what, (unsigned long long)x->cut.size);
	else
		ht_audit_say("%s: there is no such entry or exchange among the "
		             "entries %llu to %llu of this volume; ask the "
		             "log, or another volume",
		    what, (unsigned long long)x->cut.begin,
		    (unsigned long long)x->cut.size - 1);
	return HT_AUDIT_NONE;
}

/* An exchange by its id, or that of an entry; as `show` takes them. */
static int
add_exchange(struct export *x, const char *what)
{
	struct ht_audit_opts ask = *x->opts;
	const struct ht_audit_answer *a = &x->result.answer;
	int code = ht_audit_pick(what, &ask.query);

	if (code != HT_AUDIT_OK)
		return code;
	ask.query.evidence = true;
	code = ht_audit_fetch(&ask, &x->faith, &x->result);
	if (code != HT_AUDIT_OK)
		return code;
	x->cut.begin = x->result.begin;
	x->cut.size = a->size;
	if (a->matched == 0)
		code = not_there(x, what);
	if (code == HT_AUDIT_OK)
		code = ht_audit_code_of(add_checkpoint(x));
	for (size_t i = 0; i < a->n_frames && code == HT_AUDIT_OK; i++)
		code = add_frame(x, ht_buf_slice(&a->frames[i]));
	ht_audit_result_fini(&x->result);
	x->result = (struct ht_audit_result){0};
	return code;
}

/* ---- the whole ---- */

static int
by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void
case_text(struct export *x, const char *auditor, struct ht_buf *out)
{
	struct ht_case *c = &x->c;
	struct ht_hash files = ht_sha256(ht_buf_slice(&c->files));
	char made[HT_TIME_SIZE], hex[2 * HT_HASH_SIZE + 1];

	qsort(c->entries, c->n_entries, sizeof(*c->entries), by_number);
	ht_time_text(made, c->time_s * 1000000);
	ht_buf_fmt(out, HT_CASE_LABEL "\nlog: %s\nmade: %s\n",
	    x->faith.vkey.name, made);
	ht_buf_str(out, "tool: hutong-audit " HT_VERSION "\n");
	if (auditor != NULL)
		ht_buf_fmt(out, "auditor: %s\n", auditor);
	ht_buf_str(out, "entries:\n");
	for (size_t i = 0; i < c->n_entries; i++)
		ht_buf_fmt(out, "  - %" PRIu64 "\n", c->entries[i]);
	ht_buf_str(out, "checkpoints:\n");
	ht_buf_add(out, c->checkpoints.at, c->checkpoints.len);
	ht_buf_str(out, "snapshots:\n");
	if (c->snapshots.len > 0)
		ht_buf_add(out, c->snapshots.at, c->snapshots.len);
	ht_hex(hex, files.at, HT_HASH_SIZE);
	ht_buf_fmt(out, "files: %s\n", hex);
}

/* With the auditor's key, if there is one: who answers for the choice. */
static int
add_case_note(struct export *x)
{
	HT_AUTO(ht_key_free) struct ht_key *key = NULL;
	HT_AUTO(ht_buf_fini) struct ht_buf text = HT_BUF(HT_DOC_MAX);
	HT_AUTO(ht_buf_fini) struct ht_buf note = HT_BUF(HT_DOC_MAX);
	struct ht_keyfile file;
	enum ht_err err;
	int code = HT_AUDIT_OK;

	if (x->opts->key != NULL)
		code = ht_audit_open_key(
		    x->opts->key, HT_KEY_AUDITOR, &key, &file);
	if (code != HT_AUDIT_OK)
		return code;
	case_text(x, key != NULL ? file.name : NULL, &text);
	err = text.err;
	if (err == HT_OK && key != NULL)
		err = ht_note_sign(
		    ht_buf_slice(&text), false, file.name, key, &note);
	if (err == HT_OK)
		err = add_to_tar(
		    &x->c, "files.sha256", ht_buf_slice(&x->c.files));
	if (err == HT_OK)
		err = add_to_tar(&x->c, "case.note",
		    ht_buf_slice(key != NULL ? &note : &text));
	if (err == HT_OK)
		err = ht_tar_end(&x->c.tar);
	if (err == HT_OK)
		return HT_AUDIT_OK;
	ht_audit_say("the case cannot be written down: %s; fewer exchanges may "
	             "do",
	    ht_err_text(err));
	return HT_AUDIT_GONE;
}

static enum ht_err
add_script(struct ht_case *c)
{
	HT_AUTO(ht_buf_fini) struct ht_buf script = HT_BUF(256 * 1024);

	for (size_t i = 0; ht_case_script[i] != NULL; i++) {
		ht_buf_str(&script, ht_case_script[i]);
		ht_buf_u8(&script, '\n');
	}
	return script.err == HT_OK
	           ? ht_case_add(c, ht_buf_slice(&script), "verify.sh")
	           : script.err;
}

/* What belongs to every case, and the documents it will be judged by. */
static int
begin(struct export *x)
{
	HT_AUTO(ht_buf_fini) struct ht_buf root = HT_BUF(HT_DOC_MAX);
	HT_AUTO(ht_mem_free)
	char *own = ht_fs_join(x->opts->authority, "root.note");
	const char *path = x->opts->root != NULL ? x->opts->root : own;
	int code = ht_audit_faith(x->opts, &x->faith);

	if (path == NULL)
		return HT_AUDIT_GONE;
	if (code == HT_AUDIT_OK)
		code = ht_audit_input(path, &root);
	if (code == HT_AUDIT_OK)
		code = ht_case_trust_load(
		    &x->c, x->opts->authority, x->faith.root);
	for (unsigned i = 0; i < x->opts->n_then && code == HT_AUDIT_OK; i++)
		code = ht_case_trust_load(&x->c, x->opts->then[i], NULL);
	if (code == HT_AUDIT_OK)
		code = ht_audit_code_of(
		    ht_case_add(&x->c, ht_slice_str(readme), "README.txt"));
	if (code == HT_AUDIT_OK)
		code = ht_audit_code_of(add_script(&x->c));
	return code == HT_AUDIT_OK ? ht_audit_code_of(ht_case_add(&x->c,
	                                 ht_buf_slice(&root), "root.note"))
	                           : code;
}

static int
openings_used(const struct export *x)
{
	for (unsigned i = 0; i < x->opts->n_openings; i++) {
		if (x->shown[i])
			continue;
		ht_audit_say("--opening %s: no such entry with a record is in "
		             "this case",
		    x->opts->openings[i]);
		return HT_AUDIT_USAGE;
	}
	return HT_AUDIT_OK;
}

static void
export_free(struct export **x_p)
{
	struct export *x = HT_TAKE(*x_p);

	if (x == NULL)
		return;
	ht_audit_result_fini(&x->result);
	ht_audit_faith_fini(&x->faith);
	ht_case_fini(&x->c);
	free(x);
}

static void
print_summary(const struct export *x, struct ht_slice root_text)
{
	struct ht_hash sum = ht_sha256(ht_buf_slice(&x->c.tar));
	struct ht_hash root = ht_sha256(root_text);
	char hex[2 * HT_HASH_SIZE + 1];

	ht_hex(hex, sum.at, HT_HASH_SIZE);
	printf("%s: %zu entries; sha256 %s\n", x->opts->output, x->c.n_entries,
	    hex);
	ht_hex(hex, root.at, HT_HASH_SIZE);
	printf("to check it: tar -xf %s && sh case/verify.sh %s\n"
	       "(that is the SHA-256 of the root note's text; the reader must "
	       "have it from the authority)\n",
	    x->opts->output, hex);
	ht_audit_footer_cut(x->opts, &x->cut, stdout);
}

/* The root's text, whose hash the reader is to know. */
static int
finish(struct export *x)
{
	HT_AUTO(ht_buf_fini) struct ht_buf root = HT_BUF(HT_DOC_MAX);
	HT_AUTO(ht_mem_free)
	char *own = ht_fs_join(x->opts->authority, "root.note");
	struct ht_note note;
	int code = add_case_note(x);

	if (code == HT_AUDIT_OK)
		code =
		    ht_audit_output(x->opts->output, ht_buf_slice(&x->c.tar));
	if (code == HT_AUDIT_OK && own != NULL)
		code = ht_audit_input(
		    x->opts->root != NULL ? x->opts->root : own, &root);
	if (code == HT_AUDIT_OK &&
	    ht_note_parse(ht_buf_slice(&root), &note) == HT_OK)
		print_summary(x, note.text);
	return code;
}

int
ht_audit_export(const struct ht_audit_opts *opts, char *const *what)
{
	HT_AUTO(export_free) struct export *x = calloc(1, sizeof(*x));
	int code;

	if (x == NULL) {
		ht_audit_say("out of memory");
		return HT_AUDIT_GONE;
	}
	x->opts = opts;
	x->c = (struct ht_case){.time_s = ht_clock_wall_ms() / 1000,
	    .tar = HT_BUF(HT_CASE_MAX),
	    .files = HT_BUF(HT_CASE_MAX),
	    .checkpoints = HT_BUF(HT_CASE_MAX),
	    .snapshots = HT_BUF(HT_CASE_MAX)};
	code = begin(x);
	for (size_t i = 0; what[i] != NULL && code == HT_AUDIT_OK; i++)
		code = add_exchange(x, what[i]);
	if (code == HT_AUDIT_OK)
		code = openings_used(x);
	return code == HT_AUDIT_OK ? finish(x) : code;
}
