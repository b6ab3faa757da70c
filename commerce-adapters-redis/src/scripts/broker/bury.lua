-- An entry becomes a dead letter of its group: the letter first, because a script that fails keeps what it has
-- written.
--
-- KEYS: the stream, its postponed entries and first times, the letters, the letters by their time. ARGV: the
-- group, the number, how often it had been handed out, the error, the attempts, for how many microseconds letters
-- are kept, "own" where the stream is the group's own, else its topic behind that.
local stream, later, first, letters, times = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local group, id, own = ARGV[1], ARGV[2], ARGV[7] == 'own'
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local known = redis.pcall('XPENDING', stream, group, id, id, 1)[1]
if not (known and known[4] == tonumber(ARGV[3])) then return 0 end
local entry = redis.call('XRANGE', stream, id, id)[1]
if entry then
  local told = {}
  for place = 1, #entry[2], 2 do told[entry[2][place]] = entry[2][place + 1] end
  local began = redis.call('HGET', first, id) or string.format('%.0f', now - known[3] * 1000)
  local last = string.format('%.0f', now)
  local topic = own and told.topic or ARGV[8]
  redis.call('HSET', letters, told.id,
    cmsgpack.pack({topic, told.id, told.key, told.ordering, told.body, ARGV[4], ARGV[5], began, last}))
  redis.call('ZADD', times, last, told.id)
end
redis.call('XACK', stream, group, id)
redis.call('ZREM', later, id)
redis.call('HDEL', first, id)
if own then redis.call('XDEL', stream, id) end
local old = redis.call('ZRANGEBYSCORE', times, '-inf', string.format('%.0f', now - ARGV[6]), 'LIMIT', 0, 100)
if #old > 0 then
  redis.call('HDEL', letters, unpack(old))
  redis.call('ZREM', times, unpack(old))
end
return 1
