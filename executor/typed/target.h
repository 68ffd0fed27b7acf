/*
 * target.h - which function of an image a typed call means, and how calls of it are
 * refused. For call.c and call_json.c.
 */
#ifndef EXECUTOR_TYPED_TARGET_H
#define EXECUTOR_TYPED_TARGET_H

struct error;
struct declarations;
struct declaration;

/* The functions that may be called: all, or only one of them. */
struct typed_target {
	const struct declarations *functions;
	const struct declaration *only; /* NULL: all */
};

/*
 * Finds the function called @name. NULL in *@ret_function is the dispatch function.
 * -ENOSYS: there is none; the message has the name that was probably meant.
 */
int typed_target_find(const struct typed_target *target, const char *name,
		      struct error *err,
		      const struct declaration **ret_function);

/* Refuses @given arguments with -EINVAL if @function takes another number of them. */
int typed_target_check_count(const struct declaration *function, unsigned given,
			     struct error *err);

/* Refuses argument @index with -EINVAL. @function is NULL for dispatch. */
int typed_target_refuse(const struct declaration *function, unsigned index,
			const char *expected, const char *given,
			struct error *err);

#endif
