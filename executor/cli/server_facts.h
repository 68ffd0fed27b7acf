/* server_facts.h - the first lines of `thaw status` and `thaw top`. */
#ifndef EXECUTOR_CLI_SERVER_FACTS_H
#define EXECUTOR_CLI_SERVER_FACTS_H

#include <stddef.h>
#include <stdint.h>

struct json_t;

/* Bytes for a text of server_facts_age(). */
#define SERVER_AGE_MAX 32

/* Writes @ms as "3d 4h", "2h 5m", "1m 3s" or "12s". */
char *server_facts_age(uint64_t ms, char text[static SERVER_AGE_MAX]);

/* Writes a status as "thaw 0.1.0, pid 7, serving for 2m 3s". */
char *server_facts_summary(const struct json_t *status, char *to, size_t size);

#endif
