-- Sends signed requests in turn, from the first again after the last, and tells what came of them as one line of JSON.
-- The driver made them and wrote them to a folder: 0.head, 0.body, 1.head, ... A signature holds for minutes, and a run
-- takes seconds.

local requests = {}
local next_one = 0

local function read(path)
  local file = io.open(path, "rb")
  if not file then return nil end
  local content = file:read("*a")
  file:close()
  return content
end

function init(args)
  local folder = args[1] .. "/"
  while true do
    local head = read(folder .. #requests .. ".head")
    if not head then break end
    requests[#requests + 1] = head .. read(folder .. #requests .. ".body")
  end
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
