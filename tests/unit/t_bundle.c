#include "schemas/bundle.h"

#include "schemas/status.h"
#include "tests/lib/fault.h"
#include "tests/lib/sample.h"
#include "tests/lib/test.h"

static struct ht_key *key;

static int
setup(void **state)
{
	(void)state;
	key = ht_sample_signing();
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	ht_key_free(&key);
	return 0;
}

static enum ht_err
unpack(struct ht_slice bytes, struct ht_bundle *ret, const char **why)
{
	struct ht_unpack u = ht_unpack(bytes);
	enum ht_err err;

	assert_ok(ht_pack_check(bytes, NULL, NULL));
	err = ht_bundle_unpack(&u, ret, why);
	assert_int_equal(u.err, err);
	return err == HT_OK ? ht_unpack_end(&u) : err;
}

static void
assert_same_record(
    const struct ht_bundle_record *a, const struct ht_bundle_record *b)
{
	assert_int_equal(a->index, b->index);
	assert_true(ht_slice_eq(a->header, b->header));
	assert_true(ht_slice_eq(a->body, b->body));
	assert_true(ht_slice_eq(a->tag, b->tag));
	assert_true(ht_hash_eq(&a->hash, &b->hash));
}

static void
a_signed_bundle_comes_back_and_verifies(void **state)
{
	static const uint32_t counts[] = {1, 2, 3, 5, 63, 64};
	static struct ht_bundle sent, got;
	struct ht_pub pub = ht_key_pub(key);

	(void)state;
	for (size_t i = 0; i < HT_COUNT(counts); i++) {
		HT_AUTO(ht_buf_fini)
		struct ht_buf arena = HT_BUF(HT_SAMPLE_ARENA);
		HT_AUTO(ht_buf_fini) struct ht_buf wire = HT_BUF(HT_FRAME_MAX);
		HT_AUTO(ht_buf_fini) struct ht_buf again = HT_BUF(HT_FRAME_MAX);
		const char *why = "";

		ht_sample_bundle(&sent, counts[i], &arena);
		assert_ok(ht_bundle_sign(&sent, key));
		ht_bundle_pack(&wire, &sent);
		if (unpack(ht_buf_slice(&wire), &got, &why) != HT_OK)
			fail_msg("%u: %s", counts[i], why);
		assert_int_equal(got.count, counts[i]);
		assert_int_equal(got.n_records, counts[i]);
		assert_int_equal(got.n_left, 0);
		assert_true(ht_hash_eq(&got.root, &sent.root));
		assert_true(ht_keyid_eq(&got.key, &sent.key));
		for (uint32_t r = 0; r < counts[i]; r++)
			assert_same_record(&got.records[r], &sent.records[r]);
		assert_ok(ht_bundle_verify(&got, &pub));
		ht_bundle_pack(&again, &got);
		assert_true(
		    ht_slice_eq(ht_buf_slice(&wire), ht_buf_slice(&again)));
	}
}

/* Every part of every small bundle has the root and signature of the whole. */
static void
a_part_proves_as_much_as_the_whole(void **state)
{
	static struct ht_bundle whole, part, got;
	struct ht_pub pub = ht_key_pub(key);

	(void)state;
	for (uint32_t n = 1; n <= 8; n++) {
		HT_AUTO(ht_buf_fini)
		struct ht_buf arena = HT_BUF(HT_SAMPLE_ARENA);

		ht_sample_bundle(&whole, n, &arena);
		assert_ok(ht_bundle_sign(&whole, key));
		for (uint32_t set = 1; set < 1u << n; set++) {
			HT_AUTO(ht_buf_fini)
			struct ht_buf wire = HT_BUF(HT_FRAME_MAX);
			uint32_t keep[8], n_keep = 0;
			const char *why = "";

			for (uint32_t i = 0; i < n; i++)
				if (set & 1u << i)
					keep[n_keep++] = i;
			assert_ok(ht_bundle_part(&whole, keep, n_keep, &part));
			assert_true(part.n_left <= n - n_keep);
			ht_bundle_pack(&wire, &part);
			if (unpack(ht_buf_slice(&wire), &got, &why) != HT_OK)
				fail_msg("%u of %u: %s", set, n, why);
			assert_int_equal(got.n_records, n_keep);
			for (uint32_t i = 0; i < n_keep; i++)
				assert_same_record(
				    &got.records[i], &whole.records[keep[i]]);
			assert_true(ht_hash_eq(&got.root, &whole.root));
			assert_ok(ht_bundle_verify(&got, &pub));
		}
	}
}

