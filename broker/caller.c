#include "broker/caller.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "broker/admin.h"
#include "keys/keyfile.h"
#include "lib/base/fs.h"
#include "lib/base/log.h"

#define CHALLENGE_WORD "challenge "
#define CHALLENGE_SIZE (2 * HT_HASH_SIZE)

/* ---- the key ---- */

static const enum ht_key_for purposes[HT_ROLES] = {
    [HT_ROLE_SYSTEM] = HT_KEY_SYSTEM_ADMIN,
    [HT_ROLE_SECURITY] = HT_KEY_SECURITY_ADMIN,
    [HT_ROLE_AUDIT] = HT_KEY_AUDIT_ADMIN,
};

static enum ht_role
role_of(enum ht_key_for what)
{
	enum ht_role role = 0;

	while (role < HT_ROLES && purposes[role] != what)
		role++;
	return role;
}

static enum ht_err
read_key(const char *path, struct ht_report *report, struct ht_caller *ret)
{
	struct ht_keyfile file;
	char *passphrase = NULL;
	enum ht_err err = ht_keyfile_look(path, &file, report);

	if (err != HT_OK)
		return err;
	ret->role = role_of(file.what);
	if (ret->role == HT_ROLES) {
		ht_report_add(report, path,
		    "is a key for %s, and an administrator's is needed: "
		    "hutong key new --for system-admin, security-admin or "
		    "audit-admin",
		    ht_key_for_text(file.what));
		return HT_EINVALID;
	}
	if (file.locked)
		err = ht_passphrase_get("administrator's key", &passphrase);
	if (err == HT_OK)
		err = ht_keyfile_read(
		    path, file.what, passphrase, &ret->key, &file, report);
	if (passphrase != NULL)
		ht_wipe(passphrase, strlen(passphrase));
	free(passphrase);
	ret->pub = file.pub;
	(void)snprintf(ret->name, sizeof(ret->name), "%s", file.name);
	return err;
}

/* The log's name, as the anchor has it: no broker can have us sign for
 * another's. */
static enum ht_err
read_log_name(const struct ht_broker_conf *conf, struct ht_report *report,
    struct ht_caller *ret)
{
	HT_AUTO(ht_buf_fini) struct ht_buf note = HT_BUF(HT_DOC_MAX);
	struct ht_root *root = malloc(sizeof(*root));
	enum ht_err err =
	    root != NULL ? ht_fs_read(conf->root, &note) : HT_ENOMEM;

	if (err == HT_OK)
		err = ht_root_parse(
		    ht_buf_slice(&note), conf->root, report, root);
	else
		ht_report_add(
		    report, conf->root, "cannot be read: %s", ht_err_text(err));
	if (err == HT_OK)
		(void)snprintf(
		    ret->log, sizeof(ret->log), "%s", root->log.name);
	free(root);
	return err;
}

static const char *
socket_of(const struct ht_broker_conf *conf, enum ht_role role)
{
	return role == HT_ROLE_SECURITY ? conf->security
	       : role == HT_ROLE_AUDIT  ? conf->audit_control
	                                : conf->control;
}

int
ht_caller_open(const struct ht_broker_conf *conf, const char *key_path,
    struct ht_caller *ret)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	enum ht_err err = HT_OK;

	*ret = (struct ht_caller){.path = conf->control};
	if (key_path == NULL)
		return HT_BROKER_DONE;
	if (ht_keys_init() != HT_OK)
		return HT_BROKER_UNAVAILABLE;
	err = read_key(key_path, report, ret);
	if (err == HT_OK)
		err = read_log_name(conf, report, ret);
	if (err == HT_OK) {
		ret->path = socket_of(conf, ret->role);
		if (ret->path != NULL)
			return HT_BROKER_DONE;
		ht_report_add(report, key_path,
		    "the configuration has no socket for the %s "
		    "administrator: '%s'",
		    ht_role_text(ret->role),
		    ret->role == HT_ROLE_AUDIT ? "audit-control" : "security");
	}
	ht_report_print(report, stderr);
	if (ht_report_count(report) == 0)
		fprintf(stderr, "hutong-broker: %s: %s\n", key_path,
		    ht_err_text(err));
	return HT_BROKER_REFUSED;
}

