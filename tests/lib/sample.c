#include "tests/lib/sample.h"

#include <string.h>

#include "lib/base/panic.h"
#include "schemas/pack.h"

static void
fill(void *at, size_t len, uint8_t with)
{
	uint8_t *bytes = at;

	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)(with + i);
}

struct ht_header
ht_sample_request(void)
{
	struct ht_header h = {
	    .version = 1,
	    .suite = 1,
	    .kind = HT_KIND_REQUEST,
	    .sender = ht_slice_str("tax.demo/state"),
	    .node = ht_slice_str("main"),
	    .recipient = ht_slice_str("scjg.demo/registry"),
	    .item = ht_slice_str("gx.demo/SCZTDJ"),
	    .item_version = 1,
	    .operation = HT_OP_QUERY,
	    .purpose = ht_slice_str("tax-registration"),
	    .basis = ht_slice_str("ZGF-15"),
	    .grant = ht_slice_str("gx.demo/17"),
	    .created_ms = HT_SAMPLE_MS,
	    .expires_ms = HT_SAMPLE_MS + 60000,
	    .counter = 7,
	    .has_tag = true,
	    .seal_seq = 300,
	    .body_len = 400,
	};

	fill(h.record.at, sizeof(h.record.at), 0x10);
	fill(h.exchange.at, sizeof(h.exchange.at), 0x20);
	fill(h.tag.at, sizeof(h.tag.at), 0x30);
	fill(h.commitment.at, sizeof(h.commitment.at), 0x50);
	fill(h.seal_key.at, sizeof(h.seal_key.at), 0x70);
	fill(h.enc, sizeof(h.enc), 0x80);
	fill(h.body_hash.at, sizeof(h.body_hash.at), 0xa0);
	return h;
}

struct ht_header
ht_sample_response(void)
{
	struct ht_header h = ht_sample_request();
	struct ht_slice sender = h.sender;

	h.kind = HT_KIND_RESPONSE;
	h.sender = h.recipient;
	h.recipient = sender;
	h.has_tag = false;
	fill(h.record.at, sizeof(h.record.at), 0x11);
	h.has_reply_to = true;
	fill(h.reply_to.at, sizeof(h.reply_to.at), 0xc0);
	h.released = HT_SLICE("\x05", 1);
	h.status = HT_ANSWER_ANSWERED;
	return h;
}

void
ht_sample_encode(const struct ht_header *h, struct ht_buf *out)
{
	HT_AUTO(ht_buf_fini) struct ht_buf envelope = HT_BUF(HT_HEADER_MAX);

	HT_ASSERT(ht_envelope_encode(h, &envelope) == HT_OK);
	HT_ASSERT(ht_header_encode(h, ht_buf_slice(&envelope), out) == HT_OK);
}

void
ht_sample_hex(struct ht_buf *out, const char *hex)
{
	char digits[3] = "";

	for (unsigned n = 0; *hex != '\0'; hex++) {
		uint8_t byte;

		if (*hex == ' ')
			continue;
		digits[n++] = *hex;
		if (n < 2)
			continue;
		n = 0;
		HT_ASSERT(ht_unhex(digits, &byte, 1) == HT_OK);
		ht_buf_u8(out, byte);
	}
}

void
ht_sample_swap(struct ht_buf *out, struct ht_slice bytes, uint32_t i,
    struct ht_slice element)
{
	struct ht_unpack u = ht_unpack(bytes);
	uint32_t n = ht_unpack_array(&u, UINT32_MAX);

	ht_pack_array(out, i == n ? n + 1 : element.len == 0 ? n - 1 : n);
	for (uint32_t k = 0; k < n; k++) {
		struct ht_slice raw = ht_unpack_raw(&u);

		if (k == i)
			raw = element;
		ht_buf_add(out, raw.at, raw.len);
	}
	if (i == n)
		ht_buf_add(out, element.at, element.len);
	HT_ASSERT(u.err == HT_OK && out->err == HT_OK);
}
