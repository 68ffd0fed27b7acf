/* timers.c - a pairing heap. See timers.h. */
#include "base/timers.h"

#include <stddef.h>

#include "base/hot.h"

/* Makes the later one the first child of the other. Both may be NULL. */
HOT static struct timer *timers_merge(struct timer *a, struct timer *b)
{
	struct timer *later;

	if (!a || !b)
		return a ? a : b;
	if (b->at_ns < a->at_ns) {
		later = a;
		a = b;
	} else {
		later = b;
	}
	later->next = a->child;
	if (later->next)
		later->next->link = &later->next;
	later->link = &a->child;
	a->child = later;
	return a;
}

/* Merges siblings in pairs, then the pairs. */
static struct timer *timers_merge_all(struct timer *first)
{
	struct timer *pairs = NULL, *all = NULL;

	while (first) {
		struct timer *a = first, *b = a->next, *pair;

		first = b ? b->next : NULL;
		a->next = NULL;
		if (b)
			b->next = NULL;
		pair = timers_merge(a, b);
		pair->next = pairs;
		pairs = pair;
	}
	while (pairs) {
		struct timer *pair = pairs;

		pairs = pair->next;
		pair->next = NULL;
		all = timers_merge(all, pair);
	}
	return all;
}

HOT static void set_root(struct timers *timers, struct timer *root)
{
	timers->root = root;
	if (root) {
		root->next = NULL;
		root->link = &timers->root;
	}
}

HOT void timer_clear(struct timers *timers, struct timer *timer)
{
	struct timer *children;

	if (!timer->link)
		return;
	*timer->link = timer->next;
	if (timer->next)
		timer->next->link = timer->link;
	children = timers_merge_all(timer->child);
	timer->child = timer->next = NULL;
	timer->link = NULL;
	set_root(timers, timers_merge(timers->root, children));
}

HOT void timer_set(struct timers *timers, struct timer *timer, uint64_t at_ns)
{
	timer_clear(timers, timer);
	timer->at_ns = at_ns;
	set_root(timers, timers_merge(timers->root, timer));
}

HOT uint64_t timers_next(const struct timers *timers)
{
	return timers->root ? timers->root->at_ns : UINT64_MAX;
}

HOT void timers_fire(struct timers *timers, uint64_t now_ns)
{
	while (timers->root && timers->root->at_ns <= now_ns) {
		struct timer *timer = timers->root;

		timer_clear(timers, timer);
		timer->fire(timer);
	}
}