static void
the_most_left_out_fits(void **state)
{
	static struct ht_bundle whole, part;
	HT_AUTO(ht_buf_fini) struct ht_buf arena = HT_BUF(HT_SAMPLE_ARENA);
	uint32_t odd[32];

	(void)state;
	for (uint32_t i = 0; i < 32; i++)
		odd[i] = 2 * i + 1;
	ht_sample_bundle(&whole, 64, &arena);
	assert_ok(ht_bundle_sign(&whole, key));
	assert_ok(ht_bundle_part(&whole, odd, 32, &part));
	assert_int_equal(part.n_left, 32);
}

/* Whatever is signed cannot be changed; what is not signed is hashed. */
static void
a_changed_bundle_does_not_verify(void **state)
{
	static struct ht_bundle good, bad;
	HT_AUTO(ht_buf_fini) struct ht_buf arena = HT_BUF(HT_SAMPLE_ARENA);
	HT_AUTO(ht_key_free) struct ht_key *stranger = NULL;
	struct ht_pub pub = ht_key_pub(key), other;

	(void)state;
	ht_sample_bundle(&good, 3, &arena);
	assert_ok(ht_bundle_sign(&good, key));
	assert_ok(ht_bundle_verify(&good, &pub));
	assert_ok(ht_key_new(HT_KEY_SIGNING, &stranger));
	other = ht_key_pub(stranger);
	assert_err(ht_bundle_verify(&good, &other), HT_EBADSIG);
	bad = good;
	bad.suite = 2;
	assert_err(ht_bundle_verify(&bad, &pub), HT_EBADSIG);
	bad = good;
	bad.sender = ht_slice_str("tax.demo/other");
	assert_err(ht_bundle_verify(&bad, &pub), HT_EBADSIG);
	bad = good;
	bad.node = ht_slice_str("other");
	assert_err(ht_bundle_verify(&bad, &pub), HT_EBADSIG);
	bad = good;
	bad.key.at[0] ^= 1;
	assert_err(ht_bundle_verify(&bad, &pub), HT_EBADSIG);
	bad = good;
	bad.count = 4;
	assert_err(ht_bundle_verify(&bad, &pub), HT_EBADSIG);
	bad = good;
	bad.root.at[31] ^= 0x80;
	assert_err(ht_bundle_verify(&bad, &pub), HT_EBADSIG);
	bad = good;
	bad.sig.at[0] ^= 1;
	assert_err(ht_bundle_verify(&bad, &pub), HT_EBADSIG);
}

