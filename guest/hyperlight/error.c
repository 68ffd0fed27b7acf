/* error.c - how invocations of Hyperlight's guests end early; and their log. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "hyperlight_internal.h"

#define MESSAGE_MAX 1001 /* and "error 17: " has room before it */

static struct {
	hl_ErrorCode code;
	char message[MESSAGE_MAX];
} set;

static const char *name_of(hl_ErrorCode code)
{
	switch (code) {
	case hl_ErrorCode_UnsupportedParameterType:
		return "Hyperlight.UnsupportedParameterType";
	case hl_ErrorCode_GuestFunctionNameNotProvided:
		return "Hyperlight.GuestFunctionNameNotProvided";
	case hl_ErrorCode_GuestFunctionNotFound:
		return "Hyperlight.GuestFunctionNotFound";
	case hl_ErrorCode_GuestFunctionIncorrecNoOfParameters:
		return "Hyperlight.GuestFunctionIncorrecNoOfParameters";
	case hl_ErrorCode_GispatchFunctionPointerNotSet:
		return "Hyperlight.GispatchFunctionPointerNotSet";
	case hl_ErrorCode_OutbError:
		return "Hyperlight.OutbError";
	case hl_ErrorCode_GsCheckFailed:
		return "Hyperlight.GsCheckFailed";
	case hl_ErrorCode_TooManyGuestFunctions:
		return "Hyperlight.TooManyGuestFunctions";
	case hl_ErrorCode_FailureInDlmalloc:
		return "Hyperlight.FailureInDlmalloc";
	case hl_ErrorCode_MallocFailed:
		return "Hyperlight.MallocFailed";
	case hl_ErrorCode_GuestFunctionParameterTypeMismatch:
		return "Hyperlight.GuestFunctionParameterTypeMismatch";
	case hl_ErrorCode_GuestError:
		return "Hyperlight.GuestError";
	case hl_ErrorCode_ArrayLengthParamIsMissing:
		return "Hyperlight.ArrayLengthParamIsMissing";
	case hl_ErrorCode_HostFunctionError:
		return "Hyperlight.HostFunctionError";
	default:
		return "Hyperlight.UnknownError";
	}
}

void hyperlight_fail(hl_ErrorCode code, const char *format, ...)
{
	char message[THAW_ERROR_MESSAGE_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	thaw_fail(name_of(code), "error %d: %s", (int)code, message);
}

void hl_set_error(hl_ErrorCode code, const char *message)
{
	set.code = code;
	strlcpy(set.message, message ? message : "", sizeof(set.message));
}

void hyperlight_end_if_set(void)
{
	if (set.code != hl_ErrorCode_NoError)
		hyperlight_fail(set.code, "%s", set.message);
}

void hl_abort_with_code(int32_t code)
{
	thaw_fail("Hyperlight.GuestAborted", "code %u", (unsigned)code & 0xff);
}

void hl_abort_with_code_and_message(int32_t code, const char *message)
{
	if (!message)
		hl_abort_with_code(code);
	thaw_fail("Hyperlight.GuestAborted", "code %u: %s",
		  (unsigned)code & 0xff, message);
}

static enum thaw_level level_of(hl_Level level)
{
	switch (level) {
	case hl_Level_Error:
		return THAW_LOG_ERROR;
	case hl_Level_Warn:
		return THAW_LOG_WARN;
	case hl_Level_Info:
		return THAW_LOG_INFO;
	default:
		return THAW_LOG_DEBUG;
	}
}

void hl_log(hl_Level level, const char *message, int32_t line, const char *file)
{
	thaw_log(level_of(level), "%s (%s:%d)", message ? message : "",
		 file ? file : "?", (int)line);
}
