#include "schemas/message.h"

#include "tests/lib/sample.h"
#include "tests/lib/test.h"

static struct ht_message sent, got;

/* One message of every type, encoded. */
static void
encode_sample(
    enum ht_message_type type, struct ht_buf *arena, struct ht_buf *out)
{
	ht_buf_reset(arena);
	ht_sample_message(&sent, type, arena);
	assert_ok(ht_message_encode(&sent, out));
}

static void
every_message_comes_back_as_it_went(void **state)
{
	(void)state;
	for (unsigned type = HT_MSG_HELLO; type <= HT_MSG_COSIGN; type++) {
		HT_AUTO(ht_buf_fini)
		struct ht_buf arena = HT_BUF(HT_SAMPLE_ARENA);
		HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(HT_FRAME_MAX);
		HT_AUTO(ht_buf_fini) struct ht_buf again = HT_BUF(HT_FRAME_MAX);
		const char *why = "";
		size_t at = 0;

		encode_sample(type, &arena, &out);
		memset(&got, 0xa5, sizeof(got)); /* all that counts is set */
		if (ht_message_decode(ht_buf_slice(&out), &got, &at, &why) !=
		    HT_OK)
			fail_msg("type %u: offset %zu: %s", type, at, why);
		assert_int_equal(got.type, type);
		assert_int_equal(got.ref, 77);
		assert_ok(ht_message_encode(&got, &again));
		assert_true(
		    ht_slice_eq(ht_buf_slice(&out), ht_buf_slice(&again)));
	}
}

/* Where two fields of one type stand side by side, each is in its place. */
static void
fields_are_in_their_places(void **state)
{
	HT_AUTO(ht_buf_fini) struct ht_buf arena = HT_BUF(HT_SAMPLE_ARENA);
	HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(HT_FRAME_MAX);

	(void)state;
	encode_sample(HT_MSG_HELLO, &arena, &out);
	assert_ok(ht_message_decode(ht_buf_slice(&out), &got, NULL, NULL));
	assert_int_equal(got.hello.n_versions, 2);
	assert_int_equal(got.hello.versions[1], 2);
	assert_true(ht_slice_is(got.hello.node, "tax.demo/state/main"));
	assert_true(ht_slice_eq(got.hello.checkpoint, sent.hello.checkpoint));
	assert_int_equal(got.hello.snapshot, 11);

	ht_buf_reset(&out);
	encode_sample(HT_MSG_WELCOME, &arena, &out);
	assert_ok(ht_message_decode(ht_buf_slice(&out), &got, NULL, NULL));
	assert_int_equal(got.welcome.body, HT_BODY_MAX);
	assert_int_equal(got.welcome.bundle, HT_BUNDLE_MAX);
	assert_int_equal(got.welcome.frame, HT_FRAME_MAX);
	assert_int_equal(got.welcome.life_ms, HT_LIFE_MS);
	assert_int_equal(got.welcome.skew_ms, HT_SKEW_MS);
	assert_true(got.welcome.time_ms == HT_SAMPLE_MS);

	ht_buf_reset(&out);
	encode_sample(HT_MSG_ACK, &arena, &out);
	assert_ok(ht_message_decode(ht_buf_slice(&out), &got, NULL, NULL));
	assert_int_equal(got.ack.n_results, 2);
	assert_int_equal(got.ack.results[0].status, HT_ST_OK);
	assert_int_equal(got.ack.results[0].place, 100);
	assert_int_equal(got.ack.results[1].status, HT_ST_NO_GRANT);
	assert_int_equal(got.ack.results[1].place, 101);
	assert_int_equal(got.ack.results[1].retry_ms, 5000);
	assert_int_equal(got.ack.results[1].reasons.n, 2);
	assert_string_equal(got.ack.results[1].reasons.at[1].detail, "61 s");
	assert_int_equal(got.ack.proof.size, 300);
	assert_int_equal(got.ack.proof.n_indexes, 2);
	assert_true(ht_slice_is(got.ack.proof.heads[1], "head of the second"));
	assert_int_equal(got.ack.proof.n_hashes, 3);

	ht_buf_reset(&out);
	encode_sample(HT_MSG_DELIVER, &arena, &out);
	assert_ok(ht_message_decode(ht_buf_slice(&out), &got, NULL, NULL));
	assert_int_equal(got.deliver.bundle.n_records, 2);
	assert_int_equal(got.deliver.bundle.records[1].index, 4);
	assert_int_equal(got.deliver.places[1], 255);

	ht_buf_reset(&out);
	encode_sample(HT_MSG_ERROR, &arena, &out);
	assert_ok(ht_message_decode(ht_buf_slice(&out), &got, NULL, NULL));
	assert_int_equal(got.error.reason.code, HT_ST_BUSY);
	assert_string_equal(got.error.reason.detail, "256 frames are waiting");
	assert_int_equal(got.error.retry_ms, 1000);
}

