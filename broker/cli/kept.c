#include "broker/cli/kept.h"

#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/text.h"
#include "lib/base/version.h"

/* ---- making ---- */

void
ht_kept_add(struct ht_buf *out, struct ht_slice piece)
{
	ht_buf_u32(out, (uint32_t)piece.len);
	ht_buf_add(out, piece.at, piece.len);
}

void
ht_kept_add_hash(
    struct ht_buf *out, const char *name, const struct ht_hash *hash)
{
	char hex[2 * HT_HASH_SIZE + 1];

	ht_hex(hex, hash->at, HT_HASH_SIZE);
	ht_buf_fmt(out, "%s: %s\n", name, hex);
}

void
ht_kept_add_head(struct ht_buf *out, const char *label,
    const struct ht_checkpoint *cp, const struct ht_kept_range *range)
{
	char root[HT_B64_SIZE(HT_HASH_SIZE)];

	ht_b64(root, cp->root.at, HT_HASH_SIZE);
	ht_buf_fmt(out, "%s\nlog: %s\nquery: ", label, cp->origin);
	ht_buf_add(out, range->query.at, range->query.len);
	ht_buf_fmt(out, "\nsize: %llu\nroot: %s\nrange: %llu %llu\n",
	    (unsigned long long)cp->size, root,
	    (unsigned long long)range->first, (unsigned long long)range->next);
	ht_buf_fmt(out, "scanned: %llu\n", (unsigned long long)range->scanned);
}

void
ht_kept_add_part(struct ht_buf *out, const struct ht_audit_result *r)
{
	if (r->begin > 0)
		ht_buf_fmt(out,
		    "part: from entry %llu on, %llu unknown, %llu untimed\n",
		    (unsigned long long)r->begin, (unsigned long long)r->lost,
		    (unsigned long long)r->untimed);
}

static enum ht_err
sign(struct ht_buf *report, struct ht_slice data, const char *auditor,
    const struct ht_key *key, struct ht_buf *out)
{
	char now[HT_TIME_SIZE];
	enum ht_err err;

	ht_time_text(now, ht_clock_wall_ms() / 1000 * 1000000);
	ht_buf_fmt(report, "auditor: %s\nmade: %s\ntool: hutong-audit %s\n",
	    auditor, now, HT_VERSION);
	err = report->err;
	if (err == HT_OK)
		err = ht_note_sign(
		    ht_buf_slice(report), false, auditor, key, out);
	if (err != HT_OK)
		return err;
	ht_buf_u8(out, 0);
	ht_buf_add(out, data.at, data.len);
	return out->err;
}

int
ht_kept_write(const struct ht_audit_opts *opts, struct ht_buf *report,
    struct ht_slice data)
{
	HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(HT_ANSWER_MAX);
	HT_AUTO(ht_key_free) struct ht_key *key = NULL;
	struct ht_keyfile file;
	int code = ht_audit_open_key(opts->key, HT_KEY_AUDITOR, &key, &file);
	enum ht_err err;

	if (code != HT_AUDIT_OK)
		return code;
	err = sign(report, data, file.name, key, &out);
	if (err == HT_OK)
		return ht_audit_output(opts->output, ht_buf_slice(&out));
	ht_audit_say("%s cannot be written: %s; a shorter period may do",
	    opts->output, ht_err_text(err));
	return HT_AUDIT_GONE;
}

/* ---- reading ---- */

int
ht_kept_bad(const struct ht_kept *k, const char *what)
{
	ht_audit_say("BAD: %s: %s", k->path, what);
	return HT_AUDIT_BAD;
}

int
ht_kept_open(const char *path, struct ht_slice bytes, struct ht_kept *k)
{
	const uint8_t *gap = memchr(bytes.at, 0, bytes.len);

	k->path = path;
	if (gap == NULL)
		return ht_kept_bad(k, "there is no data behind its report");
	k->report = HT_SLICE(bytes.at, (size_t)(gap - bytes.at));
	k->data = HT_SLICE(gap + 1, bytes.len - k->report.len - 1);
	k->rest = ht_cur(k->data);
	return HT_AUDIT_OK;
}

struct ht_slice
ht_kept_piece(struct ht_kept *k)
{
	return ht_cur_take(&k->rest, ht_cur_u32(&k->rest));
}

static bool
take_value(struct ht_slice *text, const char *name, struct ht_slice *ret)
{
	size_t len = strlen(name);

	if (!ht_text_line(text, ret) || ret->len <= len ||
	    memcmp(ret->at, name, len) != 0)
		return false;
	*ret = HT_SLICE(ret->at + len, ret->len - len);
	return true;
}

static int
compare(const struct ht_kept *k, struct ht_slice want,
    const struct ht_note *note, struct ht_slice *ret_auditor)
{
	struct ht_slice rest = note->text, made, tool;

	if (rest.len < want.len || memcmp(rest.at, want.at, want.len) != 0)
		return ht_kept_bad(
		    k, "its report does not say what its entries say");
	rest = HT_SLICE(rest.at + want.len, rest.len - want.len);
	if (!take_value(&rest, "auditor: ", ret_auditor) ||
	    !take_value(&rest, "made: ", &made) ||
	    !take_value(&rest, "tool: ", &tool) || rest.len > 0)
		return ht_kept_bad(k, "its report has another form");
	return HT_AUDIT_OK;
}

static int
check_auditor(const struct ht_kept *k, const struct ht_note *note,
    struct ht_slice auditor, const struct ht_root *root)
{
	uint64_t has = 0;

	for (unsigned i = 0; root != NULL && i < root->n_auditors; i++) {
		if (!ht_slice_is(auditor, root->auditors[i].name))
			continue;
		if (ht_note_verify(note, &root->auditors[i], 1, &has) !=
		        HT_OK ||
		    has == 0)
			return ht_kept_bad(
			    k, "the auditor's signature is false");
		printf("auditor    signed by %s\n", root->auditors[i].name);
		return HT_AUDIT_OK;
	}
	if (root != NULL)
		return ht_kept_bad(
		    k, "who signed it is no auditor of the root");
	printf("auditor    signature NOT CHECKED: give --root or "
	       "--authority\n");
	return HT_AUDIT_OK;
}

int
ht_kept_check(const struct ht_kept *k, struct ht_slice want,
    const struct ht_audit_faith *faith, const struct ht_audit_result *result)
{
	struct ht_slice auditor;
	struct ht_note note;
	int code;

	if (ht_note_parse(k->report, &note) != HT_OK)
		return ht_kept_bad(k, "its report is no signed note");
	code = compare(k, want, &note, &auditor);
	if (code != HT_AUDIT_OK)
		return code;
	printf("\n%.*s", (int)note.text.len, (const char *)note.text.at);
	printf("checkpoint %s\n", result->judged.text);
	return check_auditor(k, &note, auditor, faith->root);
}
