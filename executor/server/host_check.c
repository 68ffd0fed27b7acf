/* host_check.c - checks for which host a request is. See host_check.h. */
#include "executor/server/host_check.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/hot.h"
#include "executor/io/listen.h"
#include "executor/server/worker.h"

#define ANY_HOST "*"

static bool host_is_among(const char *const *names, size_t count,
			  const struct host *host)
{
	struct host allowed;

	for (size_t i = 0; i < count; i++)
		if (!listen_unix_path(names[i]) &&
		    host_read(names[i], strlen(names[i]), &allowed) &&
		    host_equal(&allowed, host))
			return true;
	return false;
}

static bool is_allowed(const struct server_options *options,
		       const struct host *host)
{
	return host_is_loopback(host) ||
	       host_is_among(options->listen, options->listen_count, host) ||
	       (options->admin && host_is_among(&options->admin, 1, host)) ||
	       (options->metrics &&
		host_is_among(&options->metrics, 1, host)) ||
	       host_is_among(options->allow_hosts, options->allow_host_count,
			     host);
}

static void host_check_refuse(struct exchange *exchange, unsigned status,
			      const char *reason, const char *name, size_t size)
{
	exchange->status = status;
	exchange->reason = reason;
	snprintf(exchange->name, sizeof(exchange->name), "%.*s", (int)size,
		 name);
}

/*
 * Browsers name the page's host with all requests but GET and HEAD (Origin). With
 * those, they say whether the page is of another site (Fetch Metadata), if the
 * server is at an address that they trust.
 */
static bool is_cross_site(const struct http_request *request)
{
	const char *site = http_request_header(request, "sec-fetch-site");

	return !request->origin && site && !strcmp(site, "cross-site");
}

HOT bool host_check_passes(struct exchange *exchange)
{
	const struct server_options *options =
		&exchange->worker->shared->options;
	const struct http_request *request = &exchange->request;
	const struct host *host = &request->host;
	struct host origin;

	if (!exchange->checks_host)
		return true;
	/* a client that names no host is no browser */
	if (host->size && !is_allowed(options, host))
		host_check_refuse(
			exchange, 421,
			"this server does not answer for this host, unless "
			"thaw serve --allow-host names it",
			host->name, host->size);
	else if (request->origin &&
		 (!host_read_origin(request->origin, &origin) ||
		  !is_allowed(options, &origin)))
		host_check_refuse(
			exchange, 403,
			"pages from there may not send requests to this "
			"server, unless thaw serve --allow-host names it",
			request->origin, strlen(request->origin));
	else if (is_cross_site(request))
		host_check_refuse(
			exchange, 403,
			"pages of other sites may not send requests to this "
			"server, unless thaw serve --allow-host names '*'",
			"", 0);
	return !exchange->status;
}

bool host_check_is_wanted(const struct server_options *options, int fd)
{
	for (size_t i = 0; i < options->allow_host_count; i++)
		if (!strcmp(options->allow_hosts[i], ANY_HOST))
			return false;
	return listen_is_loopback(fd) ||
	       (options->allow_host_count && listen_is_tcp(fd));
}