static void
what_may_be_left_out_is_nil(void **state)
{
	HT_AUTO(ht_buf_fini) struct ht_buf arena = HT_BUF(HT_SAMPLE_ARENA);
	HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(HT_FRAME_MAX);
	HT_AUTO(ht_buf_fini) struct ht_buf bad = HT_BUF(HT_FRAME_MAX);

	(void)state;
	ht_sample_message(&sent, HT_MSG_HELLO, &arena);
	sent.hello.checkpoint = HT_SLICE(NULL, 0);
	assert_ok(ht_message_encode(&sent, &out));
	assert_ok(ht_message_decode(ht_buf_slice(&out), &got, NULL, NULL));
	assert_int_equal(got.hello.checkpoint.len, 0);
	/* An empty bin would be a second form of the same. */
	ht_sample_swap(&bad, ht_buf_slice(&out), 5, HT_SLICE("\xc4\x00", 2));
	assert_err(ht_message_decode(ht_buf_slice(&bad), &got, NULL, NULL),
	    HT_EMALFORMED);

	ht_buf_reset(&out);
	ht_sample_message(&sent, HT_MSG_ACK, &arena);
	sent.ack.proof.present = false;
	assert_ok(ht_message_encode(&sent, &out));
	assert_ok(ht_message_decode(ht_buf_slice(&out), &got, NULL, NULL));
	assert_false(got.ack.proof.present);
	assert_int_equal(got.ack.proof.n_indexes, 0);
}

static void
what_is_no_message_is_refused(void **state)
{
	static const struct {
		const char *hex;
		enum ht_err want;
		size_t at;
		const char *why;
	} cases[] = {
	    {"",	            HT_EMALFORMED, 0, "the bytes end"           },
	    {"80",                  HT_EMALFORMED, 0, "a message is an array"   },
	    {"90",                  HT_EMALFORMED, 1, "a message is an array"   },
	    {"9101",                HT_EMALFORMED, 2, "a message is an array"   },
	    {"93020801",            HT_EPROTOCOL,  2, "another protocol version"},
	    {"9302c0c0",            HT_EPROTOCOL,  2, "another protocol version"},
	    {"93c00801",            HT_EMALFORMED, 1, "a message is an array"   },
	    {"93010001",            HT_ENOTFOUND,  3, "an unknown message type" },
	    {"93011401",            HT_ENOTFOUND,  3, "an unknown message type" },
	    {"9301ce00ffffff01",    HT_ENOTFOUND,  7, "an unknown message type" },
	    {"930108ff",            HT_EMALFORMED, 3, "PING: the elements"      },
	    {"920108",              HT_EMALFORMED, 3, "PING: the elements"      },
	    {"9401080100",          HT_EMALFORMED, 3, "PING: the elements"      },
	    {"93010900",            HT_EMALFORMED, 3, "PONG: the elements"      },
	    {"94010900c0",          HT_EMALFORMED, 4, "PONG: the elements"      },
	    {"9301080100",          HT_EMALFORMED, 4, "bytes after the value"   },
	    {"9301cc0801",          HT_EMALFORMED, 2, "not the shortest form"   },
	    {"ddffffffff",          HT_EMALFORMED, 0, "more elements than bytes"},
	    {"9401060a ddffffffff", HT_EMALFORMED, 4,
             "more elements than bytes"                                         },
	};

	(void)state;
	for (size_t i = 0; i < HT_COUNT(cases); i++) {
		HT_AUTO(ht_buf_fini) struct ht_buf bytes = HT_BUF(100);
		const char *why = "";
		size_t at = 99;
		enum ht_err err;

		ht_sample_hex(&bytes, cases[i].hex);
		err = ht_message_decode(ht_buf_slice(&bytes), &got, &at, &why);
		if (err != cases[i].want || at != cases[i].at ||
		    strncmp(why, cases[i].why, strlen(cases[i].why)) != 0)
			fail_msg("%s: %s: %zu: %s", cases[i].hex,
			    ht_err_text(err), at, why);
	}
}

