/*
 * hyperlight_guest.h - the interface of Hyperlight's guests in C, on top of thaw.
 *
 *	#include <hyperlight_guest.h>
 *
 *	static int add(int a, int b)
 *	{
 *		return a + b;
 *	}
 *
 *	HYPERLIGHT_WRAP_FUNCTION(add, Int, 2, Int, Int)
 *
 *	void hyperlight_main(void)
 *	{
 *		HYPERLIGHT_REGISTER_FUNCTION("Add", add);
 *	}
 *
 * Build it by thaw_add_function(... HYPERLIGHT). Names and types are Hyperlight's; the
 * code behind them is thaw's. A guest is called as typed functions are:
 * {"function":"Add","args":[20,22]}. docs/hyperlight.md says how to move a guest, and
 * what differs.
 *
 * HYPERLIGHT_GENERATION says which of Hyperlight's two interfaces it is: 1, the
 * default, where functions return an hl_Vec; or 2, where they return an
 * hl_ReturnValue, and bytes may come in chunks.
 *
 * What Hyperlight ends by a panic ends the invocation here, with the error type
 * "Hyperlight.NAME", NAME being that of the hl_ErrorCode, and the message
 * "error CODE: ...". The next invocation finds the snapshot as ever.
 */
#ifndef HYPERLIGHT_GUEST_H
#define HYPERLIGHT_GUEST_H

#include <stdbool.h>
#include <stdint.h>

#ifndef HYPERLIGHT_GENERATION
#define HYPERLIGHT_GENERATION 1
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* @len bytes; NULL is fine if there are none. */
typedef struct hl_Vec {
	uint8_t *data;
	uintptr_t len;
} hl_Vec;

typedef enum hl_ParameterType {
	hl_ParameterType_Int,
	hl_ParameterType_UInt,
	hl_ParameterType_Long,
	hl_ParameterType_ULong,
	hl_ParameterType_Float,
	hl_ParameterType_Double,
	hl_ParameterType_String,
	hl_ParameterType_Bool,
	hl_ParameterType_VecBytes,
#if HYPERLIGHT_GENERATION >= 2
	hl_ParameterType_ByteChunks,
#endif
} hl_ParameterType;

/* Other numbers than those of parameters: Void is between Bool and VecBytes. */
typedef enum hl_ReturnType {
	hl_ReturnType_Int,
	hl_ReturnType_UInt,
	hl_ReturnType_Long,
	hl_ReturnType_ULong,
	hl_ReturnType_Float,
	hl_ReturnType_Double,
	hl_ReturnType_String,
	hl_ReturnType_Bool,
	hl_ReturnType_Void,
	hl_ReturnType_VecBytes,
#if HYPERLIGHT_GENERATION >= 2
	hl_ReturnType_ByteChunks,
#endif
} hl_ReturnType;

#if HYPERLIGHT_GENERATION >= 2
typedef struct hl_ByteChunk {
	const uint8_t *data;
	uintptr_t len;
} hl_ByteChunk;

/* @count chunks; NULL is fine if there are none. */
typedef struct hl_ByteChunks {
	const hl_ByteChunk *chunks;
	uintptr_t count;
} hl_ByteChunks;
#endif

typedef union hl_ParameterValue {
	int32_t Int;
	uint32_t UInt;
	int64_t Long;
	uint64_t ULong;
	float Float;
	double Double;
	bool Bool;
	char *String; /* zero-terminated */
	hl_Vec VecBytes;
#if HYPERLIGHT_GENERATION >= 2
	hl_ByteChunks ByteChunks;
#endif
} hl_ParameterValue;

typedef struct hl_Parameter {
	hl_ParameterType tag; /* which member of @value counts */
	hl_ParameterValue value;
} hl_Parameter;

/*
 * A call: of a guest's function, which may write to the texts and bytes of its
 * arguments until it returns; or of a host function, which borrows them.
 */
