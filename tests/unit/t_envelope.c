#include "schemas/envelope.h"

#include "tests/lib/sample.h"
#include "tests/lib/test.h"

static void
assert_same_header(const struct ht_header *a, const struct ht_header *b)
{
	assert_int_equal(a->version, b->version);
	assert_int_equal(a->suite, b->suite);
	assert_true(ht_id_eq(&a->record, &b->record));
	assert_true(ht_id_eq(&a->exchange, &b->exchange));
	assert_int_equal(a->kind, b->kind);
	assert_true(ht_slice_eq(a->sender, b->sender));
	assert_true(ht_slice_eq(a->node, b->node));
	assert_true(ht_slice_eq(a->recipient, b->recipient));
	assert_true(ht_slice_eq(a->item, b->item));
	assert_int_equal(a->item_version, b->item_version);
	assert_int_equal(a->operation, b->operation);
	assert_true(ht_slice_eq(a->purpose, b->purpose));
	assert_true(ht_slice_eq(a->basis, b->basis));
	assert_true(ht_slice_eq(a->grant, b->grant));
	assert_true(a->created_ms == b->created_ms);
	assert_true(a->expires_ms == b->expires_ms);
	assert_int_equal(a->has_reply_to, b->has_reply_to);
	assert_true(ht_hash_eq(&a->reply_to, &b->reply_to));
	assert_true(a->counter == b->counter);
	assert_int_equal(a->has_tag, b->has_tag);
	if (a->has_tag)
		assert_true(ht_hash_eq(&a->tag, &b->tag));
	assert_true(ht_hash_eq(&a->commitment, &b->commitment));
	assert_true(ht_slice_eq(a->released, b->released));
	assert_int_equal(a->status, b->status);
	assert_int_equal(a->seal_mode, b->seal_mode);
	assert_true(ht_keyid_eq(&a->seal_key, &b->seal_key));
	assert_memory_equal(a->enc, b->enc, sizeof(a->enc));
	assert_true(a->seal_seq == b->seal_seq);
	assert_int_equal(a->body_len, b->body_len);
	assert_true(ht_hash_eq(&a->body_hash, &b->body_hash));
}

static void
a_header_comes_back_as_it_went(void **state)
{
	struct ht_header headers[] = {
	    ht_sample_request(), ht_sample_response(), ht_sample_request()};

	(void)state;
	headers[2].counter = UINT64_MAX;
	headers[2].expires_ms = UINT64_MAX;
	headers[2].seal_seq = UINT64_MAX;
	headers[2].item_version = UINT32_MAX;
	headers[2].body_len = HT_BODY_MAX;
	for (size_t i = 0; i < HT_COUNT(headers); i++) {
		HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(HT_HEADER_MAX);
		struct ht_header back;

		ht_sample_encode(&headers[i], &out);
		assert_ok(
		    ht_header_decode(ht_buf_slice(&out), &back, NULL, NULL));
		assert_same_header(&headers[i], &back);
		assert_true(ht_slice_eq(back.raw, ht_buf_slice(&out)));
		/* The AAD: exactly the envelope's own bytes. */
		assert_ptr_equal(back.envelope.at, out.at + 1);
		assert_ok(ht_pack_check(back.envelope, NULL, NULL));
	}
}

