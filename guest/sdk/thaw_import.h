/*
 * thaw_import.h - host functions, which a function calls while it runs. <thaw.h>
 * includes it.
 *
 *	THAW_IMPORT(long, time)
 *	THAW_IMPORT(const char *, config, const char *)
 *
 *	THAW_HANDLER(hello)
 *	{
 *		const char *greeting;
 *
 *		if (host_config("greeting", &greeting))
 *			thaw_fail("Hello.Config", "%s", thaw_host_message());
 *		...
 *	}
 *
 * A host function exists for a function of the catalog if its `host.allow` lists it.
 * thaw checks name and types of each import when the function is deployed. A call that
 * fails returns why, and does no harm. docs/host-functions.md has those that are built
 * in, and the rules. Host functions cannot be called by THAW_INIT.
 */
#ifndef THAW_IMPORT_H
#define THAW_IMPORT_H

#include <thaw_function.h>
#include <thaw_host.h>

/*
 * Declares a host function: its return type, its name, and the types of its
 * parameters, 16 at most. It is called with a value for each of them and, unless it
 * returns void, a pointer to where the result goes:
 *
 *	THAW_IMPORT(int, add, int, int)
 *	THAW_IMPORT(void, notify, const char *)
 *
 *	int host_add(int, int, int *ret_result);
 *	int host_notify(const char *);
 *
 * They return an enum thaw_host_status: THAW_HOST_OK if the result has been set; else
 * thaw_host_message() has the reason. A string or bytes of a result are read-only, and
 * valid until the next call of a host function.
 */
#define THAW_IMPORT(returns, ...)                                              \
	__attribute__((unused)) static inline int THAW_HOST_(__VA_ARGS__)(     \
		THAW_SECOND_(THAW_IMPORT_##returns, THAW_IMPORT_VALUE_,        \
			     ~)(returns, __VA_ARGS__))                         \
	{                                                                      \
		const struct thaw_value thaw_arguments[] = {                   \
			THAW_EACH_(THAW_OF_MADE_, THAW_COMMA_,                 \
				   thaw_value_void(), __VA_ARGS__)             \
		};                                                             \
		struct thaw_value thaw_result;                                 \
		const int thaw_status =                                        \
			thaw_host_call(THAW_STRING_(                           \
					       THAW_FIRST_(__VA_ARGS__, ~)),   \
				       thaw_arguments,                         \
				       THAW_COUNT_(__VA_ARGS__),               \
				       (enum thaw_type)THAW_NUMBER_(returns),  \
				       &thaw_result);                          \
                                                                               \
		THAW_SECOND_(THAW_IMPORTED_##returns, THAW_IMPORTED_VALUE_, ~) \
		(returns);                                                     \
		return thaw_status;                                            \
	}                                                                      \
	THAW_IMPORT_ENTRY_(returns, THAW_FIRST_(__VA_ARGS__, ~),               \
			   THAW_COUNT_(__VA_ARGS__),                           \
			   THAW_IMPORT_TYPES_(__VA_ARGS__))

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Calls the host function called @name with @count arguments, 16 at most; @returns is
 * the type that is expected. For callers that know names and types only when they run;
 * others use THAW_IMPORT. Returns and sets *@ret_result as described there;
 * THAW_TYPE_VOID is the type of no result.
 */
int thaw_host_call(const char *name, const struct thaw_value *arguments,
		   unsigned count, enum thaw_type returns,
		   struct thaw_value *ret_result);

/* Why the last call of a host function has failed; "" if it has not. */
const char *thaw_host_message(void);

/*
 * Adds a typed function while THAW_INIT runs, for libraries that learn of functions
 * only then. *@record is copied. It is called as those of THAW_FUNCTION are. Its name
 * may be any printable ASCII, and its parameters need no names. Returns its number,
 * counted from 0; -1: the image has THAW_FUNCTIONS_MAX functions already, or init is
 * over. thaw refuses names and types that make no sense when it deploys the image.
 */
int thaw_register(const struct thaw_function_record *record);

/*
 * The number that thaw_register() has returned for the function that is being called,
 * so that several may have the same code.
 */
unsigned thaw_registered_number(void);

#ifdef __cplusplus
}
#endif

/* From here on: what THAW_IMPORT is made of. */

#define THAW_HOST_(...) THAW_PASTE_(host_, THAW_FIRST_(__VA_ARGS__, ~))

/* Whether there is a value, as THAW_VOID_void. */
#define THAW_IMPORT_void ~, THAW_IMPORT_NOTHING_
#define THAW_IMPORT_VALUE_(returns, ...)                           \
	THAW_EACH_(THAW_OF_BEFORE_, THAW_NO_COMMA_, , __VA_ARGS__) \
	returns *thaw_ret_result
#define THAW_IMPORT_NOTHING_(returns, ...) \
	THAW_EACH_(THAW_OF_LAST_, THAW_COMMA_, void, __VA_ARGS__)
#define THAW_IMPORTED_void ~, THAW_IMPORTED_NOTHING_
#define THAW_IMPORTED_VALUE_(returns) \
	if (!thaw_status)             \
	*thaw_ret_result = THAW_GET_(returns, &thaw_result)
#define THAW_IMPORTED_NOTHING_(returns) (void)thaw_result

#define THAW_NO_COMMA_()
#define THAW_OF_BEFORE_(index, type) type thaw_argument_##index,
#define THAW_OF_LAST_(index, type) type thaw_argument_##index
#define THAW_OF_MADE_(index, type) THAW_MAKE_(type, thaw_argument_##index)
#define THAW_OF_IMPORT_(index, type) THAW_NUMBER_(type)
#define THAW_IMPORT_TYPES_(...)                                          \
	{                                                                \
		THAW_EACH_(THAW_OF_IMPORT_, THAW_COMMA_, 0, __VA_ARGS__) \
	}

#define THAW_IMPORT_ENTRY_(returns_, name_, count_, types_)                   \
	THAW_ASSERT(sizeof(THAW_STRING_(name_)) <=                            \
			    sizeof(((struct thaw_function_record *)0)->name), \
		    "a host function's name has 55 characters at most");      \
	__attribute__((used, section("thaw_imports"),                         \
		       aligned(8))) static const struct thaw_function_record  \
		THAW_PASTE_(thaw_import_entry_, name_) = {                    \
			NULL,	THAW_NUMBER_(returns_), count_, 0, 0,         \
			types_, THAW_STRING_(name_),	""                    \
		};

#endif
