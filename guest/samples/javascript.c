/*
 * javascript.c - evaluates JavaScript: a Hyperlight guest with the engine QuickJS.
 *
 *	{"function":"Eval","args":["[1, 2, 3].map(n => n * n).join()"]}
 *
 * answers {"result":"1,4,9"}. hyperlight_main() starts the engine, once: each call
 * finds it started, and in the state in which the snapshot has it, whatever calls
 * before it have done. What a script prints by console.log() is in the function's log.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hyperlight_guest.h>
#include <quickjs.h>

/* Of the catalog's `stack`, which is 256 KiB if it does not say otherwise. */
#define STACK_MAX (192 << 10)

static JSRuntime *runtime;
static JSContext *context;

/* The engine's own has a seed in the snapshot, so all calls would have its numbers. */
static JSValue js_random(JSContext *of, JSValueConst this, int count,
			 JSValueConst *arguments)
{
	uint64_t bits;

	(void)this;
	(void)count;
	(void)arguments;
	arc4random_buf(&bits, sizeof(bits));
	return JS_NewFloat64(of, (double)(bits >> 11) * 0x1p-53);
}

static JSValue js_log(JSContext *of, JSValueConst this, int count,
		      JSValueConst *arguments)
{
	(void)this;
	for (int i = 0; i < count; i++) {
		const char *text = JS_ToCString(of, arguments[i]);

		if (!text)
			return JS_EXCEPTION;
		printf("%s%s", i ? " " : "", text);
		JS_FreeCString(of, text);
	}
	putchar('\n');
	return JS_UNDEFINED;
}

static void add_function(JSValueConst object, const char *name,
			 JSCFunction *function)
{
	JS_SetPropertyStr(context, object, name,
			  JS_NewCFunction(context, function, name, 0));
}

static void add_functions(void)
{
	JSValue global = JS_GetGlobalObject(context);
	JSValue math = JS_GetPropertyStr(context, global, "Math");
	JSValue console = JS_NewObject(context);

	add_function(math, "random", js_random);
	add_function(console, "log", js_log);
	JS_SetPropertyStr(context, global, "console", console);
	JS_FreeValue(context, math);
	JS_FreeValue(context, global);
}

/* The exception as text: "TypeError: not a function". */
static void set_error(void)
{
	JSValue exception = JS_GetException(context);
	const char *text = JS_ToCString(context, exception);

	hl_set_error(hl_ErrorCode_GuestError,
		     text ? text : "an exception that has no text");
}

/* Runs what promises have left to do; whether that went well. */
static bool run_jobs(void)
{
	JSContext *of;
	int r;

	do {
		r = JS_ExecutePendingJob(runtime, &of);
	} while (r > 0);
	return !r;
}

/* The value of the script, as a text. Nothing is freed: the snapshot comes back. */
static const char *eval(const char *script)
{
	const char *text = NULL;
	JSValue value;

	JS_UpdateStackTop(runtime);
	value = JS_Eval(context, script, strlen(script), "<eval>",
			JS_EVAL_TYPE_GLOBAL);
	if (!JS_IsException(value) && run_jobs())
		text = JS_ToCString(context, value);
	if (!text)
		set_error();
	return text ? text : "";
}

HYPERLIGHT_WRAP_FUNCTION(eval, String, 1, String)

void hyperlight_main(void)
{
	runtime = JS_NewRuntime();
	context = runtime ? JS_NewContext(runtime) : NULL;
	if (!context) {
		hl_set_error(hl_ErrorCode_MallocFailed,
			     "no memory for the engine: raise memory");
		return;
	}
	JS_SetMaxStackSize(runtime, STACK_MAX);
	add_functions();
	HYPERLIGHT_REGISTER_FUNCTION("Eval", eval);
}
