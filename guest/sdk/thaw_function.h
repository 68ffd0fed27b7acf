/*
 * thaw_function.h - typed functions, which are called with values instead of bytes.
 * <thaw.h> includes it.
 *
 *	THAW_FUNCTION(int, add, (int, a), (int, b))
 *	{
 *		return a + b;
 *	}
 *
 *	THAW_FUNCTION(const char *, greet, (const char *, name))
 *	{
 *		static char text[100];
 *
 *		snprintf(text, sizeof(text), "Hello, %s!", name);
 *		return text;
 *	}
 *
 * thaw checks and converts the arguments before the function runs, and its result
 * afterwards: the request {"function":"add","args":[20,22]} has the reply {"result":42}.
 * docs/typed-functions.md has the rules.
 *
 * The types are these of C, or typedefs of them, except of void:
 *
 *	int, unsigned int		32 bit: int, uint
 *	long, unsigned long,		64 bit: long, ulong
 *	long long, unsigned long long
 *	float, double, bool
 *	const char *			string: UTF-8
 *	struct thaw_bytes		bytes
 *	void				for returns only
 *
 * The compiler refuses others. Strings and bytes that come as arguments are read-only,
 * and valid until the function returns. A string or bytes that the function returns are
 * copied after it has returned, so they must not be in a local array.
 */
#ifndef THAW_FUNCTION_H
#define THAW_FUNCTION_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <thaw_abi.h>
#include <thaw_typed.h>
#include <thaw_types.h>

/*
 * Defines a typed function; its body follows. The arguments are the type of what it
 * returns, its name, and a pair of type and name for each parameter, 16 at most. Its
 * name has 55 characters at most, and the names of all parameters together have 167. An
 * image has 256 typed functions at most, and one of a name. To report an error, call
 * thaw_fail(), as in a handler. What the function writes by thaw_reply() is dropped.
 */
