/* trace.c - see trace.h. Guest memory is read by space.h alone. */
#include "executor/linux/trace.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/uio.h>

#include "executor/linux/process.h"
#include "executor/linux/signatures.h"
#include "executor/linux/trace_names.h"
#include "executor/linux/trace_structs.h"
#include "executor/linux/trace_text.h"

#define ARGUMENTS_MAX 6
#define WORD_MAX 32
/* Of strings and other bytes, as strace has it; and of paths. */
#define STRING_MAX 32
#define PATH_SHOWN_MAX 256
/* Of arrays. */
#define ELEMENTS_MAX 8
/* What kernels return instead of results. */
#define ERRNO_MAX 4095
/* Where results of a finished call begin, in strace's manner. */
#define RESULT_COLUMN 39

#define OUT "out_"

/* A call that is being printed. */
struct tracing {
	const struct linux_process *process;
	const struct vm_call *call;
	int64_t result;
	struct trace_text text;
};

static bool is_error(int64_t result)
{
	return result < 0 && result >= -ERRNO_MAX;
}

static void put_address(struct trace_text *text, uint64_t address)
{
	if (address)
		trace_put(text, "%#llx", (unsigned long long)address);
	else
		trace_put(text, "NULL");
}

/* Bytes of the program's; it may have lied about their place. */
static void put_data(struct tracing *tracing, uint64_t from, uint64_t size)
{
	const size_t shown = size < STRING_MAX ? (size_t)size : STRING_MAX;
	char bytes[STRING_MAX];

	if (!from || space_read(&tracing->process->space, from, bytes, shown))
		put_address(&tracing->text, from);
	else
		trace_quote(&tracing->text, bytes, shown, size > shown);
}

static void put_string(struct tracing *tracing, uint64_t from, size_t most)
{
	char string[PATH_SHOWN_MAX + 1];
	int length;

	if (!from) {
		put_address(&tracing->text, from);
		return;
	}
	length = space_read_string(&tracing->process->space, from, string,
				   most + 1);
	if (length == -ENAMETOOLONG)
		length = space_read(&tracing->process->space, from, string,
				    most) ?
				 -EFAULT :
				 (int)most + 1;
	if (length < 0)
		put_address(&tracing->text, from);
	else
		trace_quote(&tracing->text, string,
			    (size_t)length < most ? (size_t)length : most,
			    (size_t)length > most);
}

/* An array of @count elements of @size bytes, of which each is printed by @put. */
static void put_array(struct tracing *tracing, uint64_t from, uint64_t count,
		      size_t size,
		      void (*put)(struct tracing *tracing, const void *bytes))
{
	uint8_t bytes[TRACE_STRUCT_MAX];

	if (!from) {
		put_address(&tracing->text, from);
		return;
	}
	trace_put(&tracing->text, "[");
	for (uint64_t i = 0; i < count; i++) {
		if (i)
			trace_put(&tracing->text, ", ");
		if (i == ELEMENTS_MAX) {
			trace_put(&tracing->text, "...");
			break;
		}
		if (space_read(&tracing->process->space, from + i * size, bytes,
			       size)) {
			put_address(&tracing->text, from + i * size);
			break;
		}
		put(tracing, bytes);
	}
	trace_put(&tracing->text, "]");
}

static void put_vector(struct tracing *tracing, const void *bytes)
{
	struct iovec vector;

	memcpy(&vector, bytes, sizeof(vector));
	trace_put(&tracing->text, "{iov_base=");
	put_data(tracing, (uintptr_t)vector.iov_base, vector.iov_len);
	trace_put(&tracing->text, ", iov_len=%zu}", vector.iov_len);
}

/* What the call has filled is unknown here: the address will do. */
static void put_vector_filled(struct tracing *tracing, const void *bytes)
{
	struct iovec vector;

	memcpy(&vector, bytes, sizeof(vector));
	trace_put(&tracing->text, "{iov_base=");
	put_address(&tracing->text, (uintptr_t)vector.iov_base);
	trace_put(&tracing->text, ", iov_len=%zu}", vector.iov_len);
}

static void put_pollfd(struct tracing *tracing, const void *bytes)
{
	trace_struct_find("pollfd")->put(&tracing->text, bytes);
}

