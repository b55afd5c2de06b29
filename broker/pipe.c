#include "broker/pipe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/panic.h"

/* Several large messages a read: a system call costs as much as copying. */
#define IN_SIZE (2 * (HT_PIPE_MAX + HT_PIPE_HEAD))

size_t
ht_pipe_begin(struct ht_buf *out, const struct ht_pipe_msg *head)
{
	size_t began = out->len;

	HT_ASSERT(head->handle.len <= UINT8_MAX && head->user.len <= UINT8_MAX);
	ht_buf_u32(out, 0); /* by ht_pipe_end() */
	ht_buf_u32(out, head->generation);
	ht_buf_u8(out, (uint8_t)head->type);
	ht_buf_u8(out, (uint8_t)head->handle.len);
	ht_buf_add(out, head->handle.at, head->handle.len);
	ht_buf_u8(out, (uint8_t)head->user.len);
	ht_buf_add(out, head->user.at, head->user.len);
	return began;
}

void
ht_pipe_end(struct ht_buf *out, size_t began)
{
	size_t len;

	if (out->err != HT_OK)
		return;
	len = out->len - began - 4;
	HT_ASSERT(len <= HT_PIPE_MAX);
	ht_be32(&out->at[began], (uint32_t)len);
}

void
ht_pipe_head(struct ht_buf *out, const struct ht_pipe_msg *msg)
{
	size_t began = ht_pipe_begin(out, msg), len;

	if (out->err != HT_OK)
		return;
	len = out->len - began - 4 + msg->body.len;
	HT_ASSERT(len <= HT_PIPE_MAX);
	ht_be32(&out->at[began], (uint32_t)len);
}

void
ht_pipe_put(struct ht_buf *out, const struct ht_pipe_msg *msg)
{
	ht_pipe_head(out, msg);
	ht_buf_add(out, msg->body.at, msg->body.len);
}

enum ht_err
ht_pipe_take(struct ht_slice bytes, struct ht_pipe_msg *ret, size_t *ret_used)
{
	struct ht_pipe_msg msg;
	struct ht_cur cur;
	uint32_t len;

	if (bytes.len < 4)
		return HT_EAGAIN;
	len = ht_load32(bytes.at);
	if (len < HT_PIPE_HEAD - 4 || len > HT_PIPE_MAX)
		return HT_EMALFORMED;
	if (bytes.len - 4 < len)
		return HT_EAGAIN;
	cur = ht_cur(HT_SLICE(bytes.at + 4, len));
	msg.generation = ht_cur_u32(&cur);
	msg.type = ht_cur_u8(&cur);
	msg.handle = ht_cur_str8(&cur);
	msg.user = ht_cur_str8(&cur);
	if (cur.err != HT_OK)
		return HT_EMALFORMED;
	msg.body = ht_cur_take(&cur, (size_t)(cur.end - cur.at));
	*ret = msg;
	*ret_used = 4 + (size_t)len;
	return HT_OK;
}

enum ht_err
ht_pipe_in_init(struct ht_pipe_in *in, int fd)
{
	*in = (struct ht_pipe_in){.fd = fd, .cap = IN_SIZE};
	in->at = malloc(IN_SIZE);
	return in->at == NULL ? HT_ENOMEM : HT_OK;
}

void
ht_pipe_in_fini(struct ht_pipe_in *in)
{
	free(in->at);
	*in = (struct ht_pipe_in){.fd = -1};
}

/* Half a message moves to the front, so that a whole one always fits. */
static void
make_room(struct ht_pipe_in *in)
{
	if (in->from == in->to)
		in->from = in->to = 0;
	if (in->from == 0 || in->cap - in->to > IN_SIZE / 4)
		return;
	memmove(in->at, &in->at[in->from], in->to - in->from);
	in->to -= in->from;
	in->from = 0;
}

enum ht_err
ht_pipe_in_fill(struct ht_pipe_in *in)
{
	ssize_t got;

	make_room(in);
	if (in->to == in->cap)
		return HT_EAGAIN; /* read what is there first */
	got = read(in->fd, &in->at[in->to], in->cap - in->to);
	if (got > 0) {
		in->to += (size_t)got;
		return HT_OK;
	}
	if (got == 0 || errno == ECONNRESET)
		return HT_ENOTFOUND;
	return errno == EAGAIN || errno == EINTR ? HT_EAGAIN : HT_ESYSTEM;
}

enum ht_err
ht_pipe_in_next(struct ht_pipe_in *in, struct ht_pipe_msg *ret)
{
	size_t used;
	enum ht_err err;

	err = ht_pipe_take(
	    HT_SLICE(&in->at[in->from], in->to - in->from), ret, &used);
	if (err == HT_OK)
		in->from += used;
	return err;
}