#define THAW_FUNCTION(returns, ...)                                            \
	static returns THAW_BODY_(__VA_ARGS__)(THAW_PARAMETERS_(__VA_ARGS__)); \
	static void THAW_CALL_(__VA_ARGS__)(THAW_CALL_PARAMETERS_)             \
	{                                                                      \
		THAW_SECOND_(THAW_VOID_##returns, THAW_CALL_VALUE_, ~)         \
		(returns, THAW_BODY_(__VA_ARGS__),                             \
		 (THAW_ARGUMENTS_(__VA_ARGS__)));                              \
	}                                                                      \
	THAW_FUNCTION_ENTRY_(returns, THAW_FIRST_(__VA_ARGS__, ~),             \
			     THAW_COUNT_(__VA_ARGS__),                         \
			     THAW_PARAMETER_TYPES_(__VA_ARGS__),               \
			     THAW_PARAMETER_NAMES_(__VA_ARGS__))               \
	static returns THAW_BODY_(__VA_ARGS__)(THAW_PARAMETERS_(__VA_ARGS__))

/*
 * A call of a name that no typed function has: see THAW_DISPATCH. It and what it points
 * to are read-only, and valid until the dispatch function returns.
 */
struct thaw_call {
	const char *name;
	const struct thaw_value *arguments; /* @count of them */
	unsigned count;
	enum thaw_type returns; /* expected; THAW_TYPE_NONE: any will do */
	const struct thaw_request *request;
};

/*
 * Defines the dispatch function, which takes the calls of names that no typed function
 * has; its body follows. Its parameter is `const struct thaw_call *call`, and it returns
 * a struct thaw_value. An image has one at most. An integer that came as JSON is a
 * long, or a ulong if a long cannot hold it; every other number is a double.
 *
 *	THAW_DISPATCH
 *	{
 *		if (strcmp(call->name, "count"))
 *			thaw_no_such_function(call);
 *		return thaw_value_uint(call->count);
 *	}
 */
#define THAW_DISPATCH                                           \
	THAW_DISPATCH_ENTRY_                                    \
	struct thaw_value thaw_dispatch(__attribute__((unused)) \
					const struct thaw_call *call)

#ifdef __cplusplus
extern "C" {
#endif

/* Ends the invocation with the error that there is no such function. */
void thaw_no_such_function(const struct thaw_call *call)
	__attribute__((noreturn));

/* The dispatch function, for those who call it: THAW_DISPATCH defines it. */
struct thaw_value thaw_dispatch(const struct thaw_call *call);

/*
 * For each type, thaw_value_TYPE() makes a value, and thaw_get_TYPE() returns what is in
 * one; it does not check that the value has this type. Bytes and strings are borrowed:
 * they must be valid as long as the value.
 */
#define THAW_SCALAR_(word, member, ctype, constant)                     \
	static inline struct thaw_value thaw_value_##word(ctype scalar) \
	{                                                               \
		struct thaw_value value;                                \
                                                                        \
		memset(&value, 0, sizeof(value));                       \
		value.type = constant;                                  \
		value.as.member = scalar;                               \
		return value;                                           \
	}                                                               \
	static inline ctype thaw_get_##word(const struct thaw_value *v) \
	{                                                               \
		return v->as.member;                                    \
	}
THAW_SCALAR_(int, i32, int32_t, THAW_TYPE_INT)
THAW_SCALAR_(uint, u32, uint32_t, THAW_TYPE_UINT)
THAW_SCALAR_(long, i64, int64_t, THAW_TYPE_LONG)
THAW_SCALAR_(ulong, u64, uint64_t, THAW_TYPE_ULONG)
THAW_SCALAR_(float, f32, float, THAW_TYPE_FLOAT)
THAW_SCALAR_(double, f64, double, THAW_TYPE_DOUBLE)
THAW_SCALAR_(bool, boolean, bool, THAW_TYPE_BOOL)
THAW_SCALAR_(bytes, bytes, struct thaw_bytes, THAW_TYPE_BYTES)

/* @text is UTF-8. A dispatch function that returns NULL as a string fails. */
static inline struct thaw_value thaw_value_string(const char *text)
{
	struct thaw_value value;

	memset(&value, 0, sizeof(value));
	value.type = THAW_TYPE_STRING;
	value.as.string.data = text;
	value.as.string.size = text ? strlen(text) : 0;
	return value;
}

static inline const char *thaw_get_string(const struct thaw_value *v)
{
	return v->as.string.data;
}

static inline struct thaw_value thaw_value_void(void)
{
	struct thaw_value value;

	memset(&value, 0, sizeof(value));
	value.type = THAW_TYPE_VOID;
	return value;
}

/* What THAW_FUNCTION leaves in the image: a struct thaw_function_entry. */
struct thaw_function_record {
	void (*call)(const struct thaw_value *arguments,
		     struct thaw_value *result);
	uint8_t returns, count;
	uint16_t flags;
	uint32_t reserved;
	uint8_t types[THAW_PARAMETERS_MAX];
	char name[sizeof(((struct thaw_function_entry *)0)->name)];
	char parameters[sizeof(((struct thaw_function_entry *)0)->parameters)];
};

#ifdef __cplusplus
}

/* Which type of thaw's a type of C is. A type that is not here does not compile. */
template <typename type> struct thaw_native;

#define THAW_NATIVE_(ctype, word, constant)                   \
	template <> struct thaw_native<ctype> {               \
		static constexpr uint8_t number = constant;   \
		static ctype get(const thaw_value *value)     \
		{                                             \
			return (ctype)thaw_get_##word(value); \
		}                                             \
		static thaw_value make(ctype scalar)          \
		{                                             \
			return thaw_value_##word(scalar);     \
		}                                             \
	};
THAW_NATIVE_(int, int, THAW_TYPE_INT)
THAW_NATIVE_(unsigned, uint, THAW_TYPE_UINT)
THAW_NATIVE_(long, long, THAW_TYPE_LONG)
THAW_NATIVE_(long long, long, THAW_TYPE_LONG)
THAW_NATIVE_(unsigned long, ulong, THAW_TYPE_ULONG)
THAW_NATIVE_(unsigned long long, ulong, THAW_TYPE_ULONG)
THAW_NATIVE_(float, float, THAW_TYPE_FLOAT)
THAW_NATIVE_(double, double, THAW_TYPE_DOUBLE)
THAW_NATIVE_(bool, bool, THAW_TYPE_BOOL)
THAW_NATIVE_(const char *, string, THAW_TYPE_STRING)
THAW_NATIVE_(thaw_bytes, bytes, THAW_TYPE_BYTES)
template <> struct thaw_native<void> {
	static constexpr uint8_t number = THAW_TYPE_VOID;
};

#define THAW_NUMBER_(ctype) thaw_native<ctype>::number
#define THAW_GET_(ctype, value) thaw_native<ctype>::get(value)
#define THAW_MAKE_(ctype, scalar) thaw_native<ctype>::make(scalar)

#else

/* The same in C. It chooses by pointers, because there is no value of type void. */
#define THAW_GENERIC_(ctype, prefix, nothing) \
	_Generic((ctype *)0,                        \
		int *: prefix##int,                 \
		unsigned *: prefix##uint,           \
		long *: prefix##long,               \
		long long *: prefix##long,          \
		unsigned long *: prefix##ulong,     \
		unsigned long long *: prefix##ulong, \
		float *: prefix##float,             \
		double *: prefix##double,           \
		_Bool *: prefix##bool,              \
		const char **: prefix##string,      \
		struct thaw_bytes *: prefix##bytes, \
		void *: nothing)
enum {
	thaw_number_int = THAW_TYPE_INT,
	thaw_number_uint = THAW_TYPE_UINT,
	thaw_number_long = THAW_TYPE_LONG,
	thaw_number_ulong = THAW_TYPE_ULONG,
	thaw_number_float = THAW_TYPE_FLOAT,
	thaw_number_double = THAW_TYPE_DOUBLE,
	thaw_number_bool = THAW_TYPE_BOOL,
	thaw_number_string = THAW_TYPE_STRING,
	thaw_number_bytes = THAW_TYPE_BYTES
};

#define THAW_NUMBER_(ctype) THAW_GENERIC_(ctype, thaw_number_, THAW_TYPE_VOID)
#define THAW_GET_(ctype, value) THAW_GENERIC_(ctype, thaw_get_, 0)(value)
#define THAW_MAKE_(ctype, scalar) THAW_GENERIC_(ctype, thaw_value_, 0)(scalar)

#endif

/* From here on: what THAW_FUNCTION is made of. */

#define THAW_BODY_(...) THAW_PASTE_(thaw_body_, THAW_FIRST_(__VA_ARGS__, ~))
#define THAW_CALL_(...) THAW_PASTE_(thaw_thunk_, THAW_FIRST_(__VA_ARGS__, ~))
#define THAW_CALL_PARAMETERS_                                       \
	__attribute__((unused)) const struct thaw_value *arguments, \
		struct thaw_value *result
#define THAW_PASTE_(a, b) THAW_PASTE_2_(a, b)
#define THAW_PASTE_2_(a, b) a##b
#define THAW_STRING_(a) THAW_STRING_2_(a)
#define THAW_STRING_2_(a) #a
#define THAW_FIRST_(first, ...) first
#define THAW_SECOND_(...) THAW_SECOND_2_(__VA_ARGS__)
#define THAW_SECOND_2_(first, second, ...) second

/* Tells void from other types: with those pasted to it, THAW_VOID_ is no macro. */
#define THAW_VOID_void ~, THAW_CALL_NOTHING_
#define THAW_CALL_VALUE_(returns, body, arguments) \
	*result = THAW_MAKE_(returns, body arguments)
#define THAW_CALL_NOTHING_(returns, body, arguments) \
	body arguments;                              \
	*result = thaw_value_void()

/* How many arguments follow the first. */
#define THAW_COUNT_(...)                                                     \
	THAW_COUNT_2_(__VA_ARGS__, more_than_16, 16, 15, 14, 13, 12, 11, 10, \
		      9, 8, 7, 6, 5, 4, 3, 2, 1, 0, ~)
#define THAW_COUNT_2_(name, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, \
		      count, ...)                                              \
	count