void
ht_caller_close(struct ht_caller *caller)
{
	ht_key_free(&caller->key);
}

/* ---- the connection ---- */

static int
dial(const char *path)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(un.sun_path, sizeof(un.sun_path), "%s", path);
	if (fd != -1 && connect(fd, (struct sockaddr *)&un, sizeof(un)) == 0)
		return fd;
	fprintf(stderr,
	    "hutong-broker: %s: %s; is the broker running, and are you its "
	    "operator?\n",
	    path, strerror(errno));
	ht_fd_close(&fd);
	return -1;
}

static bool
send_all(int fd, struct ht_slice bytes)
{
	while (bytes.len > 0) {
		ssize_t n = send(fd, bytes.at, bytes.len, MSG_NOSIGNAL);

		if (n <= 0)
			return false;
		bytes = HT_SLICE(bytes.at + n, bytes.len - (size_t)n);
	}
	return true;
}

static bool
read_all(int fd, struct ht_buf *answer)
{
	for (;;) {
		uint8_t *room = ht_buf_room(answer, 65536);
		ssize_t n;

		if (room == NULL)
			return false;
		n = recv(fd, room, 65536, 0);
		answer->len -= 65536 - (n > 0 ? (size_t)n : 0);
		if (n <= 0)
			return n == 0;
	}
}

/* "challenge" and 64 digits, a line; exactly as long. */
static bool
get_challenge(int fd, char out[static CHALLENGE_SIZE + 1])
{
	char line[sizeof(CHALLENGE_WORD) + CHALLENGE_SIZE];
	size_t want = sizeof(line), got = 0;

	if (!send_all(fd, ht_slice_str("auth\n")))
		return false;
	while (got < want) {
		ssize_t n = recv(fd, line + got, want - got, 0);

		if (n <= 0)
			return false;
		got += (size_t)n;
	}
	if (memcmp(line, CHALLENGE_WORD, sizeof(CHALLENGE_WORD) - 1) != 0 ||
	    line[want - 1] != '\n')
		return false;
	memcpy(out, line + sizeof(CHALLENGE_WORD) - 1, CHALLENGE_SIZE);
	out[CHALLENGE_SIZE] = '\0';
	return true;
}

/* "as NAME SIGNATURE COMMAND" */
static bool
sign_line(const struct ht_caller *caller, const char *challenge,
    const char *command, struct ht_slice bytes, struct ht_buf *line)
{
	HT_AUTO(ht_buf_fini) struct ht_buf text = HT_BUF(4096);
	char b64[HT_B64_SIZE(HT_SIG_SIZE)];
	struct ht_sig sig;

	ht_admin_text(
	    &text, caller->log, caller->role, challenge, command, bytes);
	if (text.err != HT_OK || ht_sign(caller->key, HT_ADMIN_LABEL,
	                             ht_buf_slice(&text), &sig) != HT_OK)
		return false;
	ht_b64(b64, sig.at, sizeof(sig.at));
	ht_buf_fmt(line, "as %s %s ", caller->name, b64);
	return true;
}

static bool
put(const struct ht_caller *caller, int fd, const char *command,
    struct ht_slice bytes, struct ht_buf *answer)
{
	HT_AUTO(ht_buf_fini) struct ht_buf line = HT_BUF(4096);
	char challenge[CHALLENGE_SIZE + 1];

	if (caller->key != NULL &&
	    (!get_challenge(fd, challenge) ||
	        !sign_line(caller, challenge, command, bytes, &line)))
		return false;
	ht_buf_fmt(&line, "%s\n", command);
	return line.err == HT_OK && send_all(fd, ht_buf_slice(&line)) &&
	       send_all(fd, bytes) && read_all(fd, answer);
}

int
ht_caller_put(const struct ht_caller *caller, const char *command,
    struct ht_slice bytes, struct ht_buf *answer)
{
	HT_AUTO(ht_fd_close) int fd = dial(caller->path);

	if (fd == -1)
		return HT_BROKER_UNAVAILABLE;
	if (put(caller, fd, command, bytes, answer))
		return HT_BROKER_DONE;
	fprintf(stderr, "hutong-broker: no answer\n");
	return HT_BROKER_UNAVAILABLE;
}
