/*
 * frames.c -- length-prefixed frames on the audit socket, with deadlines.
 */
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "broker/audit/query.h"
#include "lib/base/clock.h"

void
ht_audit_signed(struct ht_slice origin,
    const uint8_t challenge[static HT_CHALLENGE_SIZE], struct ht_slice query,
    struct ht_buf *out)
{
	ht_buf_add(out, origin.at, origin.len);
	ht_buf_u8(out, '\n');
	ht_buf_add(out, challenge, HT_CHALLENGE_SIZE);
	ht_buf_add(out, query.at, query.len);
}

static enum ht_err
wait_for(int fd, short events, uint64_t deadline_ms, int stop_fd)
{
	uint64_t now = ht_clock_mono_ms();
	struct pollfd fds[] = {
	    {.fd = fd,      .events = events},
            {.fd = stop_fd, .events = POLLIN}
        };
	int n;

	if (now >= deadline_ms)
		return HT_ETIMEOUT;
	n = poll(fds, 2, (int)(deadline_ms - now));
	if (n == -1)
		return errno == EINTR ? HT_OK : HT_ESYSTEM;
	if (fds[1].revents != 0)
		return HT_EAGAIN;
	return n == 0 ? HT_ETIMEOUT : HT_OK;
}

static enum ht_err
send_all(int fd, struct ht_slice bytes, uint64_t deadline_ms, int stop_fd)
{
	enum ht_err err = HT_OK;

	while (bytes.len > 0 && err == HT_OK) {
		ssize_t n =
		    send(fd, bytes.at, bytes.len, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n >= 0)
			bytes = HT_SLICE(bytes.at + n, bytes.len - (size_t)n);
		else if (errno == EAGAIN)
			err = wait_for(fd, POLLOUT, deadline_ms, stop_fd);
		else if (errno == EPIPE || errno == ECONNRESET)
			return HT_EPROTOCOL;
		else if (errno != EINTR)
			return HT_ESYSTEM;
	}
	return err;
}

enum ht_err
ht_audit_send(int fd, struct ht_slice frame, uint64_t deadline_ms, int stop_fd)
{
	uint8_t head[4];
	enum ht_err err;

	if (frame.len > HT_AUDIT_FRAME_MAX)
		return HT_ETOOBIG;
	ht_be32(head, (uint32_t)frame.len);
	err = send_all(fd, HT_SLICE(head, 4), deadline_ms, stop_fd);
	return err == HT_OK ? send_all(fd, frame, deadline_ms, stop_fd) : err;
}

static enum ht_err
recv_all(int fd, uint8_t *at, size_t len, uint64_t deadline_ms, int stop_fd)
{
	enum ht_err err = HT_OK;

	while (len > 0 && err == HT_OK) {
		ssize_t n = recv(fd, at, len, MSG_DONTWAIT);

		if (n == 0)
			return HT_EPROTOCOL;
		if (n > 0) {
			at += n;
			len -= (size_t)n;
		} else if (errno == EAGAIN) {
			err = wait_for(fd, POLLIN, deadline_ms, stop_fd);
		} else if (errno == ECONNRESET) {
			return HT_EPROTOCOL;
		} else if (errno != EINTR) {
			return HT_ESYSTEM;
		}
	}
	return err;
}

enum ht_err
ht_audit_recv(int fd, struct ht_buf *ret, uint64_t deadline_ms, int stop_fd)
{
	uint8_t head[4], *room;
	uint32_t len;
	enum ht_err err = recv_all(fd, head, 4, deadline_ms, stop_fd);

	if (err != HT_OK)
		return err;
	len = ht_load32(head);
	ht_buf_reset(ret);
	if (len > HT_AUDIT_FRAME_MAX || len > ret->max)
		return HT_ETOOBIG;
	room = ht_buf_room(ret, len);
	if (room == NULL)
		return ret->err;
	return recv_all(fd, room, len, deadline_ms, stop_fd);
}