static void
a_peer_is_told_what_kind_of_wrong_it_was(void **state)
{
	(void)state;
	assert_int_equal(ht_decode_status(HT_EMALFORMED), HT_ST_MALFORMED);
	assert_int_equal(ht_decode_status(HT_EINVALID), HT_ST_MALFORMED);
	assert_int_equal(ht_decode_status(HT_ETOOBIG), HT_ST_TOO_BIG);
	assert_int_equal(ht_decode_status(HT_EPROTOCOL), HT_ST_VERSION);
	assert_int_equal(ht_decode_status(HT_ENOTFOUND), HT_ST_UNKNOWN_TYPE);
}

/* Each element of each message, with something else in its place. */
static void
each_element_is_checked(void **state)
{
	static const char *const wrong[] = {"c0", "c2", "ff", "a161", "c40101",
	    "90", "91c0", "80", "cb3fe0000000000000"};

	(void)state;
	for (unsigned type = HT_MSG_HELLO; type <= HT_MSG_COSIGN; type++) {
		HT_AUTO(ht_buf_fini)
		struct ht_buf arena = HT_BUF(HT_SAMPLE_ARENA);
		HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(HT_FRAME_MAX);
		struct ht_unpack u;
		uint32_t n;

		encode_sample(type, &arena, &out);
		u = ht_unpack(ht_buf_slice(&out));
		n = ht_unpack_array(&u, 16);
		for (uint32_t i = 0; i < n * HT_COUNT(wrong); i++) {
			HT_AUTO(ht_buf_fini)
			struct ht_buf bad = HT_BUF(HT_FRAME_MAX);
			HT_AUTO(ht_buf_fini)
			struct ht_buf again = HT_BUF(HT_FRAME_MAX);
			HT_AUTO(ht_buf_fini) struct ht_buf with = HT_BUF(100);

			ht_sample_hex(&with, wrong[i % HT_COUNT(wrong)]);
			ht_sample_swap(&bad, ht_buf_slice(&out),
			    i / (uint32_t)HT_COUNT(wrong), ht_buf_slice(&with));
			/* None, another, or an error: never the old one. */
			if (ht_message_decode(
			        ht_buf_slice(&bad), &got, NULL, NULL) != HT_OK)
				continue;
			assert_ok(ht_message_encode(&got, &again));
			assert_true(ht_slice_eq(
			    ht_buf_slice(&bad), ht_buf_slice(&again)));
		}
		/* Each has exactly its elements. */
		for (uint32_t i = 0; i <= n; i += n) {
			HT_AUTO(ht_buf_fini)
			struct ht_buf bad = HT_BUF(HT_FRAME_MAX);

			ht_sample_swap(&bad, ht_buf_slice(&out),
			    i == 0 ? n - 1 : n,
			    i == 0 ? HT_SLICE(NULL, 0) : HT_SLICE("\xc0", 1));
			assert_err(ht_message_decode(
			               ht_buf_slice(&bad), &got, NULL, NULL),
			    HT_EMALFORMED);
		}
	}
}

