/*
 * hyperlight_mistakes.c - functions of a Hyperlight guest that use its interface
 * wrongly; and errors that they set.
 */
#include <stdlib.h>

#include "hyperlight.h"

static result *return_null(const hl_FunctionCall *call)
{
	(void)call;
	return NULL;
}

static result *return_other_type(const hl_FunctionCall *call)
{
	(void)call;
	return FROM(Long)(1);
}

/* It looks like a result of the first generation, but is none. */
static result *return_no_result(const hl_FunctionCall *call)
{
	static uint8_t bytes[64];
	hl_Vec *vec = calloc(1, 64);

	(void)call;
	vec->data = bytes;
	vec->len = sizeof(bytes);
	return (result *)(void *)vec;
}

static result *return_null_string(const hl_FunctionCall *call)
{
	(void)call;
	return FROM(String)(NULL);
}

static result *return_latin1(const hl_FunctionCall *call)
{
	(void)call;
	return FROM(String)("caf\xe9");
}

static result *register_late(const hl_FunctionCall *call)
{
	(void)call;
	hl_register_function_definition("Late", return_null, 0, NULL,
					hl_ReturnType_Int);
	return FROM(Int)(0);
}

/* The error of this code; the value does not count. */
static int set_error(int32_t code, const char *message)
{
	hl_set_error((hl_ErrorCode)code, message);
	return 5;
}

static int set_errors(const char *first, const char *last)
{
	hl_set_error(hl_ErrorCode_MallocFailed, first);
	hl_set_error(hl_ErrorCode_GuestError, last);
	return 5;
}

static int set_and_take_back(const char *message)
{
	hl_set_error(hl_ErrorCode_GuestError, message);
	hl_set_error(hl_ErrorCode_NoError, NULL);
	return 5;
}

HYPERLIGHT_WRAP_FUNCTION(set_error, Int, 2, Int, String)
HYPERLIGHT_WRAP_FUNCTION(set_errors, Int, 2, String, String)
HYPERLIGHT_WRAP_FUNCTION(set_and_take_back, Int, 1, String)

static result *set_error_and_return_null(const hl_FunctionCall *call)
{
	(void)call;
	hl_set_error(hl_ErrorCode_GuestError, "set before NULL");
	return NULL;
}

static void register_plain(const char *name,
			   result *(*function)(const hl_FunctionCall *),
			   hl_ReturnType returns)
{
	hl_register_function_definition(name, function, 0, NULL, returns);
}

/* Init fails as the environment variable INIT says. */
static void fail_init(const char *init)
{
	static char name[32];
	const hl_ParameterType types[17] = { hl_ParameterType_Int };
	const hl_ParameterType odd = (hl_ParameterType)200;

	switch (*init) {
	case 'm': /* one more than there may be with all others */
		for (int i = 0; i < 255; i++) {
			name[0] = (char)('a' + i % 26);
			name[1] = (char)('a' + i / 26);
			register_plain(name, return_null, hl_ReturnType_Int);
		}
		break;
	case 'l':
		register_plain("the name of this function has one character "
			       "more than 55",
			       return_null, hl_ReturnType_Int);
		break;
	case 'p':
		hl_register_function_definition("Many", return_null, 17, types,
						hl_ReturnType_Int);
		break;
	case 't':
		hl_register_function_definition("Odd", return_null, 1, &odd,
						hl_ReturnType_Int);
		break;
	case 'r':
		register_plain("Odd", return_null, (hl_ReturnType)200);
		break;
	case 'n':
		register_plain(NULL, return_null, hl_ReturnType_Int);
		break;
	case 'u':
		register_plain("na\xc3\xafve", return_null, hl_ReturnType_Int);
		break;
	case 'e':
		hl_set_error(hl_ErrorCode_GuestError, "set by init");
		break;
	case 'h':
		call_host_in_init("HostFunc1");
		break;
	case 'c':
		call_host_in_init("CurrentTime");
		break;
	case 'a':
		hl_abort_with_code_and_message(256 + 3, "aborted by init");
		break;
	}
}

void register_mistakes(void)
{
	const char *init = getenv("INIT");

	register_plain("ReturnNull", return_null, hl_ReturnType_Int);
	register_plain("ReturnOtherType", return_other_type, hl_ReturnType_Int);
	register_plain("ReturnNoResult", return_no_result, hl_ReturnType_Int);
	register_plain("ReturnNullString", return_null_string,
		       hl_ReturnType_String);
	register_plain("ReturnLatin1", return_latin1, hl_ReturnType_String);
	register_plain("RegisterLate", register_late, hl_ReturnType_Int);
	register_plain("SetErrorAndReturnNull", set_error_and_return_null,
		       hl_ReturnType_Int);
	HYPERLIGHT_REGISTER_FUNCTION("SetError", set_error);
	HYPERLIGHT_REGISTER_FUNCTION("SetErrors", set_errors);
	HYPERLIGHT_REGISTER_FUNCTION("SetAndTakeBack", set_and_take_back);
	if (init)
		fail_init(init);
}
