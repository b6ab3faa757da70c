-- Whether an entry stands: KEYS are the entry and the marks of what was removed; its fields are the version,
-- the count at which it was put in, its tags and its bytes. Among the marks, '<' is the count before which
-- everything is gone and '>' the present one. Where they are lost, everything is.
local function stands(known, prefixes)
  local epoch = redis.call('ZSCORE', KEYS[2], '<')
  if not (known[2] and known[4]) then return false, epoch end
  local since = tonumber(known[2])
  if not epoch or since < tonumber(epoch) then return false, false end
  local names = {}
  for i = 1, #prefixes do names[i] = 'p' .. prefixes[i] end
  for tag in string.gmatch(known[3], '[^\n]+') do names[#names + 1] = 't' .. tag end
  local marks = redis.call('ZMSCORE', KEYS[2], unpack(names))
  for i = 1, #names do
    if marks[i] and tonumber(marks[i]) > since then return false, epoch end
  end
  return true, epoch
end