typedef struct hl_FunctionCall {
	const char *function_name;
	const hl_Parameter *parameters;
	uintptr_t parameters_len;
	hl_ReturnType return_type;
} hl_FunctionCall;

/* The names are Hyperlight's, two of them misspelt. */
typedef enum hl_ErrorCode {
	hl_ErrorCode_NoError = 0,
	hl_ErrorCode_UnsupportedParameterType = 2,
	hl_ErrorCode_GuestFunctionNameNotProvided = 3,
	hl_ErrorCode_GuestFunctionNotFound = 4,
	hl_ErrorCode_GuestFunctionIncorrecNoOfParameters = 5,
	hl_ErrorCode_GispatchFunctionPointerNotSet = 6,
	hl_ErrorCode_OutbError = 7,
	hl_ErrorCode_UnknownError = 8,
	hl_ErrorCode_GsCheckFailed = 10,
	hl_ErrorCode_TooManyGuestFunctions = 11,
	hl_ErrorCode_FailureInDlmalloc = 12,
	hl_ErrorCode_MallocFailed = 13,
	hl_ErrorCode_GuestFunctionParameterTypeMismatch = 14,
	hl_ErrorCode_GuestError = 15,
	hl_ErrorCode_ArrayLengthParamIsMissing = 16,
	hl_ErrorCode_HostFunctionError = 17,
} hl_ErrorCode;

typedef enum hl_Level {
	hl_Level_Error = 1,
	hl_Level_Warn = 2,
	hl_Level_Info = 3,
	hl_Level_Debug = 4,
	hl_Level_Trace = 5,
} hl_Level;

/*
 * Results. They are made by the constructors below only, and are opaque: that of the
 * first generation is no bytes to look at. A constructor copies its text or bytes. It
 * never returns NULL: without memory the invocation ends with MallocFailed.
 */
#if HYPERLIGHT_GENERATION >= 2
typedef struct hl_ReturnValue {
	hl_ReturnType tag; /* which member of @value counts */
	uint32_t reserved;
	hl_ParameterValue value;
} hl_ReturnValue;
typedef hl_ReturnValue hl_result_;
#define HL_RESULT_FROM_(type) hl_result_from_##type
#else
typedef hl_Vec hl_result_;
#define HL_RESULT_FROM_(type) hl_flatbuffer_result_from_##type
#endif

hl_result_ *HL_RESULT_FROM_(Int)(int32_t value);
hl_result_ *HL_RESULT_FROM_(UInt)(uint32_t value);
hl_result_ *HL_RESULT_FROM_(Long)(int64_t value);
hl_result_ *HL_RESULT_FROM_(ULong)(uint64_t value);
hl_result_ *HL_RESULT_FROM_(Float)(float value);
hl_result_ *HL_RESULT_FROM_(Double)(double value);
hl_result_ *HL_RESULT_FROM_(Bool)(bool value);
hl_result_ *HL_RESULT_FROM_(Void)(void);
/* @value is zero-terminated. NULL ends the invocation with GuestError. */
hl_result_ *HL_RESULT_FROM_(String)(const char *value);
hl_result_ *HL_RESULT_FROM_(Bytes)(const uint8_t *data, uintptr_t len);

/* The guest defines it. It runs once, before the snapshot, and registers functions. */
void hyperlight_main(void);

/*
 * The guest may define it: it gets the calls of names that are not registered. NULL:
 * there is no such function either, and the invocation ends with GuestFunctionNotFound.
 * The call's return type is Void if the caller has not said which one it wants. An
 * integer that came as JSON is a Long, or a ULong if it is too large for one; any other
 * number is a Double.
 */
hl_result_ *c_guest_dispatch_function(const hl_FunctionCall *function_call);

/*
 * Registers @function, with @parameter_count parameters (16 at most) of the types in
 * @parameter_types. Names may have 55 characters, all printable ASCII; 255 functions
 * may be registered. They and the types are copied. Of two functions of one name the
 * later one counts. For hyperlight_main() and what it calls: what is not in the
 * snapshot is gone in the next invocation, so in an invocation this is a GuestError.
 */
