-- The dead letters of a group. KEYS: the letters, the letters by their time, the group's own stream. ARGV: what to
-- do; how many, or the message.
local letters, times, own = KEYS[1], KEYS[2], KEYS[3]
if ARGV[1] == 'buried' then
  local found = {}
  local ids = redis.call('ZRANGE', times, 0, tonumber(ARGV[2]) - 1)
  for from = 1, #ids, 500 do
    local stored = redis.call('HMGET', letters, unpack(ids, from, math.min(from + 499, #ids)))
    for _, letter in ipairs(stored) do
      if letter then found[#found + 1] = cmsgpack.unpack(letter) end
    end
  end
  return found
end
local stored = redis.call('HGET', letters, ARGV[2])
if not stored then return 0 end
if ARGV[1] == 'redrive' then
  -- First, because a full server refuses it.
  local topic, id, key, ordering, body = unpack(cmsgpack.unpack(stored))
  redis.call('XADD', own, '*', 'topic', topic, 'id', id, 'key', key, 'ordering', ordering, 'body', body)
end
redis.call('HDEL', letters, ARGV[2])
redis.call('ZREM', times, ARGV[2])
return 1
