#include "broker/pipe.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/lib/test.h"

static struct ht_pipe_msg
sample(unsigned type, const char *body)
{
	return (struct ht_pipe_msg){
	    .generation = 7,
	    .type = type,
	    .handle = HT_SLICE("\0hndl", 5),
	    .user = ht_slice_str("tax.sh/first/main#00"),
	    .body = ht_slice_str(body),
	};
}

static void
assert_same(const struct ht_pipe_msg *a, const struct ht_pipe_msg *b)
{
	assert_int_equal(a->generation, b->generation);
	assert_int_equal(a->type, b->type);
	assert_true(ht_slice_eq(a->handle, b->handle));
	assert_true(ht_slice_eq(a->user, b->user));
	assert_true(ht_slice_eq(a->body, b->body));
}

static void
what_is_put_is_taken(void **state)
{
	HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(100000);
	struct ht_pipe_msg first = sample(HT_PIPE_FRAME, "one");
	struct ht_pipe_msg second = sample(HT_PIPE_LOST, "");
	struct ht_pipe_msg got;
	size_t used, more;

	(void)state;
	ht_pipe_put(&out, &first);
	ht_pipe_put(&out, &second);
	assert_ok(out.err);
	assert_ok(ht_pipe_take(ht_buf_slice(&out), &got, &used));
	assert_same(&got, &first);
	assert_ok(
	    ht_pipe_take(HT_SLICE(out.at + used, out.len - used), &got, &more));
	assert_same(&got, &second);
	assert_int_equal(used + more, out.len);
}

/* Every prefix is "not yet", and never a message. */
static void
a_part_is_not_a_message(void **state)
{
	HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(100000);
	struct ht_pipe_msg msg = sample(HT_PIPE_FRAME, "body"), got;
	size_t used;

	(void)state;
	ht_pipe_put(&out, &msg);
	for (size_t len = 0; len < out.len; len++)
		assert_err(ht_pipe_take(HT_SLICE(out.at, len), &got, &used),
		    HT_EAGAIN);
}

static void
broken_lengths_are_refused(void **state)
{
	static const struct {
		const char *why;
		uint8_t at[16];
		size_t len;
	} rows[] = {
	    {"shorter than its head", {0, 0, 0, 6},                       4 },
	    {"longer than any",       {0xff, 0xff, 0xff, 0xff},           4 },
	    {"handle past the end",   {0, 0, 0, 7, 0, 0, 0, 1, 17, 9, 0}, 11},
	    {"user past the end",     {0, 0, 0, 7, 0, 0, 0, 1, 17, 0, 1}, 11},
	};
	struct ht_pipe_msg got;
	size_t used;

	(void)state;
	for (size_t i = 0; i < HT_COUNT(rows); i++)
		if (ht_pipe_take(HT_SLICE(rows[i].at, rows[i].len), &got,
		        &used) != HT_EMALFORMED)
			fail_msg("%s was taken", rows[i].why);
}

/* Large and small ones, in pieces of every size, through a real stream. */
static void
a_stream_keeps_messages_whole(void **state)
{
	HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF((size_t)64 << 20);
	static char large[HT_FRAME_MAX];
	struct ht_pipe_in in;
	size_t sent = 0, messages = 0, piece = 1;
	int fds[2];

	(void)state;
	memset(large, 'x', sizeof(large));
	for (int i = 0; i < 40; i++) {
		struct ht_pipe_msg msg = sample(HT_PIPE_FRAME, "");

		msg.body = HT_SLICE(large,
		    i % 3 == 0 ? sizeof(large) - (size_t)i : (size_t)i * 100);
		ht_pipe_put(&out, &msg);
	}
	assert_ok(out.err);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	assert_int_equal(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(fcntl(fds[1], F_SETFL, O_NONBLOCK), 0);
	assert_ok(ht_pipe_in_init(&in, fds[0]));
	while (messages < 40) {
		size_t len = out.len - sent < piece ? out.len - sent : piece;
		ssize_t n = len == 0 ? 0 : write(fds[1], out.at + sent, len);
		struct ht_pipe_msg got;
		enum ht_err err;

		sent += n > 0 ? (size_t)n : 0;
		piece = piece * 3 % 200003 + 1;
		err = ht_pipe_in_fill(&in);
		assert_true(err == HT_OK || err == HT_EAGAIN);
		while (ht_pipe_in_next(&in, &got) == HT_OK) {
			size_t want = messages % 3 == 0
			                  ? sizeof(large) - messages
			                  : messages * 100;

			assert_int_equal(got.body.len, want);
			assert_int_equal(got.generation, 7);
			messages++;
		}
	}
	close(fds[1]);
	assert_err(ht_pipe_in_fill(&in), HT_ENOTFOUND);
	ht_pipe_in_fini(&in);
	close(fds[0]);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_put_is_taken),
	    cmocka_unit_test(a_part_is_not_a_message),
	    cmocka_unit_test(broken_lengths_are_refused),
	    cmocka_unit_test(a_stream_keeps_messages_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
