#include "lib/base/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/text.h"

#define LINE_MAX_BYTES 4096 /* PIPE_BUF: a line is one write, and whole */
#define TEXT_MAX       1024 /* before escaping; a fact is shorter */

static const char *_Atomic log_program = "hutong";
static atomic_int log_level = HT_INFO;

static const char *const level_names[] = {
    [HT_DEBUG] = "debug",
    [HT_INFO] = "info",
    [HT_WARN] = "warn",
    [HT_ERROR] = "error",
};

void
ht_log_init(const char *program, enum ht_level level)
{
	atomic_store(&log_program, program);
	atomic_store(&log_level, (int)level);
}

static void
put(const char *text, size_t len)
{
	/* There is nowhere left to tell that telling failed. */
	ssize_t unused = write(STDERR_FILENO, text, len);

	(void)unused;
}

void
ht_log(enum ht_level level, const char *fmt, ...)
{
	HT_AUTO(ht_buf_fini) struct ht_buf line = HT_BUF(LINE_MAX_BYTES);
	char text[TEXT_MAX + 2], when[HT_TIME_SIZE];
	va_list ap;
	int len;

	if ((int)level < atomic_load(&log_level))
		return;
	va_start(ap, fmt);
	len = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (len < 0)
		return;
	if (len > TEXT_MAX)
		len = (int)ht_utf8_cut(HT_SLICE(text, TEXT_MAX + 1), TEXT_MAX);
	ht_time_text(when, ht_clock_wall_us() / 1000000 * 1000000);
	ht_buf_fmt(&line, "%s %-5s %s: ", when, level_names[level],
	    atomic_load(&log_program));
	ht_text_safe(&line, HT_SLICE(text, (size_t)len));
	ht_buf_u8(&line, '\n');
	if (line.err == HT_OK)
		put((const char *)line.at, line.len);
	else
		put("log: a line was lost\n", 21);
}