/* No bit of the wire can change without being refused or found. */
static void
no_flipped_bit_goes_unseen(void **state)
{
	static struct ht_bundle sent, got;
	HT_AUTO(ht_buf_fini) struct ht_buf arena = HT_BUF(HT_SAMPLE_ARENA);
	HT_AUTO(ht_buf_fini) struct ht_buf wire = HT_BUF(HT_FRAME_MAX);
	struct ht_pub pub = ht_key_pub(key);
	unsigned found[4] = {0};

	(void)state;
	ht_sample_bundle(&sent, 2, &arena);
	assert_ok(ht_bundle_sign(&sent, key));
	ht_bundle_pack(&wire, &sent);
	for (size_t bit = 0; bit < 8 * wire.len; bit++) {
		struct ht_slice bytes = ht_buf_slice(&wire);
		struct ht_unpack u = ht_unpack(bytes);
		struct ht_header h;
		bool seen = false;

		wire.at[bit / 8] ^= (uint8_t)(1u << bit % 8);
		if (ht_pack_check(bytes, NULL, NULL) != HT_OK) {
			found[0]++;
			seen = true;
		} else if (ht_bundle_unpack(&u, &got, NULL) != HT_OK) {
			found[1]++;
			seen = true;
		} else if (ht_hash_eq(&got.root, &sent.root)) {
			/* Only then is it worth a look at the bodies. */
			for (uint32_t i = 0; i < got.n_records; i++) {
				assert_ok(ht_header_decode(
				    got.records[i].header, &h, NULL, NULL));
				if (ht_record_check(&got.records[i], &h) !=
				    HT_ST_OK)
					seen = true;
			}
			found[2] += seen;
		}
		if (!seen) {
			/* 53 us each: this is for the rest alone. */
			assert_err(ht_bundle_verify(&got, &pub), HT_EBADSIG);
			found[3]++;
		}
		wire.at[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	for (size_t i = 0; i < HT_COUNT(found); i++)
		assert_true(found[i] > 0);
}

static void
a_bundle_cut_anywhere_is_refused(void **state)
{
	static struct ht_bundle sent, got;
	HT_AUTO(ht_buf_fini) struct ht_buf arena = HT_BUF(HT_SAMPLE_ARENA);
	HT_AUTO(ht_buf_fini) struct ht_buf wire = HT_BUF(HT_FRAME_MAX);

	(void)state;
	ht_sample_bundle(&sent, 2, &arena);
	assert_ok(ht_bundle_sign(&sent, key));
	ht_bundle_pack(&wire, &sent);
	for (size_t len = 0; len < wire.len; len++) {
		HT_AUTO(ht_mem_free) uint8_t *cut = malloc(len + 1);
		struct ht_unpack u;

		memcpy(cut, wire.at, len);
		assert_err(ht_pack_check(HT_SLICE(cut, len), NULL, NULL),
		    HT_EMALFORMED);
		/* Even unchecked bytes are no danger. */
		u = ht_unpack(HT_SLICE(cut, len));
		assert_err(ht_bundle_unpack(&u, &got, NULL), HT_EMALFORMED);
	}
}

#define HASH                                                                   \
	"c420"                                                                 \
	"0000000000000000000000000000000000000000000000000000000000000000"

static void
each_element_is_checked(void **state)
{
	static const struct {
		uint32_t element;
		const char *with;
		enum ht_err want;
		const char *why;
	} cases[] = {
	    {0, "02",	                        HT_EPROTOCOL,  "a suite not known here" },
	    {0, "c0",	                        HT_EMALFORMED, "a bundle is an array"   },
	    {1, "a161",	                      HT_EMALFORMED, "sender"                 },
	    {1, "c0",	                        HT_EMALFORMED, "sender"                 },
	    {2, "a0",	                        HT_EMALFORMED, "node"                   },
	    {2, "a3612f62",                          HT_EMALFORMED, "node"                   },
	    {3, "c40101",	                    HT_EMALFORMED, "key"                    },
	    {4, "00",	                        HT_EMALFORMED, "count"                  },
	    {4, "41",	                        HT_EMALFORMED, "count"                  },
	    {4, "01",	                        HT_EMALFORMED, "record indexes increase"},
	    {4, "03",	                        HT_EMALFORMED, "records and left"       },
	    {5, "c40101",	                    HT_EMALFORMED, "signature"              },
	    {6, "90",	                        HT_EMALFORMED, "records: an array"      },
	    {6, "c0",	                        HT_EMALFORMED, "records: an array"      },
	    {6, "dc0041",	                    HT_ETOOBIG,    "records: an array"      },
	    {6, "9190",	                      HT_EMALFORMED, "a record is"            },
	    {6, "9194c0c400c400c0",                  HT_EMALFORMED, "record indexes increase"},
	    {6, "919402c400c400c0",                  HT_EMALFORMED, "record indexes increase"},
	    {6, "9294 00c400c400c0 94 00c400c400c0", HT_EMALFORMED,
             "record indexes increase"	                                               },
	    {6, "9294 01c400c400c0 94 00c400c400c0", HT_EMALFORMED,
             "record indexes increase"	                                               },
	    {6, "919400c0c400c0",                    HT_EMALFORMED, "a header is bin"        },
	    {6, "919400c400c0c0",                    HT_EMALFORMED, "a body is bin"          },
	    {6, "919400c400c400c400",                HT_EMALFORMED, "a tag is nil"           },
	    {6, "919400c400c40000",                  HT_EMALFORMED, "a tag is nil"           },
	    {6, "919400c400c400c0",                  HT_EMALFORMED, "records and left"       },
	    {7, "c0",	                        HT_EMALFORMED, "left: an array"         },
	    {7, "91c40101",                          HT_EMALFORMED, "left: an array"         },
	    {7, "91" HASH,	                   HT_EMALFORMED, "records and left"       },
	    {7, "",	                          HT_EMALFORMED, "a bundle is an array"   },
	    {8, "c0",	                        HT_EMALFORMED, "a bundle is an array"   },
	};
	static struct ht_bundle sent, got;
	HT_AUTO(ht_buf_fini) struct ht_buf arena = HT_BUF(HT_SAMPLE_ARENA);
	HT_AUTO(ht_buf_fini) struct ht_buf wire = HT_BUF(HT_FRAME_MAX);

	(void)state;
	ht_sample_bundle(&sent, 2, &arena);
	assert_ok(ht_bundle_sign(&sent, key));
	ht_bundle_pack(&wire, &sent);
	for (size_t i = 0; i < HT_COUNT(cases); i++) {
		HT_AUTO(ht_buf_fini) struct ht_buf element = HT_BUF(4000);
		HT_AUTO(ht_buf_fini) struct ht_buf bad = HT_BUF(HT_FRAME_MAX);
		const char *why = "";
		struct ht_unpack u;
		enum ht_err err;

		ht_sample_hex(&element, cases[i].with);
		ht_sample_swap(&bad, ht_buf_slice(&wire), cases[i].element,
		    ht_buf_slice(&element));
		u = ht_unpack(ht_buf_slice(&bad));
		err = ht_bundle_unpack(&u, &got, &why);
		if (err != cases[i].want ||
		    strncmp(why, cases[i].why, strlen(cases[i].why)) != 0)
			fail_msg("%u %s: %s: %s", cases[i].element,
			    cases[i].with, ht_err_text(err), why);
	}
}

/* Room enough in the frame is not leave to send more bodies. */
static void
bodies_together_have_a_limit(void **state)
{
	static struct ht_bundle b, got;
	HT_AUTO(ht_mem_free) uint8_t *body = calloc(1, HT_BODY_MAX + 1);
	HT_AUTO(ht_buf_fini) struct ht_buf arena = HT_BUF(HT_SAMPLE_ARENA);
	HT_AUTO(ht_buf_fini) struct ht_buf wire = HT_BUF(4 * HT_FRAME_MAX);
	const char *why = "";

	(void)state;
	ht_sample_bundle(&b, 2, &arena);
	b.records[0].body = HT_SLICE(body, HT_BODY_MAX - 60);
	b.records[1].body = HT_SLICE(body, 60);
	assert_ok(ht_bundle_sign(&b, key));
	ht_bundle_pack(&wire, &b);
	assert_ok(unpack(ht_buf_slice(&wire), &got, NULL));
	b.records[1].body.len++;
	ht_buf_reset(&wire);
	ht_bundle_pack(&wire, &b);
	assert_err(unpack(ht_buf_slice(&wire), &got, &why), HT_ETOOBIG);
	assert_string_equal(
	    why, "bodies of a bundle have 1048576 bytes at most");
	b.records[0].body.len = HT_BODY_MAX + 1;
	ht_buf_reset(&wire);
	ht_bundle_pack(&wire, &b);
	assert_err(unpack(ht_buf_slice(&wire), &got, &why), HT_ETOOBIG);
	assert_string_equal(why, "a body is bin of at most 1048576");
}

static void
body_and_tag_belong_to_their_header(void **state)
{
	static struct ht_bundle b;
	HT_AUTO(ht_buf_fini) struct ht_buf arena = HT_BUF(HT_SAMPLE_ARENA);
	struct ht_bundle_record r;
	struct ht_header h[2];

	(void)state;
	ht_sample_bundle(&b, 2, &arena); /* the first has a tag */
	for (uint32_t i = 0; i < 2; i++) {
		assert_ok(
		    ht_header_decode(b.records[i].header, &h[i], NULL, NULL));
		assert_int_equal(
		    ht_record_check(&b.records[i], &h[i]), HT_ST_OK);
	}
	assert_int_equal(
	    ht_record_check(&b.records[0], &h[1]), HT_ST_BODY_HASH);
	r = b.records[0];
	r.body.len--;
	assert_int_equal(ht_record_check(&r, &h[0]), HT_ST_BODY_HASH);
	r = b.records[0];
	r.tag = HT_SLICE(NULL, 0); /* left out */
	assert_int_equal(ht_record_check(&r, &h[0]), HT_ST_TAG_HASH);
	r.tag = HT_SLICE(b.records[0].tag.at, b.records[0].tag.len - 1);
	assert_int_equal(ht_record_check(&r, &h[0]), HT_ST_TAG_HASH);
	r = b.records[1];
	r.tag = b.records[0].tag; /* smuggled in */
	assert_int_equal(ht_record_check(&r, &h[1]), HT_ST_TAG_HASH);
}

/* Nothing is allocated between a frame and the verdict on its signature. */
static void
decoding_and_verifying_need_no_memory(void **state)
{
	static struct ht_bundle sent, got;
	HT_AUTO(ht_buf_fini) struct ht_buf arena = HT_BUF(HT_SAMPLE_ARENA);
	HT_AUTO(ht_buf_fini) struct ht_buf wire = HT_BUF(HT_FRAME_MAX);
	struct ht_pub pub = ht_key_pub(key);
	struct ht_header h;

	(void)state;
	ht_sample_bundle(&sent, 3, &arena);
	assert_ok(ht_bundle_sign(&sent, key));
	ht_bundle_pack(&wire, &sent);
	ht_fault_arm(1);
	assert_ok(unpack(ht_buf_slice(&wire), &got, NULL));
	assert_ok(ht_header_decode(got.records[0].header, &h, NULL, NULL));
	assert_int_equal(ht_record_check(&got.records[0], &h), HT_ST_OK);
	assert_ok(ht_bundle_verify(&got, &pub));
	assert_false(ht_fault_fired());
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_signed_bundle_comes_back_and_verifies),
    cmocka_unit_test(a_part_proves_as_much_as_the_whole),
    cmocka_unit_test(the_most_left_out_fits),
    cmocka_unit_test(a_changed_bundle_does_not_verify),
    cmocka_unit_test(no_flipped_bit_goes_unseen),
    cmocka_unit_test(a_bundle_cut_anywhere_is_refused),
    cmocka_unit_test(each_element_is_checked),
    cmocka_unit_test(bodies_together_have_a_limit),
    cmocka_unit_test(body_and_tag_belong_to_their_header),
    cmocka_unit_test(decoding_and_verifying_need_no_memory),
};

int
main(void)
{
	return cmocka_run_group_tests(tests, setup, teardown);
}
