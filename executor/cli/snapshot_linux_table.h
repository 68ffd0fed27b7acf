/* snapshot_linux_table.h - prints what snapshot_linux_put() has put. */
#ifndef EXECUTOR_CLI_SNAPSHOT_LINUX_TABLE_H
#define EXECUTOR_CLI_SNAPSHOT_LINUX_TABLE_H

struct json_t;

/* Prints the lists of @shown, its member "linux", on standard output: a table for each. */
void snapshot_linux_print_lists(const struct json_t *shown);

#endif
