-- A stretch of one stream. ARGV: the stream, behind which version, at most how many.
local LOG, HEADS, AT, PERSONAL = KEYS[1], KEYS[3], KEYS[4], KEYS[16]

local stream, after, limit = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local head, events = tonumber(redis.call('HGET', HEADS, stream) or '0'), {}
for version = after + 1, math.min(head, after + limit) do
  local position = redis.call('HGET', AT, stream .. '@' .. version)
  events[#events + 1] = recorded(redis.call('XRANGE', LOG, position .. '-0', position .. '-0')[1])
end
return events
