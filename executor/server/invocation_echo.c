/* invocation_echo.c - answers without a vm. See invocation_echo.h. */
#include "executor/server/invocation_echo.h"

#include <string.h>

#include "base/clock.h"
#include "executor/invoke_state.h"
#include "executor/server/invocation.h"
#include "executor/server/invocation_end.h"

void invocation_echo(struct invocation *invocation)
{
	const struct thaw_invoke_request *request = &invocation->request;
	struct thaw_reply *reply = &invocation->reply;

	reply->result = THAW_OK;
	reply->status = 0;
	reply->headers_size = 0;
	reply->data = request->data;
	reply->size = request->size;
	strcpy(reply->content_type, "application/octet-stream");
	reply->error_type[0] = reply->error_message[0] = '\0';
	invoke_state(reply)->vm = NULL;
	invoke_state(reply)->start_ns = clock_now_ns();
	reply->queue_ns = reply->run_ns = 0;
	strcpy(reply->id, request->id ? request->id : "");
	invocation_finish(invocation, invocation->runner);
}
