/* Erasing: the bytes go, every proof stays, and nobody destroys quietly. */
#include "tests/lib/logged.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include "broker/audit/query.h"
#include "broker/check/verify.h"
#include "broker/log/archive.h"
#include "broker/log/copy.h"
#include "broker/log/erase.h"
#include "broker/log/evidence.h"
#include "lib/base/fs.h"
#include "schemas/status.h"
#include "tests/lib/fault.h"

#define LATER (HT_LOGGED_NOW_MS + UINT64_C(86400000))
#define ASKED 7 /* looks at subject 1 */

static const atomic_bool never;

/* ---- a log ---- */

struct fixture {
	struct ht_logged l;
	uint64_t first; /* look at subject 1 */
	struct ht_buf body;
};

static struct ht_entry
entry_at(struct fixture *f, uint64_t seq, struct ht_buf *leaf)
{
	struct ht_entry e;

	ht_buf_reset(leaf);
	assert_ok(ht_log_read(f->l.log, seq, leaf));
	assert_ok(ht_entry_decode(ht_buf_slice(leaf), &e));
	return e;
}

static void
start(struct fixture *f)
{
	struct ht_buf leaf = HT_BUF(HT_LEAF_MAX);
	struct ht_entry e;

	ht_logged_start(&f->l);
	ht_history_exchanges(&f->l.h, ASKED, 5, 1, &f->first);
	ht_history_exchanges(&f->l.h, 3, 3, 2, NULL);
	ht_logged_index(&f->l, 1000);
	f->body = HT_BUF(HT_BODY_MAX);
	e = entry_at(f, f->first, &leaf);
	assert_ok(ht_log_read_vault(f->l.log, &e, NULL, &f->body));
	ht_buf_fini(&leaf);
}

static void
finish(struct fixture *f)
{
	ht_buf_fini(&f->body);
	ht_logged_finish(&f->l);
}

/* How often the bytes stand in the files below @dir. */
static unsigned
count_bytes(const char *dir, struct ht_slice what)
{
	DIR *at = opendir(dir);
	struct dirent *file;
	unsigned n = 0;

	assert_non_null(at);
	while ((file = readdir(at)) != NULL) {
		struct ht_buf bytes = HT_BUF((size_t)64 << 20);
		char *path = ht_fs_join(dir, file->d_name);
		struct stat st;
		size_t i = 0;

		assert_int_equal(lstat(path, &st), 0);
		if (file->d_name[0] != '.' && S_ISDIR(st.st_mode))
			n += count_bytes(path, what);
		if (S_ISREG(st.st_mode)) {
			assert_ok(ht_fs_read(path, &bytes));
			for (; i + what.len <= bytes.len; i++)
				n += memcmp(bytes.at + i, what.at, what.len) ==
				     0;
		}
		free(path);
		ht_buf_fini(&bytes);
	}
	closedir(at);
	return n;
}

/* ---- an order ---- */

static void
order_text(const char *what, const char *scope, struct ht_buf *out)
{
	/* Terms of retention end years later. */
	unsigned year = strstr(scope, "retention-over") != NULL ? 2030 : 2026;

	ht_buf_fmt(out,
	    "hutong: erase/v1\norder: gx.demo/7\nlog: " HT_LOGGED_ORIGIN
	    "\nbasis: PIPL 47\nwhat: %s\nissued: %u-11-24T00:00:00Z\n"
	    "until: %u-12-24T00:00:00Z\n%s\n",
	    what, year, year, scope);
}

static struct ht_doc *
order_of(const char *what, const char *scope)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	struct ht_buf text = HT_BUF(HT_DOC_MAX), one = HT_BUF(HT_DOC_MAX),
	              note = HT_BUF(HT_DOC_MAX);
	struct ht_doc *doc = NULL;

	order_text(what, scope, &text);
	assert_ok(ht_note_sign(ht_buf_slice(&text), false, "gx.demo/officer-1",
	    ht_logged_world->officers[0], &one));
	assert_ok(ht_note_sign(ht_buf_slice(&one), true, "gx.demo/officer-2",
	    ht_logged_world->officers[1], &note));
	assert_ok(ht_doc_parse(ht_buf_slice(&note), "order", report, &doc));
	assert_ok(
	    ht_doc_check_signed(doc, &ht_logged_world->root, NULL, report));
	ht_buf_fini(&text);
	ht_buf_fini(&one);
	ht_buf_fini(&note);
	return doc;
}

static struct ht_doc *
order_about(const struct fixture *f, const char *what, unsigned n)
{
	char scope[200] = "entries: [";

	for (unsigned i = 0; i < n; i++)
		(void)snprintf(scope + strlen(scope), 30, "%s%llu",
		    i > 0 ? ", " : "", (unsigned long long)f->first + i);
	(void)snprintf(scope + strlen(scope), 3, "]");
	return order_of(what, scope);
}

static struct ht_erasure *
plan_of(struct fixture *f, const struct ht_doc *order)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	struct ht_erasure *plan = NULL;

	assert_ok(ht_erase_plan(f->l.log, order, ht_logged_world->trust, LATER,
	    &never, report, &plan));
	return plan;
}

