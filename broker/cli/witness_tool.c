/*
 * witness_tool.c -- hutong-audit witness: how far others vouch for a log, from
 * its files or a running broker, and the root's list of witnesses; and the
 * checkpoint that says so.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "broker/audit/vouch.h"
#include "broker/cli/tool.h"
#include "broker/round.h"
#include "lib/base/clock.h"
#include "lib/term/table.h"

#define LOOK_MAX 1000 /* cosigned checkpoints; the newest says the most */
#define NOTE_MAX 16384

/* "3 d", "4 h", "5 min", "6 s": the largest unit will do. */
static void
age_text(char out[static 32], uint64_t then_s, uint64_t now_s)
{
	static const struct {
		unsigned s;
		const char *unit;
	} units[] = {
	    {86400, "d"  },
            {3600,  "h"  },
            {60,    "min"},
            {1,     "s"  }
        };
	uint64_t age = now_s > then_s ? now_s - then_s : 0;
	size_t i = 0;

	while (i < HT_COUNT(units) - 1 && age < 2 * units[i].s)
		i++;
	(void)snprintf(
	    out, 32, "%" PRIu64 " %s", age / units[i].s, units[i].unit);
}

static bool
all_found(const struct ht_round *round)
{
	for (unsigned i = 0; i < round->n; i++)
		if (round->at[i].cosigned == 0)
			return false;
	return round->met_size != 0;
}

/* Is this cosigned checkpoint one of this tree? */
static enum ht_err
take_note(struct ht_log *log, struct ht_round *round, struct ht_slice bytes)
{
	struct ht_quorum_seen seen;
	struct ht_hash root;
	enum ht_err err = ht_quorum_check(round->policy, bytes, &seen);

	if (err == HT_OK)
		err = ht_log_root(log, seen.cp.size, &root);
	if (err == HT_OK && !ht_hash_eq(&root, &seen.cp.root))
		err = HT_EINTEGRITY;
	return err == HT_OK ? ht_round_note(round, bytes) : err;
}

/* @met gets the newest note that a quorum has cosigned. */
static int
read_notes(struct ht_log *log, struct ht_round *round, struct ht_buf *met)
{
	uint64_t below = UINT64_MAX;
	enum ht_err err = HT_OK;

	for (int i = 0; i < LOOK_MAX && err == HT_OK && !all_found(round);
	     i++) {
		HT_AUTO(ht_buf_fini) struct ht_buf note = HT_BUF(NOTE_MAX);

		err = ht_log_cosigned(log, below, &note, &below);
		if (err == HT_OK)
			err = take_note(log, round, ht_buf_slice(&note));
		if (err == HT_OK && met->len == 0 && round->met_size != 0) {
			ht_buf_add(met, note.at, note.len);
			err = met->err;
		}
	}
	if (err == HT_OK || err == HT_ENOTFOUND)
		return HT_AUDIT_OK;
	ht_audit_say("BAD: the cosigned checkpoint of %" PRIu64 " entries: %s; "
	             "keep this copy, and show it to the witness",
	    below,
	    err == HT_EINTEGRITY ? "it is not of this log's tree"
	                         : ht_err_text(err));
	return HT_AUDIT_BAD;
}

/* ---- of a running broker ---- */

struct live {
	const struct ht_audit_faith *faith;
	struct ht_audit_result result;
	struct ht_round *round;
	struct ht_buf *met;
	uint64_t below;
	int code; /* of what was said already */
};

static enum ht_err
take_head(void *arg, uint64_t size, struct ht_slice note,
    const struct ht_hash *path, size_t n_path)
{
	struct live *l = arg;

	(void)path;
	(void)n_path; /* nothing was asked since */
	l->code = ht_audit_checkpoint(l->faith, note, size, &l->result);
	l->below = size + 1;
	return l->code == HT_AUDIT_OK ? HT_OK : HT_EINTEGRITY;
}

static enum ht_err
take_cosigned(void *arg, struct ht_slice frame)
{
	struct live *l = arg;
	struct ht_quorum_seen seen;
	struct ht_vouched v;
	enum ht_err err = ht_vouch_check(l->round->policy,
	    &l->result.checkpoint, frame, &l->below, &v, &seen);

	if (err == HT_OK)
		err = ht_round_note(l->round, v.note);
	if (err == HT_OK && l->met->len == 0 && l->round->met_size != 0) {
		ht_buf_add(l->met, v.note.at, v.note.len);
		err = l->met->err;
	}
	if (err == HT_OK || err == HT_ENOMEM)
		return err;
	l->code = HT_AUDIT_BAD;
	ht_audit_say(err == HT_EINTEGRITY
	                 ? "BAD: a checkpoint that came with cosignatures is "
	                   "not of this log's tree: two histories were signed; "
	                   "show it to the witnesses"
	                 : "BAD: what came as a cosigned checkpoint is none: "
	                   "%s",
	    ht_err_text(err));
	return err;
}

