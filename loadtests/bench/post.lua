-- Posts one body over and over: wrk ... -s post.lua URL -- BODY_FILE CONTENT_TYPE
-- Prints what was measured as one line of JSON; times are in microseconds.

function init(args)
  local file = assert(io.open(args[1], "rb"))
  wrk.method = "POST"
  wrk.body = file:read("*a")
  wrk.headers["Content-Type"] = args[2]
  file:close()
end

function done(summary, latency)
  local errors = summary.errors
  local line = '{"requests": %d, "microseconds": %d, "p50": %d, "p99": %d, "status_errors": %d, "socket_errors": %d}\n'
  io.write(string.format(line, summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
