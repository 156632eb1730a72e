-- Posts one body repeatedly: wrk ... -s post.lua URL -- BODY_FILE CONTENT_TYPE
-- Prints the figures as one line of JSON.

function init(args)
  local file = assert(io.open(args[1], "rb"))
  wrk.method = "POST"
  wrk.body = file:read("*a")
  wrk.headers["Content-Type"] = args[2]
  file:close()
end

function done(summary, latency)
  local errors = summary.errors
  local line = '{"requests": %d, "seconds": %.6f, "p50_ms": %.3f, "p99_ms": %.3f, "status_errors": %d, "socket_errors": %d}\n'
  io.write(string.format(line, summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3,
    latency:percentile(99) / 1e3, errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