/* One element of the envelope or the seal, replaced. */
static const struct wrong {
	unsigned half; /* 0: envelope, 1: seal */
	uint32_t element;
	const char *with;
	enum ht_err want;
	const char *why;
} wrongs[] = {
    {0, 0,  "00",                 HT_EPROTOCOL,  "a version of the envelope"},
    {0, 0,  "02",                 HT_EPROTOCOL,  "a version of the envelope"},
    {0, 0,  "c0",                 HT_EMALFORMED, "version (0)"              },
    {0, 1,  "02",                 HT_EPROTOCOL,  "a suite not known here"   },
    {0, 1,  "a131",               HT_EMALFORMED, "suite (1)"                },
    {0, 2,  "c40101",             HT_EMALFORMED, "record (2)"               },
    {0, 2,  "c0",                 HT_EMALFORMED, "record (2)"               },
    {0, 3,  "01",                 HT_EMALFORMED, "exchange (3)"             },
    {0, 4,  "00",                 HT_EMALFORMED, "kind (4)"                 },
    {0, 4,  "06",                 HT_EMALFORMED, "kind (4)"                 },
    {0, 4,  "02",                 HT_EMALFORMED, "in_reply_to (16)"         },
    {0, 4,  "05",                 HT_EMALFORMED, "in_reply_to (16)"         },
    {0, 5,  "a0",                 HT_EMALFORMED, "sender (5)"               },
    {0, 5,  "a3746178",           HT_EMALFORMED, "sender (5)"               },
    {0, 5,  "a3612f20",           HT_EMALFORMED, "sender (5)"               },
    {0, 5,  "a5612fd0b0 62",      HT_EMALFORMED, "sender (5)"               },
    {0, 5,  "c403612f62",         HT_EMALFORMED, "sender (5)"               },
    {0, 6,  "a3612f62",           HT_EMALFORMED, "node (6)"                 },
    {0, 6,  "a0",                 HT_EMALFORMED, "node (6)"                 },
    {0, 7,  "a5612f622f63",       HT_EMALFORMED, "recipient (7)"            },
    {0, 8,  "a12f",               HT_EMALFORMED, "item (8)"                 },
    {0, 9,  "ff",                 HT_EMALFORMED, "item_version (9)"         },
    {0, 9,  "cf0000000100000000", HT_EMALFORMED, "item_version (9)"         },
    {0, 10, "00",                 HT_EMALFORMED, "operation (10)"           },
    {0, 10, "06",                 HT_EMALFORMED, "operation (10)"           },
    {0, 11, "a3612062",           HT_EMALFORMED, "purpose (11)"             },
    {0, 12, "c0",                 HT_EMALFORMED, "basis (12)"               },
    {0, 13, "a23137",             HT_EMALFORMED, "grant (13)"               },
    {0, 14, "ff",                 HT_EMALFORMED, "created (14)"             },
    {0, 15, "c0",                 HT_EMALFORMED, "expires (15)"             },
    {0, 15, "01",                 HT_EMALFORMED, "expires (15): later"      },
    {0, 16, "c40101",             HT_EMALFORMED, "in_reply_to (16)"         },
    {0, 17, "ff",                 HT_EMALFORMED, "counter (17)"             },
    {0, 18, "c2",                 HT_EMALFORMED, "tag (18)"                 },
    {0, 19, "c0",                 HT_EMALFORMED, "commitment (19)"          },
    {0, 20, "c40101",             HT_EMALFORMED, "released (20): nil is"    },
    {0, 20, "c400",               HT_EMALFORMED, "released (20)"            },
    {0, 20, "c4020100",           HT_EMALFORMED, "released (20)"            },
    {0, 21, "01",                 HT_EMALFORMED, "status (21)"              },
    {0, 21, "04",                 HT_EMALFORMED, "status (21)"              },
    {0, 21, "",                   HT_EMALFORMED, "envelope: an array"       },
    {0, 22, "c0",                 HT_EMALFORMED, "envelope: an array"       },
    {1, 0,  "01",                 HT_EMALFORMED, "seal mode (0)"            },
    {1, 1,  "c40101",             HT_EMALFORMED, "seal key (1)"             },
    {1, 2,  "c0",                 HT_EMALFORMED, "seal enc (2)"             },
    {1, 3,  "ff",                 HT_EMALFORMED, "seal sequence (3)"        },
    {1, 4,  "33",                 HT_EMALFORMED, "seal body_len (4)"        },
    {1, 4,  "ce00100001",         HT_EMALFORMED, "seal body_len (4)"        },
    {1, 5,  "c40101",             HT_EMALFORMED, "seal body_hash (5)"       },
    {1, 5,  "",                   HT_EMALFORMED, "seal: an array"           },
    {1, 6,  "00",                 HT_EMALFORMED, "seal: an array"           },
};

static void
swap_in_header(struct ht_buf *out, const struct wrong *w, struct ht_slice raw)
{
	HT_AUTO(ht_buf_fini) struct ht_buf element = HT_BUF(2000);
	HT_AUTO(ht_buf_fini) struct ht_buf half = HT_BUF(2000);
	struct ht_unpack u = ht_unpack(raw);

	ht_unpack_array_of(&u, 2);
	if (w->half == 1)
		(void)ht_unpack_raw(&u);
	ht_sample_hex(&element, w->with);
	ht_sample_swap(
	    &half, ht_unpack_raw(&u), w->element, ht_buf_slice(&element));
	ht_sample_swap(out, raw, w->half, ht_buf_slice(&half));
}

