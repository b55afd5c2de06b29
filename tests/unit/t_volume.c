/* The file of a closed range: written, read by place, believed in nothing. */
#include "tests/lib/test.h"

#include "broker/log/volume.h"
#include "tests/lib/fault.h"
#include "tests/lib/history.h"

#define ORIGIN    "gx.demo/log"
#define NOW_MS    UINT64_C(1795482123000)
#define ENTRIES   90 /* at least, of the log that volumes are made of */
#define FILE_MAX_ ((size_t)1 << 20)

static struct ht_world *world;
static struct ht_vkey vkey;
static char dir[HT_TEST_PATH_MAX];
static struct ht_log *log_;

static int
make_world(void **state)
{
	struct ht_report *report = ht_report_new();
	struct ht_history h;
	struct ht_pub pub;

	(void)state;
	assert_ok(ht_keys_init());
	world = ht_world_new(NOW_MS);
	pub = ht_key_pub(world->log_key);
	assert_ok(ht_vkey_make(ORIGIN, &pub, &vkey));
	ht_test_dir(dir);
	assert_ok(ht_log_open(dir, ORIGIN, world->log_key, report, &log_));
	ht_history_init(&h, world, log_);
	ht_history_start(&h);
	while (ht_log_size(log_) < ENTRIES)
		ht_history_exchanges(&h, 3, 2, 1, NULL);
	ht_report_free(&report);
	return 0;
}

static int
drop_world(void **state)
{
	(void)state;
	ht_log_close(&log_);
	ht_test_dir_remove(dir);
	ht_world_free(&world);
	return 0;
}

/* ---- a volume in memory ---- */

static enum ht_err
to_buf(void *arg, struct ht_slice bytes)
{
	struct ht_buf *out = arg;

	ht_buf_add(out, bytes.at, bytes.len);
	return out->err;
}

static enum ht_err
from_slice(void *arg, uint64_t at, void *out, size_t len)
{
	const struct ht_slice *bytes = arg;

	if (at > bytes->len || len > bytes->len - at)
		return HT_EINTEGRITY;
	memcpy(out, bytes->at + at, len);
	return HT_OK;
}

static struct ht_volume_source
source_of(struct ht_slice *bytes)
{
	return (struct ht_volume_source){
	    .read = from_slice, .arg = bytes, .len = bytes->len};
}

static void
read_entry(uint64_t seq, struct ht_buf *leaf, struct ht_buf *evidence)
{
	enum ht_err err;

	ht_buf_reset(leaf);
	ht_buf_reset(evidence);
	assert_ok(ht_log_read(log_, seq, leaf));
	err = ht_log_read_bundle(log_, seq, evidence);
	assert_true(err == HT_OK || err == HT_ENOTFOUND);
}

static struct ht_volume_head
head_of(uint64_t first, uint64_t end)
{
	struct ht_volume_head head = {
	    .env = {1, 2, 3},
              .end = end
        };
	HT_AUTO(ht_buf_fini) struct ht_buf leaf = HT_BUF(HT_LEAF_MAX);

	head.first = first;
	for (uint64_t seq = 0; seq < first; seq++) {
		struct ht_hash hash;

		ht_buf_reset(&leaf);
		assert_ok(ht_log_read(log_, seq, &leaf));
		hash = ht_leaf_hash(ht_buf_slice(&leaf));
		ht_frontier_append(&head.before, &hash, NULL, NULL);
	}
	return head;
}

static void
sign(uint64_t size, struct ht_buf *note)
{
	HT_AUTO(ht_buf_fini) struct ht_buf text = HT_BUF(4096);
	struct ht_checkpoint cp = {.origin = ORIGIN, .size = size};

	assert_ok(ht_log_root(log_, size, &cp.root));
	ht_checkpoint_text(&cp, &text);
	assert_ok(ht_note_sign(
	    ht_buf_slice(&text), false, ORIGIN, world->log_key, note));
}

static enum ht_err
write_all(
    const struct ht_volume_head *head, struct ht_slice note, struct ht_buf *out)
{
	HT_AUTO(ht_volume_writer_free) struct ht_volume_writer *w = NULL;
	HT_AUTO(ht_buf_fini) struct ht_buf leaf = HT_BUF(HT_LEAF_MAX);
	HT_AUTO(ht_buf_fini)
	struct ht_buf evidence = HT_BUF(HT_EVIDENCE_MAX);
	struct ht_volume_sink sink = {to_buf, out};
	enum ht_err err = ht_volume_begin(head, &sink, &w);

	for (uint64_t seq = head->first; err == HT_OK && seq < head->end;
	     seq++) {
		struct ht_volume_entry e;

		read_entry(seq, &leaf, &evidence);
		e = (struct ht_volume_entry){
		    ht_buf_slice(&leaf), ht_buf_slice(&evidence)};
		err = ht_volume_add(w, &e);
	}
	return err == HT_OK ? ht_volume_finish(w, note) : err;
}

