/* gthr-default.h - one thread. See features.h. */
#include <bits/gthr-single.h>