static void
each_field_is_checked(void **state)
{
	struct ht_header request = ht_sample_request();
	HT_AUTO(ht_buf_fini) struct ht_buf good = HT_BUF(HT_HEADER_MAX);

	(void)state;
	ht_sample_encode(&request, &good);
	for (size_t i = 0; i < HT_COUNT(wrongs); i++) {
		const struct wrong *w = &wrongs[i];
		HT_AUTO(ht_buf_fini) struct ht_buf bad = HT_BUF(4000);
		struct ht_header back = {.version = 99};
		const char *why = "";
		size_t at = SIZE_MAX;
		enum ht_err err;

		swap_in_header(&bad, w, ht_buf_slice(&good));
		err = ht_header_decode(ht_buf_slice(&bad), &back, &at, &why);
		if (err != w->want || strncmp(why, w->why, strlen(w->why)) != 0)
			fail_msg("%u/%u %s: %s: %s", w->half, w->element,
			    w->with, ht_err_text(err), why);
		assert_true(at <= bad.len);
		assert_int_equal(back.version, 99); /* untouched */
	}
}

static void
an_answer_keeps_its_rules(void **state)
{
	static const struct {
		uint32_t element;
		const char *with;
		const char *why;
	} cases[] = {
	    {16, "c0",       "in_reply_to (16)"},
	    {21, "00",       "status (21)"     },
	    {20, "c4020100", "released (20)"   },
	    {4,  "03",       "status (21)"     },
	};
	struct ht_header response = ht_sample_response(), back;
	HT_AUTO(ht_buf_fini) struct ht_buf good = HT_BUF(HT_HEADER_MAX);

	(void)state;
	ht_sample_encode(&response, &good);
	for (size_t i = 0; i < HT_COUNT(cases); i++) {
		struct wrong w = {
		    .element = cases[i].element, .with = cases[i].with};
		HT_AUTO(ht_buf_fini) struct ht_buf bad = HT_BUF(4000);
		const char *why = "";

		swap_in_header(&bad, &w, ht_buf_slice(&good));
		assert_err(
		    ht_header_decode(ht_buf_slice(&bad), &back, NULL, &why),
		    HT_EMALFORMED);
		assert_memory_equal(why, cases[i].why, strlen(cases[i].why));
	}
}

static void
the_writer_keeps_the_rules_too(void **state)
{
	struct ht_header bad[14];

	(void)state;
	for (size_t i = 0; i < HT_COUNT(bad); i++)
		bad[i] = ht_sample_request();
	bad[0].sender = ht_slice_str("nobody");
	bad[1].node = HT_SLICE(NULL, 0);
	bad[2].suite = 2;
	bad[3].kind = 0;
	bad[4].expires_ms = bad[4].created_ms;
	bad[5].has_reply_to = true;
	bad[6].status = HT_ANSWER_ANSWERED;
	bad[7].released = HT_SLICE("\1", 1);
	bad[8].kind = HT_KIND_RESPONSE;
	bad[9].purpose = ht_slice_str("two words");
	bad[10] = ht_sample_response();
	bad[10].released = HT_SLICE("\1\0", 2);
	bad[11].operation = 6;
	bad[12].grant = ht_slice_str("17");
	bad[13] = ht_sample_response();
	bad[13].status = 0;
	for (size_t i = 0; i < HT_COUNT(bad); i++) {
		HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(HT_HEADER_MAX);

		if (ht_envelope_encode(&bad[i], &out) != HT_EINVALID)
			fail_msg("case %zu was written", i);
	}
	{
		struct ht_header h = ht_sample_request();
		HT_AUTO(ht_buf_fini) struct ht_buf env = HT_BUF(HT_HEADER_MAX);
		HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(HT_HEADER_MAX);

		h.body_len = HT_BODY_MIN - 1;
		assert_ok(ht_envelope_encode(&h, &env));
		assert_err(ht_header_encode(&h, ht_buf_slice(&env), &out),
		    HT_EINVALID);
	}
}