static void
make(uint64_t first, uint64_t end, struct ht_buf *out)
{
	HT_AUTO(ht_buf_fini) struct ht_buf note = HT_BUF(4096);
	struct ht_volume_head head = head_of(first, end);

	*out = HT_BUF(FILE_MAX_);
	sign(end, &note);
	assert_ok(write_all(&head, ht_buf_slice(&note), out));
}

static enum ht_err
check(struct ht_slice bytes, const struct ht_vkey *key, uint64_t *ret_bad)
{
	HT_AUTO(ht_volume_close) struct ht_volume *v = NULL;
	struct ht_volume_source source = source_of(&bytes);
	enum ht_err err = ht_volume_open(&source, &v);

	*ret_bad = UINT64_MAX;
	return err == HT_OK ? ht_volume_check(v, key, NULL, NULL, ret_bad)
	                    : err;
}

/* ---- what was written is read ---- */

static void
compare(struct ht_slice bytes, uint64_t first, uint64_t end)
{
	HT_AUTO(ht_volume_close) struct ht_volume *v = NULL;
	HT_AUTO(ht_buf_fini) struct ht_buf leaf = HT_BUF(HT_LEAF_MAX);
	HT_AUTO(ht_buf_fini) struct ht_buf evidence = HT_BUF(HT_EVIDENCE_MAX);
	HT_AUTO(ht_buf_fini) struct ht_buf l = HT_BUF(HT_LEAF_MAX);
	HT_AUTO(ht_buf_fini) struct ht_buf e = HT_BUF(HT_EVIDENCE_MAX);
	struct ht_volume_source source = source_of(&bytes);

	assert_ok(ht_volume_open(&source, &v));
	assert_int_equal(ht_volume_head(v)->first, first);
	assert_int_equal(ht_volume_head(v)->end, end);
	/* From behind: no block is the one read before. */
	for (uint64_t seq = end; seq-- > first;) {
		read_entry(seq, &leaf, &evidence);
		ht_buf_reset(&l);
		ht_buf_reset(&e);
		assert_ok(ht_volume_read(v, seq, &l, &e));
		assert_true(ht_slice_eq(ht_buf_slice(&l), ht_buf_slice(&leaf)));
		assert_true(
		    ht_slice_eq(ht_buf_slice(&e), ht_buf_slice(&evidence)));
		assert_ok(ht_volume_read(v, seq, NULL, NULL));
	}
	assert_err(ht_volume_read(v, end, &l, NULL), HT_ENOTFOUND);
	if (first > 0)
		assert_err(
		    ht_volume_read(v, first - 1, &l, NULL), HT_ENOTFOUND);
}

static void
reads_what_was_written(void **state)
{
	static const struct {
		uint64_t first, end;
	} ranges[] = {
	    {0,  1 },
            {0,  31},
            {0,  32},
            {0,  33},
            {0,  90},
            {1,  65},
            {32, 64},
	    {7,  8 },
            {64, 90},
            {89, 90}
        };

	(void)state;
	for (size_t i = 0; i < HT_COUNT(ranges); i++) {
		HT_AUTO(ht_buf_fini) struct ht_buf file = {0};
		uint64_t bad;

		make(ranges[i].first, ranges[i].end, &file);
		compare(ht_buf_slice(&file), ranges[i].first, ranges[i].end);
		assert_ok(check(ht_buf_slice(&file), &vkey, &bad));
		assert_int_equal(bad, ranges[i].end);
	}
}

/* ---- whatever changes is seen ---- */

static void
no_bit_may_change(void **state)
{
	HT_AUTO(ht_buf_fini) struct ht_buf file = {0};
	uint64_t bad;

	(void)state;
	make(37, 80, &file);
	for (size_t i = 0; i < file.len; i++) {
		file.at[i] ^= (uint8_t)(1u << (i % 8));
		assert_int_not_equal(
		    check(ht_buf_slice(&file), &vkey, &bad), HT_OK);
		file.at[i] ^= (uint8_t)(1u << (i % 8));
	}
	assert_ok(check(ht_buf_slice(&file), &vkey, &bad));
	for (size_t len = 0; len < file.len; len++)
		assert_err(
		    check(HT_SLICE(file.at, len), NULL, &bad), HT_EINTEGRITY);
	ht_buf_u8(&file, 0);
	assert_err(check(ht_buf_slice(&file), NULL, &bad), HT_EINTEGRITY);
}

