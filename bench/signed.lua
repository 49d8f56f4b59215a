-- Repeats one signed request, and tells what came of it as one line of JSON. The request lies in files that the driver
-- wrote: a signature holds for minutes, and a run takes seconds.

local function read(path)
  local file = assert(io.open(path, "rb"))
  local content = file:read("*a")
  file:close()
  return content
end

function init(args)
  local folder = args[1]
  wrk.method = "POST"
  wrk.path = read(folder .. "/path")
  wrk.body = read(folder .. "/body")
  for line in io.lines(folder .. "/headers") do
    local name, value = line:match("^([^:]+): (.*)$")
    wrk.headers[name] = value
  end
end

function request()
  return wrk.format(nil, wrk.path)
end

function done(summary, latency, requests)
  local failed = summary.errors.status + summary.errors.connect + summary.errors.read
    + summary.errors.write + summary.errors.timeout
  io.write(string.format(
    'RESULT {"requests": %d, "failed": %d, "seconds": %.6f, "p50_us": %d, "p99_us": %d, "max_us": %d}\n',
    summary.requests, failed, summary.duration / 1e6, latency:percentile(50), latency:percentile(99), latency.max))
end
