#include "tests/lib/test.h"

#include "broker/log/log.h"

static uint8_t header[HT_HEADER_MAX] = {0x92};

/* An entry of a record, every field in use. */
static struct ht_entry
request(void)
{
	struct ht_entry e = {
	    .type = HT_ENTRY_REQUEST,
	    .seq = 0x0102030405060708,
	    .time_us = 1795482123000001,
	    .status = 0,
	    .grant = ht_slice_str("gx.demo/17"),
	    .bundle_seq = 0x0102030405060707,
	    .bundle_index = 1,
	    .bundle_count = 2,
	    .member = ht_slice_str("tax.demo/state"),
	    .node = ht_slice_str("main"),
	    .cites = 9,
	    .segment = 3,
	    .offset = 77,
	    .tag_len = 200,
	    .body_len = 1052,
	    .payload = HT_SLICE(header, 450),
	};

	memset(e.snapshot.at, 0xab, sizeof(e.snapshot.at));
	return e;
}

static struct ht_entry
plain(void)
{
	return (struct ht_entry){
	    .type = HT_ENTRY_STOP, .seq = 5, .payload = ht_slice_str("\x80")};
}

static void
an_entry_comes_back_as_it_was(void **state)
{
	HT_AUTO(ht_buf_fini) struct ht_buf buf = HT_BUF(HT_LEAF_MAX);
	struct ht_entry e = request(), got;

	(void)state;
	assert_ok(ht_entry_encode(&e, &buf));
	assert_ok(ht_entry_decode(ht_buf_slice(&buf), &got));
	assert_int_equal(got.type, e.type);
	assert_int_equal(got.seq, e.seq);
	assert_int_equal(got.time_us, e.time_us);
	assert_memory_equal(
	    got.snapshot.at, e.snapshot.at, sizeof(e.snapshot.at));
	assert_int_equal(got.status, e.status);
	assert_true(ht_slice_eq(got.grant, e.grant));
	assert_int_equal(got.bundle_seq, e.bundle_seq);
	assert_int_equal(got.bundle_index, e.bundle_index);
	assert_int_equal(got.bundle_count, e.bundle_count);
	assert_true(ht_slice_eq(got.member, e.member));
	assert_true(ht_slice_eq(got.node, e.node));
	assert_int_equal(got.cites, e.cites);
	assert_int_equal(got.segment, e.segment);
	assert_int_equal(got.offset, e.offset);
	assert_int_equal(got.tag_len, e.tag_len);
	assert_int_equal(got.body_len, e.body_len);
	assert_true(ht_slice_eq(got.payload, e.payload));
}

/* The bytes of the format, once, so that they cannot move unseen. */
static void
the_bytes_are_those_of_the_page(void **state)
{
	HT_AUTO(ht_buf_fini) struct ht_buf buf = HT_BUF(HT_LEAF_MAX);
	struct ht_entry e = plain();
	static const char want[] =
	    "01"
	    "10"
	    "0000000000000005"
	    "0000000000000009"
	    "0000000000000000000000000000000000000000000000000000000000000000"
	    "0007"
	    "00"
	    "0000000000000000"
	    "0000"
	    "0000"
	    "00"
	    "00"
	    "0000000000000000"
	    "00000000"
	    "0000000000000000"
	    "00000000"
	    "00000000"
	    "0001"
	    "80";
	char hex[2 * HT_LEAF_MAX + 1];

	(void)state;
	e.time_us = 9;
	e.status = 7;
	assert_ok(ht_entry_encode(&e, &buf));
	ht_hex(hex, buf.at, buf.len);
	assert_string_equal(hex, want);
}

static void
set_type(struct ht_entry *e)
{
	e->type = 20;
}
static void
set_type_zero(struct ht_entry *e)
{
	e->type = 0;
}
static void
set_status(struct ht_entry *e)
{
	e->status = 65536;
}
static void
set_cites(struct ht_entry *e)
{
	e->cites = e->seq + 1;
}
static void
set_no_bundle(struct ht_entry *e)
{
	e->bundle_seq = e->bundle_index = e->bundle_count = 0;
}
static void
set_bundle_later(struct ht_entry *e)
{
	e->bundle_seq = e->seq + 1;
}
static void
set_bundle_index(struct ht_entry *e)
{
	e->bundle_index = e->bundle_count;
}
static void
set_bundle_count(struct ht_entry *e)
{
	e->bundle_count = HT_BUNDLE_MAX + 1;
}
static void
set_member(struct ht_entry *e)
{
	e->member = ht_slice_str("tax");
}
static void
set_node(struct ht_entry *e)
{
	e->node = ht_slice_str("a b");
}
static void
set_nobody(struct ht_entry *e)
{
	e->member = HT_SLICE(NULL, 0);
}
static void
set_map(struct ht_entry *e)
{
	e->payload = ht_slice_str("\x80");
}
static void
set_empty(struct ht_entry *e)
{
	e->payload = HT_SLICE(header, 0);
}
static void
set_long(struct ht_entry *e)
{
	e->payload = HT_SLICE(header, HT_HEADER_MAX + 1);
}
static void
set_tag(struct ht_entry *e)
{
	e->tag_len = HT_TAG_MAX + 1;
}
static void
set_nowhere(struct ht_entry *e)
{
	e->tag_len = e->body_len = 0;
}

