/*
 * c++locale.h - a name for the type of a locale, for headers that only mention it.
 * See features.h.
 */
#ifndef THAW_CXX_LOCALE_H
#define THAW_CXX_LOCALE_H

#include <clocale>

#define _GLIBCXX_NUM_CATEGORIES 0

namespace std
{
typedef locale_t __c_locale;
}

#endif
