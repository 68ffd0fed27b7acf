/*
 * function.c - the functions that hyperlight_main() registers, as typed functions of
 * thaw, and calls of them.
 */
#include <stdio.h>
#include <string.h>

#include "hyperlight_internal.h"

typedef hl_ReturnValue *guest_fn(const hl_FunctionCall *);

static struct function {
	guest_fn *call;
	hl_ReturnType returns;
	uint32_t count;
	hl_ParameterType types[THAW_PARAMETERS_MAX];
	char name[sizeof(((struct thaw_function_record *)0)->name)];
} functions[THAW_FUNCTIONS_MAX];

static unsigned count;
static unsigned first; /* thaw's number of functions[0] */
static bool is_closed;

/* Of guests that take no other calls. */
__attribute__((weak)) hl_ReturnValue *
c_guest_dispatch_function(const hl_FunctionCall *function_call)
{
	(void)function_call;
	return NULL;
}

/* The one called @name, or a new one. */
static struct function *find(const char *name)
{
	for (unsigned i = 0; i < count; i++)
		if (!strcmp(functions[i].name, name))
			return &functions[i];
	if (count == THAW_FUNCTIONS_MAX)
		hyperlight_fail(hl_ErrorCode_TooManyGuestFunctions,
				"%s is one function too many", name);
	return &functions[count++];
}

static void check(const char *name, uintptr_t parameter_count,
		  const hl_ParameterType *types, hl_ReturnType returns)
{
	if (is_closed)
		hyperlight_fail(hl_ErrorCode_GuestError,
				"%s is registered after hyperlight_main()",
				name);
	if (strlen(name) >= sizeof(functions[0].name))
		hyperlight_fail(hl_ErrorCode_GuestError,
				"the name %s has more than %zu characters",
				name, sizeof(functions[0].name) - 1);
	if (parameter_count > THAW_PARAMETERS_MAX)
		hyperlight_fail(hl_ErrorCode_GuestError,
				"%s has %zu parameters; %d are allowed", name,
				(size_t)parameter_count, THAW_PARAMETERS_MAX);
	for (uintptr_t i = 0; i < parameter_count; i++)
		if (hyperlight_type_of_parameter(types[i]) == THAW_TYPE_NONE)
			hyperlight_fail(
				hl_ErrorCode_UnsupportedParameterType,
				"parameter %zu of %s has type %d, which does "
				"not exist",
				(size_t)i, name, (int)types[i]);
	if (hyperlight_type_of_return(returns) == THAW_TYPE_NONE)
		hyperlight_fail(hl_ErrorCode_UnsupportedParameterType,
				"%s returns type %d, which does not exist",
				name, (int)returns);
}

void hl_register_function_definition(const char *name, guest_fn *call,
				     uintptr_t parameter_count,
				     const hl_ParameterType *parameter_types,
				     hl_ReturnType return_type)
{
	struct function *function;

	if (!name || !*name)
		hyperlight_fail(hl_ErrorCode_GuestFunctionNameNotProvided,
				"a function is registered without a name");
	check(name, parameter_count, parameter_types, return_type);
	function = find(name);
	strcpy(function->name, name);
	function->call = call;
	function->returns = return_type;
	function->count = (uint32_t)parameter_count;
	if (parameter_count)
		memcpy(function->types, parameter_types,
		       parameter_count * sizeof(*parameter_types));
}

/* Takes the value out of what @name has returned. */
static struct thaw_value value_of_result(const hl_ReturnValue *result,
					 const char *name)
{
	hl_Parameter parameter = { .tag = hl_ParameterType_Int };

	if (!hyperlight_result_is(result))
		hyperlight_fail(hl_ErrorCode_GuestError,
				"what %s returned is not made by a constructor "
				"of results",
				name);
	if (result->tag == hl_ReturnType_Void)
		return thaw_value_void();
	/* parameters have the same types, but other numbers for them */
	parameter.tag = result->tag < hl_ReturnType_Void ?
				(hl_ParameterType)result->tag :
				(hl_ParameterType)(result->tag - 1);
	parameter.value = result->value;
	return hyperlight_value_of(&parameter);
}

/* One chunk each, which the parameter of this index borrows. */
static void make_chunks(const struct function *function,
			hl_Parameter *parameters, hl_ByteChunk *chunks)
{
	for (unsigned i = 0; i < function->count; i++) {
		const hl_Vec bytes = parameters[i].value.VecBytes;

		if (function->types[i] != hl_ParameterType_ByteChunks)
			continue;
		chunks[i] = (hl_ByteChunk){ bytes.data, bytes.len };
		parameters[i].tag = hl_ParameterType_ByteChunks;
		parameters[i].value.ByteChunks =
			(hl_ByteChunks){ &chunks[i], 1 };
	}
}

static void call_registered(const struct thaw_value *arguments,
			    struct thaw_value *result)
{
	const struct function *function =
		&functions[thaw_registered_number() - first];
	hl_Parameter parameters[THAW_PARAMETERS_MAX];
	hl_ByteChunk chunks[THAW_PARAMETERS_MAX];
	const hl_FunctionCall call = {
		.function_name = function->name,
		.parameters = parameters,
		.parameters_len = function->count,
		.return_type = function->returns,
	};
	const hl_ReturnValue *returned;

	hyperlight_parameters(arguments, function->count, parameters);
	make_chunks(function, parameters, chunks);
	returned = function->call(&call);
	hyperlight_end_if_set();
	if (!returned)
		hyperlight_fail(hl_ErrorCode_GuestError,
				"the guest's function %s returned NULL",
				function->name);
	*result = value_of_result(returned, function->name);
	if (result->type != hyperlight_type_of_return(function->returns))
		hyperlight_fail(hl_ErrorCode_GuestError,
				"%s returned another type than it is "
				"registered with",
				function->name);
}

THAW_DISPATCH
{
	hl_Parameter parameters[THAW_PARAMETERS_MAX];
	const hl_FunctionCall other = {
		.function_name = call->name,
		.parameters = parameters,
		.parameters_len = call->count,
		.return_type = hyperlight_return_of(call->returns),
	};
	const hl_ReturnValue *returned;

	hyperlight_parameters(call->arguments, call->count, parameters);
	returned = c_guest_dispatch_function(&other);
	hyperlight_end_if_set();
	if (!returned)
		hyperlight_fail(hl_ErrorCode_GuestFunctionNotFound, "%s",
				call->name);
	return value_of_result(returned, call->name);
}

static int register_with_thaw(const struct function *function)
{
	struct thaw_function_record record = {
		.call = call_registered,
		.returns =
			(uint8_t)hyperlight_type_of_return(function->returns),
		.count = (uint8_t)function->count,
	};

	for (unsigned i = 0; i < function->count; i++)
		record.types[i] = (uint8_t)hyperlight_type_of_parameter(
			function->types[i]);
	strcpy(record.name, function->name);
	return thaw_register(&record);
}

THAW_INIT(hyperlight_main)
{
	hyperlight_main();
	hyperlight_end_if_set();
	is_closed = true;
	for (unsigned i = 0; i < count; i++) {
		const int number = register_with_thaw(&functions[i]);

		if (number < 0)
			hyperlight_fail(hl_ErrorCode_TooManyGuestFunctions,
					"%s is one function too many",
					functions[i].name);
		if (!i)
			first = (unsigned)number;
	}
	return 0;
}
