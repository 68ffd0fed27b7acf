/*
 * c++config.h - libstdc++'s own, but that there are no threads, and that templates
 * such as std::string are compiled with the function: the library's copies of them
 * throw exceptions. See features.h.
 */
#ifndef THAW_CXX_CONFIG_H
#define THAW_CXX_CONFIG_H

#include_next <bits/c++config.h>

#undef _GLIBCXX_HAS_GTHREADS
#undef _GLIBCXX_EXTERN_TEMPLATE
#define _GLIBCXX_EXTERN_TEMPLATE 0

#endif
