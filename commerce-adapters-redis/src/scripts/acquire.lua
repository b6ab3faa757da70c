-- A bucket of tokens. KEYS: the bucket. ARGV: the time in microseconds, or nothing for the server's own; the
-- size, the period in microseconds, the cost, milliseconds to keep it longer than needed. A debt is counted
-- in parts of a token, as many to the token as the period has microseconds; all numbers are whole.
local now, size, period, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000000 + time[2]
end
local known = redis.call('HMGET', KEYS[1], 'd', 'a')
local debt, at = tonumber(known[1] or 0), tonumber(known[2] or now)
local full = size * period
local elapsed = math.min(math.max(now - at, 0), period)
debt = math.max(math.min(debt, full) - elapsed * size, 0)
local wanted = debt + cost * period
local allowed = wanted <= full
if allowed then debt = wanted end
if (allowed and cost > 0) or now < at then
  redis.call('HSET', KEYS[1], 'd', string.format('%.0f', debt), 'a', string.format('%.0f', now))
  redis.call('PEXPIRE', KEYS[1], math.floor(debt / size / 1000) + 2 + ARGV[5])
end
if allowed then
  local left = full - wanted
  return {1, (left - left % period) / period}
end
local short = wanted - full
return {0, (short + (size - short % size) % size) / size}
