-- What the buffers of some channels hold behind an update, in the order in which it was pushed: where that ends,
-- whether something in between is gone, whether there is more, and the updates.
--
-- KEYS: the last numbers, the buffers. ARGV: the number of the update, or nothing to be told only where the end is;
-- at most how many; the names of the channels, one for each buffer.
local LAST, count = KEYS[1], tonumber(ARGV[2])

local function place(id)
  local millis, number = string.match(id or '', '^(%d+)-(%d+)$')
  return {tonumber(millis) or 0, tonumber(number) or 0}
end
local function less(one, other)
  if one[1] ~= other[1] then return one[1] < other[1] end
  return one[2] < other[2]
end

local last = redis.call('HGET', LAST, 'all') or '0-0'
if ARGV[1] == '' then return {last, 0, 0, {}} end
local behind = place(ARGV[1])
-- A server that has lost what it once pushed cannot tell what else it has lost.
if less(place(last), behind) then return {last, 1, 0, {}} end

local missed, found = 0, {}
for buffer = 1, #KEYS - 1 do
  local entries = redis.call('XRANGE', KEYS[1 + buffer], '(' .. ARGV[1], '+', 'COUNT', count + 1)
  -- Every entry names the one before it, also where that is gone.
  local known = redis.call('HGET', LAST, ARGV[2 + buffer])
  if entries[1] then known = entries[1][2][2] end
  if less(behind, place(known)) then missed = 1 end
  for _, entry in ipairs(entries) do
    found[#found + 1] = {at = place(entry[1]), buffer, entry[1], entry[2][4] or ''}
  end
end
table.sort(found, function(one, other) return less(one.at, other.at) end)
local more = 0
while #found > count do
  found[#found] = nil
  more = 1
end
if more == 1 then last = found[#found][2] end
for _, entry in ipairs(found) do entry.at = nil end
return {last, missed, more, found}
