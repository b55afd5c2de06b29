/* Looks at one subject, from rows that say so and rows that do not. */
#include "tests/lib/test.h"

#include "broker/audit/look.h"
#include "tests/lib/fault.h"
#include "tests/lib/world.h"

#define NOW_MS UINT64_C(1795482123000)
#define ME     "91999999MA00000079"
#define OTHER  "91999998MA00000079"

static struct ht_world *world;
static struct ht_epoch epoch;
static struct ht_pseudonym me;

static int
make_world(void **state)
{
	(void)state;
	assert_ok(ht_keys_init());
	world = ht_world_new(NOW_MS);
	epoch = ht_world_epoch(world);
	assert_ok(ht_pseudonym(
	    world->tracker, ht_slice_str("uscc"), ht_slice_str(ME), &me));
	return 0;
}

static int
drop_world(void **state)
{
	(void)state;
	ht_world_free(&world);
	return 0;
}

/* ---- rows ---- */

struct made {
	struct ht_buf tag, raw;
	struct ht_row row;
};

static void
made_fini(struct made *m)
{
	ht_buf_fini(&m->tag);
	ht_buf_fini(&m->raw);
}

static void
make_tag(const char *id, const char *officer, struct ht_buf *out)
{
	char subject[64];
	struct ht_subject one = {ht_slice_str("uscc"), ht_slice_str(id)};
	struct ht_annex annex = {
	    .subject = subject, .officer = officer, .casefile = "2026-1"};

	(void)snprintf(subject, sizeof(subject), "uscc:%s", id);
	memset(annex.entry, 0x17, sizeof(annex.entry));
	assert_ok(ht_tag_make(&epoch, &one, 1, &annex, out));
}

/* The row of a record whose tag stands in m->tag already. */
static void
make_row(struct made *m, unsigned type, uint64_t exchange, uint64_t seq)
{
	HT_AUTO(ht_buf_fini) struct ht_buf envelope = HT_BUF(HT_HEADER_MAX);
	bool asks = type == HT_ENTRY_REQUEST;
	struct ht_header h = {.version = 1,
	    .suite = 1,
	    .kind = asks                    ? HT_KIND_REQUEST
	            : type == HT_ENTRY_PUSH ? HT_KIND_PUSH
	                                    : HT_KIND_RESPONSE,
	    .sender = ht_slice_str(asks ? "tax.demo/state" : "scjg.demo/reg"),
	    .node = ht_slice_str("main"),
	    .recipient =
	        ht_slice_str(asks ? "scjg.demo/reg" : "tax.demo/state"),
	    .item = ht_slice_str("gx.demo/SCZTDJ"),
	    .item_version = 1,
	    .operation = type == HT_ENTRY_PUSH ? HT_OP_PUSH : HT_OP_QUERY,
	    .purpose = ht_slice_str("tax-registration"),
	    .basis = ht_slice_str("ZGF-15"),
	    .grant = ht_slice_str("gx.demo/1"),
	    .created_ms = NOW_MS + seq,
	    .expires_ms = NOW_MS + seq + 60000,
	    .counter = seq,
	    .body_len = 100,
	    .has_tag = true,
	    .tag = ht_tag_hash(ht_buf_slice(&m->tag))};

	ht_be64(h.record.at, seq + 1);
	ht_be64(h.exchange.at, exchange);
	if (h.kind == HT_KIND_RESPONSE) {
		h.has_reply_to = true;
		h.released = HT_SLICE("\x05", 1);
		h.status = HT_ANSWER_ANSWERED;
	}
	m->raw = HT_BUF(HT_HEADER_MAX);
	assert_ok(ht_envelope_encode(&h, &envelope));
	assert_ok(ht_header_encode(&h, ht_buf_slice(&envelope), &m->raw));
	m->row = (struct ht_row){
	    .seq = seq,
	    .tag = ht_buf_slice(&m->tag),
	    .entry = {.type = type,
	              .seq = seq,
	              .time_us = (NOW_MS + seq) * 1000,
	              .bundle_count = 1,
	              .payload = ht_buf_slice(&m->raw)}
        };
}

static void
make(struct made *m, unsigned type, uint64_t exchange, uint64_t seq,
    const char *id)
{
	m->tag = HT_BUF(HT_TAG_MAX);
	make_tag(id, "7", &m->tag);
	make_row(m, type, exchange, seq);
}

static enum ht_err
add(struct ht_looks *looks, const struct made *m, bool with_key)
{
	struct ht_look_key key = {"gx.demo/e1", world->annex};

	return ht_looks_add(looks, &m->row, &me, &key, with_key ? 1 : 0);
}

/* ---- looks ---- */

