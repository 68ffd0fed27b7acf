/* hyperlight_prints.c - functions of 1 to 11 parameters, which print them, and logs. */
#include <stdio.h>

#include "hyperlight.h"

#define TEXT(boolean) ((boolean) ? "true" : "false")

/* Each declares the parameters up to its last one, and prints those. */
#define MESSAGE(...)                            \
	const int length = printf(__VA_ARGS__); \
                                                \
	fflush(stdout);                         \
	return length

static int print(const char *text)
{
	MESSAGE("%s", text);
}

static int print_by_printf(const char *text)
{
	return printf("%s\n", text);
}

static int print_2(const char *a, int32_t b)
{
	MESSAGE("Message: arg1:%s arg2:%d.", a, (int)b);
}

static int print_3(const char *a, int32_t b, int64_t c)
{
	MESSAGE("Message: arg1:%s arg2:%d arg3:%ld.", a, (int)b, (long)c);
}

static int print_4(const char *a, int32_t b, int64_t c, const char *d)
{
	MESSAGE("Message: arg1:%s arg2:%d arg3:%ld arg4:%s.", a, (int)b,
		(long)c, d);
}

static int print_5(const char *a, int32_t b, int64_t c, const char *d,
		   const char *e)
{
	MESSAGE("Message: arg1:%s arg2:%d arg3:%ld arg4:%s arg5:%s.", a, (int)b,
		(long)c, d, e);
}

#define SIX "Message: arg1:%s arg2:%d arg3:%ld arg4:%s arg5:%s arg6:%s"

static int print_6(const char *a, int32_t b, int64_t c, const char *d,
		   const char *e, bool f)
{
	MESSAGE(SIX ".", a, (int)b, (long)c, d, e, TEXT(f));
}

static int print_7(const char *a, int32_t b, int64_t c, const char *d,
		   const char *e, bool f, bool g)
{
	MESSAGE(SIX " arg7:%s.", a, (int)b, (long)c, d, e, TEXT(f), TEXT(g));
}

static int print_8(const char *a, int32_t b, int64_t c, const char *d,
		   const char *e, bool f, bool g, uint32_t h)
{
	MESSAGE(SIX " arg7:%s arg8:%u.", a, (int)b, (long)c, d, e, TEXT(f),
		TEXT(g), (unsigned)h);
}

static int print_9(const char *a, int32_t b, int64_t c, const char *d,
		   const char *e, bool f, bool g, uint32_t h, uint64_t i)
{
	MESSAGE(SIX " arg7:%s arg8:%u arg9:%lu.", a, (int)b, (long)c, d, e,
		TEXT(f), TEXT(g), (unsigned)h, (unsigned long)i);
}

static int print_10(const char *a, int32_t b, int64_t c, const char *d,
		    const char *e, bool f, bool g, uint32_t h, uint64_t i,
		    int32_t j)
{
	MESSAGE(SIX " arg7:%s arg8:%u arg9:%lu arg10:%d.", a, (int)b, (long)c,
		d, e, TEXT(f), TEXT(g), (unsigned)h, (unsigned long)i, (int)j);
}

static int print_11(const char *a, int32_t b, int64_t c, const char *d,
		    const char *e, bool f, bool g, uint32_t h, uint64_t i,
		    int32_t j, float k)
{
	MESSAGE(SIX " arg7:%s arg8:%u arg9:%lu arg10:%d arg11:%.3f.", a, (int)b,
		(long)c, d, e, TEXT(f), TEXT(g), (unsigned)h, (unsigned long)i,
		(int)j, (double)k);
}

HYPERLIGHT_WRAP_FUNCTION(print, Int, 1, String)
HYPERLIGHT_WRAP_FUNCTION(print_by_printf, Int, 1, String)
HYPERLIGHT_WRAP_FUNCTION(print_2, Int, 2, String, Int)
HYPERLIGHT_WRAP_FUNCTION(print_3, Int, 3, String, Int, Long)
HYPERLIGHT_WRAP_FUNCTION(print_4, Int, 4, String, Int, Long, String)
HYPERLIGHT_WRAP_FUNCTION(print_5, Int, 5, String, Int, Long, String, String)
HYPERLIGHT_WRAP_FUNCTION(print_6, Int, 6, String, Int, Long, String, String,
			 Bool)
HYPERLIGHT_WRAP_FUNCTION(print_7, Int, 7, String, Int, Long, String, String,
			 Bool, Bool)
HYPERLIGHT_WRAP_FUNCTION(print_8, Int, 8, String, Int, Long, String, String,
			 Bool, Bool, UInt)
HYPERLIGHT_WRAP_FUNCTION(print_9, Int, 9, String, Int, Long, String, String,
			 Bool, Bool, UInt, ULong)
HYPERLIGHT_WRAP_FUNCTION(print_10, Int, 10, String, Int, Long, String, String,
			 Bool, Bool, UInt, ULong, Int)
HYPERLIGHT_WRAP_FUNCTION(print_11, Int, 11, String, Int, Long, String, String,
			 Bool, Bool, UInt, ULong, Int, Float)

static void log_message(const char *message, int32_t level)
{
	LOG((hl_Level)level, message);
}

HYPERLIGHT_WRAP_FUNCTION(log_message, Void, 2, String, Int)

void register_prints(void)
{
	HYPERLIGHT_REGISTER_FUNCTION("PrintOutput", print);
	HYPERLIGHT_REGISTER_FUNCTION("PrintUsingPrintf", print_by_printf);
	HYPERLIGHT_REGISTER_FUNCTION("PrintTwoArgs", print_2);
	HYPERLIGHT_REGISTER_FUNCTION("PrintThreeArgs", print_3);
	HYPERLIGHT_REGISTER_FUNCTION("PrintFourArgs", print_4);
	HYPERLIGHT_REGISTER_FUNCTION("PrintFiveArgs", print_5);
	HYPERLIGHT_REGISTER_FUNCTION("PrintSixArgs", print_6);
	HYPERLIGHT_REGISTER_FUNCTION("PrintSevenArgs", print_7);
	HYPERLIGHT_REGISTER_FUNCTION("PrintEightArgs", print_8);
	HYPERLIGHT_REGISTER_FUNCTION("PrintNineArgs", print_9);
	HYPERLIGHT_REGISTER_FUNCTION("PrintTenArgs", print_10);
	HYPERLIGHT_REGISTER_FUNCTION("PrintElevenArgs", print_11);
	HYPERLIGHT_REGISTER_FUNCTION("LogMessage", log_message);
}
