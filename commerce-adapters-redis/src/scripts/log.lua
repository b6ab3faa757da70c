-- A stretch of the log. ARGV: behind which number, at most how many, which part of how many.
local LOG, COUNTERS, PERSONAL = KEYS[1], KEYS[2], KEYS[16]

local after, limit, part, parts = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local last = tonumber(redis.call('HGET', COUNTERS, 'log') or '0')
local events, next = {}, after
while #events < limit and next < last do
  local entries = redis.call('XRANGE', LOG, (next + 1) .. '-0', '+', 'COUNT', math.max(limit, 100))
  if #entries == 0 then break end
  for _, entry in ipairs(entries) do
    if #events < limit then
      next = tonumber(string.match(entry[1], '^%d+'))
      if tonumber(string.sub(entry[2][2], -4), 16) % parts == part then
        events[#events + 1] = recorded(entry)
      end
    end
  end
end
return {events, tostring(next)}
