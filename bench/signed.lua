-- Sends signed requests in turn, from the first again after the last, and tells what came of them as one line of JSON.
-- The driver made them and wrote them to a file, the length of each before it. A signature holds for minutes, and a run
-- takes seconds.

local requests = {}
local next_one = 0

function init(args)
  local file = assert(io.open(args[1], "rb"))
  for length in file:lines() do
    requests[#requests + 1] = file:read(tonumber(length))
  end
  file:close()
end

function request()
  next_one = next_one % #requests + 1
  return requests[next_one]
end

function done(summary, latency, requests)
  local failed = summary.errors.status + summary.errors.connect + summary.errors.read
    + summary.errors.write + summary.errors.timeout
  io.write(string.format(
    'RESULT {"requests": %d, "failed": %d, "seconds": %.6f, "p50_us": %d, "p99_us": %d, "max_us": %d}\n',
    summary.requests, failed, summary.duration / 1e6, latency:percentile(50), latency:percentile(99), latency.max))
end