static uint64_t
append_erase(
    struct fixture *f, struct ht_erasure *plan, const struct ht_doc *order)
{
	struct ht_buf payload = HT_BUF(HT_LEAF_MAX);
	struct ht_entry e = {.type = HT_ENTRY_ERASE};
	struct ht_slice note;

	assert_ok(ht_erase_payload(
	    plan, order, "gx.demo/officer-1, gx.demo/officer-2", &payload));
	e.payload = ht_buf_slice(&payload);
	assert_ok(ht_log_append(f->l.log, &e, NULL));
	assert_ok(ht_log_commit(f->l.log, &note));
	ht_buf_fini(&payload);
	return e.seq;
}

/* All of it, as the broker does it. */
static uint64_t
erase(struct fixture *f, struct ht_doc *order)
{
	struct ht_erasure *plan = plan_of(f, order);
	bool more = true;
	uint64_t by;

	assert_ok(ht_erase_promise(f->l.log, plan));
	assert_ok(ht_index_destroy(f->l.index));
	by = append_erase(f, plan, order);
	assert_ok(ht_index_catch_up(f->l.index, 1000, &more));
	assert_int_equal(ht_index_upto(f->l.index), 0); /* halted */
	assert_ok(ht_erase_carry_out(f->l.log, plan, by));
	ht_index_go_on(f->l.index);
	ht_logged_index(&f->l, 1000);
	ht_erasure_free(&plan);
	ht_doc_unref(&order);
	return by;
}

static enum ht_err
verify(const struct fixture *f, struct ht_verify *ret)
{
	*ret = (struct ht_verify){
	    .vkey = &ht_logged_vkey, .trust = ht_logged_world->trust};
	return ht_verify_log(f->l.log_dir, ret);
}

/* ---- the promise ---- */

static void
erased_bytes_are_gone_and_proofs_stand(void **state)
{
	struct ht_pseudonym subject = ht_history_subject(1);
	struct ht_slice pseudonym = HT_SLICE(subject.at, HT_PSEUDONYM_SIZE);
	uint8_t annex[HT_HISTORY_ANNEX];
	struct ht_slice sealed = HT_SLICE(annex, sizeof(annex));
	struct ht_hash before, after;
	struct ht_verify v;
	struct fixture f;
	uint64_t size, by;

	(void)state;
	start(&f);
	ht_history_annex(0, annex); /* of the first request */
	size = ht_log_size(f.l.log);
	assert_ok(ht_log_root(f.l.log, size, &before));
	/* They are there: in the vault, and the pseudonym in the index, too. */
	assert_true(count_bytes(f.l.log_dir, pseudonym) >= 2 * ASKED);
	assert_true(count_bytes(f.l.index_dir, pseudonym) >= ASKED);
	assert_int_equal(count_bytes(f.l.log_dir, sealed), 1);
	assert_int_equal(count_bytes(f.l.log_dir, ht_buf_slice(&f.body)), 1);

	by = erase(&f, order_about(&f, "tags", ASKED));
	assert_int_equal(by, size);
	assert_int_equal(count_bytes(f.l.log_dir, pseudonym), 0);
	assert_int_equal(count_bytes(f.l.log_dir, sealed), 0);
	assert_int_equal(count_bytes(f.l.log_dir, ht_buf_slice(&f.body)), 0);
	/* And in no copy made since, opened by whom it may. */
	ht_logged_close(&f.l);
	assert_int_equal(count_bytes(f.l.log_dir, pseudonym), 0);

	/* Others are as they were, and the tree is the one that was signed. */
	subject = ht_history_subject(2);
	assert_true(count_bytes(f.l.log_dir, pseudonym) >= 3);
	assert_ok(verify(&f, &v));
	assert_int_equal(v.erasures, 1);
	assert_int_equal(v.erased, ASKED);
	assert_int_equal(v.orders, 1);
	ht_logged_open(&f.l, NULL);
	assert_ok(ht_log_root(f.l.log, size, &after));
	assert_true(ht_hash_eq(&before, &after));
	finish(&f);
}

static void
close_volume(struct fixture *f)
{
	ht_history_volume(&f->l.h);
	ht_history_keep(&f->l.h);
	ht_history_forget(&f->l.h);
}

/* Its file does not change, and its archive has the list, if it is new. */
static enum ht_err
check_archive(const char *path, struct ht_archive_seen *seen)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	HT_AUTO(ht_archive_close) struct ht_archive *archive = NULL;
	enum ht_err err = ht_archive_open(path, report, &archive);

	return err == HT_OK ? ht_archive_check(archive, &ht_logged_vkey, seen)
	                    : err;
}