static void
what_breaks_a_rule_is_not_written(void **state)
{
	static const struct {
		const char *why;
		void (*change)(struct ht_entry *e);
	} rows[] = {
	    {"unknown type",                 set_type        },
	    {"no type",                      set_type_zero   },
	    {"status beyond u16",            set_status      },
	    {"cites what comes later",       set_cites       },
	    {"a header without its bundle",  set_no_bundle   },
	    {"a bundle that begins later",   set_bundle_later},
	    {"index outside the bundle",     set_bundle_index},
	    {"a bundle too large",           set_bundle_count},
	    {"member is no global name",     set_member      },
	    {"node is no name",              set_node        },
	    {"a node of nobody",             set_nobody      },
	    {"a map where a header belongs", set_map         },
	    {"no payload",                   set_empty       },
	    {"a header too long",            set_long        },
	    {"a tag too long",               set_tag         },
	    {"a place of nothing",           set_nowhere     },
	};

	(void)state;
	for (size_t i = 0; i < HT_COUNT(rows); i++) {
		HT_AUTO(ht_buf_fini) struct ht_buf buf = HT_BUF(HT_LEAF_MAX);
		struct ht_entry e = request();

		rows[i].change(&e);
		if (ht_entry_encode(&e, &buf) != HT_EINVALID)
			fail_msg("written: %s", rows[i].why);
	}
}

static void
a_payload_is_bounded_by_the_leaf(void **state)
{
	static uint8_t big[HT_LEAF_MAX] = {0x80};
	HT_AUTO(ht_buf_fini) struct ht_buf buf = HT_BUF(4 * HT_LEAF_MAX);
	struct ht_entry e = plain();

	(void)state;
	e.payload = HT_SLICE(big, sizeof(big));
	assert_err(ht_entry_encode(&e, &buf), HT_ETOOBIG);
	ht_buf_reset(&buf);
	e.payload = HT_SLICE(big, sizeof(big) - 97);
	assert_ok(ht_entry_encode(&e, &buf));
	assert_int_equal(buf.len, HT_LEAF_MAX);
	assert_ok(ht_entry_decode(ht_buf_slice(&buf), &e));
	ht_buf_u8(&buf, 0);
	assert_err(ht_entry_decode(ht_buf_slice(&buf), &e), HT_ETOOBIG);
}

static void
no_prefix_and_no_suffix_is_a_leaf(void **state)
{
	HT_AUTO(ht_buf_fini) struct ht_buf buf = HT_BUF(HT_LEAF_MAX);
	struct ht_entry e = request(), got;

	(void)state;
	assert_ok(ht_entry_encode(&e, &buf));
	for (size_t len = 0; len < buf.len; len++)
		assert_err(ht_entry_decode(HT_SLICE(buf.at, len), &got),
		    HT_EMALFORMED);
	ht_buf_u8(&buf, 0);
	assert_err(ht_entry_decode(ht_buf_slice(&buf), &got), HT_EMALFORMED);
	buf.len--;
	buf.at[0] = 2;
	assert_err(ht_entry_decode(ht_buf_slice(&buf), &got), HT_EMALFORMED);
}

static void
every_type_has_a_name(void **state)
{
	(void)state;
	for (unsigned type = 1; type <= HT_ENTRY_REMOVED; type++) {
		const char *text = ht_entry_type_text(type);

		assert_string_not_equal(text, "unknown type");
		assert_int_equal(ht_entry_type_parse(ht_slice_str(text)), type);
	}
	assert_string_equal(ht_entry_type_text(0), "unknown type");
	assert_string_equal(ht_entry_type_text(22), "unknown type");
	assert_int_equal(ht_entry_type_parse(ht_slice_str("request")), -1);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(an_entry_comes_back_as_it_was),
    cmocka_unit_test(the_bytes_are_those_of_the_page),
    cmocka_unit_test(what_breaks_a_rule_is_not_written),
    cmocka_unit_test(a_payload_is_bounded_by_the_leaf),
    cmocka_unit_test(no_prefix_and_no_suffix_is_a_leaf),
    cmocka_unit_test(every_type_has_a_name),
};

HT_TEST_MAIN(tests)
