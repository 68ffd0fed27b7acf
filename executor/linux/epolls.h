/*
 * epolls.h - what the epoll descriptors of a Linux program watch: a list of entries, each
 * of which has one epoll file watch one descriptor of another file.
 */
#ifndef EXECUTOR_LINUX_EPOLLS_H
#define EXECUTOR_LINUX_EPOLLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Entries of all epoll files of a program; another one is ENOSPC. */
#define EPOLLS_MAX 1024
/* Of these, entries that watch epoll files; another one is EINVAL. */
#define EPOLLS_NESTED_MAX 8

/* Files are told by their places in struct files. */
struct epoll_entry {
	uint16_t epoll;
	uint16_t file;
	uint16_t fd;
	bool is_new;  /* nothing was reported since it was added or changed */
	bool is_done; /* EPOLLONESHOT, and reported */
	uint32_t events;
	uint64_t data;
	uint64_t seen; /* changes of the file when it was last reported */
};

struct epolls {
	struct epoll_entry list[EPOLLS_MAX];
	uint32_t count;
	uint32_t turn;	 /* where to look first */
	bool is_made;	 /* by epolls_copy() */
	bool is_changed; /* since epolls_copy() */
};

/* Makes *@to, zero or an earlier copy, equal to @from. */
void epolls_copy(struct epolls *to, const struct epolls *from);

/* The entry of descriptor @fd, which is @file, in @epoll; NULL: there is none. */
struct epoll_entry *epolls_find(struct epolls *epolls, uint16_t epoll,
				uint16_t file, uint16_t fd);

/* Adds a copy of @entry. 0 or -ENOSPC. */
int epolls_add(struct epolls *epolls, const struct epoll_entry *entry);

void epolls_remove(struct epolls *epolls, struct epoll_entry *entry);

/* The file @file is closed: removes what watches it, and what it watches. */
void epolls_forget(struct epolls *epolls, uint16_t file);

/* Whether @file is watched. */
bool epolls_is_watched(const struct epolls *epolls, uint16_t file);

#endif