static void
a_header_cut_anywhere_is_refused(void **state)
{
	struct ht_header request = ht_sample_request(), back;
	HT_AUTO(ht_buf_fini) struct ht_buf good = HT_BUF(HT_HEADER_MAX + 1);

	(void)state;
	ht_sample_encode(&request, &good);
	for (size_t len = 0; len < good.len; len++) {
		HT_AUTO(ht_mem_free) uint8_t *cut = malloc(len + 1);
		size_t at = SIZE_MAX;

		memcpy(cut, good.at, len);
		assert_err(
		    ht_header_decode(HT_SLICE(cut, len), &back, &at, NULL),
		    HT_EMALFORMED);
		assert_true(at <= len);
	}
	ht_buf_u8(&good, 0);
	assert_err(ht_header_decode(ht_buf_slice(&good), &back, NULL, NULL),
	    HT_EMALFORMED);
}

/* Whatever a flipped bit still decodes to is exactly those bytes. */
static void
no_flipped_bit_goes_unseen(void **state)
{
	struct ht_header samples[] = {
	    ht_sample_request(), ht_sample_response()};

	(void)state;
	for (size_t i = 0; i < HT_COUNT(samples); i++) {
		HT_AUTO(ht_buf_fini) struct ht_buf good = HT_BUF(HT_HEADER_MAX);
		struct ht_hash hash;
		unsigned refused = 0;

		ht_sample_encode(&samples[i], &good);
		hash = ht_header_hash(ht_buf_slice(&good));
		for (size_t bit = 0; bit < 8 * good.len; bit++) {
			HT_AUTO(ht_buf_fini)
			struct ht_buf again = HT_BUF(HT_HEADER_MAX);
			struct ht_header back;
			struct ht_hash other;

			good.at[bit / 8] ^= (uint8_t)(1u << bit % 8);
			if (ht_header_decode(ht_buf_slice(&good), &back, NULL,
			        NULL) == HT_OK) {
				ht_sample_encode(&back, &again);
				assert_true(ht_slice_eq(
				    ht_buf_slice(&good), ht_buf_slice(&again)));
				other = ht_header_hash(back.raw);
				assert_false(ht_hash_eq(&hash, &other));
			} else {
				refused++;
			}
			good.at[bit / 8] ^= (uint8_t)(1u << bit % 8);
		}
		assert_true(refused > 100);
	}
}

static void
a_header_is_not_larger_than_allowed(void **state)
{
	static uint8_t big[HT_HEADER_MAX + 1];
	struct ht_header h = ht_sample_response(), back;
	HT_AUTO(ht_buf_fini) struct ht_buf env = HT_BUF(4096);
	HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(4096);
	char name[HT_NAME_MAX + 1], code[HT_NODE_MAX + 1];
	size_t at = 0;

	(void)state;
	assert_err(
	    ht_header_decode(HT_SLICE(big, sizeof(big)), &back, &at, NULL),
	    HT_ETOOBIG);
	assert_int_equal(at, HT_HEADER_MAX);
	/* Every field as long as it may be: it still fits, just. */
	memset(name, 'n', sizeof(name));
	name[64] = '/';
	memset(code, 'c', sizeof(code));
	memset(big, 0xff, sizeof(big));
	h.sender = h.recipient = h.item = HT_SLICE(name, HT_NAME_MAX);
	h.node = h.purpose = h.basis = HT_SLICE(code, HT_NODE_MAX);
	h.grant = HT_SLICE(name, HT_GRANT_MAX);
	h.released = HT_SLICE(big, HT_RELEASED_MAX);
	h.has_tag = true;
	h.created_ms = UINT64_MAX - 1;
	h.expires_ms = h.counter = h.seal_seq = UINT64_MAX;
	h.item_version = UINT32_MAX;
	assert_ok(ht_envelope_encode(&h, &env));
	assert_ok(ht_header_encode(&h, ht_buf_slice(&env), &out));
	assert_ok(ht_header_decode(ht_buf_slice(&out), &back, NULL, NULL));
	assert_true(out.len > HT_HEADER_MAX - 100);
}

