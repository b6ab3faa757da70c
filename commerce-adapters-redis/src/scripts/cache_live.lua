-- Whether an entry stands: KEYS are the entry and the marks of what was removed; its fields are the version,
-- the count at which it was put in, its tags and its bytes. Among the marks, '<' is the count before which
-- everything is gone and '>' the present one. Where they are lost, everything is. From this place on ARGV has '<'
-- and the names of the marks of the key's prefixes: all of them are looked up in one call, with those of its tags.
local function stands(known, place)
  local marks
  if known[3] and known[3] ~= '' then
    local names = {unpack(ARGV, place)}
    for tag in string.gmatch(known[3], '[^\n]+') do names[#names + 1] = 't' .. tag end
    marks = redis.call('ZMSCORE', KEYS[2], unpack(names))
  else
    marks = redis.call('ZMSCORE', KEYS[2], unpack(ARGV, place))
  end
  local epoch = marks[1]
  if not (epoch and known[2] and known[4]) then return false, epoch end
  local since = tonumber(known[2])
  if since < tonumber(epoch) then return false, false end
  for i = 2, #marks do
    if marks[i] and tonumber(marks[i]) > since then return false, epoch end
  end
  return true, epoch
end