static void
a_closed_volume_is_erased_as_well(void **state)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	struct ht_pseudonym subject = ht_history_subject(1);
	struct ht_slice pseudonym = HT_SLICE(subject.at, HT_PSEUDONYM_SIZE);
	char before[HT_TEST_PATH_MAX + 64], after[HT_TEST_PATH_MAX + 64];
	struct ht_archive_seen seen;
	struct ht_verify v;
	struct fixture f;

	(void)state;
	start(&f);
	(void)snprintf(before, sizeof(before), "%s.before", f.l.log_dir);
	(void)snprintf(after, sizeof(after), "%s.after", f.l.log_dir);
	(void)unlink(before);
	(void)unlink(after);
	close_volume(&f);
	assert_ok(ht_archive_write(f.l.log_dir, f.first, before, NULL, report));
	assert_ok(check_archive(before, &seen));
	assert_int_equal(seen.erased, 0);
	assert_true(seen.pieces > ASKED);
	(void)erase(&f, order_about(&f, "tags", ASKED));
	close_volume(&f); /* with the ERASE entry in it */
	assert_int_equal(count_bytes(f.l.log_dir, pseudonym), 0);
	assert_ok(ht_archive_write(f.l.log_dir, f.first, after, NULL, report));
	assert_ok(check_archive(after, &seen));
	assert_int_equal(seen.erased, ASKED);
	ht_logged_close(&f.l);
	assert_ok(verify(&f, &v));
	assert_int_equal(v.erased, ASKED);
	assert_int_equal(v.volumes, 2);
	ht_logged_open(&f.l, NULL);
	/* One that was made before keeps what is gone, and holds. */
	assert_ok(check_archive(before, &seen));
	assert_err(ht_archive_write(f.l.log_dir, f.first, after, NULL, report),
	    HT_EEXISTS);
	assert_err(
	    ht_archive_write(f.l.log_dir, UINT64_MAX, after, NULL, report),
	    HT_ENOTFOUND);
	(void)unlink(before);
	(void)unlink(after);
	finish(&f);
}

static void
an_epoch_or_a_time_is_erased_whole(void **state)
{
	static const char *const scopes[] = {"epoch: gx.demo/e1",
	    "before: 2027-01-01T00:00:00Z",
	    "epoch: gx.demo/e1\nbefore: 2027-01-01T00:00:00Z"};
	struct ht_pseudonym subject;

	(void)state;
	for (size_t i = 0; i < HT_COUNT(scopes); i++) {
		HT_AUTO(ht_report_free)
		struct ht_report *report = ht_report_new();
		struct ht_doc *again = order_of("tags", scopes[i]);
		struct ht_erasure *plan = NULL;
		struct ht_verify v;
		struct fixture f;

		start(&f);
		(void)erase(&f, order_of("tags", scopes[i]));
		for (unsigned s = 1; s <= 2; s++) {
			subject = ht_history_subject(s);
			assert_int_equal(
			    count_bytes(f.l.log_dir,
			        HT_SLICE(subject.at, HT_PSEUDONYM_SIZE)),
			    0);
		}
		/* Once is enough. */
		assert_err(ht_erase_plan(f.l.log, again, ht_logged_world->trust,
		               LATER, &never, report, &plan),
		    HT_ENOTFOUND);
		ht_doc_unref(&again);
		ht_logged_close(&f.l);
		assert_ok(verify(&f, &v));
		assert_int_equal(v.erased, ASKED + 3);
		ht_logged_open(&f.l, NULL);
		finish(&f);
	}
}

/* Of an item exactly what its term is over for; three years if none says. */
static void
what_an_item_keeps_is_its_own_matter(void **state)
{
	static const struct {
		const char *why, *over;
		uint64_t term_ms; /* of the item that was asked; 0: as it is */
		bool goes;
	} rows[] = {
	    {"three years",      "2029-11-26T00:00:00Z", 0,                   true },
	    {"not yet",          "2029-11-23T00:00:00Z", 0,                   false},
	    {"184 days",         "2027-05-29T00:00:00Z", HT_RETENTION_MIN_MS, true },
	    {"not yet 184 days", "2027-05-26T00:00:00Z", HT_RETENTION_MIN_MS,
             false	                                                         },
	    {"longer",           "2029-11-26T00:00:00Z", 2 * HT_RETENTION_MS, false},
	};
	const struct ht_item *asked = ht_trust_item_newest(
	    ht_logged_world->trust, ht_slice_str("gx.demo/SCZTDJ"));
	struct ht_item *item = (struct ht_item *)(uintptr_t)asked;
	uint64_t before_ms = asked->retention_ms;

	(void)state;
	for (size_t i = 0; i < HT_COUNT(rows); i++) {
		HT_AUTO(ht_report_free)
		struct ht_report *report = ht_report_new();
		HT_AUTO(ht_erasure_free) struct ht_erasure *plan = NULL;
		struct ht_doc *order;
		struct fixture f;
		char scope[60];
		enum ht_err err;

		(void)snprintf(
		    scope, sizeof(scope), "retention-over: %s", rows[i].over);
		order = order_of("tags", scope);
		start(&f);
		if (rows[i].term_ms > 0)
			item->retention_ms = rows[i].term_ms;
		err = ht_erase_plan(f.l.log, order, ht_logged_world->trust,
		    LATER, &never, report, &plan);
		item->retention_ms = before_ms;
		if (err != (rows[i].goes ? HT_OK : HT_ENOTFOUND))
			fail_msg("%s: %s", rows[i].why, ht_err_text(err));
		if (rows[i].goes)
			assert_int_equal(plan->n, ASKED + 3);
		ht_doc_unref(&order);
		finish(&f);
	}
}

