/*
 * samples.h - the program that measures what is done for one request. samples.c has its
 * main(), and each other file of this folder a peer, which makes it a program:
 *
 *	PEER SECONDS [ARGUMENT...]
 *
 * It does the same again and again for SECONDS, the first tenth of which does not count,
 * and prints a line of JSON, which measure.py reads: the number of samples, the 50th and
 * the 99th percentile, and the CPU time of one sample, in microseconds. The CPU time is
 * that of the process and of its children that have ended.
 */
#ifndef BENCH_PEERS_SAMPLES_H
#define BENCH_PEERS_SAMPLES_H

/* The bytes of a request that is echoed. */
#define SAMPLES_REQUEST_SIZE 64

/* Functions return 0, or -1 after they have said what is wrong. */
struct samples_peer {
	const char *usage;	       /* its arguments, for people; "": none */
	int (*open)(char **arguments); /* before the first request; or NULL */
	int (*once)(void);	       /* one request */
	void (*close)(void);	       /* after the last one; or NULL */
	int argument_count;	       /* at least so many are needed */
};

/* The program's peer. */
extern const struct samples_peer samples_peer;

#endif
