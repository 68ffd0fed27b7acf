/*
 * host_check.c - whether a request is for a host that the server answers for, and
 * comes from a page of one. See host.h; on the worker's thread.
 */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "executor/io/listen.h"
#include "executor/server/exchange.h"
#include "executor/server/server_internal.h"
#include "executor/server/server_limits.h"

#define ANY_HOST "*"

static bool is_in(const char *const *names, size_t count,
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
	       is_in(options->listen, options->listen_count, host) ||
	       (options->admin && is_in(&options->admin, 1, host)) ||
	       (options->metrics && is_in(&options->metrics, 1, host)) ||
	       is_in(options->allow_hosts, options->allow_host_count, host);
}

static void refuse(struct exchange *exchange, unsigned status,
		   const char *reason, const char *name, size_t size)
{
	exchange->request.max_body = SERVER_BODY_MAX;
	exchange->status = status;
	exchange->reason = reason;
	snprintf(exchange->name, sizeof(exchange->name), "%.*s", (int)size,
		 name);
}

/*
 * Browsers tell the page's host of all requests but GET and HEAD; of those, that
 * it is another site's (Fetch Metadata), at an address that is to be trusted.
 */
static bool is_cross_site(const struct http_request *request)
{
	const char *site = http_request_header(request, "sec-fetch-site");

	return !request->origin && site && !strcmp(site, "cross-site");
}

void route_check_host(struct exchange *exchange)
{
	const struct server_options *options =
		&exchange->worker->server->options;
	const struct http_request *request = &exchange->request;
	const struct host *host = &request->host;
	struct host origin;

	/* who names no host is no browser */
	if (host->size && !is_allowed(options, host))
		refuse(exchange, 421,
		       "this server does not answer for this host, unless "
		       "thaw serve --allow-host names it",
		       host->name, host->size);
	else if (request->origin &&
		 (!host_read_origin(request->origin, &origin) ||
		  !is_allowed(options, &origin)))
		refuse(exchange, 403,
		       "pages from there may not send requests to this "
		       "server, unless thaw serve --allow-host names it",
		       request->origin, strlen(request->origin));
	else if (is_cross_site(request))
		refuse(exchange, 403,
		       "pages of other sites may not send requests to this "
		       "server, unless thaw serve --allow-host names '*'",
		       "", 0);
}

bool server_checks_hosts(const struct server_options *options, int fd)
{
	for (size_t i = 0; i < options->allow_host_count; i++)
		if (!strcmp(options->allow_hosts[i], ANY_HOST))
			return false;
	return listen_is_loopback(fd) ||
	       (options->allow_host_count && listen_is_tcp(fd));
}