void hl_register_function_definition(
	const char *name, hl_result_ *(*function)(const hl_FunctionCall *),
	uintptr_t parameter_count, const hl_ParameterType *parameter_types,
	hl_ReturnType return_type);

/*
 * Calls a host function, and keeps its result for the getters below. The catalog's
 * host.allow must list it. HostPrint and HostRead are thaw's "print" and "read", and
 * CurrentTime is "time"; others have the name that they are called by. If "time" is
 * not allowed, CurrentTime counts from Unix time 1609459200 on, monotonically. An error
 * ends the invocation with HostFunctionError; so does a call by hyperlight_main().
 */
void hl_call_host_function(const hl_FunctionCall *function_call);

/*
 * Take the result of the last hl_call_host_function(). If there is none any more, or
 * if it is of another type, the invocation ends with GuestError. A text, an hl_Vec,
 * and its data are the caller's; each of them may be freed by free().
 */
int32_t hl_get_host_return_value_as_Int(void);
uint32_t hl_get_host_return_value_as_UInt(void);
int64_t hl_get_host_return_value_as_Long(void);
uint64_t hl_get_host_return_value_as_ULong(void);
float hl_get_host_return_value_as_Float(void);
double hl_get_host_return_value_as_Double(void);
bool hl_get_host_return_value_as_Bool(void);
const char *hl_get_host_return_value_as_String(void);
hl_Vec *hl_get_host_return_value_as_VecBytes(void);

#if HYPERLIGHT_GENERATION >= 2
/* The chunks are copied into one run of bytes. */
hl_ReturnValue *hl_result_from_ByteChunks(hl_ByteChunks value);

/* @len bytes of text. A zero in them ends the invocation with GuestError. */
hl_ReturnValue *hl_result_from_StringBytes(const uint8_t *data, uintptr_t len);

/* As those above. The bytes come in one chunk. Free them by hl_free_byte_chunks(). */
hl_ByteChunks *hl_get_host_return_value_as_ByteChunks(void);

/* NULL is fine. */
void hl_free_byte_chunks(hl_ByteChunks *chunks);

/*
 * As hl_call_host_function(), but returns the result, which the caller frees, or NULL
 * after an error.
 */
hl_ReturnValue *
hl_call_host_function_with_result(const hl_FunctionCall *function_call);

/* Frees a result, with its text or bytes. NULL is fine. */
void hl_free_return_value(hl_ReturnValue *value);
#endif

/*
 * The invocation will end with this error, whatever the function returns; so will init
 * if hyperlight_main() calls it. The last error counts, and NoError takes it back.
 * @message is cut to 1,000 bytes.
 */
void hl_set_error(hl_ErrorCode code, const char *message);

/*
 * End the invocation at once with the error type "Hyperlight.GuestAborted" and the
 * message "code CODE: MESSAGE". The code is cut to its lower 8 bits. NULL is fine.
 */
void hl_abort_with_code(int32_t code) __attribute__((noreturn));
void hl_abort_with_code_and_message(int32_t code, const char *message)
	__attribute__((noreturn));

/*
 * Writes a line to the function's log, "MESSAGE (FILE:LINE)"; trace and debug are one
 * level there. The catalog's log_level says which levels are logged.
 */
void hl_log(hl_Level level, const char *message, int32_t line,
	    const char *file);
#define LOG(level, message) hl_log(level, message, __LINE__, __FILE__)

/* Sets the offset of local time from UTC in seconds, which is 0. -1: @offset is NULL. */
int hl_get_utc_offset(int *offset);

#define _alloca(size) __builtin_alloca(size)

/*
 * Wraps @function for HYPERLIGHT_REGISTER_FUNCTION(): the names of its return type, as
 * in hl_ReturnType, of the number of its parameters, 11 at most, and of their types, as
 * in hl_ParameterType, follow. Functions that return bytes or chunks cannot be wrapped:
 * write them as hl_register_function_definition() takes them.
 */
