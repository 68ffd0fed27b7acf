/* lambda_function_json.c - a function, as Lambda's API describes it. */
#include "executor/protocol/lambda_function_json.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/base64.h"
#include "base/date.h"
#include "base/json_output.h"
#include "base/units.h"
#include "executor/protocol/lambda_name.h"

#define SHA256_BYTES 32

/* Guests have no disk; Lambda has no value below this one. */
#define EPHEMERAL_STORAGE_MIB 512

static void set(json_t *object, const char *key, json_t *value)
{
	json_object_set_new(object, key, value);
}

static void set_number(json_t *object, const char *key, uint64_t number)
{
	set(object, key, json_integer((json_int_t)number));
}

static json_t *arn_json(const struct lambda_item *item)
{
	const char *name = item->function->spec->name;

	if (item->is_qualified)
		return json_sprintf(LAMBDA_ARN "%s:%s", name, item->version);
	return json_sprintf(LAMBDA_ARN "%s", name);
}

json_t *lambda_modified_json(const struct server_view *view,
			     const struct function_view *function)
{
	const uint64_t unix_ms = function->state == FUNCTION_ACTIVE ?
					 function->deployed_unix_ms :
					 view->start_unix_ms;
	char text[DATE_TEXT_MAX];

	return json_string(date_format_ms(unix_ms, text));
}

/* The bytes of 64 hexadecimal digits. */
static bool read_sha256(const char *hex, uint8_t bytes[static SHA256_BYTES])
{
	if (!hex || strlen(hex) != 2 * SHA256_BYTES)
		return false;
	for (size_t i = 0; i < SHA256_BYTES; i++) {
		char digits[] = { hex[2 * i], hex[2 * i + 1], '\0' }, *end;

		bytes[i] = (uint8_t)strtoul(digits, &end, 16);
		if (end != digits + 2)
			return false;
	}
	return true;
}

/* What changes with the image: its hash, and a UUID (RFC 9562, 5.8) of it. */
static void set_revision(json_t *object, const struct function_view *function)
{
	struct buffer text = BUFFER_INIT(64);
	uint8_t sha[SHA256_BYTES];

	if (function->state != FUNCTION_ACTIVE ||
	    !read_sha256(function->image_sha256, sha))
		return;
	base64_encode(sha, sizeof(sha), &text);
	if (!text.failed)
		set(object, "CodeSha256", json_stringn(text.data, text.size));
	buffer_done(&text);
	sha[6] = 0x80 | (sha[6] & 0x0f);
	sha[8] = 0x80 | (sha[8] & 0x3f);
	set(object, "RevisionId",
	    json_sprintf("%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-"
			 "%02x%02x%02x%02x%02x%02x",
			 sha[0], sha[1], sha[2], sha[3], sha[4], sha[5], sha[6],
			 sha[7], sha[8], sha[9], sha[10], sha[11], sha[12],
			 sha[13], sha[14], sha[15]));
}

/* Why it did not boot, as one of Lambda's codes. */
static const char *failure_code(int error)
{
	switch (error) {
	case -ENOENT:
	case -ENOEXEC:
		return "InvalidImage";
	case -ETIMEDOUT:
		return "FunctionError.InitTimeout";
	case -ECANCELED:
	case -EPROTO:
		return "FunctionError.RuntimeInitError";
	default:
		return "InternalError";
	}
}

/* Of an active function: whether the catalog's version is the one that runs. */
static void set_update(json_t *object, const struct function_view *function)
{
	static const char *const statuses[] = {
		[UPDATE_NONE] = "Successful",
		[UPDATE_PENDING] = "InProgress",
		[UPDATE_FAILED] = "Failed",
	};

	set(object, "LastUpdateStatus",
	    json_string(statuses[function->update]));
	if (function->update != UPDATE_FAILED)
		return;
	set(object, "LastUpdateStatusReason",
	    json_string(LAMBDA_FAILED_REASON));
	set(object, "LastUpdateStatusReasonCode",
	    json_string(failure_code(function->failure)));
}

/* Clients wait until State is Active and LastUpdateStatus is Successful. */
static void set_state(json_t *object, const struct function_view *function)
{
	const char *code = failure_code(function->failure);

	switch (function->state) {
	case FUNCTION_ACTIVE:
		set(object, "State", json_string("Active"));
		set_update(object, function);
		break;
	case FUNCTION_PENDING:
		set(object, "State", json_string("Pending"));
		set(object, "StateReason",
		    json_string("The function is being booted."));
		set(object, "StateReasonCode", json_string("Creating"));
		set(object, "LastUpdateStatus", json_string("InProgress"));
		break;
	case FUNCTION_FAILED:
		set(object, "State", json_string("Failed"));
		set(object, "StateReason", json_string(LAMBDA_FAILED_REASON));
		set(object, "StateReasonCode", json_string(code));
		set(object, "LastUpdateStatus", json_string("Failed"));
		set(object, "LastUpdateStatusReason",
		    json_string(LAMBDA_FAILED_REASON));
		set(object, "LastUpdateStatusReasonCode", json_string(code));
		break;
	}
}

/* This machine's architecture, as Lambda calls it. */
static const char *architecture(void)
{
	struct utsname names;

	return !uname(&names) && !strcmp(names.machine, "aarch64") ? "arm64" :
								     "x86_64";
}

static json_t *snap_start_json(const struct function_view *function)
{
	return json_pack("{s:s, s:s}", "ApplyOn", "PublishedVersions",
			 "OptimizationStatus",
			 function->state == FUNCTION_ACTIVE ? "On" : "Off");
}

static json_t *logging_json(const struct catalog_function *spec)
{
	json_t *object = json_object();

	set(object, "LogFormat", json_string("Text"));
	set(object, "LogGroup", json_sprintf("/aws/lambda/%s", spec->name));
	return object;
}

static uint64_t round_up(uint64_t number, uint64_t unit)
{
	return number / unit + (number % unit != 0);
}

json_t *lambda_configuration_json(const struct server_view *view,
				  const struct lambda_item *item)
{
	const struct function_view *function = item->function;
	const struct catalog_function *spec = function->spec;
	json_t *object = json_object();

	set(object, "FunctionName", json_string(spec->name));
	set(object, "FunctionArn", arn_json(item));
	set(object, "Runtime", json_string("provided"));
	set(object, "Handler",
	    json_string(*spec->entry ? spec->entry : spec->name));
	set_number(object, "CodeSize",
		   function->state == FUNCTION_ACTIVE ? function->image_bytes :
							0);
	set_revision(object, function);
	set(object, "Description", json_string(spec->description));
	set_number(object, "Timeout", round_up(spec->timeout_ns, UNITS_S));
	set_number(object, "MemorySize", round_up(spec->memory, UNITS_MIB));
	set(object, "LastModified", lambda_modified_json(view, function));
	set(object, "Version", json_string(item->version));
	if (spec->environment && *spec->environment)
		set(object, "Environment",
		    json_pack("{s:o}", "Variables",
			      json_make_pairs(spec->environment)));
	set_state(object, function);
	set(object, "PackageType", json_string("Zip"));
	set(object, "Architectures", json_pack("[s]", architecture()));
	set(object, "EphemeralStorage",
	    json_pack("{s:i}", "Size", EPHEMERAL_STORAGE_MIB));
	set(object, "SnapStart", snap_start_json(function));
	set(object, "LoggingConfig", logging_json(spec));
	return object;
}