static void put_event(struct tracing *tracing, const void *bytes)
{
	trace_struct_find("epoll_event")->put(&tracing->text, bytes);
}

/* Arguments that are in memory, other than single structs. */
static bool put_memory(struct tracing *tracing, const char *word, size_t place)
{
	const uint64_t *args = tracing->call->args;
	const uint64_t value = args[place];
	const uint64_t next = place + 1 < ARGUMENTS_MAX ? args[place + 1] : 0;
	const int64_t result = tracing->result;

	if (!strcmp(word, "path")) {
		put_string(tracing, value, PATH_SHOWN_MAX);
	} else if (!strcmp(word, "string")) {
		put_string(tracing, value, STRING_MAX);
	} else if (!strcmp(word, "data")) {
		put_data(tracing, value, next);
	} else if (!strcmp(word, "filled")) {
		if (result < 0)
			put_address(&tracing->text, value);
		else
			put_data(tracing, value, (uint64_t)result);
	} else if (!strcmp(word, "iov")) {
		put_array(tracing, value, next, sizeof(struct iovec),
			  put_vector);
	} else if (!strcmp(word, "iov_filled")) {
		put_array(tracing, value, next, sizeof(struct iovec),
			  put_vector_filled);
	} else if (!strcmp(word, "pollfds")) {
		put_array(tracing, value, next,
			  trace_struct_find("pollfd")->size, put_pollfd);
	} else if (!strcmp(word, "epoll_events")) {
		put_array(tracing, value, result < 0 ? 0 : (uint64_t)result,
			  trace_struct_find("epoll_event")->size, put_event);
	} else {
		return false;
	}
	return true;
}

static bool put_struct(struct tracing *tracing, const char *word,
		       uint64_t value)
{
	const bool is_out = !strncmp(word, OUT, strlen(OUT));
	const struct trace_struct *found =
		trace_struct_find(is_out ? word + strlen(OUT) : word);
	uint8_t bytes[TRACE_STRUCT_MAX];

	if (!found)
		return false;
	if (!value || (is_out && is_error(tracing->result)) ||
	    space_read(&tracing->process->space, value, bytes, found->size))
		put_address(&tracing->text, value);
	else
		found->put(&tracing->text, bytes);
	return true;
}

/* Extends the sign of the lower half. */
static int64_t half(uint64_t value)
{
	return (int32_t)value;
}

static bool put_number(struct trace_text *text, const char *word,
		       uint64_t value)
{
	if (!strcmp(word, "int") || !strcmp(word, "fd") ||
	    !strcmp(word, "timeout"))
		trace_put(text, "%lld", (long long)half(value));
	else if (!strcmp(word, "long") || !strcmp(word, "offset"))
		trace_put(text, "%lld", (long long)value);
	else if (!strcmp(word, "unsigned") || !strcmp(word, "count"))
		trace_put(text, "%u", (unsigned)value);
	else if (!strcmp(word, "size"))
		trace_put(text, "%llu", (unsigned long long)value);
	else if (!strcmp(word, "hex") || !strcmp(word, "fcntl_argument"))
		trace_put(text, "%#llx", (unsigned long long)value);
	else if (!strcmp(word, "mode"))
		trace_put(text, "%#o", (unsigned)value);
	else
		return false;
	return true;
}

static bool put_other(struct trace_text *text, const char *word, uint64_t value)
{
	if (!strcmp(word, "address")) {
		put_address(text, value);
	} else if (!strcmp(word, "signal")) {
		trace_put_signal(text, (int)value);
	} else if (!strcmp(word, "at")) {
		if ((int)value == AT_FDCWD)
			trace_put(text, "AT_FDCWD");
		else
			trace_put(text, "%d", (int)value);
	} else {
		return false;
	}
	return true;
}

static bool put_argument(struct tracing *tracing, const char *word,
			 size_t place)
{
	const uint64_t value = tracing->call->args[place];

	return put_number(&tracing->text, word, value) ||
	       put_other(&tracing->text, word, value) ||
	       trace_put_names(&tracing->text, word, value) ||
	       put_memory(tracing, word, place) ||
	       put_struct(tracing, word, value);
}

/* Copies the next word of @from, and returns what is behind it; NULL: there is none. */
static const char *next_word(const char *from, char word[static WORD_MAX])
{
	size_t size;

	from += strspn(from, " ");
	size = strcspn(from, " ");
	if (!size || *from == '>' || size >= WORD_MAX)
		return NULL;
	memcpy(word, from, size);
	word[size] = '\0';
	return from + size;
}

