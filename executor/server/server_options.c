/* server_options.c - the defaults of options. See server_options.h. */
#include "executor/server/server_options.h"

#include "executor/server/server_limits.h"

void server_options_init(struct server_options *options)
{
	*options = (struct server_options){
		.max_buffered = SERVER_BUFFERED_DEFAULT,
		.vm_idle_ns = SERVER_VM_IDLE_DEFAULT,
		.shells = SERVER_SHELLS_DEFAULT,
		.head_timeout_ns = SERVER_HEAD_TIMEOUT_DEFAULT,
		.body_timeout_ns = SERVER_BODY_TIMEOUT_DEFAULT,
		.idle_timeout_ns = SERVER_IDLE_TIMEOUT_DEFAULT,
		.send_timeout_ns = SERVER_SEND_TIMEOUT_DEFAULT,
		.events_max = SERVER_EVENTS_DEFAULT,
		.event_retries = SERVER_EVENT_RETRIES_DEFAULT,
		.event_max_age_ns = SERVER_EVENT_AGE_DEFAULT,
		.drain_timeout_ns = SERVER_DRAIN_TIMEOUT_DEFAULT,
	};
}