static void
bodies_go_alone_and_tags_after_them(void **state)
{
	struct ht_pseudonym subject = ht_history_subject(1);
	struct ht_slice pseudonym = HT_SLICE(subject.at, HT_PSEUDONYM_SIZE);
	struct ht_verify v;
	struct fixture f;

	(void)state;
	start(&f);
	(void)erase(&f, order_of("bodies", "before: 2027-01-01T00:00:00Z"));
	assert_int_equal(count_bytes(f.l.log_dir, ht_buf_slice(&f.body)), 0);
	assert_true(count_bytes(f.l.log_dir, pseudonym) >= 2 * ASKED);
	(void)erase(&f, order_about(&f, "tags", 2));
	ht_logged_close(&f.l);
	assert_ok(verify(&f, &v));
	assert_int_equal(v.erasures, 2);
	ht_logged_open(&f.l, NULL);
	finish(&f);
}

/* ---- copies ---- */

static void
copy_to(struct fixture *f, const char *dir, struct ht_copy *ret)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();

	*ret = (struct ht_copy){
	    .from = f->l.log, .dir = dir, .vkey = &ht_logged_vkey};
	assert_ok(ht_log_copy(ret, report));
}

/* No backup keeps what its log has destroyed, however it comes to know. */
static void
a_backup_follows_what_was_erased(void **state)
{
	struct ht_pseudonym subject = ht_history_subject(1);
	struct ht_slice pseudonym = HT_SLICE(subject.at, HT_PSEUDONYM_SIZE);
	char before[HT_TEST_PATH_MAX], after[HT_TEST_PATH_MAX];
	struct ht_verify v = {
	    .vkey = &ht_logged_vkey, .trust = ht_logged_world->trust};
	struct ht_copy done;
	struct fixture f;

	(void)state;
	ht_test_dir(before);
	ht_test_dir(after);
	start(&f);
	copy_to(&f, before, &done);
	assert_true(count_bytes(before, pseudonym) >= ASKED);
	(void)erase(&f, order_of("bodies", "before: 2027-01-01T00:00:00Z"));
	(void)erase(&f, order_about(&f, "tags", ASKED));
	ht_history_exchanges(&f.l.h, 2, 2, 2, NULL);
	copy_to(&f, before, &done);
	assert_true(done.erased >= ASKED);
	copy_to(&f, after, &done);
	assert_int_equal(count_bytes(before, pseudonym), 0);
	assert_int_equal(count_bytes(before, ht_buf_slice(&f.body)), 0);
	assert_int_equal(count_bytes(after, pseudonym), 0);
	assert_ok(ht_verify_log(before, &v));
	assert_int_equal(v.erasures, 2);
	v = (struct ht_verify){
	    .vkey = &ht_logged_vkey, .trust = ht_logged_world->trust};
	assert_ok(ht_verify_log(after, &v));
	assert_int_equal(v.erasures, 2);
	finish(&f);
	ht_test_dir_remove(before);
	ht_test_dir_remove(after);
}

/* ---- what an order cannot have ---- */

static void
an_order_may_be_refused(void **state)
{
	static const struct {
		const char *what, *scope, *words;
		uint64_t now_ms;
	} rows[] = {
	    {"tags",   "entries: [99999]",             "no entry 99999",       LATER           },
	    {"tags",   "entries: [0]",                 "has no tag",           LATER           },
	    {"bodies", "entries: [1]",                 "has no body",          LATER           },
	    {"tags",   "entries: [2]",                 "life is not over",     HT_LOGGED_NOW_MS},
	    {"tags",   "epoch: gx.demo/e1",            "life is not over",     HT_LOGGED_NOW_MS},
	    {"tags",   "epoch: gx.demo/e9",            "nothing in its scope", LATER           },
	    {"bodies", "before: 2020-01-01T00:00:00Z", "nothing in its scope",
             LATER	                                                                     },
	};
	struct fixture f;

	(void)state;
	start(&f);
	for (size_t i = 0; i < HT_COUNT(rows); i++) {
		HT_AUTO(ht_report_free)
		struct ht_report *report = ht_report_new();
		struct ht_doc *doc = order_of(rows[i].what, rows[i].scope);
		struct ht_erasure *plan = NULL;
		enum ht_err err =
		    ht_erase_plan(f.l.log, doc, ht_logged_world->trust,
		        rows[i].now_ms, &never, report, &plan);

		if (err == HT_OK || ht_report_count(report) == 0 ||
		    strstr(ht_report_text(report, 0), rows[i].words) == NULL)
			fail_msg("%s: %s", rows[i].words, ht_err_text(err));
		assert_null(plan);
		ht_doc_unref(&doc);
	}
	finish(&f);
}

static void
what_was_erased_is_not_erased_again(void **state)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	struct ht_erasure *plan = NULL;
	struct ht_doc *order;
	struct fixture f;
	char words[80];
	uint64_t by;

	(void)state;
	start(&f);
	by = erase(&f, order_about(&f, "tags", 1));
	order = order_about(&f, "tags", 2);
	assert_err(ht_erase_plan(f.l.log, order, ht_logged_world->trust, LATER,
	               &never, report, &plan),
	    HT_EINVALID);
	(void)snprintf(words, sizeof(words), "erased already, by entry %llu",
	    (unsigned long long)by);
	assert_non_null(strstr(ht_report_text(report, 0), words));
	ht_doc_unref(&order);
	finish(&f);
}