/* openat() has a mode only if it creates; fcntl() an argument only if it sets. */
static bool is_meaningless(const struct vm_call *call, const char *name,
			   const char *word)
{
	if (!strcmp(word, "mode") && !strncmp(name, "open", 4))
		return !(call->args[strcmp(name, "open") ? 2 : 1] & O_CREAT);
	return !strcmp(word, "fcntl_argument") &&
	       (call->args[1] == F_GETFD || call->args[1] == F_GETFL);
}

static void put_arguments(struct tracing *tracing,
			  const struct linux_signature *signature)
{
	const char *rest = signature->arguments;
	char word[WORD_MAX];

	for (size_t i = 0; i < ARGUMENTS_MAX; i++) {
		rest = next_word(rest, word);
		if (!rest ||
		    is_meaningless(tracing->call, signature->name, word))
			break;
		if (i)
			trace_put(&tracing->text, ", ");
		put_argument(tracing, word, i);
	}
}

static void put_result(struct trace_text *text, int64_t result, bool is_address)
{
	const int error = is_error(result) ? (int)-result : 0;
	const char *name = error ? strerrorname_np(error) : NULL;

	if (error)
		trace_put(text, "-1 %s (%s)", name ? name : "E?",
			  name ? strerrordesc_np(error) : "");
	else if (is_address)
		trace_put(text, "%#llx", (unsigned long long)result);
	else
		trace_put(text, "%lld", (long long)result);
}

static void hand_over(const struct linux_process *process,
		      const struct trace_text *text)
{
	const struct linux_trace *trace = &process->program->trace;

	trace->line(trace->cookie, text->text, text->used);
}

void linux_trace_killed(const struct linux_process *process, int signal)
{
	struct trace_text text = { .used = 0 };

	trace_put(&text, "+++ killed by ");
	trace_put_signal(&text, signal);
	trace_put(&text, " +++");
	hand_over(process, &text);
}

void linux_trace_call(const struct linux_process *process,
		      const struct vm_call *call, int64_t result)
{
	const struct linux_signature *signature =
		linux_signature_find(call->number);
	struct tracing tracing = { process, call, result, { .used = 0 } };
	struct trace_text *text = &tracing.text;

	if (process->step == LINUX_INPUT) {
		trace_put(text, "--- snapshot: each request begins here ---");
		hand_over(process, text);
		return;
	}
	if (signature) {
		trace_put(text, "%s(", signature->name);
		put_arguments(&tracing, signature);
	} else {
		trace_put(text, "syscall_%llu(",
			  (unsigned long long)call->number);
	}
	trace_put(text, ")%*s = ",
		  text->used < RESULT_COLUMN ? RESULT_COLUMN - (int)text->used :
					       0,
		  "");
	if (process->step == LINUX_EXIT)
		trace_put(text, "?");
	else
		put_result(text, result,
			   signature && strchr(signature->arguments, '>'));
	hand_over(process, text);
	if (process->step != LINUX_EXIT)
		return;
	text->used = 0;
	trace_put(text, "+++ exited with %d +++", process->status);
	hand_over(process, text);
}

void linux_trace_signal(const struct linux_process *process, int signal,
			int code, uint64_t address)
{
	struct trace_text text = { .used = 0 };
	bool is_fault = signal == SIGSEGV || signal == SIGBUS ||
			signal == SIGILL || signal == SIGFPE;

	trace_put(&text, "--- ");
	trace_put_signal(&text, signal);
	trace_put(&text, " {si_signo=");
	trace_put_signal(&text, signal);
	trace_put(&text, ", si_code=");
	trace_put_code(&text, signal, code);
	if (is_fault && code > 0)
		trace_put(&text, ", si_addr=%#llx",
			  (unsigned long long)address);
	trace_put(&text, "} ---");
	hand_over(process, &text);
}

bool linux_trace_knows(const char *word)
{
	static struct linux_program program;
	struct linux_process process = { .program = &program };
	const struct vm_call call = { .number = 0 };
	struct tracing tracing = { &process, &call, -EINVAL, { .used = 0 } };

	return put_argument(&tracing, word, 0);
}
