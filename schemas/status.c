/*
 * status.c -- the table of schemas/status.h, looked up.
 */
#include "schemas/status.h"

#include <strings.h>

#include "lib/base/own.h"

struct status {
	unsigned number;
	enum ht_who who;
	const char *name;
	const char *text;
	const char *remedy;
};

static const struct status statuses[] = {
#define STATUS(name, number, who, text, remedy)                                \
	{number, HT_WHO_##who, #name, text, remedy},
    HT_STATUS_MAP(STATUS)
#undef STATUS
};

static const struct status *
find(unsigned number)
{
	static const struct status unknown = {
	    .who = HT_WHO_OPERATOR,
	    .name = "UNKNOWN",
	    .text = "unknown status",
	    .remedy = "the sender is newer: update this program",
	};

	for (size_t i = 0; i < HT_COUNT(statuses); i++)
		if (statuses[i].number == number)
			return &statuses[i];
	return &unknown;
}

const char *
ht_status_name(unsigned status)
{
	return find(status)->name;
}

const char *
ht_status_text(unsigned status)
{
	return find(status)->text;
}

const char *
ht_status_remedy(unsigned status)
{
	return find(status)->remedy;
}

enum ht_who
ht_status_who(unsigned status)
{
	return find(status)->who;
}

const char *
ht_who_text(unsigned who)
{
	static const char *const texts[] = {
	    [HT_WHO_NOBODY] = "nobody",
	    [HT_WHO_CALLER] = "caller",
	    [HT_WHO_PROVIDER] = "provider",
	    [HT_WHO_OPERATOR] = "operator",
	    [HT_WHO_AUTHORITY] = "authority",
	};

	return who < HT_COUNT(texts) ? texts[who] : "unknown";
}

int
ht_status_parse(const char *name)
{
	for (size_t i = 0; i < HT_COUNT(statuses); i++)
		if (strcasecmp(statuses[i].name, name) == 0)
			return (int)statuses[i].number;
	return -1;
}
