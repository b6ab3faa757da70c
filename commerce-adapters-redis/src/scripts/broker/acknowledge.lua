-- Entries were handled. KEYS: as of receive. ARGV: the group, then of every entry the place of its source and its
-- number. What is not pending is passed over.
local group, ids = ARGV[1], {}
for from = 2, #ARGV, 2 do
  local place = tonumber(ARGV[from])
  ids[place] = ids[place] or {}
  table.insert(ids[place], ARGV[from + 1])
end
for place, all in pairs(ids) do
  local stream, later, first = KEYS[place * 3 - 2], KEYS[place * 3 - 1], KEYS[place * 3]
  for from = 1, #all, 500 do
    local function each(...)
      redis.call('XACK', stream, group, ...)
      redis.call('ZREM', later, ...)
      redis.call('HDEL', first, ...)
      -- The first source is the group's own: nobody else needs the entry.
      if place == 1 then redis.call('XDEL', stream, ...) end
    end
    each(unpack(all, from, math.min(from + 499, #all)))
  end
end
return 'OK'