/* What people may write, and what they are told when it is something else. */
static void
an_order_has_a_form(void **state)
{
	static const struct {
		const char *what, *scope, *words; /* NULL: it is good */
	} rows[] = {
	    {"tags",   "entries: [1]",                                    NULL                   },
	    {"tags",   "entries: [1, 2, 300]",                            NULL                   },
	    {"bodies", "entries: [1]",                                    NULL                   },
	    {"tags",   "epoch: gx.demo/e1",                               NULL                   },
	    {"bodies", "before: 2026-01-01T00:00:00Z",                    NULL                   },
	    {"tags",   "epoch: gx.demo/e1\nbefore: 2026-01-01T00:00:00Z", NULL                   },
	    {"tags",   "",	                                        "'entries' is expected"},
	    {"tags",   "entries: [1]\nepoch: gx.demo/e1",
             "'entries' is expected"	                                                     },
	    {"tags",   "entries: []",	                             "1 to 10000 entries"   },
	    {"tags",   "entries: [2, 1]",                                 "increasing order"     },
	    {"tags",   "entries: [1, 1]",                                 "increasing order"     },
	    {"tags",   "entries: [-1]",                                   "whole number"         },
	    {"tags",   "entries: 1",	                              "entries"              },
	    {"tags",   "epoch: e1",	                               "epoch"                },
	    {"bodies", "epoch: gx.demo/e1",                               "of no epoch"          },
	    {"all",    "entries: [1]",	                            "what"                 },
	    {"tags",   "entries: [1]\nsubject: x",                        "subject"              },
	    {"tags",   "entries: [1]\nissued: 2026-11-24",                "issued"               },
	};

	(void)state;
	for (size_t i = 0; i < HT_COUNT(rows); i++) {
		HT_AUTO(ht_report_free)
		struct ht_report *report = ht_report_new();
		HT_AUTO(ht_doc_unref) struct ht_doc *doc = NULL;
		HT_AUTO(ht_buf_fini) struct ht_buf text = HT_BUF(HT_DOC_MAX);
		bool told = false;
		enum ht_err err;

		order_text(rows[i].what, rows[i].scope, &text);
		err = ht_doc_parse(ht_buf_slice(&text), "order", report, &doc);
		for (unsigned k = 0; k < ht_report_count(report); k++)
			told |= rows[i].words != NULL &&
			        strstr(ht_report_text(report, k),
			            rows[i].words) != NULL;
		if ((err == HT_OK) != (rows[i].words == NULL) ||
		    (err != HT_OK && !told))
			fail_msg("%s %s: %s", rows[i].what, rows[i].scope,
			    ht_report_count(report) > 0
			        ? ht_report_text(report, 0)
			        : ht_err_text(err));
	}
}

/* ---- crashes ---- */

/* Everything up to step @steps, then the process is gone. */
static uint64_t
crash_after(struct fixture *f, unsigned steps, struct ht_erasure **ret_plan)
{
	struct ht_doc *order = order_about(f, "tags", ASKED);
	struct ht_erasure *plan = plan_of(f, order);
	struct ht_buf leaf = HT_BUF(HT_LEAF_MAX);
	uint64_t by = 0;
	struct ht_entry e;

	assert_ok(ht_erase_promise(f->l.log, plan));
	if (steps >= 1)
		assert_ok(ht_index_destroy(f->l.index));
	if (steps >= 2)
		by = append_erase(f, plan, order);
	/* Some of the pieces; in the last of them a part alone. */
	for (unsigned i = 0; steps >= 3 && i < 3; i++) {
		e = entry_at(f, f->first + i, &leaf);
		assert_ok(ht_vault_erase(f->l.log->vault,
		    (struct ht_vault_place){e.segment, e.offset}, e.tag_len,
		    e.body_len, true, by));
	}
	ht_logged_close(&f->l);
	if (steps >= 4) {
		char path[HT_TEST_PATH_MAX + 64];
		FILE *file;

		(void)snprintf(path, sizeof(path), "%s/vault/%016x.seg",
		    f->l.log_dir, e.segment);
		file = fopen(path, "r+b");
		assert_non_null(file);
		assert_int_equal(fseek(file, (long)e.offset + 2, SEEK_SET), 0);
		assert_int_equal(fwrite("torn", 1, 4, file), 4);
		fclose(file);
	}
	ht_buf_fini(&leaf);
	ht_doc_unref(&order);
	*ret_plan = plan;
	return by;
}