static void
particular_rules_are_kept(void **state)
{
	static const struct {
		enum ht_message_type type;
		uint32_t element;
		const char *with;
	} cases[] = {
	    {HT_MSG_HELLO,   3, "90"	                           },
	    {HT_MSG_HELLO,   3, "99010203040506070809"                 },
	    {HT_MSG_HELLO,   3, "91ce00010000"                         },
	    {HT_MSG_HELLO,   4, "a3612f62"                             },
	    {HT_MSG_HELLO,   4, "a7612f622f632f64"                     },
	    {HT_MSG_HELLO,   4, "a4612f622f"                           },
	    {HT_MSG_HELLO,   4, "a0"	                           },
	    {HT_MSG_WELCOME, 9, "81a4626f647900"                       },
	    {HT_MSG_WELCOME, 9, "85a161 00a162 00a163 00a164 00a165 00"},
	    {HT_MSG_ACK,     3, "9195c40101 00 00 90 00"               },
	    {HT_MSG_ACK,     5, "94 05 9101 90 90"                     },
	    {HT_MSG_DELIVER, 4, "9101"                                 },
	    {HT_MSG_DELIVER, 4, "93010203"                             },
	    {HT_MSG_ERROR,   3, "94ccc8 01 a100 a0"                    },
	    {HT_MSG_ERROR,   4, "cf0000000100000000"                   },
	};

	(void)state;
	for (size_t i = 0; i < HT_COUNT(cases); i++) {
		HT_AUTO(ht_buf_fini)
		struct ht_buf arena = HT_BUF(HT_SAMPLE_ARENA);
		HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(HT_FRAME_MAX);
		HT_AUTO(ht_buf_fini) struct ht_buf bad = HT_BUF(HT_FRAME_MAX);
		HT_AUTO(ht_buf_fini) struct ht_buf with = HT_BUF(1000);
		enum ht_err err;

		encode_sample(cases[i].type, &arena, &out);
		ht_sample_hex(&with, cases[i].with);
		ht_sample_swap(&bad, ht_buf_slice(&out), cases[i].element,
		    ht_buf_slice(&with));
		err = ht_message_decode(ht_buf_slice(&bad), &got, NULL, NULL);
		if (err != HT_EMALFORMED && err != HT_ETOOBIG)
			fail_msg("case %zu: %s", i, ht_err_text(err));
	}
}

/* What a node sends is whole: only the broker leaves records out. */
static void
a_part_does_not_go_to_the_broker(void **state)
{
	HT_AUTO(ht_buf_fini) struct ht_buf arena = HT_BUF(HT_SAMPLE_ARENA);
	HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(HT_FRAME_MAX);
	static struct ht_bundle part;
	const char *why = "";

	(void)state;
	ht_sample_message(&sent, HT_MSG_DELIVER, &arena);
	part = sent.deliver.bundle;
	sent.type = HT_MSG_BUNDLE;
	sent.bundle = part;
	assert_ok(ht_message_encode(&sent, &out));
	assert_err(ht_message_decode(ht_buf_slice(&out), &got, NULL, &why),
	    HT_EMALFORMED);
	assert_string_equal(why, "a bundle comes to the broker whole");
}

static void
a_message_cut_anywhere_is_refused(void **state)
{
	(void)state;
	for (unsigned type = HT_MSG_HELLO; type <= HT_MSG_COSIGN; type++) {
		HT_AUTO(ht_buf_fini)
		struct ht_buf arena = HT_BUF(HT_SAMPLE_ARENA);
		HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(HT_FRAME_MAX);

		encode_sample(type, &arena, &out);
		for (size_t len = 0; len < out.len; len++) {
			HT_AUTO(ht_mem_free) uint8_t *cut = malloc(len + 1);
			size_t at = SIZE_MAX;

			memcpy(cut, out.at, len);
			assert_err(ht_message_decode(
			               HT_SLICE(cut, len), &got, &at, NULL),
			    HT_EMALFORMED);
			assert_true(at <= len);
		}
	}
}

