-- An order as the store writes it, without its checks but the one for stock. KEYS: those that it writes.
-- ARGV: the stream, its kind and id, the order's number, the timer's due time, the mark and its hash, three
-- pools, then head and data of two events.
local LOG, COUNTERS, HEADS, AT, OWNERS, OWNER_NAMES, POOLS = unpack(KEYS, 1, 7)
local POOL_NAMES, TIMERS, AGENDA, TIMER_NAMES, MARKS, MARK_NAMES = unpack(KEYS, 8, 13)
local stream, kind, id, number, due, mark, hash = unpack(ARGV, 1, 7)

local after = {}
for line = 1, 3 do
  local raw = redis.call('HGET', POOLS, ARGV[7 + line]) or '0 0 0 0'
  local a, h, l, f = string.match(raw, '^(%S+) (%S+) (%S+) (%S+)$')
  if tonumber(a) - 1 < tonumber(f) then return 0 end
  after[line] = string.format('%.0f %.0f %s %s', a - 1, h + 1, l, f)
end
for line = 1, 3 do
  redis.call('HSET', POOLS, ARGV[7 + line], after[line])
  redis.call('ZADD', POOL_NAMES, 0, ARGV[7 + line])
end
redis.call('HSET', OWNERS, number, stream .. '\0')
redis.call('ZADD', OWNER_NAMES, 0, number)
local log = redis.call('HINCRBY', COUNTERS, 'log', 2) - 2
for version = 1, 2 do
  redis.call('XADD', LOG, (log + version) .. '-0', 's', stream, 'v', version, 'h', ARGV[9 + 2 * version], 'd',
    ARGV[10 + 2 * version], 'p', '')
  redis.call('HSET', AT, stream .. '@' .. version, log + version)
end
redis.call('HSET', HEADS, stream, 2)
local name = stream .. '#payment'
local timer = {due = due, kind = kind, id = id, label = 'payment', payload = '{}', token = '', till = ''}
redis.call('HSET', TIMERS, name, cmsgpack.pack(timer))
redis.call('ZADD', AGENDA, 0, due .. '|' .. name)
redis.call('ZADD', TIMER_NAMES, 0, name)
redis.call('HSET', MARKS, mark, '1 ' .. hash .. ' ' .. (log + 2) .. ' {}')
redis.call('ZADD', MARK_NAMES, 0, mark)
return 1
