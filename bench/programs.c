/* programs.c - see programs.h. */
#include "bench/programs.h"

#include <string.h>

#define ARGUMENTS(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* 64 lines of 64 bytes. */
#define LINE "word another 12345 and some more words to make a line of sixty4\n"
_Static_assert(sizeof(LINE) - 1 == 64, "as it says");

#define ITEMS \
	"{\"items\":[{\"price\":2.5,\"count\":4},{\"price\":1,\"count\":2}]}\n"

const struct bench_program bench_awk = {
	.path = "/bin/busybox",
	.arguments = ARGUMENTS("awk", "{ n += $3; print NR, toupper($1) } "
				      "END { print n }"),
	.input = LINE,
	.repeat = 64,
};

const struct bench_program bench_bash = {
	.path = "/bin/bash",
	.arguments = ARGUMENTS("bash", "-c",
			       "read -r a b; printf '%s\\n' $((a * b))"),
	.input = "6 7\n",
	.repeat = 1,
};

const struct bench_program bench_gawk = {
	.path = "/usr/bin/gawk",
	.arguments = ARGUMENTS("gawk", "{ n += $3; print NR, toupper($1) } "
				       "END { print n }"),
	.input = LINE,
	.repeat = 64,
};

const struct bench_program bench_jq = {
	.path = "/usr/bin/jq",
	.arguments =
		ARGUMENTS("jq", "-c", ".items | map(.price * .count) | add"),
	.input = ITEMS,
	.repeat = 1,
};

const struct bench_program bench_lua = {
	.path = "/usr/bin/lua5.4",
	.arguments = ARGUMENTS(
		"lua5.4", "-e",
		"local n = {} for word in io.read('a'):gmatch('%a+') do "
		"n[word] = (n[word] or 0) + 1 end print(n.word, n.more)"),
	.input = LINE,
	.repeat = 64,
};

const struct bench_program bench_perl = {
	.path = "/usr/bin/perl",
	.arguments = ARGUMENTS("perl", "-ne",
			       "$n{$_}++ for split; END { print $n{more} }"),
	.input = LINE,
	.repeat = 64,
};

/* The samples of samples/linux, where they are built. */
const struct bench_program bench_primes = {
	.path = "samples/linux/primes",
	.arguments = ARGUMENTS("primes"),
	.input = "1000\n",
	.repeat = 1,
};

const struct bench_program bench_stock = {
	.path = "samples/linux/stock",
	.arguments = ARGUMENTS("stock"),
	.input = "apple 0.5 10\npear 1.25 2\napple 1 1\n",
	.repeat = 1,
};

/* It answers calls, a line each, and has loaded what it needs before the first. */
#define PYTHON                                                      \
	"import dataclasses, json, re, sqlite3, sys\n"              \
	"def total(items):\n"                                       \
	"    return sum(item['price'] * item['count'] for item in " \
	"items)\n"                                                  \
	"requests = open(sys.argv[1])\n"                            \
	"replies = open(sys.argv[2], 'w')\n"                        \
	"for line in requests:\n"                                   \
	"    result = total(json.loads(line)['items'])\n"           \
	"    print(json.dumps({'result': result}), file=replies, "  \
	"flush=True)\n"

const struct bench_program bench_python = {
	.path = "/usr/bin/python3",
	.arguments =
		ARGUMENTS("python3", "-c", PYTHON, "/dev/thaw", "/dev/thaw"),
	.process_arguments =
		ARGUMENTS("python3", "-c", PYTHON, "/dev/stdin", "/dev/stdout"),
	.input = ITEMS,
	.repeat = 1,
};

const struct bench_program bench_sqlite3 = {
	.path = "/usr/bin/sqlite3",
	.arguments =
		ARGUMENTS("sqlite3", "-cmd",
			  ("CREATE TABLE planets (name TEXT, moons INTEGER); "
			   "INSERT INTO planets VALUES ('Earth', 1), "
			   "('Mars', 2), ('Jupiter', 95), ('Saturn', 146);"),
			  ":memory:"),
	.input = "SELECT name FROM planets WHERE moons > 1 ORDER BY moons;\n",
	.repeat = 1,
};

size_t bench_program_input(const struct bench_program *program,
			   char to[static BENCH_INPUT_MAX])
{
	const size_t size = strlen(program->input);

	for (size_t i = 0; i < program->repeat; i++)
		memcpy(to + i * size, program->input, size);
	return program->repeat * size;
}
