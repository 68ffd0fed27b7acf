/*
 * features.h - stands before libstdc++'s headers, which a function in C++ has from
 * its compiler: they were made for glibc, and ask for this one of it. So do the
 * files in bits/, each of which has the place of one of libstdc++'s own. With these
 * they work with picolibc, but for streams, locales and threads.
 */
#ifndef THAW_CXX_FEATURES_H
#define THAW_CXX_FEATURES_H

#include <sys/features.h>

/* It is no glibc, of no version. */
#define __GLIBC_PREREQ(major, minor) 0

#endif