/* A sum can be made anew by anybody; the signature, and the tree, cannot. */
static void
another_key_or_tree_is_seen(void **state)
{
	HT_AUTO(ht_buf_fini) struct ht_buf file = {0};
	HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(FILE_MAX_);
	HT_AUTO(ht_buf_fini) struct ht_buf note = HT_BUF(4096);
	struct ht_volume_head head = head_of(10, 40);
	struct ht_pub pub = ht_key_pub(world->officers[0]);
	struct ht_vkey other;
	uint64_t bad;

	(void)state;
	make(10, 40, &file);
	assert_ok(ht_vkey_make(ORIGIN, &pub, &other));
	assert_err(check(ht_buf_slice(&file), &other, &bad), HT_EBADSIG);
	assert_int_equal(bad, 40);
	/* Of another size, of another tree. */
	sign(41, &note);
	assert_err(write_all(&head, ht_buf_slice(&note), &out), HT_EINTEGRITY);
	ht_buf_reset(&note);
	ht_buf_reset(&out);
	sign(40, &note);
	head.before.at[1].at[0] ^= 1;
	assert_err(write_all(&head, ht_buf_slice(&note), &out), HT_EINTEGRITY);
}

/* ---- what cannot be written ---- */

static void
refuses_to_write(void **state)
{
	HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(FILE_MAX_);
	static uint8_t bytes[HT_EVIDENCE_MAX + 1];
	struct ht_volume_sink sink = {to_buf, &out};
	struct ht_volume_head head = {.end = 0};
	struct ht_volume_writer *w = NULL;
	struct ht_volume_entry e = {HT_SLICE(bytes, 1), HT_SLICE(bytes, 0)};

	(void)state;
	assert_err(ht_volume_begin(&head, &sink, &w), HT_EINVALID);
	head.end = HT_VOLUME_ENTRIES + UINT64_C(1);
	assert_err(ht_volume_begin(&head, &sink, &w), HT_EINVALID);
	head.first = 1; /* and no tree before it */
	head.end = 2;
	assert_err(ht_volume_begin(&head, &sink, &w), HT_EINVALID);
	head.before.size = 1;
	assert_ok(ht_volume_begin(&head, &sink, &w));
	assert_err(ht_volume_finish(w, HT_SLICE(bytes, 0)), HT_EINVALID);
	e.leaf.len = 0;
	assert_err(ht_volume_add(w, &e), HT_EINVALID);
	e.leaf.len = HT_LEAF_MAX + 1;
	assert_err(ht_volume_add(w, &e), HT_EINVALID);
	e.leaf.len = HT_LEAF_MAX;
	e.evidence.len = HT_EVIDENCE_MAX + 1;
	assert_err(ht_volume_add(w, &e), HT_EINVALID);
	e.evidence.len = HT_EVIDENCE_MAX;
	assert_ok(ht_volume_add(w, &e));
	assert_err(ht_volume_add(w, &e), HT_EINVALID); /* one too many */
	assert_err(ht_volume_finish(w, HT_SLICE(bytes, 9)), HT_EINTEGRITY);
	ht_volume_writer_free(&w);
}

/* ---- its parts ---- */

static void
blocks(void **state)
{
	static const struct {
		const char *hex;
		unsigned n;
		enum ht_err err;
	} table[] = {
	    {"0001aa0000",           1, HT_OK        },
	    {"0001aa0001bb",         1, HT_OK        },
	    {"0001aa00000001cc0000", 2, HT_OK        },
	    {"0001aa00000001cc0000", 1, HT_EMALFORMED}, /* one more */
	    {"0001aa0000",           2, HT_EMALFORMED}, /* one less */
	    {"00000000",             1, HT_EMALFORMED}, /* an empty leaf */
	    {"0001aa0001",           1, HT_EMALFORMED}, /* cut off */
	    {"0002aa0000",           1, HT_EMALFORMED},
	    {"0001aa000000",         1, HT_EMALFORMED}, /* more bytes */
	    {"",	             1, HT_EMALFORMED},
	};

	(void)state;
	for (size_t i = 0; i < HT_COUNT(table); i++) {
		struct ht_volume_entry out[HT_VOLUME_BLOCK];
		uint8_t bytes[64];
		size_t len = strlen(table[i].hex) / 2;

		assert_ok(ht_unhex(table[i].hex, bytes, len));
		assert_int_equal(
		    ht_volume_block(HT_SLICE(bytes, len), table[i].n, out),
		    table[i].err);
	}
}

