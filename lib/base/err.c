#include "lib/base/err.h"

const char *
ht_err_text(enum ht_err err)
{
	switch (err) {
	case HT_OK:
		return "success";
#define HT_ERR_CASE(name, value, text)                                         \
	case name:                                                             \
		return text;
		HT_ERR_MAP(HT_ERR_CASE)
#undef HT_ERR_CASE
	}
	return "unknown error";
}