static void
a_crash_is_finished_or_forgotten(void **state)
{
	struct ht_pseudonym subject = ht_history_subject(1);
	struct ht_slice pseudonym = HT_SLICE(subject.at, HT_PSEUDONYM_SIZE);

	(void)state;
	for (unsigned steps = 0; steps <= 4; steps++) {
		struct ht_erasure *plan = NULL;
		struct ht_verify v;
		struct fixture f;
		char path[HT_TEST_PATH_MAX + 64];

		start(&f);
		(void)crash_after(&f, steps, &plan);
		/* Until it is finished, it is not in order. */
		if (steps >= 2) {
			assert_err(verify(&f, &v), HT_EINTEGRITY);
		} else {
			assert_ok(verify(&f, &v));
		}
		ht_logged_open(&f.l, ht_logged_world->log_key);
		ht_logged_index(&f.l, 1000);
		if (steps >= 2) {
			assert_int_equal(
			    count_bytes(f.l.log_dir, pseudonym), 0);
		} else {
			assert_true(
			    count_bytes(f.l.log_dir, pseudonym) >= 2 * ASKED);
		}
		(void)snprintf(path, sizeof(path), "%s/vault/erasure.pending",
		    f.l.log_dir);
		assert_int_equal(access(path, F_OK), -1);
		ht_logged_close(&f.l);
		assert_ok(verify(&f, &v));
		assert_int_equal(v.erasures, steps >= 2 ? 1 : 0);
		ht_logged_open(&f.l, NULL);
		ht_erasure_free(&plan);
		finish(&f);
	}
}

/* A crash between the two renames of an index leaves rows on the disk. */
static void
an_old_index_is_destroyed_at_start(void **state)
{
	char from[HT_TEST_PATH_MAX + 64], to[HT_TEST_PATH_MAX + 64];
	struct fixture f;

	(void)state;
	start(&f);
	ht_logged_close(&f.l);
	(void)snprintf(from, sizeof(from), "%s/data.mdb", f.l.index_dir);
	(void)snprintf(to, sizeof(to), "%s/old.mdb", f.l.index_dir);
	assert_int_equal(rename(from, to), 0);
	ht_logged_open(&f.l, ht_logged_world->log_key);
	assert_int_equal(access(to, F_OK), -1);
	assert_int_equal(ht_index_upto(f.l.index), 0);
	finish(&f);
}

/* ---- nobody destroys quietly ---- */

static void
must_be_bad(const struct fixture *f, const char *words)
{
	struct ht_verify v;

	assert_err(verify(f, &v), HT_EINTEGRITY);
	if (strstr(v.bad, words) == NULL)
		fail_msg("'%s' is not in '%s'", words, v.bad);
}

/* By the code that erases, but without an entry that says so. */
static void
erase_quietly(struct fixture *f, uint64_t seq, uint64_t by)
{
	struct ht_buf leaf = HT_BUF(HT_LEAF_MAX);
	struct ht_entry e = entry_at(f, seq, &leaf);

	assert_ok(ht_vault_erase(f->l.log->vault,
	    (struct ht_vault_place){e.segment, e.offset}, e.tag_len, e.body_len,
	    true, by));
	ht_buf_fini(&leaf);
}

static void
a_quiet_erasure_is_found(void **state)
{
	struct ht_query q = HT_QUERY_ALL;
	struct ht_audit_answer a = {0};
	struct fixture f;

	(void)state;
	start(&f);
	erase_quietly(&f, f.first, 0);
	q.evidence = q.has_seq = true;
	q.seq = f.first;
	assert_err(ht_audit_answer(f.l.log, f.l.index, &q, &a), HT_EINTEGRITY);
	ht_logged_close(&f.l);
	must_be_bad(&f, "no list of an erasure says");
	ht_logged_open(&f.l, NULL);
	finish(&f);
}

static void
one_more_than_ordered_is_found(void **state)
{
	struct fixture f;
	uint64_t by;

	(void)state;
	start(&f);
	by = erase(&f, order_about(&f, "tags", 3));
	erase_quietly(&f, f.first + 3, by);
	ht_logged_close(&f.l);
	must_be_bad(&f, "no list of an erasure says");
	ht_logged_open(&f.l, NULL);
	finish(&f);
}

#define PATH_SIZE (HT_TEST_PATH_MAX + 64)

static void
list_path(const struct fixture *f, uint64_t by, char out[static PATH_SIZE])
{
	char name[HT_ERASURE_NAME];

	ht_erasure_name(by, name);
	(void)snprintf(out, PATH_SIZE, "%s/vault/%s", f->l.log_dir, name);
}

static void
a_list_is_bound_to_its_entry(void **state)
{
	struct ht_erasure *list = NULL;
	struct ht_buf good = HT_BUF(HT_ERASURE_BYTES),
	              other = HT_BUF(HT_ERASURE_BYTES);
	char path[PATH_SIZE], path2[PATH_SIZE];
	struct fixture f;
	uint64_t by;

	(void)state;
	start(&f);
	by = erase(&f, order_about(&f, "tags", 3));
	erase_quietly(&f, f.first + 3, by);
	ht_logged_close(&f.l);
	list_path(&f, by, path);
	list_path(&f, 1, path2);
	assert_ok(ht_fs_read(path, &good));
	/* One entry more on the list. */
	assert_ok(ht_erasure_decode(ht_buf_slice(&good), by, &list));
	list->seqs = realloc(list->seqs, 4 * sizeof(*list->seqs));
	list->seqs[list->n++] = f.first + 3;
	assert_ok(ht_erasure_encode(list, &other));
	assert_ok(ht_fs_replace(path, 0600, ht_buf_slice(&other)));
	must_be_bad(&f, "not the one it names");
	/* A list of its own, of no ERASE entry. */
	list->seqs[0] = f.first + 3;
	list->n = 1;
	ht_buf_reset(&other);
	assert_ok(ht_erasure_encode(list, &other));
	assert_ok(ht_fs_replace(path, 0600, ht_buf_slice(&good)));
	assert_ok(ht_fs_replace(path2, 0600, ht_buf_slice(&other)));
	must_be_bad(&f, "no list of an erasure says");
	assert_int_equal(unlink(path2), 0);
	/* Damaged, and gone. */
	good.at[60] ^= 1;
	assert_ok(ht_fs_replace(path, 0600, ht_buf_slice(&good)));
	must_be_bad(&f, "is damaged");
	assert_int_equal(unlink(path), 0);
	must_be_bad(&f, "no list of an erasure says");
	ht_erasure_free(&list);
	ht_buf_fini(&good);
	ht_buf_fini(&other);
	ht_logged_open(&f.l, NULL);
	finish(&f);
}

