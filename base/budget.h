/*
 * budget.h - the memory that clients make the server keep: one bound for all of
 * it, and nobody takes all of it.
 *
 *	budget_open(&account, &worker->purse);
 *	budget_join(&account, BUDGET_OF_FUNCTION, &served->share);
 *	if (!budget_take(&account, size))
 *		say(budget_reason(account.refused));
 *	...
 *	budget_close(&account);
 *
 * What is kept for a request, an event or a connection is taken by an account of
 * its own. An account counts for the function it is about and for the client it
 * comes from. Each of those is given more only while it has no more than is free:
 * one that takes all it can get has half, two have a third each, and whoever comes
 * next finds room.
 *
 * An account belongs to the thread of its purse. A worker's purse takes some in
 * advance, so that a small request costs no counter that all workers write to.
 */
#ifndef BASE_BUDGET_H
#define BASE_BUDGET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The server's. Any thread. */
struct budget {
	uint64_t max;  /* bytes */
	uint64_t step; /* a purse takes so much in advance */
	_Atomic uint64_t used;
};

/* A worker's; other threads may read how much is in it. */
struct budget_purse {
	struct budget *budget; /* NULL: nothing is counted */
	_Atomic uint64_t credit;
};

/* What is used by those who have something in common. Any thread. */
struct budget_share {
	_Atomic uint64_t used;
};

enum budget_sharer {
	BUDGET_OF_FUNCTION,
	BUDGET_OF_CLIENT,
	BUDGET_SHARERS,
};

enum budget_refusal {
	BUDGET_NOT_REFUSED,
	BUDGET_USED_UP,
	BUDGET_FUNCTION_FULL,
	BUDGET_CLIENT_FULL,
};

struct budget_account {
	struct budget_purse *purse; /* NULL: closed, or nothing is counted */
	struct budget_share *shares[BUDGET_SHARERS]; /* NULL: none */
	size_t used;
	enum budget_refusal refused; /* the last time */
};

/* For @purses of them, and @max bytes. */
void budget_init(struct budget *budget, uint64_t max, unsigned purses);

/* Gives back what is in it. */
void budget_purse_done(struct budget_purse *purse);

/* An account of which nothing is used; what was in it before does not matter. */
void budget_open(struct budget_account *account, struct budget_purse *purse);

/* Gives back all of it, and leaves all shares. Closed ones may be closed. */
void budget_close(struct budget_account *account);

/* What is and will be used counts for @share from now on, not for another. */
void budget_join(struct budget_account *account, enum budget_sharer sharer,
		 struct budget_share *share);

/* It counts for none any more. */
void budget_leave(struct budget_account *account, enum budget_sharer sharer);

/* Whether there are @size bytes for it; if not, why is in account->refused. */
bool budget_allows(struct budget_account *account, size_t size);

/* Takes them if there are. */
bool budget_take(struct budget_account *account, size_t size);

/* Takes them, whatever there is. */
void budget_take_anyway(struct budget_account *account, size_t size);

void budget_give(struct budget_account *account, size_t size);

/* A sentence for the client. */
const char *budget_reason(enum budget_refusal refusal);

#endif
