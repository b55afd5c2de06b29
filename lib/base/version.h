/*
 * version.h -- what all programs of this tree say they are: to --version, in
 * footers and files that auditors keep, and in START entries of a log.
 */
#ifndef HT_BASE_VERSION_H
#define HT_BASE_VERSION_H

#define HT_VERSION "0.1"

#endif
