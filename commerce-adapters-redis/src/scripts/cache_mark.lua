-- Removes the entries of a tag or a prefix. KEYS: the marks. ARGV: the mark, how many marks are kept, and how
-- long.
local function kept(answer) return not (type(answer) == 'table' and answer.err) end
local now = redis.call('ZSCORE', KEYS[1], '>')
if not now then
  local time = redis.call('TIME')
  now = string.format('%.0f', time[1] * 1000000 + time[2])
  -- Without marks nothing can be read: there is nothing to remove.
  if not kept(redis.pcall('ZADD', KEYS[1], now, '<', now, '>')) then return 0 end
end
now = redis.pcall('ZINCRBY', KEYS[1], 1, '>')
if not kept(now) or not kept(redis.pcall('ZADD', KEYS[1], now, ARGV[1])) then
  -- A full server cannot remember one removal; so all of it goes.
  redis.call('DEL', KEYS[1])
  return 0
end
local over = redis.call('ZCARD', KEYS[1]) - 2 - ARGV[2]
if over > 0 then
  local gone = redis.call('ZRANGE', KEYS[1], 1, over, 'WITHSCORES')
  redis.call('ZREMRANGEBYRANK', KEYS[1], 1, over)
  redis.call('ZADD', KEYS[1], gone[#gone], '<')
end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
