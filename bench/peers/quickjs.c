/*
 * quickjs.c - a runtime of QuickJS for each request: made, asked once and freed.
 *
 *	quickjs SECONDS
 *
 * The engine is the one that thaw's sample function `javascript` has, compiled for the
 * host. The row thaw.javascript evaluates the same text in a vm.
 */
#include <quickjs.h>
#include <stdio.h>
#include <string.h>

#include "bench/peers/samples.h"

static const char script[] = "'Hello, ' + 'Ada' + '!'";
static const char wanted[] = "Hello, Ada!";

static int quickjs_evaluate(JSContext *context)
{
	JSValue value = JS_Eval(context, script, strlen(script), "request", 0);
	const char *text = JS_ToCString(context, value);
	int r = text && !strcmp(text, wanted) ? 0 : -1;

	JS_FreeCString(context, text);
	JS_FreeValue(context, value);
	return r;
}

static int quickjs_once(void)
{
	JSRuntime *runtime = JS_NewRuntime();
	JSContext *context = runtime ? JS_NewContext(runtime) : NULL;
	int r = context ? quickjs_evaluate(context) : -1;

	if (context)
		JS_FreeContext(context);
	if (runtime)
		JS_FreeRuntime(runtime);
	if (r)
		fprintf(stderr, "quickjs: the script has failed\n");
	return r;
}

const struct samples_peer samples_peer = {
	.usage = "",
	.once = quickjs_once,
};
