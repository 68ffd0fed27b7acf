/* versions.h (x86_64) - a function that the compiler makes for several CPUs. */
#ifndef VERSIONS_H
#define VERSIONS_H

#ifdef __clang__
#define VERSIONS __attribute__((target_clones("avx2", "default")))
#else
#define VERSIONS __attribute__((target_clones("avx2", "default"), noinline))
#endif

VERSIONS static int twice(int n)
{
	return 2 * n;
}

#endif
