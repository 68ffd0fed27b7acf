/*
 * prometheus.h - the parts of Prometheus's text format 0.0.4.
 *
 *	prometheus_head(out, "thaw_build_info", "gauge", "1, always.");
 *	buffer_text(out, "thaw_build_info{");
 *	prometheus_label(out, "version", version);
 *	buffer_text(out, "} 1\n");
 *
 * All samples of a family follow its head. Everything is appended to @out.
 */
#ifndef EXECUTOR_SERVER_ADMIN_PROMETHEUS_H
#define EXECUTOR_SERVER_ADMIN_PROMETHEUS_H

#include <stdint.h>

#include "base/buffer.h"

/* Digits after the point that make seconds of smaller units, at most 9. */
#define PROMETHEUS_NS 9
#define PROMETHEUS_US 6
#define PROMETHEUS_MS 3

/* Writes the head of a family. @help is trusted and not escaped. */
void prometheus_head(struct buffer *out, const char *name, const char *type,
		     const char *help);

/* Writes NAME="VALUE"; @value may be any text. */
void prometheus_label(struct buffer *out, const char *name, const char *value);

/* Writes @value / 10^@digits exactly. */
void prometheus_decimal(struct buffer *out, uint64_t value, unsigned digits);

/* Writes a family of one such number, without labels. */
void prometheus_number(struct buffer *out, const char *name, const char *type,
		       const char *help, uint64_t value, unsigned digits);

#endif
