/* budget.c - the memory that clients make the server keep. See budget.h. */
#include "base/budget.h"

#include <assert.h>

/* A purse takes so much in advance; less, so that all have an eighth at most. */
#define STEP_MAX (64 * 1024)
#define STEPS 16

void budget_init(struct budget *budget, uint64_t max, unsigned purses)
{
	budget->max = max;
	budget->step = max / STEPS / purses;
	if (budget->step > STEP_MAX)
		budget->step = STEP_MAX;
	atomic_store(&budget->used, 0);
}

static void add(_Atomic uint64_t *used, uint64_t size)
{
	atomic_fetch_add_explicit(used, size, memory_order_relaxed);
}

static void subtract(_Atomic uint64_t *used, uint64_t size)
{
	atomic_fetch_sub_explicit(used, size, memory_order_relaxed);
}

static uint64_t read(const _Atomic uint64_t *used)
{
	return atomic_load_explicit(used, memory_order_relaxed);
}

static void set_credit(struct budget_purse *purse, uint64_t credit)
{
	atomic_store_explicit(&purse->credit, credit, memory_order_relaxed);
}

/* What @purse can still have, its own credit included. */
static uint64_t free_for(const struct budget_purse *purse)
{
	uint64_t most = purse->budget->max + read(&purse->credit);
	uint64_t used = read(&purse->budget->used);

	return used < most ? most - used : 0;
}

static bool draw(struct budget *budget, uint64_t size)
{
	if (atomic_fetch_add_explicit(&budget->used, size,
				      memory_order_relaxed) +
		    size <=
	    budget->max)
		return true;
	subtract(&budget->used, size);
	return false;
}

/* Has at least @size bytes be in it; false: there are not so many. */
static bool fill(struct budget_purse *purse, uint64_t size)
{
	struct budget *budget = purse->budget;
	uint64_t credit = read(&purse->credit), more;

	if (credit >= size)
		return true;
	more = size - credit;
	if (draw(budget, more + budget->step))
		more += budget->step;
	else if (!draw(budget, more))
		return false;
	set_credit(purse, credit + more);
	return true;
}

static void fill_anyway(struct budget_purse *purse, uint64_t size)
{
	uint64_t credit = read(&purse->credit);

	if (credit >= size)
		return;
	add(&purse->budget->used, size - credit);
	set_credit(purse, size);
}

static void put_back(struct budget_purse *purse, uint64_t size)
{
	struct budget *budget = purse->budget;
	uint64_t credit = read(&purse->credit) + size;

	if (credit > 2 * budget->step) {
		subtract(&budget->used, credit - budget->step);
		credit = budget->step;
	}
	set_credit(purse, credit);
}

void budget_purse_done(struct budget_purse *purse)
{
	if (purse->budget)
		subtract(&purse->budget->used, read(&purse->credit));
	set_credit(purse, 0);
}

void budget_open(struct budget_account *account, struct budget_purse *purse)
{
	*account = (struct budget_account){
		.purse = purse->budget ? purse : NULL,
	};
}

void budget_leave(struct budget_account *account, enum budget_sharer sharer)
{
	struct budget_share *share = account->shares[sharer];

	if (share)
		subtract(&share->used, account->used);
	account->shares[sharer] = NULL;
}

void budget_join(struct budget_account *account, enum budget_sharer sharer,
		 struct budget_share *share)
{
	budget_leave(account, sharer);
	if (!account->purse)
		return;
	add(&share->used, account->used);
	account->shares[sharer] = share;
}

void budget_close(struct budget_account *account)
{
	for (unsigned i = 0; i < BUDGET_SHARERS; i++)
		budget_leave(account, i);
	if (account->purse)
		put_back(account->purse, account->used);
	account->purse = NULL;
	account->used = 0;
}

bool budget_allows(struct budget_account *account, size_t size)
{
	static const enum budget_refusal refusals[BUDGET_SHARERS] = {
		[BUDGET_OF_FUNCTION] = BUDGET_FUNCTION_FULL,
		[BUDGET_OF_CLIENT] = BUDGET_CLIENT_FULL,
	};
	uint64_t rest;

	account->refused = BUDGET_NOT_REFUSED;
	if (!account->purse)
		return true;
	rest = free_for(account->purse);
	if (!rest || rest < size) {
		account->refused = BUDGET_USED_UP;
		return false;
	}
	rest -= size;
	for (unsigned i = 0; i < BUDGET_SHARERS; i++) {
		struct budget_share *share = account->shares[i];

		if (share && read(&share->used) + size > rest) {
			account->refused = refusals[i];
			return false;
		}
	}
	return true;
}

/* @size bytes of the purse are the account's now. */
static void enter(struct budget_account *account, size_t size)
{
	set_credit(account->purse, read(&account->purse->credit) - size);
	account->used += size;
	for (unsigned i = 0; i < BUDGET_SHARERS; i++)
		if (account->shares[i])
			add(&account->shares[i]->used, size);
}

bool budget_take(struct budget_account *account, size_t size)
{
	if (!account->purse || !size)
		return true;
	if (!budget_allows(account, size))
		return false;
	if (!fill(account->purse, size)) {
		account->refused = BUDGET_USED_UP;
		return false;
	}
	enter(account, size);
	return true;
}

void budget_take_anyway(struct budget_account *account, size_t size)
{
	if (!account->purse || !size)
		return;
	fill_anyway(account->purse, size);
	enter(account, size);
}

void budget_give(struct budget_account *account, size_t size)
{
	if (!account->purse || !size)
		return;
	assert(size <= account->used);
	account->used -= size;
	for (unsigned i = 0; i < BUDGET_SHARERS; i++)
		if (account->shares[i])
			subtract(&account->shares[i]->used, size);
	put_back(account->purse, size);
}

const char *budget_reason(enum budget_refusal refusal)
{
	switch (refusal) {
	case BUDGET_FUNCTION_FULL:
		return "the function's share of the memory for requests and "
		       "replies is used up: try again, or raise --max-buffered";
	case BUDGET_CLIENT_FULL:
		return "the client's share of the memory for requests and "
		       "replies is used up: try again, or raise --max-buffered";
	default:
		return "the memory for requests and replies is used up: try "
		       "again, or raise --max-buffered";
	}
}
