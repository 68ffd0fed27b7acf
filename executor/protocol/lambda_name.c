/* lambda_name.c - the names of functions and of versions. See lambda_name.h. */
#include "executor/protocol/lambda_name.h"

#include <string.h>

#include "executor/protocol/lambda_request.h"

#include "executor/protocol/http_query.h"

/* An ARN, of which AWS allows 140 characters, and a qualifier. */
#define NAME_TEXT_MAX 300

/* "arn:PARTITION:lambda:REGION:ACCOUNT:function:NAME:QUALIFIER" */
#define NAME_PARTS_MAX 8
#define ACCOUNT_DIGITS 12
#define FUNCTION "function"

/* How much of an invalid name a message shows. */
#define SHOWN_MAX 100

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

/* Returns whether @text is 1 to @max characters of the set @of. */
static bool is_made_of(const char *text, const char *of, size_t max)
{
	size_t size = strlen(text);

	return size >= 1 && size <= max && strspn(text, of) == size;
}

static bool is_function_name(const char *text)
{
	return is_made_of(text, LETTERS DIGITS "-_.", LAMBDA_NAME_MAX);
}

static bool is_qualifier(const char *text)
{
	return is_made_of(text, LETTERS DIGITS "-_$", LAMBDA_QUALIFIER_MAX);
}

static bool is_account(const char *text)
{
	return strlen(text) == ACCOUNT_DIGITS &&
	       strspn(text, DIGITS) == ACCOUNT_DIGITS;
}

/* "REGION:ACCOUNT:function" */
static bool is_place(char *const *parts)
{
	return is_made_of(parts[0], LETTERS DIGITS "-", SIZE_MAX) &&
	       is_account(parts[1]) && !strcmp(parts[2], FUNCTION);
}

/* The first six parts of an ARN: "aws", "aws-cn", "aws-us-gov", ... */
static bool is_arn(char *const *parts)
{
	return !strcmp(parts[0], "arn") && !strncmp(parts[1], "aws", 3) &&
	       (!parts[1][3] || parts[1][3] == '-') &&
	       is_made_of(parts[1], LETTERS "-", SIZE_MAX) &&
	       !strcmp(parts[2], "lambda") && is_place(parts + 3);
}

/*
 * Returns how many of the @count parts come before the name. They are the end of an
 * ARN, from any of its parts on. But in "function:1" the first part is the name of a
 * function, and the second a version.
 */
static size_t count_before(char *const *parts, size_t count)
{
	if (count >= 7 && is_arn(parts))
		return 6;
	if (count >= 4 && is_place(parts))
		return 3;
	if (count >= 3 && is_account(parts[0]) && !strcmp(parts[1], FUNCTION))
		return 2;
	return !strcmp(parts[0], FUNCTION) &&
	       (count >= 3 ||
		(count == 2 && !lambda_knows_qualifier(parts[1])));
}

/* Cuts @text at its colons. Returns the number of parts; 0 if they are too many. */
static size_t split_name(char *text, char *parts[static NAME_PARTS_MAX])
{
	size_t count = 0;

	while (text) {
		if (count == NAME_PARTS_MAX)
			return 0;
		parts[count++] = strsep(&text, ":");
	}
	return count;
}

/*
 * Reads NAME, function:NAME, ACCOUNT:function:NAME, REGION:ACCOUNT:function:NAME, or
 * an ARN; :QUALIFIER may follow each. Any region and account will do, as clients
 * send those of their configuration.
 */
static bool parse_name(char *text, struct lambda_call *call)
{
	char *parts[NAME_PARTS_MAX];
	size_t count = split_name(text, parts);
	size_t first = count ? count_before(parts, count) : 0;

	if (count != first + 1 && count != first + 2)
		return false;
	if (!is_function_name(parts[first]) ||
	    (count == first + 2 && !is_qualifier(parts[first + 1])))
		return false;
	strcpy(call->function, parts[first]);
	if (count == first + 2)
		strcpy(call->qualifier, parts[first + 1]);
	return true;
}

bool lambda_read_name(const char *raw, size_t size, struct lambda_call *call,
		      struct lambda_error *ret_error)
{
	char text[NAME_TEXT_MAX + 1];
	bool is_tags = call->operation == LAMBDA_LIST_TAGS;

	if (http_decode(raw, size, text, sizeof(text)) < 0 ||
	    (is_tags && strncmp(text, "arn:", 4) != 0) ||
	    !parse_name(text, call) || (is_tags && *call->qualifier))
		return lambda_invalid(
			ret_error, "%.*s is not %s",
			(int)(size < SHOWN_MAX ? size : SHOWN_MAX), raw,
			is_tags ? "the ARN of a function: write " LAMBDA_ARN
				  "NAME" :
				  "a function: write its name (up to 64 of A-Z "
				  "a-z 0-9 - _ .), its ARN, or the end of that "
				  "from region, account or function on, and "
				  "perhaps :qualifier");
	return true;
}

bool lambda_read_qualifier(const struct http_request *request,
			   struct lambda_call *call,
			   struct lambda_error *ret_error)
{
	char value[sizeof(call->qualifier)];
	int r = lambda_get_parameter(request->query, "Qualifier", value,
				     sizeof(value));

	if (!r)
		return true;
	if (r < 0 || !is_qualifier(value))
		return lambda_invalid(ret_error,
				      "Qualifier: write $LATEST or 1, which "
				      "all functions have");
	if (*call->qualifier && strcmp(call->qualifier, value) != 0)
		return lambda_invalid(ret_error,
				      "The derived qualifier from the function "
				      "name does not match the specified "
				      "qualifier.");
	strcpy(call->qualifier, value);
	return true;
}

bool lambda_knows_qualifier(const char *qualifier)
{
	return !*qualifier || !strcmp(qualifier, LAMBDA_LATEST) ||
	       !strcmp(qualifier, LAMBDA_VERSION);
}

void lambda_no_function(const char *name, const char *qualifier,
			struct lambda_error *ret_error)
{
	lambda_refuse(ret_error, 404, "ResourceNotFoundException",
		      "Function not found: " LAMBDA_ARN "%s%s%s", name,
		      *qualifier ? ":" : "", qualifier);
}
