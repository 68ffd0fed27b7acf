/*
 * http_chunks.h - takes a body in chunks (RFC 9112, 7.1) as it arrives. Extensions
 * and trailers are checked and ignored.
 *
 *	chunks = (struct http_chunks){ .room = HTTP_CHUNK_OVERHEAD_MAX };
 *	... bytes arrive:
 *	switch (http_chunks_take(&chunks, data, size, &used)) {
 *	case HTTP_CHUNKS_MORE:	all bytes are used; more are needed
 *	case HTTP_CHUNKS_SIZE:	chunks.left bytes of the body are to come
 *	case HTTP_CHUNKS_DATA:	the bytes that were used are the body's
 *	case HTTP_CHUNKS_END:	that was the last one
 *	case HTTP_CHUNKS_BAD:	chunks.bad_reason says why
 *	}
 *	... and again with the rest of the bytes, until the end
 *
 * The same bytes give the same result in whatever pieces they arrive.
 */
#ifndef EXECUTOR_PROTOCOL_HTTP_CHUNKS_H
#define EXECUTOR_PROTOCOL_HTTP_CHUNKS_H

#include <stddef.h>
#include <stdint.h>

/* Sizes, extensions and trailers of a client's chunks, in bytes. */
#define HTTP_CHUNK_OVERHEAD_MAX (64 * 1024)

enum http_chunks_event {
	HTTP_CHUNKS_MORE,
	HTTP_CHUNKS_SIZE,
	HTTP_CHUNKS_DATA,
	HTTP_CHUNKS_END,
	HTTP_CHUNKS_BAD,
};

struct http_chunks {
	int state;     /* 0 at first */
	uint64_t left; /* bytes of the chunk that are to come */
	size_t room;   /* bytes that may still be other than the body's */
	const char *bad_reason; /* static */
};

enum http_chunks_event http_chunks_take(struct http_chunks *chunks,
					const char *data, size_t size,
					size_t *ret_used);

#endif