/* @of(index, pair) for each of the pairs that follow the name. */
#define THAW_EACH_(of, separator, none, ...)              \
	THAW_PASTE_(THAW_EACH_, THAW_COUNT_(__VA_ARGS__)) \
	(of, separator, none, __VA_ARGS__)
#define THAW_EACH_0(of, s, none, n) none
#define THAW_EACH_1(of, s, none, n, a) of(0, a)
#define THAW_EACH_2(of, s, none, n, a, b) \
	THAW_EACH_1(of, s, none, n, a) s() of(1, b)
#define THAW_EACH_3(of, s, none, n, a, b, c) \
	THAW_EACH_2(of, s, none, n, a, b) s() of(2, c)
#define THAW_EACH_4(of, s, none, n, a, b, c, d) \
	THAW_EACH_3(of, s, none, n, a, b, c) s() of(3, d)
#define THAW_EACH_5(of, s, none, n, a, b, c, d, e) \
	THAW_EACH_4(of, s, none, n, a, b, c, d) s() of(4, e)
#define THAW_EACH_6(of, s, none, n, a, b, c, d, e, f) \
	THAW_EACH_5(of, s, none, n, a, b, c, d, e) s() of(5, f)
#define THAW_EACH_7(of, s, none, n, a, b, c, d, e, f, g) \
	THAW_EACH_6(of, s, none, n, a, b, c, d, e, f) s() of(6, g)
#define THAW_EACH_8(of, s, none, n, a, b, c, d, e, f, g, h) \
	THAW_EACH_7(of, s, none, n, a, b, c, d, e, f, g) s() of(7, h)
#define THAW_EACH_9(of, s, none, n, a, b, c, d, e, f, g, h, i) \
	THAW_EACH_8(of, s, none, n, a, b, c, d, e, f, g, h) s() of(8, i)
#define THAW_EACH_10(of, s, none, n, a, b, c, d, e, f, g, h, i, j) \
	THAW_EACH_9(of, s, none, n, a, b, c, d, e, f, g, h, i) s() of(9, j)