static int
ask(const struct ht_audit_opts *opts, struct live *l)
{
	HT_AUTO(ht_buf_fini) struct ht_buf why = HT_BUF(4096);
	HT_AUTO(ht_key_free) struct ht_key *key = NULL;
	const struct ht_audit_stream stream = {.update = take_head,
	    .rows = take_cosigned,
	    .arg = l,
	    .stop_fd = -1};
	struct ht_query query = HT_QUERY_ALL;
	struct ht_keyfile file;
	struct ht_audit_end end;
	enum ht_err err;
	int code = ht_audit_open_key(opts->key, HT_KEY_AUDITOR, &key, &file);

	if (code != HT_AUDIT_OK)
		return code;
	query.mode = HT_QUERY_WITNESSES;
	query.why = opts->query.why;
	err = ht_audit_ask_long(opts->socket, l->faith->vkey.name, file.name,
	    key, &query, &stream, &end, &why);
	if (l->code == HT_AUDIT_OK && why.len > 0)
		ht_audit_say("%s", ht_buf_text(&why));
	return l->code != HT_AUDIT_OK ? l->code : ht_audit_code_of(err);
}

static int
ask_live(const struct ht_audit_opts *opts, struct ht_round *round,
    struct ht_buf *met, uint64_t *ret_size)
{
	struct ht_audit_faith faith;
	struct live live = {.faith = &faith, .round = round, .met = met};
	int code = ht_audit_faith(opts, &faith);

	if (code == HT_AUDIT_OK)
		code = ask(opts, &live);
	*ret_size = live.result.checkpoint.size;
	ht_audit_faith_fini(&faith);
	return code;
}

static int
read_folder(const struct ht_audit_opts *opts, struct ht_round *round,
    struct ht_buf *met, uint64_t *ret_size)
{
	HT_AUTO(ht_log_close) struct ht_log *log = NULL;
	int code = ht_audit_open_folder(opts, &log);

	if (code != HT_AUDIT_OK)
		return code;
	*ret_size = ht_log_size(log);
	return read_notes(log, round, met);
}

/* ---- saying it ---- */

static int
print_table(const struct ht_round *round, enum ht_audit_format format)
{
	static const struct ht_column columns[] = {
	    {"witness",  false},
	    {"cosigned", true },
	    {"at",       false},
	    {"age",      false},
	};
	HT_AUTO(ht_table_free) struct ht_table *table = NULL;
	uint64_t now_s = ht_clock_wall_ms() / 1000;
	enum ht_err err = ht_table_new(columns, HT_COUNT(columns), &table);

	for (unsigned i = 0; i < round->n && err == HT_OK; i++) {
		const struct ht_round_witness *w = &round->at[i];
		char size[24], at[HT_TIME_SIZE] = "never", age[32] = "";

		(void)snprintf(size, sizeof(size), "%" PRIu64, w->cosigned);
		if (w->time_s != 0) {
			ht_time_text(at, w->time_s * 1000000);
			age_text(age, w->time_s, now_s);
		}
		ht_table_add(
		    table, (struct ht_slice[]){ht_slice_str(w->key.name),
		               ht_slice_str(size), ht_slice_str(at),
		               ht_slice_str(age)});
	}
	if (err == HT_OK)
		err = format == HT_AUDIT_CSV ? ht_table_csv(table, stdout)
		                             : ht_table_print(table, stdout);
	if (err == HT_OK)
		return HT_AUDIT_OK;
	ht_audit_say("cannot print: %s", ht_err_text(err));
	return HT_AUDIT_GONE;
}

static int
verdict(const struct ht_round *round, uint64_t size)
{
	char age[32];

	if (round->met_size == 0) {
		ht_audit_say("quorum NOT MET: no stored checkpoint was "
		             "cosigned by %u of these %u",
		    round->needed, round->n);
		return HT_AUDIT_UNMET;
	}
	age_text(age, round->met_s, ht_clock_wall_ms() / 1000);
	fprintf(stderr,
	    "quorum of %u met up to %" PRIu64 " of %" PRIu64 " entries, %s "
	    "ago\n",
	    round->needed, round->met_size, size, age);
	return HT_AUDIT_OK;
}

static int
print_note(const struct ht_buf *note)
{
	return fwrite(note->at, 1, note->len, stdout) == note->len
	           ? HT_AUDIT_OK
	           : HT_AUDIT_GONE;
}

int
ht_audit_witness(const struct ht_audit_opts *opts, bool note_only)
{
	HT_AUTO(ht_buf_fini) struct ht_buf met = HT_BUF(NOTE_MAX);
	HT_AUTO(ht_mem_free) struct ht_root *root = malloc(sizeof(*root));
	HT_AUTO(ht_round_fini) struct ht_round round = {0};
	uint64_t size = 0;
	int code;

	ht_round_init(&round, 0);
	if (root == NULL)
		return HT_AUDIT_GONE;
	code = ht_audit_root(opts->root, root);
	if (code != HT_AUDIT_OK)
		return code;
	if (root->n_witnesses == 0) {
		ht_audit_say("%s lists no witnesses; nobody vouches for this "
		             "log but its own key",
		    opts->root);
		return HT_AUDIT_UNMET;
	}
	if (ht_round_set(&round, root) != HT_OK)
		return HT_AUDIT_GONE;
	code = opts->dir != NULL ? read_folder(opts, &round, &met, &size)
	                         : ask_live(opts, &round, &met, &size);
	if (code == HT_AUDIT_OK)
		code = note_only ? print_note(&met)
		                 : print_table(&round, opts->format);
	return code == HT_AUDIT_OK ? verdict(&round, size) : code;
}