static void
a_list_of_nobody_is_found(void **state)
{
	struct ht_erasure *list = NULL;
	struct ht_buf bytes = HT_BUF(HT_ERASURE_BYTES);
	char path[PATH_SIZE];
	struct fixture f;
	uint64_t by;

	(void)state;
	start(&f);
	by = erase(&f, order_about(&f, "tags", 3));
	ht_logged_close(&f.l);
	list_path(&f, by, path);
	assert_ok(ht_fs_read(path, &bytes));
	list_path(&f, 0, path);
	assert_ok(ht_fs_replace(path, 0600, ht_buf_slice(&bytes)));
	must_be_bad(&f, "2 lists of erasures");
	ht_erasure_free(&list);
	ht_buf_fini(&bytes);
	ht_logged_open(&f.l, NULL);
	finish(&f);
}

static void
a_part_that_still_stands_is_found(void **state)
{
	struct ht_doc *order;
	struct ht_erasure *plan;
	struct fixture f;
	uint64_t by;
	char from[PATH_SIZE], to[PATH_SIZE];

	(void)state;
	start(&f);
	order = order_about(&f, "tags", 3);
	plan = plan_of(&f, order);
	assert_ok(ht_erase_promise(f.l.log, plan));
	by = append_erase(&f, plan, order);
	list_path(&f, HT_ERASURE_PENDING, from);
	list_path(&f, by, to);
	assert_int_equal(rename(from, to), 0);
	ht_logged_close(&f.l);
	must_be_bad(&f, "tags of 3 entries are destroyed, and of 0 they are");
	ht_erasure_free(&plan);
	ht_doc_unref(&order);
	ht_logged_open(&f.l, NULL);
	finish(&f);
}

/* ---- what an auditor is shown ---- */

struct seen {
	unsigned erased, tags, without;
	uint64_t by;
	char basis[40];
};

static enum ht_err
see(void *arg, const struct ht_row *row)
{
	struct seen *seen = arg;

	if (row->erased) {
		seen->erased++;
		seen->by = row->erased_by;
		(void)snprintf(seen->basis, sizeof(seen->basis), "%.*s",
		    (int)row->erasure.basis.len, row->erasure.basis.at);
	} else if (row->tag.len > 0) {
		seen->tags++;
	} else {
		seen->without++;
	}
	return HT_OK;
}

static enum ht_err
check_answer(
    const struct ht_audit_answer *a, struct ht_slice frame, struct seen *seen)
{
	struct ht_checkpoint cp;
	uint64_t bad;

	assert_ok(ht_checkpoint_open(
	    ht_buf_slice(&a->checkpoint), &ht_logged_vkey, &cp));
	return ht_rows_check(frame, a->size, &cp.root, see, seen, &bad);
}

static void
an_answer_proves_the_erasure(void **state)
{
	struct ht_query q = HT_QUERY_ALL;
	struct ht_audit_answer a = {0};
	struct seen seen = {0};
	struct fixture f;
	uint64_t by, size;
	uint8_t *copy;
	size_t len;

	(void)state;
	start(&f);
	size = ht_log_size(f.l.log);
	by = erase(&f, order_about(&f, "tags", 5));
	q.evidence = true;
	assert_ok(ht_audit_answer(f.l.log, f.l.index, &q, &a));
	assert_int_equal(a.n_frames, 1);
	assert_ok(check_answer(&a, ht_buf_slice(&a.frames[0]), &seen));
	assert_int_equal(seen.erased, 5);
	assert_int_equal(seen.tags, ASKED - 5 + 3);
	assert_int_equal(seen.by, by);
	assert_string_equal(seen.basis, "PIPL 47");

	/* Another place in the list, or any other bit of it, proves nothing. */
	len = a.frames[0].len;
	copy = malloc(len);
	for (size_t i = 0; i < len; i += 7) {
		memcpy(copy, a.frames[0].at, len);
		copy[i] ^= 1;
		seen = (struct seen){0};
		if (check_answer(&a, HT_SLICE(copy, len), &seen) == HT_OK &&
		    seen.erased != 5)
			fail_msg("byte %zu: another answer passes", i);
	}
	free(copy);
	ht_audit_answer_fini(&a);

	/* Only entries of before, proven in the tree of now. */
	q.filter.size = size;
	assert_ok(ht_audit_answer(f.l.log, f.l.index, &q, &a));
	seen = (struct seen){0};
	assert_ok(check_answer(&a, ht_buf_slice(&a.frames[0]), &seen));
	assert_int_equal(seen.erased, 5);
	ht_audit_answer_fini(&a);
	finish(&f);
}

