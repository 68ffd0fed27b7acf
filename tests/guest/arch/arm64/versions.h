/* versions.h (arm64) - compilers of today make no versions for several CPUs. */
#ifndef VERSIONS_H
#define VERSIONS_H

static int twice(int n)
{
	return 2 * n;
}

#endif