static void
a_request_and_its_answer_are_one_look(void **state)
{
	struct ht_looks looks = {0};
	struct made q, a, silent, push, lone;

	(void)state;
	make(&q, HT_ENTRY_REQUEST, 1, 10, ME);
	make(&silent, HT_ENTRY_REQUEST, 2, 11, ME);
	make(&a, HT_ENTRY_RESPONSE, 1, 12, ME);
	make(&push, HT_ENTRY_PUSH, 3, 13, ME);
	/* One about somebody else was answered with this one, too. */
	make(&lone, HT_ENTRY_RESPONSE, 4, 14, ME);
	assert_ok(add(&looks, &q, true));
	assert_ok(add(&looks, &silent, false));
	assert_ok(add(&looks, &a, true));
	assert_ok(add(&looks, &push, true));
	assert_ok(add(&looks, &lone, true));
	ht_looks_end(&looks, NOW_MS + 30000);
	assert_int_equal(looks.n, 4);
	assert_int_equal(looks.at[1].end, HT_LOOK_OPEN);
	ht_looks_end(&looks, NOW_MS + 70000);
	assert_int_equal(looks.at[0].end, HT_LOOK_ANSWERED);
	assert_int_equal(looks.at[0].ask_seq, 10);
	assert_int_equal(looks.at[0].answer_seq, 12);
	assert_string_equal(looks.at[0].asker, "tax.demo/state");
	assert_string_equal(looks.at[0].provider, "scjg.demo/reg");
	assert_string_equal(looks.at[0].officer, "7");
	assert_string_equal(looks.at[0].casefile, "2026-1");
	assert_int_equal(looks.at[0].released[0], 5);
	assert_int_equal(looks.at[1].end, HT_LOOK_SILENT);
	assert_false(looks.at[1].opened); /* without the annex's key */
	assert_int_equal(looks.at[2].end, HT_LOOK_PUSHED);
	assert_string_equal(looks.at[2].asker, "tax.demo/state");
	assert_false(looks.at[3].asked);
	assert_string_equal(looks.at[3].asker, "tax.demo/state");
	assert_int_equal(looks.n_false, 0);
	ht_looks_fini(&looks);
	made_fini(&q);
	made_fini(&a);
	made_fini(&silent);
	made_fini(&push);
	made_fini(&lone);
}

/* Whatever the broker hands out: the tag must be the header's, and name me. */
static void
a_row_about_another_is_no_look(void **state)
{
	struct ht_looks looks = {0};
	struct made m, other;

	(void)state;
	make(&m, HT_ENTRY_REQUEST, 1, 10, ME);
	make(&other, HT_ENTRY_REQUEST, 2, 11, OTHER);
	assert_err(add(&looks, &other, true), HT_EINTEGRITY);
	/* My tag beside another's header. */
	other.row.tag = m.row.tag;
	assert_err(add(&looks, &other, true), HT_EINTEGRITY);
	/* No tag at all. */
	m.row.tag = HT_SLICE(NULL, 0);
	assert_err(add(&looks, &m, true), HT_EINTEGRITY);
	assert_int_equal(looks.n, 0);
	ht_looks_fini(&looks);
	made_fini(&m);
	made_fini(&other);
}

/*
 * The provider sees the opening, the auditors the sealed annex.  A sender who
 * tells them different officers is found by whoever opens the annex.
 */
static void
a_false_annex_is_found(void **state)
{
	struct ht_looks looks = {0};
	struct ht_annex told = {
	    .subject = "uscc:" ME, .officer = "8", .casefile = "2026-1"};
	struct ht_annex_field fields[HT_ANNEX_FIELDS];
	HT_AUTO(ht_buf_fini) struct ht_buf sealed = HT_BUF(HT_TAG_MAX);
	struct ht_tag tag;
	struct made m;
	size_t n;

	(void)state;
	make_tag(ME, "7", &sealed);
	assert_ok(ht_tag_decode(ht_buf_slice(&sealed), &tag, NULL));
	memset(told.entry, 0x17, sizeof(told.entry));
	n = ht_annex_fields(&told, fields);
	assert_ok(ht_annex_commitment(
	    told.entry, fields, n, tag.annex, &tag.commitment));
	m.tag = HT_BUF(HT_TAG_MAX);
	assert_ok(ht_tag_encode(&tag, &m.tag));
	make_row(&m, HT_ENTRY_REQUEST, 1, 10);
	/* The provider, who is told officer 8, cannot know. */
	assert_ok(ht_tag_check(&tag, &epoch,
	    &(struct ht_subject){ht_slice_str("uscc"), ht_slice_str(ME)}, 1,
	    &told, NULL));
	assert_ok(add(&looks, &m, true));
	assert_int_equal(looks.n_false, 1);
	assert_int_equal(looks.false_seq, 10);
	assert_false(looks.at[0].opened);
	assert_string_equal(looks.at[0].officer, "");
	ht_looks_fini(&looks);
	made_fini(&m);
}

static void
looks_survive_no_memory(void **state)
{
	struct ht_looks looks = {0};
	enum ht_err err = HT_OK;
	struct made m;

	(void)state;
	make(&m, HT_ENTRY_REQUEST, 1, 10, ME);
	TORTURE((ht_looks_fini(&looks), err = add(&looks, &m, true)))
	{
		/* Memory that lacks while an annex is read is no falsehood. */
		assert_err(err, HT_ENOMEM);
		assert_int_equal(looks.n_false, 0);
	}
	assert_ok(err);
	assert_string_equal(looks.at[0].officer, "7");
	ht_looks_fini(&looks);
	made_fini(&m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_request_and_its_answer_are_one_look),
	    cmocka_unit_test(a_row_about_another_is_no_look),
	    cmocka_unit_test(a_false_annex_is_found),
	    cmocka_unit_test(looks_survive_no_memory),
	};

	return cmocka_run_group_tests(tests, make_world, drop_world);
}