/* A flipped bit is refused, or says something else; never the same. */
static void
no_flipped_bit_goes_unseen(void **state)
{
	(void)state;
	for (unsigned type = HT_MSG_HELLO; type <= HT_MSG_COSIGN; type++) {
		HT_AUTO(ht_buf_fini)
		struct ht_buf arena = HT_BUF(HT_SAMPLE_ARENA);
		HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(HT_FRAME_MAX);
		bool worded = type == HT_MSG_ACK || type == HT_MSG_ERROR;

		encode_sample(type, &arena, &out);
		for (size_t bit = 0; bit < 8 * out.len; bit++) {
			HT_AUTO(ht_buf_fini)
			struct ht_buf again = HT_BUF(HT_FRAME_MAX);

			out.at[bit / 8] ^= (uint8_t)(1u << bit % 8);
			if (ht_message_decode(ht_buf_slice(&out), &got, NULL,
			        NULL) == HT_OK) {
				assert_ok(ht_message_encode(&got, &again));
				/* Reasons are worded anew. */
				if (!worded)
					assert_true(
					    ht_slice_eq(ht_buf_slice(&out),
					        ht_buf_slice(&again)));
			}
			out.at[bit / 8] ^= (uint8_t)(1u << bit % 8);
		}
	}
}

static void
a_frame_has_a_limit(void **state)
{
	HT_AUTO(ht_mem_free) uint8_t *big = calloc(1, HT_FRAME_MAX + 1);
	HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(4 * HT_FRAME_MAX);
	HT_AUTO(ht_buf_fini) struct ht_buf arena = HT_BUF(HT_SAMPLE_ARENA);
	const char *why = "";

	(void)state;
	assert_err(ht_message_decode(
	               HT_SLICE(big, HT_FRAME_MAX + 1), &got, NULL, &why),
	    HT_ETOOBIG);
	assert_true(strlen(why) > 0);
	ht_sample_message(&sent, HT_MSG_SNAPSHOT, &arena);
	sent.snapshot.docs[0] = HT_SLICE(big, HT_FRAME_MAX - 100);
	assert_err(ht_message_encode(&sent, &out), HT_ETOOBIG);
}

/* The largest that a broker can have to send: it must fit. */
static void
the_largest_delivery_fits(void **state)
{
	HT_AUTO(ht_mem_free) uint8_t *zero = calloc(1, HT_BODY_MAX);
	HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(4 * HT_FRAME_MAX);
	struct ht_bundle *b = &sent.deliver.bundle;

	(void)state;
	memset(&sent, 0, sizeof(sent));
	sent.type = HT_MSG_DELIVER;
	b->suite = 1;
	b->count = b->n_records = HT_BUNDLE_MAX;
	for (uint32_t i = 0; i < HT_BUNDLE_MAX; i++) {
		b->records[i] = (struct ht_bundle_record){
		    .index = i,
		    .header = HT_SLICE(zero, HT_HEADER_MAX),
		    .body = HT_SLICE(zero, HT_BUNDLE_BYTES / HT_BUNDLE_MAX),
		    .tag = HT_SLICE(zero, HT_TAG_MAX),
		};
		sent.deliver.places[i] = UINT64_MAX;
		sent.deliver.proof.indexes[i] = UINT64_MAX;
		sent.deliver.proof.heads[i] = HT_SLICE(zero, 400);
	}
	sent.deliver.checkpoint = HT_SLICE(zero, 16384);
	sent.deliver.proof.present = true;
	sent.deliver.proof.n_indexes = HT_BUNDLE_MAX;
	sent.deliver.proof.n_hashes = 40 * HT_BUNDLE_MAX;
	assert_ok(ht_message_encode(&sent, &out));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(every_message_comes_back_as_it_went),
    cmocka_unit_test(fields_are_in_their_places),
    cmocka_unit_test(what_may_be_left_out_is_nil),
    cmocka_unit_test(what_is_no_message_is_refused),
    cmocka_unit_test(a_peer_is_told_what_kind_of_wrong_it_was),
    cmocka_unit_test(each_element_is_checked),
    cmocka_unit_test(particular_rules_are_kept),
    cmocka_unit_test(a_part_does_not_go_to_the_broker),
    cmocka_unit_test(a_message_cut_anywhere_is_refused),
    cmocka_unit_test(no_flipped_bit_goes_unseen),
    cmocka_unit_test(a_frame_has_a_limit),
    cmocka_unit_test(the_largest_delivery_fits),
};
HT_TEST_MAIN(tests)
