/* budget.c - memory that many users take from one bound. See budget.h. */
#include "base/budget.h"

#include <assert.h>

#include "base/hot.h"

/* A purse takes so much in advance, or less: all of them an eighth at most. */
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

static void budget_add(_Atomic uint64_t *used, uint64_t size)
{
	atomic_fetch_add_explicit(used, size, memory_order_relaxed);
}

static void budget_subtract(_Atomic uint64_t *used, uint64_t size)
{
	atomic_fetch_sub_explicit(used, size, memory_order_relaxed);
}

static uint64_t budget_read(const _Atomic uint64_t *used)
{
	return atomic_load_explicit(used, memory_order_relaxed);
}

static void set_credit(struct budget_purse *purse, uint64_t credit)
{
	atomic_store_explicit(&purse->credit, credit, memory_order_relaxed);
}

/* What @purse can still have, with its own credit. */
static uint64_t free_for(const struct budget_purse *purse)
{
	uint64_t most = purse->budget->max + budget_read(&purse->credit);
	uint64_t used = budget_read(&purse->budget->used);

	return used < most ? most - used : 0;
}

static bool budget_draw(struct budget *budget, uint64_t size)
{
	if (atomic_fetch_add_explicit(&budget->used, size,
				      memory_order_relaxed) +
		    size <=
	    budget->max)
		return true;
	budget_subtract(&budget->used, size);
	return false;
}

/* Fills @purse up to @size bytes at least; false: there are not so many. */
static bool budget_fill(struct budget_purse *purse, uint64_t size)
{
	struct budget *budget = purse->budget;
	uint64_t credit = budget_read(&purse->credit), more;

	if (credit >= size)
		return true;
	more = size - credit;
	if (budget_draw(budget, more + budget->step))
		more += budget->step;
	else if (!budget_draw(budget, more))
		return false;
	set_credit(purse, credit + more);
	return true;
}

HOT static void budget_fill_anyway(struct budget_purse *purse, uint64_t size)
{
	uint64_t credit = budget_read(&purse->credit);

	if (credit >= size)
		return;
	budget_add(&purse->budget->used, size - credit);
	set_credit(purse, size);
}

HOT static void put_back(struct budget_purse *purse, uint64_t size)
{
	struct budget *budget = purse->budget;
	uint64_t credit = budget_read(&purse->credit) + size;

	if (credit > 2 * budget->step) {
		budget_subtract(&budget->used, credit - budget->step);
		credit = budget->step;
	}
	set_credit(purse, credit);
}

void budget_purse_done(struct budget_purse *purse)
{
	if (purse->budget)
		budget_subtract(&purse->budget->used,
				budget_read(&purse->credit));
	set_credit(purse, 0);
}

HOT void budget_open(struct budget_account *account, struct budget_purse *purse)
{
	*account = (struct budget_account){
		.purse = purse->budget ? purse : NULL,
	};
}

HOT void budget_leave(struct budget_account *account, unsigned index)
{
	struct budget_share *share = account->shares[index];

	if (share)
		budget_subtract(&share->used, account->used);
	account->shares[index] = NULL;
}

HOT void budget_join(struct budget_account *account, unsigned index,
		     struct budget_share *share)
{
	budget_leave(account, index);
	if (!account->purse)
		return;
	budget_add(&share->used, account->used);
	account->shares[index] = share;
}

HOT void budget_close(struct budget_account *account)
{
	for (unsigned i = 0; i < BUDGET_SHARES; i++)
		budget_leave(account, i);
	if (account->purse)
		put_back(account->purse, account->used);
	account->purse = NULL;
	account->used = 0;
}

HOT bool budget_allows(struct budget_account *account, size_t size)
{
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
	for (unsigned i = 0; i < BUDGET_SHARES; i++) {
		struct budget_share *share = account->shares[i];

		if (share && budget_read(&share->used) + size > rest) {
			account->refused = BUDGET_SHARE_FULL + i;
			return false;
		}
	}
	return true;
}

/* Moves @size bytes of credit from the purse to the account. */
HOT static void budget_enter(struct budget_account *account, size_t size)
{
	set_credit(account->purse, budget_read(&account->purse->credit) - size);
	account->used += size;
	for (unsigned i = 0; i < BUDGET_SHARES; i++)
		if (account->shares[i])
			budget_add(&account->shares[i]->used, size);
}

bool budget_take(struct budget_account *account, size_t size)
{
	if (!account->purse || !size)
		return true;
	if (!budget_allows(account, size))
		return false;
	if (!budget_fill(account->purse, size)) {
		account->refused = BUDGET_USED_UP;
		return false;
	}
	budget_enter(account, size);
	return true;
}

HOT void budget_take_anyway(struct budget_account *account, size_t size)
{
	if (!account->purse || !size)
		return;
	budget_fill_anyway(account->purse, size);
	budget_enter(account, size);
}

void budget_give(struct budget_account *account, size_t size)
{
	if (!account->purse || !size)
		return;
	assert(size <= account->used);
	account->used -= size;
	for (unsigned i = 0; i < BUDGET_SHARES; i++)
		if (account->shares[i])
			budget_subtract(&account->shares[i]->used, size);
	put_back(account->purse, size);
}
