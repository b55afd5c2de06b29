#include "lib/base/report.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/bytes.h"
#include "lib/base/panic.h"
#include "lib/base/text.h"

struct finding {
	char *where;
	char *text;
};

struct ht_report {
	unsigned count; /* all of them */
	unsigned kept;  /* those with a text */
	struct finding findings[HT_FINDINGS_MAX];
};

struct ht_report *
ht_report_new(void)
{
	return calloc(1, sizeof(struct ht_report));
}

void
ht_report_free(struct ht_report **report_p)
{
	struct ht_report *report = *report_p;

	if (report == NULL)
		return;
	*report_p = NULL;
	for (unsigned i = 0; i < report->kept; i++) {
		free(report->findings[i].where);
		free(report->findings[i].text);
	}
	free(report);
}

void
ht_report_add(struct ht_report *report, const char *where, const char *fmt, ...)
{
	HT_AUTO(ht_mem_free) char *place = NULL;
	char *text = NULL;
	va_list ap;
	int len;

	if (report == NULL)
		return;
	report->count++;
	/* Findings without memory for their text are counted all the same. */
	if (report->kept == HT_FINDINGS_MAX)
		return;
	place = strdup(where);
	if (place == NULL)
		return;
	va_start(ap, fmt);
	len = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (len < 0)
		return;
	report->findings[report->kept++] =
	    (struct finding){HT_TAKE(place), text};
}

unsigned
ht_report_count(const struct ht_report *report)
{
	return report == NULL ? 0 : report->count;
}

const char *
ht_report_where(const struct ht_report *report, unsigned i)
{
	HT_ASSERT(report != NULL && i < report->count);
	return i < report->kept ? report->findings[i].where : "";
}

const char *
ht_report_text(const struct ht_report *report, unsigned i)
{
	HT_ASSERT(report != NULL && i < report->count);
	return i < report->kept ? report->findings[i].text
	                        : ht_err_text(HT_ENOMEM);
}

/* Findings quote what others wrote: nothing in it may steer a terminal. */
static void
print_safe(FILE *out, const char *text)
{
	HT_AUTO(ht_buf_fini) struct ht_buf safe = HT_BUF(1 << 20);

	ht_text_safe(&safe, ht_slice_str(text));
	if (safe.err == HT_OK)
		(void)fwrite(safe.at, 1, safe.len, out);
	else
		fputs("(too long to print)", out);
}

void
ht_report_print(const struct ht_report *report, FILE *out)
{
	if (report == NULL)
		return;
	for (unsigned i = 0; i < report->kept; i++) {
		if (report->findings[i].where[0] != '\0') {
			print_safe(out, report->findings[i].where);
			fputs(": ", out);
		}
		print_safe(out, report->findings[i].text);
		fputc('\n', out);
	}
	if (report->count > report->kept)
		fprintf(out, "... and %u more\n", report->count - report->kept);
}
