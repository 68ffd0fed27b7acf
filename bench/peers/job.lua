-- job.lua - has wrk post one request again and again, and print what came of it as JSON.
--
--	BODY=... [TIMES=N] wrk [OPTION...] -s job.lua URL	N times BODY, in one request
wrk.method = "POST"
wrk.body = string.rep(os.getenv("BODY"), tonumber(os.getenv("TIMES") or 1))
wrk.headers["Content-Type"] = "application/json"

-- Times are in microseconds.
function done(summary, latency)
	local errors = summary.errors

	io.write(string.format(
		'{"requests": %d, "us": %d, "p50": %d, "p99": %d, "failed": %d}\n',
		summary.requests, summary.duration, latency:percentile(50),
		latency:percentile(99), errors.connect + errors.read +
		errors.write + errors.timeout + errors.status))
end