#define HYPERLIGHT_WRAP_FUNCTION(function, returns, count, ...) \
	HYPERLIGHT_WRAP_FUNCTION_##count(function, returns, ##__VA_ARGS__)

#define HYPERLIGHT_REGISTER_FUNCTION(name, function)                   \
	hl_register_function_definition(name, _call_##function,        \
					_##function##_parameter_count, \
					_##function##_parameter_types, \
					_##function##_return_type)

/* From here on: what HYPERLIGHT_WRAP_FUNCTION is made of. */

#define HL_WRAP_(function, returns, count, arguments, ...)                 \
	hl_result_ *_call_##function(const hl_FunctionCall *);             \
	hl_result_ *_call_##function(const hl_FunctionCall *function_call) \
	{                                                                  \
		(void)function_call;                                       \
		HL_RETURN_##returns(function arguments);                   \
	}                                                                  \
	uintptr_t _##function##_parameter_count = count;                   \
	hl_ReturnType _##function##_return_type = hl_ReturnType_##returns; \
	hl_ParameterType _##function##_parameter_types[] = { __VA_ARGS__ };

#define HL_RETURN_Int(call) return HL_RESULT_FROM_(Int)(call)
#define HL_RETURN_UInt(call) return HL_RESULT_FROM_(UInt)(call)
#define HL_RETURN_Long(call) return HL_RESULT_FROM_(Long)(call)
#define HL_RETURN_ULong(call) return HL_RESULT_FROM_(ULong)(call)
#define HL_RETURN_Float(call) return HL_RESULT_FROM_(Float)(call)
#define HL_RETURN_Double(call) return HL_RESULT_FROM_(Double)(call)
#define HL_RETURN_Bool(call) return HL_RESULT_FROM_(Bool)(call)
#define HL_RETURN_String(call) return HL_RESULT_FROM_(String)(call)
#define HL_RETURN_Void(call) \
	call;                \
	return HL_RESULT_FROM_(Void)()

/* Argument and type of parameter @i. */
#define HL_A_(i, type) function_call->parameters[i].value.type
#define HL_T_(type) hl_ParameterType_##type

#define HYPERLIGHT_WRAP_FUNCTION_0(fn, ret) HL_WRAP_(fn, ret, 0, (), HL_T_(Int))
#define HYPERLIGHT_WRAP_FUNCTION_1(fn, ret, a) \
	HL_WRAP_(fn, ret, 1, (HL_A_(0, a)), HL_T_(a))
#define HYPERLIGHT_WRAP_FUNCTION_2(fn, ret, a, b) \
	HL_WRAP_(fn, ret, 2, (HL_A_(0, a), HL_A_(1, b)), HL_T_(a), HL_T_(b))
#define HYPERLIGHT_WRAP_FUNCTION_3(fn, ret, a, b, c)                  \
	HL_WRAP_(fn, ret, 3, (HL_A_(0, a), HL_A_(1, b), HL_A_(2, c)), \
		 HL_T_(a), HL_T_(b), HL_T_(c))
#define HYPERLIGHT_WRAP_FUNCTION_4(fn, ret, a, b, c, d)                \
	HL_WRAP_(fn, ret, 4,                                           \
		 (HL_A_(0, a), HL_A_(1, b), HL_A_(2, c), HL_A_(3, d)), \
		 HL_T_(a), HL_T_(b), HL_T_(c), HL_T_(d))
#define HYPERLIGHT_WRAP_FUNCTION_5(fn, ret, a, b, c, d, e)            \
	HL_WRAP_(fn, ret, 5,                                          \
		 (HL_A_(0, a), HL_A_(1, b), HL_A_(2, c), HL_A_(3, d), \
		  HL_A_(4, e)),                                       \
		 HL_T_(a), HL_T_(b), HL_T_(c), HL_T_(d), HL_T_(e))
#define HYPERLIGHT_WRAP_FUNCTION_6(fn, ret, a, b, c, d, e, f)         \
	HL_WRAP_(fn, ret, 6,                                          \
		 (HL_A_(0, a), HL_A_(1, b), HL_A_(2, c), HL_A_(3, d), \
		  HL_A_(4, e), HL_A_(5, f)),                          \
		 HL_T_(a), HL_T_(b), HL_T_(c), HL_T_(d), HL_T_(e), HL_T_(f))
#define HYPERLIGHT_WRAP_FUNCTION_7(fn, ret, a, b, c, d, e, f, g)             \
	HL_WRAP_(fn, ret, 7,                                                 \
		 (HL_A_(0, a), HL_A_(1, b), HL_A_(2, c), HL_A_(3, d),        \
		  HL_A_(4, e), HL_A_(5, f), HL_A_(6, g)),                    \
		 HL_T_(a), HL_T_(b), HL_T_(c), HL_T_(d), HL_T_(e), HL_T_(f), \
		 HL_T_(g))
#define HYPERLIGHT_WRAP_FUNCTION_8(fn, ret, a, b, c, d, e, f, g, h)          \
	HL_WRAP_(fn, ret, 8,                                                 \
		 (HL_A_(0, a), HL_A_(1, b), HL_A_(2, c), HL_A_(3, d),        \
		  HL_A_(4, e), HL_A_(5, f), HL_A_(6, g), HL_A_(7, h)),       \
		 HL_T_(a), HL_T_(b), HL_T_(c), HL_T_(d), HL_T_(e), HL_T_(f), \
		 HL_T_(g), HL_T_(h))
#define HYPERLIGHT_WRAP_FUNCTION_9(fn, ret, a, b, c, d, e, f, g, h, i)       \
	HL_WRAP_(fn, ret, 9,                                                 \
		 (HL_A_(0, a), HL_A_(1, b), HL_A_(2, c), HL_A_(3, d),        \
		  HL_A_(4, e), HL_A_(5, f), HL_A_(6, g), HL_A_(7, h),        \
		  HL_A_(8, i)),                                              \
		 HL_T_(a), HL_T_(b), HL_T_(c), HL_T_(d), HL_T_(e), HL_T_(f), \
		 HL_T_(g), HL_T_(h), HL_T_(i))
#define HYPERLIGHT_WRAP_FUNCTION_10(fn, ret, a, b, c, d, e, f, g, h, i, j)   \
	HL_WRAP_(fn, ret, 10,                                                \
		 (HL_A_(0, a), HL_A_(1, b), HL_A_(2, c), HL_A_(3, d),        \
		  HL_A_(4, e), HL_A_(5, f), HL_A_(6, g), HL_A_(7, h),        \
		  HL_A_(8, i), HL_A_(9, j)),                                 \
		 HL_T_(a), HL_T_(b), HL_T_(c), HL_T_(d), HL_T_(e), HL_T_(f), \
		 HL_T_(g), HL_T_(h), HL_T_(i), HL_T_(j))
#define HYPERLIGHT_WRAP_FUNCTION_11(fn, ret, a, b, c, d, e, f, g, h, i, j, k) \
	HL_WRAP_(fn, ret, 11,                                                 \
		 (HL_A_(0, a), HL_A_(1, b), HL_A_(2, c), HL_A_(3, d),         \
		  HL_A_(4, e), HL_A_(5, f), HL_A_(6, g), HL_A_(7, h),         \
		  HL_A_(8, i), HL_A_(9, j), HL_A_(10, k)),                    \
		 HL_T_(a), HL_T_(b), HL_T_(c), HL_T_(d), HL_T_(e), HL_T_(f),  \
		 HL_T_(g), HL_T_(h), HL_T_(i), HL_T_(j), HL_T_(k))

#ifdef __cplusplus
}
#endif

#endif
