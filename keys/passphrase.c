/*
 * passphrase.c -- where a passphrase comes from (see keyfile.h).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "keys/keyfile.h"
#include "lib/base/fs.h"

#define FILE_ENV   "HUTONG_PASSPHRASE_FILE"
#define CREDENTIAL "hutong-passphrase"
#define TERMINAL   "/dev/tty"

/* With room for a newline, and one byte to notice that there is more. */
struct line {
	char at[HT_PASSPHRASE_MAX + 2];
	size_t len;
};

static void
line_wipe(struct line *line)
{
	ht_wipe(line, sizeof(*line));
}

/* Until a newline, the end, or no more room. */
static enum ht_err
read_line(int fd, struct line *line)
{
	while (line->len < sizeof(line->at)) {
		char *at = line->at + line->len;
		ssize_t n = read(fd, at, sizeof(line->at) - line->len);

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return HT_ESYSTEM;
		line->len += (size_t)n;
		if (n == 0 || memchr(at, '\n', (size_t)n) != NULL)
			return HT_OK;
	}
	return HT_OK;
}

/* The first line as a new string. */
static enum ht_err
take_line(const struct line *line, char **ret)
{
	const char *end = memchr(line->at, '\n', line->len);
	size_t len = end != NULL ? (size_t)(end - line->at) : line->len;

	if (len > HT_PASSPHRASE_MAX)
		return HT_ETOOBIG;
	if (len > 0 && line->at[len - 1] == '\r')
		len--; /* an editor's, not the person's */
	if (len == 0 || memchr(line->at, '\0', len) != NULL)
		return HT_EINVALID;
	*ret = ht_slice_dup(HT_SLICE(line->at, len));
	return *ret != NULL ? HT_OK : HT_ENOMEM;
}

/* Links are followed here: secrets are often mounted as such. */
static enum ht_err
from_file(const char *path, char **ret)
{
	HT_AUTO(line_wipe) struct line line = {.len = 0};
	HT_AUTO(ht_fd_close)
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;
	enum ht_err err;

	if (fd == -1)
		return errno == ENOENT ? HT_ENOTFOUND : HT_ESYSTEM;
	if (fstat(fd, &st) == -1)
		return HT_ESYSTEM;
	if (!S_ISREG(st.st_mode) || (st.st_mode & 077) != 0)
		return HT_EINVALID;
	err = read_line(fd, &line);
	return err == HT_OK ? take_line(&line, ret) : err;
}

/* ^D leaves nothing; ^C is a byte, since signals are off. */
static enum ht_err
take_typed(const struct line *line, char **ret)
{
	if (line->len == 0 || memchr(line->at, '\003', line->len) != NULL)
		return HT_EDENIED;
	return take_line(line, ret);
}

static void
say(int fd, const char *text)
{
	/* A prompt that cannot be shown is no reason to stop. */
	(void)!write(fd, text, strlen(text));
}

/*
 * Echo off, and signals as well: a ^C between the two settings would leave
 * the person with a terminal that shows nothing.
 */
static enum ht_err
from_terminal(const char *prompt, char **ret)
{
	HT_AUTO(line_wipe) struct line line = {.len = 0};
	HT_AUTO(ht_fd_close) int fd = open(TERMINAL, O_RDWR | O_CLOEXEC);
	struct termios was, quiet;
	enum ht_err err;

	if (fd == -1 || tcgetattr(fd, &was) == -1)
		return HT_ENOTFOUND;
	quiet = was;
	quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ISIG);
	quiet.c_lflag |= ICANON;
	if (tcsetattr(fd, TCSAFLUSH, &quiet) == -1)
		return HT_ESYSTEM;
	say(fd, prompt);
	err = read_line(fd, &line);
	say(fd, "\n");
	if (tcsetattr(fd, TCSAFLUSH, &was) == -1 && err == HT_OK)
		err = HT_ESYSTEM;
	return err == HT_OK ? take_typed(&line, ret) : err;
}

enum ht_err
ht_passphrase_get(const char *prompt, char **ret)
{
	const char *path = getenv(FILE_ENV);
	const char *dir = getenv("CREDENTIALS_DIRECTORY");

	if (path != NULL)
		return from_file(path, ret);
	if (dir != NULL) {
		HT_AUTO(ht_mem_free) char *cred = ht_fs_join(dir, CREDENTIAL);
		enum ht_err err;

		if (cred == NULL)
			return HT_ENOMEM;
		err = from_file(cred, ret);
		if (err != HT_ENOTFOUND)
			return err;
	}
	return from_terminal(prompt, ret);
}
