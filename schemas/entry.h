/*
 * entry.h -- the words in which an item says how its data is kept and shared
 * (docs/trust.md, "item"): tables that end with NULL, in the order of the
 * values.
 */
#ifndef HT_SCHEMAS_ENTRY_H
#define HT_SCHEMAS_ENTRY_H

#include "lib/conf/conf.h"

enum {
	HT_ENTRY_DOCUMENT,
	HT_ENTRY_SHEET,
	HT_ENTRY_DATABASE,
	HT_ENTRY_IMAGE,
	HT_ENTRY_STREAM,
	HT_ENTRY_SELF,
	HT_ENTRY_INTERFACE,
};
extern const struct ht_word ht_entry_formats[];

enum { HT_ENTRY_BY_INTERFACE, HT_ENTRY_BY_BATCH, HT_ENTRY_BY_FILE };
extern const struct ht_word ht_entry_methods[];

enum { HT_ENTRY_BASE, HT_ENTRY_THEME, HT_ENTRY_DEPARTMENT };
extern const struct ht_word ht_entry_kinds[];

#endif
