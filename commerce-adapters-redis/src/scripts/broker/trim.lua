-- Drops from the front of a stream what every one of its groups has acknowledged; says how many entries.
-- Where there is no group nothing is dropped. Names of members who have been silent for so many milliseconds
-- and have nothing go too.
local function trimmed(stream, silent)
  local groups = redis.pcall('XINFO', 'GROUPS', stream)
  if groups.err or #groups == 0 then return 0 end
  -- Numbers have 64 bits, which a double does not hold: they are compared as texts.
  local function less(one, other)
    if #one ~= #other then return #one < #other end
    return one < other
  end
  local low, at
  local function needs(id, behind)
    local millis, number = string.match(id, '^(%d+)-(%d+)$')
    if behind and #number <= 15 then number = string.format('%.0f', number + 1) end
    if not low or less(millis, low) or (millis == low and less(number, at)) then low, at = millis, number end
  end
  for _, group in ipairs(groups) do
    local told = {}
    for place = 1, #group, 2 do told[group[place]] = group[place + 1] end
    needs(told['last-delivered-id'], true)
    if told.pending > 0 then needs(redis.call('XPENDING', stream, told.name)[2], false) end
    for _, member in ipairs(redis.call('XINFO', 'CONSUMERS', stream, told.name)) do
      local name, pending, idle = member[2], member[4], member[6]
      if pending == 0 and idle > silent and string.find(name, '^member%-') then
        redis.call('XGROUP', 'DELCONSUMER', stream, told.name, name)
      end
    end
  end
  return redis.call('XTRIM', stream, 'MINID', low .. '-' .. at)
end