static void
a_block_has_limits(void **state)
{
	static uint8_t bytes[HT_VOLUME_BLOCK_MAX];
	struct ht_volume_entry out[HT_VOLUME_BLOCK];
	size_t leaf = 2 + HT_LEAF_MAX;

	(void)state;
	ht_be16(bytes, HT_LEAF_MAX);
	ht_be16(bytes + leaf, HT_EVIDENCE_MAX);
	assert_ok(ht_volume_block(
	    HT_SLICE(bytes, leaf + 2 + HT_EVIDENCE_MAX), 1, out));
	ht_be16(bytes + leaf, HT_EVIDENCE_MAX + 1);
	assert_err(ht_volume_block(
	               HT_SLICE(bytes, leaf + 3 + HT_EVIDENCE_MAX), 1, out),
	    HT_EMALFORMED);
	ht_be16(bytes, HT_LEAF_MAX + 1);
	assert_err(
	    ht_volume_block(HT_SLICE(bytes, leaf + 3), 1, out), HT_EMALFORMED);
}

static void
names(void **state)
{
	static const struct {
		const char *name;
		enum ht_err err;
		uint64_t first;
	} table[] = {
	    {"0000000000000000.vol",     HT_OK,         0  },
	    {"00000000000000ff.vol",     HT_OK,         255},
	    {"00000000000000FF.vol",     HT_EMALFORMED, 0  },
	    {"00000000000000ff.vol.new", HT_EMALFORMED, 0  },
	    {"ff.vol",                   HT_EMALFORMED, 0  },
	    {"00000000000000ff.seg",     HT_EMALFORMED, 0  },
	    {"",	                 HT_EMALFORMED, 0  },
	};

	(void)state;
	for (size_t i = 0; i < HT_COUNT(table); i++) {
		uint64_t first = 0;

		assert_int_equal(
		    ht_volume_name_parse(table[i].name, &first), table[i].err);
		assert_int_equal(first, table[i].first);
	}
}

static void
what_an_entry_says(void **state)
{
	HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(100);
	struct ht_volume_said said = {.first = 4711, .segment = 3}, again;

	(void)state;
	ht_volume_said_pack(&said, &out);
	assert_ok(ht_volume_said_decode(ht_buf_slice(&out), &again));
	assert_int_equal(again.first, 4711);
	assert_int_equal(again.segment, 3);
	for (size_t len = 0; len < out.len; len++)
		assert_err(ht_volume_said_decode(HT_SLICE(out.at, len), &again),
		    HT_EMALFORMED);
	ht_buf_u8(&out, 0);
	assert_err(
	    ht_volume_said_decode(ht_buf_slice(&out), &again), HT_EMALFORMED);
	out.at[1] ^= 1; /* the first key's length */
	assert_err(ht_volume_said_decode(HT_SLICE(out.at, out.len - 1), &again),
	    HT_EMALFORMED);
}

/* ---- out of memory ---- */

static void
survives_failing_malloc(void **state)
{
	HT_AUTO(ht_buf_fini) struct ht_buf file = {0};
	uint64_t bad;
	enum ht_err err;

	(void)state;
	make(3, 70, &file);
	TORTURE(err = check(ht_buf_slice(&file), &vkey, &bad))
	{
		assert_int_equal(err, HT_ENOMEM);
	}
	assert_ok(err);
}

static enum ht_err
add_same(struct ht_volume_writer *w, unsigned n)
{
	static const uint8_t leaf[100] = {1};
	struct ht_volume_entry e = {
	    HT_SLICE(leaf, sizeof(leaf)), HT_SLICE(leaf, 50)};
	enum ht_err err = HT_OK;

	for (unsigned i = 0; i < n && err == HT_OK; i++)
		err = ht_volume_add(w, &e);
	return err;
}

static enum ht_err
write_some(void)
{
	HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(FILE_MAX_);
	HT_AUTO(ht_volume_writer_free) struct ht_volume_writer *w = NULL;
	struct ht_volume_head head = {.end = 100};
	struct ht_volume_sink sink = {to_buf, &out};
	enum ht_err err = ht_volume_begin(&head, &sink, &w);

	return err == HT_OK ? add_same(w, 100) : err;
}

static void
writing_survives_it_too(void **state)
{
	enum ht_err err;

	(void)state;
	TORTURE(err = write_some())
	{
		assert_int_equal(err, HT_ENOMEM);
	}
	assert_ok(err);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(reads_what_was_written),
	    cmocka_unit_test(no_bit_may_change),
	    cmocka_unit_test(another_key_or_tree_is_seen),
	    cmocka_unit_test(refuses_to_write),
	    cmocka_unit_test(blocks),
	    cmocka_unit_test(a_block_has_limits),
	    cmocka_unit_test(names),
	    cmocka_unit_test(what_an_entry_says),
	    cmocka_unit_test(survives_failing_malloc),
	    cmocka_unit_test(writing_survives_it_too),
	};

	return cmocka_run_group_tests(tests, make_world, drop_world);
}