#define THAW_EACH_11(of, s, none, n, a, b, c, d, e, f, g, h, i, j, k) \
	THAW_EACH_10(of, s, none, n, a, b, c, d, e, f, g, h, i, j) s() of(10, k)
#define THAW_EACH_12(of, s, none, n, a, b, c, d, e, f, g, h, i, j, k, l) \
	THAW_EACH_11(of, s, none, n, a, b, c, d, e, f, g, h, i, j, k)    \
	s() of(11, l)
#define THAW_EACH_13(of, s, none, n, a, b, c, d, e, f, g, h, i, j, k, l, m) \
	THAW_EACH_12(of, s, none, n, a, b, c, d, e, f, g, h, i, j, k, l)    \
	s() of(12, m)
#define THAW_EACH_14(of, s, none, n, a, b, c, d, e, f, g, h, i, j, k, l, m, o) \
	THAW_EACH_13(of, s, none, n, a, b, c, d, e, f, g, h, i, j, k, l, m)    \
	s() of(13, o)
#define THAW_EACH_15(of, s, none, n, a, b, c, d, e, f, g, h, i, j, k, l, m, o, \
		     p)                                                        \
	THAW_EACH_14(of, s, none, n, a, b, c, d, e, f, g, h, i, j, k, l, m, o) \
	s() of(14, p)
#define THAW_EACH_16(of, s, none, n, a, b, c, d, e, f, g, h, i, j, k, l, m, o, \
		     p, q)                                                     \
	THAW_EACH_15(of, s, none, n, a, b, c, d, e, f, g, h, i, j, k, l, m, o, \
		     p)                                                        \
	s() of(15, q)

#define THAW_COMMA_() ,
#define THAW_TEXT_COMMA_() ", "

#define THAW_PAIR_TYPE_(type, name) type
#define THAW_PAIR_NAME_(type, name) name
#define THAW_PAIR_BOTH_(type, name) type name

#define THAW_OF_PARAMETER_(index, pair) THAW_PAIR_BOTH_ pair
#define THAW_OF_ARGUMENT_(index, pair) \
	THAW_GET_(THAW_PAIR_TYPE_ pair, &arguments[index])
#define THAW_OF_TYPE_(index, pair) THAW_NUMBER_(THAW_PAIR_TYPE_ pair)
#define THAW_OF_NAME_(index, pair) THAW_STRING_(THAW_PAIR_NAME_ pair)

#define THAW_PARAMETERS_(...) \
	THAW_EACH_(THAW_OF_PARAMETER_, THAW_COMMA_, void, __VA_ARGS__)
#define THAW_ARGUMENTS_(...) \
	THAW_EACH_(THAW_OF_ARGUMENT_, THAW_COMMA_, , __VA_ARGS__)
#define THAW_PARAMETER_TYPES_(...)                                     \
	{                                                              \
		THAW_EACH_(THAW_OF_TYPE_, THAW_COMMA_, 0, __VA_ARGS__) \
	}
#define THAW_PARAMETER_NAMES_(...) \
	THAW_EACH_(THAW_OF_NAME_, THAW_TEXT_COMMA_, "", __VA_ARGS__)

/* Its name has the function's in it, so that the linker refuses a second one. */
#define THAW_FUNCTION_ENTRY_(returns_, name_, count_, types_, parameters_)    \
	THAW_ASSERT(sizeof(THAW_STRING_(name_)) <=                            \
			    sizeof(((struct thaw_function_record *)0)->name), \
		    "a function's name has 55 characters at most");           \
	THAW_ASSERT(sizeof(parameters_) <=                                    \
			    sizeof(((struct thaw_function_record *)0)         \
					   ->parameters),                     \
		    "the names of a function's parameters have 167 "          \
		    "characters at most");                                    \
	extern const struct thaw_function_record THAW_RECORD_(name_);         \
	THAW_RECORD_SECTION_                                                  \
	const struct thaw_function_record THAW_RECORD_(                       \
		name_) = { THAW_CALL_(name_),                                 \
			   THAW_NUMBER_(returns_),                            \
			   count_,                                            \
			   0,                                                 \
			   0,                                                 \
			   types_,                                            \
			   THAW_STRING_(name_),                               \
			   parameters_ };
#define THAW_DISPATCH_ENTRY_                                          \
	extern const struct thaw_function_record thaw_dispatch_entry; \
	THAW_RECORD_SECTION_                                          \
	const struct thaw_function_record thaw_dispatch_entry = {     \
		NULL, THAW_TYPE_NONE, 0,  THAW_FUNCTION_DISPATCH,     \
		0,    { 0 },	      "", ""                          \
	};
#define THAW_RECORD_SECTION_ \
	__attribute__((used, section("thaw_functions"), aligned(8)))
#define THAW_RECORD_(name) THAW_PASTE_(thaw_typed_entry_, name)

#endif
