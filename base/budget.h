/*
 * budget.h - memory that many users take from one bound, so that no user takes
 * all of it.
 *
 *	budget_open(&account, &purse);
 *	budget_join(&account, 0, &user->share);
 *	if (!budget_take(&account, size))
 *		...			account.refused says why
 *	...
 *	budget_close(&account);
 *
 * Each thing that needs memory has an account. An account counts for up to
 * BUDGET_SHARES shares, one for each kind of user. A share is given more only
 * while it has no more than what is free: one user that takes all it can get has
 * half of the memory, two have a third each, and the next one still finds room.
 *
 * An account belongs to the thread of its purse. A purse takes some memory in
 * advance, so that small amounts do not write to the counter of all threads.
 */
#ifndef BASE_BUDGET_H
#define BASE_BUDGET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Shares that one account may count for. */
#define BUDGET_SHARES 2

/* The bound. Any thread. */
struct budget {
	uint64_t max;  /* bytes */
	uint64_t step; /* what a purse takes in advance */
	_Atomic uint64_t used;
};

/* One thread's; other threads may read its credit. */
struct budget_purse {
	struct budget *budget; /* NULL: nothing is counted */
	_Atomic uint64_t credit;
};

/* What one user has. Any thread. */
struct budget_share {
	_Atomic uint64_t used;
};

enum budget_refusal {
	BUDGET_NOT_REFUSED,
	BUDGET_USED_UP,
	/* This plus a share's index: that share may not have more. */
	BUDGET_SHARE_FULL,
};

struct budget_account {
	struct budget_purse *purse; /* NULL: closed, or nothing is counted */
	struct budget_share *shares[BUDGET_SHARES]; /* NULL: none */
	size_t used;
	unsigned refused; /* why, the last time: see enum budget_refusal */
};

/* Prepares for @max bytes, which @purses of them share. */
void budget_init(struct budget *budget, uint64_t max, unsigned purses);

/* Gives back the credit of @purse. */
void budget_purse_done(struct budget_purse *purse);

/* Makes an account that uses nothing; what @account held does not matter. */
void budget_open(struct budget_account *account, struct budget_purse *purse);

/* Gives back everything and leaves all shares. A closed account may be closed. */
void budget_close(struct budget_account *account);

/*
 * Counts what @account uses, now and later, for @share, which takes the place of
 * the account's share at @index.
 */
void budget_join(struct budget_account *account, unsigned index,
		 struct budget_share *share);

/* Stops counting for the share at @index, if there is one. */
void budget_leave(struct budget_account *account, unsigned index);

/* Returns whether @size bytes may be taken; sets account->refused. */
bool budget_allows(struct budget_account *account, size_t size);

/* Takes @size bytes if they may be taken; sets account->refused if not. */
bool budget_take(struct budget_account *account, size_t size);

/* Takes @size bytes in any case. */
void budget_take_anyway(struct budget_account *account, size_t size);

/* Gives back @size bytes, which @account has taken. */
void budget_give(struct budget_account *account, size_t size);

#endif
