-- Puts an entry in. KEYS: the entry, the marks, the memory of its removal. ARGV: the version, the span, the
-- ticket or nothing, the tags, the bytes, how long marks are kept, '<' and the marks of the prefixes of the key.
local before = redis.call('HGET', KEYS[1], 'v')
local gone = redis.call('HMGET', KEYS[3], 'v', 'r')
if (before and before > ARGV[1]) or (gone[1] and gone[1] > ARGV[1]) then return 0 end
local now = redis.call('ZSCORE', KEYS[2], '>')
if ARGV[3] ~= '' then
  local since = tonumber(ARGV[3])
  if gone[2] and tonumber(gone[2]) > since then return 0 end
  local names = {unpack(ARGV, 7)}
  for tag in string.gmatch(ARGV[4], '[^\n]+') do names[#names + 1] = 't' .. tag end
  local marks = redis.call('ZMSCORE', KEYS[2], unpack(names))
  local epoch = marks[1]
  -- A ticket of nothing was given when there were no marks; any other is of marks that were lost.
  if since ~= 0 and (not epoch or since < tonumber(epoch)) then return 0 end
  for i = 2, #names do
    if marks[i] and tonumber(marks[i]) > since then return 0 end
  end
end
if not now then
  -- Counts begin with the time, so that they go on behind those of marks that were lost.
  local time = redis.call('TIME')
  now = string.format('%.0f', time[1] * 1000000 + time[2])
  redis.call('ZADD', KEYS[2], now, '<', now, '>')
end
redis.call('HSET', KEYS[1], 'v', ARGV[1], 's', now, 't', ARGV[4], 'b', ARGV[5])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('PEXPIRE', KEYS[2], ARGV[6])
return 1
