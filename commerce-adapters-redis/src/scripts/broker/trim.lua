-- Drops from the front of a stream what every one of its groups has acknowledged; says how many entries.
-- Where there is no group nothing is dropped. Names of members who have been silent for so many milliseconds
-- and have nothing go too.
local function trimmed(stream, silent)
  local groups = redis.pcall('XINFO', 'GROUPS', stream)
  if groups.err or #groups == 0 then return 0 end
  local function parts(id)
    local millis, number = string.match(id, '^(%d+)-(%d+)$')
    return tonumber(millis), tonumber(number)
  end
  local low, at
  local function needs(millis, number)
    if not low or millis < low or (millis == low and number < at) then low, at = millis, number end
  end
  for _, group in ipairs(groups) do
    local told = {}
    for place = 1, #group, 2 do told[group[place]] = group[place + 1] end
    local millis, number = parts(told['last-delivered-id'])
    needs(millis, number + 1)
    if told.pending > 0 then needs(parts(redis.call('XPENDING', stream, told.name)[2])) end
    for _, member in ipairs(redis.call('XINFO', 'CONSUMERS', stream, told.name)) do
      local name, pending, idle = member[2], member[4], member[6]
      if pending == 0 and idle > silent and string.find(name, '^member%-') then
        redis.call('XGROUP', 'DELCONSUMER', stream, told.name, name)
      end
    end
  end
  return redis.call('XTRIM', stream, 'MINID', string.format('%.0f-%.0f', low, at))
end
