/* call_json.h - typed calls as JSON, for call.c. */
#ifndef EXECUTOR_TYPED_CALL_JSON_H
#define EXECUTOR_TYPED_CALL_JSON_H

#include "executor/typed/request.h"

struct error;
struct declaration;
struct typed_target;

/* A call that was read. */
struct call_json {
	const struct declaration *function; /* NULL: the dispatch function */
	char name[THAW_NAME_MAX];
	struct thaw_value values[THAW_PARAMETERS_MAX];
	unsigned count;
};

/*
 * Reads @request. Text and bytes go to @room, which has place for request->size +
 * CALL_JSON_ROOM bytes and must stay as long as the values. Errors as
 * typed_call_make().
 */
#define CALL_JSON_ROOM 64
int call_json_read(const struct typed_target *target,
		   const struct typed_request *request, char *room,
		   struct error *err, struct call_json *ret_call);

#endif
