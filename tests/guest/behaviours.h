/*
 * behaviours.h - what hostile.elf can do wrong on every architecture, and how
 * thaw must end it. Included by the guest and by the test.
 *
 *	X(name, ends, text)
 *
 * @ends is the set of results that are right. @text is a pattern, as of
 * fnmatch(3), of the reply or of "TYPE: MESSAGE".
 */
#ifndef BEHAVIOURS_H
#define BEHAVIOURS_H

#define ENDS_OK 0x1
#define ENDS_ERROR 0x2
#define ENDS_FAULT 0x4
#define ENDS_TIMEOUT 0x8

/* A fault in the function of that name; or with the pc anywhere. */
#define FAULT_IN(name, what) \
	"Runtime.Fault: " what " at 0x* in " #name "+* (handler hostile)"
#define FAULT_AT(pc, what) "Runtime.Fault: " what " at " pc " (handler hostile)"
#define OVERFLOW "stack overflow (raise stack, or use less of it): "
#define RANG(value) \
	"Runtime.ProtocolError: the function rang the doorbell with " value
#define BAD_HEAD(what) \
	"Runtime.ProtocolError: the head of the function's reply has " what
#define TIMED_OUT "Sandbox.Timedout: not done within its timeout of 50.000 ms"

/* READING, WRITING, EXECUTING, NOT_MAPPED, PROTECTED: arch_behaviours.h */
#define BEHAVIOURS(X)                                                          \
	X(good, ENDS_OK, "pristine")                                           \
	X(soil, ENDS_OK, "soiled")                                             \
	X(read_null, ENDS_FAULT,                                               \
	  FAULT_IN(read_null, READING("0x8") NOT_MAPPED))                      \
	X(write_null, ENDS_FAULT,                                              \
	  FAULT_IN(write_null, WRITING("0x8") NOT_MAPPED))                     \
	X(jump_null, ENDS_FAULT, FAULT_AT("0", EXECUTING("0") NOT_MAPPED))     \
	X(write_code, ENDS_FAULT,                                              \
	  FAULT_IN(write_code, WRITING("0x*") PROTECTED))                      \
	X(write_constant, ENDS_FAULT,                                          \
	  FAULT_IN(write_constant, WRITING("0x*") PROTECTED))                  \
	X(write_stub, ENDS_FAULT,                                              \
	  FAULT_IN(write_stub, WRITING("0x13000") PROTECTED))                  \
	X(write_info, ENDS_FAULT,                                              \
	  FAULT_IN(write_info, WRITING("0x14008") PROTECTED))                  \
	X(write_headers, ENDS_FAULT,                                           \
	  FAULT_IN(write_headers, WRITING("0x17000") PROTECTED))               \
	X(write_environment, ENDS_FAULT,                                       \
	  FAULT_IN(write_environment, WRITING("0x20000") PROTECTED))           \
	X(write_request, ENDS_FAULT,                                           \
	  FAULT_IN(write_request, WRITING("0x*") PROTECTED))                   \
	X(write_supervisor_code, ENDS_FAULT,                                   \
	  FAULT_IN(write_supervisor_code, WRITING("0x11000") PROTECTED))       \
	X(read_system_page, ENDS_FAULT,                                        \
	  FAULT_IN(read_system_page, READING("0x10000") SYSTEM_PAGE))          \
	X(read_fault_page, ENDS_FAULT,                                         \
	  FAULT_IN(read_fault_page, READING("0x12000") PROTECTED))             \
	X(read_page_tables, ENDS_FAULT,                                        \
	  FAULT_IN(read_page_tables, READING("0x*") NOT_MAPPED))               \
	X(read_beyond_memory, ENDS_FAULT,                                      \
	  FAULT_IN(read_beyond_memory, READING("0x40000000") NOT_MAPPED))      \
	X(jump_supervisor, ENDS_FAULT,                                         \
	  FAULT_AT("0x11000", EXECUTING("0x11000") PROTECTED))                 \
	X(jump_data, ENDS_FAULT, FAULT_AT("0x*", EXECUTING("0x*") PROTECTED))  \
	X(jump_heap, ENDS_FAULT, FAULT_AT("0x*", EXECUTING("0x*") PROTECTED))  \
	X(jump_stack, ENDS_FAULT, FAULT_AT("0x*", EXECUTING("0x*") PROTECTED)) \
	X(jump_mailbox, ENDS_FAULT,                                            \
	  FAULT_AT("0x15000", EXECUTING("0x15000") PROTECTED))                 \
	X(jump_request, ENDS_FAULT,                                            \
	  FAULT_AT("0x*", EXECUTING("0x*") PROTECTED))                         \
	X(jump_reply, ENDS_FAULT, FAULT_AT("0x*", EXECUTING("0x*") PROTECTED)) \
	X(jump_stub, ENDS_TIMEOUT, TIMED_OUT)                                  \
	X(overflow_stack, ENDS_FAULT,                                          \
	  FAULT_IN(overflow_stack, OVERFLOW WRITING("0x*") NOT_MAPPED))        \
	X(overrun_heap, ENDS_FAULT,                                            \
	  FAULT_IN(overrun_heap, WRITING("0x*") NOT_MAPPED))                   \
	X(overrun_reply, ENDS_FAULT,                                           \
	  FAULT_IN(overrun_reply, WRITING("0x*") NOT_MAPPED))                  \
	X(overrun_request, ENDS_FAULT,                                         \
	  FAULT_IN(overrun_request, READING("0x*") NOT_MAPPED))                \
	X(exhaust_heap, ENDS_FAULT,                                            \
	  "Runtime.OutOfMemory: " WRITING("0") NOT_MAPPED                      \
	  " at 0x* in exhaust_heap+* (handler hostile); the heap is "          \
	  "exhausted: raise memory")                                           \
	X(spin, ENDS_TIMEOUT, TIMED_OUT)                                       \
	X(spin_logging, ENDS_TIMEOUT, TIMED_OUT)                               \
	X(ring_zero, ENDS_ERROR, RANG("0"))                                    \
	X(ring_ready, ENDS_ERROR, RANG("1"))                                   \
	X(ring_refused, ENDS_ERROR, RANG("4"))                                 \
	X(ring_refused_after_log, ENDS_ERROR, RANG("4"))                       \
	X(ring_idle, ENDS_ERROR | ENDS_OK, "*")                                \
	X(ring_unknown, ENDS_ERROR, RANG("8"))                                 \
	X(ring_255, ENDS_ERROR, RANG("255"))                                   \
	X(reply_of_one_too_many, ENDS_ERROR,                                   \
	  "Function.ResponseSizeTooLarge: a reply of 4097 bytes is larger "    \
	  "than max_reply of 4096")                                            \
	X(reply_of_2_to_the_64, ENDS_ERROR,                                    \
	  "Function.ResponseSizeTooLarge: a reply of 18446744073709551615 "    \
	  "bytes is larger than max_reply of 4096")                            \
	X(status_unknown, ENDS_ERROR,                                          \
	  "Runtime.ProtocolError: the function left a status that does not "   \
	  "exist")                                                             \
	X(mailbox_of_ones, ENDS_ERROR,                                         \
	  "Runtime.ProtocolError: the function left a status that does not "   \
	  "exist")                                                             \
	X(http_status_of_600, ENDS_ERROR,                                      \
	  BAD_HEAD("a status outside 200 to 599"))                             \
	X(headers_of_one_too_many, ENDS_ERROR,                                 \
	  BAD_HEAD("more than 4096 bytes of headers"))                         \
	X(header_without_end, ENDS_ERROR,                                      \
	  BAD_HEAD("a header that does not end"))                              \
	X(header_with_a_line, ENDS_ERROR,                                      \
	  BAD_HEAD("a header with characters that HTTP does not allow"))       \
	X(header_of_framing, ENDS_ERROR,                                       \
	  BAD_HEAD("a header that is not the function's to set"))              \
	X(body_where_none_may_be, ENDS_ERROR,                                  \
	  "Function.InvalidResponse: a reply of status 204 has no body, and "  \
	  "this one has 2 bytes")                                              \
	X(log_of_wild_size, ENDS_OK, "logged")                                 \
	X(log_of_wild_level, ENDS_OK, "logged")                                \
	X(log_flood, ENDS_OK, "logged")                                        \
	X(calls_abort, ENDS_ERROR, "Runtime.Abort: abort() was called")        \
	X(calls_exit, ENDS_ERROR, "Runtime.ExitError: exit(3) was called")     \
	X(calls_assert, ENDS_ERROR,                                            \
	  "Runtime.AssertionFailed: *contract.c:*: calls_assert: assertion "   \
	  "failed: !\"this holds\"")                                           \
	X(returns_error, ENDS_ERROR,                                           \
	  "Runtime.HandlerError: handler hostile returned -7")

/* What is about polled dispatch, with a test of its own: test_polled.c. */
#define POLLED_BEHAVIOURS(X)   \
	X(write_go, 0, NULL)   \
	X(write_done, 0, NULL) \
	X(read_done, 0, NULL)  \
	X(enter_gate, 0, NULL) \
	X(claim_next, 0, NULL) \
	X(lie, 0, NULL)

#endif
