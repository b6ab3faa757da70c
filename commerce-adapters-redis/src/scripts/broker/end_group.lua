-- Ends a group. KEYS: as of receive, then the letters and the letters by their time. ARGV: the group, and whether to
-- end it whatever is left. Says how much was left unread, pending and put aside.
local group, sources = ARGV[1], (#KEYS - 2) / 3
local letters, times = KEYS[#KEYS - 1], KEYS[#KEYS]
local unread, pending, buried = 0, 0, redis.call('HLEN', letters)
for place = 1, sources do
  local stream = KEYS[place * 3 - 2]
  local groups = redis.pcall('XINFO', 'GROUPS', stream)
  for _, told in ipairs(groups.err and {} or groups) do
    local known = {}
    for at = 1, #told, 2 do known[told[at]] = told[at + 1] end
    if known.name == group then
      pending = pending + known.pending
      -- Where entries were deleted the server does not know how many are behind.
      local behind = '(' .. known['last-delivered-id']
      unread = unread + (known.lag or #redis.call('XRANGE', stream, behind, '+', 'COUNT', 1000))
    end
  end
end
local left = {unread, pending, buried}
if ARGV[2] == '0' and unread + pending + buried > 0 then return left end
for place = 1, sources do
  -- There may be no such stream.
  redis.pcall('XGROUP', 'DESTROY', KEYS[place * 3 - 2], group)
  redis.call('DEL', KEYS[place * 3 - 1], KEYS[place * 3])
end
-- The first source is the group's own.
redis.call('DEL', KEYS[1], letters, times)
return left
