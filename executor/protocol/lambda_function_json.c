/* lambda_function_json.c - a function, as Lambda's API describes it. */
#include "executor/protocol/lambda_function_json.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/date.h"
#include "base/json_output.h"
#include "base/units.h"
#include "executor/protocol/lambda_name.h"

#define SHA256_BYTES 32

/* Guests have no disk; this is Lambda's least value. */
#define EPHEMERAL_STORAGE_MIB 512

static json_t *arn_json(const struct lambda_item *item)
{
	const char *name = item->function->spec->name;

	if (item->is_qualified)
		return json_sprintf(LAMBDA_ARN "%s:%s", name, item->version);
	return json_sprintf(LAMBDA_ARN "%s", name);
}

void lambda_put_modified(struct json_output *object,
			 const struct server_view *view,
			 const struct function_view *function)
{
	const uint64_t unix_ms = function->state == FUNCTION_ACTIVE ?
					 function->deployed_unix_ms :
					 view->start_unix_ms;
	char text[DATE_TEXT_MAX];

	json_put_text(object, "LastModified", date_format_ms(unix_ms, text));
}

/* Reads 64 hexadecimal digits; false if they are none. */
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

/* Puts what changes with the image: its hash, and a UUID (RFC 9562, 5.8) of that. */
static void set_revision(struct json_output *object,
			 const struct function_view *function)
{
	uint8_t sha[SHA256_BYTES];

	if (function->state != FUNCTION_ACTIVE ||
	    !read_sha256(function->image_sha256, sha))
		return;
	json_put_base64(object, "CodeSha256", sha, sizeof(sha));
	sha[6] = 0x80 | (sha[6] & 0x0f);
	sha[8] = 0x80 | (sha[8] & 0x3f);
	json_put(object, "RevisionId",
		 json_sprintf("%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-"
			      "%02x%02x%02x%02x%02x%02x",
			      sha[0], sha[1], sha[2], sha[3], sha[4], sha[5],
			      sha[6], sha[7], sha[8], sha[9], sha[10], sha[11],
			      sha[12], sha[13], sha[14], sha[15]));
}

/* Returns Lambda's code for the reason why a function did not boot. */
static const char *lambda_failure_code(int error)
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

/* Puts whether an active function runs the catalog's version. */
static void set_update(struct json_output *object,
		       const struct function_view *function)
{
	static const char *const statuses[] = {
		[UPDATE_NONE] = "Successful",
		[UPDATE_PENDING] = "InProgress",
		[UPDATE_FAILED] = "Failed",
	};

	json_put_text(object, "LastUpdateStatus", statuses[function->update]);
	if (function->update != UPDATE_FAILED)
		return;
	json_put_text(object, "LastUpdateStatusReason", LAMBDA_FAILED_REASON);
	json_put_text(object, "LastUpdateStatusReasonCode",
		      lambda_failure_code(function->failure));
}

/* Puts the state. Clients wait for State Active and LastUpdateStatus Successful. */
static void set_state(struct json_output *object,
		      const struct function_view *function)
{
	const char *code = lambda_failure_code(function->failure);

	switch (function->state) {
	case FUNCTION_ACTIVE:
		json_put_text(object, "State", "Active");
		set_update(object, function);
		break;
	case FUNCTION_PENDING:
		json_put_text(object, "State", "Pending");
		json_put_text(object, "StateReason",
			      "The function is being booted.");
		json_put_text(object, "StateReasonCode", "Creating");
		json_put_text(object, "LastUpdateStatus", "InProgress");
		break;
	case FUNCTION_FAILED:
		json_put_text(object, "State", "Failed");
		json_put_text(object, "StateReason", LAMBDA_FAILED_REASON);
		json_put_text(object, "StateReasonCode", code);
		json_put_text(object, "LastUpdateStatus", "Failed");
		json_put_text(object, "LastUpdateStatusReason",
			      LAMBDA_FAILED_REASON);
		json_put_text(object, "LastUpdateStatusReasonCode", code);
		break;
	}
}

/* Returns Lambda's name of this machine's architecture. */
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

static struct json_output logging_json(const struct catalog_function *spec)
{
	struct json_output object = json_output_make();

	json_put_text(&object, "LogFormat", "Text");
	json_put(&object, "LogGroup",
		 json_sprintf("/aws/lambda/%s", spec->name));
	return object;
}

struct json_output lambda_configuration_json(const struct server_view *view,
					     const struct lambda_item *item)
{
	const struct function_view *function = item->function;
	const struct catalog_function *spec = function->spec;
	struct json_output object = json_output_make();

	json_put_text(&object, "FunctionName", spec->name);
	json_put(&object, "FunctionArn", arn_json(item));
	json_put_text(&object, "Runtime", "provided");
	json_put_text(&object, "Handler",
		      *spec->entry ? spec->entry : spec->name);
	json_put_number(&object, "CodeSize",
			function->state == FUNCTION_ACTIVE ?
				function->image_bytes :
				0);
	set_revision(&object, function);
	json_put_text(&object, "Description", spec->description);
	json_put_number(&object, "Timeout",
			units_ceil(spec->timeout_ns, UNITS_S));
	json_put_number(&object, "MemorySize",
			units_ceil(spec->memory, UNITS_MIB));
	lambda_put_modified(&object, view, function);
	json_put_text(&object, "Version", item->version);
	if (spec->environment && *spec->environment)
		json_put(&object, "Environment",
			 json_pack("{s:o}", "Variables",
				   json_make_pairs(spec->environment)));
	set_state(&object, function);
	json_put_text(&object, "PackageType", "Zip");
	json_put(&object, "Architectures", json_pack("[s]", architecture()));
	json_put(&object, "EphemeralStorage",
		 json_pack("{s:i}", "Size", EPHEMERAL_STORAGE_MIB));
	json_put(&object, "SnapStart", snap_start_json(function));
	json_put_object(&object, "LoggingConfig", logging_json(spec));
	return object;
}
