-- Entries come again when a pause is over. KEYS: as of receive. ARGV: the group, the member, the pause in
-- microseconds, then of every entry the place of its source, its number, and how often it had been handed out:
-- what was handed out again since, or is not pending, is passed over.
local group, member, pause = ARGV[1], ARGV[2], tonumber(ARGV[3])
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
for from = 4, #ARGV, 3 do
  local place, id, deliveries = tonumber(ARGV[from]), ARGV[from + 1], tonumber(ARGV[from + 2])
  local stream, later, first = KEYS[place * 3 - 2], KEYS[place * 3 - 1], KEYS[place * 3]
  local known = redis.pcall('XPENDING', stream, group, id, id, 1)[1]
  if known and known[4] == deliveries then
    -- This takes no memory, so that what follows is also done on a server that is full: a script that has
    -- written is not refused. It is what lets the server become empty again.
    redis.call('XCLAIM', stream, group, member, 0, id, 'JUSTID')
    redis.call('ZADD', later, string.format('%.0f', now + pause), id)
    if deliveries == 1 then redis.call('HSETNX', first, id, string.format('%.0f', now - known[3] * 1000)) end
  end
end
return 'OK'