/* ---- the file of a list ---- */

static struct ht_erasure *
some_list(size_t n)
{
	struct ht_erasure *e = calloc(1, sizeof(*e));

	assert_non_null(e);
	memset(e->env, 0x11, sizeof(e->env));
	e->size = 1000000;
	e->n = n;
	e->seqs = calloc(n, sizeof(*e->seqs));
	for (size_t i = 0; i < n; i++)
		e->seqs[i] = 3 * i + 1;
	e->order = HT_BUF(HT_DOC_MAX);
	ht_buf_str(&e->order, "an order\n");
	return e;
}

static void
a_list_comes_back(void **state)
{
	struct ht_buf bytes = HT_BUF(HT_ERASURE_BYTES);
	struct ht_erasure *e = some_list(5), *back = NULL;
	enum ht_err err = HT_OK;

	(void)state;
	assert_ok(ht_erasure_encode(e, &bytes));
	TORTURE(err = ht_erasure_decode(ht_buf_slice(&bytes), 9, &back))
	{
		assert_err(err, HT_ENOMEM);
		assert_null(back);
	}
	assert_ok(err);
	assert_int_equal(back->by, 9);
	assert_int_equal(back->n, 5);
	assert_memory_equal(back->seqs, e->seqs, 5 * sizeof(*e->seqs));
	assert_true(ht_slice_is(ht_buf_slice(&back->order), "an order\n"));
	/* Any bit of it is under its checksum. */
	for (size_t i = 0; i < bytes.len * 8; i++) {
		struct ht_erasure *other = NULL;

		bytes.at[i / 8] ^= (uint8_t)(1 << i % 8);
		assert_int_not_equal(
		    ht_erasure_decode(ht_buf_slice(&bytes), 9, &other), HT_OK);
		bytes.at[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	/* Checksums do not make a bad list good. */
	e->seqs[2] = e->seqs[1];
	ht_buf_reset(&bytes);
	assert_ok(ht_erasure_encode(e, &bytes));
	ht_erasure_free(&back);
	assert_err(
	    ht_erasure_decode(ht_buf_slice(&bytes), 9, &back), HT_EMALFORMED);
	e->seqs[2] = 7;
	e->size = 13; /* and nothing can be erased before it is there */
	ht_buf_reset(&bytes);
	assert_ok(ht_erasure_encode(e, &bytes));
	assert_err(
	    ht_erasure_decode(ht_buf_slice(&bytes), 9, &back), HT_EMALFORMED);
	ht_erasure_free(&e);
	ht_buf_fini(&bytes);
}

static void
every_place_of_a_list_is_proven(void **state)
{
	(void)state;
	for (size_t n = 1; n <= 33; n++) {
		struct ht_erasure *e = some_list(n);
		struct ht_hash root, leaf, path[HT_PROOF_MAX];
		size_t n_path, place;

		assert_ok(ht_erasure_root(e, &root));
		for (size_t i = 0; i < n; i++) {
			assert_true(ht_erasure_find(e, 3 * i + 1, &place));
			assert_int_equal(place, i);
			assert_false(ht_erasure_find(e, 3 * i, &place));
			assert_false(ht_erasure_find(e, 3 * i + 2, &place));
			assert_ok(ht_erasure_prove(e, i, path, &n_path));
			leaf = ht_erasure_leaf(3 * i + 1);
			assert_true(ht_check_inclusion(
			    i, n, &leaf, path, n_path, &root));
			leaf = ht_erasure_leaf(3 * i + 2);
			assert_false(ht_check_inclusion(
			    i, n, &leaf, path, n_path, &root));
		}
		ht_erasure_free(&e);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(erased_bytes_are_gone_and_proofs_stand),
	    cmocka_unit_test(a_closed_volume_is_erased_as_well),
	    cmocka_unit_test(an_epoch_or_a_time_is_erased_whole),
	    cmocka_unit_test(what_an_item_keeps_is_its_own_matter),
	    cmocka_unit_test(bodies_go_alone_and_tags_after_them),
	    cmocka_unit_test(a_backup_follows_what_was_erased),
	    cmocka_unit_test(an_order_may_be_refused),
	    cmocka_unit_test(what_was_erased_is_not_erased_again),
	    cmocka_unit_test(an_order_has_a_form),
	    cmocka_unit_test(a_crash_is_finished_or_forgotten),
	    cmocka_unit_test(an_old_index_is_destroyed_at_start),
	    cmocka_unit_test(a_quiet_erasure_is_found),
	    cmocka_unit_test(one_more_than_ordered_is_found),
	    cmocka_unit_test(a_list_is_bound_to_its_entry),
	    cmocka_unit_test(a_list_of_nobody_is_found),
	    cmocka_unit_test(a_part_that_still_stands_is_found),
	    cmocka_unit_test(an_answer_proves_the_erasure),
	    cmocka_unit_test(a_list_comes_back),
	    cmocka_unit_test(every_place_of_a_list_is_proven),
	};

	return cmocka_run_group_tests(
	    tests, ht_logged_make_world, ht_logged_drop_world);
}