static void
the_hash_is_that_of_a_leaf(void **state)
{
	static const uint8_t leaf[] = {0x00, 0x92, 0x90, 0x90};
	struct ht_hash want = ht_sha256(HT_SLICE(leaf, sizeof(leaf)));
	struct ht_hash got = ht_header_hash(HT_SLICE(leaf + 1, 3));

	(void)state;
	assert_true(ht_hash_eq(&want, &got));
}

static void
released_fields_are_bits(void **state)
{
	uint8_t bits[HT_RELEASED_MAX] = {0};
	size_t len = 0;

	(void)state;
	ht_released_set(bits, &len, 0);
	assert_int_equal(len, 1);
	ht_released_set(bits, &len, 9);
	assert_int_equal(len, 2);
	ht_released_set(bits, &len, 3);
	assert_int_equal(len, 2);
	assert_int_equal(bits[0], 0x09);
	assert_int_equal(bits[1], 0x02);
	ht_released_set(bits, &len, 511);
	assert_int_equal(len, HT_RELEASED_MAX);
	for (size_t i = 0; i < 600; i++)
		assert_int_equal(ht_released_get(HT_SLICE(bits, len), i),
		    i == 0 || i == 3 || i == 9 || i == 511);
	assert_false(ht_released_get(HT_SLICE(NULL, 0), 0));
}

static void
ids_are_in_order_of_time(void **state)
{
	struct ht_id a = ht_id_exchange(HT_SAMPLE_MS);
	struct ht_id b = ht_id_exchange(HT_SAMPLE_MS);
	struct ht_id later = ht_id_exchange(HT_SAMPLE_MS + 1);
	struct ht_id random = ht_id_random(), other = ht_id_random();

	(void)state;
	assert_memory_equal(a.at, b.at, 6);
	assert_true(ht_load64(a.at) >> 16 == HT_SAMPLE_MS);
	assert_false(ht_id_eq(&a, &b));
	assert_true(memcmp(later.at, a.at, sizeof(a.at)) > 0);
	assert_false(ht_id_eq(&random, &other));
}

static void
words_are_found_both_ways(void **state)
{
	unsigned op = 0;

	(void)state;
	for (unsigned i = HT_OP_QUERY; i <= HT_OP_TRANSFER; i++) {
		assert_ok(ht_operation_parse(
		    ht_slice_str(ht_operation_text(i)), &op));
		assert_int_equal(op, i);
	}
	assert_err(
	    ht_operation_parse(ht_slice_str("unknown"), &op), HT_EINVALID);
	assert_string_equal(ht_operation_text(HT_OP_VERIFY), "verify");
	assert_string_equal(ht_operation_text(6), "unknown");
	assert_string_equal(ht_kind_text(HT_KIND_RECEIPT), "receipt");
	assert_string_equal(ht_kind_text(0), "unknown");
	assert_string_equal(ht_kind_text(6), "unknown");
	assert_string_equal(ht_answer_text(HT_ANSWER_REFUSED), "refused");
	assert_string_equal(ht_answer_text(4), "unknown");
}

static void
the_seal_info_is_label_suite_and_key(void **state)
{
	struct ht_header h = ht_sample_request();
	uint8_t info[HT_SEAL_INFO_SIZE];

	(void)state;
	ht_seal_info(&h.seal_key, info);
	assert_memory_equal(
	    info, "hutong-seal/v1\n\1\x70\x71\x72\x73\x74\x75\x76\x77", 24);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_header_comes_back_as_it_went),
    cmocka_unit_test(each_field_is_checked),
    cmocka_unit_test(an_answer_keeps_its_rules),
    cmocka_unit_test(the_writer_keeps_the_rules_too),
    cmocka_unit_test(a_header_cut_anywhere_is_refused),
    cmocka_unit_test(no_flipped_bit_goes_unseen),
    cmocka_unit_test(a_header_is_not_larger_than_allowed),
    cmocka_unit_test(the_hash_is_that_of_a_leaf),
    cmocka_unit_test(released_fields_are_bits),
    cmocka_unit_test(ids_are_in_order_of_time),
    cmocka_unit_test(words_are_found_both_ways),
    cmocka_unit_test(the_seal_info_is_label_suite_and_key),
};
HT_TEST_MAIN(tests)
